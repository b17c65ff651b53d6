"""Which qualities a Lidarr profile allows, and in which order it likes them."""

from __future__ import annotations

from worker.clients.lidarr_answers import Answer, Profile


class Quality(Answer, frozen=True, kw_only=True):
    """A quality by Lidarr's name for it, such as `FLAC 24bit` or `MP3-320`."""

    id: int = 0
    name: str = ""


class QualityItem(Answer, frozen=True, kw_only=True):
    """One step of a profile: a quality, or a group (with `id` and `name`) of qualities that are as good."""

    id: int = 0
    name: str = ""
    quality: Quality | None = None
    items: tuple[QualityItem, ...] = ()
    allowed: bool = False

    @property
    def qualities(self) -> tuple[Quality, ...]:
        return (self.quality,) if self.quality else tuple(one for item in self.items for one in item.qualities)


class QualityProfile(Profile, frozen=True, kw_only=True):
    """A profile whole; `items` are in Lidarr's order, worst first, and `cutoff` is a quality's or a group's id."""

    upgrade_allowed: bool = False
    cutoff: int = 0
    items: tuple[QualityItem, ...] = ()

    @property
    def allowed(self) -> tuple[tuple[Quality, ...], ...]:
        """What it allows, best first; those that stand together are as good as each other."""
        return tuple(item.qualities for item in reversed(self.items) if item.allowed and item.qualities)
