"""The house itself: who may import whom, and what must not be there."""

import ast
import configparser
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from realtime_nst.frames import Sink, Source
from realtime_nst.pipeline.loop import Remote

ROOT = Path(__file__).parents[1]
APPLICATION = sorted((ROOT / "realtime_nst").rglob("*.py"))
TRAINING = sorted((ROOT / "train").glob("*.py"))
ALL = [*APPLICATION, *TRAINING, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "samples").glob("*.py"))]

LONGEST_FILE = 340
TRAINING_BY_KERAS = {
    "losses",
    "model",
    "encoded",
    "encoder_model",
    "sight",
    "build",
    "learner",
    "checkpoint",
    "trainer",
    "distil",
    "recovery",
    "training_log",
    "objective",
    "stability",
    "evaluate",
    "refine",
    "processes",
}
KERAS_ALLOWED = {f"engines.{path.stem}" for path in (ROOT / "realtime_nst" / "engines").glob("*_runner.py")}
NETWORKS_RUN = ("interface", "runner", "backend", "engine", "stabilizer", "recolour", "strips", "encoder")
KERAS_ALLOWED |= {f"engines.{name}" for name in NETWORKS_RUN}
KERAS_ALLOWED |= {"benchmark.roofline", "networks.transform", "networks.convolutions", "networks.field", "networks.encoder"}
KERAS_ALLOWED |= {"networks.stabilizer", "networks.recolour", "networks.strips", "networks.onnx_layers", "exporting.formats"}
KERAS_ALLOWED |= {f"train.{name}" for name in TRAINING_BY_KERAS}
CV2_ALLOWED = {"media.opencv"}
SUBPROCESS_ALLOWED = {"media.ffmpeg", "benchmark.bench", "live.doctor", "jobs.errand", "media.beside", "cluster.connection"}
IMPORT_BY_NAME_ALLOWED = {"__init__", "cli.main", "cli.image"}
PRINT_ALLOWED = {"cli", "train.command", "train.bar", "train.evaluate_command", "train.optimize_command", "train.distil_command"}

FILMS = {"media.decoding", "media.probing", "media.encoding", "media.ffmpeg"}
KEYBOARDS = {"live.remote", "live.window"}
MAY_BE_MISSING = {"sched_getaffinity", "SIGHUP", "CTRL_BREAK_EVENT", "close", "reason", "strerror", "dtype", "kernel"}
MAY_BE_MISSING |= {"n_frames", "tag_v2", "text"}
"""What objects of Python and other libraries may lack. What our own have stands in their class or protocol."""

BASE = {"errors", "frames", "files", "folders"}
BELOW: dict[str, set[str]] = {
    "errors": set(),
    "files": set(),
    "folders": {"errors"},
    "frames": {"errors"},
    "pipeline": BASE,
    "style": BASE,
    "networks": {"style"},
    "engines": {"networks", "style", "pipeline", *BASE},
    "exporting": {"engines", "networks", "style", *BASE},
    "painting": {"engines", "style", "pipeline", *BASE},
    "media": {"pipeline", *BASE},
    "inputs": {"media", "pipeline", *BASE},
    "outputs": {"media", "pipeline", *BASE},
    "live": {"inputs", "outputs", "media", "painting", "engines", "style", "pipeline", *BASE},
    "jobs": {"outputs", "media", "painting", "style", "pipeline", *BASE},
    "cluster": {"jobs", "media", "painting", "engines", "style", "pipeline", *BASE},
    "studio": set(),
    "control": {"studio", "jobs", "live", "inputs", "media", "painting", "style", "pipeline", *BASE},
    "api": {"jobs", "media", "painting", "engines", "style", "pipeline", *BASE},
    "benchmark": {"live", "jobs", "inputs", "outputs", "media", "painting", "engines", "style", "pipeline", *BASE},
    "cli": {
        "benchmark",
        "exporting",
        "cluster",
        "control",
        "live",
        "jobs",
        "inputs",
        "outputs",
        "media",
        "painting",
        "engines",
        "style",
        "pipeline",
        *BASE,
    },
    "__main__": {"cli"},
}
"""What each package, or module beside them, may import, itself apart. Imports run down this table only."""

