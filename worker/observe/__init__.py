"""Gap healing: what webhooks didn't tell is read from the peers themselves. One file for each peer."""
