"""Network addresses: what tells them from files, and how they are shown."""

import re
import socket


def is_address(name: str) -> bool:
    """Whether an input or output is an address and not a file."""
    return "://" in name


def is_web(name: str) -> bool:
    """Whether an input is an address of the web."""
    return name.lower().startswith(("http://", "https://"))


def mask(address: str) -> str:
    """An address as anyone may read it: without user and password, a query, or the last part of an RTMP one, often a key."""
    address = re.sub(r"//[^/]*@", "//...@", address)
    address = re.sub(r"\?.*", "?...", address)
    return re.sub(r"(rtmps?://[^/]+/.+/)[^/]+$", r"\1...", address)


def no_answer(error: Exception) -> str:
    """Why an address could not be read, in words."""
    reason = getattr(error, "reason", error)  # urllib wraps what the network says
    if isinstance(reason, socket.gaierror):
        return "its host cannot be found"
    words = getattr(reason, "strerror", "") or str(reason) or type(reason).__name__
    silent = isinstance(reason, (ConnectionRefusedError, TimeoutError))
    return f"the address does not answer: {words}" if silent else words
