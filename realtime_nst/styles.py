"""Styles and bodies: finding, checking, naming and mixing them. Nothing here needs Keras.

A *body* is the network that styles share (`<body>.body.h5`); a *style* is a vector for one body
(`<style>.weights.h5`, 6 kB) and carries the hash of that body. Styles of one body can be mixed, because a
mix is a weighted sum of vectors.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_data_path

from realtime_nst.architecture import Architecture
from realtime_nst.errors import StyleError
from realtime_nst.weightfile import read_arrays, read_metadata, write_weights

FORMAT_VERSION = 1
STYLE_SUFFIX = ".weights.h5"
BODY_SUFFIX = ".body.h5"
VECTOR = "style_vector"

log = logging.getLogger(__name__)


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
        """Read the convolution kernels, float32 `(3, 3, C_in, C_out)`, by layer.

        Raises:
            StyleError: They are damaged, or not those that the hash stands for.
        """
        arrays = read_arrays(self.path, kernel_shapes(self.architecture))
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
    """

    name: str
    vector: np.ndarray
    body: Body
    metadata: Mapping[str, Any] = field(default_factory=dict)


class StyleBook(Mapping[str, Style]):
    """All styles at hand, by name, in alphabetical order.

    Args:
        styles: The styles.
        broken: Why a file was left out, by style name: asking for such a style raises its error.
    """

    def __init__(self, styles: Iterable[Style], broken: Mapping[str, StyleError] | None = None) -> None:
        self._styles = {style.name: style for style in sorted(styles, key=lambda style: style.name)}
        self.broken = dict(broken or {})

    def __getitem__(self, name: str) -> Style:
        if name in self._styles:
            return self._styles[name]
        if name in self.broken:
            raise self.broken[name]
        raise StyleError(unknown_style(name, list(self._styles)))

    def __iter__(self) -> Any:
        return iter(self._styles)

    def __len__(self) -> int:
        return len(self._styles)

    def __contains__(self, name: object) -> bool:
        return name in self._styles

    @property
    def bodies(self) -> list[Body]:
        """The bodies that the styles need, without repetition."""
        return list({style.body.sha256: style.body for style in self.values()}.values())

    def mix(self, text: str) -> Style:
        """The style that a user asks for: a name, or names with weights as in `wave:0.6,scream:0.4`.

        Weights are scaled to a sum of 1; a name without a weight counts 1.

        Raises:
            StyleError: An unknown name, a weight that is no positive number, or styles of different bodies.
        """
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if not parts:
            raise StyleError(f"No style in '{text}'. Write a name, or a mix as in `wave:0.6,scream:0.4`.")
        names, weights = [], []
        for part in parts:
            name, colon, number = part.partition(":")
            names.append(name.strip())
            weights.append(_weight(number, part) if colon else 1.0)
        styles = [self[name] for name in names]
        if len(styles) == 1:
            return styles[0]
        return mix_styles(text, styles, weights)


def mix_styles(name: str, styles: Sequence[Style], weights: Sequence[float]) -> Style:
    """A weighted sum of styles of one body.

    Args:
        name: Name of the mix.
        styles: One or more styles.
        weights: As many non-negative weights with a positive sum; they are scaled to a sum of 1.

    Raises:
        StyleError: The styles have different bodies.

    Reference:
        Dumoulin, Shlens, Kudlur (2017), section 3.3.
    """
    body = styles[0].body
    for style in styles[1:]:
        if style.body.sha256 != body.sha256:
            raise StyleError(
                f"'{styles[0].name}' and '{style.name}' cannot be mixed: they belong to the bodies '{body.name}' and "
                f"'{style.body.name}'. Mix styles of one body; `realtime-nst styles` names it."
            )
    total = float(sum(weights))
    vector = np.sum([style.vector * (weight / total) for style, weight in zip(styles, weights)], axis=0)
    return Style(name, vector.astype(np.float32), body, {"title": name})


