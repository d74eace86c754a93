"""Photos and films from outside: streamed to the disk under names of our own, put into the list of jobs, and fetched again."""

import asyncio
import errno
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from aiohttp import hdrs, web

from realtime_nst.control.access import RefusedError
from realtime_nst.control.api import answer, styles_of
from realtime_nst.control.channel import Steered, jobs_of, outside
from realtime_nst.errors import ControlError, NSTError, StyleError
from realtime_nst.jobs.joblist import COMMANDS, MOST_JOBS, JobList
from realtime_nst.live.actions import BY_NAME
from realtime_nst.media.filekinds import HEAD, HEAD_OF_PNG, VIDEO_SUFFIXES, kind_of
from realtime_nst.media.photofiles import PHOTO_SUFFIXES
from realtime_nst.media.results import amount
from realtime_nst.style.book import StyleBook
from realtime_nst.style.from_picture import is_predicted, missing, style_name
from realtime_nst.style.mixing import mix_parts
from realtime_nst.style.style import Style, write_style

log = logging.getLogger(__name__)

LARGEST_UPLOAD = 16_000_000_000
"""Bytes of a photo or film."""
LARGEST_PICTURE = 100_000_000
"""Of a picture that becomes a style."""
MOST_UPLOADS = 4
"""That are on their way at once."""
PIECE = 1 << 18
"""Bytes that are written at once; more are not held."""
FIRST_SECONDS, LEAST_RATE = 30.0, 50_000.0
"""Seconds that any upload may take, and bytes a second that it must have on average after that."""
LONGEST_NAME = 100
FULL = "The disk is full. Free some space, and send it again."
FLAGS = {"strength": "--strength", "colours": "--keep-colours", "texture": "--texture", "stability": "--stability"}
"""What may be wished beside the style: actions, and the flags of the commands that paint."""


