"""`video`, many files: names, what is skipped, what fails, what is told; progress for people and programs; preview."""

import json
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.cli.main import main
from realtime_nst.errors import SinkError, SourceError
from realtime_nst.files import free_name
from realtime_nst.frames import Frame, parse_moment
from realtime_nst.jobs.outputs import place, plan_tasks
from realtime_nst.jobs.preview import PreviewSink
from realtime_nst.jobs.progress import JsonReport
from realtime_nst.media.containers import numbers_there
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.encoding import FrameWriter
from realtime_nst.media.photos import read_photo
from realtime_nst.pipeline.stats import Stats
from tests.conftest import one_line, painting_by, wait_until
from tests.readback import most_memory, numbered_source, numbers, read_back

Clip = Callable[..., Path]
Run = Callable[..., int]


@pytest.fixture
def shelf(tmp_path: Path, make_clip: Clip) -> Path:
    """A folder of three videos, one in a folder of its own, beside things that are none."""
    clip = make_clip("short.mp4", *numbered_source(seconds=0.4), "-pix_fmt", "yuv420p").read_bytes()
    folder = tmp_path / "shelf"
    (folder / "deep" / "er").mkdir(parents=True)
    for name in ("a.mp4", "a.mov", "deep/er/b.MP4"):
        (folder / name).write_bytes(clip)
    (folder / "notes.txt").write_text("no video")
    (folder / ".hidden.mp4").write_bytes(clip)
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_names_of_outputs_are_safe(shelf: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def names(*arguments: object, **flags: object) -> list[str]:
        tasks = plan_tasks(*arguments, **flags)  # type: ignore[arg-type]
        return [str(task.output.relative_to(out)) for task in tasks]

    assert names([shelf], out) == ["a.mov", "a.mp4"]
    assert names([shelf], out, recursive=True) == ["a.mov", "a.mp4", "deep/er/b.MP4"]
    assert names([shelf], out, container="mkv") == ["a.mov.mkv", "a.mp4.mkv"], "two of one name"
    assert names([shelf / "a.mp4", shelf / "a.mov"], out, container="mkv") == ["a.mp4.mkv", "a.mov.mkv"], "in any order"
    assert names([shelf / "a.mp4", shelf / "a.mov"], out, container="mov") == ["a.mp4.mov", "a.mov"], "its own name"
    assert names([shelf / "a.mov", shelf / "a.mp4"], out, container="mov") == ["a.mov", "a.mp4.mov"]
    assert names([shelf], out, container="webm") == ["a.mov.webm", "a.mp4.webm"]
    assert names([shelf, shelf / "a.mp4"], out) == ["a.mov", "a.mp4", "a.mp4.mp4"]
    assert names([shelf / "a.mp4", shelf / "a.mp4", shelf / "a.mp4"], out) == ["a.mp4", "a.mp4.mp4", "a-2.mp4"]
    assert names([shelf], out, pattern="*.mov") == ["a.mov"]
    assert names([shelf / "notes.txt", shelf / "a.mp4"], out) == ["notes.mp4", "a.mp4"], "what it is, is found out later"
    (shelf / "deep" / "painted").mkdir()
    (shelf / "deep" / "painted" / "old.mp4").write_bytes(b"x")
    into = plan_tasks([shelf], shelf / "deep" / "painted", recursive=True)
    assert "old.mp4" not in [task.source.name for task in into], "what was painted is not painted again"
    version = [task.output for task in plan_tasks([shelf], tmp_path / "Painted.v2")]
    assert version == [tmp_path / "Painted.v2" / name for name in ("a.mov", "a.mp4")], "no ending of a video"
    assert plan_tasks([shelf / "a.mp4"], out, folder=True)[0].output == out / "a.mp4"
    with pytest.raises(SinkError, match=r"2 videos need a folder, and '.*one\.mp4' is none"):
        plan_tasks([shelf / "a.mp4", shelf / "a.mov"], tmp_path / "one.mp4")
    with pytest.raises(SourceError, match=r"No video in '.*deep'\. Add --recursive"):
        plan_tasks([shelf / "deep"], out)
    with pytest.raises(SourceError, match=r"No video in '.*shelf' that matches \*\.avi"):
        plan_tasks([shelf], out, pattern="*.avi", recursive=True)


@pytest.mark.usefixtures("identity")
def test_one_bad_file_does_not_stop_the_rest(run: Run, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shelf / "bad.mp4").write_bytes(b"no video at all" * 100)
    (shelf / "empty.mkv").write_bytes(b"")
    out = tmp_path / "out"
    assert run("video", shelf, "-o", out, "--recursive") == 1
    said = capsys.readouterr().err
    assert files(out) == ["a.mov", "a.mp4", "deep/er/b.MP4"]
    assert "bad.mp4' holds no video that can be read" in said and "empty.mkv' is empty" in said
    assert said.strip().endswith("3 painted, 0 skipped, 2 failed.")
    assert numbers(out / "deep" / "er" / "b.MP4") == list(range(10))


@pytest.mark.usefixtures("identity")
def test_camcorders_and_old_phones_have_endings_of_their_own(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside an .mp4, which must not be all that is seen."""
    card, out = tmp_path / "card", tmp_path / "out"
    card.mkdir()
    source = numbered_source(seconds=0.4)
    kinds = {
        "MOV001.MOD": ("-c:v", "mpeg2video", "-f", "dvd"),
        "MOV002.TOD": ("-c:v", "mpeg2video", "-f", "mpegts"),
        "tape.m2t": ("-c:v", "mpeg2video", "-f", "mpegts"),
        "00000.M2TS": ("-mpegts_m2ts_mode", "1", "-f", "mpegts"),
        "GL010023.LRV": ("-f", "mp4"),
        "clip.qt": ("-c:v", "mjpeg", "-f", "mov"),
        "plain.mp4": ("-f", "mp4"),
    }
    for name, flags in kinds.items():
        (card / name).write_bytes(make_clip(name, *source, "-pix_fmt", "yuv420p", *flags).read_bytes())
    small = numbered_source(176, 144, seconds=0.4)
    (card / "old-phone.3g2").write_bytes(make_clip("old.3g2", *small, "-c:v", "mpeg4").read_bytes())
    (card / "studio.mxf").write_bytes(make_clip("studio.mxf", *small, "-c:v", "mpeg2video").read_bytes())
    pal = numbered_source(720, 576, seconds=0.2)
    (card / "tape.dv").write_bytes(make_clip("tape.dv", *pal, "-target", "pal-dv", "-pix_fmt", "yuv420p").read_bytes())
    for name in ("._plain.mp4", ".hidden.mod"):
        (card / name).write_bytes(b"\0\5\x16\7")
    assert run("video", card, "-o", out) == 0
    names = sorted(path.name for path in card.iterdir() if not path.name.startswith("."))
    assert len(names) == 10 and len(files(out)) == 10, files(out)
    assert f"{len(names)} painted, 0 skipped, 0 failed" in capsys.readouterr().err
    assert {name.rpartition(".")[0].removesuffix(".dv").removesuffix(".m2t") for name in files(out)} == {
        name.rpartition(".")[0] for name in names
    }
    assert numbers(out / "MOV001.mp4") == numbers(out / "GL010023.mp4") == list(range(10))


@pytest.mark.usefixtures("identity")
def test_what_looks_like_a_video_and_is_left_out_of_a_folder_is_told(
    run: Run, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = (shelf / "a.mp4").read_bytes()
    for name in ("b.download", "c.xyz", "nothing", "deep/d.part", "._e.xyz", ".f.xyz"):
        (shelf / name).write_bytes(film)
    Image.new("RGB", (9, 9)).save(shelf / "photo.jpg")
    (shelf / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nA word.\n")
    (shelf / "a.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    assert run("video", shelf, "-o", tmp_path / "out") == 0
    said = capsys.readouterr().err
    assert f"Left out in '{shelf}', because they do not end as videos do: b.download, c.xyz, nothing. Give them by" in said
    assert said.count("Left out") == 1 and files(tmp_path / "out") == ["a.mov", "a.mp4"]
    assert run("video", shelf, "-o", tmp_path / "out", "--recursive", "--skip-existing", "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any("b.download, c.xyz, nothing and 1 more" in event.get("text", "") for event in events), events
    assert run("video", shelf, "-o", tmp_path / "more", "--pattern", "*.xyz") == 0
    assert "Left out" not in capsys.readouterr().err and files(tmp_path / "more") == ["c.mp4"]


def test_folder_of_photos_is_told_what_paints_them(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.jpg", "b.png", ".c.png"):
        Image.new("RGB", (9, 9)).save(tmp_path / name)
    assert run("video", tmp_path, "-o", tmp_path / "out") == 1
    said = one_line(capsys)
    assert said == f"No video in '{tmp_path}'. It holds 2 photos; `realtime-nst image` paints photos."


@pytest.mark.usefixtures("identity")
def test_an_empty_folder_does_not_stop_the_rest(
    run: Run, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run("video", tmp_path / "empty", shelf / "a.mp4", tmp_path / "gone.mp4", "-o", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert files(tmp_path / "out") == ["a.mp4"] and said.strip().endswith("1 painted, 0 skipped, 2 failed.")
    assert "No video in" in said and "No file at" in said


@pytest.mark.usefixtures("identity")
def test_a_name_with_a_slash_at_its_end_is_a_folder(run: Run, shelf: Path, tmp_path: Path) -> None:
    assert run("video", shelf / "a.mov", "-o", f"{tmp_path / 'new' / 'er'}/", "--quiet") == 0
    assert files(tmp_path / "new") == ["er/a.mov"]


@pytest.mark.usefixtures("identity")
def test_existing_pictures_are_skipped_or_refused(
    run: Run, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pattern = tmp_path / "p-%03d.png"
    (tmp_path / "p-005.png").write_bytes(b"precious")
    assert run("video", shelf / "a.mp4", "-o", pattern) == 1
    assert "p-005.png' exists. Add --overwrite" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.glob("*p*")) == ["p-005.png"], "not one of them is placed"
    (tmp_path / "p-012.png").write_bytes(b"of a longer one")
    assert run("video", shelf / "a.mp4", "-o", pattern, "--overwrite") == 0
    assert "'p-012.png' to 'p-012.png' are not from this video" in capsys.readouterr().err
    assert len(list(tmp_path.glob("p-*.png"))) == 11 and read_photo(tmp_path / "p-005.png").shape == (64, 96, 3)
    assert run("video", shelf / "a.mp4", "-o", pattern, "--skip-existing") == 0
    assert "exists; nothing to do" in capsys.readouterr().err


@pytest.mark.usefixtures("identity")
def test_existing_outputs_are_skipped_or_refused(
    run: Run, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.mp4").write_bytes(b"precious")
    assert run("video", shelf, "-o", out, "--skip-existing") == 0
    assert capsys.readouterr().err.strip().endswith("1 painted, 1 skipped, 0 failed.")
    assert run("video", shelf, "-o", out) == 1
    said = capsys.readouterr().err
    assert said.count("Add --overwrite") == 2 and said.strip().endswith("0 painted, 0 skipped, 2 failed.")
    assert (out / "a.mp4").read_bytes() == b"precious"
    assert run("video", shelf / "a.mp4", "-o", out / "a.mp4", "--skip-existing") == 0
    assert (out / "a.mp4").read_bytes() == b"precious"
    assert run("video", shelf, "-o", shelf) == 1
    assert "Input and output are the same file" in capsys.readouterr().err


@pytest.mark.usefixtures("identity")
def test_a_folder_takes_one_file_under_its_own_name(run: Run, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert run("video", shelf / "a.mov", "-o", tmp_path / "out", "--quiet") == 0
    assert files(tmp_path / "out") == ["a.mov"]


@pytest.mark.usefixtures("identity")
def test_programs_get_lines_of_json(run: Run, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shelf / "bad.mp4").write_bytes(b"no video")
    assert run("video", shelf, "-o", tmp_path / "out", "--json") == 1
    said = capsys.readouterr()
    events = [json.loads(line) for line in said.out.splitlines()]
    assert said.err == ""
    kinds = [event["event"] for event in events]
    assert kinds.count("begin") == kinds.count("done") == 2 and kinds.count("failed") == 1 and kinds[-1] == "end"
    assert events[-1] == {"event": "end", "painted": 2, "skipped": 0, "failed": 1, "left": 0}
    done = next(event for event in events if event["event"] == "done")
    assert done["frames"] == 10 and done["input"].endswith("a.mov") and done["frames_per_second"] > 0
    progress = next(event for event in events if event["event"] == "progress")
    assert progress["frame"] >= 1 and progress["frames"] == 10
    assert "no video that can be read" in next(event for event in events if event["event"] == "failed")["error"]
    assert run("video", shelf / "a.mp4", "-o", "-", "--json") == 1
    assert "--json and the video would both go to standard output" in capsys.readouterr().err
    assert run("video", shelf / "gone.mp4", "-o", tmp_path / "new.mp4", "--json") == 1
    event = json.loads(capsys.readouterr().out)
    assert event["event"] == "failed" and "The folder holds: a.mov, a.mp4, bad.mp4." in event["error"]


@pytest.mark.usefixtures("identity")
def test_quiet_is_quiet_and_a_bar_shows_speed_and_time_left(
    run: Run, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("video", shelf / "a.mp4", "-o", tmp_path / "quiet.mp4", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert run("video", shelf / "a.mp4", "-o", tmp_path / "loud.mp4") == 0
    said = capsys.readouterr().err
    assert "100%" in said and re.search(r"frame/s", said) and re.search(r"10/10 \[\d\d:\d\d<\d\d:\d\d", said)


def test_json_tells_the_time_left() -> None:
    lines: list[str] = []
    now = [0.0]
    report = JsonReport(lines.append, clock=lambda: now[0])
    stats = Stats(clock=lambda: now[0])
    report.begin("x.mp4", 300, 100)
    for _ in range(50):
        now[0] += 0.1
        stats.count(Frame(np.zeros((2, 2, 3), np.uint8), 0, now[0]))
        report.frame(stats)
    last = json.loads(lines[-1])
    assert last["event"] == "progress" and last["frames_per_second"] == pytest.approx(10, abs=0.1)
    assert last["seconds_left"] == pytest.approx((300 - last["frame"]) / 10, abs=0.5)
    assert len(lines) < 9, "about one a second"


def grey(shade: int) -> Frame:
    return Frame(np.full((8, 8, 3), shade, np.uint8), shade, 0.0)


def shade_of(path: Path) -> int | None:
    return int(np.asarray(Image.open(path))[0, 0, 0]) if path.exists() else None


def test_preview_shows_the_frame_that_was_just_painted(tmp_path: Path) -> None:
    look, now = tmp_path / "look.png", [0.0]
    sink = PreviewSink(look, clock=lambda: now[0])
    for shade in range(10):
        sink.write(grey(shade))
        assert wait_until(lambda: not sink._busy, 30)
        now[0] += 0.5
        assert shade_of(look) == shade - shade % 4
    sink.close()
    assert shade_of(look) == 9
    gone = PreviewSink(tmp_path / "gone" / "look.png")
    gone.write(grey(0))  # does not stop the work
    gone.close()


def test_preview_does_not_hold_up_the_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a picture is being written, however long that takes, frames go on; the seconds count from when it was there."""
    written, go_on, now = [], threading.Event(), [0.0]

    def slow(path: Path, image: np.ndarray, **flags: object) -> None:
        assert go_on.wait(30)
        written.append(int(image[0, 0, 0]))
        now[0] += 60

    monkeypatch.setattr("realtime_nst.jobs.preview.write_photo", slow)
    sink = PreviewSink(tmp_path / "look.png", clock=lambda: now[0])
    for shade in range(50):  # on this thread, which would wait for ever otherwise
        sink.write(grey(shade))
        now[0] += 1
    go_on.set()
    assert wait_until(lambda: not sink._busy, 30) and written == [0]
    sink.write(grey(77))  # at once after a minute's writing: too early
    assert not sink._busy
    sink.close()
    assert written == [0, 77]


@pytest.mark.usefixtures("identity")
def test_preview_replaces_nothing_but_previews(
    run: Run, shelf: Path, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    still = tmp_path / "still.png"
    Image.new("RGB", (64, 48), (200, 30, 30)).save(still)
    before, out = still.read_bytes(), tmp_path / "out.mp4"
    for flags in ([], ["--overwrite"]):
        assert run("video", still, "-o", out, "--preview", still, *flags) == 1
        assert "Input and output are the same file" in capsys.readouterr().err
    assert run("video", shelf / "a.mp4", "-o", out, "--preview", still) == 1
    assert "still.png' exists. Add --overwrite" in capsys.readouterr().err
    assert still.read_bytes() == before and not out.exists()
    assert run("video", shelf / "a.mp4", "-o", out, "--preview", tmp_path / "gone" / "look.png") == 1
    assert "No folder" in capsys.readouterr().err and not out.exists()
    assert run("video", shelf / "a.mp4", "-o", tmp_path / "p-%03d.png", "--preview", tmp_path / "p-001.png") == 1
    assert "would be the preview and one of the painted pictures" in capsys.readouterr().err
    for suffix in ("png", "jpg", "webp"):  # the same command twice, as after an interruption
        look = tmp_path / f"look.{suffix}"
        for _ in range(2):
            assert run("video", shelf / "a.mp4", "-o", out, "--preview", look, "--quiet") == 0
            out.unlink()
        Image.new("RGB", (9, 9)).save(look)
        assert run("video", shelf / "a.mp4", "-o", out, "--preview", look) == 1
    capsys.readouterr()
    assert run("video", shelf / "a.mp4", "-o", out, "--preview", still, "--overwrite") == 0
    with Image.open(still) as file:
        assert file.size == (96, 64)


@pytest.mark.usefixtures("identity")
def test_preview_on_request(run: Run, shelf: Path, tmp_path: Path) -> None:
    assert run("video", shelf / "a.mp4", "-o", tmp_path / "out.mp4", "--preview", tmp_path / "look.jpg") == 0
    with Image.open(tmp_path / "look.jpg") as file:
        assert file.size == (96, 64)


def test_decoding_painting_and_encoding_overlap(
    tmp_path: Path, make_clip: Clip, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a frame is painted, the next one is decoded and the one before is encoded.

    Each waits for the others to be under way at the same time: one after another, nothing would ever come to an end.
    """
    count, patience = 60, 60.0
    painting = read = written = -1
    late: list[str] = []

    def meet(what: str, condition: Callable[[], bool]) -> None:
        if not late and not wait_until(condition, patience):
            late.append(f"{what}: painting {painting}, read {read}, written {written}")

    def paint(image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        nonlocal painting
        painting += 1
        now = painting
        meet("paint", lambda: read >= min(now + 1, count - 1) and written >= now - 1)
        return image

    def reading(reader: FrameReader) -> np.ndarray | None:
        nonlocal read
        meet("read", lambda: painting >= read)  # the frame before the one that is read now
        frame = usual_read(reader)
        read += frame is not None
        return frame

    def writing(writer: FrameWriter, image: np.ndarray, tick: int | None = None) -> None:
        nonlocal written
        meet("write", lambda: painting >= min(written + 2, count - 1))  # the frame after the one that is written now
        usual_write(writer, image, tick)
        written += 1

    usual_read, usual_write = FrameReader.read, FrameWriter.write
    monkeypatch.setattr(FrameReader, "read", reading)
    monkeypatch.setattr(FrameWriter, "write", writing)
    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: painting_by(paint))
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 25)
    clip = make_clip("overlap.mp4", *numbered_source(rate="25", seconds=count / 25), "-pix_fmt", "yuv420p")
    assert main(["video", str(clip), "-o", str(tmp_path / "out.mp4"), "--weights", str(weights), "--quiet"]) == 0
    assert not late and painting == read == written == count - 1


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720)])
def test_files_are_painted_at_the_rate_of_the_network(
    tmp_path: Path, make_clip: Clip, weights: Path, monkeypatch: pytest.MonkeyPatch, width: int, height: int
) -> None:
    """With a network that takes 60 ms and no processor: all the rest must fit into the time that it takes."""
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5 * (os.cpu_count() or 1):
        pytest.skip("other programs need the processor, too")
    pause = 0.06
    spent: list[float] = []

    def paint(image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        began = time.perf_counter()
        time.sleep(pause)
        spent.append(time.perf_counter() - began)
        return image

    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: painting_by(paint))
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 40)
    lines: list[str] = []
    monkeypatch.setattr("realtime_nst.cli.video._print_line", lines.append)
    source = f"testsrc2=size={width}x{height}:rate=25:duration=4"
    clip = make_clip(f"speed{width}.mp4", "-f", "lavfi", "-i", source, "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    shares = []
    while len(shares) < 3 and max(shares, default=0) < 0.95:  # other programs may take the processor for a while
        spent.clear()
        lines.clear()
        flags = ["--weights", str(weights), "--json", "--overwrite"]
        assert main(["video", str(clip), "-o", str(tmp_path / "out.mp4"), *flags]) == 0
        done = json.loads(next(line for line in lines if '"done"' in line))
        assert done["frames"] == len(spent) == 100
        shares.append(done["frames_per_second"] * sum(spent) / len(spent))
    assert max(shares) >= 0.95, shares


def test_moments_in_words() -> None:
    assert [float(parse_moment(text)) for text in ("90", "1:30", "0:01:30.5", "1:00:00", "0.04")] == [90, 90, 90.5, 3600, 0.04]
    for text in ("", "x", "1:60", "-3", "1:2:3:4", "1/2", "1e400:0", "nan"):
        with pytest.raises(ValueError, match="is no moment"):
            parse_moment(text)


def test_placing_never_replaces_by_accident(tmp_path: Path) -> None:
    draft, output = tmp_path / "draft", tmp_path / "out.mp4"
    draft.write_bytes(b"new")
    output.write_bytes(b"old")
    with pytest.raises(SinkError, match="has appeared meanwhile"):
        place(draft, output, overwrite=False)
    assert output.read_bytes() == b"old" and free_name(output).name == "out-2.mp4"
    (tmp_path / "p-004.partial.png").touch()
    assert free_name(tmp_path / "p-%03d.partial.png", numbers_there).name == "p-%03d.partial-2.png"
    long = tmp_path / f"{'ü' * 125}.partial.mp4"
    assert free_name(long).name.endswith("ü.mp4") and len(free_name(long).name.encode()) <= 240
    place(draft, output, overwrite=True)
    assert output.read_bytes() == b"new" and not draft.exists()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells how much memory a process takes")
def test_large_numbers_of_frames_do_not_grow_memory(tmp_path: Path, make_clip: Clip, weights: Path) -> None:
    """Eight times as many frames, over several segments, take no more memory, ffmpeg's included."""
    most = {}
    for seconds in (4, 32):
        source = f"testsrc=size=320x240:rate=25:duration={seconds}"
        clip = make_clip(f"memory{seconds}.mp4", "-f", "lavfi", "-i", source, "-preset", "ultrafast", "-pix_fmt", "yuv420p")
        out = tmp_path / f"{seconds}.mp4"
        most[seconds] = most_memory("video", clip, "-o", out, "--quiet", "--weights", weights)
        assert len(read_back(out, filters="scale=16:16")[0]) == 25 * seconds
    frames = 320 * 240 * 3 * 25 * (32 - 4)
    assert most[32] - most[4] < frames / 2, most


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--pattern", "*.mov"), "--pattern and --recursive choose among the videos of a folder"),
        (("--recursive",), "--pattern and --recursive choose among the videos of a folder"),
        (("--container", "mkv"), "--container is for videos in a folder"),
    ],
)
def test_flags_for_folders_are_refused_where_there_is_none(
    run: Run, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], words: str
) -> None:
    assert run("video", shelf / "a.mp4", "-o", tmp_path / "out.mp4", *flags) == 1
    assert words in one_line(capsys) and not (tmp_path / "out.mp4").exists()
