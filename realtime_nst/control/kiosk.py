"""Pictures that visitors take at a booth, and fetch with their phones: each at an address that nobody guesses."""

import asyncio
import secrets

from aiohttp import web

from realtime_nst.control.access import TAKEN, Access
from realtime_nst.control.api import answer
from realtime_nst.control.channel import Steered
from realtime_nst.control.pages import drawn_code
from realtime_nst.errors import ControlError
from realtime_nst.media.jpeg import jpeg

QUALITY = 92
MOST_PICTURES = 100
"""That are kept, in memory only; the oldest goes first."""
PATIENCE = 5.0
"""Seconds in which the next frame must come."""


class Kiosk:
    """The handlers.

    Args:
        access: Knows the links.
        steered: The show.
    """

    def __init__(self, access: Access, steered: Steered) -> None:
        self._access, self._steered = access, steered
        self._taken: dict[str, bytes] = {}

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        return [
            web.post("/api/pictures", self.take),
            web.get(TAKEN + "{key}", self.picture),
            web.get("/api/pictures/{key}/link.svg", self.code),
        ]

    async def take(self, request: web.Request) -> web.Response:
        """Keep the next frame for a visitor, and save it as the action `snapshot` does."""
        pictures = self._steered.pictures
        try:
            async with asyncio.timeout(PATIENCE):
                frame = await pictures.next_frame()
        except TimeoutError as error:
            raise ControlError("No frame comes. Look at the camera.") from error
        self._steered.controls.do("snapshot")
        data = await asyncio.to_thread(jpeg, frame.image, QUALITY)
        key = f"{secrets.token_urlsafe(12)}.jpg"
        while len(self._taken) >= MOST_PICTURES:
            del self._taken[next(iter(self._taken))]
        self._taken[key] = data
        return answer({"picture": TAKEN + key, "code": f"/api/pictures/{key}/link.svg" if self._access.token else ""}, 201)

    async def picture(self, request: web.Request) -> web.Response:
        """A picture, for whoever has its address."""
        return web.Response(body=self._taken[self._key(request)], content_type="image/jpeg")

    async def code(self, request: web.Request) -> web.Response:
        """Its address as a QR code."""
        return drawn_code(self._access.link_to(TAKEN + self._key(request)))

    def _key(self, request: web.Request) -> str:
        key = request.match_info["key"]
        if key not in self._taken:
            raise web.HTTPNotFound
        return key
