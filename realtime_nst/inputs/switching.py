"""`SwitchableSource`: a camera that becomes another one while the show goes on."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from realtime_nst.frames import Frame, LiveSource
from realtime_nst.inputs.cameras import fitted


class SwitchableSource:
    """One live source after another. Frames keep the size of the first; bars keep the shape of others.

    Args:
        camera: What the first is called, as after `--camera`.
        source: The first.
        open_other: Opens another by what it is called, at best in the size of the first.
    """

    live = True

    def __init__(self, camera: str, source: LiveSource, open_other: Callable[[str], LiveSource]) -> None:
        self.camera = camera
        self.width, self.height, self.fps = source.width, source.height, source.fps
        self._source, self._open = source, open_other
        self._tell: Callable[[str], None] = lambda text: None
        self._next: LiveSource | None = None
        self._closed = False
        self._changing, self._lock = threading.Lock(), threading.Lock()

    @property
    def tell(self) -> Callable[[str], None]:
        """Told in a few words when the camera stands still."""
        return self._tell

    @tell.setter
    def tell(self, tell: Callable[[str], None]) -> None:
        self._tell = self._source.tell = tell

    def switch(self, camera: str) -> None:
        """Show another camera; the one so far goes on until the other has opened.

        Raises:
            SourceError: It cannot be opened, and nothing is changed.
        """
        with self._changing:
            if camera == self.camera:
                return
            other = self._open(camera)
            with self._lock:
                if self._closed:
                    other.close()
                    return
                if self._next is not None:
                    self._next.close()
                self._next, self.camera = other, camera
                other.tell = self._tell
                self._source.close()  # also where it stands still

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            for frame in self._source:
                yield replace(frame, image=fitted(frame.image, self.width, self.height), index=index)
                index += 1
                if self._next is not None:
                    break
            with self._lock:
                if self._closed or self._next is None:
                    return
                self._source, self._next = self._next, None

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for source in (self._source, self._next):
                if source is not None:
                    source.close()
