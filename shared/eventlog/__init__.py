"""The event log: append, claim, settle."""
