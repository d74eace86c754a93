"""The time that a benchmark burns into frames, and reads from painted pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.studio import HEIGHT, WIDTH, ClockSource, age_of, burn
from realtime_nst.media.jpeg import jpeg


@pytest.mark.parametrize("moment", [0.0, 12.345, 65.535, 65.536, 98_765.432])
def test_a_time_is_read_back_from_half_painted_frames(moment: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    frame = noise.copy()
    burn(frame, moment)
    painted = (0.5 * frame + 0.5 * noise[::-1]).astype(np.uint8)
    for picture in (frame, painted):
        assert age_of(jpeg(picture), moment + 0.25) == pytest.approx(250, abs=1.1)


def test_a_picture_without_a_time_has_none() -> None:
    file = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90)).save(file, "JPEG")
    assert age_of(file.getvalue(), 1.0) is None


def test_frames_of_the_camera_tell_when_they_were_captured() -> None:
    source = ClockSource(WIDTH, HEIGHT)
    frame = next(iter(source))
    source.close()
    assert age_of(jpeg(frame.image), frame.captured_at + 0.1) == pytest.approx(100, abs=1.1)
