"""Our side of the peers' HTTP APIs."""
