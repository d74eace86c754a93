"""The page and its files, as `realtime_nst/studio` has them; nothing else of the disk can be asked for."""

import io
from importlib.resources import files

import segno
from aiohttp import web

from realtime_nst.control.access import Access

PAGES = {"/": "index.html", "/view": "view.html", "/kiosk": "kiosk.html"}
TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
YEAR = 31_536_000


class Pages:
    """Files in memory.

    Args:
        access: Whose token a link brings.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._files = {
            file.name: file.read_bytes()
            for file in files("realtime_nst.studio").iterdir()
            if file.name.rpartition(".")[2] in TYPES
        }

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        pages = [web.get(path, self.page) for path in PAGES]
        return [*pages, web.get("/studio/{name}", self.file), web.get("/api/link.svg", self.code)]

    async def page(self, request: web.Request) -> web.Response:
        """A page. The token of its link goes into a cookie, and out of the address."""
        if "token" in request.query and self._access.token:
            moved = web.Response(status=303, headers={"Location": request.path})
            moved.set_cookie(self._access.cookie, self._access.token, max_age=YEAR, httponly=True, samesite="Lax")
            return moved
        return self._file(PAGES[request.path])

    async def file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._files:
            raise web.HTTPNotFound
        return self._file(name)

    async def code(self, request: web.Request) -> web.Response:
        """The link as a QR code, where other machines may come."""
        if not self._access.token:
            raise web.HTTPNotFound
        return drawn_code(self._access.link)

    def _file(self, name: str) -> web.Response:
        return web.Response(body=self._files[name], content_type=TYPES[name.rpartition(".")[2]], charset="utf-8")


def drawn_code(link: str) -> web.Response:
    """A link as a QR code."""
    drawn = io.BytesIO()
    segno.make(link, error="m").save(drawn, kind="svg", scale=8, border=3, dark="#000", light="#fff")
    return web.Response(body=drawn.getvalue(), content_type="image/svg+xml")
