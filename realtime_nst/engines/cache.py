"""Compiled networks on disk, so that the second start is faster; it may be deleted at any time.

An entry is found only by exactly the same weights, size, precision, definition of the network, OpenVINO and
kind of processor. This module knows compiled networks only as bytes.
"""

import hashlib
import logging
import os
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from realtime_nst.files import whole
from realtime_nst.folders import user_folder

MOST_MODELS = 16
"""Entries that are kept; the network of the shipped styles takes about 2 MB each."""

DEFINITION = (
    "style/architecture.py",
    "style/encoder.py",
    "style/field.py",
    "style/look.py",
    "style/scene.py",
    "networks/transform.py",
    "networks/convolutions.py",
    "networks/encoder.py",
    "networks/field.py",
    "networks/recolour.py",
    "networks/stabilizer.py",
    "networks/strips.py",
    "networks/onnx_layers.py",
    "networks/onnx_graph.py",
    "networks/onnx_filters.py",
    "engines/openvino_runner.py",
)

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where the entries are: the user's cache folder, or `REALTIME_NST_CACHE`."""
    return Path(os.environ.get("REALTIME_NST_CACHE") or user_folder("cache")) / "models"


def model_key(*facts: object) -> str:
    """The name of an entry: a hash of everything that it depends on.

    Args:
        facts: What the network is: its weights' hash, width, height, precision.
    """
    return hashlib.sha256(repr((facts, _surroundings())).encode()).hexdigest()[:40]


def load_model(key: str) -> bytes | None:
    """The bytes of an entry, or `None`."""
    path = cache_folder() / key
    try:
        content = path.read_bytes()
    except OSError:
        return None
    with suppress(OSError):  # a cache that may only be read serves, too
        path.touch()  # used just now
    digest, blob = content[:32], content[32:]
    if hashlib.sha256(blob).digest() != digest:
        forget_model(key)
        return None
    return blob


def store_model(key: str, blob: bytes) -> None:
    """Keep an entry, whole or not at all, and let the oldest ones go; a disk that does not allow it is no error."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole(folder / key) as draft:
            draft.write_bytes(hashlib.sha256(blob).digest() + blob)
        entries = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_mtime)
        for path in entries[:-MOST_MODELS]:
            path.unlink(missing_ok=True)
    except OSError as error:
        log.info("The compiled network was not kept in '%s': %s.", folder, error)


def forget_model(key: str) -> None:
    """Remove an entry, if it is there and the disk allows it."""
    try:
        (cache_folder() / key).unlink(missing_ok=True)
    except OSError as error:
        log.info("The compiled network '%s' was not removed: %s.", key, error)


@cache
def _surroundings() -> tuple[str, ...]:
    here = Path(__file__).parents[1]
    sources = [hashlib.sha256((here / name).read_bytes()).hexdigest() for name in DEFINITION]
    return (*sources, version("openvino"), version("keras"), platform.machine(), _processor())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}))
