"""Pieces of paintings: a function of seed and step, in many forms, and without what cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.errors import TrainingError
from realtime_nst.train.collection import PaintingBatches, recoloured

pytestmark = pytest.mark.once


@pytest.fixture
def paintings(tmp_path: Path) -> list[Path]:
    """Four paintings of one colour each, of different sizes."""
    files = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(files):
        Image.new("RGB", (40 + 10 * number, 50), (60 * number, 100, 30)).save(path)
    return files


def test_batch_depends_on_seed_and_step_alone(paintings: list[Path]) -> None:
    forward, backward = (PaintingBatches(paintings, batch=2, size=16, seed=5, often=[3]) for _ in range(2))
    batches = [forward(step) for step in range(6)]
    assert all(batch.shape == (2, 16, 16, 3) and batch.dtype == np.float32 for batch in batches)
    assert all(batch.min() >= 0 and batch.max() <= 255 for batch in batches)
    for step in (5, 0, 3, 3, 1):
        assert np.array_equal(backward(step), batches[step])
    other = PaintingBatches(paintings, batch=2, size=16, seed=6, often=[3])
    assert any(not np.array_equal(other(step), batches[step]) for step in range(6))


def test_pieces_are_whole_mixed_or_in_other_colours(paintings: list[Path]) -> None:
    batches = PaintingBatches(paintings, batch=4, size=16)
    pieces = np.concatenate([batches(step) for step in range(60)])
    known = [(60 * number, 100, 30) for number in range(4)]
    flat = [len(np.unique(np.rint(piece).reshape(-1, 3), axis=0)) == 1 for piece in pieces]
    as_they_are = [one and tuple(np.rint(piece[0, 0]).astype(int)) in known for one, piece in zip(flat, pieces)]
    assert 0.8 < np.mean(flat) < 0.95, "about one in seven is two paintings side by side, which may be the same one"
    assert 0.45 < np.mean(as_they_are) < 0.75, "a third has other colours"
    grey = (np.ptp(pieces, axis=-1) < 1e-3).all(axis=(1, 2))
    assert 0.03 < np.mean(grey) < 0.15, "about one in twelve has none"
    light = np.array([[red, green, blue] for red, green, blue in known]) @ (0.299, 0.587, 0.114)
    assert any(np.abs(light - piece[0, 0, 0]).min() < 0.01 for piece in pieces[grey]), "as light as it was"


def test_some_come_up_in_every_second_batch(paintings: list[Path]) -> None:
    batches = PaintingBatches(paintings, batch=2, size=16, often=[3])
    for step in range(1, 20, 2):
        assert np.array_equal(np.rint(batches(step)[0, 0, 0]), [180, 100, 30])


def test_damaged_painting_is_told_once_and_the_next_one_taken(paintings: list[Path], caplog: pytest.LogCaptureFixture) -> None:
    paintings[1].write_bytes(b"no painting")
    batches = PaintingBatches(paintings, batch=4, size=16)
    pieces = np.concatenate([batches(step) for step in range(8)])
    assert np.isfinite(pieces).all()
    (message,) = caplog.messages
    assert message.startswith(f"Painting '{paintings[1]}' was skipped: it ")


def test_folder_without_one_readable_painting_is_an_error(paintings: list[Path]) -> None:
    for path in paintings:
        path.write_bytes(b"no painting")
    with pytest.raises(TrainingError, match="None of the 4 paintings could be decoded. Check the folder of --collection"):
        PaintingBatches(paintings, batch=1, size=16)(0)


def test_other_colours_keep_the_drawing() -> None:
    rng = np.random.default_rng(0)
    piece = np.sort(rng.uniform(0, 255, (64, 1, 3)), axis=0).astype(np.float32)
    for seed in range(10):
        other = recoloured(piece, np.random.default_rng(seed))
        assert other.dtype == np.float32 and other.min() >= 0 and other.max() <= 255
        assert (np.diff(other, axis=0) >= -1e-3).all(), "what was darker stays darker"
        assert not np.allclose(other, piece, atol=1)
