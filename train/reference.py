"""How near a network comes to image optimization: the loss of both, compared where one of their terms is equal.

Content and style pull against each other, so that one term alone says nothing: whoever gives up the photo gets any
style. Optimization is therefore run along a path of falling content weights, each from where the one before ended.
That draws the line of what can be had, style against content, and a network's picture is compared with two points
of that line: the one of its own content loss, and the one of its own style loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .objective import Objective, Terms
from .optimize import optimize

CONTENT_WEIGHTS = (32.0, 8.0, 2.0, 0.5, 0.125, 0.03, 0.008, 0.002)
"""Factors of the content weight along the path."""

STEPS = 40
"""Steps at each weight. More lower the reference further, and with it every network's ratio rises."""


@dataclass(frozen=True)
class Comparison:
    """A network's picture and what optimization reaches.

    Args:
        style: Style loss of the network's picture.
        content: Its content loss.
        reference_style: Style loss of optimization at that content loss.
        reference_content: Content loss of optimization at that style loss.
        reached: False where the path ended before the network's content loss: optimization then has the style it
            wants with less, and `reference_style` is that at its end.
    """

    style: float
    content: float
    reference_style: float
    reference_content: float
    reached: bool


def compare(objective: Objective, image: np.ndarray, weights: Terms, *, steps: int = STEPS) -> Comparison:
    """Compare a network's picture with what Gatys et al.'s optimization makes of the same photo and painting.

    Args:
        objective: The loss for photo and painting.
        image: The network's picture, float32 `(H, W, 3)` in `[0, 255]`.
        weights: Of the terms, as in training; the path multiplies that of the content.
        steps: Steps at each content weight.
    """
    own = objective.terms(image)
    path = reference_path(objective, weights, until=own, steps=steps)
    style, content = at_equal_content(path, own.content), at_equal_style(path, own.style)
    return Comparison(own.style, own.content, style, content, reached=path[-1].content >= own.content)


def reference_path(objective: Objective, weights: Terms, *, until: Terms, steps: int) -> list[Terms]:
    """The terms of optimized pictures from the photo itself towards the painting, until both terms were passed."""
    image, path = objective.photo, [objective.terms(objective.photo)]
    for factor in CONTENT_WEIGHTS:
        changed = weights._replace(content=weights.content * factor)
        image, terms = optimize(objective, changed, image, steps=steps)
        path.append(terms)
        if terms.content >= until.content and terms.style <= until.style:
            break
    return path


def at_equal_content(path: Sequence[Terms], content: float) -> float:
    """The style loss of a path where it has a content loss; beyond its end, that of its end.

    Between two points the logarithm of the style loss falls in a straight line.
    """
    contents, styles = frontier(path)
    return float(np.exp(np.interp(content, contents, np.log(styles))))


def at_equal_style(path: Sequence[Terms], style: float) -> float:
    """The content loss of a path where it has a style loss; beyond its end, that of its end."""
    contents, styles = frontier(path)
    return float(np.interp(-np.log(style), -np.log(styles), contents))


def frontier(path: Sequence[Terms]) -> tuple[np.ndarray, np.ndarray]:
    """Content and style losses of the points of a path that gain in style what they lose in content."""
    kept = [path[0]]
    for terms in path[1:]:
        if terms.content > kept[-1].content and terms.style < kept[-1].style:
            kept.append(terms)
    return np.array([terms.content for terms in kept]), np.array([terms.style for terms in kept])
