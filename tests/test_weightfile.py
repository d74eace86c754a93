"""Weight files: what was written comes back, and nothing else comes in."""

import json
import subprocess
import sys
import time
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from realtime_nst.errors import StyleError
from realtime_nst.style.weightfile import LARGEST_METADATA, read_arrays, read_metadata, write_weights

ARRAYS = {
    "stem/kernel": np.random.default_rng(0).normal(size=(3, 3, 4, 8)).astype(np.float32),
    "style_vector": np.array([0.0, -0.0, 1e-45, 3.4e38, -1.5], np.float32),
}
SHAPES = {name: array.shape for name, array in ARRAYS.items()}
FOREIGN = "is an HDF5 file, but not a weight file of this program"
DAMAGED = r"is not a readable weight file \(HDF5\); it may be cut short|is damaged: part of it cannot be read"

WRITE_ON_A_FULL_DISK = """
import os, resource, sys
from pathlib import Path
import numpy as np
from realtime_nst.errors import StyleError
from realtime_nst.style.weightfile import write_weights
path, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    write_weights(path, {"a": np.ones(16_000), "b": np.ones(7)}, {"title": "new" * 100})
except StyleError as error:
    print(error, end="")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound weight file, alone in its folder."""
    path = tmp_path / "wave.weights.h5"
    write_weights(path, ARRAYS, {"title": "Wave"})
    return path


def strange_file(path: Path, metadata: object) -> Path:
    """A weight file whose metadata is anything that HDF5 can hold."""
    with h5py.File(path, "w") as file:
        file.attrs["metadata"] = metadata
    return path


# What is written comes back.


def test_arrays_come_back_to_the_bit(path: Path) -> None:
    arrays = read_arrays(path, SHAPES)
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == np.float32
        assert arrays[name].tobytes() == array.tobytes()


def test_other_number_types_are_stored_as_float32(tmp_path: Path) -> None:
    numbers = np.array([[1 / 3, 2.0**30 + 1]])
    write_weights(tmp_path / "a.h5", {"double": numbers, "big_endian": numbers.astype(">f4"), "whole": np.arange(3)}, {})
    arrays = read_arrays(tmp_path / "a.h5", {"double": (1, 2), "big_endian": (1, 2), "whole": (3,)})
    assert np.array_equal(arrays["double"], numbers.astype(np.float32))
    assert np.array_equal(arrays["big_endian"], numbers.astype(np.float32))
    assert np.array_equal(arrays["whole"], [0, 1, 2])


def test_metadata_comes_back(tmp_path: Path) -> None:
    metadata = {"title": "Die Brücke 橋", "numbers": [1, 2.5, None, True], "recipe": {"motion": {"shift": 8.0}}}
    write_weights(tmp_path / "a.h5", {}, metadata)
    assert read_metadata(tmp_path / "a.h5") == metadata


def test_longest_metadata_fits(tmp_path: Path) -> None:
    metadata = {"text": "x" * (LARGEST_METADATA - len('{"text": ""}'))}
    assert len(json.dumps(metadata)) == LARGEST_METADATA
    write_weights(tmp_path / "a.h5", {}, metadata)
    assert read_metadata(tmp_path / "a.h5") == metadata


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_weights(tmp_path / "new" / "folder" / "a.h5", ARRAYS, {})
    assert set(read_arrays(tmp_path / "new" / "folder" / "a.h5", SHAPES)) == set(SHAPES)


# A file is written as a whole or not at all.


def test_writing_replaces_the_old_file_and_leaves_nothing_beside_it(path: Path) -> None:
    write_weights(path, {"other": np.zeros(2)}, {"title": "Scream"})
    assert read_metadata(path) == {"title": "Scream"}
    assert set(read_arrays(path, {"other": (2,)})) == {"other"}
    assert list(path.parent.iterdir()) == [path]


def test_too_long_metadata_is_refused_and_the_old_file_stays(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"metadata of 60\d\d\d bytes: at most 60000 were expected"):
        write_weights(path, ARRAYS, {"text": "x" * LARGEST_METADATA})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_metadata_that_json_cannot_write_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_weights(path, ARRAYS, {"where": path})
    assert path.read_bytes() == before


