"""`Show`: a live show with all its outputs, put together from flags, and run until the user quits."""

import argparse
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from realtime_nst.engines.backend import choose_backend
from realtime_nst.errors import NSTError
from realtime_nst.frames import Frame, LiveSource, Sink
from realtime_nst.live.controls import Controls
from realtime_nst.live.overlay import draw_overlay
from realtime_nst.live.pace import Pace
from realtime_nst.live.painter import LivePainter
from realtime_nst.live.recorder import Recorder
from realtime_nst.live.refiner import Refiner
from realtime_nst.live.remote import LiveRemote, NoKeyboard, Output
from realtime_nst.live.settings import Settings, keep_settings
from realtime_nst.live.snapshots import Snapshots
from realtime_nst.live.window import WindowSink
from realtime_nst.media.addresses import is_address, mask
from realtime_nst.media.opencv import has_opencv
from realtime_nst.outputs.background import FINISH_TIMEOUT, BackgroundSink
from realtime_nst.outputs.recording import LiveFileSink, rescue_recordings
from realtime_nst.outputs.registry import kind_of
from realtime_nst.outputs.sinks import TeeSink
from realtime_nst.outputs.virtual_camera import VirtualCameraSink
from realtime_nst.painting import serving
from realtime_nst.pipeline.interrupt import on_interrupt
from realtime_nst.pipeline.loop import run
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.book import StyleBook, own_style_folder
from realtime_nst.style.style import Style

STREAM_FPS = 60.0
"""Streams and the virtual camera have at most so many frames per second, whatever a camera claims."""
STREAM_FINISH_TIMEOUT = 3.0
TIME_TO_READ = 5.0
"""Seconds for which a window shows what is kept from an earlier show."""
REPEAT = 1.0
"""Seconds without a frame after which streams and the virtual camera get the last one again."""


class Viewer(Sink, Output, Protocol):
    """Where the show is seen, beside the window."""

    @property
    def watched(self) -> bool:
        """Whether anyone looks there now."""


