"""Gradients at generated numbers: as the central differences of what each operation means."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_unified_blocks.op_cases import OPS, OpCase
from testbed.operations import differences, gradients, ids, semantics

few = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the same for every example
)


def numbers(case):
    """Arrays for an operation, from its own range, around which its meaning has no kink.

    They lie between the multiples of 1/8, where absolute values, steps and bounds have theirs, and
    no two are equal, where maxima have theirs, unless there are more of them than places.
    """
    first, last = int(np.ceil(case.low * 8)), int(np.floor(case.high * 8))
    sizes = [int(np.prod(shape)) for shape in case.shapes]
    places = list(range(first, last)) * -(-sum(sizes) // (last - first))

    def arrays(order):
        flat = (np.array(order[: sum(sizes)]) + 0.37) / 8
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, case.shapes, strict=True)]

    return st.permutations(places).map(arrays)


@pytest.mark.parametrize("case_", [case for case in OPS if case.differentiable], ids=ids)
@few
@given(data=st.data())
def test_gradient_at_generated_numbers(backend_name, case_, data):
    agrees(backend_name, case_, data.draw(numbers(case_)))


def agrees(backend_name, case, arrays):
    weight = np.random.default_rng(1).normal(size=np.shape(case.meaning(*arrays)))
    with semantics(backend_name):
        found = gradients(backend_name, case.call, arrays, weight)
    for gradient, expected in zip(found, differences(case.meaning, arrays, weight), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)


def test_a_wrong_gradient_is_seen(backend_name):
    case = OpCase("", lambda x: x * x, lambda x: 1.00001 * x * x)
    with pytest.raises(AssertionError):
        agrees(backend_name, case, case.arrays("float64"))
