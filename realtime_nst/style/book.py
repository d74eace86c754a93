"""`StyleBook`: all styles at hand, by name; finding them in folders, and mixing them."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

import numpy as np

from realtime_nst.errors import StyleError
from realtime_nst.folders import user_folder
from realtime_nst.style.style import BODY_SUFFIX, STYLE_SUFFIX, Body, Style, read_body, read_style

log = logging.getLogger(__name__)


class StyleBook:
    """All styles at hand, by name (in any letters, or by their painting's title), in alphabetical order.

    Args:
        styles: The styles.
        broken: Why a file was left out, by style name: asking for such a style raises its error.
    """

    def __init__(self, styles: Iterable[Style], broken: Mapping[str, StyleError] | None = None) -> None:
        self._styles = {style.name: style for style in sorted(styles, key=lambda style: style.name)}
        self.broken = dict(broken or {})

    def __getitem__(self, name: str) -> Style:
        if (meant := self._meant(name)) is not None:
            return meant
        raise StyleError(unknown_style(name, list(self._styles)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._styles)

    def __len__(self) -> int:
        return len(self._styles)

    def __contains__(self, name: object) -> bool:
        return name in self._styles

    def values(self) -> list[Style]:
        """The styles in alphabetical order."""
        return list(self._styles.values())

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
        parts = self.parts(text)
        if len(parts) == 1:
            return parts[0][0]
        return mix_styles(text, [style for style, _ in parts], [share for _, share in parts])

    def parts(self, text: str) -> list[tuple[Style, float]]:
        """What a mix consists of: styles and their shares, which sum to 1; for arguments and errors see `mix`."""
        if (meant := self._meant(text)) is not None:  # titles have commas and colons in them, too
            return [(meant, 1.0)]
        names, weights = mix_parts(text)
        return [(self[name], weight / sum(weights)) for name, weight in zip(names, weights)]

    def _meant(self, text: str) -> Style | None:
        """The one style of this name, or else of this name or title in any letters.

        Raises:
            StyleError: The one of this name is broken.
        """
        if text in self._styles:
            return self._styles[text]
        if text in self.broken:
            raise self.broken[text]
        said = text.strip().casefold()
        meant = [style for style in self.values() if said in (style.name.casefold(), str(style.metadata.get("title")).casefold())]
        return meant[0] if len(meant) == 1 else None


def mix_parts(text: str) -> tuple[list[str], list[float]]:
    """Names and weights of a mix as in `wave:0.6,scream:0.4`, or of a style.

    Raises:
        StyleError: No name, or a weight that is no positive number.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise StyleError(f"No style in '{text}'. Write a name, or a mix as in `wave:0.6,scream:0.4`.")
    names, weights = [], []
    for part in parts:
        name, colon, number = part.partition(":")
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
        for path in sorted(folder.glob(f"[!.]*{BODY_SUFFIX}")):
            try:
                body = read_body(path)
                bodies.setdefault(body.sha256, body)
            except StyleError as error:
                log.warning("%s", error)
    for folder in folders:
        for path in sorted(folder.glob(f"[!.]*{STYLE_SUFFIX}")):
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
    return user_folder("data") / "styles"


def unknown_style(name: str, known: Sequence[str]) -> str:
    """The message for a style that does not exist, with the nearest name."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    return f"No style named '{name}'.{guess} Styles: {', '.join(known) or 'none'}."


def _weight(number: str, part: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = float("nan")
    if not 0 < weight < 1e6:  # also False for NaN
        raise StyleError(f"'{part}' has no usable weight. Write a positive number after the colon, as in `wave:0.6`.")
    return weight
