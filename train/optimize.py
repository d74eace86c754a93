"""Image optimization after Gatys et al. (2016): the pixels of one picture learn, instead of a network.

The method that the field starts from, with the losses of `losses.py`. It takes hundreds of passes through VGG19
for one picture where a trained network takes one pass through itself, and so shows what a style can look like,
and how near a network comes to it (`reference.py`). It runs on TensorFlow and JAX; it does not know files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from scipy.optimize import Bounds, minimize

from realtime_nst.errors import TrainingError

from .losses import build_loss_network, content_loss, gram_matrix, style_loss, total_variation_loss
from .model import use_xla
from .recipes import Recipe

MEMORY = 8
"""Steps that L-BFGS remembers. More gain a hundredth of the loss, and cost as much time as VGG19 itself."""

EVALUATIONS_PER_STEP = 3
"""L-BFGS may look that often for the length of a step, on average, before it is told to stop."""


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


class PerceptualLoss:
    """The loss of a picture for a photo and a painting, and its gradient; compiled once per size of picture.

    Args:
        vgg_weights: "imagenet" or a path.
        recipe: For its taps.

    Raises:
        TrainingError: The VGG19 weights cannot be loaded.
    """

    def __init__(self, vgg_weights: str, recipe: Recipe) -> None:
        self._taps = recipe.style_taps
        self._content_tap = recipe.content_tap
        (self._network,) = build_loss_network(vgg_weights, [*recipe.style_taps, recipe.content_tap])
        self._gradient = with_gradient(self._network, self._total)

    def features(self, photo: np.ndarray) -> Any:
        """What a picture of this photo must keep: the features at the content tap of float32 `(H, W, 3)`."""
        return self._network(ops.convert_to_tensor(photo[None]))[self._content_tap]

    def grams(self, painting: np.ndarray) -> list[Any]:
        """What a picture in this style must have: the Gram matrices at the style taps of float32 `(H, W, 3)`."""
        features = self._network(ops.convert_to_tensor(painting[None]))
        return [gram_matrix(features[tap]) for tap in self._taps]

    def objective(self, photo: np.ndarray, painting: np.ndarray) -> "Objective":
        """The loss for a photo and a painting, float32 `(H, W, 3)` in `[0, 255]`, each of its own size."""
        return Objective(self, photo, self.features(photo), self.grams(painting))

    def style(self, image: np.ndarray, grams: Sequence[Any]) -> float:
        """The style term alone, of float32 `(H, W, 3)` in `[0, 255]`."""
        answer = self._network(ops.convert_to_tensor(image[None]))
        return float(ops.convert_to_numpy(ops.mean(self._style(answer, grams))))

    def terms(self, image: np.ndarray, features: Any, grams: Sequence[Any]) -> Terms:
        """Terms of float32 `(H, W, 3)`; without Gram matrices the style term is 0."""
        images = ops.convert_to_tensor(image[None])
        _, terms = self._total(self._network(images), images, ops.ones((3,)), features, grams)
        return Terms(*map(float, ops.convert_to_numpy(terms)))

    def __call__(self, image: np.ndarray, weights: Terms, features: Any, grams: Sequence[Any]) -> tuple[Terms, np.ndarray]:
        """Terms, and the gradient of their weighted sum by the pixels of float32 `(H, W, 3)`."""
        given = ops.convert_to_tensor(np.array(weights, np.float32))
        terms, gradient = self._gradient(ops.convert_to_tensor(image[None]), given, features, list(grams))
        return Terms(*map(float, ops.convert_to_numpy(terms))), ops.convert_to_numpy(gradient)[0]

    def _total(self, answer: Any, images: Any, weights: Any, features: Any, grams: Sequence[Any]) -> tuple[Any, Any]:
        terms = ops.stack(
            [
                ops.mean(content_loss(answer[self._content_tap], features)),
                ops.mean(self._style(answer, grams)) if grams else ops.zeros(()),
                ops.mean(total_variation_loss(images)),
            ]
        )
        return ops.sum(terms * weights), terms

    def _style(self, answer: Any, grams: Sequence[Any]) -> Any:
        return ops.stack([style_loss(gram_matrix(answer[tap]), gram) for tap, gram in zip(self._taps, grams)])


@dataclass(frozen=True)
class Objective:
    """The loss for one photo and one painting.

    Args:
        loss: Where it is computed.
        photo: float32 `(H, W, 3)` in `[0, 255]`.
        features: Of the photo.
        grams: Of the painting.
    """

    loss: PerceptualLoss
    photo: np.ndarray
    features: Any
    grams: Sequence[Any]

    def terms(self, image: np.ndarray) -> Terms:
        """The terms of the loss of a picture, float32 `(H, W, 3)` in `[0, 255]`, of the photo's size."""
        return self.loss.terms(image, self.features, self.grams)

    def __call__(self, image: np.ndarray, weights: Terms) -> tuple[Terms, np.ndarray]:
        """Terms, and the gradient of their weighted sum by the pixels."""
        return self.loss(image, weights, self.features, self.grams)


