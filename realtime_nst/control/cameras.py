"""The cameras of this machine, with a still of each; which of them the show sees; and what is missing here, with its cure."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web

from realtime_nst.control.access import Access, RefusedError
from realtime_nst.control.api import answer, body_of
from realtime_nst.control.channel import outside
from realtime_nst.errors import ControlError, NSTError
from realtime_nst.inputs.cameras import all_cameras
from realtime_nst.inputs.sources import PatternSource
from realtime_nst.inputs.switching import SwitchableSource
from realtime_nst.inputs.trying import try_camera
from realtime_nst.live.doctor import Finding
from realtime_nst.media.addresses import is_address, mask
from realtime_nst.media.jpeg import jpeg

PATTERN = "pattern"
STILL = 320, 240
SECONDS_TO_TRY = 0.3
LONGEST_NAME = 2000


class Cameras:
    """The handlers.

    Args:
        access: Where only this machine comes in, a file and an address may be named, too.
        source: What the show sees.
        photo: Its newest picture, uint8 `(height, width, 3)`; `None` while there is none.
        examine: Looks for what is missing.
    """

    def __init__(
        self,
        access: Access,
        source: SwitchableSource,
        photo: Callable[[], np.ndarray | None],
        examine: Callable[[], list[Finding]],
    ) -> None:
        self._access, self._source, self._photo, self._examine = access, source, photo, examine
        self._looking = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        return [
            web.get("/api/cameras", self.cameras),
            web.post("/api/camera", self.switch),
            web.get("/api/cameras/{camera}/still.jpg", self.still),
            web.get("/api/doctor", self.doctor),
        ]

    async def cameras(self, request: web.Request) -> web.Response:
        """All by name, and the one that the show sees."""
        return answer(await asyncio.to_thread(self._listed))

    async def switch(self, request: web.Request) -> web.Response:
        """Have the show see another one."""
        camera = (await body_of(request, {"camera"})).get("camera")
        if not isinstance(camera, str) or not 0 < len(camera) <= LONGEST_NAME or not camera.isprintable():
            raise ControlError('Name a camera, as in {"camera": "0"}.')
        known = [row["camera"] for row in (await asyncio.to_thread(self._listed))["cameras"]]
        if camera not in known and self._access.token:  # others must neither read files here nor reach the network from here
            raise RefusedError(403, "From other machines only the cameras of the list can be chosen.")
        async with self._looking:
            try:
                await asyncio.to_thread(self._source.switch, camera)
            except NSTError as error:
                raise ControlError(outside(str(error))) from error
        return answer(await asyncio.to_thread(self._listed))

    async def still(self, request: web.Request) -> web.Response:
        """What one sees. It is opened for a moment, unless the show has it open."""
        camera = request.match_info["camera"]
        async with self._looking:
            picture = await asyncio.to_thread(self._seen, camera)
        return web.Response(body=await asyncio.to_thread(jpeg, picture), content_type="image/jpeg")

    async def doctor(self, request: web.Request) -> web.Response:
        """What was found, and what to do about it."""
        async with self._looking:
            findings = await asyncio.to_thread(self._examine)
        return answer([{name: outside(words) for name, words in asdict(finding).items()} for finding in findings])

    def _listed(self) -> dict[str, Any]:
        now = self._source.camera
        rows = [{"camera": str(device.place), "name": device.name} for device in all_cameras()]
        rows.append({"camera": PATTERN, "name": "Test picture"})
        if now not in [row["camera"] for row in rows]:
            rows.insert(0, {"camera": "now", "name": mask(now) if is_address(now) else Path(now).name})
            now = "now"
        return {"now": now, "cameras": rows, "others": not self._access.token}

    def _seen(self, camera: str) -> np.ndarray:
        if camera in ("now", self._source.camera):
            photo = self._photo()
            if photo is None:
                raise ControlError("The show has no picture yet.")
            return photo
        if camera == PATTERN:
            return PatternSource(*STILL).image(50)
        device = next((device for device in all_cameras() if str(device.place) == camera), None)
        if device is None:
            raise ControlError("There is no such camera.")
        report = try_camera(device, SECONDS_TO_TRY)
        if report.still is None:
            raise ControlError(outside(report.problem))
        return report.still
