"""Clipping of TensorFlow's gradients."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from unified_blocks.backend import Clip


def clipped(gradients: list[Any], clip: Clip) -> list[Any]:
    """See `Clip`. The parts of a gradient in slices are added up.

    Of parameters that Keras holds as one, such as the two biases of a recurrent layer, the norm is
    that of the one.
    """
    kind, bound = clip.rounded()
    dense = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
    given = [g for g in dense if g is not None]
    if kind == "value":
        return [None if g is None else tf.clip_by_value(g, -bound, bound) for g in dense]
    norms = [tf.norm(g) for g in given]
    if kind == "global_norm" and given:
        widest = max((norm.dtype for norm in norms), key=lambda dtype: dtype.size)
        norms = [tf.norm(tf.stack([tf.cast(norm, widest) for norm in norms]))] * len(given)
    # Where nothing is clipped the factor is exactly 1.
    scaled = iter(
        g * tf.cast(bound / tf.maximum(norm, bound), g.dtype)
        for g, norm in zip(given, norms, strict=True)
    )
    return [None if g is None else next(scaled) for g in dense]
