"""A network for other programs, in a folder with everything that its receiver needs; whole or not at all."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from realtime_nst.errors import ExportError
from realtime_nst.exporting.formats import ENCODERS, FIXED, FORMATS, Network
from realtime_nst.exporting.receiver import Contents, example, readme
from realtime_nst.files import draft_of
from realtime_nst.frames import padded_length
from realtime_nst.style.encoder import read_encoder
from realtime_nst.style.field import PARTS, torus
from realtime_nst.style.style import Style


def export(
    styles: Sequence[Style],
    format: str,
    folder: Path,
    *,
    size: tuple[int, int] | None = None,
    half: bool = False,
    baked: bool = False,
    floats: bool = False,
) -> None:
    """Write the network of some styles, and the style encoder of their body if it has one and styles are an input.

    Args:
        styles: One or more, of one body.
        format: One of `FORMATS`.
        folder: Where to; there must be nothing yet.
        size: Width and height of the pictures, multiples of 8; without it the network takes any such size.
        half: Whether the network is float16 inside; else float32.
        baked: Whether the style, of which there is one then, becomes part of the network; else it is an input.
        floats: Whether pictures are float32 in `[0, 1]`; else uint8.

    Raises:
        ExportError: These go not together, or the folder cannot be written.
        BackendError: A package is missing, or Keras already runs on another backend in this process.
        StyleError: The weights of the body or of its encoder are damaged.
    """
    _check(styles, format, folder, size, baked)
    body = styles[0].body
    width, height = size or (None, None)
    ending, write = FORMATS[format]
    name = re.sub(r"[^\w-]+", "-", styles[0].name if baked else body.name)  # a mix has colons
    encoder = None if baked or format not in ENCODERS else read_encoder(body)
    encoder_file = f"{name}.encoder{ending}" if encoder else None
    contents = Contents(format, name + ending, styles, baked, width, height, half, floats, encoder_file)
    facts = {"body": body.name, "sha256": body.sha256} | ({"style": styles[0].name} if baked else {})
    network = Network(body, styles[0].vector if baked else None, width, height, half, floats, facts)
    draft = draft_of(folder)
    try:
        draft.mkdir(parents=True)
        write(network, draft / contents.file)
        if encoder and encoder_file:
            ENCODERS[format](encoder, draft / encoder_file, floats)
        if not baked:
            (draft / "styles.json").write_text(styles_as_json(styles), "utf-8")
        if contents.field_given:
            for part in PARTS:
                np.save(draft / f"field{part}.npy", torus(part, body.architecture.field))
        (draft / "example.py").write_text(example(contents), "utf-8")
        (draft / "README.md").write_text(readme(contents), "utf-8")
        with suppress(FileNotFoundError):
            folder.rmdir()  # an empty one
        draft.rename(folder)
    except OSError as error:
        raise ExportError(f"'{folder}' was not written: {error.strerror}. Free the disk or choose another folder.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def styles_as_json(styles: Sequence[Style]) -> str:
    """Styles of one body with their vectors, every number as exact as a float32 is."""
    body = styles[0].body
    vectors = {
        style.name: {
            **{key: style.metadata[key] for key in ("title", "artist", "year", "licence") if key in style.metadata},
            "vector": [float(f"{number:.9g}") for number in style.vector],
        }
        for style in styles
    }
    facts = {"body": body.name, "sha256": body.sha256, "vector_size": body.architecture.vector_size}
    return json.dumps({**facts, "styles": vectors}, ensure_ascii=False) + "\n"


def _check(styles: Sequence[Style], format: str, folder: Path, size: tuple[int, int] | None, baked: bool) -> None:
    """Before any work.

    Raises:
        ExportError: See `export`.
    """
    if baked and len(styles) != 1:
        raise ExportError(f"--baked puts one style into the network, and {len(styles)} are named. Name one, or leave it out.")
    for style in styles[1:]:
        if style.body.sha256 != styles[0].body.sha256:
            raise ExportError(
                f"'{styles[0].name}' and '{style.name}' have different bodies, '{styles[0].body.name}' and '{style.body.name}'. "
                "Export the styles of each into a folder of its own; `realtime-nst styles` names it."
            )
    if size is None and format in FIXED:
        raise ExportError(f"The format {format} is for pictures of one size. Add it, as in --size 640x480.")
    if size and size != (fitting := (padded_length(size[0]), padded_length(size[1]))):
        raise ExportError(f"--size {size[0]}x{size[1]}: multiples of 8 were expected. Try {fitting[0]}x{fitting[1]}.")
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise ExportError(f"'{folder}' exists, and is not an empty folder. Name a new one.")
