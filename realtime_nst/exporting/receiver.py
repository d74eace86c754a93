"""What tells the receiver of an exported network how to use it: a README, and an example of twenty lines that runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime_nst import __version__
from realtime_nst.style.encoder import PAINTING_SIZE
from realtime_nst.style.style import Style


@dataclass(frozen=True)
class Runtime:
    """What runs a format.

    Args:
        packages: What `pip` installs for it.
        lines: Python that makes `paintings` of `inputs`; `{file}` is the network's name.
    """

    packages: str
    lines: str


RUNTIMES = {
    "onnx": Runtime(
        "onnxruntime",
        """import onnxruntime
session = onnxruntime.InferenceSession(here / "{file}")
paintings = session.run(None, inputs)[0]""",
    ),
    "openvino": Runtime(
        "openvino",
        """import openvino
paintings = openvino.compile_model(here / "{file}", "CPU")(inputs)[0]""",
    ),
    "saved-model": Runtime(
        "tensorflow",
        """import tensorflow as tf
network = tf.saved_model.load(str(here / "{file}"))
paintings = network.serve(inputs)["paintings"].numpy()""",
    ),
    "litert": Runtime(
        "ai-edge-litert",
        """from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(str(here / "{file}"))
paintings = interpreter.get_signature_runner()(**inputs)["paintings"]""",
    ),
}


@dataclass(frozen=True)
class Contents:
    """What was exported.

    Args:
        format: One of `RUNTIMES`.
        file: The network's name in its folder.
        styles: The styles; one where it is part of the network.
        baked: Whether it is.
        width: Of the pictures; `None` where any multiple of 8 will do.
        height: Likewise.
        half: Whether it is float16 inside.
        floats: Whether pictures are float32 in `[0, 1]`; else uint8.
        encoder: The style encoder's name, if it is in the folder.
    """

    format: str
    file: str
    styles: Sequence[Style]
    baked: bool
    width: int | None
    height: int | None
    half: bool
    floats: bool = False
    encoder: str | None = None

    @property
    def field_given(self) -> bool:
        """Whether its receiver gives it a texture field."""
        return bool(self.styles[0].body.architecture.field) and self.width is None


def example(contents: Contents) -> str:
    """A program that paints a photo with what was exported."""
    runtime, style = RUNTIMES[contents.format], contents.styles[0].name
    wanted = "" if contents.baked else " [STYLE]"
    lines = [f'"""python example.py photo.jpg painted.png{wanted}   (pip install numpy pillow {runtime.packages})"""']
    lines += [] if contents.baked else ["import json"]
    lines += ["import sys", "from pathlib import Path", "import numpy as np", "from PIL import Image"]
    lines += ["here = Path(__file__).parent", 'photo = Image.open(sys.argv[1]).convert("RGB")']
    fixed = f"({contents.width}, {contents.height})"
    lines += [f"photo = photo.resize({fixed if contents.width else '(photo.width // 8 * 8, photo.height // 8 * 8)'})"]
    lines += ['inputs = {"images": ' + ("np.float32(photo)[None] / 255}" if contents.floats else "np.asarray(photo)[None]}")]
    if not contents.baked:
        lines += ['styles = json.loads((here / "styles.json").read_text())["styles"]']
        lines += [f'name = sys.argv[3] if len(sys.argv) > 3 else "{style}"']
        lines += ['inputs["vectors"] = np.array([styles[name]["vector"]], np.float32)']
    if contents.field_given:
        lines += ["for part in (4, 8):"]
        lines += ['    field = np.load(here / f"field{part}.npy").take(range(photo.height // part), 0, mode="wrap")']
        lines += ['    inputs[f"field{part}"] = field.take(range(photo.width // part), 1, mode="wrap")[None]']
    painted = "np.uint8(paintings[0] * 255 + 0.5)" if contents.floats else "paintings[0]"
    lines += [*runtime.lines.format(file=contents.file).splitlines(), f"Image.fromarray({painted}).save(sys.argv[2])"]
    return "\n".join(lines) + "\n"


def readme(contents: Contents) -> str:
    """What is in the folder, in Markdown."""
    first, runtime = contents.styles[0], RUNTIMES[contents.format]
    architecture = first.body.architecture
    height, width = (side or name for side, name in ((contents.height, "H"), (contents.width, "W")))
    size = "" if contents.width else ", of any size whose sides are multiples of 8 (`H`, `W`)"
    pixels, rgb = ("float32", "RGB in 0..1") if contents.floats else ("uint8", "RGB")
    rows = [("`images`", pixels, f"(1, {height}, {width}, 3)", f"{rgb}, rows from top to bottom{size}")]
    if not contents.baked:
        rows += [("`vectors`", "float32", f"(1, {architecture.vector_size})", "a style from `styles.json`")]
    if contents.field_given:
        rows += [
            (
                f"`field{part}`",
                "float32",
                f"(1, H/{part}, W/{part}, {architecture.field})",
                f"the texture field: the first rows and columns of `field{part}.npy`",
            )
            for part in (4, 8)
        ]
    rows += [("`paintings` (output)", pixels, f"(1, {height}, {width}, 3)", rgb)]
    table = ["| name | type | shape | what |", "|---|---|---|---|", *("| " + " | ".join(row) + " |" for row in rows)]
    what = f"The style {title(first)} in one network" if contents.baked else "A network that paints photos in many styles"
    text = [f"# {contents.file}", "", f"{what}, exported by realtime-nst {__version__}.", "", *table, ""]
    if not contents.baked:
        text += ["A mix is the weighted sum of vectors; the weights sum to 1. A switch of style is another vector.", ""]
    if contents.field_given:
        text += [
            "The texture field is what strokes hang on where a photo is plain. It repeats after 2048 pixels. Start at other rows",
            "and columns, and the strokes move along; zeros leave them out.",
            "",
        ]
    if contents.encoder:
        text += [
            f"`{contents.encoder}` makes a style of any painting: it takes `paintings`, {pixels} (1, height, width, 3), {rgb},",
            f"of any size (a shorter side of {PAINTING_SIZE} pixels is best), and gives `vectors` for this network.",
            "",
        ]
    if contents.half:
        text += ["Inside it is in half precision; inputs and outputs are as above.", ""]
    text += [
        f"`pip install numpy pillow {runtime.packages}`, then `python example.py photo.jpg painted.png` paints a photo.",
        "",
        "## Licence",
        "",
        f"- the network `{first.body.name}`: {licence(first.body.metadata)}",
        *(f"- `{style.name}`: {title(style)}: {licence(style.metadata)}" for style in contents.styles),
        "",
        "What says MIT: copyright (c) 2026 the realtime-nst authors, https://opensource.org/license/mit. Use it for anything,",
        "and keep this notice. It comes without any warranty.",
    ]
    return "\n".join(text) + "\n"


def title(style: Style) -> str:
    """Painting, artist and year of a style, in words."""
    return ", ".join(str(style.metadata[key]) for key in ("title", "artist", "year") if style.metadata.get(key)) or style.name


def licence(metadata: Mapping[str, Any]) -> str:
    """What a file of weights says of its licence."""
    return str(metadata.get("licence", "its file states no licence; ask who trained it"))
