"""How a mistake is caught: by `ub.compare`, or where there is no layer by a check of the suite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.planting import planted


@dataclass(frozen=True)
class Caught:
    """What became of a mutant: None where a question does not apply to it.

    Attributes:
        caught: whether anything told of it.
        first: whether the right first difference was named.
        cause: whether its cause was; `unknown` where none of those that are known is at work.
        said: what was found, in words.
    """

    caught: bool
    first: bool | None = None
    cause: bool | None = None
    said: str = ""


@dataclass(frozen=True)
class Compared:
    """`ub.compare` with the right model names the first difference and its cause.

    Attributes:
        make: the model; built for `x`.
        first, cause: what has to be named.
        mode, options: as `compare` takes them.
        device: where the models are moved to.
        dtype: of the models.
    """

    make: Callable[[], Any]
    first: str
    cause: str
    mode: str = "forward"
    x: np.ndarray = field(default_factory=lambda: normal(5, 6, dtype="float64"))
    options: dict[str, Any] = field(default_factory=dict)
    device: str | None = None
    dtype: str = "float64"

    def made(self):
        """The model, with numbers all of which matter."""
        with ub.use_dtype(self.dtype):
            net = self.make()
        backend = ub.backend_of(net)
        backend.run(net, [backend.from_numpy(self.x)])
        return ub.to_device(net, self.device) if self.device else net

    def found(self, right, other):
        return ub.compare(right, other, self.x, mode=self.mode, **self.options)

    def control(self, backend_name):
        """Without the mistake nothing differs."""
        with ub.use_backend(backend_name):
            right = numbered(self.made())
            self.found(right, copied(right, self.made())).raise_if_different()

    def catches(self, mutant, backend_name):
        with ub.use_backend(backend_name):
            right = numbered(self.made())
            with planted(mutant, backend_name, spared=right):
                found = self.found(right, copied(right, self.made()))
        difference = found.first_difference
        if difference is None:
            return Caught(False, False, False, str(found))
        return Caught(
            True,
            difference.name == self.first,
            difference.cause == self.cause,
            f"{difference}\n{found}",
        )


def numbered(net, seed=0):
    """`net` with random numbers everywhere: a bias of 0 or a gamma of 1 hides mistakes."""
    generator = np.random.default_rng(seed)
    for v in ub.backend_of(net).variables(net):
        attribute = v.name.rpartition(".")[2]
        positive = attribute == "running_var" or (attribute == "weight" and len(v.shape) == 1)
        low, high = (0.5, 1.5) if positive else (-1, 1)
        v.write(generator.uniform(low, high, v.shape).astype(v.dtype))
    return net


def copied(right, net):
    """`net` with the numbers of `right`, where it holds such."""
    numbers = {
        name: v.read()
        for v in ub.backend_of(right).variables(right)
        for name in (v.name, *v.aliases)
    }
    for v in ub.backend_of(net).variables(net):
        if v.name in numbers:
            v.write(numbers[v.name])
    return net


@dataclass(frozen=True)
class Checked:
    """A check of the suite, which takes a backend's name and raises when it is not met."""

    check: Callable[[str], None]

    def control(self, backend_name):
        with ub.use_backend(backend_name):
            self.check(backend_name)

    def catches(self, mutant, backend_name):
        with planted(mutant, backend_name), ub.use_backend(backend_name):
            try:
                self.check(backend_name)
            except (AssertionError, ValueError) as error:
                return Caught(True, said=str(error))
        return Caught(False, said=f"{self.check.__name__} saw nothing")
