"""What an adoption found and did, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counted:
    """Rows of one kind: there, of them added here (or, in a dry run, would be), here already, and left behind."""

    there: int = 0
    added: int = 0
    here_already: int = 0
    left_behind: int = 0

    def line(self, *, dry_run: bool) -> str:
        """In one line, for people."""
        verb = "would be added" if dry_run else "added"
        behind = f", {self.left_behind} left behind" if self.left_behind else ""
        return f"{self.there} there: {self.added} {verb}, {self.here_already} here already{behind}"


@dataclass(slots=True)
class SettingReport:
    """One setting of theirs. Secrets are described, never shown."""

    theirs: str
    ours: str | None
    value: str
    verdict: str

    @property
    def line(self) -> str:
        """In one line, for people."""
        match self.verdict:
            case "environment":
                return f"{self.theirs} = {self.value}: give it to Reprise as {self.ours}"
            case "no counterpart":
                return f"{self.theirs} = {self.value}: nothing here corresponds to it"
            case verdict:
                return f"{self.theirs} = {self.value}: {verdict} ({self.ours})"


@dataclass(slots=True)
class AdoptionReport:
    """Everything there is to say about one run."""

    schema: str
    dry_run: bool
    history: str
    missing: list[str] = field(default_factory=list)
    batches: Counted = field(default_factory=Counted)
    jobs: Counted = field(default_factory=Counted)
    events: Counted = field(default_factory=Counted)
    job_statuses: dict[str, int] = field(default_factory=dict)
    event_states: dict[str, int] = field(default_factory=dict)
    active_there: int = 0
    resumed: int = 0
    settings: list[SettingReport] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    def lines(self, *, resume: bool) -> Iterator[str]:
        """The report for people."""
        yield f"schema {self.schema}; their record of migrations: {self.history}"
        if self.missing:
            yield f"columns that aren't there, and are done without: {', '.join(self.missing)}"
        yield f"batches  {self.batches.line(dry_run=self.dry_run)}"
        yield f"jobs     {self.jobs.line(dry_run=self.dry_run)}{_split(self.job_statuses)}"
        yield f"events   {self.events.line(dry_run=self.dry_run)}{_split(self.event_states)}"
        if self.active_there:
            yield f"active   {self._active_line(resume=resume)}"
        for setting in self.settings:
            yield f"setting  {setting.line}"
        for loss in self.losses:
            yield f"note     {loss}"
        if self.dry_run:
            yield "Nothing was written: this was a dry run."

    def _active_line(self, *, resume: bool) -> str:
        if resume:
            verb = "would be opened again" if self.dry_run else "opened again"
            return f"{self.active_there} jobs were active there: {self.resumed} {verb}"
        return f"{self.active_there} jobs were active there: they arrive cancelled; --resume opens them again"


def _split(counts: dict[str, int]) -> str:
    return f" ({', '.join(f'{count} {name}' for name, count in sorted(counts.items()))})" if counts else ""
