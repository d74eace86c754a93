"""The perceptual loss on VGG19 features, in relative terms, so that one set of weights serves any painting.

Every term is a quotient of like by like: 0 is perfect, and about 1 is what an unrelated picture scores. It is
written in `keras.ops` alone and runs on TensorFlow and JAX. Images are float32 `(B, H, W, 3)` RGB in
`[0, 255]`, features `(B, H, W, C)`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import ops

from realtime_nst.errors import TrainingError

from .recipes import Recipe

VGG_LAYERS = {
    "relu1_1": "block1_conv1",
    "relu1_2": "block1_conv2",
    "relu2_1": "block2_conv1",
    "relu2_2": "block2_conv2",
    "relu3_1": "block3_conv1",
    "relu3_2": "block3_conv2",
    "relu3_3": "block3_conv3",
    "relu3_4": "block3_conv4",
    "relu4_1": "block4_conv1",
    "relu4_2": "block4_conv2",
    "relu4_3": "block4_conv3",
    "relu4_4": "block4_conv4",
    "relu5_1": "block5_conv1",
}
"""The papers' names of VGG19's activations, and Keras' names of the layers that end in them."""

VGG_MEAN_BGR = (103.939, 116.779, 123.68)

EMPHASIS, STABILITY = 0, 1
"""Which of the two numbers that a painting has of its own counts for a term."""


@dataclass(frozen=True)
class Painted:
    """What a term may look at: a batch as the network painted it, and what that is compared with.

    Args:
        batch: Photos, frames, moved frames and flow, by the names of `Batch` in `dataset.py`.
        outputs: The painted frames, `(B, H, W, 3)`.
        moved: The painted moved frames, likewise.
        features: Of `outputs`, by tap.
        photo_features: Of the photos, at the content tap alone.
        grams: For each style scale, for each style tap, the Gram matrices of `outputs`, `(B, C, C)`.
        targets: Those of the paintings, likewise.
    """

    batch: Mapping[str, Any]
    outputs: Any
    moved: Any
    features: Mapping[str, Any]
    photo_features: Mapping[str, Any]
    grams: Sequence[Any]
    targets: Sequence[Any]


@dataclass(frozen=True)
class Term:
    """One part of the loss. Metrics, log, progress bar, curves and figures follow from the list of them.

    Args:
        name: In all of those.
        weight: A number of the recipe.
        function: From what was painted to the term of each picture, `(B,)`.
        own: Which number of a painting's own multiplies the weight, `EMPHASIS` or `STABILITY`; `None` for none.
    """

    name: str
    weight: float
    function: Callable[[Painted], Any]
    own: int | None = None


def terms_of(recipe: Recipe) -> list[Term]:
    """The terms of the perceptual loss. Another one is a function, a line here, and its weight in the recipe."""
    tap = recipe.content_tap
    return [
        Term("content", recipe.content, lambda seen: content_loss(seen.features[tap], seen.photo_features[tap])),
        Term("style", recipe.style, lambda seen: mean_style_loss(seen.grams, seen.targets), EMPHASIS),
        Term("total_variation", recipe.total_variation, lambda seen: total_variation_loss(seen.outputs)),
        Term("temporal", recipe.temporal, lambda seen: temporal_loss(seen.moved, seen.outputs, seen.batch["flow"]), STABILITY),
        Term("grid", recipe.grid, lambda seen: grid_loss(seen.outputs)),
    ]


def build_loss_network(weights: str, *taps: Sequence[str]) -> list[keras.Model]:
    """VGG19 cut off at the last layer needed, frozen.

    Args:
        weights: "imagenet" (Keras downloads it once) or the path of a file for
            `keras.applications.VGG19(include_top=False)`.
        taps: For each network wanted, its outputs by the papers' names, as in `["relu1_1", "relu2_1"]`.

    Returns:
        One model per sequence of taps, sharing their layers: images `(B, H, W, 3)` in `[0, 255]` to a dict of
        features by tap.

    Raises:
        ValueError: An unknown tap.
        TrainingError: The weights cannot be loaded.

    Reference:
        Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition (2015).
    """
    for name in (name for names in taps for name in names):
        if name not in VGG_LAYERS:
            raise ValueError(f"tap {name!r}: one of {', '.join(VGG_LAYERS)} was expected.")
    if weights != "imagenet" and not Path(weights).is_file():
        raise TrainingError(f"No VGG19 weights at '{weights}'. Give the path of the file, or `--vgg-weights imagenet`.")
    try:
        vgg = keras.applications.VGG19(weights=weights, include_top=False)
    except Exception as error:  # Keras, h5py and the network each raise their own kinds
        said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise TrainingError(
            f"The VGG19 weights '{weights}' were not loaded: {said}. Check the connection, or download "
            "the file elsewhere and give its path with --vgg-weights."
        ) from error
    vgg.trainable = False
    images = keras.Input((None, None, 3), name="images")
    bgr = images[..., ::-1] - ops.convert_to_tensor(VGG_MEAN_BGR, dtype="float32")
    needed = {VGG_LAYERS[name] for names in taps for name in names}
    x = bgr
    features: dict[str, Any] = {}
    for layer in vgg.layers[1:]:
        if needed <= set(features):
            break
        x = layer(x)
        features[layer.name] = x
    return [keras.Model(images, {name: features[VGG_LAYERS[name]] for name in names}) for names in taps]


