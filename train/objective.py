"""What image optimization makes small: the loss of one picture for a photo and a painting, and its gradient by the pixels.

The losses are those of `losses.py`. Pictures may have any size: large ones are looked at in tiles (`tiles.py`). It runs on
TensorFlow and JAX; it does not know files, nor how the smallest loss is found (`optimize.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from .losses import build_loss_network, content_loss, gram_matrix, style_loss, total_variation_loss
from .model import use_xla
from .recipes import Recipe
from .search import SearchStoppedError
from .tiles import Tile, tiles_of


class Terms(NamedTuple):
    """The terms of the loss of one picture, each relative; or their weights."""

    content: float
    style: float
    total_variation: float

    @classmethod
    def weights_of(cls, recipe: Recipe) -> "Terms":
        """The weights that training gives them."""
        return cls(recipe.content, recipe.style, recipe.total_variation)

    def weighted(self, weights: "Terms") -> float:
        """The sum of the terms, each with its weight."""
        return sum(term * weight for term, weight in zip(self, weights))


class TiledFeatures(NamedTuple):
    """The features of a picture that is looked at in tiles.

    Args:
        picture: float16 `(H // stride, W // stride, C)`: half the memory, and rounded far finer than they ever agree.
        energy: Mean of their squares.
    """

    picture: np.ndarray
    energy: float


class PerceptualLoss:
    """The loss of a picture for a photo and a painting, and its gradient; compiled once per size of picture.

    Large pictures are looked at in tiles. What the losses compare, Gram matrices above all, is of the whole picture: it is
    gathered from all tiles first, so that the gradient is that of the whole picture, too.

    Args:
        vgg_weights: "imagenet" or a path.
        recipe: For its taps.

    Raises:
        TrainingError: The VGG19 weights cannot be loaded.
    """

    def __init__(self, vgg_weights: str, recipe: Recipe) -> None:
        self._content_tap = recipe.content_tap
        self._style_taps = recipe.style_taps
        (self._network,) = build_loss_network(vgg_weights, [*recipe.style_taps, recipe.content_tap])
        self._gradient = with_gradient(self._network, self._total)

    def features(self, photo: np.ndarray) -> Any:
        """What a picture of this photo must keep: the features at the content tap of float32 `(H, W, 3)`."""
        tiles = tiles_of(*photo.shape[:2])
        if len(tiles) == 1:
            return self._seen(photo)[self._content_tap]
        stride = stride_of(self._content_tap)
        parts = ((tile, ops.convert_to_numpy(self._seen(tile.of(photo))[self._content_tap])[0]) for tile in tiles)
        tile, part = next(parts)
        whole = np.empty((photo.shape[0] // stride, photo.shape[1] // stride, part.shape[-1]), np.float16)
        tile.put(part, whole, stride)
        for tile, part in parts:
            tile.put(part, whole, stride)
        return TiledFeatures(whole, float(np.mean([np.square(row, dtype=np.float32).mean() for row in whole])))

    def grams(self, painting: np.ndarray) -> list[Any]:
        """What a picture in this style must have: the Gram matrices at the style taps of float32 `(H, W, 3)`."""
        return self._grams(self._seen(painting), None)

    def objective(self, photo: np.ndarray, painting: np.ndarray) -> "Objective":
        """The loss for a photo and a painting, float32 `(H, W, 3)` in `[0, 255]`, each of its own size."""
        return Objective(self, photo, self.features(photo), self.grams(painting))

    def style(self, image: np.ndarray, grams: Sequence[Any]) -> float:
        """The style term alone, of float32 `(H, W, 3)` in `[0, 255]`."""
        return float(ops.convert_to_numpy(ops.mean(self._style(self._grams(self._seen(image), None), grams))))

    def terms(self, image: np.ndarray, features: Any, grams: Sequence[Any]) -> Terms:
        """Terms of float32 `(H, W, 3)`; without Gram matrices the style term is 0."""
        if isinstance(features, TiledFeatures):
            return self._gathered(image, features, grams)[0]
        images = ops.convert_to_tensor(image[None])
        _, terms = self._total(self._network(images), images, ops.ones((3,)), features, grams)
        return Terms(*map(float, ops.convert_to_numpy(terms)))

    def __call__(
        self,
        image: np.ndarray,
        weights: Terms,
        features: Any,
        grams: Sequence[Any],
        stop: Callable[[], bool] = lambda: False,
    ) -> tuple[Terms, np.ndarray]:
        """Terms, and the gradient of their weighted sum by the pixels of float32 `(H, W, 3)`.

        Raises:
            SearchStoppedError: `stop` said so between two tiles.
        """
        given = ops.convert_to_tensor(np.array(weights, np.float32))
        if not isinstance(features, TiledFeatures):
            terms, gradient = self._gradient(ops.convert_to_tensor(image[None]), given, features, list(grams))
            return Terms(*map(float, ops.convert_to_numpy(terms))), ops.convert_to_numpy(gradient)[0]
        gathered, parts = self._gathered(image, features, grams, stop)
        whole = [sum(part[number] for part in parts) for number in range(len(grams))]
        slope = np.zeros_like(image)
        for tile, part in zip(tiles_of(*image.shape[:2]), parts):
            check(stop)
            others = [gram - own for gram, own in zip(whole, part)]
            images, shown, share = self._shown(tile, image, features)
            _, gradient = self._gradient(images, given, shown, list(grams), share, others)
            tile.of(slope)[...] += ops.convert_to_numpy(gradient)[0]
        return gathered, slope

    def _gathered(
        self, image: np.ndarray, features: TiledFeatures, grams: Sequence[Any], stop: Callable[[], bool] = lambda: False
    ) -> tuple[Terms, list[list[np.ndarray]]]:
        """The terms of a picture in tiles, and of each tile its part of the Gram matrices."""
        parts, content, variation = [], 0.0, 0.0
        for tile in tiles_of(*image.shape[:2]):
            check(stop)
            images, shown, share = self._shown(tile, image, features)
            answer = self._network(images)
            content += float(ops.convert_to_numpy(self._content(answer, shown, share))[0])
            variation += float(ops.convert_to_numpy(self._variation(images, share))[0])
            parts.append([ops.convert_to_numpy(gram) for gram in self._grams(answer, share)] if grams else [])
        whole = [sum(part[number] for part in parts) for number in range(len(grams))]
        style = float(ops.convert_to_numpy(ops.mean(self._style(whole, grams)))) if grams else 0.0
        return Terms(content, style, variation), parts

    def _shown(self, tile: Tile, image: np.ndarray, features: TiledFeatures) -> tuple[Any, Any, dict[str, Any]]:
        """What the loss needs to know of a tile: pixels, the photo's features, and its share of everything."""
        stride = stride_of(self._content_tap)
        share = {tap: tile.mask(stride_of(tap)) for tap in self._style_taps}
        share |= {"content": tile.mask(stride), "down": tile.mask(1, lost_rows=1), "right": tile.mask(1, lost_columns=1)}
        tensors = {name: ops.convert_to_tensor(mask) for name, mask in share.items()}
        tensors["energy"] = ops.convert_to_tensor(np.float32(features.energy))
        shown = tile.of(features.picture, stride)[None].astype(np.float32)
        return ops.convert_to_tensor(tile.of(image)[None]), ops.convert_to_tensor(shown), tensors

    def _seen(self, image: np.ndarray) -> Any:
        return self._network(ops.convert_to_tensor(image[None].astype(np.float32, copy=False)))

    def _total(
        self, answer: Any, images: Any, weights: Any, features: Any, grams: Sequence[Any], share: Any = None, others: Any = None
    ) -> tuple[Any, Any]:
        """The weighted sum and the terms; of a tile its part of them, but for the style term, which is the whole picture's."""
        own = self._grams(answer, share) if grams else []
        whole = [gram + other for gram, other in zip(own, others)] if others else own
        terms = ops.stack(
            [
                ops.mean(self._content(answer, features, share)),
                ops.mean(self._style(whole, grams)) if grams else ops.zeros(()),
                ops.mean(self._variation(images, share)),
            ]
        )
        return ops.sum(terms * weights), terms

    def _content(self, answer: Any, features: Any, share: Any) -> Any:
        seen = answer[self._content_tap]
        if share is None:
            return content_loss(seen, features)
        return content_loss(seen * share["content"], features * share["content"], share["energy"])

    def _variation(self, images: Any, share: Any) -> Any:
        return total_variation_loss(images, *(() if share is None else (share["down"], share["right"])))

    def _grams(self, answer: Any, share: Any) -> list[Any]:
        return [gram_matrix(answer[tap] if share is None else answer[tap] * share[tap]) for tap in self._style_taps]

    def _style(self, own: Sequence[Any], grams: Sequence[Any]) -> Any:
        return ops.stack([style_loss(gram, target) for gram, target in zip(own, grams, strict=True)])


