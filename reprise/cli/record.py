"""`reprise record`: a session with Lidarr or slskd for a bug report, without secrets and names."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from reprise.cli.database import finish
from reprise.cli.outcome import FAILED
from reprise.cli.service import log_to_stderr
from shared.config import Config, load_config

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from reprise.recording.session import Session, Summary

_PORT = 7374
_PATIENCE_S = 30
_VARIABLE = {"lidarr": "LIDARR_URL", "slskd": "SLSKD_URL"}


@click.command()
@click.argument("peer", type=click.Choice(["lidarr", "slskd"]))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--to",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to make; compressed if its name ends in .gz.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="Where to listen; 0: any free port."
)
@click.option(
    "--reprise", "reprise_url", help="Where webhooks are passed on to (default: the receiver on this machine)."
)
@click.option("--keep-names", is_flag=True, help="Keep the names of artists, albums, tracks, folders and files.")
def record(
    *,
    peer: Literal["lidarr", "slskd"],
    command: tuple[str, ...],
    to: Path,
    port: int,
    reprise_url: str | None,
    keep_names: bool,
) -> int:
    """Record a session with Lidarr or slskd, for a bug report.

    Stands between Reprise and the peer until Ctrl-C, passes everything on, and keeps it without secrets and names.
    Reprise must call it in the peer's place; a COMMAND after -- is started so: reprise record lidarr --to bug.jsonl.gz
    -- reprise up
    """
    from reprise.recording.session import Session

    if command:
        if command[0] == "reprise":  # this one, which may not be on the path
            program = [sys.executable, "-m", "reprise"]
        elif found := shutil.which(command[0]):
            program = [found]
        else:
            raise click.UsageError(f"there is no command {command[0]}; give its path")
        command = (*program, *command[1:])
    config = load_config(os.environ)
    log_to_stderr(config, "record")
    session = Session(
        peer=peer,
        to=to,
        port=port,
        reprise_url=reprise_url or f"http://127.0.0.1:{config.port}",
        keep_names=keep_names,
    )
    return finish(_record(session, config, command))


async def _record(session: Session, config: Config, command: tuple[str, ...]) -> int:
    import asyncio
    import signal
    from functools import partial

    from reprise.recording.session import record as run

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    say = partial(click.echo, err=True)

    async def during(url: str) -> None:
        for line in _begins(session, url, alone=not command):
            say(line)
        await (_run(session, command, url, stop) if command else stop.wait())

    return _tell(await run(session, config, during=during, say=say))


async def _run(session: Session, command: tuple[str, ...], url: str, stop: asyncio.Event) -> None:
    """The command with the recorder in the peer's place, until it ends or is to end."""
    import asyncio
    import signal
    from datetime import timedelta

    from reprise.standalone.process import spawn

    variable = _VARIABLE[session.peer]
    environment = {name: value for name, value in os.environ.items() if name != f"{variable}_FILE"}
    child = spawn(command[0], command, env=environment | {variable: url})
    stopping, ending = asyncio.ensure_future(stop.wait()), asyncio.ensure_future(child.wait())
    try:
        await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        patience = timedelta(seconds=_PATIENCE_S)
        await child.stop((signal.SIGINT, patience), (signal.SIGTERM, patience), (signal.SIGKILL, None))
        await ending


def _begins(session: Session, url: str, *, alone: bool) -> Iterator[str]:
    peer, variable = session.peer, _VARIABLE[session.peer]
    yield f"Recording {peer}, until Ctrl-C."
    if alone:
        yield f"Put {url} in the place of {peer}'s address: start Reprise anew with"
        yield ""
        yield f"  {variable}={url}"
        yield ""
    yield f"If {peer} runs on this machine, let it send its webhooks here meanwhile, so that they are recorded, too:"
    yield ""
    yield f"  {url}/webhooks/{peer}"
    yield ""


def _tell(summary: Summary) -> int:
    if not summary.calls + summary.webhooks:
        click.echo("Nothing was recorded: nobody called. There is no file.", err=True)
        return FAILED
    tally, path = summary.tally, summary.path
    size = f"{summary.size_bytes / 1024:.0f} KiB"
    click.echo(f"Kept {summary.calls} calls and {summary.webhooks} webhooks in {path} ({size}; only you may read it).")
    click.echo(
        f"Scrubbed: {tally.secrets} places with secrets; {len(tally.names)} words of names, {len(tally.people)} users,"
        f" {len(tally.hosts)} hosts, {len(tally.ids)} ids, each by the same pseudonym throughout."
    )
    if summary.withheld:
        click.echo(f"Of {summary.withheld} more nothing is kept, lest it tell a secret.")
    reader = "zless" if path.suffix == ".gz" else "less"
    click.echo(f"Look at it before you send it: {reader} {path}")
    return 0
