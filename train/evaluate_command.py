"""The command `realtime-nst evaluate`: flags to a trial, styles to a table, a report and a contact sheet."""

import argparse
import hashlib
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from realtime_nst import __version__
from realtime_nst.engines.backend import Backend, activate, choose_backend
from realtime_nst.errors import SinkError, TrainingError
from realtime_nst.media.filekinds import left_out
from realtime_nst.media.photos import check_photo_name, read_photo, write_photo
from realtime_nst.media.results import check_output, ending
from realtime_nst.style.book import find_styles, style_folders
from realtime_nst.style.style import Style

from .command import find_painting, training_backend
from .dataset import photos_below
from .flow import FlowFiles, find_flow
from .prediction import picture_styles
from .recipes import REFERENCE_RECIPE
from .report import INPUT, against, check_comparable, contact_sheet, read_report, table, write_json

STDOUT = Path("-")
FAINTEST = 1.0
"""Standard deviation of a photo's colours, of 255, below which it shows nothing."""

log = logging.getLogger(__name__)


def evaluate(options: argparse.Namespace) -> int:
    """Measure styles on photos, and on frames with true flow if there are some."""
    check_outputs(options)
    earlier = read_report(options.against) if options.against else None
    backend = training_backend()
    book = find_styles(style_folders(options.weights), picture_styles(backend))
    asked = {name: book[name] for name in options.styles}
    styles = list({style.name: style for style in asked.values()}.values()) or book.values()
    if not styles:
        raise next(iter(book.broken.values()))
    chosen = choose_photos(options.photos, options.count)
    files, photos = showing({path: square(read_photo(path), options.size) for path in chosen})
    flow = find_flow(options.flow) if options.flow else []
    measured_on = {
        "photos": [path.name for path in files],
        "size": options.size,
        "pixels": hashlib.sha256(b"".join(photo.tobytes() for photo in photos)).hexdigest()[:16],
        "flow": [f"{pair.scene}/{pair.flow.name}" for pair in flow],
        "seed": options.seed,
    }
    if earlier:
        check_comparable(earlier, measured_on, [style.name for style in styles])
    own = {style.name: Path(name.strip()).expanduser() for name, style in asked.items() if style.picture is not None}
    pictures = {style.name: own.get(style.name) or find_painting(options.paintings, style.name, bool(asked)) for style in styles}
    if options.reference and not any(pictures.values()):
        raise TrainingError("--reference needs the paintings. Name their folder with --paintings.")
    served = replace(choose_backend(options.backend, options.precision), candidates=())
    if options.cluster is not None:
        from .share import measure as measure_elsewhere  # which needs what only `pip install '.[cluster]'` brings

        found = measure_elsewhere(options, styles, measured_on, pictures, served, backend)
        if found is None:
            raise KeyboardInterrupt
        rows = found
    else:
        activate(backend)
        rows = measure_here(options, styles, photos, flow, pictures, served)
    result = {
        "version": __version__,
        "measured_on": measured_on,
        "optimization_steps": options.steps if options.reference else None,
        "half_precision_of": str(served),
        "styles": rows,
    }
    changes = against(earlier, result) if earlier else []
    if options.json == STDOUT:
        print(json.dumps(result, indent=2, allow_nan=False))
        print("".join(f"{line}\n" for line in changes), end="", file=sys.stderr)
    else:
        print("\n".join([table(rows), *([f"Half precision: {served}."] if served.precision != "float32" else []), *changes]))
        if options.json:
            write_json(options.json, result)
    if options.sheet:  # last: whatever becomes of it, the figures are there
        activate(backend)
        write_photo(options.sheet, sheet_of(styles, photos))
    return 0


