"""What a worker of a cluster does when a client asks: say what it is, keep a film's pieces, paint a stretch.

These are functions that a client calls by name; a worker that was started by `dask worker` has them, too.
"""

import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime_nst import __version__
from realtime_nst.cluster.crew import is_wanted
from realtime_nst.cluster.orders import Abilities, Commission, Order
from realtime_nst.cluster.originals import Original
from realtime_nst.engines.backend import Backend, choose_backend, for_files
from realtime_nst.errors import ClusterError, StyleError
from realtime_nst.jobs.workfolder import Note, WorkFolder
from realtime_nst.painting import serving
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.pipeline.loop import run
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.book import find_styles, style_folders
from realtime_nst.style.schedule import StylePath
from realtime_nst.style.style import Style

NEWS_SECONDS = 1.0


class Workplace:
    """What a worker process has, whoever it works for."""

    def __init__(self) -> None:
        self.weights: Path | None = None
        self.backend = self.precision = "auto"
        self.busy = threading.Lock()
        self._stylizers: dict[Backend, Stylizer] = {}

    def engine(self, commission: Commission) -> Backend:
        """What computes: what this worker was told at its start goes before the client's wishes."""
        names = [(self.backend, commission.backend), (self.precision, commission.precision)]
        return choose_backend(*(theirs if own == "auto" else own for own, theirs in names))

    def stylizer(self, commission: Commission) -> Stylizer:
        """What paints; it is kept, with all that it has compiled."""
        backend = self.engine(commission)
        if backend not in self._stylizers:
            self._stylizers[backend] = serving.load_stylizer(for_files(backend))
        return self._stylizers[backend]

    def styles(self, commission: Commission) -> StylePath:
        """The style of each moment, on bodies that are here.

        Raises:
            StyleError: One of them is not.
        """
        bodies = {style.body.sha256: style.body for style in find_styles(style_folders(self.weights)).values()}
        for name, _, sha256 in commission.styles:
            if sha256 not in bodies:
                raise StyleError(f"It lacks the network of '{name}'. Start it with the client's style files, by --weights.")
        styles = [Style(name, vector, bodies[sha256]) for name, vector, sha256 in commission.styles]
        return StylePath(styles, commission.every)


HERE = Workplace()


def greet(commission: Commission) -> Abilities:
    """Make sure that this worker can paint a film.

    Raises:
        NSTError: It cannot.
    """
    if commission.version != __version__:
        raise ClusterError(f"It has realtime-nst {__version__}, and the client {commission.version}. Install the same.")
    HERE.styles(commission)
    return Abilities(str(HERE.engine(commission)), commission.original.found(_folder()) is not None)


def keep(original: Original, place: int, data: bytes) -> bool:
    """Keep a piece of a film; whether the whole is here now."""
    original.keep(_folder(), place, data)
    return original.found(_folder()) is not None


def forget(original: Original) -> None:
    """Delete what was kept of a film."""
    original.forget(_folder())


def paint(commission: Commission, order: Order) -> Sequence[tuple[Note, bytes]]:
    """Paint a stretch.

    Returns:
        Of each segment what is known of it, and its file; none if nobody wants it any more.

    Raises:
        NSTError: It could not.
    """
    path = commission.original.found(_folder())
    if path is None:
        raise ClusterError(f"'{commission.original.path}' is gone, or has changed.")
    reel = commission.reel
    with HERE.busy, tempfile.TemporaryDirectory(dir=_folder()) as folder:
        picture_painter, styles = PicturePainter(HERE.stylizer(commission), commission.look), HERE.styles(commission)
        picture_painter.offset = order.offset
        painter = reel.painter(picture_painter, styles, order.first)
        film = reel.source(str(path), order.after, order.first, painter.hold)
        clock = reel.clock()
        if order.clock is not None:
            clock.go_on(*order.clock)
        work = WorkFolder(Path(folder) / "stretch", {})
        sink, remote = reel.sink(work, clock), Awaited(film.check, commission.topic, order)
        try:
            run(film, painter, sink, remote, remote.stats, frames=order.frames)
            if remote.quit:
                return []
            sink.close()
        finally:
            sink.discard()
        found = [(note, segment.path.read_bytes()) for note, segment in zip(work.notes, work.segments(), strict=True)]
        work.remove()
    return found


class Awaited:
    """A `Remote` for one stretch: it quits once nobody waits for it, and tells how far it is.

    Args:
        check: Raises when the film's decoder hangs.
        topic: Under which it tells.
        order: The stretch.
    """

    idle = False

    def __init__(self, check: Any, topic: str, order: Order) -> None:
        from distributed import get_worker

        self.quit = False
        self.stats = Stats()
        self._check, self._topic, self._order = check, topic, order
        self._worker: Any = get_worker()
        self._key = self._worker.get_current_task()
        self._next = 0.0

    def leave(self) -> None:
        self.quit = True

    def poll(self, timeout: float) -> None:
        """See whether anything hangs, and whether the result is still wanted."""
        self._check()
        if not is_wanted(self._worker, self._key):
            self.quit = True
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + NEWS_SECONDS
            news = {"worker": self._worker.address, "number": self._order.number, "frames": self.stats.frames}
            self._worker.log_event(self._topic, news)


def _folder() -> Path:
    """Where this worker may write."""
    from distributed import get_worker

    folder = Path(get_worker().local_directory) / "realtime-nst"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
