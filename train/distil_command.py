"""The command `realtime-nst distil`: flags to a `Lesson`, with the progress bar of `train`."""

import argparse
import sys
from dataclasses import replace
from functools import partial

from realtime_nst.engines.backend import activate
from realtime_nst.errors import TrainingError
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.book import find_styles, style_folders

from .bar import run_with_bar
from .command import check_name, check_rate, precision_of, styles_of_body, training_backend
from .pruning import check_narrower
from .recipes import DISTIL_RECIPE

CUTS = ("patches", "inner", "fine_inner", "half")


def distil(options: argparse.Namespace) -> int:
    """Teach a narrower body; Ctrl-C saves, and the same command goes on later."""
    check_name(options.new_body, "body")
    styles = styles_of_body(find_styles(style_folders(options.weights)), options.body)
    body = styles[0].body
    architecture = narrower(body.architecture, options)
    backend = training_backend()
    changes = {name: getattr(options, name) for name in ("steps", "batch", "size", "seed")}
    if options.rate is not None:
        changes["learning_rate"] = check_rate(options.rate, DISTIL_RECIPE)
    recipe = replace(DISTIL_RECIPE, **{name: value for name, value in changes.items() if value is not None})
    activate(backend)
    from .distil import Lesson
    from .distil import distil as run_lesson

    precision = precision_of("auto")
    lesson = Lesson(body, styles, architecture, options.photos, options.output, options.new_body, recipe, precision)
    if run_with_bar(partial(run_lesson, lesson), lesson.name, lesson.workshop):
        print(f"Compare: `realtime-nst evaluate --weights '{lesson.output}' --photos DIR`.", file=sys.stderr)
    return 0


def narrower(wide: Architecture, options: argparse.Namespace) -> Architecture:
    """The architecture that the flags ask for.

    Raises:
        TrainingError: It is wider somewhere, or nowhere narrower.
    """
    given = {name: getattr(options, name) for name in CUTS}
    architecture = replace(wide, **{name: value for name, value in given.items() if value is not None})
    check_narrower(wide, architecture)
    if architecture == wide:
        has = ", ".join(f"--{name.replace('_', '-')} {getattr(wide, name)}" for name in CUTS)
        raise TrainingError(
            f"Nothing would become narrower: '{options.body}' has {has}. Give at least one of them a smaller number."
        )
    return architecture