def check(stop: Callable[[], bool]) -> None:
    """Ask whether to go on.

    Raises:
        SearchStoppedError: No.
    """
    if stop():
        raise SearchStoppedError


def stride_of(tap: str) -> int:
    """Pixels between two positions of VGG19's features: it halves a picture behind each of its blocks."""
    return int(2 ** (int(tap[len("relu")]) - 1))


@dataclass(frozen=True)
class Objective:
    """The loss for one photo and one painting.

    Args:
        loss: Where it is computed.
        photo: float32 `(H, W, 3)` in `[0, 255]`.
        features: Of the photo.
        grams: Of the painting.
        stop: Asked between two tiles of a large picture; True ends what is searched there.
    """

    loss: PerceptualLoss
    photo: np.ndarray
    features: Any
    grams: Sequence[Any]
    stop: Callable[[], bool] = lambda: False

    def terms(self, image: np.ndarray) -> Terms:
        """The terms of the loss of a picture, float32 `(H, W, 3)` in `[0, 255]`, of the photo's size."""
        return self.loss.terms(image, self.features, self.grams)

    def __call__(self, image: np.ndarray, weights: Terms) -> tuple[Terms, np.ndarray]:
        """Terms, and the gradient of their weighted sum by the pixels."""
        return self.loss(image, weights, self.features, self.grams, self.stop)


def with_gradient(network: keras.Model, loss: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    """Compile a loss of a frozen network's answer, with its gradient by the images.

    Args:
        network: Images to an answer; nothing of it is trainable.
        loss: Answer, images and further arguments to a scalar and something beside it.

    Returns:
        Images and further arguments to what is beside the scalar, and the scalar's gradient by the images.
    """
    if keras.config.backend() == "jax":
        import jax

        def with_variables(variables: Any, images: Any, *rest: Any) -> tuple[Any, Any]:
            def total(images: Any) -> tuple[Any, Any]:
                answer, _ = network.stateless_call([], variables, images)
                return loss(answer, images, *rest)

            (_, beside), gradient = jax.value_and_grad(total, has_aux=True)(images)
            return beside, gradient

        compiled = jax.jit(with_variables)
        return lambda *given: compiled([variable.value for variable in network.non_trainable_variables], *given)

    import tensorflow

    def taped(images: Any, *rest: Any) -> tuple[Any, Any]:
        with tensorflow.GradientTape() as tape:
            tape.watch(images)
            total, beside = loss(network(images), images, *rest)
        return beside, tape.gradient(total, images)

    return tensorflow.function(taped, jit_compile=use_xla())  # type: ignore[no-any-return]
