"""Styles and bodies: what they are, and their files. Nothing here needs Keras; `book.py` finds and mixes them.

A *body* is the network that styles share (`<body>.body.h5`); a *style* is a vector for one body
(`<style>.weights.h5`, 6 kB) and carries the hash of that body. Styles of one body can be mixed, because a
mix is a weighted sum of vectors.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realtime_nst.errors import StyleError
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.weightfile import read_arrays, read_metadata, write_weights

FORMAT_VERSION = 1
STYLE_SUFFIX = ".weights.h5"
BODY_SUFFIX = ".body.h5"
VECTOR = "style_vector"


@dataclass(frozen=True)
class Body:
    """A trained transform network without a style.

    Args:
        name: The file's name without its ending.
        path: Where its weights are.
        architecture: Its width and depth.
        sha256: Hash of its weights; what a style of it must carry.
        metadata: How it was trained.
    """

    name: str
    path: Path
    architecture: Architecture
    sha256: str
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def weights(self) -> dict[str, np.ndarray]:
        """Read the convolution kernels, float32 `(rows, columns, C_in, C_out)`, by layer.

        Raises:
            StyleError: They are damaged, or not those that the hash stands for.
        """
        arrays = read_arrays(self.path, self.architecture.kernel_shapes)
        if hash_body(self.architecture, arrays) != self.sha256:
            raise StyleError(f"'{self.path}' is not what its own hash says; it was damaged or changed. Copy it again.")
        return arrays


@dataclass(frozen=True)
class Style:
    """A look: a vector for one body, or a mix of several.

    Args:
        name: As the user writes it; for a mix, the mix.
        vector: float32 `(body.architecture.vector_size,)`.
        body: The network that the vector is for.
        metadata: title, artist, year, licence, recipe, figures.
        picture: What an encoder has just found the vector for, uint8 `(height, width, 3)`; `None` for all other styles.
    """

    name: str
    vector: np.ndarray
    body: Body
    metadata: Mapping[str, Any] = field(default_factory=dict)
    picture: np.ndarray | None = field(default=None, repr=False)


def read_body(path: Path) -> Body:
    """The description of a body; its weights are read by `Body.weights`.

    Raises:
        StyleError: The file is not a body of this program and version.
    """
    metadata = checked_metadata(path, "body")
    try:
        architecture = Architecture.from_dict(metadata["architecture"])
        sha256 = str(metadata["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise StyleError(f"'{path}' does not describe a transform network: {error}. Train it again.") from error
    return Body(path.name.removesuffix(BODY_SUFFIX), path, architecture, sha256, metadata)


def read_style(path: Path, bodies: Mapping[str, Body]) -> Style:
    """A style and its body.

    Args:
        path: A `*.weights.h5` file.
        bodies: Known bodies by hash.

    Raises:
        StyleError: The file cannot be used, or its body is not among `bodies`.
    """
    metadata = checked_metadata(path, "style")
    body = bodies.get(str(metadata.get("body_sha256")))
    if body is None:
        raise StyleError(
            f"'{path}' is a style for the body '{metadata.get('body', '?')}', which is not here or is another version of "
            f"it. Put its `{metadata.get('body', '?')}{BODY_SUFFIX}` into the same folder."
        )
    vector = read_arrays(path, {VECTOR: (body.architecture.vector_size,)})[VECTOR]
    return Style(path.name.removesuffix(STYLE_SUFFIX), vector, body, metadata)


def write_body(
    folder: Path, name: str, architecture: Architecture, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> Body:
    """Write `<name>.body.h5` and return it.

    Raises:
        ValueError: The arrays are not those of the architecture.
        StyleError: The folder cannot be written.
    """
    shapes = {key: array.shape for key, array in arrays.items()}
    if shapes != architecture.kernel_shapes:
        raise ValueError(f"arrays {shapes}: the kernels of {architecture} were expected.")
    sha256 = hash_body(architecture, arrays)
    metadata = {
        **metadata,
        "kind": "body",
        "format_version": FORMAT_VERSION,
        "architecture": architecture.to_dict(),
        "sha256": sha256,
    }
    path = folder / f"{name}{BODY_SUFFIX}"
    write_weights(path, arrays, metadata)
    return Body(name, path, architecture, sha256, metadata)


def write_style(folder: Path, name: str, vector: np.ndarray, body: Body, metadata: Mapping[str, Any]) -> Path:
    """Write `<name>.weights.h5` and return its path.

    Raises:
        ValueError: The vector does not fit the body.
        StyleError: The folder cannot be written.
    """
    if vector.shape != (body.architecture.vector_size,):
        raise ValueError(f"vector of shape {vector.shape}: ({body.architecture.vector_size},) was expected.")
    path = folder / f"{name}{STYLE_SUFFIX}"
    metadata = {
        **metadata,
        "kind": "style",
        "format_version": FORMAT_VERSION,
        "body": body.name,
        "body_sha256": body.sha256,
    }
    write_weights(path, {VECTOR: vector}, metadata)
    return path


def hash_body(architecture: Architecture, arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of a body's numbers, independent of how a file stores them."""
    return hash_numbers(json.dumps(architecture.to_dict(), sort_keys=True), arrays)


def hash_numbers(head: str, arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of arrays by their names, and of what is said before them; numbers count as float32."""
    digest = hashlib.sha256(head.encode())
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name], dtype="<f4").tobytes())
    return digest.hexdigest()


def checked_metadata(path: Path, kind: str) -> dict[str, Any]:
    """The description inside a file of this program.

    Args:
        path: The file.
        kind: "body", "style" or "encoder": what it must hold.

    Raises:
        StyleError: It cannot be read, or holds something else, or is of another version.
    """
    metadata = read_metadata(path)
    if metadata.get("kind") != kind:
        raise StyleError(f"'{path}' holds a {metadata.get('kind', 'stranger')!s}; a {kind} was expected. Check its name.")
    if metadata.get("format_version") != FORMAT_VERSION:
        raise StyleError(
            f"'{path}' has format {metadata.get('format_version')!r}; this version reads {FORMAT_VERSION}. "
            "Update realtime-nst, or train the style again."
        )
    return metadata