def gram_matrix(features: Any) -> Any:
    """Which channels fire together, wherever in the picture: `(B, H, W, C)` to float32 `(B, C, C)`.

    Divided by the number of positions, so that pictures of different sizes compare.

    Reference:
        Gatys, Ecker, Bethge: Image style transfer using convolutional neural networks (2016), equation 3.
    """
    x = ops.cast(features, "float32")
    positions = ops.shape(x)[1] * ops.shape(x)[2]
    x = ops.reshape(x, (-1, positions, x.shape[-1]))
    return ops.matmul(ops.transpose(x, (0, 2, 1)), x) / ops.cast(positions, "float32")


def grams_at_scales(
    network: keras.Model, images: Any, taps: Sequence[str], scales: Sequence[int], features: Mapping[str, Any] | None = None
) -> list[Any]:
    """Gram matrices of images and of smaller copies of them, which show how the larger parts of a pattern belong together.

    Args:
        network: Images to a dict of features by tap.
        images: `(B, H, W, 3)` in `[0, 255]`.
        taps: The taps to look at.
        scales: By how much the copies are smaller, as in `(1, 2)`: whole numbers, smallest first.
        features: The network's answer to the images themselves, where it is known already.

    Returns:
        For each scale, for each tap: float32 `(B, C, C)`.

    Reference:
        Gatys, Ecker, Bethge, Hertzmann, Shechtman: Controlling perceptual factors in neural style transfer (2017),
        section 6.
    """
    grams = []
    for scale in scales:
        if scale == 1 and features is not None:
            answer = features
        else:
            answer = network(images if scale == 1 else ops.average_pool(images, scale, scale, "valid"))
        grams += [gram_matrix(answer[tap]) for tap in taps]
    return grams


def content_loss(features: Any, target: Any, energy: Any = None) -> Any:
    """Distance of features from the photo's, relative to the photo's own energy: `(B, H, W, C)` x 2 to `(B,)`.

    Args:
        features: What is.
        target: What should be.
        energy: Mean square of the photo's features, where `target` is only a part of them.

    Reference:
        Johnson et al. (2016), equation 2, divided by the target's mean square.
    """
    x, y = ops.cast(features, "float32"), ops.cast(target, "float32")
    energy = ops.mean(ops.square(y), axis=(1, 2, 3)) if energy is None else energy
    return ops.mean(ops.square(x - y), axis=(1, 2, 3)) / energy


def style_loss(grams: Any, targets: Any) -> Any:
    """Distance of Gram matrices from the painting's, relative to the painting's own: `(B, C, C)` x 2 to `(B,)`.

    Reference:
        Gatys et al. (2016), equation 4, divided by the target's squared Frobenius norm.
    """
    return ops.sum(ops.square(grams - targets), axis=(1, 2)) / ops.sum(ops.square(targets), axis=(1, 2))