class Show:
    """Everything that a live show needs, from flags; `play` runs it.

    Args:
        options: The flags.
        settings: What is set at first.
        book: All styles.
        style: Where to start.
        source: The camera.
        say: Prints a line for the user.
        kept: What of the settings is kept from an earlier show, in words.
        steered: Whether anything but the window may ask for pictures and recordings.
        remembers: Whether later shows start with what is set in this one.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        settings: Settings,
        book: StyleBook,
        style: Style,
        source: LiveSource,
        say: Callable[[str], None],
        kept: str = "",
        steered: bool = False,
        remembers: bool = True,
    ) -> None:
        self._options, self._say, self._remembers = options, say, remembers
        self._steered = steered or not options.no_window
        self.viewers: list[Viewer] = []
        """Added before `play`."""
        self._kept = kept
        self.book = book
        self.source = source
        self._failures: list[NSTError] = []
        self._files: list[LiveFileSink] = []
        self._background_sinks: list[BackgroundSink] = []
        self._window: WindowSink | None = None
        self._pictures: list[Snapshots] = []
        self.backend = choose_backend(options.backend, options.precision, options.device)
        stylizer = serving.load_stylizer(self.backend)
        self.controls = Controls(list(book.values()) or [style], style, settings)
        self.controls.full_screen = options.full_screen
        self.stats = Stats()
        self._engine = str(self.backend)
        bodies = list({body.sha256: body for body in (style.body, *book.bodies)}.values())
        pace = Pace(options.fps) if options.fps and has_opencv() else None
        self.painter = LivePainter(stylizer, self.controls, bodies, source.width, source.height, pace)
        source.tell = self.controls.say
        self.refiner = Refiner(
            self.controls,
            lambda: self.painter.photo,
            lambda: options.weights or own_style_folder(),
            say,
            options.vgg_weights,
            options.photos,
        )

    def play(self) -> int:
        """Run until the user quits or the source ends."""
        options, controls, source = self._options, self.controls, self.source
        sinks: list[Sink] = []
        tee = TeeSink(sinks)
        try:
            remote = self._open_sinks(sinks)
            welcome = f"{controls.style.name}   h shows the keys"
            if self._kept:
                controls.say(f"{welcome}   kept from an earlier show: {self._kept}", TIME_TO_READ)
            else:
                controls.say(welcome)
            with on_interrupt(controls.leave):
                try:
                    run(source, partial(map, self.painter), tee, remote, self.stats, frames=options.frames)
                finally:
                    if self.stats.frames:  # whatever ended the show, what was recorded of it stays
                        tee.close()
        finally:
            if self._remembers:
                keep_settings(controls.chosen)
            source.close()
            tee.discard()
            self.refiner.close()
            self.painter.close()
            for file in self._files:  # also after an error, which comes last
                if file.written:
                    self._say(f"Recorded '{file.path}'." if file.whole else f"'{file.path}' has what was recorded until then.")
        self._say(f"{self.stats.summary()}.")
        for file in self._files:
            if not file.written and not self._failures:
                self._say(f"No frame came; '{file.path}' was not written.")
        return 1 if self._failures else 0

    def _open_sinks(self, sinks: list[Sink]) -> LiveRemote:
        """Open them one by one: when one does not open, those before it are in the list.

        Returns:
            What steers the show with them.
        """
        options, controls, source = self._options, self.controls, self.source
        width, height = source.width, source.height
        rate = Fraction(min(source.fps, STREAM_FPS)).limit_denominator(1001)
        sinks += self.viewers
        if self._steered:
            draw = self.draw if options.display_in_output else None
            self._pictures.append(Snapshots(options.snapshots, controls, self._say, draw))
            sinks += self._pictures  # closed from the last on: nobody looks at a window that waits for pictures
        if not options.no_window:
            changed, full = lambda: (controls.changes, controls.notice), lambda: controls.full_screen
            self._window = WindowSink("realtime-nst", width, height, self.draw, changed, full)
            sinks.append(self._window)
        outputs: list[BackgroundSink | Recorder] = []
        tee = TeeSink(outputs)
        sinks.append(Drawn(tee, self.draw, self._fed) if options.display_in_output else tee)
        planned = [Path(output) for output in options.output if not is_address(output)]
        for folder in dict.fromkeys([options.snapshots, *(path.parent for path in planned)]):
            for path in rescue_recordings(folder, planned):
                self._recorded(path)
        if self._steered:
            outputs.append(Recorder(options.snapshots, controls, width, height, rate, self._recorded, self._failed))
        if options.virtual_camera:
            camera = VirtualCameraSink(width, height, float(rate))
            self._say(f"The virtual camera is '{camera.device}'.")
            outputs.append(self._in_background(camera, "The virtual camera", repeat=REPEAT))
        for output in options.output:
            kind = kind_of(output)
            sink = kind.open(output, width, height, rate)
            if isinstance(sink, LiveFileSink):
                self._files.append(sink)
            if kind.endless:
                outputs.append(self._in_background(sink, f"The stream to '{mask(output)}'", STREAM_FINISH_TIMEOUT, REPEAT))
            else:
                outputs.append(self._in_background(sink, f"'{output}'"))
        outside = [*self._pictures, *outputs, *self.viewers, self.refiner]
        return LiveRemote(controls, self._window or NoKeyboard(), outside, self._watched)

    def _in_background(
        self, sink: Sink, name: str, patience: float = FINISH_TIMEOUT, repeat: float | None = None
    ) -> BackgroundSink:
        background = BackgroundSink(sink, self._output_failed, patience, name=name, missing=self._missed, repeat=repeat)
        self._background_sinks.append(background)
        return background

    def _watched(self) -> bool:
        """Whether anyone takes the frames."""
        if self._window is None and (self._options.frames or not self.viewers):
            return True
        seen = (self._window is not None and self._window.watched) or any(viewer.watched for viewer in self.viewers)
        return seen or self._fed() or any(picture.pending for picture in self._pictures)

    def _fed(self) -> bool:
        """Whether anything beside the window takes frames."""
        return self.controls.recording or any(sink.watched for sink in self._background_sinks)

    def draw(self, image: np.ndarray) -> np.ndarray:
        """What the user should read, over a picture."""
        return draw_overlay(image, self.controls, self.stats, self._engine, self._size())

    def figures(self) -> dict[str, Any]:
        """How it runs, in numbers, by name; any thread may ask."""
        painted_width, painted_height = self.painter.process_size()
        return {
            "fps": round(self.stats.fps, 1),
            "age_ms": round(self.stats.age_ms),
            "frames": self.stats.frames,
            "dropped": self.stats.dropped,
            "width": self.painter.width,
            "height": self.painter.height,
            "painted_width": painted_width,
            "painted_height": painted_height,
            "engine": self._engine,
        }

    def _size(self) -> str:
        frame = f"{self.painter.width}x{self.painter.height}"
        width, height = self.painter.process_size()
        return frame if f"{width}x{height}" == frame else f"{frame}, painted at {width}x{height}"

    def _output_failed(self, error: NSTError) -> None:
        """The show goes on for the others."""
        self.controls.say("an output failed")
        self._failed(error)
        if self._options.no_window and not (self._fed() or self._steered):
            self.controls.leave()

    def _missed(self, words: str) -> None:
        """Tell of the first frame that an output missed, where it is seen."""
        self.controls.say(words)
        if self._options.no_window:
            self._say(f"{words}.")

    def _recorded(self, path: Path) -> None:
        """Tell of a finished recording."""
        self._say(f"Recorded '{path}'.")

    def _failed(self, error: NSTError) -> None:
        """Tell at once; the exit code remembers."""
        self._failures.append(error)
        self._say(f"realtime-nst: {error}")


class Drawn:
    """A sink that gets what is written over the picture, too.

    Args:
        sink: Where the frames go.
        draw: Writes over a picture.
        wanted: Whether the sink takes frames now; otherwise nothing is drawn for it.
    """

    def __init__(self, sink: Sink, draw: Callable[[np.ndarray], np.ndarray], wanted: Callable[[], bool]) -> None:
        self._sink, self._draw, self._wanted = sink, draw, wanted
        self.close, self.discard = sink.close, sink.discard

    def write(self, frame: Frame) -> None:
        self._sink.write(frame.with_image(self._draw(frame.image)) if self._wanted() else frame)
