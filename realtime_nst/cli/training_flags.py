"""The flags of `train`, `distil`, `evaluate` and `optimize`. `main.py` puts them together with those of the others."""

import argparse
from pathlib import Path
from typing import Any

from realtime_nst.cli.arguments import minutes, natural, positive, side, whole
from realtime_nst.engines.backend import BACKENDS, PRECISIONS


def add_train(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """The command `train`."""
    train = commands.add_parser("train", parents=parents, help="learn styles from pictures")
    train.add_argument("pictures", nargs="*", type=Path, metavar="PICTURE", help="paintings to learn")
    train.add_argument("--recipe", nargs="+", metavar="STYLE", help="train shipped styles again; `gallery` is all of them")
    train.add_argument("--paintings", type=Path, metavar="DIR", help="where --recipe finds its paintings")
    train.add_argument("--name", nargs="+", metavar="NAME", help="names of the styles (default: the files' names)")
    train.add_argument("--photos", type=Path, required=True, metavar="DIR", help="a folder of photos, a few hundred are good")
    train.add_argument("--output", "-o", type=Path, metavar="DIR", help="folder for the style files (default: your own styles)")
    train.add_argument(
        "--body", metavar="BODY", help="the body that the new vectors or the encoder are for (default: that of most styles)"
    )
    train.add_argument("--new-body", metavar="NAME", help="train a new body for these styles instead: hours")
    train.add_argument("--from", dest="origin", metavar="BODY", help="the body that the new one starts from")
    train.add_argument(
        "--collection",
        type=Path,
        metavar="DIR",
        help="paintings, hundreds of them, from which a style encoder learns to paint like any picture: that of a new body, or "
        "without PICTURE that of --body, which learns to correct, or begins if there is none",
    )
    train.add_argument(
        "--steps",
        type=positive,
        metavar="N",
        help="training steps (default: 200, or 60 where a style starts as a style encoder says; 5200 with --new-body; 3000 with "
        "--collection alone)",
    )
    train.add_argument("--minutes", type=minutes, metavar="N", help="learn for so long, instead of a number of steps")
    train.add_argument("--batch", type=positive, metavar="N", help="photos per step (default: 4)")
    train.add_argument("--size", type=_crop, metavar="PIXELS", help="side of the photo crops, a multiple of 8 (default: 256)")
    train.add_argument(
        "--painting-size",
        type=side,
        metavar="PIXELS",
        help="shorter side of the paintings (default: 512); more is larger strokes",
    )
    train.add_argument(
        "--rate",
        type=float,
        metavar="X",
        help="peak learning rate (default: 0.01, or 0.04 where a style starts as a style encoder says; 0.003 with --new-body; "
        "0.001 with --collection alone)",
    )
    train.add_argument("--style-weight", type=float, metavar="X", help="how much style counts against content (1)")
    train.add_argument(
        "--style-scales",
        nargs="+",
        type=_scale,
        metavar="N",
        help="by how much the pictures are shrunk whose strokes are compared (1; 1 2 with --new-body)",
    )
    train.add_argument("--stability-weight", type=float, metavar="X", help="how much stillness counts (1; 0 is off)")
    train.add_argument("--seed", type=natural, metavar="N", help="start of all randomness (default: 1)")
    train.add_argument("--vgg-weights", default="imagenet", metavar="imagenet|PATH", help="VGG19 weights (default: download)")
    train.add_argument(
        "--mixed-precision",
        choices=("auto", "off", "bfloat16", "float16"),
        default="auto",
        help="of the network (default: bfloat16 on a GPU); the loss is computed in bfloat16 wherever the processor has it",
    )
    train.add_argument("--log-dir", type=Path, metavar="DIR", help="write TensorBoard's scalars and previews there")
    train.add_argument(
        "--coordinator",
        type=_coordinator,
        metavar="HOST:PORT|auto",
        help="train one body on several machines, on JAX: where the first process waits for the others (auto: as SLURM says)",
    )
    train.add_argument("--process", type=_process, metavar="I/N", help="which of how many processes this is, as in 1/2")
    train.add_argument("--title", help="title of a single painting, for its style file")
    train.add_argument("--artist", help="its artist")
    train.add_argument("--year", help="its year")
    train.add_argument("--licence", default="the trainer's own", help="licence of the trained weights")
    _add_cluster(train)
    train.set_defaults(command=("realtime_nst.train.command", "train"))


def add_distil(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """The command `distil`."""
    distil = commands.add_parser("distil", parents=parents, help="make a network (body) faster, with all its styles")
    distil.add_argument("body", metavar="BODY", help="the body to learn from")
    distil.add_argument("--new-body", required=True, metavar="NAME", help="name of the narrower body")
    for name, what in (
        ("patches", "numbers that each patch of 4x4 pixels becomes"),
        ("inner", "channels inside of the blocks at an eighth of the frame's size"),
        ("fine-inner", "channels inside of the blocks at a quarter"),
        ("half", "channels at half of the frame's size"),
    ):
        distil.add_argument(f"--{name}", type=_channels, metavar="N", help=f"{what} (default: as the body has)")
    distil.add_argument("--photos", type=Path, required=True, metavar="DIR", help="a folder of photos, a few hundred are good")
    distil.add_argument("--output", "-o", type=Path, required=True, metavar="DIR", help="folder for the new body and its styles")
    distil.add_argument("--steps", type=positive, metavar="N", help="training steps (default: 3000)")
    distil.add_argument("--batch", type=positive, metavar="N", help="photos per step (default: 4)")
    distil.add_argument("--size", type=_crop, metavar="PIXELS", help="side of the photo crops, a multiple of 8 (default: 256)")
    distil.add_argument("--rate", type=float, metavar="X", help="peak learning rate (default: 0.004)")
    distil.add_argument("--seed", type=natural, metavar="N", help="start of all randomness (default: 1)")
    distil.set_defaults(command=("realtime_nst.train.distil_command", "distil"))


def add_evaluate(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """The command `evaluate`."""
    evaluate = commands.add_parser("evaluate", parents=parents, help="measure styles: likeness, stillness, sharpness")
    evaluate.add_argument("styles", nargs="*", metavar="STYLE", help="names or pictures (default: all styles)")
    evaluate.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photos that training has not seen")
    evaluate.add_argument("--count", type=positive, default=8, metavar="N", help="how many of them to use (default: %(default)s)")
    evaluate.add_argument(
        "--size", type=_crop, default=256, metavar="PIXELS", help="side of the square from their middle (default: %(default)s)"
    )
    evaluate.add_argument("--paintings", type=Path, metavar="DIR", help="the styles' paintings by name, for the style loss")
    evaluate.add_argument("--painting-size", type=side, metavar="PIXELS", help="their shorter side (default: as in training)")
    evaluate.add_argument("--flow", type=Path, metavar="DIR", help="frames with true motion, laid out like MPI-Sintel")
    evaluate.add_argument(
        "--reference",
        type=natural,
        default=0,
        metavar="N",
        help="compare N photos with image optimization: minutes for each photo and style (default: 0)",
    )
    evaluate.add_argument("--steps", type=positive, default=40, metavar="N", help="its steps at each weight (default: 40)")
    evaluate.add_argument("--seed", type=natural, default=0, metavar="N", help="of the camera's noise (default: 0)")
    evaluate.add_argument("--vgg-weights", default="imagenet", metavar="imagenet|PATH", help="VGG19 weights (default: download)")
    evaluate.add_argument("--backend", choices=("auto", *BACKENDS), default="auto", help="engine whose rounding is measured")
    evaluate.add_argument("--precision", choices=("auto", *PRECISIONS), default="auto", help="its arithmetic")
    evaluate.add_argument(
        "--json", type=Path, nargs="?", const=Path("-"), metavar="FILE", help="a report; to stdout without FILE"
    )
    evaluate.add_argument("--against", type=Path, metavar="FILE", help="an earlier report: print what has changed")
    evaluate.add_argument("--sheet", type=Path, metavar="FILE", help="a picture: the photos, and a row for every style")
    evaluate.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    _add_cluster(evaluate)
    evaluate.set_defaults(command=("realtime_nst.train.evaluate_command", "evaluate"))


def add_optimize(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """The command `optimize`."""
    optimize = commands.add_parser("optimize", parents=parents, help="paint one photo the slow way, without a network")
    optimize.add_argument("photo", type=Path, metavar="PHOTO", help="what to paint")
    optimize.add_argument("painting", type=Path, metavar="PAINTING", help="the picture whose style it gets")
    optimize.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="a PNG, JPEG or WebP file")
    optimize.add_argument("--overwrite", action="store_true", help="replace an existing output")
    optimize.add_argument("--steps", type=positive, default=200, metavar="N", help="L-BFGS steps (default: %(default)s)")
    optimize.add_argument("--size", type=side, default=512, metavar="PIXELS", help="longest side (default: %(default)s)")
    optimize.add_argument("--painting-size", type=side, metavar="PIXELS", help="shorter side of the painting (default: 512)")
    optimize.add_argument("--style-weight", type=float, default=1.0, metavar="X", help="how much style counts (1)")
    optimize.add_argument("--content-weight", type=float, default=1.0, metavar="X", help="how much the photo counts (1)")
    optimize.add_argument("--start", choices=("photo", "noise"), default="photo", help="what it starts from (default: photo)")
    optimize.add_argument("--seed", type=natural, default=0, metavar="N", help="of the noise (default: 0)")
    optimize.add_argument("--vgg-weights", default="imagenet", metavar="imagenet|PATH", help="VGG19 weights (default: download)")
    optimize.set_defaults(command=("realtime_nst.train.optimize_command", "optimize"))


def _add_cluster(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cluster",
        metavar="SCHEDULER",
        help="share the styles among machines that see the same folders: address or file of a Dask scheduler, or local:4",
    )


def _channels(text: str) -> int:
    return whole(text, 4, 512)


def _crop(text: str) -> int:
    number = whole(text, 32, 4096)
    if number % 8:
        raise argparse.ArgumentTypeError(f"{text} is no multiple of 8")
    return number


def _coordinator(text: str) -> str:
    host, _, port = text.rpartition(":")
    if text != "auto" and not (host and port.isdecimal() and 1 <= int(port) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is neither a host and a port, as in 192.168.1.5:7000, nor auto")
    return text


def _process(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text} is no process of several, as in 1/2")
    return int(number), int(count)


def _scale(text: str) -> int:
    return whole(text, 1, 4)
