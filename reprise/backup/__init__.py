"""Backups: one file each, proved readable before it bears its name, and the way back from it."""