def measure_here(
    options: argparse.Namespace,
    styles: Sequence[Style],
    photos: Sequence[np.ndarray],
    flow: Sequence[FlowFiles],
    pictures: Mapping[str, Path | None],
    served: Backend,
) -> dict[str, dict[str, Any]]:
    """Figures by style, after those of the photos themselves."""
    from .evaluate import Painter, Trial, finite, unchanged
    from .evaluate import evaluate as measure
    from .job import read_painting
    from .objective import PerceptualLoss

    sizes = {style.name: options.painting_size or painting_size_of(style) for style in styles}
    paintings = {name: read_painting(path, sizes[name]) for name, path in pictures.items() if path is not None}
    loss = PerceptualLoss(options.vgg_weights, REFERENCE_RECIPE)
    rounded = half_precision(styles, photos, served)  # first: its process may fail, and nothing long is lost then
    trial = Trial(
        photos=[photo.astype(np.float32) for photo in photos],
        loss=loss,
        flow=flow,
        references=options.reference,
        steps=options.steps,
        seed=options.seed,
    )
    painter = Painter()
    rows: dict[str, dict[str, Any]] = {INPUT: measure(unchanged, None, trial).to_dict()}
    with tqdm(styles, unit="style", dynamic_ncols=True) as bar:
        for style in bar:
            bar.set_description(style.name)
            figures = measure(painter(style), paintings.get(style.name), trial, report=bar.set_postfix_str)
            rows[style.name] = {**figures.to_dict(), "painting_size": sizes[style.name] if style.name in paintings else None}
    for name, decibels in rounded.items():
        rows[name]["half_precision"] = finite(decibels)
    return rows


def sheet_of(styles: Sequence[Style], photos: Sequence[np.ndarray]) -> np.ndarray:
    """Photos and their paintings, uint8 `(height, width, 3)`."""
    from .evaluate import Painter

    painter, frames = Painter(), np.stack(photos).astype(np.float32)
    return contact_sheet({INPUT: list(frames), **{style.name: list(painter(style)(frames)) for style in styles}})


def check_outputs(options: argparse.Namespace) -> None:
    """Make sure before anything is measured that report and sheet can be written.

    Raises:
        SinkError: They cannot, or must not.
    """
    if options.json not in (None, STDOUT):
        if options.json.suffix.lower() != ".json":
            raise SinkError(
                f"'{options.json}' {ending(options.json)}; .json was expected. Choose another name, or write the styles "
                "before --json."
            )
        check_output(options.json, overwrite=options.overwrite)
    if options.sheet is not None:
        check_photo_name(options.sheet)
        check_output(options.sheet, overwrite=options.overwrite)


def choose_photos(folder: Path, count: int) -> list[Path]:
    """So many photos from below a folder, evenly spread over their names; all of them if there are fewer.

    Raises:
        TrainingError: The folder does not exist or holds none.
    """
    if not folder.is_dir():
        raise TrainingError(f"No folder of photos at '{folder}'. Name a folder of JPEG or PNG files with --photos.")
    found = photos_below(folder)
    if not found:
        advice = "JPEG or PNG files were expected there; name another folder with --photos."
        raise TrainingError(f"No photo in '{folder}'. {advice} {left_out(folder, 'photo')}".rstrip())
    count = min(count, len(found))
    return [found[index * len(found) // count] for index in range(count)]


def showing(photos: Mapping[Path, np.ndarray]) -> tuple[list[Path], list[np.ndarray]]:
    """Files and photos without those that show nothing: figures are relative to how much a photo shows. They are told.

    Raises:
        TrainingError: Not one is left.
    """
    kept = {path: photo for path, photo in photos.items() if photo.std(axis=(0, 1)).max() >= FAINTEST}
    for path in photos:
        if path not in kept:
            log.warning("Photo '%s' is left out: its middle has one colour, and figures need something to see.", path)
    if not kept:
        raise TrainingError(f"None of the {len(photos)} photos shows anything. Name another folder with --photos.")
    return list(kept), list(kept.values())


def square(photo: np.ndarray, size: int) -> np.ndarray:
    """The middle of a photo, uint8 `(size, size, 3)`."""
    height, width = photo.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    cut = Image.fromarray(photo).crop((left, top, left + side, top + side))
    return np.asarray(cut.resize((size, size), Image.Resampling.LANCZOS))


def painting_size_of(style: Style) -> int:
    """The size of the painting that a style was trained with, as its file says, or the recipe's."""
    size = style.metadata.get("painting_size")
    return size if isinstance(size, int) and 64 <= size <= 4096 else REFERENCE_RECIPE.painting_size


def half_precision(styles: Sequence[Style], photos: Sequence[np.ndarray], served: Backend) -> dict[str, float]:
    """What rounding costs, by style; nothing where float32 is served."""
    if served.precision == "float32":
        return {}
    from .serving_precision import rounding

    print(f"Painting with {served} and with float32 ...", file=sys.stderr)
    return rounding(styles, photos, served)
