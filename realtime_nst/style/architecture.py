"""The shape of a transform network, as numbers: what a weight file must agree with.

It knows nothing of Keras: style files are listed, checked and mixed without a deep-learning framework.
"""

from dataclasses import asdict, dataclass
from typing import Any

CHANNELS, BLOCKS = (4, 512), (0, 32)
LIMITS = {
    "patches": CHANNELS,
    "quarter": CHANNELS,
    "eighth": CHANNELS,
    "blocks": BLOCKS,
    "inner": CHANNELS,
    "fine_blocks": BLOCKS,
    "fine_inner": CHANNELS,
    "half": CHANNELS,
}
KERNEL, PATCH = 3, 4


@dataclass(frozen=True)
class Architecture:
    """How wide and deep a transform network is.

    Args:
        patches: Numbers that each patch of 4x4 pixels becomes at the start.
        quarter: Channels at a quarter of the frame's size, on the way in and, added to these, on the way out.
        eighth: Channels at an eighth of the frame's size.
        blocks: Residual blocks there: what is large, and how things belong together.
        inner: Channels between the two convolutions of such a block.
        fine_blocks: Residual blocks at a quarter, on the way out: strokes and lines.
        fine_inner: Channels between the two convolutions of such a block.
        half: Channels at half of the frame's size, before the last convolution.

    Raises:
        ValueError: A number is not an int, or outside of `LIMITS`.
    """

    patches: int = 16
    quarter: int = 32
    eighth: int = 64
    blocks: int = 3
    inner: int = 16
    fine_blocks: int = 2
    fine_inner: int = 16
    half: int = 16

    def __post_init__(self) -> None:
        for name, (lowest, highest) in LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not lowest <= value <= highest:
                raise ValueError(f"{name}={value!r}: a whole number from {lowest} to {highest} was expected.")

    @property
    def norm_channels(self) -> tuple[int, ...]:
        """Channels of every conditional instance normalization, in the order of the forward pass."""
        return tuple(shape[-1] for shape in self.kernel_shapes.values())[1:-1]

    @property
    def kernel_shapes(self) -> dict[str, tuple[int, int, int, int]]:
        """Shape of every convolution kernel by layer, in the order of the forward pass: `(side, side, C_in, C_out)`."""
        channels = {"stem": (self.patches, self.quarter), "down": (self.quarter, self.eighth)}
        for index in range(1, self.blocks + 1):
            channels |= {f"block{index}a": (self.eighth, self.inner), f"block{index}b": (self.inner, self.eighth)}
        channels["quarter"] = (self.eighth, self.quarter)
        for index in range(1, self.fine_blocks + 1):
            channels |= {f"fine{index}a": (self.quarter, self.fine_inner), f"fine{index}b": (self.fine_inner, self.quarter)}
        channels |= {"half": (self.quarter, self.half), "colours": (self.half, 12)}
        patches = {"patches/kernel": (PATCH, PATCH, 3, self.patches)}
        return patches | {f"{name}/kernel": (KERNEL, KERNEL, *pair) for name, pair in channels.items()}

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
