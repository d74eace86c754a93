"""`Farm`: what paints the segments of a film elsewhere. The film does not know where, nor by what it is reached."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from realtime_nst.jobs.film_source import FilmSource
from realtime_nst.jobs.options import Outcome
from realtime_nst.jobs.progress import Report
from realtime_nst.jobs.reel import Reel
from realtime_nst.jobs.workfolder import WorkFolder
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.pipeline.loop import Remote
from realtime_nst.style.schedule import StylePath


@dataclass(frozen=True)
class FarmedFilm:
    """A film as others need it.

    Args:
        source: The original.
        name: Of the painted file.
        reel: How it is read and its segments are written.
        styles: The style of each moment.
        picture_painter: Would paint it here.
        expected: About how many frames it has, or `None`.
    """

    source: Path
    name: str
    reel: Reel
    styles: StylePath
    picture_painter: PicturePainter
    expected: int | None


class Farm(Protocol):
    """What paints segments elsewhere."""

    def paint(self, film: FarmedFilm, work: WorkFolder, report: Report, remote: Remote) -> tuple[Outcome, FilmSource]:
        """Have all segments painted that are not in the work folder yet.

        Returns:
            What came of it, and the film as it was read here.

        Raises:
            NSTError: It cannot be read or painted; what was finished is kept.
        """