def test_array_of_words_leaves_the_old_file_and_no_draft(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match="could not convert string to float"):
        write_weights(path, {"good": np.zeros(3), "bad": np.array(["words"])}, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_folder_in_the_place_of_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.h5").mkdir()
    (tmp_path / "a.h5" / "precious").touch()
    with pytest.raises(StyleError, match=r"a\.h5' was not written: Is a directory\. Free the disk or choose another folder"):
        write_weights(tmp_path / "a.h5", ARRAYS, {})
    assert [item.name for item in tmp_path.rglob("*")] == ["a.h5", "precious"]


def test_file_in_the_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "styles").write_text("a file")
    with pytest.raises(StyleError, match=r"a\.h5' was not written: (File exists|Not a directory)\."):
        write_weights(tmp_path / "styles" / "a.h5", ARRAYS, {})
    assert (tmp_path / "styles").read_text() == "a file"


def test_name_too_long_for_the_disk_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="was not written: .*File name too long"):
        write_weights(tmp_path / ("a" * 300), ARRAYS, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
@pytest.mark.parametrize("limit", [0, 100, 2_000, 30_000, 66_000])
def test_full_disk_is_reported_and_leaves_only_the_old_file(path: Path, limit: int) -> None:
    before = path.read_bytes()
    command = [sys.executable, "-c", WRITE_ON_A_FULL_DISK, str(path), str(limit)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr[-1000:]
    assert result.stdout == f"'{path}' was not written: File too large. Free the disk or choose another folder."
    assert result.stderr == ""
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


# Files that are not there, not whole or not HDF5.


def test_missing_file_is_reported(tmp_path: Path) -> None:
    for read in (read_metadata, lambda path: read_arrays(path, SHAPES)):
        with pytest.raises(StyleError, match=r"No weight file at '.*gone\.h5'. `realtime-nst styles` lists what there is"):
            read(tmp_path / "gone.h5")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_truncated_file_is_reported(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(StyleError, match=DAMAGED):
        read_metadata(path)
    with pytest.raises(StyleError, match=DAMAGED):
        read_arrays(path, SHAPES)


@pytest.mark.parametrize("data", [b"wave, 0.5, 0.25\n" * 100, b"\x89PNG\r\n\x1a\n" + bytes(500), bytes(5000)])
def test_file_of_another_kind_is_reported(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.h5").write_bytes(data)
    with pytest.raises(StyleError, match=r"'.*a\.h5' is not a readable weight file \(HDF5\).*Copy or train it again"):
        read_metadata(tmp_path / "a.h5")


def test_folder_instead_of_a_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="is not a readable weight file"):
        read_arrays(tmp_path, SHAPES)


def test_enormous_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "a.h5").open("wb") as file:
        file.truncate(2**34)  # sparse: it takes no room on the disk
    for read in (read_metadata, lambda path: read_arrays(path, SHAPES)):
        with pytest.raises(StyleError, match="has 16384 MiB; a weight file has at most 256. It was not read"):
            read(tmp_path / "a.h5")


# Metadata of strangers.


def test_hdf5_file_of_a_stranger_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["temperatures"] = np.arange(5)
    with pytest.raises(StyleError, match=FOREIGN):
        read_metadata(tmp_path / "a.h5")


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "{",
        "{'title': 'single quotes'}",
        "[1, 2]",
        '"text"',
        "3",
        "null",
        "[" * 50_000,
        "1" * 5_000,
        b"\xff\xfe{}",
        7,
        np.arange(3),
        ["{}", "{}"],
        h5py.Empty("S1"),
    ],
    ids=lambda metadata: repr(metadata)[:20],
)
def test_metadata_that_is_no_json_object_is_refused(tmp_path: Path, metadata: object) -> None:
    with pytest.raises(StyleError, match=FOREIGN):
        read_metadata(strange_file(tmp_path / "a.h5", metadata))


# Arrays of strangers.


