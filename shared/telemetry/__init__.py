"""What a running process says about itself: log lines and figures."""
