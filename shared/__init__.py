"""What receiver and worker both stand on."""
