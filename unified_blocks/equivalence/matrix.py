"""The equivalence matrix: cases × backends × dtypes × quantities, each cell measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unified_blocks.dtypes import use_dtype
from unified_blocks.equivalence.cases import CASES, Case
from unified_blocks.equivalence.policy import Deviation, deviation
from unified_blocks.equivalence.reference import reference_gradients, reference_output
from unified_blocks.gradients import value_and_grad
from unified_blocks.initialize import initialize
from unified_blocks.models import to_device
from unified_blocks.registry import use_backend
from unified_blocks.state import build, state
from unified_blocks.types import Array, State

DTYPES = ("float64", "float32")
QUANTITIES = ("shape", "forward", "parameter gradient", "input gradient")


@dataclass(frozen=True)
class Observation:
    """What one network gave: its output, and the gradients by name, `"x"` being the input's."""

    output: Array
    gradients: State

    def arrays(self, quantity: str) -> State:
        """The arrays that `quantity` compares, by name."""
        if quantity == "forward":
            return {"output": self.output}
        if quantity == "input gradient":
            return {"x": self.gradients["x"]}
        return {name: array for name, array in self.gradients.items() if name != "x"}


@dataclass(frozen=True)
class Cell:
    """How far one backend is from the reference and from the other backends, in one respect.

    Attributes:
        deviation: the worst found.
        against: what it was found against: `"reference"`, or a backend's name.
    """

    case: str
    backend: str
    dtype: str
    quantity: str
    deviation: Deviation
    against: str

    @property
    def ok(self) -> bool:
        return self.deviation.ok


def observe(
    case: Case, backend: str, dtype: str, device: str = "cpu"
) -> tuple[Observation, Observation]:
    """What a case gives on a backend, and what its reference gives with the same numbers.

    Every parameter is random, biases too, and drawn anew on each backend from one seed.
    """
    with use_backend(backend) as framework, use_dtype(dtype):
        net = case.make()
        build(net, case.input_shape)
        initialize(net, case.seed, scheme="torch_default")
        net = to_device(net, device)
    x, y = case.batch(dtype)
    output = framework.to_numpy(framework.run(net, [framework.from_numpy(x, device)]))
    _, gradients = value_and_grad(net, x, y, loss="mse", wrt="both")
    numbers = state(net)
    expected = Observation(
        reference_output(net, numbers, x),
        reference_gradients(net, numbers, x, y.astype(np.float64), case.parameters),
    )
    return Observation(output, gradients), expected


def measure(backends: Sequence[str], dtypes: Sequence[str] = DTYPES) -> Iterator[Cell]:
    """Every cell of the matrix over these backends."""
    for dtype in dtypes:
        for case in CASES:
            seen = {}
            expected = {}
            for backend in backends:
                seen[backend], expected[backend] = observe(case, backend, dtype)
            for backend in backends:
                others = {name: seen[name] for name in backends if name != backend}
                against = {"reference": expected[backend], **others}
                for quantity in QUANTITIES:
                    yield _cell(case, backend, dtype, quantity, seen[backend], against)


def _cell(
    case: Case,
    backend: str,
    dtype: str,
    quantity: str,
    seen: Observation,
    against: dict[str, Observation],
) -> Cell:
    worst, name = Deviation(), "reference"
    if quantity == "shape":
        right = seen.output.shape == case.output_shape and str(seen.output.dtype) == dtype
        worst = Deviation() if right else Deviation(float("inf"), float("inf"))
        return Cell(case.name, backend, dtype, quantity, worst, name)
    for other, observation in against.items():
        found, wanted = seen.arrays(quantity), observation.arrays(quantity)
        if found.keys() != wanted.keys():
            worst, name = Deviation(float("inf"), float("inf")), other
            break
        for key, array in found.items():
            here = deviation(array, wanted[key], dtype)
            if here > worst:
                worst, name = here, other
    return Cell(case.name, backend, dtype, quantity, worst, name)
