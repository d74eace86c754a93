"""`PolledCamera`: a camera on the network that answers every request with one picture, and is asked again and again.

Streams are read by ffmpeg, which takes one picture for a film that has ended.
"""

import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    OpenerDirector,
    build_opener,
)

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from realtime_nst import __version__
from realtime_nst.errors import SourceError
from realtime_nst.frames import Frame
from realtime_nst.media.addresses import mask
from realtime_nst.media.probing import LARGEST_PICTURE

log = logging.getLogger(__name__)

USUAL_FPS, MOST_FPS = 10.0, 30.0
"""Requests per second, where the answers come so fast."""
LONGEST_WAIT = 1.0
"""Seconds between two requests for a picture that does not change. It is shown again each time, so that keys have effect."""
ANSWER_TIMEOUT = 9.0
"""Seconds that an answer may stand still."""
RETRY_EVERY = 1.0
MISSES_ALLOWED = 1
"""Answers in a row without a picture that are passed over without a word."""
MOST_BYTES = 1 << 26
KEPT = "%/:=&?~#+!$,;'@()*[]"
"""What has its meaning in an address, beside letters and digits."""


class PolledCamera:
    """A camera whose address gives its latest picture.

    It is asked when the answer before has come, at most `fps` times a second; where the picture is the same as before,
    less and less often, down to once a second. Frames keep the size of the first one.

    Args:
        address: As in `http://user:password@camera/snapshot.jpg`.
        size: Width and height to fit the pictures into, with bars where their shape is another; `None` keeps those of
            the first.
        fps: Pictures per second at most.
        patience: Seconds that an answer may stand still.

    Raises:
        SourceError: It gives no picture.
    """

    live = True

    def __init__(
        self, address: str, size: tuple[int, int] | None = None, fps: float | None = None, patience: float = ANSWER_TIMEOUT
    ) -> None:
        self._shown = mask(address)
        self._patience = patience
        self.fps = min(fps or USUAL_FPS, MOST_FPS)
        self.tell: Callable[[str], None] = lambda text: None
        self._closed = threading.Event()
        self._size = size
        try:
            self._opener, self._address = _opener(address)
            self.height, self.width = self._decoded(self._answer()).shape[:2]
        except Exception as error:  # whatever urllib and Pillow raise
            raise SourceError(f"'{self._shown}' gave no picture: {_reason(error)}. Check the address.") from error
        self._size = self.width, self.height

    def __iter__(self) -> Iterator[Frame]:
        index = misses = 0
        latest, image, wait = b"", None, 0.0
        while not self._closed.is_set():
            asked = time.monotonic()
            try:
                answer = self._answer()
                captured_at = time.monotonic()
                if image is None or answer != latest:
                    latest, image, wait = answer, self._decoded(answer), 1 / self.fps
                else:
                    wait = min(2 * wait, max(LONGEST_WAIT, 1 / self.fps))
            except Exception as error:  # whatever urllib and Pillow raise: the next answer may be better
                misses += 1
                self._missed(misses, error)
                self._closed.wait(RETRY_EVERY)
                continue
            misses = 0
            yield Frame(image, index, captured_at)
            index += 1
            self._closed.wait(max(0.0, asked + wait - time.monotonic()))

    def close(self) -> None:
        self._closed.set()

    def _answer(self) -> bytes:
        """What the camera sends."""
        with self._opener.open(self._address, timeout=self._patience) as response:
            if response.headers.get_content_maintype() == "multipart":
                raise ValueError("it sends a stream without an end, and a picture was expected")
            picture: bytes = response.read(MOST_BYTES)
            return picture

    def _decoded(self, answer: bytes) -> np.ndarray:
        """A picture as uint8 `(height, width, 3)` RGB, upright, in the size that frames have."""
        with Image.open(io.BytesIO(answer)) as file:
            if file.width * file.height > LARGEST_PICTURE:
                raise ValueError(f"it has {file.width}x{file.height} pixels, too many for memory")
            picture = ImageOps.exif_transpose(file).convert("RGB")
        if self._size is not None and picture.size != self._size:
            picture = ImageOps.pad(picture, self._size)
        return np.asarray(picture)

    def _missed(self, misses: int, error: Exception) -> None:
        if misses <= MISSES_ALLOWED or self._closed.is_set():
            return
        self.tell(f"the camera gives no picture: asking '{self._shown}' again")
        if misses == MISSES_ALLOWED + 1:
            reason = _reason(error)
            log.warning("The camera '%s' gives no picture: %s. Asking again; end with Ctrl-C.", self._shown, reason)


def sends_parts(address: str) -> bool:
    """Whether an address says that it sends one thing after another, as a camera does its pictures."""
    try:
        opener, bare = _opener(address)
        with opener.open(bare, timeout=ANSWER_TIMEOUT) as response:
            return bool(response.headers.get_content_maintype() == "multipart")
    except (OSError, ValueError, HTTPException):
        return False


def _opener(address: str) -> tuple[OpenerDirector, str]:
    """What asks for an address with the user and password in it, and the address without them."""
    parts = urlsplit(quote(address, safe=KEPT))
    host = parts.netloc.rpartition("@")[2]
    passwords = HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        root, user, password = f"{parts.scheme}://{host}/", unquote(parts.username), unquote(parts.password or "")
        passwords.add_password(None, root, user, password)
    opener = build_opener(HTTPDigestAuthHandler(passwords), HTTPBasicAuthHandler(passwords))
    opener.addheaders = [("User-Agent", f"realtime-nst/{__version__}")]
    return opener, parts._replace(netloc=host, fragment="").geturl()


def _reason(error: Exception) -> str:
    """Why there is no picture, in words."""
    if isinstance(error, HTTPError):
        return f"the server answered {error.code} {error.reason}"
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, UnidentifiedImageError):
        return "what it sent is no picture"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(reason).__name__
