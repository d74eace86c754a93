"""Mixes of styles: how they are written, and the weighted sums that they are."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from realtime_nst.errors import StyleError
from realtime_nst.style.style import Style

DRIVE = re.compile(r"[A-Za-z]:(?=[\\/])")
"""How a path begins on Windows: its colon is none before a weight."""


def mix_parts(text: str, known: Callable[[str], bool] = lambda name: False) -> tuple[list[str], list[float]]:
    """Names and weights of a mix as in `wave:0.6,scream:0.4`, or of a style.

    Args:
        text: The mix.
        known: Whether something with a colon in it is a name.

    Raises:
        StyleError: No name, or a weight that is no positive number.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise StyleError(f"No style in '{text}'. Write a name, or a mix as in `wave:0.6,scream:0.4`.")
    names, weights = [], []
    for part in parts:
        head, _, last = part.rpartition(":")
        start = drive.end() if (drive := DRIVE.match(part)) else 0
        name, colon, number = part[start:].partition(":")
        name = part[:start] + name
        if known(part):
            name, colon = part, ""
        elif head and known(head.strip()):
            name, number = head, last
        names.append(name.strip())
        weights.append(_weight(number, part) if colon else 1.0)
    return names, weights


def mix_name(first: str, second: str, share: float) -> str:
    """The name of a style between two, each of which may be a mix: what `StyleBook.mix` reads back."""
    together: dict[str, float] = {}
    for text, part in ((first, 1.0 - share), (second, share)):
        names, weights = mix_parts(text)
        for name, weight in zip(names, weights):
            together[name] = together.get(name, 0.0) + part * weight / sum(weights)
    return ",".join(f"{name}:{weight:.4g}" for name, weight in together.items() if weight)


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


def _weight(number: str, part: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = float("nan")
    if not 0 < weight < 1e6:  # also False for NaN
        raise StyleError(f"'{part}' has no usable weight. Write a positive number after the colon, as in `wave:0.6`.")
    return weight
