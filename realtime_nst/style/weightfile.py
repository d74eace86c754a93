"""Weight files: named arrays of numbers and a JSON description in one HDF5 file, read without trusting it.

A weight file may come from anywhere, so reading executes nothing and allocates nothing that the caller did not
expect: names, shapes and types are compared before a byte of an array is read, and links or external storage
are refused. This module does not know what the arrays mean.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from realtime_nst.errors import StyleError
from realtime_nst.files import whole

FULL, HALF = np.dtype("<f4"), np.dtype("<f2")
LARGEST_FILE = 256 * 2**20
LARGEST_COUNT = 1000
DEEPEST = 4
LARGEST_METADATA = 60_000  # an HDF5 attribute holds 64 KiB


def write_weights(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any], *, half: bool = False) -> None:
    """Write a weight file as a whole or not at all.

    Args:
        path: The file; an existing one is replaced in one step once the new one is complete.
        arrays: Named arrays.
        metadata: What `json` can write; at most 60,000 bytes of it.
        half: Store them as float16, and not as float32.

    Raises:
        ValueError: The metadata is too long, or a number too large for float16.
        StyleError: The disk or folder does not allow it.
    """
    text = json.dumps(metadata, sort_keys=True)
    if len(text) > LARGEST_METADATA:
        raise ValueError(f"metadata of {len(text)} bytes: at most {LARGEST_METADATA} were expected.")
    if half and any(np.abs(array).max(initial=0.0) > np.finfo(HALF).max for array in arrays.values()):
        raise ValueError(f"numbers above {np.finfo(HALF).max:g}: what fits into half precision was expected.")
    image = io.BytesIO()  # HDF5 does not survive a disk that fills while it writes; plain bytes do
    with h5py.File(image, "w") as file:
        file.attrs["metadata"] = np.bytes_(text.encode())  # of fixed length: HDF5 reads damaged others into a crash
        for name, array in arrays.items():
            file.create_dataset(name, data=np.asarray(array, dtype=HALF if half else FULL))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_bytes(image.getvalue())
    except OSError as error:
        raise StyleError(f"'{path}' was not written: {error.strerror}. Free the disk or choose another folder.") from error


def read_metadata(path: Path) -> dict[str, Any]:
    """The description inside a weight file, without its arrays.

    Raises:
        StyleError: The file is missing, too large, not HDF5, truncated or not one of ours.
    """
    with _opened(path) as file:
        return _metadata(path, file)


def read_arrays(path: Path, expected: Mapping[str, tuple[int, ...]], *, half: bool = False) -> dict[str, np.ndarray]:
    """Exactly the expected arrays of a weight file.

    Args:
        path: The file.
        expected: The shape of each array by name, no more and no fewer.
        half: Whether they are stored as float16.

    Returns:
        float32 arrays by name; every number is finite.

    Raises:
        StyleError: The file cannot be read, or holds something else.
    """
    with _opened(path) as file:
        found = _names(path, file)
        if found != set(expected):
            problem = f"it has {len(found)} arrays, {len(expected)} expected"
            if len(found) == len(expected):
                problem = f"it has no array '{min(set(expected) - found)}'"
            raise StyleError(f"'{path}' does not fit the transform network: {problem}. Retrain it with `realtime-nst train`.")
        return {name: _array(path, file, name, shape, HALF if half else FULL) for name, shape in expected.items()}


def _opened(path: Path) -> h5py.File:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise StyleError(
                f"'{path}' has {size / 2**20:.0f} MiB; a weight file has at most {LARGEST_FILE >> 20}. It was not read."
            )
        return h5py.File(path, "r")
    except FileNotFoundError as error:
        raise StyleError(f"No weight file at '{path}'. `realtime-nst styles` lists what there is.") from error
    except OSError as error:
        raise StyleError(
            f"'{path}' is not a readable weight file (HDF5); it may be cut short. Copy or train it again."
        ) from error


def _metadata(path: Path, file: h5py.File) -> dict[str, Any]:
    try:
        attribute = file.attrs.get_id("metadata")
        if attribute.dtype.kind != "S" or attribute.shape != () or attribute.dtype.itemsize > LARGEST_METADATA:
            raise _foreign(path)
        metadata = _printable(json.loads(file.attrs["metadata"]))
    except (KeyError, ValueError, TypeError, OSError, RuntimeError, RecursionError) as error:
        raise _foreign(path) from error
    if not isinstance(metadata, dict):
        raise _foreign(path)
    return metadata


def _printable(value: Any) -> Any:
    """The same without characters that a terminal would obey."""
    if isinstance(value, str):
        return "".join(character if character.isprintable() else "?" for character in value)
    if isinstance(value, dict):
        return {_printable(key): _printable(inner) for key, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, list) else value


def _names(path: Path, file: h5py.File) -> set[str]:
    """Paths of all datasets; anything but plain groups and datasets behind hard links is refused."""
    names: set[str] = set()
    pending = [""]
    seen = 0
    try:
        while pending:
            prefix = pending.pop()
            group = file[prefix] if prefix else file
            for key in group:
                seen += 1
                name = f"{prefix}/{key}" if prefix else key
                hard = isinstance(group.get(key, getlink=True), h5py.HardLink)
                if not hard or seen > LARGEST_COUNT or name.count("/") > DEEPEST:
                    raise _foreign(path)
                if isinstance(group[key], h5py.Group):
                    pending.append(name)
                else:
                    names.add(name)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise _damaged(path) from error
    return names


def _array(path: Path, file: h5py.File, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    try:
        data = file[name]
        plain = isinstance(data, h5py.Dataset) and data.id.get_create_plist().get_nfilters() == 0
        if not plain or data.external is not None or data.is_virtual:  # filters inflate, the others read elsewhere
            raise _foreign(path)
        if data.dtype != dtype:
            raise StyleError(f"'{path}' holds '{name}' as {data.dtype}; {dtype.name} was expected. It was not read.")
        if data.shape != shape:
            raise StyleError(
                f"'{path}' does not fit the transform network: '{name}' has shape {data.shape}, {shape} expected. "
                "Retrain it with `realtime-nst train`."
            )
        array = np.asarray(data[()], dtype=np.float32)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise _damaged(path) from error
    if not np.isfinite(array).all():
        raise StyleError(f"'{path}' holds numbers in '{name}' that are not finite. Copy or train it again.")
    return array


def _foreign(path: Path) -> StyleError:
    return StyleError(f"'{path}' is an HDF5 file, but not a weight file of this program. Train one with `realtime-nst train`.")


def _damaged(path: Path) -> StyleError:
    return StyleError(f"'{path}' is damaged: part of it cannot be read. Copy or train it again.")
