"""What is trained, as data: the numbers of a recipe, and the paintings of the shipped styles."""

from dataclasses import asdict, dataclass, field
from typing import Any

from .dataset import Motion


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training run.

    Terms of the loss are relative (`losses.py`), so these weights serve any painting.

    Args:
        steps: Training steps.
        batch: Photos per step; styles take turns in it.
        size: Side of the photo crops, in pixels.
        painting_size: Shorter side of the paintings, in pixels: it sets the size of the strokes.
        learning_rate: Peak of Adam's rate; it warms up over 20 steps and decays as a cosine.
        clip_norm: Limit of the gradients' global norm.
        content_tap: Layer whose features must stay the photo's. relu3_3 keeps light light and dark dark;
            relu4_1 alone can settle into inverted tones.
        style_taps: Layers whose Gram matrices must become the painting's.
        content: Weight of the content term.
        style: Weight of the style term, the mean over its layers.
        total_variation: Weight of the smoothness term.
        temporal: Weight of the stability term.
        motion: How a moved copy of a photo differs from it.
        seed: Start of all randomness.
    """

    steps: int = 4500
    batch: int = 4
    size: int = 256
    painting_size: int = 512
    learning_rate: float = 1e-3
    clip_norm: float = 5.0
    content_tap: str = "relu3_3"
    style_taps: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
    content: float = 1.0
    style: float = 12.0
    total_variation: float = 0.5
    temporal: float = 40.0
    motion: Motion = field(default_factory=Motion)
    seed: int = 1

    def to_dict(self) -> dict[str, Any]:
        """All numbers by name, as a weight file stores them."""
        return asdict(self)


BODY_RECIPE = Recipe()
"""A new body with all its styles: hours on two processor cores, minutes on a GPU."""

VECTOR_RECIPE = Recipe(steps=250, learning_rate=1e-2)
"""New styles on a frozen body: only their vectors learn, which takes minutes."""


@dataclass(frozen=True)
class Painting:
    """What a style file says about its painting.

    Args:
        title: The work.
        artist: Who made it.
        year: When, as text ("c. 1831").
        licence: Rights in the picture that was used.
    """

    title: str
    artist: str = "unknown"
    year: str = "unknown"
    licence: str = "unknown"


PUBLIC_DOMAIN = "public domain (the artist died more than 70 years ago)"

PAINTINGS = {
    "wave": Painting("The Great Wave off Kanagawa", "Katsushika Hokusai", "c. 1831", PUBLIC_DOMAIN),
    "starry-night": Painting("The Starry Night", "Vincent van Gogh", "1889", PUBLIC_DOMAIN),
    "scream": Painting("The Scream", "Edvard Munch", "1893", PUBLIC_DOMAIN),
    "edtaonisl": Painting("Edtaonisl (Ecclesiastic)", "Francis Picabia", "1913", PUBLIC_DOMAIN),
    "composition-vii": Painting("Composition VII", "Wassily Kandinsky", "1913", PUBLIC_DOMAIN),
    "metzinger": Painting("Portrait (of Jean Metzinger)", "Robert Delaunay", "1906", PUBLIC_DOMAIN),
    "kiss": Painting("The Kiss", "Gustav Klimt", "1907-08", PUBLIC_DOMAIN),
    "engraving": Painting("Little Red Riding Hood (wood engraving)", "Gustave Doré", "1862", PUBLIC_DOMAIN),
}
"""The shipped styles by name."""

PICTURES = {"wave": "great-wave", "engraving": "dore-engraving"}
"""Names of the paintings' files, without their endings, where they are not the style's."""
