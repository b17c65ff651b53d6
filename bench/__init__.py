"""Benchmarks, each beside its peers in the same run: on a shared machine only the ratio says something."""