TRAINING_BELOW = {"engines", "networks", "style", "media", "pipeline", *BASE}
"""What training may import of the application; the one that measures what serves (`serving_precision.py`) also what paints, and
the one that reaches a cluster (`share.py`) also that."""
TRAINING_ALSO = {"serving_precision": {"painting"}, "share": {"cluster", "jobs"}}


def module_of(path: Path) -> str:
    """The whole name of a module below `realtime_nst`, as in "media.decoding"; of training as in "train.losses"."""
    inside = path.relative_to(ROOT / "realtime_nst" if path.is_relative_to(ROOT / "realtime_nst") else ROOT)
    return ".".join(inside.with_suffix("").parts).removesuffix(".__init__")


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """A file's syntax tree and all that is in it: read once for many tests."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


@cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """Modules that a file imports, by their whole names, and whether at its top; of the package itself also public names."""
    found = list[tuple[str, bool]]()
    (tree, *inside) = nodes(path)
    assert isinstance(tree, ast.Module)
    top = set(map(id, tree.body))
    home = path.parent.relative_to(ROOT).parts
    home = home if home[0] == "realtime_nst" else ("realtime_nst", *home)  # as which `train` is installed
    for node in inside:
        if isinstance(node, ast.Import):
            found += [(name.name, id(node) in top) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = home[: len(home) + 1 - node.level] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            for name in node.names:  # `from package import module` imports the module
                whole = f"{module}.{name.name}"
                known = (ROOT / f"{whole.replace('.', '/')}.py").is_file() or (ROOT / whole.replace(".", "/")).is_dir()
                within = module == "realtime_nst" or (module.startswith("realtime_nst.") and known)
                found.append((whole if within else module, id(node) in top))
    return tuple(found)


def own_imports(path: Path) -> set[str]:
    """Modules of the application that a file imports anywhere in it, by their whole names below `realtime_nst`."""
    names = {name.removeprefix("realtime_nst").removeprefix(".") for name, _ in imports(path) if name.startswith("realtime_nst")}
    return {name for name in names if name and name.split(".")[0] not in ("train", "weights", "__version__")}


def package_of(module: str) -> str:
    return module.split(".")[0]


DIRECT = {module_of(path): own_imports(path) for path in APPLICATION if module_of(path) != "__init__"}


def reached(modules: set[str]) -> set[str]:
    """All modules of the application that some modules need, also through others."""
    found, ahead = set[str](), list(modules)
    while ahead:
        module = ahead.pop()
        if module not in found:
            found.add(module)
            ahead += DIRECT.get(module, ())
    return found


def test_table_of_packages_is_whole_and_leads_down() -> None:
    packages = {package_of(module) for module in DIRECT}
    assert packages == set(BELOW)
    order = list(BELOW)
    for package, below in BELOW.items():
        assert all(order.index(other) < order.index(package) for other in below), package


@pytest.mark.parametrize("module", sorted(DIRECT))
def test_modules_import_only_what_lies_below_their_package(module: str) -> None:
    package = package_of(module)
    for other in DIRECT[module]:
        assert package_of(other) in {package, *BELOW[package]}, f"{module} imports {other}"


@pytest.mark.parametrize("module", sorted(DIRECT))
def test_no_module_needs_itself_through_others(module: str) -> None:
    assert module not in reached(DIRECT[module]), f"{module} is needed by what it imports"


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: f"train-{path.stem}")
def test_training_needs_neither_cameras_nor_films_nor_the_command_line(path: Path) -> None:
    if path.stem == "__main__":  # which is the command line
        return
    also = TRAINING_ALSO.get(path.stem, set())
    for module in reached(own_imports(path)):
        assert package_of(module) in TRAINING_BELOW | also, f"train.{path.stem} needs {module}"
        assert module not in FILMS or "cluster" in also, f"train.{path.stem} needs {module}"


@pytest.mark.parametrize("path", APPLICATION, ids=module_of)
def test_application_does_not_import_training(path: Path) -> None:
    assert not [name for name, _ in imports(path) if name.startswith("realtime_nst.train")]


def test_training_loads_no_cameras_and_no_decoders() -> None:
    code = (
        "import sys, realtime_nst.train.job, realtime_nst.train.dataset, realtime_nst.train.recipes\n"
        "loaded = {name for name in sys.modules if name.startswith('realtime_nst.')}\n"
        "films = {'realtime_nst.media.' + name for name in ('decoding', 'probing', 'encoding', 'ffmpeg')}\n"
        "live = {name for name in loaded if name.split('.')[1] in ('inputs', 'outputs', 'live', 'jobs', 'cli')}\n"
        "found = live | (loaded & films)\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("path", [*APPLICATION, *TRAINING], ids=module_of)
def test_heavy_packages_are_imported_in_their_places_only(path: Path) -> None:
    for name, top in imports(path):
        package = name.split(".")[0]
        if package in ("keras", "tensorflow", "jax", "openvino"):
            assert module_of(path) in KERAS_ALLOWED, f"{path.name} imports {name}"
        if package in ("tensorflow", "jax", "openvino", "cv2"):
            assert not top, f"{path.name} imports {name} at its top"
        if package == "cv2":
            assert module_of(path) in CV2_ALLOWED
        if package in ("subprocess", "imageio_ffmpeg"):
            assert module_of(path) in SUBPROCESS_ALLOWED, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", [*APPLICATION, *TRAINING], ids=module_of)
def test_what_a_file_asks_of_others_stands_in_imports_and_protocols(path: Path) -> None:
    module = module_of(path)
    for node in nodes(path):
        if isinstance(node, ast.Attribute | ast.FunctionDef) and getattr(node, "attr", getattr(node, "name", "")) == "poll_key":
            assert module in KEYBOARDS, "only a keyboard has keys; a sink takes frames"
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                assert module in IMPORT_BY_NAME_ALLOWED, f"{module} imports by a name that no test can follow"
            if called in ("hasattr", "getattr") and isinstance(node.args[1], ast.Constant):
                name = node.args[1].value
                assert name in MAY_BE_MISSING, f"{module} asks whether there is '{name}': a class or protocol should say so"


def test_a_sink_takes_frames_and_nothing_else() -> None:
    public = {protocol: {name for name in vars(protocol) if not name.startswith("_")} for protocol in (Sink, Source, Remote)}
    assert public[Sink] == {"write", "close", "discard"}
    assert public[Source] == {"close"} and set(Source.__annotations__) == {"width", "height", "fps", "live"}
    assert public[Remote] == {"quit", "idle", "leave", "poll"}


@pytest.mark.parametrize("path", [*APPLICATION, *TRAINING], ids=module_of)
def test_nothing_below_the_commands_prints_or_exits(path: Path) -> None:
    calls = [node for node in nodes(path) if isinstance(node, ast.Call)]
    names = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
    module = module_of(path)
    if module not in PRINT_ALLOWED and package_of(module) not in PRINT_ALLOWED:
        assert "print" not in names, "only the commands print"
    assert not names & {"exit", "quit", "eval", "exec"}
    asserts = [node for node in nodes(path) if isinstance(node, ast.Assert)]
    assert not asserts, "assert is for tests"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_are_one_idea_and_say_which(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = nodes(path)[0]
    assert isinstance(tree, ast.Module) and ast.get_docstring(tree), "a module starts with what it is"
    if "tests" not in path.parts:
        assert len(text.splitlines()) <= LONGEST_FILE
    unfinished = "TO" + "DO"
    assert unfinished not in text


def test_map_of_each_package_names_every_module_of_it() -> None:
    for path in APPLICATION:
        if not path.stem.startswith("__"):
            text = (path.parent / "__init__.py").read_text("utf-8")
            assert re.search(rf"\b{path.stem}\.py\b", text), f"{path.name} is not on the map"
    for package in {path.parent for path in APPLICATION} - {ROOT / "realtime_nst"}:
        assert f"{package.name}/" in (ROOT / "realtime_nst" / "__init__.py").read_text("utf-8"), package.name
    text = (ROOT / "train" / "__init__.py").read_text("utf-8")
    for path in TRAINING:
        if not path.stem.startswith("__"):
            assert f"{path.stem}.py" in text, f"train/{path.name} is not on the map"


def test_tree_in_the_docs_is_the_tree() -> None:
    tree = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## Where everything is")[2]
    for path in APPLICATION:
        if not path.stem.startswith("__"):
            assert re.search(rf"\b{path.stem}\.py\b", tree), f"{path.name} is not in the tree of docs/architecture.md"


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
