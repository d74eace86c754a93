"""The notebook runs from top to bottom in a kernel of its own; what is stored of it is real, small and of no machine."""

import base64
import io
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "style_transfer.ipynb"
LARGEST = 2_000_000
LEFT_OUT = "Left out, because it needs VGG19's weights."
OF_A_MACHINE = re.compile(r"(?:^|[\s\"'(=:])(?:/(?:home|root|Users|tmp|work|mnt|var|opt|usr)/|[A-Za-z]:\\)")


def executed(folder: Path, vgg: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The notebook after a run in an empty folder, with small numbers; a cell that fails raises."""
    monkeypatch.setenv("NST_NOTEBOOK_SCALE", "0.25")
    monkeypatch.setenv("REALTIME_NST_VGG", vgg)
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("TMPDIR", str(folder))
    working = folder / "working"
    working.mkdir()
    book = nbformat.read(NOTEBOOK, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(working)}})
    client.execute()
    assert not list(working.iterdir()), "the notebook writes into a folder of its own"
    return book


def cells_of(book: Any) -> list[Any]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def text_of(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def said(book: Any) -> str:
    return "".join(map(text_of, cells_of(book)))


def pictures_of(book: Any) -> list[Image.Image]:
    found = []
    for cell in cells_of(book):
        for output in cell.outputs:
            for kind, data in output.get("data", {}).items():
                if kind.startswith("image/"):
                    found.append(Image.open(io.BytesIO(base64.b64decode(data))))
    return found


def number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    assert match, f"{pattern} is not in: {text}"
    return float(match[1].replace(",", ""))


def check_common(book: Any) -> None:
    """What needs no VGG19: sections 1, 2 and 6, and the temporal term."""
    text = said(book)
    assert "Warning" not in text and "WARNING" not in text and "Traceback" not in text
    assert "The Great Wave off Kanagawa" in text
    assert 10 < number(r"a pixel changed by ([\d.]+)", text) < 120
    assert number(r"on tensorflow: ([\d.]+) ms", text) > 0 and number(r"on OpenVINO: ([\d.]+) ms", text) > 0
    assert number(r"The body has ([\d,]+) numbers", text) == 128_640 and number(r"a style ([\d,]+)\.", text) == 1142
    still, painted = number(r"the photo +([\d.]+) +\d", text.partition("temporal")[2]), number(r"mosaic +([\d.]+)", text)
    assert 0 < still < painted
    assert number(r"(\d+) frames in", text) == 15  # half a second of 30 a second
    film = pictures_of(book)[-1]
    first, last = (np.asarray(frame_of(film, place), np.float32) for place in (0, film.n_frames - 1))  # type: ignore[attr-defined]
    assert film.format == "GIF" and np.abs(first - last).mean() > 5, "two styles take turns"


def frame_of(film: Image.Image, place: int) -> Image.Image:
    film.seek(place)
    return film.convert("RGB")


def test_runs_without_vgg_and_says_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = executed(tmp_path, str(tmp_path / "nowhere.h5"), monkeypatch)
    check_common(book)
    assert said(book).count("VGG19's weights are not here") == 1
    left_out = [cell for cell in cells_of(book) if LEFT_OUT in text_of(cell)]
    assert len(left_out) == 5 and all(text_of(cell).strip() == LEFT_OUT and len(cell.outputs) == 1 for cell in left_out)
    assert "wave and kiss" in said(book)


@pytest.mark.slow
def test_runs_with_vgg_and_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vgg = os.environ.get("REALTIME_NST_VGG")
    if not vgg:
        pytest.skip("REALTIME_NST_VGG is not set: no file of VGG19 weights")
    book = executed(tmp_path, str(Path(vgg).absolute()), monkeypatch)
    check_common(book)
    check_losses(said(book))
    assert LEFT_OUT not in said(book)


def check_losses(text: str) -> None:
    """Sections 3 to 5: content is the photo's, style the painting's, and both ways of painting lower the loss."""
    rows = {name: [*map(float, numbers)] for name, *numbers in re.findall(r"^(\S.*?) +([\d.]+) +([\d.]+) +([\d.]+)$", text, re.M)}
    photo, painting = rows["the photo"], rows["our painting"]
    assert photo[0] == 0 and photo[1] > 0.3, "a photo has its own content and another style"
    assert painting[0] > 1 and painting[1] < 0.1, "a painting has its own style and another content"
    assert 0 < rows["wave"][0] < painting[0]
    nearest = re.search(r"styles, (\S+) is nearest", text)
    assert nearest and rows[nearest[1]][1] < photo[1]
    for start, end in (
        re.search(r"Optimization: the loss fell from ([\d.]+) to ([\d.]+);", text).groups(),  # type: ignore[union-attr]
        re.search(r"^The loss fell from ([\d.]+) to ([\d.]+) \(", text, re.M).groups(),  # type: ignore[union-attr]
        re.search(r"Style loss before ([\d.]+), after ([\d.]+)\.", text).groups(),  # type: ignore[union-attr]
    ):
        assert float(end) < 0.97 * float(start)
    assert "wave and mine" in text


def test_stored_outputs_are_there_small_and_of_no_machine() -> None:
    stored = NOTEBOOK.read_text("utf-8")
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    assert len(stored.encode()) < LARGEST
    counts = [cell.execution_count for cell in cells_of(book)]
    assert counts == list(range(1, len(counts) + 1)), "it was run from top to bottom, once"
    assert not [output for cell in cells_of(book) for output in cell.outputs if output.get("name") == "stderr"]
    assert len(pictures_of(book)) == 12 and {picture.format for picture in pictures_of(book)} == {"JPEG", "GIF"}
    check_losses(said(book))
    assert not OF_A_MACHINE.search(stored), "a path of a machine"
    assert set(book.metadata) <= {"kernelspec", "language_info"} and book.metadata.kernelspec.name == "python3"
