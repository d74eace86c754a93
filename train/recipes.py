"""What is trained, as data: the numbers of a recipe, and the paintings of the shipped styles."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from realtime_nst.style.architecture import Architecture

from .dataset import Motion

WARMUP_STEPS = 20


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training run.

    Terms of the loss are relative (`losses.py`), so these weights serve any painting.

    Args:
        steps: Training steps.
        minutes: Time for all of them: the run ends when it is over, and the rate falls with the time; `None` takes what it takes.
        batch: Photos per step; styles take turns in it.
        size: Side of the photo crops, in pixels.
        painting_size: Shorter side of the paintings, in pixels: it sets the size of the strokes.
        learning_rate: Peak of Adam's rate; it warms up over 20 steps and decays as a cosine (`rate`).
        clip_norm: Limit of the gradients' global norm.
        content_tap: Layer whose features must stay the photo's. relu3_3 keeps light light and dark dark;
            relu4_1 alone can settle into inverted tones.
        style_taps: Layers whose Gram matrices must become the painting's.
        style_scales: Sizes at which they are compared: 1 is the picture itself, 2 a copy half as wide and high.
        content: Weight of the content term.
        style: Weight of the style term, the mean over its layers.
        total_variation: Weight of the smoothness term.
        temporal: Weight of the stability term.
        grid: Weight of the term against a grid of 8x8 pixels.
        imitation: Weight of the style encoder's own term, where one learns: its vectors should be its teacher's.
        sight: Weight of the term by which a style encoder learns to see: its channels should be VGG19's.
        motion: How a moved copy of a photo differs from it.
        seed: Start of all randomness.
    """

    steps: int = 5200
    minutes: float | None = None
    batch: int = 4
    size: int = 256
    painting_size: int = 512
    learning_rate: float = 5e-3
    clip_norm: float = 5.0
    content_tap: str = "relu3_3"
    style_taps: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
    style_scales: tuple[int, ...] = (1, 2)
    content: float = 1.0
    style: float = 40.0
    total_variation: float = 0.5
    temporal: float = 30.0
    grid: float = 2000.0
    imitation: float = 0.3
    sight: float = 1.0
    motion: Motion = field(default_factory=Motion)
    seed: int = 1

    def share(self, step: int, seconds: float) -> float:
        """How much of a run is done after some steps and some time, from 0 to 1."""
        of_time = 0.0 if self.minutes is None else seconds / (60.0 * self.minutes)
        return min(1.0, max(step / self.steps, of_time))

    def rate(self, step: int, seconds: float = 0.0) -> float:
        """The learning rate of a step, after some time of learning: a short, linear warm-up, then half a cosine."""
        if step < WARMUP_STEPS:
            return self.learning_rate * (0.05 + 0.95 * step / WARMUP_STEPS)
        share = (step - WARMUP_STEPS) / max(self.steps - WARMUP_STEPS, 1)
        share = share if self.minutes is None else self.share(step, seconds)
        return self.learning_rate * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0))))

    def to_dict(self) -> dict[str, Any]:
        """All numbers by name, as a weight file stores them."""
        return asdict(self)


REFERENCE_RECIPE = Recipe()
"""What pictures are measured and optimized by: it stays as it is, so that figures compare over the years."""

BODY_RECIPE = Recipe(learning_rate=3e-3, content=0.6, temporal=330.0, motion=Motion(whole=0.8, zoom=2.4, plain=0.5))
"""A new body with all its styles: hours on two processor cores, minutes on a GPU. With a texture field to hang strokes on,
the photo counts less, and stillness can count more; crops are near and often plain, where that shows."""

VECTOR_RECIPE = Recipe(steps=200, learning_rate=1e-2, style_scales=(1,))
"""New styles on a frozen body without a texture field: only their vectors learn, which takes minutes."""

FIELD_VECTOR_RECIPE = replace(BODY_RECIPE, steps=200, learning_rate=1e-2, style_scales=(1,), temporal=100.0)
"""The same on a body with one, which knows already how to hold still; with the body's weight on it, a vector learns little."""

PREDICTED_STEPS = 60
"""Steps of a new style that starts where a style encoder says: most of the way is done."""
PREDICTED_RATE = 4e-2
"""Its learning rate, four times that of a vector that starts elsewhere: so few steps must be large. Measured on a print by
Hokusai, the style loss came out a sixth lower than at 1e-2."""

ENCODER_RECIPE = replace(FIELD_VECTOR_RECIPE, steps=3000, learning_rate=1e-3, clip_norm=1.0)
"""A style encoder that learns to correct, or begins, on a frozen body."""

DISTIL_RECIPE = Recipe(steps=3000, learning_rate=4e-3)
"""A narrower body taught by a wide one; the losses play no part."""


def vector_recipe(architecture: Architecture) -> Recipe:
    """The recipe for new styles on a frozen body."""
    return FIELD_VECTOR_RECIPE if architecture.field else VECTOR_RECIPE


def predicted_recipe(architecture: Architecture) -> Recipe:
    """The same for those that start where a style encoder says."""
    return replace(vector_recipe(architecture), steps=PREDICTED_STEPS, learning_rate=PREDICTED_RATE)