def find_styles(folders: Sequence[Path]) -> StyleBook:
    """Read all styles of some folders.

    A file that cannot be used is left out with a warning, and raises its error when asked for by name.

    Args:
        folders: Searched in order; of two styles of the same name the first wins. A body may lie in any of them.

    Raises:
        StyleError: A folder does not exist, or no folder holds a style.
    """
    bodies: dict[str, Body] = {}
    styles: dict[str, Style] = {}
    broken: dict[str, StyleError] = {}
    for folder in folders:
        if not folder.is_dir():
            raise StyleError(f"No folder of styles at '{folder}'. Name a folder that holds `*{STYLE_SUFFIX}` files.")
        for path in sorted(folder.glob(f"*{BODY_SUFFIX}")):
            try:
                body = read_body(path)
                bodies.setdefault(body.sha256, body)
            except StyleError as error:
                log.warning("%s", error)
    for folder in folders:
        for path in sorted(folder.glob(f"*{STYLE_SUFFIX}")):
            name = path.name.removesuffix(STYLE_SUFFIX)
            if name in styles or name in broken:
                continue
            try:
                styles[name] = read_style(path, bodies)
            except StyleError as error:
                broken[name] = error
                log.warning("%s", error)
    if not styles and not broken:
        places = ", ".join(f"'{folder}'" for folder in folders)
        raise StyleError(f"No styles in {places}. Train one with `realtime-nst train`, or name their folder with --weights.")
    return StyleBook(styles.values(), broken)


def style_folders(first: Path | None = None) -> list[Path]:
    """Where styles are looked for: a folder of the user's choice, the user's own styles, the shipped ones."""
    own = own_style_folder()
    shipped = Path(str(files("realtime_nst.weights")))
    return [*([first] if first else []), *([own] if own.is_dir() else []), shipped]


def own_style_folder() -> Path:
    """Where the styles go that a user trains."""
    return user_data_path("realtime-nst", appauthor=False) / "styles"


def read_body(path: Path) -> Body:
    """The description of a body; its weights are read by `Body.weights`.

    Raises:
        StyleError: The file is not a body of this program and version.
    """
    metadata = _checked_metadata(path, "body")
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
    metadata = _checked_metadata(path, "style")
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
    if shapes != kernel_shapes(architecture):
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


def kernel_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Shape of every convolution kernel of a network by layer name: `(3, 3, C_in, C_out)`."""
    width, half, full = architecture.width, architecture.half, architecture.full
    channels = {"stem": (48, width)}
    for index in range(1, architecture.blocks + 1):
        channels |= {f"block{index}a": (width, width), f"block{index}b": (width, width)}
    channels |= {"half": (width, half), "full": (half, full), "colours": (full, 3)}
    return {f"{name}/kernel": (3, 3, *pair) for name, pair in channels.items()}


def hash_body(architecture: Architecture, arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of a body's numbers, independent of how a file stores them."""
    digest = hashlib.sha256(json.dumps(architecture.to_dict(), sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name], dtype="<f4").tobytes())
    return digest.hexdigest()


def unknown_style(name: str, known: Sequence[str]) -> str:
    """The message for a style that does not exist, with the nearest name."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    return f"No style named '{name}'.{guess} Styles: {', '.join(known)}."


def _checked_metadata(path: Path, kind: str) -> dict[str, Any]:
    metadata = read_metadata(path)
    if metadata.get("kind") != kind:
        raise StyleError(f"'{path}' holds a {metadata.get('kind', 'stranger')!s}; a {kind} was expected. Check its name.")
    if metadata.get("format_version") != FORMAT_VERSION:
        raise StyleError(
            f"'{path}' has format {metadata.get('format_version')!r}; this version reads {FORMAT_VERSION}. "
            "Update realtime-nst, or train the style again."
        )
    return metadata


def _weight(number: str, part: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = float("nan")
    if not 0 < weight < 1e6:  # also False for NaN
        raise StyleError(f"'{part}' has no usable weight. Write a positive number after the colon, as in `wave:0.6`.")
    return weight
