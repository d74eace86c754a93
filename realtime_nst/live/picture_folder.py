"""`PictureFolder`: the pictures in a folder are styles of a show, and come and go with their files, on a thread beside it."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from realtime_nst.errors import NSTError, SourceError
from realtime_nst.live.controls import Controls
from realtime_nst.media.photofiles import is_photo
from realtime_nst.pipeline.stage import Stage
from realtime_nst.style.book import StyleBook
from realtime_nst.style.style import Style

LOOK_EVERY = 0.4
"""Seconds between two looks. A file that is the same in two of them is written to its end."""
PATIENCE = 3.0
"""Seconds after which a file that is no picture is told of: until then it may still grow."""
MOST_PICTURES = 100
"""That are styles at once; the newest ones."""
REST = 3.0
"""How many times as long as it worked it rests, so that most of the processor stays with the show."""


class Stamp(NamedTuple):
    """What tells one content of a file from another."""

    changed: int
    size: int
    number: int


class Entry(NamedTuple):
    """What became of a file.

    Args:
        stamp: Of its content then.
        style: `None` where it is no picture.
        words: Why not, until that has been told.
        since: When that was found.
    """

    stamp: Stamp
    style: Style | None
    words: str = ""
    since: float = 0.0


class PictureFolder:
    """Watch a folder until it is closed. What it makes styles with is ready when it is made, so that no first picture costs more.

    Args:
        folder: Where pictures are dropped; folders in it are passed over.
        book: What makes styles of them.
        controls: The show's, which gets them after its other styles.
        say: Prints a line for the user.

    Raises:
        SourceError: The folder is not there, or cannot be read.
        StyleError: There is no style encoder, or it cannot be used.
        BackendError: It cannot run here.
    """

    def __init__(self, folder: Path, book: StyleBook, controls: Controls, say: Callable[[str], object]) -> None:
        self._folder, self._book, self._controls, self._say = folder, book, controls, say
        self._before: dict[Path, Stamp] = {}
        self._entries: dict[Path, Entry] = {}
        self._own: set[str] = set()
        self._troubles: set[str] = set()
        self._closing = threading.Event()
        try:
            self._before = self._files()
        except OSError as error:
            raise SourceError(f"No folder of pictures at '{folder}': {error.strerror}. Name another with --pictures.") from error
        book.prepare_pictures()
        self._stage = Stage(self._watch(), keep="latest", name="pictures")

    def close(self) -> None:
        """Watch no more; the styles stay."""
        self._closing.set()
        self._stage.close()
        self._stage.join()

    def __enter__(self) -> "PictureFolder":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _watch(self) -> Iterator[None]:
        while True:
            yield
            began = time.monotonic()
            more = self._look()
            worked = time.monotonic() - began
            self._closing.wait(REST * worked if more else max(LOOK_EVERY, REST * worked))

    def _look(self) -> bool:
        """Let go of what is gone, and make a style of the newest file that is none yet. True if there are more."""
        try:
            files = self._files()
        except OSError as error:
            self._tell(f"The folder '{self._folder}' cannot be read now: {error.strerror}. Its styles stay.")
            return False
        for path in self._entries.keys() - files.keys():
            self._let_go(path)
        still = [path for path, stamp in files.items() if self._before.get(path) == stamp]
        fresh = [path for path in still if path not in self._entries or self._entries[path].stamp != files[path]]
        self._before = files
        if fresh:
            self._take(fresh[0], files[fresh[0]])
        for path, entry in list(self._entries.items()):
            if entry.words and time.monotonic() - entry.since > PATIENCE:
                self._tell(entry.words)
                self._entries[path] = entry._replace(words="")
        return len(fresh) > 1

    def _files(self) -> dict[Path, Stamp]:
        """The pictures that are there, the newest first, by their names."""
        found: list[tuple[int, Path, Stamp]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                path = Path(entry.path)
                try:
                    if not is_photo(path) or not entry.is_file():
                        continue
                    status = path.stat()
                except OSError:  # gone in this moment
                    continue
                came = max(status.st_mtime_ns, status.st_ctime_ns)  # a file that is moved keeps the time of its content
                found.append((-came, path, Stamp(status.st_mtime_ns, status.st_size, status.st_ino)))
        if len(found) > MOST_PICTURES:
            self._tell(f"'{self._folder}' holds {len(found)} pictures; the newest {MOST_PICTURES} are styles.")
        return {path: stamp for _, path, stamp in sorted(found)[:MOST_PICTURES]}

    def _take(self, path: Path, stamp: Stamp) -> None:
        """Make a style of a file, in the place of the one that it was before."""
        before = self._entries.pop(path, None)
        old = before.style.name if before and before.style and self._only(before.style) else ""
        if old:
            self._book.drop(old)
        try:
            known = set(self._book)
            style = self._book.add_picture(path)
        except (NSTError, OSError) as error:
            self._entries[path] = Entry(stamp, None, f"realtime-nst: {error}", time.monotonic())
        else:
            self._entries[path] = Entry(stamp, style)
            if style.name not in known:
                self._own.add(style.name)
                self._controls.add(style, use=False)
        kept = self._entries[path].style
        if old and (kept is None or kept.name != old):
            self._own.discard(old)
            self._controls.drop(old)

    def _let_go(self, path: Path) -> None:
        entry = self._entries.pop(path)
        if entry.style is not None and self._only(entry.style):
            self._own.discard(entry.style.name)
            self._book.drop(entry.style.name)
            self._controls.drop(entry.style.name)

    def _only(self, style: Style) -> bool:
        """Whether a style came from here, and from no file that is still there."""
        return style.name in self._own and all(entry.style is not style for entry in self._entries.values())

    def _tell(self, words: str) -> None:
        """Say something once."""
        if words not in self._troubles:
            self._troubles.add(words)
            self._say(words)
