"""The style of a picture gets better while a show goes on: begun, handed over, kept, and survived by the show."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.cli import webcam
from realtime_nst.cli.main import main
from realtime_nst.live import refiner as refining
from realtime_nst.live.controls import Controls
from realtime_nst.live.refiner import Refiner, shrunk
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.style import Style
from tests.conftest import one_line, pictured_book, wait_until
from tests.test_from_picture import picture

SMALL = "tests.train.small_refine"
LEARNING = 900.0
"""Seconds for a process that loads TensorFlow: other programs may have the processor."""
ROOT = Path(__file__).parents[1]


class Played:
    """The controls of a show that paints after a picture, what it sees, and what was told."""

    def __init__(self, book: StyleBook, path: Path, kept: Path, **given: object) -> None:
        self.style = book[str(path)]
        self.controls = Controls(book.values(), self.style)
        self.told: list[str] = []
        self.kept, self.seen = kept, 0
        self.targets = [self.controls.target]
        self.refiner = Refiner(self.controls, self.photo, lambda: kept, self.told.append, **given)  # type: ignore[arg-type]

    def photo(self) -> np.ndarray:
        """Another frame each time."""
        self.seen += 1
        return np.random.default_rng(self.seen).integers(0, 256, (48, 64, 3), dtype=np.uint8)

    def look(self) -> bool:
        """What the show does between two frames; whether nothing is refined any more."""
        self.refiner.check()
        if self.controls.target is not self.targets[-1]:
            self.targets.append(self.controls.target)
        return not self.controls.refining

    def until_better(self) -> int:
        """Refine until the first better vector, and no further: what follows waits for the show. Returns the process."""
        assert wait_until(lambda: self.look() or len(self.targets) > 1, LEARNING) and len(self.targets) == 2
        assert self.refiner._work is not None
        return self.refiner._work.process.pid


@pytest.fixture
def play(pictured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Played]]:
    """Begin a show in the style of `cat.png`; what learns is small."""
    monkeypatch.setattr(refining, "LEARNER", SMALL)
    monkeypatch.setattr(refining, "FRAME_EVERY", 0.0)
    with ExitStack() as opened:

        def begin(kept: Path | None = None, **given: object) -> Played:
            made = Played(pictured_book(pictured), picture(tmp_path / "cat.png"), kept or tmp_path / "own", **given)
            opened.callback(made.refiner.close)
            return made

        yield begin


def test_a_key_makes_the_style_better_step_by_step_and_it_is_kept(play: Callable[..., Played], pictured: Path) -> None:
    show = play()
    show.controls.press("u")
    assert show.controls.state["actions"]["refine"] is True
    assert wait_until(show.look, LEARNING)
    assert len(show.targets) > 3, "several better vectors, each a new target that is faded to"
    assert {target.name for target in show.targets} == {"cat"} and show.controls.styles[-1] is show.controls.target
    assert len({target.vector.tobytes() for target in show.targets}) == len(show.targets)
    assert show.told[0] == "Refining 'cat' while the show goes on." and len(show.told) == 2
    assert show.told[1].startswith("Refined 'cat': its loss fell from ") and show.told[1].endswith(
        "as 'cat', a style of your own."
    )
    kept = find_styles([show.kept, pictured])["cat"]
    assert np.array_equal(kept.vector, show.controls.target.vector)
    facts = kept.metadata
    assert (facts["picture"], facts["trained"], facts["painting_size"]) == ("cat.png", "refined in a show", 384)
    assert "predicted" not in facts and 0 < facts["total_steps"] <= 60
    assert show.controls.notice == "cat is refined, and kept" and show.controls.state["actions"]["refine"] is False


def test_it_can_be_ended_and_begun_again_and_the_same_file_is_kept(play: Callable[..., Played]) -> None:
    show = play()
    for _ in range(2):
        show.targets = show.targets[-1:]
        show.controls.do("refine", True)
        process = show.until_better()
        show.controls.do("refine", False)
        assert show.look() and not Path(f"/proc/{process}").exists()
    assert [path.name for path in show.kept.iterdir()] == ["cat.weights.h5"]


def test_a_style_of_that_name_that_lies_there_is_not_replaced(play: Callable[..., Played]) -> None:
    show = play()
    show.kept.mkdir()
    (show.kept / "cat.weights.h5").write_text("precious")
    show.controls.do("refine", True)
    show.until_better()
    show.refiner.close()
    assert (show.kept / "cat.weights.h5").read_text() == "precious" and (show.kept / "cat-2.weights.h5").stat().st_size > 1000
    assert show.told[-1].endswith("Kept as 'cat-2', a style of your own.")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_the_show_goes_on_with_the_last_vector_when_the_process_is_killed(play: Callable[..., Played]) -> None:
    show = play()
    show.controls.do("refine", True)
    os.kill(show.until_better(), signal.SIGKILL)
    assert wait_until(show.look, LEARNING)
    said = "realtime-nst: 'cat' is refined no further: Its process ended with code -9; it may lack memory. "
    assert show.told[1] == f"{said}The show goes on with what it has." and "Kept as 'cat'" in show.told[2]
    vector = show.controls.target.vector
    assert not np.array_equal(vector, show.style.vector)
    show.controls.press("n")
    assert show.controls.target.name == "mosaic"


def test_a_process_that_cannot_learn_says_why(
    play: Callable[..., Played], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refining, "LEARNER", "realtime_nst.train.refine")
    (tmp_path / "vgg.h5").write_text("damaged")
    show = play(vgg_weights=str(tmp_path / "vgg.h5"))
    show.controls.do("refine", True)
    assert wait_until(show.look, LEARNING)
    assert show.told[1].startswith(
        f"realtime-nst: 'cat' is refined no further: The VGG19 weights '{tmp_path / 'vgg.h5'}' were not"
    )
    assert len(show.told) == 2 and show.controls.target is show.style and not show.kept.exists()


def test_what_cannot_be_kept_is_one_line_and_stays_in_the_show(play: Callable[..., Played], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    show = play(kept=tmp_path / "file" / "styles")
    show.controls.do("refine", True)
    show.until_better()
    show.controls.do("refine", False)
    assert show.look()
    assert show.told[-1].startswith("realtime-nst: 'cat' is refined, but not kept: ") and show.controls.target is show.targets[-1]


@pytest.mark.parametrize("lacks", ["picture", "vgg", "photos", "tensorflow"])
def test_what_is_missing_is_said_when_the_key_is_pressed(
    play: Callable[..., Played], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    gone = tmp_path / "gone"
    show = play(**({"vgg_weights": str(gone)} if lacks == "vgg" else {"photos": gone} if lacks == "photos" else {}))
    if lacks == "picture":
        show.controls.do("style", "wave")
    if lacks == "tensorflow":
        monkeypatch.setattr(refining, "usable", lambda name: False)
    show.controls.press("u")
    assert show.look() and show.refiner._work is None
    said = {
        "picture": "'wave' cannot be refined here: that is for the style of one picture that a show is given, as with `--style ",
        "vgg": f"No VGG19 weights at '{gone}'. Give the path of the file with --vgg-weights, or leave it out: they are",
        "photos": f"No folder of photos at '{gone}'. Name another with --photos, or leave it out.",
        "tensorflow": "Refining learns with TensorFlow or JAX, and neither is installed. `pip install tensorflow` helps.",
    }[lacks]
    assert show.controls.notice.startswith(said) and show.told == [f"realtime-nst: {show.controls.notice}"]


def test_what_shows_nothing_is_not_learned_from(play: Callable[..., Played], monkeypatch: pytest.MonkeyPatch) -> None:
    show = play()
    dark = np.full((48, 64, 3), 20, np.uint8)
    monkeypatch.setattr(show.refiner, "_photo", lambda: dark)
    show.controls.do("refine", True)
    for _ in range(3):
        assert not show.look()
    assert show.refiner._work is None, "it waits for a frame with something in it"


def test_a_style_whose_picture_is_replaced_is_learned_no_longer(play: Callable[..., Played], tmp_path: Path) -> None:
    show = play()
    show.controls.do("refine", True)
    process = show.until_better()
    other = replace(show.style, picture=np.zeros((9, 9, 3), np.uint8))
    show.controls.add(other)
    assert wait_until(show.look, LEARNING) and not Path(f"/proc/{process}").exists()
    assert np.array_equal(show.controls.target.vector, other.vector)


def test_a_vector_that_is_renewed_stays_mixed_as_it_was(pictured: Path, tmp_path: Path) -> None:
    book = pictured_book(pictured)
    style = book[str(picture(tmp_path / "cat.png"))]
    controls = Controls(book.values(), book["wave"])
    better = replace(style, vector=style.vector + 1)
    controls.do("other", "cat")
    controls.do("mix", 0.25)
    assert controls.renew(better) and controls.target.name == "wave:0.75,cat:0.25"
    assert np.allclose(controls.target.vector, 0.75 * book["wave"].vector + 0.25 * better.vector, atol=1e-5)
    controls.do("style", "scream")
    target = controls.target
    assert controls.renew(better) and controls.target is target, "what is painted in does not change"
    assert controls.styles[-1].name != "cat" or np.array_equal(controls.styles[-1].vector, better.vector)
    controls.drop("cat")
    controls.do("style", "mosaic")
    controls.do("style", "scream")
    assert not controls.renew(better), "it is used nowhere any more"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when it next speaks")
def test_the_process_ends_with_a_show_that_is_killed(pictured: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom tests.test_refiner import Played, pictured_book, refining\n"
        f"refining.LEARNER = {SMALL!r}\n"
        "show = Played(pictured_book(Path(sys.argv[1])), Path(sys.argv[2]), Path('kept'))\n"
        "show.controls.do('refine', True)\nshow.look()\n"
        "print(show.refiner._work.process.pid, flush=True)\ntime.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, str(pictured), str(picture(tmp_path / "cat.png"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child = Path(f"/proc/{int(parent.stdout.readline())}")
        assert child.exists()
        parent.kill()
    assert wait_until(lambda: not child.exists() or "Z" in (child / "stat").read_text().split()[2])


def test_large_frames_are_sent_small() -> None:
    frame = np.arange(1100 * 1200 * 3, dtype=np.uint32).reshape(1100, 1200, 3).astype(np.uint8)
    assert shrunk(frame).shape == (550, 600, 3) and shrunk(frame[:700]) is not None
    assert shrunk(frame[:700]).shape == (700, 1200, 3)


# The whole show.


@pytest.fixture
def webcam_of(pictured: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command on a small test pattern, with a process that learns small."""
    monkeypatch.setattr(refining, "LEARNER", SMALL)
    monkeypatch.setattr(refining, "FRAME_EVERY", 0.0)
    common = [
        "webcam",
        "--camera",
        "pattern",
        "--size",
        "64x48",
        "--no-window",
        "--backend",
        "openvino",
        "--weights",
        str(pictured),
    ]
    return lambda *words: main([*common, *map(str, words)])