@dataclass(frozen=True)
class Painting:
    """What a style file says about its painting, and what differs in its training.

    Args:
        title: The work.
        artist: Who made it.
        year: When, as text ("c. 1831").
        licence: Rights in the picture that was used.
        size: Shorter side in pixels for training; `None` is the recipe's.
        emphasis: How much its style term counts, 1 as the recipe says.
        stability: How much its stability term counts; more for what flickers.
    """

    title: str
    artist: str = "unknown"
    year: str = "unknown"
    licence: str = "unknown"
    size: int | None = None
    emphasis: float = 1.0
    stability: float = 1.0


GALLERY = "gallery"
"""The shipped body, and the recipe that trains it with all shipped styles."""

PUBLIC_DOMAIN = "public domain (the artist died more than 70 years ago)"
OLD_WORK = "public domain (the work is centuries old; photographer unknown)"

PAINTINGS = {
    "wave": Painting("The Great Wave off Kanagawa", "Katsushika Hokusai", "c. 1831", PUBLIC_DOMAIN),
    "starry-night": Painting("The Starry Night", "Vincent van Gogh", "1889", PUBLIC_DOMAIN, emphasis=1.6, stability=0.5),
    "scream": Painting("The Scream", "Edvard Munch", "1893", PUBLIC_DOMAIN, emphasis=0.8),
    "edtaonisl": Painting("Edtaonisl (Ecclesiastic)", "Francis Picabia", "1913", PUBLIC_DOMAIN),
    "composition-vii": Painting("Composition VII", "Wassily Kandinsky", "1913", PUBLIC_DOMAIN),
    "metzinger": Painting("Portrait (of Jean Metzinger)", "Robert Delaunay", "1906", PUBLIC_DOMAIN, emphasis=0.6, stability=0.7),
    "kiss": Painting("The Kiss", "Gustav Klimt", "1907-08", PUBLIC_DOMAIN),
    "rose-window": Painting(
        "Rose window of Notre-Dame de Paris", "unknown", "13th century", OLD_WORK, size=640, emphasis=0.4, stability=0.5
    ),
    "mosaic": Painting("Roman mosaic of a duck", "unknown", "antiquity", OLD_WORK),
    "pointillism": Painting(
        "Study for A Sunday on La Grande Jatte", "Georges Seurat", "1884", PUBLIC_DOMAIN, size=640, emphasis=0.7, stability=0.7
    ),
    "mondrian": Painting("Tableau No. 2 / Composition No. VII", "Piet Mondrian", "1913", PUBLIC_DOMAIN, emphasis=1.15),
    "red-tower": Painting("The Red Tower", "Robert Delaunay", "1911", PUBLIC_DOMAIN, emphasis=1.15),
    "shipwreck": Painting(
        "The Shipwreck of the Minotaur", "J. M. W. Turner", "c. 1810", PUBLIC_DOMAIN, emphasis=0.6, stability=0.7
    ),
    "water-lilies": Painting("Water Lilies", "Claude Monet", "1919", PUBLIC_DOMAIN, emphasis=0.7, stability=0.7),
    "udnie": Painting("Udnie (Young American Girl, The Dance)", "Francis Picabia", "1913", PUBLIC_DOMAIN, stability=1.5),
    "engraving": Painting("Little Red Riding Hood (wood engraving)", "Gustave Doré", "1862", PUBLIC_DOMAIN),
    "blue-horse": Painting("The Little Blue Horse", "Franz Marc", "1912", PUBLIC_DOMAIN, emphasis=0.45, stability=0.7),
    "berlin": Painting("Street, Berlin", "Ernst Ludwig Kirchner", "1913", PUBLIC_DOMAIN, emphasis=0.36, stability=0.7),
    "bayeux": Painting("Bayeux Tapestry (detail)", "unknown", "11th century", OLD_WORK, emphasis=0.7, stability=0.7),
    "adele": Painting("Portrait of Adele Bloch-Bauer I", "Gustav Klimt", "1907", PUBLIC_DOMAIN),
    "composition-viii": Painting("Composition VIII", "Wassily Kandinsky", "1923", PUBLIC_DOMAIN),
    "impression-sunrise": Painting("Impression, Sunrise", "Claude Monet", "1872", PUBLIC_DOMAIN, emphasis=0.6, stability=0.7),
    "tres-riches-heures": Painting("Très Riches Heures: January", "Limbourg brothers", "c. 1412-16", OLD_WORK),
    "wheat-field": Painting("Wheat Field with Cypresses", "Vincent van Gogh", "1889", PUBLIC_DOMAIN),
    "woman-with-hat": Painting("Woman with a Hat", "Henri Matisse", "1905", PUBLIC_DOMAIN),
}
"""The shipped styles by name."""

PICTURES = {
    "wave": "great-wave",
    "engraving": "dore-engraving",
    "mosaic": "roman-mosaic",
    "pointillism": "grande-jatte-study",
    "mondrian": "mondrian-1913",
    "blue-horse": "little-blue-horse",
    "berlin": "kirchner-street",
}
"""Names of the paintings' files, without their endings, where they are not the style's."""
