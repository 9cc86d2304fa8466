"""Parameters whose numbers differ although the same is computed with them.

A layer may hold its weight transposed. And the numbers of a layer that one model lacks may be in
those of the layer beside it: a norm's in a convolution's, a product of two matrices in a weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unified_blocks.equivalence.alignment import Pair, encloses
from unified_blocks.equivalence.layouts import Given
from unified_blocks.equivalence.renaming import is_below
from unified_blocks.equivalence.sides import Model
from unified_blocks.equivalence.watching import Call
from unified_blocks.models.outputs import leaves_of
from unified_blocks.reference.policy import agree
from unified_blocks.types import Array

TRIED = 3
"""How many other inputs two models are to agree on."""


def is_transposed(a: Array | None, b: Array | None) -> bool:
    """Whether a matrix is another one, transposed."""
    return (
        a is not None
        and b is not None
        and a.ndim == b.ndim == 2
        and a.shape == b.shape
        and agree(a, b.T, None, kind="held")
    )


def used_transposed(a: Array | None, b: Array | None, pair: Pair) -> bool:
    """Whether a call shows that its layer uses in one model the transpose of what the other does.

    It takes the same in both, and gives the same, as it would not with the other's weight.
    """
    if pair.left_out is not None or not (pair.takes_the_same and pair.gives_the_same):
        return False
    if a is None or b is None:
        return False
    taken = [x for x in pair.a.inputs if x.ndim and x.shape[-1] == a.shape[0]]
    return any(not agree(x @ a, x @ b, None) for x in taken)


def calls_made_up_for(
    path: str, pairs: Sequence[Pair], other: Sequence[tuple[str, Model]]
) -> list[Pair]:
    """The calls of the layer at `path`, if another makes up for what its numbers differ by.

    Each takes or gives something else in each model, and what encloses it gives the same, or what
    comes after it. And one of the models has layers beside it that the other lacks, not each of
    them some.

    Args:
        other: the layers that one model holds parameters of and the other does not.
    """
    calls = [pair for pair in pairs if pair.a.path == path]
    made_up = all(
        (pair.left_out is not None or (pair.gives_the_same and not pair.takes_the_same))
        and len({id(m) for layer, m in other if _is_beside(pair, layer, m.runs)}) == 1
        for pair in calls
    )
    return calls if made_up else []


def _is_beside(pair: Pair, layer: str, calls: Sequence[Call]) -> bool:
    """Whether the layer, in its own model, is around a call, or takes or gives what it does."""
    own = next(call for call in calls if call.name == pair.name)
    paths = [call.path for call in calls if is_below(layer, call.path) or not call.path]
    path = max(paths, key=len, default=None)
    for call in calls:
        if call.path == path and (
            (encloses(call, own) and own.depth == call.depth + 1)
            or any(np.array_equal(x, y) for x in _arrays(call) for y in _arrays(own))
        ):
            return True
    return False


def _arrays(call: Call) -> Iterator[Array]:
    return (array for array in (*call.inputs, *call.outputs) if array.size > 1)


def agree_on_others(a: Model, b: Model, given: Given) -> bool:
    """Whether two models give the same for other inputs too, of the same shapes."""
    if given.taking is None:
        return False
    generator = np.random.default_rng(0)
    for _ in range(TRIED):
        inputs = [_drawn(x, generator) for x in given.a]
        outputs = []
        for model, arrays in ((a, inputs), (b, given.taking.second(inputs))):
            value = model.backend.run(model.net, model.arguments(arrays))
            outputs.append(leaves_of(model.backend, value))
        for x, y in zip(*outputs, strict=True):
            if not agree(x.array, y.array, x.dtype):
                return False
    return True


def _drawn(x: Array, generator: np.random.Generator) -> Array:
    if x.dtype.kind != "f" or not x.size:
        return x
    return np.asarray(generator.normal(scale=max(float(np.abs(x).max()), 1), size=x.shape), x.dtype)
