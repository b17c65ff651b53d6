"""A session with a real Lidarr or slskd, kept without secrets and names, and played again.

`recorder` stands between Reprise and the peer, `scrub` takes out what is nobody's business, `file` keeps what is left,
and `replay` is a peer that answers from it.
"""
