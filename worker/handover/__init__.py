"""Giving files over to Lidarr: what it calls them, and which tracks they are. Pure; worker/effects does the asking."""
