"""`Server`: HTTP on a thread of its own, with its own event loop. Whatever clients do, the show goes on."""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

from realtime_nst.control.access import Access, RefusedError
from realtime_nst.control.api import Api, answer
from realtime_nst.control.cameras import Cameras
from realtime_nst.control.channel import Steered
from realtime_nst.control.kiosk import Kiosk
from realtime_nst.control.pages import Pages
from realtime_nst.control.places import Place
from realtime_nst.control.uploads import Uploads
from realtime_nst.errors import ControlError
from realtime_nst.pipeline.stage import Stage

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 128
LARGEST_BODY = 65_536
"""Bytes of a request."""
SILENCE = 10.0
"""Seconds after which a connection without a whole request is closed."""
START_TIMEOUT, STOP_TIMEOUT = 10.0, 5.0
SILENT = logging.Logger("http", logging.CRITICAL)
"""Addresses have tokens in them, which are not for a log."""
NAME = "realtime-nst"
HEADERS = {
    "Server": NAME,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
WORDS = {
    404: "Nothing is at this address. docs/control.md lists what there is.",
    405: "This address does not take that method. docs/control.md says which it takes.",
    413: f"The message is larger than {LARGEST_BODY} bytes.",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Serve a show.

    Args:
        steered: The show.
        place: Where to listen.
        token: What other machines need.
        flag: That asked for it, for the error.

    Raises:
        ControlError: Nothing can listen there.
    """

    def __init__(self, steered: Steered, place: Place, token: str, flag: str = "--http") -> None:
        self._steered = steered
        self._socket = place.bind(socket.SOCK_STREAM, flag)
        self.access = Access(place.at(self._socket), token)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stage = Stage(self._run(), keep="all", name="http")
        self._ready.wait(START_TIMEOUT)

    def check(self) -> None:
        """Tell, once, if it has ended by a mistake of ours; the show goes on without it."""
        try:
            self._stage.get(timeout=0.0)
        except Exception as error:
            log.warning("The HTTP server has ended: %s: %s", type(error).__name__, error)

    def close(self) -> None:
        """Send everyone away."""
        if self._loop is not None and self._stop is not None and not self._stage.finished:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._stage.join(STOP_TIMEOUT)
        self._stage.close()

    def _run(self) -> Iterator[None]:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()
            self._socket.close()
        yield from ()

    async def _serve(self) -> None:
        app = web.Application(middlewares=[self._guard], client_max_size=LARGEST_BODY)
        parts = Api(self._steered), Uploads(self._steered), Kiosk(self.access, self._steered), Pages(self.access)
        app.add_routes([route for part in parts for route in part.routes()])
        if (show := self._steered).source is not None:
            app.add_routes(Cameras(self.access, show.source, show.photo, show.examine).routes())
        app.on_response_prepare.append(_add_headers)
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        pictures, loop = self._steered.pictures, asyncio.get_running_loop()
        pictures.begin()
        try:
            manager = runner.server
            if manager is None:
                raise RuntimeError("aiohttp has set up no server.")

            def connected() -> asyncio.BaseProtocol:
                if len(manager.connections) >= MOST_CONNECTIONS:
                    return Full()
                return Connection(
                    manager, loop=loop, keepalive_timeout=SILENCE, lingering_time=0.0, access_log=SILENT, auto_decompress=False
                )

            listening = await loop.create_server(connected, sock=self._socket)
            self._loop, self._stop = loop, asyncio.Event()
            self._ready.set()
            await self._stop.wait()
            listening.close()
        finally:
            self._stop = None
            await runner.cleanup()
            pictures.end()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may come in, and answer each mistake in one line of JSON."""
        access = self.access
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        tokens = [bearer, request.query.get("token"), request.cookies.get(access.cookie)]
        try:
            access.check(request.method, request.path, request.headers, tokens, request.remote or "")
            return await handler(request)
        except RefusedError as refused:
            return answer({"error": str(refused)}, refused.status)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return answer({"error": WORDS.get(error.status, error.reason)}, error.status)
        except ControlError as error:
            return answer({"error": str(error)}, 400)
        except TimeoutError:
            return answer({"error": "That took too long."}, 408)
        except (ValueError, LookupError) as error:  # of a body that is no text
            log.info("A request could not be read: %s", error)
            return answer({"error": "The message cannot be read. Send JSON in UTF-8."}, 400)
        except ConnectionError:
            raise  # it is gone
        except Exception:
            log.exception("A request failed, by a mistake in this program.")
            return answer({"error": "Something went wrong here. The show goes on."}, 500)


class Connection(web.RequestHandler):
    """One client. What is no HTTP gets its answer in JSON, too."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.Response:
        refused = answer({"error": "That is no request of HTTP." if status == 400 else "Something went wrong here."}, status)
        refused.headers.update(HEADERS)
        refused.force_close()
        return refused


class Full(asyncio.Protocol):
    """What a client gets that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
            transport.write(b'{"error": "Too many are connected. Close a page, and try again."}')
            transport.close()


async def _add_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
