"""Standalone mode: Postgres and Valkey from Python wheels, started and looked after by `reprise up`."""