@dataclass(frozen=True)
class Progress:
    """What `optimize` reports after each step."""

    step: int
    steps: int
    terms: Terms


def optimize(
    objective: Objective,
    weights: Terms,
    start: np.ndarray,
    *,
    steps: int,
    report: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[np.ndarray, Terms]:
    """Find the picture of the smallest loss near a start, by L-BFGS within the range of pixels.

    L-BFGS because it needs no rate and gets further: at 192 pixels 50 steps of it (8 s) reached a loss of 0.37, and
    220 of Adam (24 s), at the best of three rates, 0.39. The bounds are part of the search, so that clipping costs
    nothing at the end.

    Args:
        objective: The loss.
        weights: Of its terms.
        start: float32 `(H, W, 3)` in `[0, 255]`: the photo, noise, or what an earlier call returned.
        steps: Steps at most; fewer where nothing more can be gained.
        report: Called after each step.
        stop: Asked after each step; True ends the search there.

    Returns:
        The picture, float32 `(H, W, 3)` in `[0, 255]`, and its terms.

    Raises:
        TrainingError: The loss is not finite.

    Reference:
        Gatys, Ecker, Bethge: Image style transfer using convolutional neural networks (2016), equation 7 and
        section 2.3. Byrd, Lu, Nocedal, Zhu: A limited memory algorithm for bound constrained optimization (1995).
    """
    shape = start.shape
    # The search takes the gradient for its first step. In pixels it is about 1e-6: nothing would move.
    scale = 1.0 / max(float(np.abs(objective(start, weights)[1]).mean()), 1e-30)
    seen: dict[float, Terms] = {}
    done = 0

    def value(pixels: np.ndarray) -> tuple[float, np.ndarray]:
        terms, gradient = objective(pixels.reshape(shape).astype(np.float32), weights)
        total = scale * terms.weighted(weights)
        if not np.isfinite(total):
            raise TrainingError(
                f"The loss is {total} after step {done}; a finite one was expected. Choose another photo or painting."
            )
        seen[total] = terms
        return total, scale * gradient.ravel().astype(np.float64)

    def after(intermediate_result: Any) -> None:
        nonlocal done
        done += 1
        report(Progress(done, steps, seen[float(intermediate_result.fun)]))
        seen.clear()
        if stop():
            raise StopIteration

    limits = {"maxiter": steps, "maxfun": EVALUATIONS_PER_STEP * steps, "maxcor": MEMORY, "ftol": 0.0, "gtol": 0.0}
    found = minimize(
        value,
        start.ravel().astype(np.float64),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(np.zeros(start.size), np.full(start.size, 255.0)),
        callback=after,
        options=limits,
    )
    image = found.x.reshape(shape).astype(np.float32)
    return image, objective.terms(image)


def noise_like(photo: np.ndarray, seed: int) -> np.ndarray:
    """A start without the photo: noise around mid grey, float32 in `[0, 255]`, of the photo's shape."""
    noise = np.random.default_rng(seed).normal(127.5, 32.0, photo.shape)
    return noise.clip(0.0, 255.0).astype(np.float32)


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
