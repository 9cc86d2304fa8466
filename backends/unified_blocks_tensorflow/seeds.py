"""Seeds of what models of TensorFlow draw when they are called."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np

from unified_blocks_tensorflow import neural_ops
from unified_blocks_tensorflow.bind import placed

STATE = "seed_generator_state"
"""What Keras calls the variable of each of its generators."""


def seed(net: Any, number: int | None) -> None:
    """See `Backend.seed`. Each layer of Keras that draws has a generator of its own.

    They get different seeds: with one, two layers would draw the same. What a layer draws by
    `tf.random`, or by `keras.random` without a generator, no seed reaches.
    """
    neural_ops.seeded.clear()
    if number is None:
        return
    with placed(net):
        neural_ops.seeded.append(generator_of_ops())
        variables = () if net is None else net.variables
        states = [generator_of_ops().state, *(v for v in variables if v.name == STATE)]
        seeds = np.random.SeedSequence(number).generate_state(len(states))
        for state, each in zip(states, seeds.tolist(), strict=True):
            state.assign([each, 0])


@cache  # for ever: graphs hold what is in it, and not it
def generator_of_ops() -> keras.random.SeedGenerator:
    """What `ub.ops.dropout` draws from while it is seeded."""
    return keras.random.SeedGenerator(0)
