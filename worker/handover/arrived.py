"""Files that an attempt brought, by the paths that Lidarr knows them by."""

from __future__ import annotations

from dataclasses import dataclass

from worker.handover.paths import folders_to_look_in, own_folder_of, same_place


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file of ours: its full remote name, and the path by which Lidarr sees it."""

    remote: str
    path: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """All files of an attempt. mark is how the name of its own folder ends, where slskd let it have one."""

    files: tuple[Arrived, ...]
    mark: str

    @property
    def folders(self) -> list[str]:
        """Where to look for them; see folders_to_look_in."""
        return folders_to_look_in([file.path for file in self.files], self.mark)

    @property
    def places(self) -> frozenset[tuple[str, ...]]:
        """The files and the own folder, to compare with (same_place)."""
        folders = {own_folder_of(file.path, self.mark) for file in self.files}
        return frozenset(same_place(path) for path in {*(file.path for file in self.files), *folders} if path)
