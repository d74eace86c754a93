"""The shape of a transform network, as numbers: what a weight file must agree with.

It knows nothing of Keras: style files are listed, checked and mixed without a deep-learning framework.
"""

from dataclasses import asdict, dataclass
from typing import Any

LIMITS = {"width": (4, 512), "blocks": (0, 32), "half": (4, 512), "full": (4, 512)}


@dataclass(frozen=True)
class Architecture:
    """How wide and deep a transform network is.

    Args:
        width: Channels at a quarter of the frame's size, where the residual blocks work.
        blocks: Residual blocks.
        half: Channels at half of the frame's size, on the way up.
        full: Channels at the frame's own size, before the last convolution.

    Raises:
        ValueError: A number is not an int, or outside of `LIMITS`.
    """

    width: int = 64
    blocks: int = 5
    half: int = 24
    full: int = 12

    def __post_init__(self) -> None:
        for name, (lowest, highest) in LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not lowest <= value <= highest:
                raise ValueError(f"{name}={value!r}: a whole number from {lowest} to {highest} was expected.")

    @property
    def norm_channels(self) -> tuple[int, ...]:
        """Channels of every conditional instance normalization, in the order of the forward pass."""
        return (self.width,) + (self.width,) * (2 * self.blocks) + (self.half, self.full)

    @property
    def vector_size(self) -> int:
        """Length of a style vector: a scale and a shift per normalized channel and per output colour."""
        return 2 * (sum(self.norm_channels) + 3)

    def to_dict(self) -> dict[str, int]:
        """The numbers by name, as a weight file stores them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> "Architecture":
        """The inverse of `to_dict`.

        Raises:
            ValueError: A name is missing or unknown, or a number is out of range.
        """
        if set(numbers) != set(LIMITS):
            raise ValueError(f"an architecture has {', '.join(LIMITS)}; this one has {', '.join(sorted(numbers))}.")
        return cls(**numbers)