class Uploads:
    """The handlers.

    Args:
        steered: The show, whose style is that of what is dropped on it.
    """

    def __init__(self, steered: Steered) -> None:
        self._steered = steered
        self._coming = 0

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        return [
            web.get("/api/jobs", self.all),
            web.post("/api/jobs", self.add),
            web.delete("/api/jobs/{id}", self.remove),
            web.get("/api/jobs/{id}/preview", self.preview),
            web.get("/api/jobs/{id}/painted", self.painted),
            web.get("/api/styles/new", self.encoder),
            web.post("/api/styles", self.style),
        ]

    @property
    def _jobs(self) -> JobList:
        if self._steered.jobs is None:
            raise RefusedError(503, self._steered.no_jobs)
        return self._steered.jobs

    async def all(self, request: web.Request) -> web.Response:
        return answer(jobs_of(self._jobs))

    async def add(self, request: web.Request) -> web.Response:
        """Take a photo or film: the body is the file, and the query says its name, and how to paint it."""
        jobs, length = self._jobs, request.content_length
        try:
            style, look = self._look(request.query)
        except ControlError as error:
            return answer({"error": str(error)}, 400)
        if jobs.full:
            raise RefusedError(409, f"There are {MOST_JOBS} jobs already. Remove one first.")
        if self._coming >= MOST_UPLOADS:
            raise RefusedError(429, f"{MOST_UPLOADS} files are on their way already. Send this one after them.")
        if length is not None and length > min(LARGEST_UPLOAD, jobs.room):
            raise _too_large(jobs)
        name = plain(request.query.get("name", ""))
        suffix = Path(name).suffix.lower()
        self._coming += 1
        place: Path | None = None
        try:
            place = jobs.begin()
            original = place / f"original{suffix if suffix in VIDEO_SUFFIXES | PHOTO_SUFFIXES else ''}"
            await self._receive(request, original, jobs)
            kind = await asyncio.to_thread(checked, original)
            flags = [
                self._styled(style, place),
                *(flag for flag in look if kind == "video" or not flag.startswith("--stability")),
            ]
            row = await asyncio.to_thread(jobs.take, original, name or kind, kind, flags, style.name)
            place = None
        except StyleError as error:
            raise RefusedError(507, FULL) from error
        except OSError as error:
            if isinstance(error, (ConnectionError, TimeoutError)):
                raise
            if error.errno == errno.ENOSPC:
                raise RefusedError(507, FULL) from error
            log.warning("A photo or film could not be kept: %s", error)
            raise RefusedError(507, "It cannot be kept here: the disk cannot be written.") from error
        finally:
            self._coming -= 1
            if place is not None:
                jobs.forget(place)
        return answer(row, 201)

    async def remove(self, request: web.Request) -> web.Response:
        """Stop a job, and delete all of it."""
        if not await asyncio.to_thread(self._jobs.remove, request.match_info["id"]):
            raise web.HTTPNotFound
        return answer(jobs_of(self._jobs))

    async def preview(self, request: web.Request) -> web.StreamResponse:
        """A picture of how it looks so far."""
        return web.FileResponse(_there(self._jobs.preview(request.match_info["id"])))

    async def painted(self, request: web.Request) -> web.StreamResponse:
        """The painting, to be saved."""
        name = request.match_info["id"]
        file = _there(self._jobs.painted(name))
        row = next(row for row in self._jobs.rows if row["id"] == name)
        style = re.sub(r"[^\w, -]", " ", row["style"])
        called = f"{Path(row['name']).stem} - {style}{file.suffix}"
        header = f"attachment; filename*=UTF-8''{quote(called, safe='')}"
        return web.FileResponse(file, headers={hdrs.CONTENT_DISPOSITION: header})

    async def encoder(self, request: web.Request) -> web.Response:
        """Whether pictures can become styles."""
        return answer({"possible": self._steered.book is not None and self._steered.book.takes_pictures})

    async def style(self, request: web.Request) -> web.Response:
        """Make a style of a picture, the body, and paint in it."""
        book = self._steered.book
        if book is None or not book.takes_pictures:
            raise RefusedError(501, outside(missing(book.bodies if book is not None else [])))
        name = plain(request.query.get("name", "")) or "picture"
        original = (place := self._jobs.begin()) / "original"
        try:
            await self._receive(request, original, self._jobs, LARGEST_PICTURE)
            style = await asyncio.to_thread(book.add_picture, original, name)
        except NSTError as error:
            return answer({"error": outside(str(error).replace(str(original), name))}, 400)
        finally:
            self._jobs.forget(place)
        controls = self._steered.controls
        controls.add(style)
        return answer(next(row for row in styles_of(controls) if row["name"] == style.name), 201)

    def _look(self, query: Mapping[str, str]) -> tuple[Style, list[str]]:
        """The style and the other flags: those of the show, but for what the query says.

        Raises:
            ControlError: It says something that is none.
        """
        controls = self._steered.controls
        style = controls.target
        if "style" in query:
            try:
                style = StyleBook(controls.styles).mix(str(BY_NAME["style"].read(query["style"], None)))
            except StyleError as error:
                raise ControlError(str(error)) from error
        flags = []
        for name, flag in FLAGS.items():
            value = getattr(controls, name)
            if name in query:
                try:
                    value = BY_NAME[name].read(float(query[name]), value)
                except ValueError:
                    raise BY_NAME[name].wrong(query[name]) from None
            flags += ([flag] if value else []) if name == "colours" else [f"{flag}={value}"]
        return style, flags

    def _styled(self, style: Style, place: Path) -> str:
        """The flag of a style: its name, or a file in the folder of a job, where a picture is in it that only this show knows.

        Raises:
            StyleError: The file cannot be written.
        """
        names = {style.name, *mix_parts(style.name)[0]}
        if not any(is_predicted(known) and known.name in names for known in self._steered.controls.styles):
            return f"--style={style.name}"
        return f"--style={write_style(place, style_name(style.name), style.vector, style.body, style.metadata)}"

    async def _receive(self, request: web.Request, original: Path, jobs: JobList, most: float = 0) -> None:
        """Write a body to the disk, and look early whether it is anything to paint."""
        loop, received, looked = asyncio.get_running_loop(), 0, False
        began, waiting = loop.time(), bytearray()
        with original.open("xb") as file:
            async with asyncio.timeout_at(began + FIRST_SECONDS) as patience:
                while piece := await request.content.readany():
                    received += len(piece)
                    waiting += piece
                    patience.reschedule(began + FIRST_SECONDS + received / LEAST_RATE)
                    if len(waiting) < PIECE:
                        continue
                    await asyncio.to_thread(file.write, waiting)
                    waiting = bytearray()
                    if received > (most or LARGEST_UPLOAD) or jobs.room < 0:
                        raise _too_large(jobs)
                    if not looked and received > HEAD + HEAD_OF_PNG:
                        looked = bool(await asyncio.to_thread(checked, original))
            if received > (most or LARGEST_UPLOAD):
                raise _too_large(jobs)
            await asyncio.to_thread(file.write, waiting)
            await asyncio.to_thread(file.flush)


def plain(name: str) -> str:
    """A file's name as it may be shown, without folders and without what moves the letters around it."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip(" .")
    ending = Path(name).suffix[:10]
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - len(ending)] + ending


def checked(original: Path) -> str:
    """What kind a file is, by its first bytes.

    Raises:
        RefusedError: It is nothing to paint. A list of other files is refused, too: they could be any of this machine.
    """
    kind = kind_of(original)
    if kind not in COMMANDS:
        raise RefusedError(415, "That is no photo and no film that can be read here. JPEG, PNG, MP4 and many others are.")
    return kind


def _too_large(jobs: JobList) -> RefusedError:
    if jobs.room < LARGEST_UPLOAD:
        return RefusedError(507, f"The disk has no room for it: {amount(max(0.0, jobs.room))} are left for photos and films.")
    return RefusedError(413, f"It is larger than {amount(LARGEST_UPLOAD)}.")


def _there(file: Path | None) -> Path:
    if file is None:
        raise web.HTTPNotFound
    return file
