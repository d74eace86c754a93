"""The scene on which a style encoder tries a style, to see how near to the painting it came: shapes that cover each other.

Shapes of all sizes, like fallen leaves, have the statistics of photos: edges, plain places, slopes, dark and light. The scene
is the same on every machine. NumPy alone.

Reference:
    Lee, Mumford, Huang: Occlusion models for natural images: a statistical study of a scale-invariant dead leaves model (2001).
"""

from functools import cache

import numpy as np

SIDE = 256
"""Width and height in pixels."""
LEAVES = 600
SMALLEST, LARGEST = 9.0, 130.0
"""Radius of the leaves in pixels; how many there are falls with its third power, as in photos."""
SEED = 256


@cache
def scene(side: int = SIDE) -> np.ndarray:
    """The scene: float32 `(side, side, 3)` RGB in `[0, 255]`, whole numbers, read-only."""
    # The legacy generator never changes its numbers; newer ones may, and every predicted style with them.
    rng = np.random.RandomState(SEED)
    picture = np.full((side, side, 3), 128.0, np.float32)
    for _ in range(LEAVES):
        share = rng.uniform()
        radius = (share * LARGEST**-2 + (1 - share) * SMALLEST**-2) ** -0.5
        (x, y), turn, flat = rng.uniform(-radius, side + radius, 2), rng.uniform(0, np.pi), rng.uniform(0.35, 1.0)
        round_, light, tint, slope = rng.uniform() < 0.6, rng.uniform(30.0, 225.0), rng.normal(0.0, 9.0, 3), rng.normal(0.0, 25.0)
        reach = radius * 2**0.5 + 1
        (left, right), (top, bottom) = ([int(v) for v in (np.array([at - reach, at + reach])).clip(0, side)] for at in (x, y))
        rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
        along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
        across = ((rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)) / flat
        inside = np.hypot(along, across) < radius if round_ else np.maximum(abs(along), abs(across)) < radius
        colour = light + tint - tint.mean() + slope * (along / radius)[..., None]
        picture[top:bottom, left:right][inside] = colour[inside]
    shown: np.ndarray = np.rint(picture.clip(0.0, 255.0))
    shown.flags.writeable = False
    return shown
