"""The fleet: workers that turn events into finished albums."""
