"""One WebSocket: it tells what is set and how fast it runs, hears actions, and gives frames to those who ask for the next.

A frame is sent when it is asked for, and is then the newest one. So whoever draws slowly gets fewer frames, and never older
ones. Of changes that come faster than they can be sent only the last is sent.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

from realtime_nst.control.access import Bucket
from realtime_nst.control.pictures import Pictures
from realtime_nst.control.thumbnails import Thumbnails
from realtime_nst.errors import ControlError
from realtime_nst.inputs.switching import SwitchableSource
from realtime_nst.jobs.joblist import JobList
from realtime_nst.live.controls import Controls
from realtime_nst.live.doctor import Finding
from realtime_nst.live.kinds import LONGEST_SHOWN
from realtime_nst.media.addresses import mask
from realtime_nst.style.book import StyleBook

LARGEST_MESSAGE = 16_384
"""Bytes."""
HEARTBEAT = 20.0
"""Seconds between two questions whether the other side is still there."""
FIGURES_EVERY = 0.5
LEAST_PAUSE = 0.02
"""Seconds between two messages about changes."""
RATE, BURST = 200.0, 400.0
"""Messages a second that are heard, and at once; further ones wait."""


@dataclass
class Steered:
    """The show that is steered.

    Args:
        controls: What is wanted of it.
        pictures: What it shows.
        figures: How it runs, in numbers, by name.
        thumbnails: Its styles, small; `None` where nobody paints them.
        choosing: How many look at those.
        jobs: Photos and films that are painted beside it; `None` where none are, and why in `no_jobs`.
        book: What makes styles of pictures; `None` where nobody does.
        source: Its camera, if that can be another.
        photo: What that sees, uint8 `(height, width, 3)`.
        examine: Looks for what this machine lacks.
    """

    controls: Controls
    pictures: Pictures
    figures: Callable[[], dict[str, Any]]
    thumbnails: Thumbnails | None = None
    choosing: int = 0
    jobs: JobList | None = None
    no_jobs: str = "This show paints no photos and films."
    book: StyleBook | None = None
    source: SwitchableSource | None = None
    photo: Callable[[], np.ndarray | None] = lambda: None
    examine: Callable[[], list[Finding]] = list


def outside(text: str) -> str:
    """Words as anyone may read them: without folders of this machine, and without what is secret in an address."""
    return re.sub(r"(?<!\S)\S*[/\\]\S*", lambda found: mask(found[0]) if "://" in found[0] else "...", text)


def state_of(controls: Controls) -> dict[str, Any]:
    """What is set, as it may be told outside."""
    state = controls.state
    return state | {"notice": outside(state["notice"])}


def jobs_of(jobs: JobList) -> list[dict[str, Any]]:
    """The list of jobs, as it may be told outside."""
    return [row | {"words": outside(row["words"])} for row in jobs.rows]


def message_of(text: str, keys: set[str]) -> dict[str, Any]:
    """A JSON object.

    Args:
        text: From outside.
        keys: Those that it may have.

    Raises:
        ControlError: It is none, or has other keys.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ControlError('That is no JSON. Send an object, as in {"value": 0.5}.') from error
    if not isinstance(found, dict):
        raise ControlError('That is no JSON object. Send one, as in {"value": 0.5}.')
    if unknown := found.keys() - keys:
        raise ControlError(f"{min(unknown)[:LONGEST_SHOWN]!r} means nothing here. Known: {', '.join(sorted(keys))}.")
    return found


class Channel:
    """One connection.

    Args:
        socket: It is prepared already.
        steered: The show.
    """

    def __init__(self, socket: web.WebSocketResponse, steered: Steered) -> None:
        self._socket, self._steered = socket, steered
        self._asked, self._changed = asyncio.Event(), asyncio.Event()
        self._bucket = Bucket(RATE, BURST)
        self._sent_at = self._age = 0.0
        self._choosing = self._listing = False

    async def run(self) -> None:
        """Until the other side goes."""
        loop = asyncio.get_running_loop()

        def heard(state: dict[str, Any]) -> None:
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(self._changed.set)

        stop = self._steered.controls.listen(heard)
        tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._show())]
        try:
            async for message in self._socket:
                pause = self._bucket.take()
                if pause:
                    await asyncio.sleep(pause)
                if message.type != WSMsgType.TEXT:
                    await self._say({"error": "Messages are JSON text here."})
                    continue
                try:
                    await self._hear(message_of(message.data, {"action", "value", "ask"}))
                except ControlError as error:
                    await self._say({"error": outside(str(error))})
        finally:
            stop()
            self._steered.choosing -= self._choosing
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, message: dict[str, Any]) -> None:
        if message.get("ask") == "frame":
            if self._sent_at:
                self._age = time.monotonic() - self._sent_at
            self._asked.set()
        elif message.get("ask") == "thumbnails":
            self._steered.choosing += not self._choosing
            self._choosing = True
        elif message.get("ask") == "jobs":
            self._listing = True
        elif isinstance(message.get("action"), str):
            self._steered.controls.do(message["action"], message.get("value"))
        else:
            raise ControlError('Send {"action": NAME, "value": ...}, or {"ask": "frame"}, "thumbnails" or "jobs".')

    async def _tell(self) -> None:
        told: dict[str, Any] = {}
        versions: dict[str, int] = {}
        listed: list[dict[str, Any]] | None = None
        figured = float("-inf")
        while True:
            if (state := state_of(self._steered.controls)) != told:
                told = state
                await self._say({"state": state})
            thumbnails = self._steered.thumbnails
            if self._choosing and thumbnails is not None and (now := thumbnails.versions) != versions:
                versions = now
                await self._say({"thumbnails": versions})
            if time.monotonic() - figured >= FIGURES_EVERY:
                figured = time.monotonic()
                await self._say({"figures": self._steered.figures() | {"page_age_ms": round(1000 * self._age)}})
                jobs = self._steered.jobs
                if self._listing and jobs is not None and (rows := await asyncio.to_thread(jobs_of, jobs)) != listed:
                    listed = rows
                    await self._say({"jobs": rows})
            await asyncio.sleep(LEAST_PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, figured + FIGURES_EVERY - time.monotonic())):
                    await self._changed.wait()
            self._changed.clear()

    async def _show(self) -> None:
        number = 0
        while True:
            await self._asked.wait()
            picture = await self._steered.pictures.newer(number)
            self._asked.clear()
            number, self._sent_at = picture.number, picture.captured_at
            await self._socket.send_bytes(picture.data)

    async def _say(self, message: dict[str, Any]) -> None:
        await self._socket.send_str(json.dumps(message))
