"""Runtime settings: one registry of what can be set, one store for what has been."""
