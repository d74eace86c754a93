"""Films at web addresses: fetched whole before they are painted, so that all that holds for files holds for them.

ffmpeg could read them from there, but would read them several times, and take a connection that breaks for the end.
"""

import base64
import errno
import hashlib
import os
import shutil
import string
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from realtime_nst import __version__
from realtime_nst.errors import DiskFullError, SourceError
from realtime_nst.media.addresses import is_web, mask, no_answer
from realtime_nst.media.filekinds import check_film, kind_of
from realtime_nst.media.results import amount

STALL_SECONDS = 25.0
TRIES, PAUSE = 5, 1.0
"""How often a connection that broke off is made again, and after how many seconds."""
BLOCK = 1 << 16
LONGEST_NAME = 100
"""Bytes of the name that a file gets from its address."""
LONGEST_ENDING = 10
"""Bytes of its ending; what is longer is none, and only has a dot in it."""
ENOUGH = 1 << 20
"""Bytes of an answer without a length by which one knows whether it can be a film."""
NEWS_SECONDS = 10.0
"""Seconds between two words about how much has come, where nobody knows how much will."""


def check_address(address: str) -> None:
    """Make sure that an address is one from which files can be fetched.

    Raises:
        SourceError: It is another, as of a live stream.
    """
    if not is_web(address):
        raise SourceError(
            f"'{mask(address)}' is no http:// or https:// address of a film. `realtime-nst webcam --camera` shows live streams."
        )


def place_for(address: str, folder: Path) -> Path:
    """Where a film is kept while it is painted: under its own name, in a hidden folder that belongs to its address."""
    parts = urlsplit(address)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2]).replace("/", "-").replace("\0", "").lstrip(".")
    path = Path(name or parts.hostname or "film")
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= LONGEST_ENDING else ""
    stem = os.fsencode(path.name.removesuffix(suffix))[: LONGEST_NAME - len(os.fsencode(suffix))]
    return folder / f".{hashlib.sha256(address.encode()).hexdigest()[:12]}.fetched" / f"{os.fsdecode(stem)}{suffix}"


def fetch(address: str, place: Path, tell: Callable[[str], None], stopped: Callable[[], bool]) -> bool:
    """Fetch a film, unless an earlier run has.

    Args:
        address: Of http or https, with the name and password for it if it needs them.
        place: From `place_for`.
        tell: Tells the user that it takes a while.
        stopped: Whether the user has asked to stop.

    Returns:
        Whether it is there; False if the user has asked to stop.

    Raises:
        SourceError: The address does not answer, breaks off, or is no film.
        DiskFullError: The disk has no room.
    """
    if not place.exists():
        draft = place.with_name(f"{place.name}.part")
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                if not _all_of(address, file, tell, stopped):
                    return False
            os.utime(draft, (0, 0))  # a film that had to be fetched again is still the same, for `WorkFolder`
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
            if not place.exists():
                place.parent.rmdir()
    if kind_of(place) == "film":
        raise SourceError(
            f"'{mask(address)}' is the list of a stream's pieces, and a film in one file was expected. "
            "`realtime-nst webcam --camera` shows and records it."
        )
    check_film(place, mask(address))
    return True


def let_go(place: Path) -> None:
    """Delete what was fetched."""
    shutil.rmtree(place.parent, ignore_errors=True)


def _all_of(address: str, file: IO[bytes], tell: Callable[[str], None], stopped: Callable[[], bool]) -> bool:
    """Write all of a file, over as many connections as it takes; False if the user has asked to stop."""
    reason = ""
    for number in range(TRIES):
        before = file.tell()
        time.sleep(PAUSE if number else 0)
        try:
            with urlopen(_request(address, before), timeout=STALL_SECONDS) as answer:
                if before and answer.status != 206:  # a server that gives whole files only
                    file.seek(0)
                    file.truncate()
                _check_type(address, answer.headers.get_content_maintype())
                left = answer.headers.get("Content-Length")
                total = file.tell() + int(left) if left and left.isdigit() else None
                _check_room(file, total)
                if not number:
                    tell(f"Fetching '{mask(address)}' first{f' ({amount(total)})' if total else ''}.")
                told = time.monotonic()
                while block := answer.read1(BLOCK):
                    _write(file, block)
                    if stopped():
                        return False
                    if total is None and file.tell() - len(block) < ENOUGH <= file.tell():
                        _check_beginning(address, file)
                    if total is None and time.monotonic() - told >= NEWS_SECONDS:
                        told = time.monotonic()
                        tell(f"{amount(file.tell())} fetched; the server does not say how much is left. Ctrl-C ends it.")
            if total is None or file.tell() >= total:
                return True
            reason = f"the connection ended at {amount(file.tell())} of {amount(total)}"
        except HTTPError as error:
            raise SourceError(f"'{mask(address)}' cannot be fetched: {error.code} {error.reason}. Check the address.") from error
        except (HTTPException, OSError, ValueError) as error:  # of the network; the disk's are SinkErrors
            reason = no_answer(error)
            if not file.tell():
                raise SourceError(f"'{mask(address)}' cannot be fetched: {reason}. Check the address.") from error
    raise SourceError(f"'{mask(address)}' broke off {TRIES} times: {reason}. Repeat the command, or save the film first.")


def _request(address: str, begin: int) -> Request:
    """A request for a file from some byte on. Name and password are for this server only, not for where it leads."""
    parts = urlsplit(quote(address, safe=string.punctuation))
    request = Request(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    request.add_header("User-Agent", f"realtime-nst/{__version__}")
    if begin:
        request.add_header("Range", f"bytes={begin}-")
    if parts.username is not None:
        words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(words.encode()).decode()}")
    return request


def _check_type(address: str, kind: str) -> None:
    if kind == "multipart":
        raise SourceError(
            f"'{mask(address)}' sends pictures without an end, as a camera does, and a film in one file was expected. "
            "`realtime-nst webcam --camera` shows and records it."
        )


def _check_beginning(address: str, file: IO[bytes]) -> None:
    """Make sure that an answer which may never end begins as a film does."""
    file.flush()
    path = Path(file.name)
    check_film(path, mask(address))
    if not kind_of(path):
        raise SourceError(
            f"'{mask(address)}' sends something that does not begin as a video does, and does not say how much. "
            "Check the address; `realtime-nst webcam --camera` shows live streams."
        )


def _check_room(file: Any, total: int | None) -> None:
    folder = Path(file.name).parent
    if total and shutil.disk_usage(folder).free < total - file.tell():
        raise DiskFullError(f"The disk of '{folder}' has no room for the {amount(total)} of the film. Free some.")


def _write(file: IO[bytes], block: bytes) -> None:
    try:
        file.write(block)
    except OSError as error:
        kind = DiskFullError if error.errno == errno.ENOSPC else SourceError
        raise kind(f"The film cannot be kept while it is fetched: {error.strerror}. Free the disk.") from error
