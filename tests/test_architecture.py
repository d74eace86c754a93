"""The house itself: who may import whom, and what must not be there."""

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
APPLICATION = sorted((ROOT / "realtime_nst").rglob("*.py"))
TRAINING = sorted((ROOT / "train").glob("*.py"))
ALL = [*APPLICATION, *TRAINING, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "samples").glob("*.py"))]

LONGEST_FILE = 340
KERAS_ALLOWED = {"network", "engine", "roofline", "backend", "losses", "model", "checkpoint", "trainer"}
KERAS_ALLOWED |= {"distil", "learner", "recovery", "watch", "optimize", "stability", "evaluate", "retouch", "retouch_network"}
KERAS_ALLOWED |= {"strips", "strip_network", "hold", "hold_network"}
KERAS_ALLOWED |= {"runner", "openvino_runner", "tensorflow_runner", "jax_runner"}
CV2_ALLOWED = {"opencv"}
SUBPROCESS_ALLOWED = {"ffmpeg", "bench", "doctor"}
PRINT_ALLOWED = {
    "cli",
    "commands",
    "benching",
    "command",
    "webcam",
    "checks",
    "evaluate_command",
    "optimize_command",
    "distil_command",
}

LAYERS = [
    {"addresses", "photofiles"},
    {"errors", "architecture", "interrupt", "stage", "buffers", "ffmpeg", "colours", "rawstream", "timing"}
    | {"protection", "stereo", "look", "faint", "keys", "visibility"},
    {"folders", "videofiles"},
    {"modelcache", "results", "weightfile", "backend", "opencv", "settings", "devices", "tracks"},
    {"style", "video", "interface", "pace", "upscale", "depth", "remarks"}
    | {"openvino_runner", "tensorflow_runner", "jax_runner"},
    {"arguments", "runner"},
    {"crossfade", "network", "stylebook", "probing", "cameras", "flags"},
    {"controls", "stats", "retouch_network", "hold_network", "strip_network", "polling"},
    {"app", "remote"},
    {"overlay", "stylizer", "decoding", "containers", "stylepath", "progress", "fetching", "edits"}
    | {"window", "virtualcamera", "streaming", "aside", "playout"},
    {"strips", "retouch", "hold", "stream"},
    {"engine", "roofline", "sources", "encoders", "footage", "painter", "livepainter", "brush"},
    {"encoding", "wishes", "doctor", "serving", "charsets", "picturefile"},
    {"sinks", "photos", "joining", "benchchart", "livefile"},
    {"workfolder", "recorder", "preview", "patience"},
    {"outputs"},
    {"segments", "snapshots"},
    {"painting"},
    {"commands", "api", "show", "bench"},
    {"benching", "command", "imaging", "webcam", "checks"},
    {"cli"},
    {"__main__"},
]
"""A module may import only from layers above it in this list (and `cli` reaches the commands by name)."""


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules that a file imports, and whether at its top."""
    tree = ast.parse(path.read_text("utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            yield ("." * node.level) + (node.module or ""), id(node) in top


@pytest.mark.parametrize("path", APPLICATION, ids=lambda path: path.stem)
def test_application_modules_import_only_what_lies_below_them(path: Path) -> None:
    if path.stem == "__init__":
        return
    level = next(number for number, layer in enumerate(LAYERS) if path.stem in layer)
    for name, _ in imports(path):
        if name.startswith("realtime_nst."):
            other = name.removeprefix("realtime_nst.").removeprefix("files.").removeprefix("live.").split(".")[0]
            assert other != "train", f"{path.name} imports training"
            below = next(number for number, layer in enumerate(LAYERS) if other in layer)
            assert below < level, f"{path.name} imports {other}"


def test_loop_knows_its_nouns_its_threads_and_nothing_else() -> None:
    names = {name for name, _ in imports(ROOT / "realtime_nst" / "app.py") if name.startswith("realtime_nst")}
    assert names == {f"realtime_nst.{name}" for name in ("interrupt", "stage", "stats", "video")}


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: f"train-{path.stem}")
def test_training_uses_the_network_and_not_the_application(path: Path) -> None:
    application = {"app", "commands", "sources", "sinks", "stylizer", "engine", "ffmpeg", "painting"}
    if path.stem == "served":  # its very subject, in a process of its own
        application.remove("engine")
    for name, _ in imports(path):
        if name.startswith("realtime_nst."):
            assert name.removeprefix("realtime_nst.").removeprefix("files.") not in application, name


@pytest.mark.parametrize("path", [*APPLICATION, *TRAINING], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_heavy_packages_are_imported_in_their_places_only(path: Path) -> None:
    for name, top in imports(path):
        package = name.split(".")[0]
        if package in ("keras", "tensorflow", "jax", "openvino"):
            assert path.stem in KERAS_ALLOWED, f"{path.name} imports {name}"
        if package in ("tensorflow", "jax", "openvino", "cv2"):
            assert not top, f"{path.name} imports {name} at its top"
        if package == "cv2":
            assert path.stem in CV2_ALLOWED
        if package in ("subprocess", "imageio_ffmpeg"):
            assert path.stem in SUBPROCESS_ALLOWED, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", [*APPLICATION, *TRAINING], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_below_the_commands_prints_or_exits(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    names = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
    if path.stem not in PRINT_ALLOWED:
        assert "print" not in names
    assert not names & {"exit", "quit", "eval", "exec"}
    asserts = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Assert)]
    assert not asserts, "assert is for tests"


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_files_are_one_idea_and_say_which(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module starts with what it is"
    if "tests" not in path.parts:
        assert len(text.splitlines()) <= LONGEST_FILE
    unfinished = "TO" + "DO"
    assert unfinished not in text


def test_map_of_the_package_names_every_module() -> None:
    for path in APPLICATION:
        text = (path.parent / "__init__.py").read_text("utf-8")
        if not path.stem.startswith("__"):
            assert f"{path.stem}.py" in text, f"{path.name} is not on the map"
    text = (ROOT / "train" / "__init__.py").read_text("utf-8")
    for path in TRAINING:
        if not path.stem.startswith("__"):
            assert f"{path.stem}.py" in text, f"train/{path.name} is not on the map"


def test_tree_in_the_docs_is_the_tree() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    for path in (ROOT / "realtime_nst").glob("*.py"):
        if not path.stem.startswith("__"):
            assert re.search(rf"\b{path.stem}\.py\b", text), f"{path.name} is not in the tree of docs/architecture.md"


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "samples").glob("*.md"), *(ROOT / "weights").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text("utf-8")):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}, link


def test_readme_is_short_and_begins_with_what_moves() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 150 and len(text.split()) <= 1200
    picture = ROOT / re.findall(r"!\[.+?\]\((.+?)\)", text)[0]
    with Image.open(picture) as animation:
        assert getattr(animation, "n_frames", 1) > 24 and animation.width == 800
    assert picture.stat().st_size <= 3_000_000


def test_light_installation_is_the_whole_one_without_tensorflow() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    whole = {line for line in parser["options"]["install_requires"].splitlines() if line and not line.startswith("#")}
    light = {line for line in (ROOT / "requirements-light.txt").read_text().splitlines() if line and not line.startswith("#")}
    assert {line.partition(">")[0] for line in whole - light} == {"tensorflow"} and not light - whole
