"""`StyleBook`: all styles at hand, by name or by a picture's path; finding them in folders."""

import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

import numpy as np

from realtime_nst.errors import StyleError
from realtime_nst.folders import user_folder
from realtime_nst.style.from_picture import PictureStyles, has_encoder, is_predicted
from realtime_nst.style.mixing import mix_parts, mix_styles
from realtime_nst.style.style import BODY_SUFFIX, STYLE_SUFFIX, Body, Style, read_body, read_style

log = logging.getLogger(__name__)

LIKE_A_PATH = re.compile(r"[\\/]|\.\w{2,5}$")


class StyleBook:
    """All styles at hand, by name (in any letters, or by their painting's title), in alphabetical order.

    Where there is a style encoder, a path of a picture names a style, too: it is found when it is asked for, and is then the
    last one of the book, under a name of its own. So does the path of a style's file. Names win over files.

    Args:
        styles: The styles.
        broken: Why a file was left out, by style name: asking for such a style raises its error.
        pictures: What makes styles of pictures; without, only names are known.
    """

    def __init__(
        self,
        styles: Iterable[Style],
        broken: Mapping[str, StyleError] | None = None,
        pictures: PictureStyles | None = None,
    ) -> None:
        styles = list(styles)
        self._bodies = list({style.body.sha256: style.body for style in styles}.values())
        self._styles = {style.name: style for style in sorted(styles, key=lambda style: style.name)}
        self.broken = dict(broken or {})
        self._pictures = pictures
        self._files: dict[tuple[str, str], Style] = {}
        self._adding = threading.RLock()

    def __getitem__(self, name: str) -> Style:
        return self.several([name])[0]

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
        """The bodies that the styles need, without repetition, in the order in which they were found."""
        return self._bodies

    def mix(self, text: str) -> Style:
        """The style that a user asks for: a name, or names with weights as in `wave:0.6,scream:0.4`.

        Weights are scaled to a sum of 1; a name without a weight counts 1. A picture's path stands for a name.

        Raises:
            StyleError: An unknown name, a weight that is no positive number, or styles of different bodies.
            NSTError: A picture that cannot be read, or become a style.
        """
        parts = self.parts(text)
        if len(parts) == 1:
            return parts[0][0]
        styles, shares = [style for style, _ in parts], [share for _, share in parts]
        if any(is_predicted(style) for style in styles):  # by names that can be read back, and not by paths
            text = ",".join(f"{style.name}:{share:.4g}" for style, share in parts)
        return mix_styles(text, styles, shares)

    def parts(self, text: str) -> list[tuple[Style, float]]:
        """What a mix consists of: styles and their shares, which sum to 1; for arguments and errors see `mix`."""
        if self._meant(text) is not None or self._is_file(text):  # titles and files have commas and colons in them, too
            return [(self[text], 1.0)]
        names, weights = mix_parts(text, lambda name: self._meant(name) is not None or self._is_file(name))
        return [(style, weight / sum(weights)) for style, weight in zip(self.several(names), weights)]

    def several(self, names: Sequence[str]) -> list[Style]:
        """Styles by their names or paths. Pictures among them become styles of the body that the first name has.

        Raises:
            NSTError: As for `mix`.
        """
        known = [self._meant(name) for name in names]
        body = next((style.body for style in known if style is not None), None)
        return [style or self._from_file(name, body) for name, style in zip(names, known)]

    def add_picture(self, path: Path, called: str = "", body: Body | None = None) -> Style:
        """Have the style of a picture, as the last; the one that is there where the same picture has become one already.

        Args:
            path: The picture.
            called: The file's name as its user knows it, if not by its path. The style has that name, or one with a number.
            body: Which it is for, if not the first one that has an encoder.

        Raises:
            NSTError: It cannot be read, or become a style.
        """
        if self._pictures is None:
            raise ValueError("a book without `pictures` makes no styles of them.")
        with self._adding:
            style = self._pictures.style_of(path, [body] if body else self.bodies, called)
            for other in self.values():
                if other.body.sha256 == style.body.sha256 and np.array_equal(other.vector, style.vector):
                    style = other if other.picture is not None else replace(other, picture=style.picture)
                    break
            else:
                style = replace(style, name=self.free_name(style.name))
            self._styles[style.name] = style
            return style

    def prepare_pictures(self) -> None:
        """Have the encoder ready, so that the next picture takes no longer than any.

        Raises:
            NSTError: There is none, or it cannot be used.
        """
        if self._pictures is not None:
            with self._adding:
                self._pictures.prepare(self.bodies)

    def drop(self, name: str) -> None:
        """Have a style no longer; its name is free then."""
        with self._adding:
            self._styles.pop(name, None)
            self._files = {key: style for key, style in self._files.items() if style.name != name}

    @property
    def takes_pictures(self) -> bool:
        """Whether any picture can become a style here."""
        return self._pictures is not None and has_encoder(self.bodies)

    def free_name(self, name: str) -> str:
        """The name itself, or with a number where a style or title is called so already, in any letters."""
        taken = {word.casefold() for style in self.values() for word in (style.name, str(style.metadata.get("title", "")))}
        taken |= {word.casefold() for word in self.broken}
        count, free = 2, name
        while free.casefold() in taken:
            free, count = f"{name}-{count}", count + 1
        return free

    def _is_file(self, text: str) -> bool:
        return self._pictures is not None and file_at(text) is not None

    def _from_file(self, text: str, body: Body | None) -> Style:
        """The style of a picture, or of a style's file, by its path.

        Raises:
            StyleError: There is no such file.
            NSTError: As for `add_picture`.
        """
        path = None if self._pictures is None else file_at(text)
        if path is None:
            raise StyleError(self._unknown(text))
        key = os.path.realpath(path), body.sha256 if body else ""
        with self._adding:
            if key not in self._files:
                bodies = {known.sha256: known for known in self.bodies}
                found = read_style(path, bodies) if path.name.endswith(STYLE_SUFFIX) else self.add_picture(path, body=body)
                self._files[key] = found
            return self._files[key]

    def _unknown(self, name: str) -> str:
        known = list(self._styles)
        if self._pictures is None:
            return unknown_style(name, known)
        if LIKE_A_PATH.search(name):
            last = re.split(r"[\\/]", name)[-1].partition(".")[0]
            return unknown_style(last, known, f"No picture at '{name}', and no style of that name.")
        return f"{unknown_style(name, known)} There is no picture file of that name, either."

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
        called = {style.name: (style.name.casefold(), str(style.metadata.get("title", "")).casefold()) for style in self.values()}
        meant = [style for style in self.values() if said and said in called[style.name]]
        return meant[0] if len(meant) == 1 else None


