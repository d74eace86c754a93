"""`Osc`: Open Sound Control over UDP, as in `/nst/strength 0.6`. It hears, and does not answer."""

import logging
import socket
from collections.abc import Iterator

from pythonosc.osc_packet import OscPacket, ParseError

from realtime_nst.control.access import Bucket
from realtime_nst.control.places import Place
from realtime_nst.errors import ControlError
from realtime_nst.live.controls import Controls
from realtime_nst.pipeline.stage import Stage

log = logging.getLogger(__name__)

ROOT = "/nst"
LARGEST = 65_536
"""Bytes of a packet; UDP has no larger ones."""
LOOK_EVERY = 0.2
"""Seconds between two looks whether to end."""
RATE, BURST = 1000.0, 2000.0
"""Packets a second that are heard, and at once; the others are dropped, as a network may drop them."""


class Osc:
    """Do what packets say, on a thread of its own.

    A message is an address that ends in the name of an action, and at most one value. The times of bundles are ignored: what
    is in them is done at once.

    Args:
        controls: What they change.
        place: Where to listen. Where other machines reach it, addresses begin with the token.
        token: As the link to the page has it.

    Raises:
        ControlError: Nothing can listen there.
    """

    def __init__(self, controls: Controls, place: Place, token: str) -> None:
        self._controls = controls
        self._socket = place.bind(socket.SOCK_DGRAM, "--osc")
        self._socket.settimeout(LOOK_EVERY)
        self.place = place.at(self._socket)
        self.root = ROOT if place.loopback else f"{ROOT}/{token}"
        self._bucket = Bucket(RATE, BURST)
        self._stage = Stage(self._listen(), keep="latest", name="osc")

    def close(self) -> None:
        """Listen no more."""
        self._stage.close()
        self._stage.join()
        self._socket.close()

    def _listen(self) -> Iterator[None]:
        while True:
            try:
                packet = self._socket.recv(LARGEST)
                if not self._bucket.take():
                    self._hear(packet)
            except OSError:  # nothing came in time; or, on Windows, the sender of the last one is gone
                pass
            yield

    def _hear(self, packet: bytes) -> None:
        try:
            messages = [timed.message for timed in OscPacket(packet).messages]
        except (ParseError, ValueError, LookupError, RecursionError) as error:
            log.info("A packet is no OSC: %s", error)
            return
        for message in messages:
            try:
                self._do(message.address, list(message.params))
            except ControlError as error:
                self._controls.say(str(error))

    def _do(self, address: str, values: list[object]) -> None:
        name = address.removeprefix(f"{self.root}/")
        if name == address:
            return  # meant for another program, or by somebody without the token
        if len(values) > 1:
            raise ControlError(f"'{ROOT}/{name[:40]}' takes one value; {len(values)} came.")
        self._controls.do(name, values[0] if values else None)
