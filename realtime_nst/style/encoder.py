"""The style encoder of a body as a file: what finds a style vector for any painting. Nothing here needs Keras.

It lies beside the body (`<body>.encoder.h5`), carries the hash of that body, and is stored
in half precision, which is exact enough. `networks/encoder.py` computes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realtime_nst.errors import StyleError
from realtime_nst.style.style import FORMAT_VERSION, Body, checked_metadata, hash_numbers
from realtime_nst.style.weightfile import read_arrays, write_weights

ENCODER_SUFFIX = ".encoder.h5"
LAYOUT = 3
"""Which numbers a file holds and what they are for; the encoders of layout 1 only guessed, those of 2 corrected fewer times."""
WIDTHS, CONVOLUTIONS = (24, 48, 104, 136), (1, 2, 2, 3)
"""Channels of its convolutions and how many there are, at the picture's size, a half, a quarter and an eighth of it."""
SIGHTS = (64, 96, 160, 192)
"""Channels at each of these sizes of which it keeps mean and deviation."""
KEPT = 2 * (3 + sum(SIGHTS))
"""Numbers that are kept of a picture: mean and deviation of its colours, and of these channels."""
GUESSED, CORRECTED = 128, 192
"""Numbers between what is kept and a guess, and between what differs and a correction."""
TRIES = 4
"""How many times a vector is tried and corrected."""
PAINTING_SIZE = 384
"""Shorter side of a painting in pixels, as the encoder should see it: the middle of what it saw in training."""


@dataclass(frozen=True)
class Encoder:
    """A trained style encoder.

    Args:
        path: Where its weights are.
        body: What its vectors are for, and what it tries them with.
        sha256: Hash of its weights.
        metadata: How it was trained.
    """

    path: Path
    body: Body
    sha256: str
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def vector_size(self) -> int:
        """Length of its vectors."""
        return self.body.architecture.vector_size

    def weights(self) -> dict[str, np.ndarray]:
        """Read its numbers, float32, by `<layer>/<name>`, as `encoder_shapes` says.

        Raises:
            StyleError: They are damaged, or not those that the hash stands for.
        """
        arrays = read_arrays(self.path, encoder_shapes(self.vector_size), half=True)
        if hash_encoder(arrays) != self.sha256:
            raise StyleError(f"'{self.path}' is not what its own hash says; it was damaged or changed. Copy it again.")
        return arrays


def encoder_shapes(vector_size: int) -> dict[str, tuple[int, ...]]:
    """Shape of every array of an encoder, by `<layer>/<name>`.

    Args:
        vector_size: Length of the body's style vectors.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    before = 3
    for index, (width, count, sights) in enumerate(zip(WIDTHS, CONVOLUTIONS, SIGHTS, strict=True), 1):
        for name in "abc"[:count]:
            shapes |= {f"encoder{index}{name}/kernel": (3, 3, before, width), f"encoder{index}{name}/bias": (width,)}
            before = width
        shapes |= {f"encoder_sight{index}/kernel": (1, 1, width, sights), f"encoder_sight{index}/bias": (sights,)}
    shapes |= {"encoder_kept/middle": (KEPT,), "encoder_kept/deviation": (KEPT,)}
    shapes |= {"encoder_spread/base": (vector_size,), "encoder_spread/reach": (vector_size,)}
    for name, (inputs, outputs) in {
        "encoder_guess1": (KEPT, GUESSED),
        "encoder_guess2": (GUESSED, vector_size),
        "encoder_step1": (KEPT + GUESSED, CORRECTED),
        "encoder_step2": (CORRECTED, CORRECTED),
        "encoder_step3": (CORRECTED, vector_size),
    }.items():
        shapes |= {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}
    return shapes


def encoder_path(body: Body) -> Path:
    """Where the encoder of a body is, if it has one."""
    return body.path.with_name(f"{body.name}{ENCODER_SUFFIX}")


def read_encoder(body: Body) -> Encoder | None:
    """The description of the encoder that lies beside a body; its weights are read by `Encoder.weights`.

    Returns:
        The encoder; `None` where a body has none.

    Raises:
        StyleError: The file is damaged, of another version, or for another body.
    """
    path = encoder_path(body)
    if not path.exists():
        return None
    metadata = checked_metadata(path, "encoder")
    if metadata.get("layout") != LAYOUT:
        raise StyleError(
            f"'{path}' is a style encoder of another version of realtime-nst, which this one cannot read. "
            "Delete it, or replace it by one of this version."
        )
    if metadata.get("body_sha256") != body.sha256:
        raise StyleError(f"'{path}' is the encoder of another version of the body '{body.name}'. Copy both from one place.")
    return Encoder(path, body, str(metadata.get("sha256")), metadata)


def write_encoder(folder: Path, body: Body, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> Encoder:
    """Write `<body>.encoder.h5` and return it.

    Args:
        folder: Where it goes.
        body: Which its vectors are for.
        arrays: Its numbers, by `<layer>/<name>`.
        metadata: How it was trained.

    Raises:
        ValueError: The arrays are not those of an encoder for this body, or too large for half precision.
        StyleError: The folder cannot be written.
    """
    shapes, expected = {name: array.shape for name, array in arrays.items()}, encoder_shapes(body.architecture.vector_size)
    if shapes != expected:
        raise ValueError(f"arrays {shapes}: {expected} were expected.")
    sha256 = hash_encoder(arrays)
    metadata = {
        **metadata,
        "kind": "encoder",
        "format_version": FORMAT_VERSION,
        "layout": LAYOUT,
        "body": body.name,
        "body_sha256": body.sha256,
        "sha256": sha256,
    }
    path = folder / f"{body.name}{ENCODER_SUFFIX}"
    write_weights(path, arrays, metadata, half=True)
    return Encoder(path, body, sha256, metadata)


def hash_encoder(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of an encoder's numbers, in the precision in which a file stores them."""
    head = json.dumps({"widths": WIDTHS, "sights": SIGHTS, "guessed": GUESSED, "corrected": CORRECTED, "tries": TRIES})
    with np.errstate(over="ignore"):  # what is too large is refused where it is written
        halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    return hash_numbers(head, halves)
