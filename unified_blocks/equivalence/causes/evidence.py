"""What is known of a difference, on which the causes are tested."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unified_blocks.reference.policy import explains, wide
from unified_blocks.types import Array

NORMS = ("BatchNorm", "LayerNorm")


ENOUGH = 4
"""A rule with one free number must hold for at least this many different numbers."""


@dataclass
class Evidence:
    """What is known of the first difference.

    Attributes:
        what: `"parameter"`, `"call"`, `"gradient"`, `"statistic"` or `"loss"`.
        name: of the array, or of the call.
        kind: of the layer, `"Dense"`.
        a, b: the array in each model, None where it has none.
        x: the input of the call, when it is one array and the same in both.
        numbers: of the layer, by their own names: `{"weight": …, "bias": …}`.
        train: whether the models were in training mode.
        changed: whether only `b` changed its input in place.
        names: all names of the array in each model: several when it is shared.
        roles: of the array in each model.
        moved: of a constant of `b`, whether it is where the parameters are.
        later: what each model computes from this output, when an activation may come after it.
        dtype: of `a`, `b` and `x` in the framework, when it is not NumPy's.
        dtypes: of `a` and `b` each in its framework.
        bound: what is allowed of each element, where it is known better than the policy does.
        before: of a running statistic, its value before.
        only_in: the model that alone makes the call, `"a"` or `"b"`.
        counts: over how many examples, and how many numbers, a loss may be a mean.
        others: all numbers of the right model.
    """

    what: str
    name: str
    kind: str | None = None
    a: Array | None = None
    b: Array | None = None
    x: Array | None = None
    numbers: Mapping[str, Array] = field(default_factory=dict)
    train: bool = False
    changed: bool = False
    names: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    roles: tuple[str | None, str | None] = (None, None)
    moved: bool = True
    later: tuple[Sequence[Array], Sequence[Array]] = ((), ())
    dtype: str | None = None
    dtypes: tuple[str | None, str | None] = (None, None)
    bound: Array | None = None
    before: Array | None = None
    only_in: str | None = None
    counts: Sequence[int] = ()
    others: Mapping[str, Array] = field(default_factory=dict)
    mode: str = "forward"

    def gives(self, candidate: Array) -> bool:
        """Whether a candidate is what the wrong model gave."""
        return self.b is not None and explains(candidate, self.b, self.dtype, self.bound)

    def right(self, candidate: Array) -> bool:
        """Whether it is what the right model gave."""
        return self.a is not None and explains(candidate, self.a, self.dtype, self.bound)

    @property
    def attribute(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def is_held_otherwise(self) -> bool:
        """Whether the models hold the array differently, whatever its numbers are."""
        present = None not in self.roles
        return present and (
            self.roles[0] != self.roles[1] or self.names[0] != self.names[1] or not self.moved
        )

    @property
    def linear(self) -> Array | None:
        """`X Wᵀ + b` of a dense layer, from its numbers; None of any other layer."""
        return self.with_weight(self.weight.T) if self.weight is not None else None

    @property
    def weight(self) -> Array | None:
        """The weight of a layer that may be dense, whatever its class is called."""
        weight = self.numbers.get("weight")
        if weight is None or weight.ndim != 2:
            return None
        rows = self.rows_of(weight.shape[1])
        return None if rows is None else wide(weight)

    def rows_of(self, width: int) -> Array | None:
        """The input of the call as a layer of this width takes it: Gluon's flattens it."""
        if self.what != "call" or self.x is None or self.x.dtype.kind != "f" or self.x.ndim < 1:
            return None
        if self.x.shape[-1] == width:
            return self.x_wide
        flat = self.x.ndim > 2 and math.prod(self.x.shape[1:]) == width
        return self.x_wide.reshape(len(self.x), width) if flat else None

    def with_weight(self, matrix: Array) -> Array:
        rows = self.rows_of(matrix.shape[0])
        assert rows is not None
        return rows @ matrix + wide(self.numbers.get("bias", np.zeros(1)))

    def both_ways(self) -> Iterator[tuple[Array, Array]]:
        """`X Wᵀ + b` and `X W + b`, of each square weight, whatever it is called."""
        for weight in self.numbers.values():
            if weight.ndim != 2 or weight.shape[0] != weight.shape[1]:
                continue
            rows = self.rows_of(weight.shape[0])
            if rows is None:
                continue
            biases = [b for b in self.numbers.values() if b.shape == weight.shape[:1]]
            for bias in biases or [np.zeros(1)]:
                yield rows @ wide(weight).T + wide(bias), rows @ wide(weight) + wide(bias)

    @property
    def x_wide(self) -> Array:
        assert self.x is not None
        return wide(self.x)
