"""The words that people put beside names into folder and file names."""

from __future__ import annotations


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Which edition of an album it is; any release of the group will do.
EDITION = _listed(
    """deluxe edition editions expanded extended remaster remastered remasters remastering anniversary limited special
    bonus reissue reissued collector collectors super version explicit clean"""
)
VARIOUS = frozenset({"various artists", "various", "various artist", "va", "v a", "varios artistas", "diverse"})
# Words by which nothing in particular is found.
UNSPECIFIC = _listed(
    """the a an and of in on at to for from with by live greatest hits best very essential collection singles album ep
    vol volume pt part untitled self titled music songs anthology ultimate gold remixes demo demos soundtrack original
    motion picture various artists va"""
)
