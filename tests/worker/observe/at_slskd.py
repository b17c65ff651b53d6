"""A simulated slskd that has been asked for an album, and goes on by steps."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from msgspec.structs import replace

from reprise.simulator import SlskdSimulator
from tests.worker.observe.scene import Scene, files
from worker.effects.effect import Tools
from worker.observe.slskd import observe_slskd

USER = "ann"
FOLDER = "@@ann\\Music\\Example Ensemble\\First Light"
NAMES = ["01 Track 1.flac", "02 Track 2.flac", "03 Track 3.flac"]


@dataclass
class SlskdScene(Scene):
    """A scene with a slskd, and ann who shares an album."""

    tools: Tools
    simulator: SlskdSimulator

    def __post_init__(self) -> None:
        super().__init__(self.tools, observe_slskd)
        self.simulator.control(pace="manual", peer={"username": USER, "folders": [{"path": FOLDER}]})

    async def enqueued(self, outcome: str = "succeed", *, steps: int = 0, **of_files: str) -> UUID:
        """An attempt whose files slskd has been asked for, so many steps ago; answers the acquisition."""
        plan = {"username": USER, "folder": FOLDER, "attempts": [outcome]}
        self.simulator.control(plan=plan | {"files": {NAMES[int(one[1:])]: how for one, how in of_files.items()}})
        batch, wanted = uuid4(), files(FOLDER, NAMES)
        acquisition = await self.acquisition()
        await self.attempt(
            acquisition,
            source="soulseek",
            state="downloading",
            download_id=str(batch),
            peer=USER,
            folder=FOLDER,
            files=wanted,
        )
        slskd = self.tools.need_slskd()
        enqueued = await slskd.enqueue(USER, [(one.filename, one.size_bytes) for one in wanted], batch_id=batch)
        assert enqueued.complete
        await self.step(steps)
        return acquisition

    async def step(self, count: int = 1) -> None:
        """Let the simulated slskd go on with every file."""
        self.simulator.control(advance=count * len(NAMES))
        await self.simulator.quiet()

    async def arrived(self, acquisition: UUID, count: int) -> None:
        """The fold has taken in the events of the first files."""
        wanted = [replace(one, local="/x") if place < count else one for place, one in enumerate(files(FOLDER, NAMES))]
        await self.pool.execute("UPDATE attempts SET files = $2 WHERE acquisition_id = $1", acquisition, wanted)
