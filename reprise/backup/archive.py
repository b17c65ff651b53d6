"""One backup is one tar file: spool/*, database.dump, manifest.json and SHA256SUMS, in that order.

Anybody can read it without Reprise: `tar xf`, `sha256sum -c SHA256SUMS`, `pg_restore`.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from reprise.backup.manifest import FORMAT, Manifest, Member
from reprise.backup.problems import BackupDamaged

DUMP = "database.dump"
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20


class Writing:
    """A backup that is being written. The sizes aren't known before, so each header is put in afterwards."""

    def __init__(self, path: Path) -> None:
        """Raises FileExistsError if the path is taken, and OSError as the disk has it."""
        self.path = path
        self.members: dict[str, Member] = {}
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")

    @property
    def size_bytes(self) -> int:
        return self._file.tell()

    async def add(self, name: str, chunks: AsyncIterator[bytes]) -> Member:
        """One file, of what comes."""
        header_at = self._begin()
        digest = hashlib.sha256()
        async for chunk in chunks:
            digest.update(chunk)
            self._file.write(chunk)
        return self._end(name, header_at, digest.hexdigest())

    def add_bytes(self, name: str, content: bytes) -> Member:
        """One small file."""
        header_at = self._begin()
        self._file.write(content)
        return self._end(name, header_at, hashlib.sha256(content).hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write what the backup says of itself, and make all of it durable."""
        self.add_bytes(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        sums = "".join(f"{member.sha256}  {name}\n" for name, member in self.members.items())
        self.add_bytes(SUMS, sums.encode())
        self._file.write(bytes(2 * _BLOCK))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Remove what was written."""
        with suppress(OSError):  # closing flushes, which a full disk refuses
            self._file.close()
        self.path.unlink(missing_ok=True)

    def _begin(self) -> int:
        at = self._file.tell()
        self._file.write(bytes(_BLOCK))
        return at

    def _end(self, name: str, header_at: int, sha256: str) -> Member:
        end = self._file.tell()
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = end - header_at - _BLOCK, 0o600, int(time.time())
        # The GNU form has one block for any size; PAX would want a second one beyond 8 GiB.
        header = info.tobuf(tarfile.GNU_FORMAT)
        assert len(header) == _BLOCK
        self._file.write(bytes(-info.size % _BLOCK))
        self._file.seek(header_at)
        self._file.write(header)
        self._file.seek(0, os.SEEK_END)
        found = self.members[name] = Member(info.size, sha256)
        return found


class Reading:
    """A backup to be read. Raises BackupDamaged when it isn't one, or isn't whole; close it after use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115 - closed in close
            self._infos = {info.name: info for info in self._tar.getmembers()}
        except FileNotFoundError:
            raise BackupDamaged(f"there is no file {path}") from None
        except (tarfile.TarError, EOFError) as error:
            raise BackupDamaged(f"{path} is no backup of Reprise, or not all of it ({error})") from error
        except OSError as error:
            raise BackupDamaged(f"{path} can't be read ({error.strerror})") from error
        try:
            self.manifest = self._manifest()
        except BaseException:
            self._tar.close()
            raise

    def close(self) -> None:
        self._tar.close()

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def spool(self) -> Iterable[str]:
        """The names of what the spool held."""
        return [name for name in self._infos if name.startswith("spool/")]

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of one file."""
        file = self._tar.extractfile(self._infos[name])
        assert file is not None
        try:
            while chunk := file.read(_CHUNK):
                yield chunk
        except (tarfile.TarError, EOFError) as error:
            raise BackupDamaged(f"{self.path} ends in the middle of {name}") from error

    def check(self) -> None:
        """Read all of it, and hold it against its checksums."""
        wanted = {name: member.sha256 for name, member in self.manifest.members.items()}
        lines = self._text(SUMS).decode(errors="replace").splitlines()
        sums = {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}
        wanted[MANIFEST] = sums.get(MANIFEST, "")
        if sums != wanted or self._infos.keys() - {SUMS} != wanted.keys():
            raise BackupDamaged(f"{self.path} doesn't hold the files that its manifest names")
        for name, sha256 in wanted.items():
            digest = hashlib.sha256()
            for chunk in self.chunks(name):
                digest.update(chunk)
            if digest.hexdigest() != sha256:
                raise BackupDamaged(f"{self.path} is damaged: {name} isn't what was written. Take another backup")

    def identity(self) -> str:
        """What tells this backup from every other: the checksum of its checksums."""
        return hashlib.sha256(self._text(SUMS)).hexdigest()

    def _text(self, name: str) -> bytes:
        if name not in self._infos:
            raise BackupDamaged(f"{self.path} is no whole backup: {name} is missing. Take another one")
        return b"".join(self.chunks(name))

    def _manifest(self) -> Manifest:
        try:
            told: dict[str, Any] = msgspec.json.decode(self._text(MANIFEST), type=dict)
            if told.get("format") != FORMAT:
                raise BackupDamaged(f"{self.path} is of another form ({told.get('format')}): use a newer Reprise")
            return msgspec.convert(told, Manifest)
        except msgspec.MsgspecError as error:
            raise BackupDamaged(f"{self.path} has an unreadable manifest ({error})") from error
