"""`video`, nothing lost: kill -9, full disks, Ctrl-C, what is there already; the result is compared frame by frame."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.cli.main import main
from realtime_nst.errors import DiskFullError, SinkError
from realtime_nst.frames import Frame
from realtime_nst.jobs import stretches, workfolder
from realtime_nst.jobs.film_source import FilmSource, Mark
from realtime_nst.jobs.graceful_stop import PatientRemote
from realtime_nst.jobs.outputs import place
from realtime_nst.jobs.painter import FramePainter
from realtime_nst.jobs.segments import SegmentSink
from realtime_nst.jobs.stretches import Stretches
from realtime_nst.jobs.workfolder import Note, WorkFolder, being_placed, segment_frames, work_path
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.encoding import FrameWriter
from realtime_nst.media.photos import read_photo
from realtime_nst.media.probing import probe
from realtime_nst.media.timing import FrameClock
from realtime_nst.painting import serving
from realtime_nst.pipeline.loop import Unattended
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import Offset
from realtime_nst.style.schedule import StylePath
from realtime_nst.style.style import Style
from tests.conftest import one_line, painting_by, wait_until
from tests.readback import (
    FORGETFUL,
    GATED,
    about,
    digest,
    duration,
    lag,
    number_in,
    numbered_source,
    numbers,
    read_back,
    sound,
    tracks,
)

Clip = Callable[..., Path]
Run = Callable[..., int]
ALL = 1_000_000
CHANGED = (
    (serving, "load_stylizer"),
    (workfolder, "SEGMENT_FRAMES"),
    (stretches, "STRETCH_FRAMES"),
    (Stats, "fps"),
)
"""What the programs of `readback.py` change."""


def start(free: int, gate: Path, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", GATED, str(free), str(gate), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(*arguments: object) -> tuple[int, str]:
    """Paint all: by the same program in this process, as nobody is to kill it."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(said), pytest.raises(SystemExit) as end:
        for owner, name in CHANGED:
            patch.setattr(owner, name, getattr(owner, name))  # so that it is put back
        patch.setattr(sys, "argv", ["-c", str(ALL), "none", *map(str, arguments)])
        exec(GATED, {})
    assert isinstance(end.value.code, int)
    return end.value.code, said.getvalue()


def parts(output: Path) -> int:
    """Finished segments of an output."""
    return len(list(work_path(output).glob("0*.json")))


