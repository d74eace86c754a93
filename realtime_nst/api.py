"""What other programs use: `Stylizer` and its sessions, `paint_video`, `styles`.

`import realtime_nst` gives these names, and loads what they need when they are first used. Nothing here prints; what goes
wrong outside of the program is an `NSTError`, and a mistake in a call a `ValueError` or `TypeError`.
"""

import dataclasses
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_nst.engines.backend import choose_backend, for_files
from realtime_nst.frames import LARGEST_SIDE
from realtime_nst.jobs.film import paint_video as paint_file
from realtime_nst.jobs.options import Outcome, VideoOptions
from realtime_nst.jobs.outputs import Task, check_task
from realtime_nst.jobs.progress import QuietReport
from realtime_nst.media.filekinds import check_file
from realtime_nst.media.photos import read_reduced
from realtime_nst.painting import serving
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.painting.stream import Stream
from realtime_nst.pipeline.interrupt import on_interrupt
from realtime_nst.pipeline.loop import Unattended
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.book import StyleBook, find_styles, style_folders
from realtime_nst.style.from_picture import PictureStyles
from realtime_nst.style.look import DEFAULT_STABILITY, Look
from realtime_nst.style.schedule import StylePath
from realtime_nst.style.style import Style

__all__ = ["Outcome", "Progress", "Session", "Stylizer", "paint_video", "styles"]


class Progress(NamedTuple):
    """How far a film is.

    Args:
        frame: Frames in the output so far, those of an interrupted run before included.
        frames: About how many there will be; `None` where the original does not say how long it is.
        frames_per_second: How fast they come now.
    """

    frame: int
    frames: int | None
    frames_per_second: float


def styles(weights: str | PathLike[str] | None = None) -> dict[str, dict[str, object]]:
    """The styles at hand by name, in alphabetical order, each with what its file says about it.

    Args:
        weights: A folder of styles that is searched before your own and the shipped ones.

    Returns:
        Facts by style: `title`, `artist`, `year`, `licence` and more.

    Example:
        >>> from realtime_nst import styles
        >>> styles()["wave"]["artist"]
        'Katsushika Hokusai'
    """
    return {style.name: dict(style.metadata) for style in _book(weights).values()}


