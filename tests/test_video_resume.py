"""`video`, nothing lost: kill -9, full disks, Ctrl-C, what is there already; the result is compared frame by frame."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.cli import main
from realtime_nst.errors import SinkError
from realtime_nst.files.footage import Footage, Mark
from realtime_nst.files.probing import probe
from realtime_nst.files.workfolder import Note, WorkFolder, segment_frames, work_path
from realtime_nst.video import Frame
from tests.conftest import one_line, wait_until
from tests.readback import about, digest, duration, lag, numbered_source, numbers, read_back, sound, tracks

Clip = Callable[..., Path]
Run = Callable[..., int]
SLOW_IDENTITY = """
import sys, time
from realtime_nst import commands
from realtime_nst.files import workfolder
from realtime_nst.cli import main
from realtime_nst.stylizer import Stylizer
def paint(image, vector):
    time.sleep(float(sys.argv[1]))
    return 255 - image
commands.load_stylizer = lambda backend: Stylizer(lambda body, width, height: paint)
workfolder.SEGMENT_FRAMES = 16
sys.exit(main(sys.argv[2:]))
"""
"""The program with a network that does nothing but take its time, and short segments."""


def start(pause: float, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SLOW_IDENTITY, str(pause), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(pause: float, *arguments: object) -> tuple[int, str]:
    process = start(pause, *arguments)
    said = process.communicate(timeout=120)[1].decode()
    assert "Traceback" not in said, said
    return process.returncode, said


def parts(output: Path) -> int:
    """Finished segments of an output."""
    return len(list(work_path(output).glob("0*.json")))


@pytest.fixture
def film(make_clip: Clip) -> Path:
    """Six seconds of numbered pictures with sound, keyframes far apart, B-frames between."""
    return make_clip(
        "film.mp4", *numbered_source(rate="24000/1001", seconds=6), "-f", "lavfi", "-i", "sine=frequency=300:duration=6",
        "-g", "50", "-bf", "3", "-pix_fmt", "yuv420p",
    )  # fmt: skip


def kill_and_resume(folder: Path, film: Path, weights: Path, moments: list[float]) -> None:
    """Paint at a stretch, and with a kill -9 after each of some numbers of seconds; both must be the same file."""
    whole, pieced = folder / "whole.mp4", folder / "pieced.mp4"
    assert finish(0, "video", film, "-o", whole, "--weights", weights)[0] == 0
    kills = 0
    for moment in moments:
        process = start(0.012, "video", film, "-o", pieced, "--weights", weights)
        wait_until(work_path(pieced).exists, 30)
        time.sleep(moment)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.communicate()
        assert not pieced.exists() or process.returncode == 0, "half a file under the final name"
        if pieced.exists():
            break
    assert kills >= min(3, len(moments))
    if not pieced.exists():
        code, said = finish(0, "video", film, "-o", pieced, "--weights", weights)
        assert code == 0, said
    assert not work_path(pieced).exists() and sorted(path.name for path in folder.iterdir()) == ["pieced.mp4", "whole.mp4"]
    times, images = read_back(whole)
    other_times, other_images = read_back(pieced)
    assert times == other_times and np.array_equal(images, other_images)
    assert digest(whole, "v:0") == digest(pieced, "v:0"), "not even a bit of the picture differs"
    assert digest(whole, "a:0") == digest(pieced, "a:0")


def test_killed_runs_go_on_and_give_the_same_file(tmp_path: Path, film: Path, weights: Path) -> None:
    kill_and_resume(tmp_path, film, weights, [0.35, 0.7, 0.5])


@pytest.mark.slow
def test_ten_kills_at_random_moments(tmp_path: Path, film: Path, weights: Path) -> None:
    moments = np.random.default_rng().uniform(0.05, 1.0, 10).tolist()
    kill_and_resume(tmp_path, film, weights, moments)


def test_killed_run_leaves_no_process(tmp_path: Path, film: Path, weights: Path) -> None:
    process = start(0.02, "video", film, "-o", tmp_path / "out.mp4", "--weights", weights)
    assert wait_until(lambda: parts(tmp_path / "out.mp4") >= 1, 60)
    process.kill()
    process.communicate()

    def ours() -> list[str]:
        found = []
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                text = command.read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            if str(tmp_path) in text or (str(film) in text and "ffmpeg" in text):
                found.append(text)
        return found

    assert wait_until(lambda: not ours(), 10), ours()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interruption_keeps_what_is_painted(tmp_path: Path, film: Path, weights: Path, number: signal.Signals) -> None:
    out = tmp_path / "out.mp4"
    process = start(0.02, "video", film, "-o", out, "--weights", weights)
    assert wait_until(lambda: parts(out) >= 2, 60)
    process.send_signal(number)
    process.send_signal(signal.SIGINT)  # pressed twice: that must not cost anything
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130 and "Traceback" not in said, said
    assert re.search(r"Interrupted: \d+ painted frames are kept\. The same command goes on from there", said)
    assert [path.name for path in tmp_path.iterdir()] == [".out.mp4.parts"]
    code, said = finish(0, "video", film, "-o", out, "--weights", weights)
    assert code == 0 and re.search(r"going on after (32|48|64|80|96|112|128) frames", said)
    assert numbers_of_negative(out) == numbers(film)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def numbers_of_negative(path: Path) -> list[int]:
    """Numbers in the pictures that the slow network has turned into negatives."""
    return [(1 << 12) - 1 - number for number in numbers(path)]


def test_partial_file_plays_when_asked_for(tmp_path: Path, film: Path, weights: Path) -> None:
    out = tmp_path / "out.mp4"
    process = start(0.03, "video", film, "-o", out, "--weights", weights, "--partial")
    assert wait_until(lambda: parts(out) >= 1, 60)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1].decode()
    partial = tmp_path / "out.partial.mp4"
    assert process.returncode == 130 and f"'{partial}' holds the first" in said, said
    found = numbers_of_negative(partial)
    assert 16 <= len(found) < 143 and found == list(range(len(found)))
    assert duration(partial) == pytest.approx(len(found) * 1001 / 24000, abs=0.06), "the sound ends with the picture"
    assert tracks(partial) == ["video h264", "audio aac"]
    assert finish(0, "video", film, "-o", out, "--weights", weights, "--partial")[0] == 0
    assert numbers_of_negative(out) == numbers(film) and partial.exists()


def test_another_job_does_not_take_over_or_throw_away(tmp_path: Path, film: Path, weights: Path) -> None:
    out = tmp_path / "out.mp4"
    process = start(0.02, "video", film, "-o", out, "--weights", weights)
    assert wait_until(lambda: parts(out) >= 1, 60)
    code, said = finish(0, "video", film, "-o", out, "--weights", weights)
    assert code == 1 and "Another process is painting" in said
    process.kill()
    process.communicate()
    kept = parts(out)
    code, said = finish(0, "video", film, "-o", out, "--weights", weights, "--style", "scream")
    assert code == 1 and "holds frames painted otherwise (styles" in said and "--restart" in said
    assert parts(out) == kept
    code, said = finish(0, "video", film, "-o", out, "--weights", weights, "--style", "scream", "--restart")
    assert code == 0 and "going on" not in said


def test_damaged_remains_are_painted_again(tmp_path: Path, film: Path, weights: Path) -> None:
    out = tmp_path / "out.mp4"
    process = start(0.02, "video", film, "-o", out, "--weights", weights)
    assert wait_until(lambda: parts(out) >= 3, 60)
    process.kill()
    process.communicate()
    folder = work_path(out)
    second = folder / "000001.mp4"
    second.write_bytes(second.read_bytes()[:-100])  # as after a power cut
    (folder / "000002.json").write_text("{")
    (folder / ".000003.1.part.mp4").write_bytes(b"half")
    code, said = finish(0, "video", film, "-o", out, "--weights", weights)
    assert code == 0 and "going on after 16 frames" in said
    assert numbers_of_negative(out) == numbers(film)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_says_so_and_keeps_what_is_painted(small_disk: Path, make_clip: Clip, weights: Path) -> None:
    noise = "nullsrc=size=160x120:rate=25:duration=5,geq=random(1)*255:128:128"
    clip = make_clip("noise.mkv", "-f", "lavfi", "-i", noise, "-c:v", "ffv1")
    out = small_disk / "out.mp4"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    code, said = finish(0, "video", clip, "-o", out, "--weights", weights)
    last = said.strip().splitlines()[-1]
    assert code == 1 and re.search(r"The disk of '.*' is full: [\d.]+ [MG]B free\. About [\d.]+ MB are needed to go on", last), (
        last
    )
    assert re.search(r"the (\d+) frames painted so far are kept", last)
    assert not out.exists() and parts(out) >= 1
    kept = parts(out) * 16
    ballast.unlink()
    code, said = finish(0, "video", clip, "-o", out, "--weights", weights, "--crf", "18")
    if code:  # segments and the whole file do not fit together: both are needed for a moment
        assert "is full" in said
        subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
        code, said = finish(0, "video", clip, "-o", out, "--weights", weights)
    assert code == 0 and kept
    assert len(read_back(out)[0]) == 125 and "a" not in [path.name for path in small_disk.iterdir() if path.name.startswith(".")]


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
    from realtime_nst.stylizer import Stylizer

    out = tmp_path / "out.mp4"

    def paint(image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        out.write_bytes(b"precious")
        return image

    with monkeypatch.context() as patch:
        patch.setattr("realtime_nst.commands.load_stylizer", lambda backend: Stylizer(lambda body, width, height: paint))
        assert main(["video", str(talkie), "-o", str(out), "--weights", str(weights)]) == 1
    assert "has appeared meanwhile" in capsys.readouterr().err and out.read_bytes() == b"precious"
    out.unlink()
    code, said = finish(0, "video", talkie, "-o", out, "--weights", weights)
    assert code == 1 or "going on after 50 frames" in said or code == 0


def all_of(footage: Footage) -> list[Frame]:
    """Every frame."""
    try:
        return list(footage)
    finally:
        footage.close()


def test_footage_finds_its_place_or_starts_again(film: Path) -> None:
    info = probe(str(film))
    footage = Footage(str(film), info, marks_every=10)
    frames = all_of(footage)
    for index in (9, 59, 119, 139):
        mark = Mark(index + 1, frames[index].time, footage.checks[index])
        for wrong in (
            mark,
            Mark(index + 1, frames[index].time, 12345),
            Mark(index + 1, Fraction(1, 7), 1),
            Mark(index + 1, None, 0),
        ):
            rest = all_of(Footage(str(film), info, after=wrong))
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


def test_segments_of_large_pictures_are_short() -> None:
    assert segment_frames(640, 480) == 240 and segment_frames(1280, 720) == 240
    assert segment_frames(3840, 2160) == 26 and segment_frames(7680, 4320) == 8


def test_sound_of_a_resumed_film_is_in_step(tmp_path: Path, film: Path, weights: Path) -> None:
    out = tmp_path / "out.mkv"
    process = start(0.02, "video", film, "-o", out, "--weights", weights)
    assert wait_until(lambda: parts(out) >= 2, 60)
    process.kill()
    process.communicate()
    assert finish(0, "video", film, "-o", out, "--weights", weights)[0] == 0
    assert lag(sound(film), sound(out)) == pytest.approx(float(read_back(out)[0][0]), abs=0.002)
    assert "23.98 fps" in about(out)