@pytest.fixture
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that does not exist yet: programs that were started with it go on once it does."""
    return tmp_path_factory.mktemp("gate") / "open"


def reached(gate: Path) -> bool:
    """Wait until a program that was started with the gate stands before it."""
    return wait_until(gate.with_name("open.reached").exists, 120)


def kill_after(frames: int, gate: Path, output: Path, *arguments: object) -> None:
    """Paint so many more frames, and kill -9 once their full segments are finished."""
    there = parts(output)
    process = start(frames, gate, "video", *arguments, "-o", output)
    try:
        assert wait_until(lambda: parts(output) >= there + frames // 16, 120)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def film(make_clip: Clip) -> Path:
    """Six seconds of numbered pictures with sound, keyframes far apart, B-frames between."""
    return make_clip(
        "film.mp4", *numbered_source(rate="24000/1001", seconds=6), "-f", "lavfi", "-i", "sine=frequency=300:duration=6",
        "-g", "50", "-bf", "3", "-pix_fmt", "yuv420p",
    )  # fmt: skip


def assert_resumed_is_whole(folder: Path, film: Path, weights: Path) -> None:
    """Go on with `pieced.mp4`, which has been interrupted, and compare it with one that was painted at a stretch."""
    whole, pieced = folder / "whole.mp4", folder / "pieced.mp4"
    assert not pieced.exists(), "half a file under the final name"
    code, said = finish("video", film, "-o", pieced, "--weights", weights)
    assert code == 0, said
    assert finish("video", film, "-o", whole, "--weights", weights)[0] == 0
    assert not work_path(pieced).exists() and sorted(path.name for path in folder.iterdir()) == ["pieced.mp4", "whole.mp4"]
    times, images = read_back(whole)
    other_times, other_images = read_back(pieced)
    assert times == other_times and np.array_equal(images, other_images)
    assert digest(whole, "v:0") == digest(pieced, "v:0"), "not even a bit of the picture differs"
    assert digest(whole, "a:0") == digest(pieced, "a:0")


def test_killed_runs_go_on_and_give_the_same_file(tmp_path: Path, film: Path, weights: Path, gate: Path) -> None:
    for frames in (20, 40, 36):
        kill_after(frames, gate, tmp_path / "pieced.mp4", film, "--weights", weights)
    assert parts(tmp_path / "pieced.mp4") == 5
    assert_resumed_is_whole(tmp_path, film, weights)


def test_what_is_held_goes_on_after_a_kill(tmp_path: Path, make_clip: Clip, weights: Path, gate: Path) -> None:
    noisy = ["-vf", "noise=alls=4:allf=t", "-c:v", "ffv1"]  # a still picture before a camera with noise
    film = make_clip("still.mkv", "-f", "lavfi", "-i", "color=gray:size=96x64:rate=25:duration=2", *noisy)
    usual = [film, "--codec", "ffv1", "--weights", weights]
    kill_after(20, gate, tmp_path / "pieced.mkv", *usual)
    for name, flags in (("pieced", []), ("whole", []), ("each", ["--stability", "0"])):
        assert finish("video", *usual, "-o", tmp_path / f"{name}.mkv", *flags)[0] == 0
    pieced, whole, each = (read_back(tmp_path / f"{name}.mkv")[1].astype(int) for name in ("pieced", "whole", "each"))
    assert np.array_equal(pieced, whole)
    stabilized, moved = (np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3)) for pictures in (whole, each))
    assert stabilized.max() < 0.2 * moved.min(), "no frame jumps, also not between segments"


def test_texture_goes_on_with_the_camera_after_a_kill(
    tmp_path: Path, make_clip: Clip, weights: Path, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.test_video_resume.GATED", FORGETFUL)
    photo = str(Path(__file__).parents[1] / "samples" / "astronaut.jpg")
    zoomed = "scale=400:-1,crop=96:64:8+2*n:40+n"
    film = make_clip("pan.mkv", "-loop", "1", "-r", "25", "-i", photo, "-t", "2", "-vf", zoomed, "-c:v", "ffv1")
    usual = [film, "--codec", "ffv1", "--weights", weights]
    for stability, painted in (("0", 20), ("8", 40)):  # in the middle of a stretch, and at its end
        kill_after(painted, gate, tmp_path / "pieced.mkv", *usual, "--stability", stability)
        for name, flags in (("pieced", []), ("whole", []), ("stands", ["--no-follow-camera"])):
            out = tmp_path / f"{name}.mkv"
            assert finish("video", *usual, "-o", out, "--stability", stability, "--overwrite", *flags)[0] == 0
        pieced, whole, stands = (read_back(tmp_path / f"{name}.mkv")[1].astype(int) for name in ("pieced", "whole", "stands"))
        assert len(whole) == 50 and np.array_equal(pieced, whole)
        assert np.abs(whole - stands)[-8:].mean() > 1, "and it went along"
        for name in ("pieced", "whole", "stands"):
            (tmp_path / f"{name}.mkv").unlink()


@pytest.mark.slow
def test_ten_kills_at_random_moments(tmp_path: Path, film: Path, weights: Path, gate: Path) -> None:
    seed = int(np.random.SeedSequence().generate_state(1)[0])
    print(f"seed {seed}")  # shown when it fails
    rng, out = np.random.default_rng(seed), tmp_path / "pieced.mp4"
    for kill in range(10):  # at most six segments of sixteen frames are finished on the way, of the film's nine
        process = start(24 if kill % 3 else 12, gate, "video", film, "-o", out, "--weights", weights)
        assert wait_until(work_path(out).exists, 120)
        time.sleep(rng.uniform(0, 1.5))  # anywhere: at the start, in a segment, between two, or while it waits
        process.kill()
        process.communicate()
    assert_resumed_is_whole(tmp_path, film, weights)


def processes_with(*words: str) -> list[str]:
    """Command lines of running programs that have all of these words."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = command.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if all(word in text for word in words):
            found.append(text)
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="only Linux tells what runs")
def test_killed_run_leaves_no_process(tmp_path: Path, film: Path, weights: Path, gate: Path) -> None:
    kill_after(20, gate, tmp_path / "out.mp4", film, "--weights", weights)
    assert wait_until(lambda: not processes_with(str(tmp_path)), 60), processes_with(str(tmp_path))
    assert wait_until(lambda: not processes_with(str(film), "ffmpeg"), 60)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="only Linux tells what runs")