class Stylizer:
    """Paint pictures in the style of a painting.

    The first picture of a size takes a second or two, because the network is compiled for it; after that each takes
    milliseconds. Threads may share a stylizer: they take turns. Give each thread a stylizer of its own to paint at once.

    Args:
        style: A name, the path of a picture, or a mix such as "wave:0.6,cat.jpg:0.4"; `styles()` has the names.
        strength: From 0, the photo, to 1, the painting.
        keep_colours: Keep the photo's own colours: the brush of the style on the palette of the photo.
        texture: Strokes where the photo is plain, as on a wall: from 0, few, to 1, all that the style has.
        weights: A folder of styles that is searched before your own and the shipped ones.
        backend: "auto", "openvino", "tensorflow", "jax" or "onnxruntime". Keras runs on one of them in a process.
        precision: "auto", "float32", "bfloat16" or "float16".
        device: "auto" (of several the fastest, by measuring once), "cpu", "gpu" or "npu".

    Raises:
        StyleError: There is no such style, or it cannot be used.
        SourceError: A picture that should be a style cannot be read.
        BackendError: This machine lacks the backend or the precision.
        ValueError: A number is out of range.

    Example:
        >>> from PIL import Image
        >>> import numpy as np
        >>> from realtime_nst import Stylizer
        >>> photo = np.asarray(Image.open("photo.jpg").convert("RGB"))
        >>> painted = Stylizer(style="wave")(photo)
    """

    def __init__(
        self,
        style: str | PathLike[str] = "wave",
        *,
        strength: float = 1.0,
        keep_colours: bool = False,
        texture: float = 1.0,
        weights: str | PathLike[str] | None = None,
        backend: str = "auto",
        precision: str = "auto",
        device: str = "auto",
    ) -> None:
        self._look = _look(strength, keep_colours, texture)
        self._book = _book(weights, backend)
        self._styles: dict[str, Style] = {}
        self._style = self._styled(style)
        self._stylizer = serving.load_stylizer(choose_backend(backend, precision, device))

    def __call__(self, image: np.ndarray, style: str | PathLike[str] | None = None) -> np.ndarray:
        """Paint one picture by itself.

        Args:
            image: uint8 RGB `(height, width, 3)`, of any size.
            style: Another style for this picture: another name costs nothing, a picture that is new a moment.

        Returns:
            A new picture of the same shape.

        Raises:
            StyleError: There is no such style.
            TypeError: `image` is no array of uint8.
            ValueError: It has another shape.
        """
        return self._paint(Stream(self._stylizer), image, style, self._look)

    def session(self, *, stability: float = DEFAULT_STABILITY, follow_camera: bool = True) -> "Session":
        """Begin a stream of pictures, such as a film or a camera: what stands still in it holds still.

        Args:
            stability: Hold what changes by less than so many of 255 grey levels, from 0 to 32.
            follow_camera: Let the strokes in plain places go along when the camera moves. Without, and with a stability of 0,
                each picture is painted by itself.

        Raises:
            ValueError: It is out of range.
        """
        stability = _between("stability", stability, 0.0, 32.0)
        return Session(self, self._look._replace(stability=stability, follow_camera=bool(follow_camera)))

    def _paint(self, stream: Stream, image: np.ndarray, style: str | PathLike[str] | None, look: Look) -> np.ndarray:
        """What a call and a session have in common."""
        _check(image)
        chosen = self._style if style is None else self._styled(style)
        return stream.paint(image, chosen, look) if look.strength > 0 else image.copy()

    def _styled(self, style: str | PathLike[str]) -> Style:
        name = os.fspath(style)
        if name not in self._styles:
            self._styles[name] = self._book.mix(name)
        return self._styles[name]


class Session:
    """A stream of pictures of one film or camera, from `Stylizer.session`.

    Sessions of one stylizer know nothing of each other, whatever the sizes of their pictures. A session belongs to one thread
    at a time.
    """

    def __init__(self, stylizer: Stylizer, look: Look) -> None:
        self._stylizer, self._look = stylizer, look
        self._stream = Stream(stylizer._stylizer)

    def __call__(self, frame: np.ndarray, style: str | PathLike[str] | None = None) -> np.ndarray:
        """Paint the next picture; arguments, result and errors are those of `Stylizer.__call__`."""
        return self._stylizer._paint(self._stream, frame, style, self._look)

    def forget(self) -> None:
        """Hold nothing of the pictures so far: what comes next is another scene. A cut needs no such call."""
        self._stream.forget()


