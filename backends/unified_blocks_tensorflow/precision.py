"""Training in mixed precision: the layers' own policies, and Keras' scaling of the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from unified_blocks.backend import Slot
from unified_blocks.errors import UnsupportedError
from unified_blocks_tensorflow.bind import placed


def check_precision(net: Any, mixed: Sequence[keras.layers.Layer], precision: str | None) -> None:
    """Check that what is asked for is what the layers compute in.

    Args:
        net: the model.
        mixed: its layers that compute in half precision, of float32 variables.
        precision: `"bfloat16"`, `"float16"`, or None for what comes.

    Raises:
        UnsupportedError: when it is not; in float16 without `precision`, gradients would vanish.
    """
    found = {layer.compute_dtype for layer in mixed}
    if precision is None and "float16" in found:
        raise UnsupportedError(
            "Trainer: a model of policy mixed_float16 must be trained with a scaled loss; got a "
            f'{type(net).__name__} that has it: give precision="float16", or make it of '
            "mixed_bfloat16"
        )
    if precision is not None and found != {precision}:
        raise UnsupportedError(
            "Trainer: on TensorFlow the layers must have been made for the precision; got "
            f"precision={precision!r} and a {type(net).__name__} that computes in "
            f"{' and '.join(sorted(found)) or 'one precision'}: make it with "
            f'dtype="mixed_{precision}"'
        )


class Scaled:
    """An optimizer of Keras' with the loss scaled, by Keras' own `LossScaleOptimizer`.

    An update whose gradients are not finite is left out.

    Args:
        net: the model.
        native: the optimizer.
        handles: what it updates.
    """

    def __init__(self, net: Any, native: keras.optimizers.Optimizer, handles: Sequence[Any]):
        self.net, self.native = net, native
        self.scaler = keras.optimizers.LossScaleOptimizer(native)
        self.scaler.build(list(handles))

    def loss(self, value: tf.Tensor) -> tf.Tensor:
        """The loss, scaled, to be differentiated."""
        return value * tf.cast(self.scaler.dynamic_scale.value, value.dtype)

    def unscaled(self, gradients: Sequence[Any]) -> list[Any]:
        """Gradients as they are; nan in place of inf, of which clipping would make a number."""
        dense = self._times(gradients, 1 / self.scaler.dynamic_scale.value)
        return [
            None if g is None else tf.where(tf.math.is_finite(g), g, g.dtype.as_numpy_dtype("nan"))
            for g in dense
        ]

    def apply(self, gradients: Sequence[Any], trained: Any, after: Callable[[], None]) -> None:
        """Update with gradients that are unscaled, and then do `after`, or leave both out."""
        before = tf.identity(self.native.iterations.value)
        # Keras takes them scaled; the factor is a power of two, so this changes no bit.
        scaled = self._times(gradients, self.scaler.dynamic_scale.value)
        with tf.control_dependencies([before]):
            self.scaler.apply(scaled, trained)

        def done():
            after()
            return 0

        tf.cond(self.native.iterations.value > before, done, lambda: 0)

    def _times(self, gradients: Sequence[Any], factor: tf.Tensor) -> list[Any]:
        dense = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
        return [None if g is None else g * tf.cast(factor, g.dtype) for g in dense]

    def slots(self) -> list[Slot]:
        """The factor of the loss, and for how many updates in a row it has been good."""

        def slot(name, variable, dtype):
            def write(array):
                with placed(self.net):
                    variable.assign(np.asarray(array, dtype))

            return Slot(name, (), dtype, lambda: variable.numpy().astype(dtype), write)

        return [
            slot("loss_scale", self.scaler.dynamic_scale, "float32"),
            slot("loss_scale_steps", self.scaler.step_counter, "int32"),
        ]
