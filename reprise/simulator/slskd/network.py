"""The Soulseek network around a simulated slskd: peers, what they share, and how they treat a download."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from reprise.simulator.knobs import Json

WORDS = re.compile(r"[^\W_]+")


class Outcome(StrEnum):
    """How one download of one file goes."""

    SUCCEED = "succeed"
    REJECT = "reject"
    TIMEOUT = "timeout"  # the peer never acknowledged the request
    TIMEOUT_THEN_REVIVE = "timeout_then_revive"  # `Completed, TimedOut`, and yet it comes
    STALL = "stall"  # in progress, no more bytes
    QUEUED = "queued"  # waits in the peer's queue for ever
    ERROR = "error"
    CANCEL = "cancel"
    MOVED_FILE_MISSING = "moved_file_missing"  # succeeded, but never moved: no event, no file


class SharedFile(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A file as a peer shares it; `name` without folder, `length` in seconds."""

    name: str
    size: int = 31_000_000
    bit_rate: int | None = None
    bit_depth: int | None = None
    sample_rate: int | None = None
    length: int | None = 210
    is_variable_bit_rate: bool | None = None
    locked: bool = False


class Folder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A shared folder; without `files` it holds `tracks` made-up ones.

    `album_mbid`, `first_track` (its files are the album's tracks from that one on) and `bad` tell Lidarr.
    """

    path: str
    files: list[SharedFile | str] = []
    tracks: int = 3
    format: str = "flac"
    locked: bool = False
    album_mbid: str = ""
    first_track: int = 1
    bad: bool = False

    @property
    def shared(self) -> list[SharedFile]:
        if not self.files:
            names = [f"{number:02d} Track {number}.{self.format}" for number in range(1, self.tracks + 1)]
            return [self._made_up(name, number) for number, name in enumerate(names, 1)]
        return [self._made_up(one, 0) if isinstance(one, str) else one for one in self.files]

    def _made_up(self, name: str, number: int) -> SharedFile:
        lossless = name.casefold().endswith(".flac")
        return SharedFile(
            name=name,
            size=(31_000_000 if lossless else 9_000_000) + number,
            bit_rate=None if lossless else 320,
            bit_depth=16 if lossless else None,
            sample_rate=44100 if lossless else None,
            is_variable_bit_rate=None if lossless else False,
            locked=self.locked,
        )


class Peer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `peer`: somebody on the network; `speed` in bytes per second."""

    username: str
    folders: list[Folder] = []
    online: bool = True
    free_slot: bool = True
    speed: int = 1_000_000
    queue: int = 0
    answers_searches: bool = True


class Plan(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `plan`: how downloads from one folder go, by enqueueing in turn; the last repeats for ever.

    `files` overrides the plan for single files, by name.
    """

    username: str
    folder: str
    attempts: list[Outcome] = msgspec.field(default_factory=lambda: [Outcome.SUCCEED])
    files: dict[str, Outcome] = {}


class Network:
    """Peers by name, and plans by (username, folder)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.peers: dict[str, Peer] = {}
        self.default = Outcome.SUCCEED
        self._plans: dict[tuple[str, str], Plan] = {}
        self._used: dict[tuple[str, str], int] = {}

    def meet(self, peer: Peer) -> None:
        self.peers[peer.username] = peer

    def plan(self, plan: Plan) -> None:
        self._plans[plan.username, plan.folder] = plan

    def online(self, username: str) -> bool:
        return username in self.peers and self.peers[username].online

    def outcome(self, username: str, filename: str) -> Outcome:
        """How this enqueueing of a file will go; counts it."""
        used = self._used.get((username, filename), 0)
        self._used[username, filename] = used + 1
        folder, _, name = filename.rpartition("\\")
        plan = self._plans.get((username, folder))
        if self.find(username, filename) is None:
            return Outcome.REJECT
        if plan is None:
            return self.default
        return plan.files.get(name) or plan.attempts[min(used, len(plan.attempts) - 1)]

    def find(self, username: str, filename: str) -> tuple[Folder, SharedFile, int] | None:
        """A shared file by its full remote name, with its number in the album."""
        peer = self.peers.get(username)
        path, _, name = filename.rpartition("\\")
        for folder in peer.folders if peer is not None else ():
            if folder.path == path:
                for number, file in enumerate(folder.shared, folder.first_track):
                    if file.name == name:
                        return folder, file, number
        return None

    def search(self, text: str) -> list[Json]:
        """Responses of the peers that share files whose full name holds every word of `text`."""
        wanted = [word for word in text.casefold().split() if not word.startswith("-")]
        barred = [word[1:] for word in text.casefold().split() if word.startswith("-") and len(word) > 1]
        responses = []
        for peer in self.peers.values():
            found: list[Json] = []
            locked: list[Json] = []
            for folder in peer.folders if peer.online and peer.answers_searches else ():
                for file in folder.shared:
                    name = f"{folder.path}\\{file.name}"
                    if _matches(name, wanted, barred):
                        (locked if file.locked else found).append(_result(name, file))
            if found or locked:
                responses.append(
                    {
                        "fileCount": len(found),
                        "files": found,
                        "hasFreeUploadSlot": peer.free_slot,
                        "lockedFileCount": len(locked),
                        "lockedFiles": locked,
                        "queueLength": peer.queue,
                        "token": 1,
                        "uploadSpeed": peer.speed,
                        "username": peer.username,
                    }
                )
        return responses


def _matches(name: str, wanted: list[str], barred: list[str]) -> bool:
    words = WORDS.findall(name.casefold())

    def held(term: str) -> bool:
        # A term is cut where a name is; `*eta` stands for any beginning.
        return all(
            any(word.endswith(part) if term.startswith("*") else word == part for word in words)
            for part in WORDS.findall(term)
        )

    return bool(wanted) and all(map(held, wanted)) and not any(map(held, barred))


def _result(name: str, file: SharedFile) -> Json:
    known = {
        "bitDepth": file.bit_depth,
        "bitRate": file.bit_rate,
        "code": 1,
        "extension": "",
        "filename": name,
        "isVariableBitRate": file.is_variable_bit_rate,
        "length": file.length,
        "sampleRate": file.sample_rate,
        "size": file.size,
        "isLocked": file.locked,
    }
    return {key: value for key, value in known.items() if value is not None}