def test_a_show_goes_on_while_its_style_is_refined_and_keeps_it(
    webcam_of: Callable[..., int], pictured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    def say(text: str) -> None:
        lines.append(text)
        if text.startswith(("Refined", "realtime-nst")):
            signal.raise_signal(signal.SIGINT)  # ends the show

    monkeypatch.setattr(webcam, "say", say)
    assert webcam_of("--frames", 100_000, "--style", picture(tmp_path / "cat.png"), "--refine") == 0
    assert [line.split(":")[0].split(" while")[0] for line in lines[:2]] == ["Refining 'cat'", "Refined 'cat'"]
    assert (pictured / "cat.weights.h5").exists()
    frames, steps = int(lines[-1].split()[0]), int(lines[1].partition(" steps")[0].split()[-1])
    assert frames > steps, "it waited for no step"


def test_a_show_that_ends_ends_what_it_refines(webcam_of: Callable[..., int], tmp_path: Path) -> None:
    assert webcam_of("--frames", 3, "--style", picture(tmp_path / "cat.png"), "--refine") == 0


def test_what_cannot_be_refined_is_one_line_before_the_show(
    webcam_of: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert webcam_of("--frames", 3, "--style", "wave", "--refine") == 1
    assert one_line(capsys).startswith("'wave' cannot be refined here: ")
    cat = picture(tmp_path / "cat.png")
    assert webcam_of("--frames", 3, "--style", cat, "--refine", "--vgg-weights", tmp_path / "gone.h5") == 1
    assert one_line(capsys).startswith(f"No VGG19 weights at '{tmp_path / 'gone.h5'}'. ")


def test_a_style_has_its_picture_also_where_it_was_kept_before(pictured: Path, tmp_path: Path) -> None:
    cat = picture(tmp_path / "cat.png")
    assert main(["styles", "add", str(cat), "--weights", str(pictured), "--backend", "openvino"]) == 0
    book = pictured_book(pictured)
    style: Style = book[str(cat)]
    assert style.name == "cat" and style.picture is not None and book["cat"] is style