def test_run_that_is_killed_while_it_joins_leaves_no_process(tmp_path: Path) -> None:
    joins = (
        "import sys; from pathlib import Path; from realtime_nst.media.ffmpeg import produce\n"
        "produce(['-re', '-f', 'lavfi', '-i', 'testsrc=size=64x48:duration=3000', '-f', 'mpegts'], Path(sys.argv[1]))"
    )
    address = f"file:{tmp_path / 'whole.ts'}"  # as only ffmpeg has it in its arguments
    process = subprocess.Popen([sys.executable, "-c", joins, str(tmp_path / "whole.ts")])
    assert wait_until(lambda: bool(processes_with(address)), 60)
    process.kill()
    process.wait()
    assert wait_until(lambda: not processes_with(address), 60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interruption_finishes_the_segment(tmp_path: Path, film: Path, weights: Path, gate: Path, number: signal.Signals) -> None:
    out = tmp_path / "out.mp4"
    process = start(40, gate, "video", film, "-o", out, "--weights", weights)
    assert reached(gate), "in the middle of the third segment"
    process.send_signal(number)
    process.send_signal(signal.SIGINT)  # pressed twice: that must not cost anything
    gate.touch()
    said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 130 and "Traceback" not in said, said
    assert "Interrupted: 48 painted frames are kept. The same command goes on from there." in said
    assert [path.name for path in tmp_path.iterdir()] == [".out.mp4.parts"] and parts(out) == 3
    code, said = finish("video", film, "-o", out, "--weights", weights)
    assert code == 0 and "going on after 48 frames" in said
    assert numbers_of_negative(out) == numbers(film)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def patient(outer: Unattended, now: list[float], missing: list[int], fps: float, told: list[str]) -> PatientRemote:
    stats = Stats(clock=lambda: now[0])
    for _ in range(10):
        now[0] += 1 / fps
        stats.count(Frame(np.zeros((2, 2, 3), np.uint8), 0, now[0]))
    return PatientRemote(outer, [], lambda: missing[0], stats, told.append, clock=lambda: now[0])


def test_wish_to_stop_waits_for_a_segment_and_the_second_does_not() -> None:
    def asked(missing: int, fps: float) -> tuple[PatientRemote, list[float], list[int], list[str]]:
        now, left, told = [0.0], [missing], []  # type: ignore[var-annotated]
        outer = Unattended()
        remote = patient(outer, now, left, fps, told)
        remote.poll(0.0)
        assert not remote.quit
        remote.leave()
        assert outer.quit and not remote.quit
        remote.poll(0.0)
        return remote, now, left, told

    remote, now, left, told = asked(60, 20)
    assert not remote.quit and told == ["Stopping after this segment, in 3 seconds. Ctrl-C again stops at once."]
    now[0] += 0.5
    remote.leave()
    remote.poll(0.0)
    assert not remote.quit, "pressed twice"
    left[0] = 0
    remote.poll(0.0)
    assert remote.quit and len(told) == 1
    remote, now, left, told = asked(60, 20)
    now[0] += 1.5
    remote.leave()
    assert remote.quit, "meant"
    assert asked(60, 5)[0].quit, "twelve seconds are too long"
    assert asked(0, 5)[0].quit, "nothing is under way"
    remote, now, _, _ = asked(60, 20)
    now[0] += 21
    remote.poll(0.0)
    assert remote.quit, "it takes longer than it seemed"


def numbers_of_negative(path: Path) -> list[int]:
    """Numbers in the pictures that the slow network has turned into negatives."""
    return [(1 << 12) - 1 - number for number in numbers(path)]


def test_partial_file_plays_when_asked_for(tmp_path: Path, film: Path, weights: Path, gate: Path) -> None:
    out = tmp_path / "out.mp4"
    process = start(20, gate, "video", film, "-o", out, "--weights", weights, "--partial")
    assert reached(gate), "in the middle of the second segment"
    process.send_signal(signal.SIGTERM)
    gate.touch()
    said = process.communicate(timeout=120)[1].decode()
    partial = tmp_path / "out.partial.mp4"
    assert process.returncode == 130 and f"'{partial}' holds the first 32 frames" in said, said
    assert numbers_of_negative(partial) == list(range(32))
    assert duration(partial) == pytest.approx(32 * 1001 / 24000, abs=0.06), "the sound ends with the picture"
    assert tracks(partial) == ["video h264", "audio aac"]
    assert finish("video", film, "-o", out, "--weights", weights, "--partial")[0] == 0
    assert numbers_of_negative(out) == numbers(film) and partial.exists()


def test_partial_pictures_twice(tmp_path: Path, film: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path / "p-%03d.png"
    for run, last in ((1, 32), (2, 64)):
        gate = tmp_path_factory.mktemp("gate") / "open"
        process = start(20, gate, "video", film, "-o", out, "--weights", weights, "--partial")
        assert reached(gate), "in the middle of the second or fourth segment"
        process.send_signal(signal.SIGTERM)
        gate.touch()
        said = process.communicate(timeout=120)[1].decode()
        assert process.returncode == 130 and "Traceback" not in said, said
        ending = "partial" if run == 1 else "partial-2"
        names = sorted(path.name for path in tmp_path.glob(f"p-*.{ending}.png"))
        assert names == [f"p-{number:03d}.{ending}.png" for number in range(1, last + 1)]


def test_another_job_does_not_take_over_or_throw_away(tmp_path: Path, film: Path, weights: Path, gate: Path) -> None:
    out = tmp_path / "out.mp4"
    process = start(20, gate, "video", film, "-o", out, "--weights", weights)
    assert wait_until(lambda: parts(out) >= 1, 120)
    code, said = finish("video", film, "-o", out, "--weights", weights)
    assert code == 1 and "Another process is painting" in said
    process.kill()
    process.communicate()
    code, said = finish("video", film, "-o", out, "--weights", weights, "--style", "scream")
    assert code == 1 and "holds frames painted otherwise (styles" in said and "--restart" in said
    assert parts(out) == 1
    code, said = finish("video", film, "-o", out, "--weights", weights, "--style", "scream", "--restart")
    assert code == 0 and "going on" not in said


def test_damaged_remains_are_painted_again(tmp_path: Path, film: Path, weights: Path, gate: Path) -> None:
    out = tmp_path / "out.mp4"
    kill_after(50, gate, out, film, "--weights", weights)
    folder = work_path(out)
    second = folder / "000001.mp4"
    second.write_bytes(second.read_bytes()[:-100])  # as after a power cut
    (folder / "000002.json").write_text("{")
    (folder / ".000003.1.part.mp4").write_bytes(b"half")
    code, said = finish("video", film, "-o", out, "--weights", weights)
    assert code == 0 and "going on after 16 frames" in said
    assert numbers_of_negative(out) == numbers(film)


@pytest.mark.usefixtures("identity")
def test_failure_at_the_join_does_not_cost_the_film_again(
    run: Run, tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also the last, shorter segment is known again: only what lies shortly before it is decoded."""

    def full(job: object, draft: Path) -> list[str]:
        raise DiskFullError("No space left on device")

    read: list[int] = []
    usual = FrameReader.read

    def counted(reader: FrameReader) -> np.ndarray | None:
        read.append(1)
        return usual(reader)

    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 16)
    with monkeypatch.context() as patch:
        patch.setattr("realtime_nst.jobs.film.join", full)
        assert run("video", film, "-o", tmp_path / "out.mp4") == 1
    assert re.search(r"is full: .* the 14[34] frames painted so far are kept", capsys.readouterr().err)
    monkeypatch.setattr(FrameReader, "read", counted)
    assert run("video", film, "-o", tmp_path / "out.mp4") == 0
    assert re.search(r"going on after 14[34] frames", capsys.readouterr().err)
    assert numbers(tmp_path / "out.mp4") == numbers(film) and len(read) < 60


@pytest.mark.usefixtures("identity")
def test_pictures_are_placed_all_or_none_and_go_on(
    run: Run, tmp_path: Path, make_clip: Clip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interruption while pictures get their names: the same command goes on, and takes only its own for its own."""
    clip, out = make_clip("placed.mkv", *numbered_source(seconds=0.4), "-c:v", "libx264rgb", "-qp", "0"), tmp_path / "p-%02d.png"

    def killed(draft: Path, output: Path, *, overwrite: bool) -> None:
        if output.name == "p-05.png":
            raise SystemExit  # as near to a kill -9 as a test can come
        place(draft, output, overwrite=overwrite)

    with monkeypatch.context() as patch:
        patch.setattr("realtime_nst.jobs.outputs.place", killed)
        with pytest.raises(SystemExit):
            run("video", clip, "-o", out)
    assert len(list(tmp_path.glob("p-*.png"))) == 4 and being_placed(out)
    (tmp_path / "p-09.png").write_bytes(b"precious")
    assert run("video", clip, "-o", out) == 1
    assert "p-09.png' has appeared meanwhile" in capsys.readouterr().err
    assert len(list(tmp_path.glob("p-*.png"))) == 5 and (tmp_path / "p-09.png").read_bytes() == b"precious"
    (tmp_path / "p-09.png").unlink()
    assert run("video", clip, "-o", out) == 0
    assert [number_in(read_photo(tmp_path / f"p-{number:02d}.png")) for number in range(1, 11)] == list(range(10))
    assert len(list(tmp_path.iterdir())) == 10


def noise(make_clip: Clip) -> Path:
    source = "nullsrc=size=160x120:rate=25:duration=5,geq=random(1)*255:128:128"
    return make_clip("noise.mkv", "-f", "lavfi", "-i", source, "-c:v", "ffv1")


def test_full_disk_says_so_and_keeps_what_is_painted(small_disk: Path, make_clip: Clip, weights: Path) -> None:
    clip = noise(make_clip)
    out = small_disk / "out.mp4"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    code, said = finish("video", clip, "-o", out, "--weights", weights)
    last = said.strip().splitlines()[-1]
    assert code == 1, said
    assert re.search(r"The disk of '.*' is full: [\d.]+ [kMG]B free\. About [\d.]+ MB are needed to go on", last), last
    assert re.search(r"the (\d+) frames painted so far are kept", last)
    assert not out.exists() and parts(out) >= 1
    ballast.unlink()
    code, said = finish("video", clip, "-o", out, "--weights", weights, "--crf", "18")
    if code:  # segments and the whole file do not fit together: both are needed for a moment
        assert "is full" in said
        subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
        code, said = finish("video", clip, "-o", out, "--weights", weights)
    assert code == 0 and "going on after" in said
    assert len(read_back(out)[0]) == 125 and [path.name for path in small_disk.iterdir()] == ["out.mp4"]


def test_disk_that_is_full_at_the_beginning_says_so_and_stays_as_it_is(small_disk: Path, make_clip: Clip, weights: Path) -> None:
    ballast = os.open(small_disk / "ballast", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(ballast, b"x" * 4096)
    os.close(ballast)
    clip = noise(make_clip)
    code, said = finish("video", clip, "-o", small_disk / "out.mp4", "--weights", weights)
    assert code == 1 and re.search(r"is full: 0 bytes free\. About [\d.]+ MB are needed, going by the size of the original", said)
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


@pytest.mark.usefixtures("identity")
def test_inputs_are_never_touched_and_outputs_not_overwritten(
    run: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    original = tmp_path / "in.mp4"
    original.write_bytes(talkie.read_bytes())
    os.link(original, tmp_path / "hard.mp4")
    (tmp_path / "soft.mp4").symlink_to(original)
    for same in ("in.mp4", "hard.mp4", "soft.mp4"):
        assert run("video", original, "-o", tmp_path / same, "--overwrite") == 1
        assert "Input and output are the same file" in one_line(capsys)
    assert run("video", tmp_path / "soft.mp4", "-o", original, "--overwrite") == 1
    assert "Input and output are the same file" in one_line(capsys)
    other = tmp_path / "other.mp4"
    other.write_bytes(b"precious")
    (tmp_path / "link.mp4").symlink_to(other)
    assert run("video", original, "-o", tmp_path / "link.mp4") == 1
    assert "exists. Add --overwrite" in one_line(capsys)
    assert run("video", original, "-o", tmp_path / "link.mp4", "--overwrite") == 0
    assert other.read_bytes() == b"precious", "written through a link"
    assert not (tmp_path / "link.mp4").is_symlink() and numbers(tmp_path / "link.mp4")
    assert original.read_bytes() == talkie.read_bytes()


def test_file_that_appears_meanwhile_is_not_overwritten(
    tmp_path: Path, talkie: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.mp4"
    painted: list[int] = []

    def paint(image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        out.write_bytes(b"precious")
        painted.append(1)
        return image

    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: painting_by(paint))
    command = ["video", str(talkie), "-o", str(out), "--weights", str(weights)]
    assert main(command) == 1
    assert "has appeared meanwhile" in capsys.readouterr().err and out.read_bytes() == b"precious"
    out.unlink()
    painted.clear()
    assert main(command) == 0
    assert "going on after 50 frames" in capsys.readouterr().err and not painted
    assert len(read_back(out)[0]) == 50


def all_of(source: FilmSource) -> list[Frame]:
    """Every frame."""
    try:
        return list(source)
    finally:
        source.close()


def test_film_source_finds_its_place_or_starts_again(film: Path) -> None:
    info = probe(str(film))
    frames = all_of(FilmSource(str(film), info))
    for index in (9, 59, 119, 139):
        mark = Mark(index + 1, frames[index].time, frames[index].check)
        for wrong in (
            mark,
            Mark(index + 1, frames[index].time, 12345),
            Mark(index + 1, Fraction(1, 7), 1),
            Mark(index + 1, None, 0),
        ):
            rest = all_of(FilmSource(str(film), info, after=wrong))
            assert [frame.index for frame in rest] == list(range(index + 1, len(frames)))
            assert all(
                np.array_equal(one.image, other.image) and one.time == other.time for one, other in zip(rest, frames[index + 1 :])
            )


def test_work_folder_keeps_notes_exactly(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    work = WorkFolder(out, {"a": 1})
    work.file(0, ".mp4").write_bytes(b"12345")
    note = Note(5, 0, 4 * 3600, Fraction(1001, 24000), 99, Fraction(0), 5)
    work.add(note)
    with pytest.raises(SinkError, match="Another process is painting"):
        WorkFolder(out, {"a": 1})
    work.release()
    again = WorkFolder(out, {"a": 1})
    assert again.notes == [note] and again.frames == 5 and again.size == 5
    again.release()
    with pytest.raises(SinkError, match=r"painted otherwise \(a 1, now 2\)"):
        WorkFolder(out, {"a": 2})
    fresh = WorkFolder(out, {"a": 2}, restart=True)
    assert fresh.notes == []
    fresh.release()
    assert list(tmp_path.iterdir()) == []


def test_segments_keep_what_came_with_their_last_frame_however_far_painting_is_ahead(tmp_path: Path, book: StyleBook) -> None:
    class Counting:
        """Paints nothing, and says that the field moves by a pixel with each picture."""

        painted = 0
        at_once = 1

        @property
        def offset(self) -> Offset:
            return self.painted, 0.0, 0.5 * self.painted

        def begin(self, image: np.ndarray, style: Style) -> Callable[[], np.ndarray]:
            self.painted += 1
            return lambda: image

        def hold(self, image: np.ndarray, style: Style) -> None:
            raise ValueError("All of them are painted.")

        warm_up = hold

        def renew(self) -> None:
            raise ValueError("It never ends.")

    counting = Counting()
    painter = FramePainter(counting, StylePath([book["wave"]]), 0.0, 25.0, stretches=Stretches(8, 0))
    frames = [
        Frame(np.full((16, 16, 3), index // 3, np.uint8), index, 0.0, Fraction(index, 25), Fraction(1, 25 + index), 1000 + index)
        for index in range(80)
    ]
    ahead = list(painter(frames))
    assert painter.repeated == 80 - counting.painted > 40
    assert all((one.time, one.shown, one.check) == (other.time, other.shown, other.check) for one, other in zip(ahead, frames))
    work = WorkFolder(tmp_path / "out.mp4", {})
    clock = FrameClock(Fraction(25), Fraction(1, 1000))
    sink = SegmentSink(work, lambda path: FrameWriter(path, 16, 16, Fraction(25)), ".mp4", clock, 8)
    for frame in ahead[:21]:
        sink.write(frame)
    sink.settle()
    sink.discard()
    assert [(note.time, note.shown, note.check) for note in work.notes] == [
        (Fraction(7, 25), Fraction(1, 32), 1007),
        (Fraction(15, 25), Fraction(1, 40), 1015),
    ]
    work.release()
    again = WorkFolder(tmp_path / "out.mp4", {})
    assert [note.offset for note in again.notes] == [(3.0, 0.0, 1.5), (7.0, 0.0, 3.5)]
    again.remove()


def test_segments_of_large_pictures_are_short() -> None:
    assert segment_frames(640, 480) == 240 and segment_frames(1280, 720) == 240
    assert segment_frames(3840, 2160) == 26 and segment_frames(7680, 4320) == 8


def test_sound_of_a_resumed_film_is_in_step(tmp_path: Path, film: Path, weights: Path, gate: Path) -> None:
    out = tmp_path / "out.mkv"
    kill_after(40, gate, out, film, "--weights", weights)
    assert finish("video", film, "-o", out, "--weights", weights)[0] == 0
    assert lag(sound(film), sound(out)) == pytest.approx(float(read_back(out)[0][0]), abs=0.002)
    assert "23.98 fps" in about(out)


def test_names_that_are_no_text_are_painted(tmp_path: Path, film: Path, weights: Path) -> None:
    """Bytes that are not UTF-8, new lines, quotes, and what means something in addresses, in names of files and folders."""
    folder = tmp_path / os.fsdecode(b"caf\xe9 ?x#y%20\n'z")
    folder.mkdir()
    clip = folder / os.fsdecode(b"fil\xe9\nm.mp4")
    clip.write_bytes(film.read_bytes())
    out = folder / os.fsdecode(b"o\xfct\n'1.mp4")
    process = start(ALL, tmp_path / "none", "video", clip, "-o", out, "--weights", weights)  # which says these names to a pipe
    said = process.communicate(timeout=300)[1].decode()
    assert process.returncode == 0 and "Traceback" not in said, said
    (tmp_path / "plain.mp4").write_bytes(out.read_bytes())
    assert numbers_of_negative(tmp_path / "plain.mp4") == numbers(film) and sorted(folder.iterdir()) == sorted([clip, out])


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("length", [240, 246, 248, 249])
def test_long_names_are_refused_at_once_or_work(
    run: Run, tmp_path: Path, talkie: Path, length: int, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"{'n' * (length - 4)}.mp4"
    code = run("video", talkie, "-o", out)
    if length <= 248:
        assert code == 0 and numbers(out)
    else:
        assert code == 1 and "cannot be written: File name too long" in one_line(capsys)
