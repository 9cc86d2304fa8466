"""A model's numbers as NumPy arrays: `state`, `load_state`, and `build`, which makes them exist.

These functions take any model whose variables its backend knows, made by this library or not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unified_blocks.backend.tensors import backend_of
from unified_blocks.dtypes import default_dtype, numpy_dtype, variable_dtype
from unified_blocks.formats.stored import Stored
from unified_blocks.models.loading import load_stored
from unified_blocks.models.variables import (
    device_of_variables,
    readable_variables,
    stored_of,
)
from unified_blocks.types import Array, State


class Stateful(ABC):
    """An object with its own state, besides that of its model: a `ub.Trainer`."""

    @abstractmethod
    def state(self) -> State:
        """Its state, for `ub.state`."""

    @abstractmethod
    def load(self, tensors: Mapping[str, Stored]) -> None:
        """Load the state that was given to `ub.load_state`.

        Raises:
            StateMismatchError: when it does not fit; nothing is loaded then.
        """


def build(net: Any, input_shape: Sequence[int] | Sequence[Sequence[int]]) -> Any:
    """Make the parameters of `net` exist, by one inference call on zeros.

    Args:
        net: a model of any framework.
        input_shape: shape of the input, batch included, `(2, 20)`; a list of shapes for a model
            of several inputs.

    Returns:
        `net` itself.

    Raises:
        InputError: (a `ValueError`) when the width is not the one the block was made for.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        sum(array.size for array in ub.state(net).values())  # 7946
    """
    backend = backend_of(net)
    several = bool(input_shape) and not isinstance(input_shape[0], int | np.integer)
    shapes: Any = input_shape if several else [input_shape]
    variables = backend.variables(net)
    dtype = variables[0].dtype if variables else variable_dtype(default_dtype())
    device = device_of_variables(variables)
    zeros = [np.zeros(shape, numpy_dtype(dtype)) for shape in shapes]
    backend.run(net, [backend.from_numpy(array, device, dtype) for array in zeros])
    return net


def state(net: Any, *, strict: bool = True) -> State:
    """A copy of every number that `net` holds, by canonical name.

    Of a model: parameters and constants, running statistics included, in PyTorch's layout (a dense
    weight is `(out, in)`); a shared layer once, under its first name. The model's mode is not
    changed.

    Of a `ub.Trainer`: `optimizer.step`, the number of steps done, and for each parameter what the
    optimizer keeps of it: `optimizer.hidden.weight.velocity` of `ub.SGD` with momentum (`v` in its
    formula, free of the learning rate), `….mean` and `….variance` of `ub.Adam` and `ub.AdamW`,
    `….mean_of_squares` of `ub.RMSprop`, `….sum_of_squares` of `ub.Adagrad`; of one with
    a schedule `schedule.step`, the number of updates that it counts. With it training goes on
    elsewhere as if it had never stopped, on another backend too.

    Args:
        net: a model of any framework, or a `ub.Trainer`.
        strict: False leaves out what Keras' own layers of kinds unknown here hold, and a warning
            names it.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        UnsupportedError: for a dtype that NumPy lacks, bfloat16; for two variables of one name, or
            a layer of an unknown kind.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        {name: array.shape for name, array in ub.state(net).items()}
    """
    if isinstance(net, Stateful):
        return net.state()
    return {v.name: v.read() for v in readable_variables(net, "state", strict)}


def load_state(net: Any, state: Mapping[str, Array], *, strict: bool = True) -> Any:
    """Replace the numbers of `net` by those of `state`, creating parameters that do not exist yet.

    Nothing is transposed, reshaped or cast to fit, and nothing is loaded unless all of it fits.

    Args:
        net: a model of any framework, or a `ub.Trainer`, of which this is the optimizer's state.
        state: as `ub.state` gives it, or as `ub.read_state` reads it from a file. A shared array
            may be there under any of its names, and the count of batches that PyTorch's batch
            norms keep may be missing or left over. The optimizer state in a file is ignored when
            `net` is a model.
        strict: False leaves layers of Keras' own of kinds unknown here as they are, and a warning
            names them.

    Returns:
        `net` itself.

    Raises:
        StateMismatchError: (a `ValueError`) lists every missing and unknown name, and every
            wrong shape, dtype and kind of layer.
        UnsupportedError: for a model of a dtype that NumPy lacks, or with a layer of an unknown
            kind.

    Example::

        net = ub.Dense(2)
        ub.load_state(net, {"weight": np.eye(2, dtype="float32"), "bias": np.ones(2, "float32")})
        net(ub.from_numpy(np.array([[3.0, 4.0]], "float32")))  # [[4, 5]]
    """
    tensors = stored_of(state)
    if isinstance(net, Stateful):
        net.load(tensors)
    else:
        load_stored(net, tensors, "load_state", strict)
    return net
