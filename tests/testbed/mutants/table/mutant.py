"""What a deliberate mistake is, and the models that it is looked for in."""

from __future__ import annotations

from dataclasses import dataclass

import unified_blocks as ub
from testbed.mutants.checks import Checked, Compared


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        backend: where it is made; None in the core, and so on each backend.
        function: where, `"module:Class.method"`.
        old, new: what stands there, and what is put in its place.
        check: how it is caught.
    """

    name: str
    backend: str | None
    function: str
    old: str
    new: str
    check: Compared | Checked


def mlp():
    return ub.MLP(6, 4)


def fixed():
    return ub.FixedHiddenMLP(6)


def nest():
    return ub.NestMLP()


def of(*layers):
    """A layer after a dense one: `0`, `1`."""
    return lambda: ub.MySequential(ub.Dense(6), *(make() for make in layers))


def activated(name):
    return lambda: ub.MySequential(ub.Dense(6, activation=name), ub.Dense(6))


def dense():
    return activated("relu")()


def shared():
    layer = ub.Dense(6, activation="tanh")
    return ub.MySequential(layer, layer)


def parallel():
    return ub.Parallel(ub.Dense(6), ub.Dense(6, activation="tanh"))


def embedding():
    return ub.MySequential(ub.Embedding(7, 5), ub.Dense(3))
