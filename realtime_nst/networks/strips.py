"""The transform network cut in three, for pictures that are too large to be painted at once (`strips.py`)."""

import keras
from keras import ops

from realtime_nst.networks.convolutions import channels_first, per_channel


def cut_network(network: keras.Model, rows: int) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Cut a serving network where its maps grow large, so that the rest can be computed in strips.

    Args:
        network: From `build_transform_network`, of one size.
        rows: Rows of a strip at a quarter of that size.

    Returns:
        Images and vectors to features at a quarter of the size; features of a strip to the sums along each row of the
        map at half size, and of its squares, float32 `(B, C, 2 rows)`; features, scale and shift of that map and of
        the colours to the images of a strip.
    """
    half, colours, pixels = (network.get_layer(name) for name in ("half", "colours", "pixels"))
    whole = half.input.shape
    shape = (whole[1], rows, whole[3]) if channels_first() else (rows, *whole[2:])
    features = keras.Input(shape, dtype="float32", name="features")
    large = ops.cast(half(ops.cast(features, half.compute_dtype)), "float32")
    across = 3 if channels_first() else 2
    sums = keras.Model({"features": features}, [ops.sum(large, axis=across), ops.sum(ops.square(large), axis=across)])
    sizes = {"scales": half.channels, "shifts": half.channels, "colour_scales": 3, "colour_shifts": 3}
    given = {name: keras.Input((size,), dtype="float32", name=name) for name, size in sizes.items()}
    x = ops.relu(large * per_channel(given["scales"]) + per_channel(given["shifts"]))
    strip = pixels([colours(ops.cast(x, half.compute_dtype)), given["colour_scales"], given["colour_shifts"]])
    front = keras.Model(network.input, half.input)
    return front, sums, keras.Model({"features": features, **given}, strip)
