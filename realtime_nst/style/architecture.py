"""The shape of a transform network, as numbers: what a weight file must agree with.

It knows nothing of Keras: style files are listed, checked and mixed without a deep-learning framework.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

CHANNELS, BLOCKS = (4, 512), (0, 32)
PATCH, KERNEL = 4, 3
LIMITS = {
    "entry": (PATCH, 4 * PATCH),
    "blurred": (0, 1),
    "patches": CHANNELS,
    "quarter": CHANNELS,
    "eighth": CHANNELS,
    "blocks": BLOCKS,
    "inner": CHANNELS,
    "fine_blocks": BLOCKS,
    "fine_inner": CHANNELS,
    "half": CHANNELS,
    "field": (0, 16),
}
FIRST = {"entry": PATCH, "blurred": 0, "field": 0}
"""What bodies were before these numbers existed; their files do not have them."""
GAIN = 0.3
"""Start of how strongly a channel takes the texture field up."""


@dataclass(frozen=True)
class Architecture:
    """How wide and deep a transform network is.

    Args:
        entry: Side of the first kernel in pixels, every 4 pixels: above 4 its places overlap, so that a picture that
            moves by a pixel or two is not seen as another one.
        blurred: 1 blurs before the step down to an eighth, against the same; else 0.
        patches: Numbers that each place at a quarter of the frame's size becomes at the start.
        quarter: Channels at a quarter of the frame's size, on the way in and, added to these, on the way out.
        eighth: Channels at an eighth of the frame's size.
        blocks: Residual blocks there: what is large, and how things belong together.
        inner: Channels between the two convolutions of such a block.
        fine_blocks: Residual blocks at a quarter, on the way out: strokes and lines.
        fine_inner: Channels between the two convolutions of such a block.
        half: Channels at half of the frame's size, before the last convolution.
        field: Channels of the texture field, what strokes hang on where the photo is plain; 0 is none.

    Raises:
        ValueError: A number is not an int, or outside of `LIMITS`; or `entry` is odd.
    """

    entry: int = 4
    blurred: int = 0
    patches: int = 16
    quarter: int = 32
    eighth: int = 64
    blocks: int = 3
    inner: int = 16
    fine_blocks: int = 2
    fine_inner: int = 16
    half: int = 16
    field: int = 4

    def __post_init__(self) -> None:
        for name, (lowest, highest) in LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not lowest <= value <= highest:
                raise ValueError(f"{name}={value!r}: a whole number from {lowest} to {highest} was expected.")
        if self.entry % 2:
            raise ValueError(f"entry={self.entry}: an even number was expected.")

    @property
    def norm_channels(self) -> tuple[int, ...]:
        """Channels of every conditional instance normalization, in the order of the forward pass."""
        return tuple(shape[-1] for shape in self._plain_kernels.values())[1:-1]

    @property
    def field_channels(self) -> dict[str, tuple[int, int]]:
        """Layers that take up the texture field after their normalization: at which part of the frame's size, and channels."""
        if not self.field:
            return {}
        taking = {"stem": (4, self.quarter), "down": (8, self.eighth)}
        taking |= {f"block{index}a": (8, self.inner) for index in range(1, self.blocks + 1)}
        return taking | {f"fine{index}a": (4, self.fine_inner) for index in range(1, self.fine_blocks + 1)}

    @property
    def kernel_shapes(self) -> dict[str, tuple[int, int, int, int]]:
        """Shape of every convolution kernel by layer: `(side, side, C_in, C_out)`."""
        kernels = {f"{name}/kernel": shape for name, shape in self._plain_kernels.items()}
        taking = {name: channels for name, (_, channels) in self.field_channels.items()}
        return kernels | {f"{name}_field/kernel": (KERNEL, KERNEL, self.field, channels) for name, channels in taking.items()}

    @property
    def vector_parts(self) -> list[tuple[int, float]]:
        """Lengths and start values of a style vector's parts, in the order in which the network takes them.

        Of every normalization its scales (1), its shifts (0) and, where it takes up the texture field, its gains; at the
        end scale and shift of the three colours.
        """
        parts = []
        for name, channels in zip(list(self._plain_kernels)[1:-1], self.norm_channels, strict=True):
            parts += [(channels, 1.0), (channels, 0.0)]
            parts += [(channels, GAIN)] if name in self.field_channels else []
        return [*parts, (3, 1.0), (3, 0.0)]

    def textured(self, vector: np.ndarray, texture: float) -> np.ndarray:
        """A style vector that takes up so much of the texture field: its gains are multiplied, nothing else.

        Args:
            vector: float32 `(vector_size,)`.
            texture: From 0, none of it, to 1, as much as the style has of itself.

        Returns:
            Another vector, or the same where nothing changes.
        """
        if texture == 1.0 or not self.field:
            return vector
        sizes, starts = zip(*self.vector_parts)
        factors = [texture if start == GAIN else 1.0 for start in starts]
        return vector * np.repeat(np.array(factors, np.float32), sizes)

    @property
    def vector_size(self) -> int:
        """Length of a style vector."""
        return sum(size for size, _ in self.vector_parts)

    def to_dict(self) -> dict[str, int]:
        """The numbers by name, as a weight file stores them; `FIRST` go without saying."""
        return {name: number for name, number in asdict(self).items() if FIRST.get(name) != number}

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> "Architecture":
        """The inverse of `to_dict`.

        Raises:
            ValueError: A name is missing or unknown, or a number is out of range.
        """
        numbers = {**FIRST, **numbers}
        if set(numbers) != set(LIMITS):
            raise ValueError(f"an architecture has {', '.join(LIMITS)}; this one has {', '.join(sorted(numbers))}.")
        return cls(**numbers)

    @property
    def _plain_kernels(self) -> dict[str, tuple[int, int, int, int]]:
        """Those of the picture's own way through the network, in the order of the forward pass."""
        channels = {"stem": (self.patches, self.quarter), "down": (self.quarter, self.eighth)}
        for index in range(1, self.blocks + 1):
            channels |= {f"block{index}a": (self.eighth, self.inner), f"block{index}b": (self.inner, self.eighth)}
        channels["quarter"] = (self.eighth, self.quarter)
        for index in range(1, self.fine_blocks + 1):
            channels |= {f"fine{index}a": (self.quarter, self.fine_inner), f"fine{index}b": (self.fine_inner, self.quarter)}
        channels |= {"half": (self.quarter, self.half), "colours": (self.half, 12)}
        patches = {"patches": (self.entry, self.entry, 3, self.patches)}
        return patches | {name: (KERNEL, KERNEL, *pair) for name, pair in channels.items()}
