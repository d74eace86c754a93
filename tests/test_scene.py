"""The scene on which style encoders try their vectors."""

import numpy as np

from realtime_nst.style.scene import SIDE, scene


def test_scene_is_the_same_always_and_cannot_be_changed() -> None:
    first = scene()
    places = np.array([[121, 125, 119, 57], [248, 101, 25, 182], [136, 147, 250, 125], [206, 155, 65, 210]])
    assert np.abs(first[32::64, 32::64].mean(-1) - places).max() < 1, "encoders have learned on this one"
    assert abs(first.mean() - 154.208) < 0.01 and not first.flags.writeable
    assert first.shape == (SIDE, SIDE, 3) and first.dtype == np.float32 and 0 <= first.min() < 30 and 225 < first.max() <= 255


def test_scene_is_like_a_photo() -> None:
    """Covered all over, of all lights and of dull colours, with plain places and edges."""
    picture = scene()
    assert (picture == 128).all(-1).mean() < 0.01
    grey = picture.mean(-1)
    assert 45 < grey.std() < 70 and 100 < grey.mean() < 170
    assert np.abs(picture - grey[..., None]).mean() < 12
    steps = np.abs(np.diff(grey, axis=1))
    assert np.median(steps) < 2 and 0.03 < (steps > 25).mean() < 0.2
    spectrum = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    power = [spectrum[:, k].mean() for k in (4, 8, 16, 32)]
    slopes = np.diff(np.log2(power))
    assert (slopes < -0.7).all() and -2.5 < slopes.mean() < -1.0, "it falls with frequency, as that of photos"