def find_styles(folders: Sequence[Path], pictures: PictureStyles | None = None) -> StyleBook:
    """Read all styles of some folders.

    A file that cannot be used is left out with a warning, and raises its error when asked for by name.

    Args:
        folders: Searched in order; of two styles of the same name the first wins. A body may lie in any of them.
        pictures: What makes styles of pictures, for a book in which their paths name styles.

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
    return StyleBook(styles.values(), broken, pictures)


def style_folders(first: Path | None = None) -> list[Path]:
    """Where styles are looked for: a folder of the user's choice, the user's own styles, the shipped ones."""
    own = own_style_folder()
    shipped = Path(str(files("realtime_nst.weights")))
    return [*([first] if first else []), *([own] if own.is_dir() else []), shipped]


def own_style_folder() -> Path:
    """Where the styles go that a user trains."""
    return user_folder("data") / "styles"


def file_at(text: str) -> Path | None:
    """The file at a path that a user wrote; `None` where there is none."""
    try:
        path = Path(text.strip()).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # names that no file can have, and users without a home
        return None


def unknown_style(name: str, known: Sequence[str], said: str = "") -> str:
    """The message for a style that does not exist, with the nearest name."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    said = said or f"No style named '{name}'."
    return f"{said}{guess} Styles: {', '.join(known) or 'none'}."
