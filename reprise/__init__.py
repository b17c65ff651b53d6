"""The operator's front door: the command, standalone mode and the simulators."""
