"""A show that sees another camera while it goes on, and the cameras as a page lists them."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.control.access import TOKEN_VARIABLE
from realtime_nst.control.places import Place
from realtime_nst.errors import SourceError
from realtime_nst.frames import Frame
from realtime_nst.inputs.cameras import fitted
from realtime_nst.inputs.devices import Device
from realtime_nst.inputs.sources import PatternSource, open_source
from realtime_nst.inputs.switching import SwitchableSource
from realtime_nst.inputs.trying import CameraReport
from realtime_nst.live.doctor import Finding
from realtime_nst.pipeline.stage import Stage
from realtime_nst.style.book import StyleBook
from tests.conftest import Plain, wait_until
from tests.test_http import TOKEN, Hall

pytest.importorskip("cv2", exc_type=ImportError, reason="OpenCV does not load here")


def test_frames_of_another_camera_follow_in_the_size_of_the_first() -> None:
    cameras = {"b": Plain(200, 32, 12)}
    first = Plain(100)
    source = SwitchableSource("a", first, cameras.__getitem__)
    with Stage(source, keep="latest", name="capture") as stage:
        before = stage.get(10.0)
        assert before is not None and before.image.shape == (12, 16, 3) and before.image.max() == before.image.min() == 100
        source.switch("b")
        assert first.closed.is_set() and source.camera == "b"
        seen: list[Frame] = []

        def arrived() -> bool:
            frame = stage.get(1.0)
            seen.extend([frame] if frame is not None else [])
            return bool(seen) and int(seen[-1].image[6, 8, 0]) == 200

        assert wait_until(arrived)
        image = seen[-1].image
        assert image.shape == (12, 16, 3) and not image[:2].any() and not image[-2:].any(), "bars above and below"
        assert [frame.index for frame in seen] == sorted({frame.index for frame in seen}) and seen[0].index > before.index
        source.close()
    assert cameras["b"].closed.is_set()


def test_a_camera_that_hangs_is_left_and_one_that_does_not_open_changes_nothing() -> None:
    def refuse(camera: str) -> Plain:
        if camera == "b":
            return Plain(200)
        raise SourceError("It did not open.")

    source = SwitchableSource("a", Plain(100, hangs=True), refuse)
    said: list[str] = []
    source.tell = said.append
    with Stage(source, keep="latest", name="capture") as stage:
        assert stage.get(10.0) is not None
        with pytest.raises(SourceError, match="did not open"):
            source.switch("c")
        assert source.camera == "a" and not stage.finished
        source.switch("b")
        assert wait_until(lambda: (frame := stage.get(1.0)) is not None and int(frame.image[0, 0, 0]) == 200)
        source.switch("b")  # it is there already
        source.tell("it stands still")
        assert said == ["it stands still"]
        source.close()
        assert wait_until(lambda: stage.get(0.01) is None and stage.finished)


def test_switching_after_the_end_opens_nothing_for_good() -> None:
    other = Plain(200)
    source = SwitchableSource("a", Plain(100), lambda camera: other)
    source.close()
    source.switch("b")
    assert other.closed.is_set() and not list(source)


def test_pictures_are_fitted_with_bars() -> None:
    image = np.full((10, 40, 3), 90, np.uint8)
    assert fitted(image, 40, 10) is image
    small = fitted(image, 20, 20)
    assert small.shape == (20, 20, 3) and (small[8:12] == 90).all() and not small[:6].any()


class CameraHall(Hall):
    """A served show that sees a camera."""

    def __init__(self, book: StyleBook, source: SwitchableSource, host: str = "127.0.0.1") -> None:
        self.source = source
        self.photo: np.ndarray | None = None
        findings = [Finding("GPU", "bad", "none in /proc/driver", "`pip install x`"), Finding("styles", "ok", "3")]
        super().__init__(book, Place(host, 0), source=source, photo=lambda: self.photo, examine=lambda: findings)

    def switch(self, camera: Any, **headers: str) -> tuple[int, Any]:
        return self.ask("/api/camera", "POST", json.dumps({"camera": camera}).encode(), **headers)


@pytest.fixture
def make_hall(book: StyleBook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., CameraHall]]:
    devices = [Device(0, "Front"), Device(1, "Locked")]
    reports = {
        0: CameraReport(devices[0], 64, 48, 30.0, np.full((48, 64, 3), 120, np.uint8)),
        1: CameraReport(devices[1], problem="Camera 1 is in use by zoom. See /dev/video1."),
    }
    monkeypatch.setattr("realtime_nst.control.cameras.all_cameras", lambda: devices)
    monkeypatch.setattr("realtime_nst.control.cameras.try_camera", lambda device, seconds: reports[device.place])
    halls: list[CameraHall] = []

    def make(camera: str = "pattern", host: str = "127.0.0.1") -> CameraHall:
        source = SwitchableSource(camera, PatternSource(64, 48), lambda camera: open_source(camera, (64, 48)))
        halls.append(CameraHall(book, source, host))
        return halls[-1]

    yield make
    for hall in halls:
        hall.close()
        hall.source.close()


def test_cameras_are_listed_by_name_with_a_still_of_each(make_hall: Callable[..., CameraHall]) -> None:
    hall = make_hall()
    status, found = hall.ask("/api/cameras")
    names = [("0", "Front"), ("1", "Locked"), ("pattern", "Test picture")]
    assert status == 200 and [(row["camera"], row["name"]) for row in found["cameras"]] == names
    assert found["now"] == "pattern" and found["others"] is True
    status, headers, data = hall.fetch("/api/cameras/0/still.jpg")
    assert status == 200 and headers["Content-Type"] == "image/jpeg" and data[:2] == b"\xff\xd8"
    assert hall.ask("/api/cameras/1/still.jpg") == (400, {"error": "Camera 1 is in use by zoom. See ..."})
    assert hall.ask("/api/cameras/7/still.jpg")[0] == 400
    assert hall.ask("/api/cameras/pattern/still.jpg") == (400, {"error": "The show has no picture yet."})
    hall.photo = np.zeros((48, 64, 3), np.uint8)
    assert hall.fetch("/api/cameras/pattern/still.jpg")[0] == 200, "what the show sees is not opened twice"


def test_a_film_becomes_the_camera_and_its_folder_is_not_told(make_hall: Callable[..., CameraHall], talkie: Path) -> None:
    hall = make_hall()
    with Stage(hall.source, keep="latest", name="capture") as stage:
        assert stage.get(10.0) is not None
        status, found = hall.switch(str(talkie))
        assert status == 200 and found["cameras"][0] == {"camera": "now", "name": "talkie.mp4"} and found["now"] == "now"
        assert str(talkie.parent) not in json.dumps(found)
        begun = time.monotonic()
        assert wait_until(lambda: (frame := stage.get(1.0)) is not None and frame.captured_at > begun)
        status, said = hall.switch("/nowhere/film.mp4")
        assert status == 400 and "/nowhere" not in said["error"] and hall.source.camera == str(talkie)
        hall.source.close()


def test_the_password_of_a_camera_s_address_is_not_told(make_hall: Callable[..., CameraHall]) -> None:
    hall = make_hall("rtsp://me:secret@cam.example/1?key=hidden")
    for path in ("/api/cameras", "/api/state"):
        assert not [word for word in ("secret", "hidden", "me:") if word in json.dumps(hall.ask(path))]
    assert hall.ask("/api/cameras")[1]["cameras"][0]["name"] == "rtsp://...@cam.example/1?..."


def test_from_other_machines_neither_files_nor_addresses_can_be_named(
    make_hall: Callable[..., CameraHall], talkie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    hall = make_hall(host="0.0.0.0")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert hall.ask("/api/cameras")[0] == 401 and hall.ask("/api/cameras", **bearer)[1]["others"] is False
    for camera in (str(talkie), "http://127.0.0.1:1/x", "/etc/passwd"):
        status, said = hall.switch(camera, **bearer)
        assert status == 403 and said == {"error": "From other machines only the cameras of the list can be chosen."}
    assert hall.switch("pattern", **bearer)[0] == 200


@pytest.mark.parametrize("camera", [None, 0, "", "x" * 3000, "a\nb", ["0"]])
def test_what_names_no_camera_is_refused(make_hall: Callable[..., CameraHall], camera: Any) -> None:
    hall = make_hall()
    assert hall.switch(camera) == (400, {"error": 'Name a camera, as in {"camera": "0"}.'})


def test_what_is_missing_is_told_with_its_cure(make_hall: Callable[..., CameraHall]) -> None:
    status, findings = make_hall().ask("/api/doctor")
    assert status == 200 and findings[0] == {"name": "GPU", "state": "bad", "words": "none in ...", "cure": "`pip install x`"}
    assert len(findings) == 2


def test_a_show_without_a_camera_that_changes_has_no_list(book: StyleBook) -> None:
    hall = Hall(book, Place("127.0.0.1", 0))
    try:
        assert hall.ask("/api/cameras")[0] == 404
    finally:
        hall.close()
