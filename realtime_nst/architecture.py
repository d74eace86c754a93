"""The shape of a transform network, as numbers: what a weight file must agree with.

It knows nothing of Keras: style files are listed, checked and mixed without a deep-learning framework.
"""

from dataclasses import asdict, dataclass
from typing import Any

CHANNELS, BLOCKS = (4, 512), (0, 32)
LIMITS = {"eighth": CHANNELS, "blocks": BLOCKS, "quarter": CHANNELS, "fine_blocks": BLOCKS, "half": CHANNELS}
KERNEL = 3


@dataclass(frozen=True)
class Architecture:
    """How wide and deep a transform network is.

    Args:
        eighth: Channels at an eighth of the frame's size.
        blocks: Residual blocks there: what is large, and how things belong together.
        quarter: Channels at a quarter of the frame's size, on the way in and, added to these, on the way out.
        fine_blocks: Residual blocks there, on the way out: strokes and lines.
        half: Channels at half of the frame's size, before the last convolution.

    Raises:
        ValueError: A number is not an int, or outside of `LIMITS`.
    """

    eighth: int = 64
    blocks: int = 3
    quarter: int = 32
    fine_blocks: int = 2
    half: int = 32

    def __post_init__(self) -> None:
        for name, (lowest, highest) in LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not lowest <= value <= highest:
                raise ValueError(f"{name}={value!r}: a whole number from {lowest} to {highest} was expected.")

    @property
    def norm_channels(self) -> tuple[int, ...]:
        """Channels of every conditional instance normalization, in the order of the forward pass."""
        return tuple(shape[-1] for shape in self.kernel_shapes.values())[:-1]

    @property
    def kernel_shapes(self) -> dict[str, tuple[int, int, int, int]]:
        """Shape of every convolution kernel by layer, in the order of the forward pass: `(3, 3, C_in, C_out)`."""
        channels = {"stem": (48, self.quarter), "down": (self.quarter, self.eighth)}
        for index in range(1, self.blocks + 1):
            channels |= dict.fromkeys((f"block{index}a", f"block{index}b"), (self.eighth, self.eighth))
        channels["quarter"] = (self.eighth, self.quarter)
        for index in range(1, self.fine_blocks + 1):
            channels |= dict.fromkeys((f"fine{index}a", f"fine{index}b"), (self.quarter, self.quarter))
        channels |= {"half": (self.quarter, self.half), "colours": (self.half, 12)}
        return {f"{name}/kernel": (KERNEL, KERNEL, *pair) for name, pair in channels.items()}

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
