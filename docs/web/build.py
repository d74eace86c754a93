"""Make the page that paints in a visitor's browser, ready for any static host: `python docs/web/build.py FOLDER`.

It needs the extra `export`, and npm, by which ONNX Runtime Web comes; nothing of that is in the repository.
"""

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from realtime_nst.cli.arguments import DEFAULT_STYLE
from realtime_nst.control.thumbnails import thumbnail_size
from realtime_nst.engines.backend import Backend
from realtime_nst.errors import ExportError, NSTError
from realtime_nst.exporting.folder import export
from realtime_nst.files import draft_of
from realtime_nst.live.actions import BY_NAME
from realtime_nst.media.jpeg import jpeg
from realtime_nst.media.photos import read_photo
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.style.book import find_styles
from realtime_nst.style.encoder import PAINTING_SIZE
from realtime_nst.style.from_picture import LONGEST, SMALLEST
from realtime_nst.style.style import Style

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
PHOTO = ROOT / "samples" / "astronaut.jpg"
STUDIO = ("studio.css", "gallery.js", "panel.js", "keys.js", "icon.svg", "empty.svg")
"""What the page has of the studio."""
ACTIONS = ("style", "next", "strength", "texture", "scale", "other", "mix", "mirror", "pause", "snapshot")
ACTIONS += ("full_screen", "display", "help")
"""What it can do, of all that can be done to a show."""
RUNTIME = "onnxruntime-web@1.30.0"
INTEGRITY = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""SHA-512 of its package: what runs in other people's browsers is what was tested."""
CODE = ("ort.wasm.min.mjs", "ort.webgpu.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.asyncify.mjs")
BINARIES = ("ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm")
"""For the processor, and for the graphics processor. A browser takes one of them, packed, as not every host packs by itself."""


def build(folder: Path, styles: Sequence[Style], package: Path) -> None:
    """Write the page.

    Args:
        folder: Where to; there must be nothing yet.
        styles: Those that it has, of one body that has an encoder.
        package: ONNX Runtime Web, as `fetch_runtime` gives it.

    Raises:
        ExportError: There is something, or the styles' body has no encoder.
        BackendError: A package is missing.
    """
    if folder.exists():
        raise ExportError(f"'{folder}' exists. Name a new folder.")
    draft = draft_of(folder)
    try:
        shutil.copytree(HERE, draft, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (draft / "studio").mkdir()
        for name in STUDIO:
            shutil.copy(ROOT / "realtime_nst" / "studio" / name, draft / "studio")
        shutil.copy(ROOT / "LICENSE", draft)
        shutil.copy(PHOTO, draft / "photo.jpg")
        write_networks(draft, styles)
        write_thumbnails(draft / "thumbnails", styles)
        write_runtime(draft / "runtime", package)
        limits = {"shorter": PAINTING_SIZE, "longest": LONGEST, "least": SMALLEST}
        first = DEFAULT_STYLE if DEFAULT_STYLE in (style.name for style in styles) else styles[0].name
        facts = {"actions": [BY_NAME[name].row() for name in ACTIONS], "limits": limits, "first": first}
        (draft / "page.json").write_text(json.dumps(facts), "utf-8")
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_networks(folder: Path, styles: Sequence[Style]) -> None:
    """Network, encoder and vectors, with pictures as floats: WebGPU knows no bytes."""
    body = styles[0].body.name
    with tempfile.TemporaryDirectory() as exported:
        inside = Path(exported) / "exported"
        export(styles, "onnx", inside, floats=True)
        if not (inside / f"{body}.encoder.onnx").exists():
            raise ExportError(f"The body '{body}' has no style encoder, which the page needs.")
        for name, file in ((f"{body}.onnx", "network.onnx"), (f"{body}.encoder.onnx", "encoder.onnx"), ("styles.json",) * 2):
            shutil.copy(inside / name, folder / file)


def write_thumbnails(folder: Path, styles: Sequence[Style]) -> None:
    """The page's photo, small, in each style."""
    folder.mkdir()
    photo = read_photo(PHOTO)
    small = np.asarray(Image.fromarray(photo).resize(thumbnail_size(photo.shape[1], photo.shape[0]), Image.Resampling.BOX))
    stylizer = load_stylizer(Backend("openvino", "float32", gpu=False))
    for style in styles:
        (folder / f"{style.name}.jpg").write_bytes(jpeg(stylizer.paint(small, style)))


def fetch_runtime(folder: Path) -> Path:
    """Fetch ONNX Runtime Web by npm, which keeps it for the next time.

    Args:
        folder: Where its package goes.

    Raises:
        ExportError: npm is missing, its registry cannot be reached, or it gives something else.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ExportError(f"{RUNTIME} comes by npm, which is not installed. Install Node.js, which brings it.")
    command = [npm, "pack", "--silent", "--prefer-offline", "--fetch-retries=1", "--ignore-scripts", RUNTIME]
    fetched = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    packages = list(folder.glob("onnxruntime-web-*.tgz"))
    if fetched.returncode or not packages:
        reason = (fetched.stderr.strip().splitlines() or ["it does not say why"])[0]
        raise ExportError(f"npm did not fetch {RUNTIME}: {reason}. It needs its registry, or an earlier download.")
    if base64.b64encode(hashlib.sha512(packages[0].read_bytes()).digest()).decode() != INTEGRITY:
        raise ExportError(f"What npm fetched is not the {RUNTIME} that this page was tested with. Ask another registry.")
    return packages[0]


def write_runtime(folder: Path, package: Path) -> None:
    """What the page needs of a package, and nothing else."""
    folder.mkdir()
    with tarfile.open(package) as archive:
        for name in (*CODE, *BINARIES):
            with archive.extractfile(f"package/dist/{name}") as file:
                data = file.read()
            packed = name in BINARIES
            (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(data, mtime=0) if packed else data)


def main() -> int:
    """The command line."""
    if len(sys.argv) != 2:
        print("python docs/web/build.py FOLDER   (a new one)", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    try:
        with tempfile.TemporaryDirectory() as fetched:
            build(folder, find_styles([ROOT / "weights"]).values(), fetch_runtime(Path(fetched)))
    except (NSTError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Wrote '{folder}'. Any web server can give it to browsers, as `python -m http.server -d {folder}` does.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