def mean_style_loss(grams: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The mean over scales and taps of `style_loss`: lists of `(B, C, C)` x 2 to `(B,)`."""
    return ops.mean(ops.stack([style_loss(gram, target) for gram, target in zip(grams, targets, strict=True)]), axis=0)


def total_variation_loss(images: Any, down_share: Any = 1.0, right_share: Any = 1.0) -> Any:
    """Mean squared difference of neighbouring pixels, in units of half the value range: `(B, H, W, 3)` to `(B,)`.

    Args:
        images: The pictures, or parts of them.
        down_share: For parts: `(H - 1, W, 1)`, factors of the differences to the pixel below.
        right_share: `(H, W - 1, 1)`, likewise to the right.

    Reference:
        Mahendran, Vedaldi: Understanding deep image representations by inverting them (2015), equation 2,
        beta = 2. Johnson et al. (2016), section 3.2.
    """
    down = (images[:, 1:] - images[:, :-1]) * down_share
    right = (images[:, :, 1:] - images[:, :, :-1]) * right_share
    return (ops.mean(ops.square(down), axis=(1, 2, 3)) + ops.mean(ops.square(right), axis=(1, 2, 3))) / 127.5**2


def grid_loss(images: Any) -> Any:
    """How far the 64 places of 8x8 pixels differ on average over a picture: `(B, H, W, 3)` to `(B,)`.

    Upsampled features answer differently at different places, and activations turn that into a faint grid. It is the
    mean squared deviation of the places' means, in units of half the value range. H and W are multiples of 8.

    Reference:
        Odena, Dumoulin, Olah: Deconvolution and checkerboard artifacts (2016).
    """
    height, width = ops.shape(images)[1], ops.shape(images)[2]
    places = ops.mean(ops.reshape(images, (-1, height // 8, 8, width // 8, 8, 3)), axis=(1, 3))  # (B, 8, 8, 3)
    return ops.mean(ops.square(places - ops.mean(places, axis=(1, 2), keepdims=True)), axis=(1, 2, 3)) / 127.5**2


def temporal_loss(moved_outputs: Any, outputs: Any, flow: Any) -> Any:
    """How much the stylized moved photo differs from the moved stylized photo: images x 2, flow to `(B,)`.

    Compound regularisation: stability learned from still photos, with nothing extra at run time. Pixels that
    came from outside of the photo do not count.

    Args:
        moved_outputs: The network's answer to the moved, noisy photo, `(B, H, W, 3)`.
        outputs: Its answer to the photo, `(B, H, W, 3)`.
        flow: `(B, H, W, 2)`, as in `warp`.

    Reference:
        Wang, Xu, Zhang, Wang, Liu: Consistent video style transfer via compound regularization (2020),
        equation 8, with a squared difference.
    """
    warped, inside = warp(outputs, flow)
    difference = ops.sum(ops.square(moved_outputs - warped) * inside, axis=(1, 2, 3))
    return difference / (3.0 * ops.sum(inside, axis=(1, 2, 3)) + 1.0) / 127.5**2


def warp(images: Any, flow: Any) -> tuple[Any, Any]:
    """Sample images at displaced positions, bilinearly.

    Args:
        images: `(B, H, W, C)`.
        flow: `(B, H, W, 2)` in pixels, (x, y): the result at `p` is the image at `p + flow(p)`.

    Returns:
        The warped images, and float32 `(B, H, W, 1)`: 1 where `p + flow(p)` lies inside the image, else 0.
    """
    batch, height, width = ops.shape(images)[0], ops.shape(images)[1], ops.shape(images)[2]
    channels = images.shape[-1]
    x = ops.cast(ops.arange(width), "float32")[None, None, :] + flow[..., 0]
    y = ops.cast(ops.arange(height), "float32")[None, :, None] + flow[..., 1]
    right, bottom = ops.cast(width - 1, "float32"), ops.cast(height - 1, "float32")
    inside = ops.cast(ops.logical_and(ops.logical_and(x >= 0, x <= right), ops.logical_and(y >= 0, y <= bottom)), "float32")
    x, y = ops.clip(x, 0.0, right), ops.clip(y, 0.0, bottom)
    x0, y0 = ops.minimum(ops.floor(x), right - 1.0), ops.minimum(ops.floor(y), bottom - 1.0)
    across, along = (x - x0)[..., None], (y - y0)[..., None]

    rows = ops.reshape(images, (-1, channels))
    first = ops.cast(ops.arange(batch), "int32")[:, None, None] * (height * width)
    corner = first + ops.cast(y0, "int32") * width + ops.cast(x0, "int32")

    def pixels(offset: Any) -> Any:
        return ops.reshape(ops.take(rows, ops.reshape(corner + offset, (-1,)), axis=0), (-1, height, width, channels))

    top = pixels(0) * (1.0 - across) + pixels(1) * across
    low = pixels(width) * (1.0 - across) + pixels(width + 1) * across
    return top * (1.0 - along) + low * along, inside[..., None]
