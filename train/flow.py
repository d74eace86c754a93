"""Pairs of frames with the true motion between them: optical flow files, and the masks that belong to them.

Reads the folders of MPI-Sintel as they are (`flow/`, `final/`, `occlusions/`, `invalid/`, a folder per scene each),
and any folder in which `flow_0002.flo` lies beside `frame_0002.png`, `frame_0003.png` and, where there are masks,
`occlusion_0002.png` and `invalid_0002.png`. It does not know what is measured with them.

Reference:
    Baker et al.: A database and evaluation methodology for optical flow (2011), for the format of .flo files.
    Butler, Wulff, Stanley, Black: A naturalistic open source movie for optical flow evaluation (2012), for the folders.
"""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime_nst.errors import TrainingError
from realtime_nst.media.photos import read_photo

MAGIC = 202021.25
HEADER = struct.Struct("<fii")
UNKNOWN = 1e9
"""A displacement of so many pixels or more stands for "not known"."""
LARGEST_SIDE = 16384
PICTURES = {".png", ".ppm", ".jpg", ".jpeg", ".webp"}


@dataclass(frozen=True)
class FlowPair:
    """Two frames, and where each pixel of the first one went.

    Args:
        first: uint8 `(H, W, 3)` RGB.
        second: The next frame, alike.
        flow: float32 `(H, W, 2)`, (x, y) in pixels: the first frame at `p` shows what the second shows at
            `p + flow(p)`; 0 where not known.
        valid: bool `(H, W)`, of the first frame: the flow is known, and what moved is still in sight.
    """

    first: np.ndarray
    second: np.ndarray
    flow: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class FlowFiles:
    """Where a pair is.

    Args:
        scene: Its film.
        first: The first frame.
        second: The next frame.
        flow: The motion from the first to the second.
        masks: Pictures that are white where the first frame's pixels do not count; none where there are no masks.
    """

    scene: str
    first: Path
    second: Path
    flow: Path
    masks: tuple[Path, ...] = ()

    def read(self) -> FlowPair:
        """Load frames, flow and masks.

        Raises:
            TrainingError: The flow is damaged, sizes differ, or no pixel is left to compare.
            SourceError: A picture cannot be read.
        """
        flow = read_flow(self.flow)
        first, second, *masks = (read_photo(path) for path in (self.first, self.second, *self.masks))
        for path, picture in zip((self.first, self.second, *self.masks), (first, second, *masks)):
            if picture.shape[:2] != flow.shape[:2]:
                raise TrainingError(
                    f"'{path}' has {size_of(picture)} pixels and '{self.flow}' {size_of(flow)}; the same size was expected. "
                    "Take frames and flow from the same release."
                )
        valid = np.isfinite(flow).all(axis=-1)
        for mask in masks:
            valid &= mask[..., 0] < 128
        flow = np.where(np.isfinite(flow), flow, 0.0).astype(np.float32)
        valid &= stays_inside(flow)
        if not valid.any():
            raise TrainingError(
                f"'{self.flow}' and its masks leave no pixel that both frames show. Check that the masks are white where "
                "pixels do not count."
            )
        return FlowPair(first, second, flow, valid)


def find_flow(folder: Path) -> list[FlowFiles]:
    """All pairs below a folder, in the order of their names.

    Raises:
        TrainingError: The folder does not exist, holds no flow, or lacks a frame.
    """
    if not folder.is_dir():
        raise TrainingError(f"No folder of optical flow at '{folder}'. Name one in MPI-Sintel's layout with --flow.")
    pairs = [files_of(path) for path in sorted(folder.resolve().rglob("[!.]*.flo"))]  # with the folders above, also from within
    if not pairs:
        raise TrainingError(
            f"No .flo file below '{folder}'. `flow_0002.flo` beside `frame_0002.png` and `frame_0003.png` was expected, or "
            "MPI-Sintel's own folders."
        )
    return pairs


def files_of(flow: Path) -> FlowFiles:
    """What belongs to a flow file: the frames of its number and the next, and the masks there are.

    Raises:
        TrainingError: A frame is missing, or the file has no number.
    """
    match = re.search(r"(\d+)$", flow.stem)
    if match is None:
        raise TrainingError(f"'{flow}' has no number. `flow_0002.flo` for the motion from frame 2 to frame 3 was expected.")
    number = int(match[1])
    scene = flow.parent
    root = scene.parent.parent  # of MPI-Sintel: a tree for each kind, and a folder per scene in each
    frames = next((path for path in (root / "final" / scene.name, root / "clean" / scene.name) if path.is_dir()), scene)
    if scene.parent.name == "flow" and frames != scene:
        masks = [numbered(root / folder / scene.name, "frame", number) for folder in ("occlusions", "invalid")]
    else:
        frames = scene
        masks = [numbered(scene, word, number) for word in ("occlusion", "invalid")]
    first, second = (numbered(frames, "frame", index) for index in (number, number + 1))
    if first is None or second is None:
        missing = number if first is None else number + 1
        raise TrainingError(f"'{flow}' has no frame {missing} in '{frames}'. `frame_{missing:04}.png` was expected there.")
    return FlowFiles(scene.name, first, second, flow, tuple(path for path in masks if path is not None))


def numbered(folder: Path, word: str, number: int) -> Path | None:
    """The picture of a word and a number, as in `frame_0002.png` or `frame2.png`; `None` if there is none."""
    if not folder.is_dir():
        return None
    pattern = re.compile(rf"{word}[_-]?0*{number}")
    found = (path for path in folder.iterdir() if path.suffix.lower() in PICTURES and pattern.fullmatch(path.stem))
    return min(found, default=None)


def read_flow(path: Path) -> np.ndarray:
    """A .flo file as float32 `(H, W, 2)`, (x, y) in pixels, NaN where not known.

    Raises:
        TrainingError: It is missing, of another format, or cut short.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= HEADER.size + 8 * LARGEST_SIDE**2 else b""
    except OSError as error:
        raise TrainingError(f"The flow '{path}' cannot be read: {error.strerror}. Check its name and rights.") from error
    if len(data) < HEADER.size:
        raise TrainingError(
            f"'{path}' has {len(data)} bytes and cannot be a .flo file: {HEADER.size} come before the flow. Copy it again."
        )
    magic, width, height = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise TrainingError(f"'{path}' is no .flo file: it starts with {magic:g} instead of {MAGIC}. Take Middlebury's format.")
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise TrainingError(
            f"'{path}' says that it is {width}x{height} pixels large; 1 to {LARGEST_SIDE} were expected. Copy it again."
        )
    expected = HEADER.size + 8 * width * height
    if len(data) != expected:
        problem = "cut short" if len(data) < expected else "too long"
        raise TrainingError(
            f"'{path}' is {problem}: {len(data)} bytes for {width}x{height} pixels, {expected} expected. Copy it again."
        )
    flow = np.frombuffer(data, "<f4", offset=HEADER.size).reshape(height, width, 2).astype(np.float32)
    known = (np.abs(flow) < UNKNOWN).all(axis=-1, keepdims=True)  # False for NaN as well
    return np.where(known, flow, np.nan).astype(np.float32)


def stays_inside(flow: np.ndarray) -> np.ndarray:
    """Whether `p + flow(p)` lies inside of the frame: bool `(H, W)`."""
    height, width = flow.shape[:2]
    x, y = np.arange(width)[None, :] + flow[..., 0], np.arange(height)[:, None] + flow[..., 1]
    inside: np.ndarray = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return inside


def size_of(array: np.ndarray) -> str:
    """Width and height for a message."""
    return f"{array.shape[1]}x{array.shape[0]}"
