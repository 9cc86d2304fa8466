"""Why a call of a block failed, in this library's words.

Nothing is checked before a call: that would cost every call. When a framework has raised, the
inputs are looked at, and where the cause is one that we know the error says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.backend.registry import load_backend, owner_of
from unified_blocks.block.block import Block, portable_class
from unified_blocks.errors import ForeignTensorError, InputError, UnifiedBlocksError


def clearer_error(
    net: Block, backend: Backend, inputs: Sequence[Any], error: Exception
) -> Exception:
    """The error to raise for a call that failed with `error`: a clearer one, or `error` itself."""
    if isinstance(error, UnifiedBlocksError) or not isinstance(error, backend.call_errors):
        return error
    for value in inputs:
        if foreign := foreign_tensor(net, backend, value):
            return foreign
    return _misfit(net, backend, inputs) or error


def foreign_tensor(net: Block, backend: Backend, value: Any) -> ForeignTensorError | None:
    """The error for an input that is not a tensor of the block's framework, if it is not."""
    # An array has no owner, and PyTorch, when it traces this, objects to the cache in `owner_of`.
    owner = None if type(value) is np.ndarray else owner_of(value)
    if owner == backend.name:
        return None
    if owner is not None:
        given = f"a tensor of {load_backend(owner).title}"
        remedy = f"ub.as_tensor(x, {backend.name!r})"
    elif isinstance(value, np.ndarray) and "array-inputs" in backend.lacks:
        given, remedy = "a NumPy array", f"ub.from_numpy(x, {backend.name!r})"
    else:
        return None
    return ForeignTensorError(
        f"{type(net).__name__} on {backend.title} must be given tensors of {backend.title}; "
        f"got {given}: convert it with {remedy}"
    )


def _is_first_layer_known(net: Block) -> bool:
    """Whether `input_parameter` is of the class whose forward runs, not of one that it extends."""
    for cls in portable_class(type(net)).__mro__:
        if "input_parameter" in vars(cls):
            return True
        if "forward" in vars(cls):
            return False
    return False


def _misfit(net: Block, backend: Backend, inputs: Sequence[Any]) -> InputError | None:
    """The error for an input whose width or dtype is not that of the block's first layer."""
    if not inputs or not _is_first_layer_known(net):
        return None
    try:
        first = next((v for v in backend.variables(net) if v.name == net.input_parameter), None)
    except UnifiedBlocksError:  # the block holds what has no name here: nothing more to say
        return None
    if first is None or not first.is_built or not first.shape or not hasattr(inputs[0], "shape"):
        return None
    name, shape = type(net).__name__, tuple(inputs[0].shape)
    weight = tuple(size for size in first.shape if size is not None)
    wanted = net.expected_shape(shape, weight)
    if wanted is not None:
        return InputError(
            f"{name}: the input must have shape {wanted} that {first.name} {weight} was made "
            f"for; got shape {shape}"
        )
    dtype = str(getattr(inputs[0].dtype, "name", inputs[0].dtype)).rsplit(".", 1)[-1]
    if dtype != first.dtype and "cast-inputs" in backend.lacks:
        return InputError(
            f"{name}: the input must have the dtype of the parameters, {first.dtype}; got "
            f"{dtype}: cast the input, or the block with ub.cast(net, {dtype!r})"
        )
    return None