def paint_video(
    source: str | PathLike[str],
    target: str | PathLike[str],
    style: str | PathLike[str] | Sequence[str | PathLike[str]] = "wave",
    *,
    every: float | None = None,
    strength: float = 1.0,
    keep_colours: bool = False,
    texture: float = 1.0,
    stability: float = DEFAULT_STABILITY,
    follow_camera: bool = True,
    start: float = 0.0,
    end: float | None = None,
    size: tuple[int, int] | None = None,
    codec: str | None = None,
    crf: int | None = None,
    overwrite: bool = False,
    weights: str | PathLike[str] | None = None,
    backend: str = "auto",
    precision: str = "auto",
    device: str = "auto",
    progress: Callable[[Progress], object] = lambda progress: None,
    notice: Callable[[str], object] = lambda text: None,
) -> Outcome:
    """Paint a video file as `realtime-nst video` does: every frame at its time, with sound, subtitles and chapters.

    A call that was interrupted (by Ctrl-C, or an exception that `progress` raised) keeps what it has painted, and the same
    call goes on from there.

    Args:
        source: The original.
        target: The painted file; its ending says what it becomes.
        style: A name, the path of a picture, or a mix; or several of them, which come one after another every `every` seconds.
        every: Seconds for each of several styles.
        strength: From 0, the photo, to 1, the painting.
        keep_colours: Keep the film's own colours.
        texture: Strokes where the film is plain, from 0, few, to 1, all that the style has.
        stability: Hold what changes by less than so many grey levels, from 0 to 32.
        follow_camera: Let the strokes in plain places go along when the camera moves.
        start: Second at which to begin.
        end: Second at which to end; `None` goes on to the end.
        size: Width and height to scale to.
        codec: As for `--codec` of `realtime-nst video`.
        crf: Quality, as for `--crf`.
        overwrite: Replace an existing target.
        weights: A folder of styles that is searched before your own and the shipped ones.
        backend: As for `Stylizer`.
        precision: As for `Stylizer`.
        device: As for `Stylizer`.
        progress: Called after each frame.
        notice: Called with a line about what is not as it was in the original.

    Returns:
        What came of it; `interrupted` is true if Ctrl-C ended it early.

    Raises:
        NSTError: The film cannot be read, painted or written.
        ValueError: A number is out of range, or several styles come without `every`.
    """
    names = [os.fspath(name) for name in ([style] if isinstance(style, (str, PathLike)) else style)]
    if not names or (len(names) > 1) != (every is not None):
        raise ValueError(f"style={style!r}, every={every!r}: one style, or several and the seconds for each, were expected.")
    if size is not None and not all(isinstance(side, int) and 8 <= side <= LARGEST_SIDE for side in size):
        raise ValueError(f"size={size!r}: width and height from 8 to {LARGEST_SIDE} pixels were expected.")
    stability = _between("stability", stability, 0.0, 32.0)
    look = _look(strength, keep_colours, texture)._replace(stability=stability, follow_camera=bool(follow_camera))
    task = Task(Path(source), Path(target))
    check_file(task.source)
    check_task(task, [task.source], overwrite=overwrite)
    book = _book(weights, backend)
    path = StylePath([book.mix(name) for name in names], every)
    chosen = choose_backend(backend, precision, device)
    picture_painter = PicturePainter(serving.load_stylizer(for_files(chosen)), look)
    options = VideoOptions(
        styles=path,
        engine=str(chosen),
        look=picture_painter.description(),
        size=size,
        begin=Fraction(start).limit_denominator(1_000_000),
        end=None if end is None else Fraction(end).limit_denominator(1_000_000),
        codec=codec,
        crf=crf,
        overwrite=overwrite,
    )
    remote = Unattended()
    with on_interrupt(remote.leave):
        return paint_file(task.source, task.output, options, picture_painter, _Calls(progress, notice), remote)


@dataclasses.dataclass
class _Calls(QuietReport):
    """A report to functions."""

    progress: Callable[[Progress], object]
    say: Callable[[str], object]
    total: int | None = None
    done: int = 0

    def begin(self, name: str, total: int | None, done: int) -> None:
        self.total, self.done = total, done

    def frame(self, stats: Stats) -> None:
        self.progress(Progress(self.done + stats.frames, self.total, stats.fps))

    def notice(self, text: str) -> None:
        self.say(text)


def _book(weights: str | PathLike[str] | None, backend: str = "auto") -> StyleBook:
    pictures = PictureStyles(read_reduced, serving.load_encoder(lambda: choose_backend(backend)))
    return find_styles(style_folders(None if weights is None else Path(weights)), pictures)


def _look(strength: float, keep_colours: bool, texture: float) -> Look:
    strength, texture = _between("strength", strength, 0.0, 1.0), _between("texture", texture, 0.0, 1.0)
    return Look(strength, float(bool(keep_colours)), texture=texture)


def _between(name: str, value: float, lowest: float, highest: float) -> float:
    if not lowest <= value <= highest:
        raise ValueError(f"{name}={value!r}: a number from {lowest:g} to {highest:g} was expected.")
    return float(value)


def _check(image: np.ndarray) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = getattr(image, "dtype", type(image).__name__)
        raise TypeError(f"image of {kind}: a NumPy array of uint8 was expected, RGB from 0 to 255.")
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"image of shape {image.shape}: (height, width, 3) was expected, RGB.")
