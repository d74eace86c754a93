"""Compiled networks on disk: found again, never trusted blindly, never needed."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import realtime_nst
from realtime_nst.engines import cache, openvino_runner
from realtime_nst.engines.backend import Backend
from realtime_nst.engines.cache import MOST_MODELS, cache_folder, forget_model, load_model, model_key, store_model
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.runner import runner_for
from realtime_nst.style.book import StyleBook

OPENVINO = runner_for(Backend("openvino", "float32", gpu=False))

pytestmark = pytest.mark.usefixtures("first_start")


def test_entry_comes_back_as_it_was() -> None:
    key = model_key("weights", 640, 480, "float32")
    assert load_model(key) is None
    store_model(key, b"network")
    assert load_model(key) == b"network"
    assert not list(cache_folder().glob(".*")), "no drafts stay"
    forget_model(key)
    assert load_model(key) is None


def test_a_cache_that_may_only_be_read_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    key = model_key("weights", 640, 480, "float32")
    store_model(key, b"network")

    def refused(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refused)
    assert load_model(key) == b"network"


def test_key_depends_on_every_fact() -> None:
    facts = ["weights", 640, 480, "float32"]
    keys = {model_key(*facts)}
    for place, other in enumerate(["others", 641, 481, "bfloat16"]):
        keys.add(model_key(*facts[:place], other, *facts[place + 1 :]))
    assert len(keys) == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:20],
        lambda content: b"",
        lambda content: content[:40] + b"x" + content[41:],
    ],
    ids=["end", "start", "empty", "middle"],
)
def test_damaged_entry_is_dropped(damage: object) -> None:
    key = model_key("weights")
    store_model(key, b"a network of many bytes")
    path = cache_folder() / key
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert load_model(key) is None
    assert not path.exists()


def test_oldest_entries_go() -> None:
    keys = [model_key(number) for number in range(MOST_MODELS + 3)]
    for age, key in enumerate(keys):
        store_model(key, b"network")
        os.utime(cache_folder() / key, (age, age))
    store_model(keys[0], b"network")
    kept = [key for key in keys if load_model(key) is not None]
    assert len(kept) == MOST_MODELS and keys[-1] in kept and keys[0] in kept


def test_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("REALTIME_NST_CACHE", str(tmp_path / "file"))
    store_model("key", b"network")
    assert load_model("key") is None
    forget_model("key")


def test_second_engine_comes_from_disk_and_paints_the_same(book: StyleBook, monkeypatch: pytest.MonkeyPatch) -> None:
    style = book["wave"]
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    first = build_engine(style.body, 64, 48, OPENVINO)(image, style.vector)
    assert len(list(cache_folder().iterdir())) == 1

    def refuse(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(openvino_runner, "compile_network", refuse)
    assert np.array_equal(build_engine(style.body, 64, 48, OPENVINO)(image, style.vector), first)
    with pytest.raises(AssertionError, match="compiled again"):
        build_engine(style.body, 72, 48, OPENVINO)


def test_entry_that_openvino_refuses_is_compiled_anew(book: StyleBook) -> None:
    body = book["wave"].body
    build_engine(body, 64, 48, OPENVINO)
    (path,) = cache_folder().iterdir()
    store_model(path.name, b"a network of another world")
    image = np.zeros((48, 64, 3), np.uint8)
    assert build_engine(body, 64, 48, OPENVINO)(image, book["wave"].vector).shape == image.shape
    assert load_model(path.name) != b"a network of another world"


def test_other_definition_of_the_network_is_another_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    before = model_key("weights")
    cache._surroundings.cache_clear()
    monkeypatch.setattr(cache, "DEFINITION", ("style/architecture.py",))
    try:
        assert model_key("weights") != before
    finally:
        cache._surroundings.cache_clear()


def test_definition_is_all_that_networks_are_made_of() -> None:
    package = Path(realtime_nst.__file__).parent
    networks = [path for path in (package / "networks").glob("*.py") if path.name != "__init__.py"]
    used = {
        name
        for path in networks
        for name in re.findall(r"from realtime_nst\.(style\.\w+|networks\.\w+) import", path.read_text())
    }
    parts = {f"networks/{path.name}" for path in networks} | {f"{name.replace('.', '/')}.py" for name in used}
    assert len(parts) > 10 and parts <= set(cache.DEFINITION)
    assert all((package / name).exists() for name in cache.DEFINITION)
