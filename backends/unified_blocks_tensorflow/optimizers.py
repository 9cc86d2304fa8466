"""Keras' optimizers, brought to the formulas of `unified_blocks.training.optimizers`."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from unified_blocks.backend import Optimizer
from unified_blocks.training.learning.groups import Setting
from unified_blocks.training.optimizers import KINDS, SGD, Adagrad, Adam, AdamW, RMSprop

KEPT = {
    "velocity": "_momentum",
    "mean": "_momentum",
    "variance": "_velocity",
    "mean_of_squares": "_velocity",
    "sum_of_squares": "_accumulator",
}
"""How the names end of what Keras keeps of each parameter, by our name for it."""


class InWhole:
    """An optimizer of Keras' that gets each gradient in whole, the weight decay in it.

    Keras' own decay is apart from the gradient. And the gradient of an embedding has a part for
    each time that a row was looked up, of which Keras' own add up the squares.
    """

    decay = 0.0
    settings: Sequence[Setting] = ()
    """How each variable is updated, where some are in another way."""

    def setting(self, variable, learning_rate):
        """The learning rate of a variable, and its weight decay."""
        if not self.settings:
            return learning_rate, self.decay
        factor, decay = self.settings[self._get_variable_index(variable)]  # type: ignore[attr-defined]
        rate = tf.cast(learning_rate, tf.float32) * factor
        return rate, self.decay if decay is None else decay

    def whole(self, gradient, variable, decay):
        """The gradient that the formula gets."""
        gradient = tf.convert_to_tensor(gradient)
        return gradient + variable * decay if decay else gradient

    def update_step(self, gradient, variable, learning_rate):
        rate, decay = self.setting(variable, learning_rate)
        gradient = self.whole(gradient, variable, decay)
        super().update_step(gradient, variable, rate)  # type: ignore[misc]


class WholeSGD(InWhole, keras.optimizers.SGD):
    """SGD with weight decay; without any, the parts of a gradient may be added one by one."""


class FreeSGD(InWhole, keras.optimizers.SGD):
    """SGD whose velocity is free of the learning rate, which may change: `v = μ v + g`.

    Keras' own holds `-lr v`.
    """

    def update_step(self, gradient, variable, learning_rate):
        rate, decay = self.setting(variable, learning_rate)
        gradient = self.whole(gradient, variable, decay)
        if self.momentum:
            velocity = self.momentums[self._get_variable_index(variable)]
            self.assign(velocity, velocity * self.momentum + gradient)
            gradient = velocity * self.momentum + gradient if self.nesterov else velocity
        self.assign_sub(variable, gradient * tf.cast(rate, variable.dtype))


class WholeAdam(InWhole, keras.optimizers.Adam):
    """Adam."""


class WholeAdamW(InWhole, keras.optimizers.AdamW):
    """AdamW, with Keras' own weight decay, which is none of the gradient's."""

    def whole(self, gradient, variable, decay):
        return tf.convert_to_tensor(gradient)

    def _apply_weight_decay(self, variables):
        if not self.settings:
            super()._apply_weight_decay(variables)
            return
        for variable in variables:
            rate, decay = self.setting(variable, self.learning_rate)
            if decay:
                self.assign_sub(variable, variable * (decay * tf.cast(rate, variable.dtype)))


class WholeRMSprop(InWhole, keras.optimizers.RMSprop):
    """RMSprop."""


class WholeAdagrad(InWhole, keras.optimizers.Adagrad):
    """Adagrad."""


def make_optimizer(optimizer: Optimizer, free: bool = False) -> keras.optimizers.Optimizer:
    """Keras' own optimizer, with the hyper-parameters that every backend uses.

    Args:
        free: whether what it keeps is to be free of the learning rate.
    """
    match optimizer.rounded():
        case SGD(lr, momentum, nesterov, decay):
            make = FreeSGD if free else WholeSGD if decay else keras.optimizers.SGD
            made = make(lr, momentum=momentum, nesterov=nesterov)
        case AdamW(lr, beta_1, beta_2, epsilon, decay):
            made = WholeAdamW(lr, decay, beta_1, beta_2, epsilon)
        case Adam(lr, beta_1, beta_2, epsilon, decay):
            made = WholeAdam(lr, beta_1, beta_2, epsilon)
        case RMSprop(lr, rho, epsilon):
            return WholeRMSprop(lr, rho, epsilon=epsilon)
        case Adagrad(lr, epsilon):
            return WholeAdagrad(lr, initial_accumulator_value=0.0, epsilon=epsilon)
        case _:
            raise TypeError(f"optimizer must be {KINDS}; got {optimizer!r}")
    made.decay = decay
    return made
