"""Photos and films that are sent to a show, painted beside it by processes of their own, and fetched again."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from realtime_nst.control import uploads
from realtime_nst.control.places import Place
from realtime_nst.control.uploads import plain
from realtime_nst.errors import SinkError
from realtime_nst.jobs import errand, joblist
from realtime_nst.jobs.joblist import JobList
from realtime_nst.media.probing import probe
from realtime_nst.style.book import StyleBook
from tests.conftest import JOBS_IN_TIME, ffmpeg_children, frames_of, pictured_book, wait_until
from tests.test_http import Hall

ROOT = Path(__file__).parents[1]
WITH_NICE = pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has no nice values")


class Workshop(Hall):
    """A served show with a list of jobs."""

    def __init__(self, book: StyleBook, weights: Path, folder: Path) -> None:
        self.folder, self.weights = folder, weights
        self.jobs = JobList(folder, ["--weights", str(weights)])
        super().__init__(book, Place("127.0.0.1", 0), jobs=self.jobs)

    def close(self) -> None:
        super().close()
        self.jobs.close()

    def send(self, body: Any, name: str, **query: str) -> tuple[int, Any]:
        """Upload; the row of the job, or the error."""
        words = "&".join(f"{key}={quote(value)}" for key, value in {"name": name, **query}.items())
        return self.ask(f"/api/jobs?{words}", "POST", body)

    def row(self, job: dict[str, Any]) -> dict[str, Any]:
        """How far a job is; not asked over HTTP, which answers only so often."""
        return next(row for row in self.jobs.rows if row["id"] == job["id"])

    def finished(self, job: dict[str, Any]) -> dict[str, Any]:
        """A job, once it is over."""
        assert wait_until(lambda: self.row(job)["state"] in ("done", "failed"))
        return self.row(job)

    def painted(self, job: dict[str, Any], path: Path) -> Path:
        """The painting, fetched into a file."""
        status, _, data = self.fetch(f"/api/jobs/{job['id']}/painted")
        assert status == 200
        path.write_bytes(data)
        return path

    @property
    def kept(self) -> list[str]:
        """What lies in the folder, but for its lock."""
        return sorted(path.name for path in self.folder.iterdir() if path.is_dir())


@pytest.fixture
def workshop_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[StyleBook, Path], Workshop]]:
    """Opens one with some styles."""
    if hasattr(os, "getpriority"):  # a bit behind this test only: other programs may have the processor
        monkeypatch.setattr(errand, "NICE", os.getpriority(os.PRIO_PROCESS, 0) + 1)
    with ExitStack() as opened:

        def make(book: StyleBook, weights: Path) -> Workshop:
            made = Workshop(book, weights, tmp_path / "jobs")
            opened.callback(made.close)
            return made

        yield make


@pytest.fixture
def workshop(book: StyleBook, weights: Path, workshop_of: Callable[[StyleBook, Path], Workshop]) -> Workshop:
    return workshop_of(book, weights)


@pytest.fixture(scope="session")
def long_film(make_clip: Callable[..., Path]) -> Path:
    """Half a minute, three segments and a rest, of which painting takes more than a moment."""
    picture = ("-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=30")
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=30")
    return make_clip("long.mp4", *picture, *sound, "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-shortest")


def photo(path: Path, colour: tuple[int, int, int] = (200, 150, 60)) -> bytes:
    """A photo with something in it."""
    pixels = np.full((48, 64, 3), colour, np.uint8)
    pixels[:, ::2] //= 2
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


def test_a_film_comes_back_painted_with_its_sound(workshop: Workshop, talkie: Path, tmp_path: Path) -> None:
    status, job = workshop.send(talkie.read_bytes(), "Our holiday é.mp4", style="scream")
    assert status == 201 and job["state"] in ("waiting", "painting") and job["kind"] == "video"
    done = workshop.finished(job)
    assert (done["state"], done["name"], done["style"], done["words"]) == ("done", "Our holiday é.mp4", "scream", "")
    status, headers, data = workshop.fetch(f"/api/jobs/{job['id']}/painted")
    assert status == 200 and headers["Content-Type"] == "video/mp4" and len(data) == done["size"]
    assert headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote('Our holiday é - scream.mp4')}"
    painted = workshop.painted(job, tmp_path / "painted.mp4")
    before, after = frames_of(talkie), frames_of(painted)
    assert len(after) == len(before) and np.abs(after[9].astype(int) - before[9]).mean() > 10
    assert "audio" in {track.kind for track in probe(str(painted)).tracks}
    status, headers, picture = workshop.fetch(f"/api/jobs/{job['id']}/preview")
    assert status == 200 and headers["Content-Type"] == "image/jpeg" and picture[:2] == b"\xff\xd8"


def test_a_photo_comes_back_painted_as_the_show_paints_now(workshop: Workshop, tmp_path: Path) -> None:
    data = photo(tmp_path / "a.png")
    workshop.controls.do("style", "mosaic")
    workshop.controls.do("strength", 0.0)
    plainly = workshop.finished(workshop.send(data, "a.png")[1])
    workshop.controls.do("strength", 1.0)
    fully = workshop.finished(workshop.send(data, "a.png")[1])
    pixels = [np.asarray(Image.open(workshop.painted(job, tmp_path / "b.png")).convert("RGB"), int) for job in (plainly, fully)]
    original = np.asarray(Image.open(tmp_path / "a.png"), int)
    assert np.abs(pixels[0] - original).max() <= 1 and np.abs(pixels[1] - original).mean() > 5
    assert [row["id"] for row in workshop.ask("/api/jobs")[1]] == [fully["id"], plainly["id"]], "the newest first"
    assert fully["style"] == "mosaic" and fully["suffix"] == ".png" and fully["preview"]


def test_a_photo_has_as_much_texture_as_is_wished(workshop: Workshop, tmp_path: Path) -> None:
    slope = np.repeat(np.linspace(60, 180, 64)[None, :, None], 48, axis=0).repeat(3, axis=2).round().astype(np.uint8)
    Image.fromarray(slope).save(tmp_path / "slope.png")
    data = (tmp_path / "slope.png").read_bytes()
    jobs = [workshop.finished(workshop.send(data, "slope.png", texture=amount)[1]) for amount in ("0", "1")]
    without, textured = (np.asarray(Image.open(workshop.painted(job, tmp_path / "b.png")), int) for job in jobs)
    assert np.abs(without - textured).mean() > 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"style": "mosiac"}, "Did you mean 'mosaic'?"),
        ({"style": "--weights"}, "No style"),
        ({"strength": "2"}, "is no value of 'strength'"),
        ({"texture": "-1"}, "is no value of 'texture'"),
        ({"stability": "much"}, "is no value of 'stability'"),
        ({"colours": "nan"}, "is no value of 'colours'"),
    ],
)
def test_wrong_wishes_are_said_before_anything_is_kept(
    workshop: Workshop, tmp_path: Path, query: dict[str, str], words: str
) -> None:
    status, said = workshop.send(photo(tmp_path / "a.png"), "a.png", **query)
    assert status == 400 and words in said["error"] and not workshop.kept


def test_a_film_that_cannot_be_painted_says_why_without_a_folder(workshop: Workshop, talkie: Path) -> None:
    row = workshop.finished(workshop.send(talkie.read_bytes()[:900], "broken.mp4")[1])
    assert row["state"] == "failed" and "broken.mp4" in row["words"] and len(row["words"].splitlines()) == 1
    assert str(workshop.folder) not in json.dumps(workshop.ask("/api/jobs")) and "original" not in row["words"]
    assert workshop.fetch(f"/api/jobs/{row['id']}/painted")[0] == 404


def test_a_job_that_is_removed_ends_and_leaves_nothing(workshop: Workshop, long_film: Path) -> None:
    children = set(ffmpeg_children())
    _, job = workshop.send(long_film.read_bytes(), "long.mp4")
    assert wait_until(lambda: workshop.row(job).get("frame", 0) > 1 and workshop.row(job)["preview"] > 0)
    row = workshop.row(job)
    assert row["frames"] == 750 and 0 < row["frame"] < 750 and row["frames_per_second"] > 0 and row["seconds_left"] > 0
    assert workshop.ask(f"/api/jobs/{job['id']}", "DELETE") == (200, [])
    assert wait_until(lambda: set(ffmpeg_children()) <= children), "the process ends"
    assert wait_until(lambda: not workshop.kept)
    assert workshop.ask(f"/api/jobs/{job['id']}", "DELETE")[0] == 404


def test_a_job_that_is_done_is_removed_with_its_files(workshop: Workshop, tmp_path: Path) -> None:
    job = workshop.finished(workshop.send(photo(tmp_path / "a.jpg"), "a.jpg")[1])
    assert workshop.kept == [job["id"]]
    assert workshop.ask(f"/api/jobs/{job['id']}", "DELETE") == (200, []) and not workshop.kept


@WITH_NICE
def test_what_is_painted_beside_a_show_gives_way_to_it(workshop: Workshop, long_film: Path) -> None:
    children = set(ffmpeg_children())
    _, job = workshop.send(long_film.read_bytes(), "long.mp4")
    assert wait_until(lambda: workshop.row(job).get("frame", 0) > 0)
    (process,) = set(ffmpeg_children()) - children
    threads = [int(path.name) for path in Path(f"/proc/{process}/task").iterdir()]
    inside = [int(child) for thread in threads for child in Path(f"/proc/{process}/task/{thread}/children").read_text().split()]
    assert len(inside) >= 2, "a decoder and an encoder"
    assert {os.getpriority(os.PRIO_PROCESS, one) for one in [*threads, *inside]} == {errand.NICE}


# What an upload may be.


def test_files_lie_under_names_of_our_own_and_cannot_be_run(workshop: Workshop, long_film: Path) -> None:
    _, job = workshop.send(long_film.read_bytes(), "../../x;$(touch y) --overwrite.sh.mp4")
    assert job["name"] == "x;$(touch y) --overwrite.sh.mp4"
    assert re.fullmatch("[0-9a-f]{16}", job["id"]) and workshop.kept == [job["id"]]
    names = {path.name for path in (workshop.folder / job["id"]).iterdir()}
    assert "original.mp4" in names and not [name for name in names if "touch" in name or name.endswith("sh.mp4")]
    assert all(not path.stat().st_mode & 0o111 for path in workshop.folder.rglob("*") if path.is_file())
    assert sorted(path.name for path in workshop.folder.parent.iterdir()) == ["jobs"], "nothing beside it"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/etc/passwd", "passwd"),
        (r"C:\films\a.mp4", "a.mp4"),
        ("..", ""),
        ("a\x00\n\u202eb.mp4", "ab.mp4"),
        ("x" * 300 + ".mp4", "x" * 96 + ".mp4"),
        ("", ""),
        ("Grüße 🎬.mov", "Grüße 🎬.mov"),
    ],
)
def test_names_are_shown_without_folders_and_tricks(name: str, shown: str) -> None:
    assert plain(name) == shown


OTHER_KINDS = {
    "text": b"hello\n",
    "empty": b"",
    "program": b"\x7fELF" + b"\x00" * 500,
    "script": b"#!/bin/sh\nrm -rf /\n",
    "web page": b"<!doctype html><script>alert(1)</script>",
    "drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "archive": b"PK\x03\x04" + b"\x00" * 500,
    "list of parts": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n",
    "list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "session": b"v=0\no=- 0 0 IN IP4 127.0.0.1\n",
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
@pytest.mark.parametrize("name", ["film.mp4", "photo.jpg"])
def test_what_is_no_photo_and_no_film_is_refused_whatever_its_name(workshop: Workshop, kind: str, name: str) -> None:
    status, said = workshop.send(OTHER_KINDS[kind], name)
    assert status == 415 and "no photo and no film" in said["error"] and not workshop.kept


def test_what_is_too_large_is_refused_before_it_comes(workshop: Workshop, talkie: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 1000)
    with socket.create_connection(("127.0.0.1", workshop.port)) as client:
        client.settimeout(20)
        client.sendall(b"POST /api/jobs?name=a.mp4 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n")
        assert b" 413 " in client.recv(4096), "without a byte of it"
    assert not workshop.kept and workshop.goes_on()


def test_what_does_not_say_its_size_is_cut_off_when_it_is_too_large(
    workshop: Workshop, talkie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 3 * uploads.PIECE)
    pieces = [talkie.read_bytes(), *[b"\x00" * 65_536] * 60]
    with closing(http.client.HTTPConnection("127.0.0.1", workshop.port, timeout=20)) as connection, suppress(ConnectionError):
        connection.request("POST", "/api/jobs?name=a.mp4", iter(pieces), encode_chunked=True)
        assert connection.getresponse().status == 413
    assert wait_until(lambda: not workshop.kept) and workshop.goes_on()


def test_a_long_file_that_is_nothing_to_paint_is_cut_off_early(workshop: Workshop) -> None:
    sent = 0
    with socket.create_connection(("127.0.0.1", workshop.port)) as client, suppress(ConnectionError):
        client.settimeout(20)
        client.sendall(b"POST /api/jobs?name=a.mp4 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n\r\n")
        while sent < 900_000_000:
            client.sendall(b"PK\x03\x04" * 65_536)
            sent += 4 * 65_536
    assert sent < 100_000_000 and wait_until(lambda: not workshop.kept) and workshop.goes_on()


def test_further_jobs_are_refused_when_there_are_too_many(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joblist, "MOST_JOBS", 2)
    data = photo(tmp_path / "a.png")
    jobs = [workshop.send(data, "a.png")[1] for _ in range(2)]
    status, said = workshop.send(data, "a.png")
    assert status == 409 and "Remove one first" in said["error"] and len(workshop.kept) == 2
    workshop.ask(f"/api/jobs/{workshop.finished(jobs[0])['id']}", "DELETE")
    assert workshop.send(data, "a.png")[0] == 201


def half(workshop: Workshop, film: Path) -> socket.socket:
    """A connection over which half of a film has come."""
    data = film.read_bytes()
    client = socket.create_connection(("127.0.0.1", workshop.port))
    client.settimeout(20)
    client.sendall(f"POST /api/jobs?name=a.mp4 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n".encode())
    client.sendall(data[: len(data) // 2])
    return client


def test_only_some_uploads_come_at_once(workshop: Workshop, talkie: Path) -> None:
    coming = [half(workshop, talkie) for _ in range(uploads.MOST_UPLOADS)]
    assert wait_until(lambda: len(workshop.kept) == uploads.MOST_UPLOADS)
    status, said = workshop.send(talkie.read_bytes(), "a.mp4")
    assert status == 429 and "on their way already" in said["error"]
    for one in coming:
        one.close()
    assert wait_until(lambda: not workshop.kept), "and half ones leave nothing"
    assert workshop.send(talkie.read_bytes(), "a.mp4")[0] == 201


def test_an_upload_that_comes_too_slowly_is_cut_off(workshop: Workshop, talkie: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FIRST_SECONDS", 0.3)
    with half(workshop, talkie) as client:
        assert b" 408 " in client.recv(4096)
    assert wait_until(lambda: not workshop.kept) and workshop.goes_on()


def test_half_an_upload_of_an_earlier_start_is_deleted_and_a_note_that_is_not_understood_stays(
    weights: Path, tmp_path: Path
) -> None:
    for name, note in (("1111", None), ("2222", '{"id": "2222"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "original.mp4").write_bytes(b"half")
        if note:
            (tmp_path / name / "job.json").write_text(note)
    jobs = JobList(tmp_path)
    try:
        assert jobs.rows == [] and [path.name for path in sorted(tmp_path.iterdir())] == ["2222", "lock"]
    finally:
        jobs.close()


def test_an_upload_for_which_there_is_no_room_is_refused(
    workshop: Workshop, talkie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joblist, "LEAST_FREE", 1e18)
    status, said = workshop.send(talkie.read_bytes(), "a.mp4")
    assert status == 507 and "no room for it: 0 bytes are left" in said["error"] and not workshop.kept


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to write to")
def test_a_disk_that_fills_up_meanwhile_is_told_and_nothing_stays(
    workshop: Workshop, talkie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, mode="r": whole(Path("/dev/full"), "wb") if mode == "xb" else whole(path, mode)
    )
    status, said = workshop.send(talkie.read_bytes(), "a.mp4")
    assert (status, said) == (507, {"error": "The disk is full. Free some space, and send it again."})
    assert not workshop.kept and workshop.goes_on()


@pytest.mark.parametrize("name", ["..", "../..", "..%2f..%2fetc", "0000000000000000", "x" * 500, "%00"])
def test_no_file_but_those_of_jobs_can_be_asked_for(workshop: Workshop, name: str) -> None:
    for path in ("preview", "painted"):
        status, _, said = workshop.fetch(f"/api/jobs/{name}/{path}")
        assert status in (400, 404) and str(workshop.folder).encode() not in said


def test_pages_of_other_sites_can_send_nothing(workshop: Workshop, talkie: Path) -> None:
    status, _ = workshop.ask("/api/jobs?name=a.mp4", "POST", talkie.read_bytes(), Origin="http://evil.example")
    assert status == 403 and not workshop.kept


def test_a_show_without_jobs_says_so(book: StyleBook) -> None:
    hall = Hall(book, Place("127.0.0.1", 0))
    try:
        assert hall.ask("/api/jobs") == (503, {"error": "This show paints no photos and films."})
        assert hall.ask("/api/jobs?name=a.png", "POST", b"x")[0] == 503 and hall.goes_on()
    finally:
        hall.close()


def test_one_show_of_a_user_paints_and_the_next_says_so(workshop: Workshop) -> None:
    with pytest.raises(SinkError, match="Another show of this user paints photos and films already"):
        JobList(workshop.folder)


# A picture as a style.


def test_without_an_encoder_a_picture_is_no_style_and_a_line_says_so(workshop: Workshop, tmp_path: Path) -> None:
    assert workshop.ask("/api/styles/new") == (200, {"possible": False})
    status, said = workshop.ask("/api/styles?name=a.png", "POST", photo(tmp_path / "a.png"))
    assert status == 501 and "needs a style encoder" in said["error"] and not workshop.kept


@pytest.fixture
def pictured_workshop(pictured: Path, tmp_path: Path, workshop_of: Callable[..., Workshop]) -> Workshop:
    """One where pictures become styles."""
    return workshop_of(pictured_book(pictured), pictured)


def test_with_an_encoder_a_picture_becomes_a_style_that_is_painted_in(pictured_workshop: Workshop, tmp_path: Path) -> None:
    workshop = pictured_workshop
    assert workshop.ask("/api/styles/new") == (200, {"possible": True})
    data, other = photo(tmp_path / "a.png"), photo(tmp_path / "b.png", (20, 90, 250))
    status, row = workshop.ask("/api/styles?name=My%20garden.png", "POST", data)
    assert status == 201 and (row["number"], row["name"]) == (4, "My garden")
    expected = pictured_book(workshop.weights)[str(tmp_path / "a.png")]
    assert np.array_equal(workshop.controls.target.vector, expected.vector)
    assert workshop.controls.target.name == "My garden"
    assert workshop.ask("/api/styles?name=My%20garden.png", "POST", other)[1]["name"] == "My garden-2", "another picture"
    assert workshop.ask("/api/styles?name=again.png", "POST", data)[1]["number"] == 4, "in the place of the other"
    assert [style.name for style in workshop.controls.styles][3:] == ["My garden", "My garden-2"]
    assert (
        workshop.ask("/api/styles?name=..%2f%2c%3a.png", "POST", photo(tmp_path / "c.png", (9, 200, 9)))[1]["name"] == "picture"
    )
    status, said = workshop.ask("/api/styles?name=no.png", "POST", b"hello")
    assert status == 400 and "'no.png' is not a picture" in said["error"] and str(tmp_path) not in said["error"]
    assert not workshop.kept


def test_jobs_are_painted_in_a_picture_that_was_dropped_and_in_mixes_with_it(pictured_workshop: Workshop, tmp_path: Path) -> None:
    workshop = pictured_workshop
    painting, data = photo(tmp_path / "a.png", (20, 90, 250)), photo(tmp_path / "b.png")
    workshop.ask("/api/styles?name=garden.png", "POST", painting)
    workshop.controls.do("strength", 1.0)
    jobs = [workshop.send(data, "b.png", **style)[1] for style in ({}, {"style": "garden:0.5,wave:0.5"}, {"style": "wave"})]
    assert [workshop.finished(job)["state"] for job in jobs] == ["done"] * 3, [workshop.row(job)["words"] for job in jobs]
    assert [workshop.row(job)["style"] for job in jobs] == ["garden", "garden:0.5,wave:0.5", "wave"]
    pixels = [np.asarray(Image.open(workshop.painted(job, tmp_path / "out.png")).convert("RGB"), int) for job in jobs]
    assert all(np.abs(pixels[a] - pixels[b]).mean() > 1 for a, b in ((0, 1), (0, 2), (1, 2)))


def test_nobody_outside_opens_a_picture_of_this_machine(pictured_workshop: Workshop, tmp_path: Path) -> None:
    workshop = pictured_workshop
    path = tmp_path / "a.png"
    data = photo(path)
    status, said = workshop.act("style", str(path))
    assert status == 400 and said["error"].startswith("No style named ...")
    assert workshop.send(data, "b.png", style=str(path))[0] == 400 and not workshop.kept
    assert len(workshop.controls.styles) == 3


# Restarts.


class Studio:
    """The command, in a process of its own."""

    def __init__(self, weights: Path, *flags: str) -> None:
        command = [sys.executable, "-c", JOBS_IN_TIME, "studio", "--no-open", "--port", "0", "--weights", str(weights)]
        command += ["--camera", "pattern", "--size", "64x48", "--style", "wave", *flags]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        self.said = ""
        for line in self.process.stderr or ():
            self.said += line
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                self.port = int(found[1])
                break

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.said += self.process.communicate()[1]
        return self.process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_jobs_go_on_at_the_next_start_whatever_ended_the_show(
    weights: Path, long_film: Path, own_home: Path, tmp_path: Path, number: signal.Signals
) -> None:
    first = Studio(weights)
    with long_film.open("rb") as film:
        job = first.ask("/api/jobs?name=long.mp4&style=scream", "POST", film)
    folder = own_home / "DATA" / "realtime-nst" / "jobs" / job["id"]
    segments = folder / "painted" / ".original.mp4.parts"
    assert wait_until(lambda: (segments / "000000.json").exists())
    assert first.end(number) == (0 if number == signal.SIGTERM else -9)
    if number == signal.SIGTERM:
        assert "not finished: 1. They go on at the next start." in first.said
    second = Studio(weights)
    try:
        assert second.ask("/api/jobs")[0]["state"] in ("waiting", "painting")
        assert wait_until(lambda: '"state": "waiting"' not in (folder / "job.json").read_text(), 120)
        row = second.ask("/api/jobs")[0]
        assert row["state"] == "done" and re.search(r"going on after \d+ frames", row["words"]), row
        with closing(http.client.HTTPConnection("127.0.0.1", second.port, timeout=60)) as connection:
            connection.request("GET", f"/api/jobs/{job['id']}/painted")
            (tmp_path / "long.mp4").write_bytes(connection.getresponse().read())
    finally:
        assert second.end(signal.SIGTERM) == 0
    info = probe(str(tmp_path / "long.mp4"))
    assert "audio" in {track.kind for track in info.tracks} and info.duration == pytest.approx(30, abs=0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_uploads_are_never_whole_in_memory(weights: Path, talkie: Path) -> None:
    studio = Studio(weights)

    def memory() -> int:
        status = Path(f"/proc/{studio.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])

    try:
        before, size = memory(), 400_000_000
        with closing(http.client.HTTPConnection("127.0.0.1", studio.port, timeout=60)) as connection:
            pieces = [talkie.read_bytes(), *[bytes(1_000_000)] * (size // 1_000_000)]
            began = time.monotonic()
            headers = {"Content-Length": str(sum(map(len, pieces)))}
            connection.request("POST", "/api/jobs?name=large.mp4", iter(pieces), headers)
            assert connection.getresponse().status == 201, time.monotonic() - began
        assert memory() - before < 60_000, "kB"
    finally:
        studio.end(signal.SIGTERM)
