"""What is at which address: JSON about a show, its pictures, and the WebSocket."""

import asyncio
import json
import socket
from contextlib import suppress
from typing import Any

from aiohttp import web

from realtime_nst.control.channel import HEARTBEAT, LARGEST_MESSAGE, Channel, Steered, message_of, outside, state_of
from realtime_nst.control.pictures import Picture
from realtime_nst.errors import ControlError
from realtime_nst.live.actions import ACTIONS, BY_NAME
from realtime_nst.live.controls import Controls

BODY_TIMEOUT, STALLED = 10.0, 20.0
"""Seconds in which a request's body must be there, and in which a picture of a stream must be taken."""
STREAM_BUFFER = 65_536
"""Bytes of a stream that wait in the system: more would be old pictures."""
BOUNDARY = "picture"


class Api:
    """The handlers.

    Args:
        steered: The show.
    """

    def __init__(self, steered: Steered) -> None:
        self._steered, self._controls = steered, steered.controls

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        return [
            web.get("/api/state", self.state),
            web.get("/api/actions", self.actions),
            web.post("/api/actions/{name}", self.act),
            web.get("/api/styles", self.styles),
            web.get("/api/styles/{name}/thumbnail.jpg", self.thumbnail),
            web.get("/api/socket", self.channel),
            web.get("/stream.mjpg", self.stream),
        ]

    async def state(self, request: web.Request) -> web.Response:
        return answer(state_of(self._controls) | {"figures": self._steered.figures()})

    async def actions(self, request: web.Request) -> web.Response:
        return answer([action.row() for action in ACTIONS])

    async def act(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            self._controls.do(name, (await body_of(request, {"value"})).get("value"))
        except ControlError as error:
            return answer({"error": outside(str(error))}, 400 if name in BY_NAME else 404)
        return answer(state_of(self._controls))

    async def styles(self, request: web.Request) -> web.Response:
        return answer(styles_of(self._controls))

    async def thumbnail(self, request: web.Request) -> web.Response:
        """A style as it paints what the camera sees."""
        thumbnails = self._steered.thumbnails
        found = thumbnails.get(request.match_info["name"]) if thumbnails is not None else None
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found.data, content_type="image/jpeg")

    async def channel(self, request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LARGEST_MESSAGE, compress=False)
        await connection.prepare(request)
        await Channel(connection, self._steered).run()
        return connection

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Pictures without an end, as browsers, OBS and VLC take them."""
        response = web.StreamResponse(headers={"Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY}"})
        if request.transport is not None:
            request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STREAM_BUFFER)
        await response.prepare(request)
        picture = Picture(0, b"", 0.0)
        with suppress(TimeoutError, ConnectionError):
            while True:
                picture = await self._steered.pictures.newer(picture.number)
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.data)}\r\n\r\n"
                async with asyncio.timeout(STALLED):
                    await response.write(head.encode() + picture.data + b"\r\n")
        if request.transport is not None:
            request.transport.abort()  # what waits for it is not worth keeping
        return response


async def body_of(request: web.Request, keys: set[str]) -> dict[str, Any]:
    """The JSON object that a request brings; an empty one of an empty body.

    Raises:
        ControlError: It is none, or has other keys.
        TimeoutError: It does not come.
    """
    async with asyncio.timeout(BODY_TIMEOUT):
        text = await request.text()
    return message_of(text, keys) if text.strip() else {}


def answer(content: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(text=json.dumps(content), status=status, content_type="application/json")


def styles_of(controls: Controls) -> list[dict[str, Any]]:
    """All styles, in the order of their numbers."""
    rows = []
    for number, style in enumerate(controls.styles, 1):
        facts = {key: str(style.metadata.get(key, "")) for key in ("title", "artist", "year")}
        rows.append({"number": number, "name": style.name, **facts, "body": style.body.name})
    return rows
