"""The models that the contracts make, and their comparisons with expected results."""

from __future__ import annotations

from typing import Any

import numpy as np

import unified_blocks as ub
from pytest_unified_blocks.layer_cases import BY_NAME
from unified_blocks.reference.policy import deviation
from unified_blocks.types import Array, State


def made_case(name: str, dtype: str) -> Any:
    case = BY_NAME[name]
    with ub.use_dtype(dtype):
        net = ub.build(case.make(), case.input_shape)
    return ub.initialize(net, case.seed, "torch_default")


def output_of(net: Any, x: Array) -> Array:
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))


def normal(*shape: int, dtype: str = "float64", seed: int = 0) -> Array:
    return np.asarray(np.random.default_rng(seed).normal(size=shape)).astype(dtype)


def same_bits(a: Array, b: Array) -> bool:
    return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())


def same_state(a: State, b: State) -> bool:
    """Whether two states are equal to the bit, in the order of their names too."""
    return list(a) == list(b) and all(same_bits(array, b[name]) for name, array in a.items())


def agree(what: str, actual: Array, expected: Array, dtype: str) -> None:
    found = deviation(actual, expected, dtype)
    assert found.ok, f"{what}: {found}"
