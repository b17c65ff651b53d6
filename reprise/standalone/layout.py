"""What lies where in the data directory, and with which modes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reprise.standalone.account import Account, can_reach, own, server_account
from reprise.standalone.problems import CannotStart

# sun_path holds 108 bytes on Linux and 104 on macOS, with the final NUL (unix(7))
_LONGEST_SOCKET_PATH = 103
_LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")
_LONGEST_OUTSIDE = len("/reprise-4294967295-0123456789abcdef") + _LONGEST_SOCKET_NAME


@dataclass(frozen=True, slots=True)
class Layout:
    """A data directory that is ready for use. All paths are absolute."""

    data_dir: Path
    account: Account | None
    sockets: Path
    cluster: str = "postgres"

    @property
    def postgres(self) -> Path:
        return self.data_dir / self.cluster

    @property
    def valkey(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def secrets(self) -> Path:
        return self.data_dir / "secrets"

    @property
    def run(self) -> Path:
        return self.data_dir / "run"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    def write_pid(self, name: str, pid: int) -> None:
        """Put `pid` into run/{name}.pid, whole or not at all."""
        partial = self.run / f".{name}.pid"
        partial.write_text(f"{pid}\n")
        partial.replace(self.run / f"{name}.pid")

    def read_pid(self, name: str) -> int | None:
        """The number in run/{name}.pid; the process may be long gone."""
        try:
            return int((self.run / f"{name}.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def forget_pid(self, name: str) -> None:
        (self.run / f"{name}.pid").unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove the socket folder, if it's one outside and nothing is in it any more."""
        if self.sockets.parent != self.data_dir:
            with contextlib.suppress(OSError):  # not empty, or gone
                self.sockets.rmdir()

    def kept_secret(self, name: str) -> str:
        """A secret of its own file, mode 0600 in secrets/; made at the first call."""
        path = self.secrets / name
        try:
            return path.read_text().strip()
        except FileNotFoundError:
            value = secrets.token_hex(24)
        partial = self.secrets / f".{name}.{secrets.token_hex(8)}"  # threads of one process ask at once, too
        write_private(partial, value)
        try:
            os.link(partial, path)  # fails if somebody else made it meanwhile, so that there is only ever one
        except FileExistsError:
            return path.read_text().strip()
        finally:
            partial.unlink()
        return value


def prepare(data_dir: Path) -> Layout:
    """Make what is missing in `data_dir`. Changes no mode or owner above it."""
    data_dir = data_dir.expanduser().absolute()
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        # the servers' user must pass through, but has no business to list it
        data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
        for name in ("secrets", "run", "logs"):
            (data_dir / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"the data directory {data_dir} can't be used ({error.strerror}). "
            "Set REPRISE_DATA_DIR to a folder that this user may write"
        ) from error
    if not os.access(data_dir / "secrets", os.R_OK | os.W_OK | os.X_OK):
        raise CannotStart(
            f"the data directory {data_dir} belongs to another user. Run `reprise up` as that user, "
            "or set REPRISE_DATA_DIR to a folder of your own"
        )
    account = server_account(data_dir / "postgres")
    return Layout(data_dir, account, _socket_dir(data_dir, account))


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Create `path` with `text`, readable by its owner alone. Raises FileExistsError if it's there."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as file:
        os.fchmod(fd, 0o600)
        if account is not None:
            os.fchown(fd, account.uid, account.gid)
        file.write(text)
        file.flush()
        os.fsync(fd)


def _socket_dir(data_dir: Path, account: Account | None) -> Path:
    """A private folder for the sockets: in the data directory if that works, else under the temporary one."""
    inside = data_dir / "sockets"
    short = len(os.fsencode(inside)) + _LONGEST_SOCKET_NAME <= _LONGEST_SOCKET_PATH
    if short and can_reach(data_dir, account):
        inside.mkdir(mode=0o700, exist_ok=True)
        own(inside, account, mode=0o700)
        if _holds_sockets(inside):
            return inside
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    base = next((p for p in _temporary() if p.is_dir() and can_reach(p, account)), None)
    if base is None:
        raise CannotStart("no temporary folder is open to the servers' user. Set TMPDIR to one that is")
    outside = base / f"reprise-{os.geteuid()}-{digest}"
    outside.mkdir(mode=0o700, exist_ok=True)
    found = outside.lstat()
    owners = {os.geteuid(), account.uid if account else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o077:
        raise CannotStart(
            f"{outside} should be a private folder for sockets, but belongs to somebody else or is open "
            "to others. Remove it, or set TMPDIR or REPRISE_DATA_DIR to another place"
        )
    own(outside, account, mode=0o700)
    return outside


def _temporary() -> list[Path]:
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - checked before use
    return [p for p in places if len(os.fsencode(p)) + _LONGEST_OUTSIDE <= _LONGEST_SOCKET_PATH]


def _holds_sockets(folder: Path) -> bool:
    """Whether the file system of `folder` takes sockets; some shared folders of virtual machines don't."""
    probe = folder / ".probe"
    with socket.socket(socket.AF_UNIX) as attempt:
        try:
            probe.unlink(missing_ok=True)
            attempt.bind(str(probe))
        except OSError:
            return False
        probe.unlink()
        return True
