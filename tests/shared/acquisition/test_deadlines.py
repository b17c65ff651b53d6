"""What takes too long ends, at its peer first, and blames the candidate only where it is to blame."""

from __future__ import annotations

import pytest

from shared.acquisition.commands import AbandonDownload, DropTransfers, SearchAlbum, SearchSoulseek
from shared.acquisition.findings import DownloadVanished, Phase
from shared.acquisition.model import State
from tests.shared.acquisition import at_soulseek, casting
from tests.shared.acquisition.at_soulseek import deadline, downloading, import_blocked, import_started, importing
from tests.shared.acquisition.casting import Story, asked, checked, grab, imported, watched

PHASES: dict[Phase, tuple[str, ...]] = {
    "no_source": ("searching",),
    "materialise": ("downloading",),
    "remote_queue": ("downloading",),
    "no_bytes": ("downloading",),
    "import": ("downloading", "importing"),
    "absolute": ("searching", "downloading", "importing"),
}


@pytest.mark.parametrize("casting_", [at_soulseek, casting], ids=["at Soulseek", "at Lidarr"])
@pytest.mark.parametrize("stage", ["searching", "downloading", "importing"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_deadline_ends_the_phase_that_it_is_of_and_no_other(phase: Phase, stage: str, casting_: object) -> None:
    story: Story = getattr(casting_, stage)()
    outcome = story.tell(deadline(story, phase))
    if stage not in PHASES[phase]:
        assert (outcome.applied, outcome.reason) == (False, "already_further")
        return
    assert story.states == ["failed", "searching"]
    assert story.now.attempts[0].reason == f"deadline_{phase}: nothing moved for 900 s"
    if stage == "searching":
        assert not story.commands(AbandonDownload) + story.commands(DropTransfers), "there is nothing to leave"
    elif casting_ is casting:
        assert [order.blocklist for order in story.commands(AbandonDownload)] == [True]
    else:
        assert [order.attempt for order in story.commands(DropTransfers)] == [1]


def test_it_speaks_of_one_attempt_and_never_of_the_next() -> None:
    story = downloading()
    story.tell(deadline(story, "no_bytes"))
    assert story.tell(deadline(story, "absolute", attempt=1)).reason == "already_further"
    assert story.states == ["failed", "searching"]


def test_an_album_that_nobody_takes_up_has_failed() -> None:
    story = asked()
    story.tell(deadline(story, "pending"))
    assert story.now.state is State.FAILED
    assert str(story.now.reason).startswith("deadline_pending")
    assert not story.now.budget_spent


def test_but_not_one_that_waits_for_a_source_or_is_under_way() -> None:
    story = asked(lidarr=False)
    assert story.tell(deadline(story, "pending")).reason == "no_source_configured"
    story = downloading()
    assert story.tell(deadline(story, "pending")).reason == "already_under_way"


def test_what_keeps_lidarr_from_importing_is_not_the_candidates_fault() -> None:
    """Lidarr doesn't see the folder: the next candidate would lie in the same place, and nothing more is fetched."""
    story = importing()
    story.tell(import_blocked(story), deadline(story, "import"))
    assert (story.now.state, story.states) == (State.FAILED, ["abandoned"])
    assert story.now.reason == "deadline_import: nothing moved for 900 s. Lidarr doesn't see /downloads/1"
    assert not story.now.budget_spent
    assert [order.attempt for order in story.commands(DropTransfers)] == [1]


def test_once_lidarr_imports_it_is_the_candidates_fault_again() -> None:
    story = importing()
    story.tell(import_blocked(story), import_started(story), deadline(story, "import"))
    assert story.states == ["failed", "searching"]


def test_whatever_else_is_noted_meanwhile_excuses_no_candidate() -> None:
    """Half an import, or a look that failed, leaves a reason with the album; the import isn't blocked for that."""
    story = importing()
    story.tell(import_started(story), imported(None), checked(story, 5))
    assert str(story.now.reason).startswith("partial")
    story.tell(deadline(story, "import"))
    assert story.states == ["failed", "searching"]


def test_a_blocked_import_ends_alone_while_lidarr_downloads_by_itself() -> None:
    story = importing()
    story.tell(grab("D2"), import_blocked(story, 1), deadline(story, "import", attempt=1))
    assert (story.now.state, story.states) == (State.DOWNLOADING, ["abandoned", "downloading"])
    assert not story.commands(AbandonDownload)


def test_a_watched_album_has_all_the_time_it_wants() -> None:
    story = watched()
    assert story.tell(deadline(story, "absolute")).reason == "only_watched"
    vanished = DownloadVanished(acquisition_id=story.now.id, attempt=1, readings=3)
    assert story.tell(vanished).reason == "attempt_is_over"
    assert story.states == ["downloading"]


def test_a_download_that_vanished_from_lidarrs_queue_has_failed() -> None:
    story = casting.downloading(slskd=True)
    story.tell(DownloadVanished(acquisition_id=story.now.id, attempt=1, readings=3))
    assert story.states == ["failed", "searching"]
    assert not story.commands(AbandonDownload), "there is nothing left to abandon"
    assert len(story.commands(SearchAlbum)) + len(story.commands(SearchSoulseek)) == 2