def test_metadata_that_would_take_memory_is_refused_unread(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.attrs["metadata"] = np.bytes_(b'{"a": "' + b"x" * 10**6 + b'"}')
    with pytest.raises(StyleError, match=FOREIGN):
        read_metadata(tmp_path / "a.h5")


def test_metadata_gives_a_terminal_no_orders(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.h5", ARRAYS, {"title": "\x1b]0;owned\x07Wave \u2014 d\u00e9j\u00e0", "more": [{"a\n": "b\r"}]})
    assert read_metadata(tmp_path / "a.h5") == {"title": "?]0;owned?Wave \u2014 d\u00e9j\u00e0", "more": [{"a?": "b?"}]}


def test_extra_array_is_refused(path: Path) -> None:
    with pytest.raises(StyleError, match="does not fit the transform network: it has 2 arrays, 1 expected.*Retrain it"):
        read_arrays(path, {"style_vector": (5,)})


def test_missing_array_is_refused(path: Path) -> None:
    with pytest.raises(StyleError, match="does not fit the transform network: it has 2 arrays, 3 expected"):
        read_arrays(path, {**SHAPES, "colours/kernel": (3, 3, 4, 3)})


def test_renamed_array_is_refused_in_words_that_help(path: Path) -> None:
    with pytest.raises(StyleError, match="does not fit the transform network") as caught:
        read_arrays(path, {"trunk/kernel": (3, 3, 4, 8), "style_vector": (5,)})
    assert "2 arrays, 2 expected" not in str(caught.value)


def test_empty_group_is_no_array(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("a")
    with pytest.raises(StyleError, match="it has 0 arrays, 1 expected"):
        read_arrays(tmp_path / "a.h5", {"a": (4,)})


@pytest.mark.parametrize("shape", [(4,), (6,), (5, 1), (1, 5), ()])
def test_other_shape_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_weights(tmp_path / "a.h5", {"a": np.zeros(shape)}, {})
    with pytest.raises(StyleError, match=r"does not fit.*'a' has shape .*, \(5,\) expected"):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


def test_dataset_without_a_shape_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = h5py.Empty("<f4")
    with pytest.raises(StyleError, match=r"'a' has shape None, \(5,\) expected"):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "<i4", "S4", "O", [("x", "<f4")]], ids=str)
def test_other_number_type_is_refused_unread(tmp_path: Path, dtype: object) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", shape=(5,), dtype=h5py.string_dtype() if dtype == "O" else np.dtype(dtype))  # type: ignore[call-overload]
    with pytest.raises(StyleError, match="holds 'a' as .*; float32 was expected. It was not read"):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


def test_number_type_unknown_to_numpy_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        h5py.h5d.create(file.id, b"a", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((5,)))
    with pytest.raises(StyleError, match="a.h5"):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_number_that_is_not_finite_is_refused(tmp_path: Path, value: float) -> None:
    write_weights(tmp_path / "a.h5", {"a": np.array([0.0, value, 1.0])}, {})
    with pytest.raises(StyleError, match="holds numbers in 'a' that are not finite. Copy or train it again"):
        read_arrays(tmp_path / "a.h5", {"a": (3,)})


def test_huge_dataset_is_refused_without_taking_memory(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", shape=(2**45,), dtype="<f4")  # 128 TiB declared, nothing stored
    assert (tmp_path / "a.h5").stat().st_size < 10_000
    with pytest.raises(StyleError, match=r"'a' has shape \(35184372088832,\), \(5,\) expected"):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


def test_compressed_array_is_refused_uninflated(tmp_path: Path) -> None:
    size = 2**24
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("a", (5,), "<f4", maxshape=(None,), chunks=(size // 4,), compression="gzip")
        data.id.write_direct_chunk((0,), zlib.compress(bytes(size)))  # a thousand times smaller than what it becomes
    with pytest.raises(StyleError, match=FOREIGN):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


# Detours to other files.


@pytest.mark.parametrize("name", ["a", "folder/a"])
def test_soft_link_is_refused(tmp_path: Path, name: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["b"] = np.zeros(5, "<f4")
        file[name] = h5py.SoftLink("/b")
    with pytest.raises(StyleError, match=FOREIGN):
        read_arrays(tmp_path / "a.h5", {name: (5,), "b": (5,)})


@pytest.mark.parametrize("other", ["other.h5", "gone.h5"])
def test_external_link_is_refused(tmp_path: Path, other: str) -> None:
    write_weights(tmp_path / "other.h5", {"a": np.zeros(5)}, {})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = h5py.ExternalLink(other, "/a")
    with pytest.raises(StyleError, match=FOREIGN):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


def test_external_storage_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(20))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", (5,), "<f4", external=[(str(tmp_path / "secret"), 0, 20)])
    with pytest.raises(StyleError, match=FOREIGN):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


def test_virtual_dataset_is_refused(tmp_path: Path) -> None:
    write_weights(tmp_path / "other.h5", {"a": np.zeros(5)}, {})
    layout = h5py.VirtualLayout((5,), "<f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "a", (5,))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("a", layout)
    with pytest.raises(StyleError, match=FOREIGN):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


def test_named_type_in_the_place_of_an_array_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = np.dtype("<f4")
    with pytest.raises(StyleError, match=FOREIGN):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})


def test_group_inside_of_itself_is_refused_at_once(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["again"] = file["/"]
    started = time.process_time()
    with pytest.raises(StyleError, match=FOREIGN):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})
    assert time.process_time() - started < 5


def test_file_with_thousands_of_names_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        for number in range(10_001):
            file.create_group(str(number))
    with pytest.raises(StyleError, match=FOREIGN):
        read_arrays(tmp_path / "a.h5", {"a": (5,)})
