"""A model's numbers as NumPy arrays: `state`, `load_state`, and `build`, which makes them exist.

These functions take any model whose variables its backend knows, made by this library or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unified_blocks.backend import Shape, Variable
from unified_blocks.dtypes import default_dtype
from unified_blocks.errors import NotBuiltError, StateMismatchError
from unified_blocks.tensors import backend_of
from unified_blocks.types import Array, State


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
    """
    backend = backend_of(net)
    several = bool(input_shape) and not isinstance(input_shape[0], int | np.integer)
    shapes: Any = input_shape if several else [input_shape]
    variables = backend.variables(net)
    dtype = variables[0].dtype if variables else default_dtype()
    device = device_of_variables(variables)
    backend.run(net, [backend.from_numpy(np.zeros(shape, dtype), device) for shape in shapes])
    return net


def state(net: Any) -> State:
    """A copy of every number that `net` holds, by canonical name.

    Parameters and constants, running statistics included, in PyTorch's layout (a dense weight is
    `(out, in)`); a shared layer once, under its first name. The model's mode is not changed.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
    """
    return {v.name: v.read() for v in built_variables(net, "state")}


def load_state(net: Any, state: Mapping[str, Array]) -> Any:
    """Replace the numbers of `net` by those of `state`; parameters that do not exist yet are made.

    Nothing is transposed, reshaped or cast to fit, and nothing is loaded unless all of it fits.

    Args:
        net: a model of any framework.
        state: as `state` gives it.

    Returns:
        `net` itself.

    Raises:
        StateMismatchError: (a `ValueError`) lists every missing and unknown name, and every
            wrong shape and dtype.
    """
    variables = backend_of(net).variables(net)
    arrays = {name: np.asarray(array, order="C") for name, array in state.items()}
    problems = _misfits(variables, arrays)
    if problems:
        raise StateMismatchError(
            f"load_state: the state must fit {type(net).__name__}, and nothing was loaded; got "
            + "; ".join(problems)
        )
    for variable in variables:
        variable.write(arrays[variable.name])
    return net


def built_variables(net: Any, what: str) -> list[Variable]:
    """The variables of `net`, all of which exist.

    Raises:
        NotBuiltError: when one does not; `what` is the operation that needed it.
    """
    variables = backend_of(net).variables(net)
    missing = [v.name for v in variables if not v.is_built]
    if missing:
        raise NotBuiltError(
            f"{what}: the parameters of {type(net).__name__} must exist, and its input width is "
            f"not known yet; got no {', '.join(missing)}: call ub.build(net, input_shape) first"
        )
    return variables


def device_of_variables(variables: Sequence[Variable]) -> str | None:
    """The device of a model with these variables; None when it has none that exist."""
    return next((v.device for v in variables if v.device), None)


def _misfits(variables: Sequence[Variable], arrays: Mapping[str, Array]) -> list[str]:
    names = {v.name for v in variables}
    problems = [f"no {v.name}" for v in variables if v.name not in arrays]
    problems += [f"an unknown {name}" for name in arrays if name not in names]
    for v in variables:
        array = arrays.get(v.name)
        if array is None:
            continue
        if not _fits(array.shape, v.shape):
            problems.append(f"{v.name} of shape {array.shape}, not {_shown(v.shape)}")
        if array.dtype != np.dtype(v.dtype):
            problems.append(f"{v.name} of dtype {array.dtype}, not {v.dtype}")
    return problems


def _fits(shape: tuple[int, ...], wanted: Shape | None) -> bool:
    if wanted is None:
        return True
    return len(shape) == len(wanted) and all(
        size in (None, given) for size, given in zip(wanted, shape, strict=True)
    )


def _shown(shape: Shape | None) -> str:
    sizes = ["any" if size is None else str(size) for size in shape or ()]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
