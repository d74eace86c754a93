"""`video --cluster`: a scheduler, workers that are processes of their own, kill -9 of any of them; the film stays the same."""

import json
import multiprocessing.resource_tracker
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.cluster.orders import Order
from realtime_nst.cluster.originals import Original
from realtime_nst.cluster.scout import Scout
from realtime_nst.errors import ClusterError
from realtime_nst.jobs.farm import FarmedFilm
from realtime_nst.jobs.painter import FrameHolder
from realtime_nst.jobs.reel import Reel
from realtime_nst.jobs.workfolder import Note, WorkFolder, work_path
from realtime_nst.media.containers import container_of
from realtime_nst.media.encoders import choose_encoder
from realtime_nst.media.probing import probe
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import Look
from realtime_nst.style.schedule import StylePath
from tests.clusters import ALL, WAIT, Cluster, events, told
from tests.conftest import painting_by, wait_until
from tests.readback import FORGETFUL, digest, read_back

pytest.importorskip("distributed")
Clip = Callable[..., Path]


@pytest.fixture(scope="module", autouse=True)
def tracker() -> None:
    """Python's own helper process for others, which stays until the end, is no child left behind."""
    multiprocessing.resource_tracker.ensure_running()


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"), weights)
    yield found
    found.end()


@pytest.fixture(scope="module")
def film(make_clip: Clip) -> Path:
    """Six seconds and a half before a noisy camera that moves, with sound: ten segments of 16, and one of 2."""
    photo = str(Path(__file__).parents[1] / "samples" / "astronaut.jpg")
    moving = "scale=500:-1,crop=96:64:8+n:40+n/2,noise=alls=4:allf=t"
    sound = ["-f", "lavfi", "-i", "sine=frequency=300:duration=6.48"]
    return make_clip(
        "film.mkv", "-loop", "1", "-r", "25", "-t", "6.48", "-i", photo, *sound, "-vf", moving, "-c:v", "libx264", "-crf", "10",
        "-g", "30", "-bf", "2", "-pix_fmt", "yuv420p",
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(film: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film as one machine paints it."""
    path = tmp_path_factory.mktemp("whole") / "whole.mkv"
    command = [sys.executable, "-c", FORGETFUL, str(ALL), "none", "video", str(film), "-o", str(path), "--weights", str(weights)]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return path


def assert_same(painted: Path, whole: Path) -> None:
    """Frame by frame, time by time, and bit by bit of both tracks."""
    times, images = read_back(whole)
    other_times, other_images = read_back(painted)
    assert len(times) == 162 and other_times == times and np.array_equal(images, other_images)
    for track in ("v:0", "a:0"):
        assert digest(painted, track) == digest(whole, track)
    assert not work_path(painted).exists()


def test_two_workers_paint_the_film_of_one_machine(cluster: Cluster, film: Path, whole: Path, tmp_path: Path) -> None:
    for name in ("anna", "bert"):
        cluster.worker(name, free=40)
    client = cluster.client(film, "-o", tmp_path / "out.mkv", "--json")
    assert cluster.waits("anna") and cluster.waits("bert"), "both have work"
    for name in ("anna", "bert"):
        cluster.gate(name).touch()
    news = told(client)
    assert_same(tmp_path / "out.mkv", whole)
    segments = events(news, "segment")
    assert {event["worker"] for event in segments} == {"anna", "bert"}
    assert sorted(event["number"] for event in segments) == [0, 2, 4, 6, 8, 10]  # type: ignore[type-var]
    assert {event["worker"] for event in events(news, "worker") if event["state"] == "joined"} == {"anna", "bert"}
    assert set(events(news, "progress")[-1]["workers"]) <= {"anna", "bert"}  # type: ignore[call-overload]
    assert events(news, "done")[0]["frames"] == 162


def test_a_worker_that_is_killed_in_mid_segment_costs_nothing(cluster: Cluster, film: Path, whole: Path, tmp_path: Path) -> None:
    victim = cluster.worker("victim", free=20)
    client = cluster.client(film, "-o", tmp_path / "out.mkv", "--json")
    assert cluster.waits("victim")
    victim.kill()
    cluster.worker("late")
    news = told(client)
    assert_same(tmp_path / "out.mkv", whole)
    assert {event["worker"] for event in events(news, "segment")} == {"late"}
    assert any(event["worker"] == "victim" and event["state"] == "left" for event in events(news, "worker"))


@pytest.mark.slow
def test_a_client_that_is_killed_goes_on_and_no_task_runs_on(cluster: Cluster, film: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    cluster.worker("anna", free=80)
    client = cluster.client(film, "-o", out)
    assert cluster.waits("anna")
    assert wait_until(lambda: (work_path(out) / "000003.json").exists(), WAIT), "two stretches came back"
    client.kill()
    client.communicate()
    cluster.gate("anna").touch()
    news = cluster.paint(film, "-o", out)
    assert events(news, "begin")[0]["painted_before"] == 64
    assert min(event["number"] for event in events(news, "segment")) == 4  # type: ignore[type-var]
    assert_same(out, whole)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished_and_one_machine_goes_on(
    cluster: Cluster, film: Path, whole: Path, tmp_path: Path, weights: Path
) -> None:
    out = tmp_path / "out.mkv"
    cluster.worker("anna", free=80)
    client = cluster.client(film, "-o", out, "--json")
    assert cluster.waits("anna")
    assert wait_until(lambda: (work_path(out) / "000003.json").exists(), WAIT)
    client.send_signal(signal.SIGINT)
    news = told(client, 130)
    assert events(news, "interrupted")[0]["frames"] == 64
    command = [sys.executable, "-c", FORGETFUL, str(ALL), "none", "video", str(film), "-o", str(out), "--weights", str(weights)]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0 and b"going on after 64 frames" in done.stderr, done.stderr.decode()
    assert_same(out, whole)


@pytest.mark.slow
def test_without_a_shared_folder_the_film_comes_in_pieces(cluster: Cluster, film: Path, whole: Path, tmp_path: Path) -> None:
    elsewhere = "from realtime_nst.cluster import originals\nfrom pathlib import Path\n"
    elsewhere += "found = originals.Original.is_at\n"
    elsewhere += f"originals.Original.is_at = lambda self, path: path != Path({str(film)!r}) and found(self, path)\n"
    cluster.worker("anna", program=elsewhere + FORGETFUL)
    small = "from realtime_nst.cluster import originals\noriginals.PIECE = 30_000\n"
    assert film.stat().st_size > 60_000
    news = told(cluster.client(film, "-o", tmp_path / "out.mkv", "--json", program=small + FORGETFUL))
    assert_same(tmp_path / "out.mkv", whole)
    assert {event["worker"] for event in events(news, "segment")} == {"anna"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            "import realtime_nst; realtime_nst.__version__ = '0.0.9'\n",
            r"Worker anna: It has realtime-nst 0\.0\.9, and the client .*\.",
        ),
        ("lacks", r"Worker anna: It lacks the network of 'wave'\. .*--weights\."),
    ],
    ids=["another version", "no style"],
)
def test_a_worker_that_cannot_paint_is_told_in_one_line(
    cluster: Cluster, film: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, wrong: str, words: str
) -> None:
    lacks = wrong == "lacks"
    cluster.worker(
        "anna", program=FORGETFUL if lacks else wrong + FORGETFUL, weights=tmp_path_factory.mktemp("no") if lacks else None
    )
    client = cluster.client(film, "-o", tmp_path / "out.mkv", "--quiet")
    said = client.communicate(timeout=WAIT)[1].decode().strip()
    assert client.returncode == 1 and re.fullmatch(rf"realtime-nst: No worker can paint '.*'\. {words}", said), said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_stretch_that_fails_everywhere_is_named(cluster: Cluster, film: Path, tmp_path: Path) -> None:
    fails = FORGETFUL.replace("    free -= 1\n", "    free -= 1\n    if free < 60: raise RuntimeError('no colour left')\n")
    for name in ("anna", "bert"):
        cluster.worker(name, free=100, program=fails)
    client = cluster.client(film, "-o", tmp_path / "out.mkv", "--quiet")
    said = client.communicate(timeout=WAIT)[1].decode().strip()
    assert client.returncode == 1 and len(said.splitlines()) == 1, said
    assert re.search(
        r"(Segment \d+ of 'out\.mkv' failed 3 times, last on worker \w+|No worker can paint .*): .*no colour left", said
    ), said


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [False, True], ids=["paints no more", "frozen"])
def test_the_last_stretch_of_a_slow_worker_is_painted_twice(
    cluster: Cluster, film: Path, whole: Path, tmp_path: Path, frozen: bool
) -> None:
    slow = cluster.worker("slow", free=8)  # and then never again
    client = cluster.client(film, "-o", tmp_path / "out.mkv", "--json")
    assert cluster.waits("slow")
    if frozen:
        slow.send_signal(signal.SIGSTOP)
    cluster.worker("quick")
    news = told(client)
    assert_same(tmp_path / "out.mkv", whole)
    assert {event["worker"] for event in events(news, "segment")} == {"quick"}


@pytest.mark.slow
def test_a_scheduler_that_is_killed_is_one_line_and_another_one_goes_on(
    cluster: Cluster, film: Path, whole: Path, tmp_path: Path, weights: Path
) -> None:
    out = tmp_path / "out.mkv"
    worker = cluster.worker("anna", free=80)
    client = cluster.client(film, "-o", out, "--quiet")
    assert cluster.waits("anna")
    assert wait_until(lambda: (work_path(out) / "000003.json").exists(), WAIT), "two stretches came back"
    cluster.scheduler.kill()
    said = client.communicate(timeout=WAIT)[1].decode().strip()
    assert said == "realtime-nst: The Dask scheduler has gone. What is finished is kept; the same command goes on."
    assert client.returncode == 1 and not out.exists()
    cluster.gate("anna").touch()
    assert worker.wait(WAIT) == 0, "it ends, too"
    (tmp_path / "again").mkdir()
    again = Cluster(tmp_path / "again", weights)
    try:
        again.worker("bert")
        news = again.paint(film, "-o", out)
    finally:
        again.end()
    assert events(news, "begin")[0]["painted_before"] == 64
    assert_same(out, whole)


@pytest.mark.slow
def test_a_worker_whose_disk_is_full_gets_no_more(
    small_disk: Path, cluster: Cluster, film: Path, whole: Path, tmp_path: Path
) -> None:
    there = f"import os\nos.environ['DASK_TEMPORARY_DIRECTORY'] = {str(small_disk)!r}\n"
    cluster.worker("full", free=8, program=there + FORGETFUL)
    client = cluster.client(film, "-o", tmp_path / "out.mkv", "--json")
    assert cluster.waits("full")
    ballast = os.open(small_disk / "ballast", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(ballast, b"x" * 4096)
    os.close(ballast)
    cluster.worker("anna", free=40)
    assert cluster.waits("anna"), "it is not the only one"
    cluster.gate("full").touch()
    news = []
    for line in client.stdout or ():
        news.append(json.loads(line))
        if news[-1]["event"] == "failed_segment":
            cluster.gate("anna").touch()
    assert client.wait(WAIT) == 0
    assert_same(tmp_path / "out.mkv", whole)
    failures = events(news, "failed_segment")
    assert failures and {event["worker"] for event in failures} == {"full"}
    assert all("No space left" in str(event["error"]) for event in failures), failures
    assert {event["worker"] for event in events(news, "segment")} == {"anna"}


@pytest.mark.slow
def test_workers_of_this_machine_are_started_and_ended(film: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    command = [sys.executable, "-m", "realtime_nst", "video", str(film), "-o", str(out), "--weights", str(weights), "--end", "1"]
    done = subprocess.run([*command, "--cluster", "local:2", "--json"], capture_output=True, timeout=WAIT)
    assert done.returncode == 0, done.stderr.decode()
    assert {event["worker"] for event in events([json.loads(line) for line in done.stdout.splitlines()], "segment")} < {
        "local-0",
        "local-1",
    }
    assert len(read_back(out)[0]) == 25


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_one_line(film: Path, weights: Path, tmp_path: Path) -> None:
    quick = "from realtime_nst.cluster import connection\nconnection.CONNECT_SECONDS = 1.0\n" + FORGETFUL
    for command in (["video", str(film), "-o", str(tmp_path / "out.mkv"), "--cluster"], ["worker"]):
        arguments = [*command, "tcp://127.0.0.1:9", "--weights", str(weights)]
        done = subprocess.run([sys.executable, "-c", quick, str(ALL), "none", *arguments], capture_output=True, timeout=WAIT)
        said = done.stderr.decode().strip()
        assert done.returncode == 1 and len(said.splitlines()) == 1, said
        assert said.startswith("realtime-nst: No Dask scheduler answers at 'tcp://127.0.0.1:9'")
    assert list(tmp_path.iterdir()) == []


def test_orders_say_where_each_stretch_begins(
    film: Path, book: StyleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 16)
    monkeypatch.setattr("realtime_nst.jobs.stretches.STRETCH_FRAMES", 32)
    work = WorkFolder(tmp_path / "out.mkv", {})
    orders = Scouting(film, book, tmp_path / "out.mkv", Look(stability=8, follow_camera=True)).orders(work)
    assert [(order.number, order.first, order.frames) for order in orders] == [
        *((2 * number, 32 * number, 32) for number in range(5)),
        (10, 160, 2),
    ]
    assert orders[0].after is None and orders[0].clock is None and orders[0].offset == HOME
    assert [order.after and order.after.frames for order in orders] == [None, None, 32, 64, 96, 128]
    assert orders[4].clock is not None and orders[4].clock[:2] == (Fraction(0), 127 * 3600)
    assert np.abs(orders[5].offset).max() > 20, "the camera has moved"
    work.release()


@pytest.fixture(scope="module")
def journey(make_clip: Clip) -> Path:
    """Five seconds before a camera that moves on with every other frame, with two cuts: one between two stretches of 32."""
    photo = str(Path(__file__).parents[1] / "samples" / "astronaut.jpg")
    moving = "scale=500:-1,crop=96:64:8+3*n:40+2*n,noise=alls=4:allf=t,hflip=enable='gte(n,32)',vflip=enable='gte(n,43)'"
    source = ["-loop", "1", "-r", "12.5", "-t", "5.2", "-i", photo]
    return make_clip("journey.mkv", *source, "-vf", f"{moving},fps=25", "-c:v", "ffv1", "-pix_fmt", "yuv420p")


class Scouting:
    """A film of which an output is to be made by a cluster."""

    def __init__(self, film: Path, book: StyleBook, output: Path, look: Look) -> None:
        info = probe(str(film))
        encoder = choose_encoder(container_of(output), info.width, info.height)[0]
        self.reel = Reel(info, encoder, Fraction(0), None, info.time_base)
        painter, self.styles = PicturePainter(painting_by(lambda image, vector: image), look), StylePath([book["wave"]])
        self.film = FarmedFilm(film, output.name, self.reel, self.styles, painter, None)
        self.stretches = self.reel.stretches(painter.memory)

    def orders(self, work: WorkFolder, *, field: bool = True) -> list[Order]:
        scout = Scout(self.film, work, field=field)
        try:
            return list(scout)
        finally:
            scout.close()

    def offsets(self) -> Iterator[Offset]:
        """Where the field is before each stretch of a machine that sees one frame after another."""
        painter = PicturePainter(painting_by(lambda image, vector: image), Look(follow_camera=True))
        holder = FrameHolder(painter, self.styles, 0.0, 25.0, stretches=self.stretches)
        source = self.reel.source(str(self.film.source))
        for frame in source:
            if frame.index % 32 == 0:
                yield painter.offset
            holder.hold(frame)
        source.close()


@pytest.mark.parametrize("stability", [0, 8], ids=["short warm-up", "warm-up of a whole stretch"])
@pytest.mark.parametrize("processors", [1, 3])
def test_stretches_followed_at_once_give_the_offsets_of_one_after_another(
    journey: Path, book: StyleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int, stability: int
) -> None:
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 16)
    monkeypatch.setattr("realtime_nst.jobs.stretches.STRETCH_FRAMES", 32)
    monkeypatch.setattr("realtime_nst.cluster.scout.cores", lambda: processors)
    scouting = Scouting(journey, book, tmp_path / "out.mkv", Look(stability=stability, follow_camera=True))
    work = WorkFolder(tmp_path / "out.mkv", {})
    orders, expected = scouting.orders(work), list(scouting.offsets())
    assert [order.offset for order in orders] == expected and [order.frames for order in orders] == [32, 32, 32, 32, 2]
    assert expected[1] != expected[2] != expected[3] != expected[4] and np.abs(expected[2]).max() > 40, expected
    assert np.abs(expected[3]).max() < np.abs(expected[2]).max() < 100, "a scene has begun"
    assert not multiprocessing.active_children()
    for order, after in pairwise(orders[:4]):  # as if two stretches and a half had been painted
        assert after.clock is not None
        origin, last, shift = after.clock
        for time, check in order.ends[: 1 if order is orders[2] else 2]:
            work.add(Note(16, 0, last, time, check, origin, 0, shift, offset=after.offset))
    assert len(work.notes) == 5 and scouting.orders(work) == orders[2:]
    work.release()


def test_where_the_texture_stands_nobody_follows(
    journey: Path, book: StyleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.cluster.album.Movement.over", None)
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 16)
    monkeypatch.setattr("realtime_nst.jobs.stretches.STRETCH_FRAMES", 32)
    monkeypatch.setattr("realtime_nst.cluster.scout.cores", lambda: 1)
    work = WorkFolder(tmp_path / "out.mkv", {})
    for look in (Look(), Look(stability=8)):
        orders = Scouting(journey, book, tmp_path / "out.mkv", look).orders(work, field=False)
        assert [order.frames for order in orders] == [32, 32, 32, 32, 2] and {order.offset for order in orders} == {HOME}
        assert [order.after and order.after.frames for order in orders][1:4] == (
            [None, 32, 64] if look.stability else [32, 64, 96]
        )
    following = Scouting(journey, book, tmp_path / "out.mkv", Look(follow_camera=True))
    with pytest.raises(ClusterError, match=r"^How the camera moves could not be found: TypeError: .*") as caught:
        following.orders(work)
    reading = [thread.name for thread in threading.enumerate() if thread.name == "capture"]
    assert not reading, f"left behind while its error is known: {caught}"
    work.release()


def test_a_follower_that_is_killed_is_one_line(
    journey: Path, book: StyleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 16)
    monkeypatch.setattr("realtime_nst.jobs.stretches.STRETCH_FRAMES", 32)
    monkeypatch.setattr("realtime_nst.cluster.scout.cores", lambda: 2)
    monkeypatch.setattr("realtime_nst.cluster.scout.movement", die)
    work = WorkFolder(tmp_path / "out.mkv", {})
    scouting = Scouting(journey, book, tmp_path / "out.mkv", Look(follow_camera=True))
    with pytest.raises(ClusterError, match=r"^A process that follows the camera has died; .* the same command goes on\.$"):
        scouting.orders(work)
    assert not multiprocessing.active_children()
    work.release()


def die(*frames: object) -> None:
    """What memory that runs out does to a process."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_original_is_known_by_its_contents(tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(3_000_000)
    (tmp_path / "film").write_bytes(data)
    original, copies = Original.of(tmp_path / "film"), tmp_path / "copies"
    assert original.found(copies) == tmp_path / "film"
    (tmp_path / "film").write_bytes(data[:-1] + b"x")
    assert original.found(copies) is None
    (tmp_path / "film").write_bytes(data)
    for place, piece in original.pieces():
        original.keep(copies, place, piece)
    (tmp_path / "film").unlink()
    assert (found := original.found(copies)) is not None and found.read_bytes() == data
    original.forget(copies)
    assert original.found(copies) is None
