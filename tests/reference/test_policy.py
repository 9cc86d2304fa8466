"""The checks can fail: deliberate mistakes, each of which the policy must catch."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import make, normal
from unified_blocks.equivalence.matrix.cases import CASES
from unified_blocks.reference.gradients import reference_gradients, reference_output
from unified_blocks.reference.policy import deviation

BY_NAME = {case.name: case for case in CASES}


def test_a_deviation_is_absolute():
    for sign in (1, -1):
        found = deviation(np.array([1 + sign * 1e-3]), np.array([1.0]), "float64")
        assert not found.ok
        assert found.absolute == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(()), np.zeros((1,))),
        (np.array([np.nan]), np.array([np.nan])),
        (np.array([np.inf]), np.array([np.inf])),
        (np.array([1.0]), np.array([np.nan])),
    ],
)
def test_other_shapes_and_what_is_not_finite_never_agree(actual, expected):
    assert not deviation(actual, expected, "float32").ok


def test_float64_is_by_element_and_float32_by_the_largest():
    expected = np.array([1e6, 1e-6])
    actual = expected + np.array([0, 1e-4])
    assert not deviation(actual, expected, "float64").ok
    assert deviation(actual, expected, "float32").ok


def test_a_large_parameter_hides_no_wrong_small_one():
    """As a BatchNorm's variances may be: of channels that are far apart."""
    expected = np.array([1e6, 0.5, 0.25, 1e-7], "float32")
    for at, by, ok in ((1, 0.4, False), (1, 1e-4, False), (1, 2e-5, True), (3, 3e-5, True)):
        actual = expected.copy()
        actual[at] += by
        assert deviation(actual, expected, "float32", "held").ok is ok


def test_empty_arrays_agree():
    assert deviation(np.zeros((0, 3)), np.zeros((0, 3)), "float64").ok


MISTAKES = {
    "square weight transposed": lambda s: {**s, "dense.weight": s["dense.weight"].T},
    "constant transposed": lambda s: {**s, "rand_weight": s["rand_weight"].T},
    "bias lost": lambda s: {**s, "dense.bias": s["dense.bias"] * 0},
    "one weight off by 1e-6": lambda s: {
        **s,
        "dense.weight": s["dense.weight"] + 1e-6 * np.eye(20)[:1].T @ np.eye(20)[:1],
    },
    "another constant": lambda s: {**s, "rand_weight": s["rand_weight"][::-1]},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_number_is_seen(backend_name, mistake):
    case = BY_NAME["FixedHiddenMLP"]
    net = make(case, "float64")
    x, _ = case.batch("float64")
    state = ub.state(net)
    output = reference_output(net, state, x)
    wrong = reference_output(net, MISTAKES[mistake](state), x)
    assert deviation(output, output, "float64").ok
    assert not deviation(wrong, output, "float64").ok


@pytest.mark.parametrize("mistake", ["activation", "nest"])
def test_a_missing_activation_is_seen(backend_name, mistake):
    with ub.use_dtype("float64"):
        right, wrong = {
            "activation": (ub.FixedHiddenMLP(20), ub.FixedHiddenMLP(20, activation=None)),
            "nest": (ub.NestMLP(in_units=20), ub.NestMLP(in_units=20, out_activation=None)),
        }[mistake]
    ub.initialize(right, 1, "torch_default")
    ub.load_state(wrong, ub.state(right))
    x, state = normal(3, 20, dtype="float64"), ub.state(right)
    found = deviation(
        reference_output(wrong, state, x), reference_output(right, state, x), "float64"
    )
    assert not found.ok


def test_a_gradient_that_misses_the_second_use_of_a_shared_layer_is_seen(backend_name):
    """Detach one use: what an adapter that shares values, not parameters, would compute."""
    case = BY_NAME["FixedHiddenMLP"]
    net = make(case, "float64")
    x, y = case.batch("float64")
    state = ub.state(net)
    right = reference_gradients(net, state, x, y, ["dense.weight"])["dense.weight"]

    class OnlyFirst:
        def reference(self, numbers, X):
            frozen = {**numbers, "dense.weight": numbers["dense.weight"].real}
            H = np.where(
                (Z := X @ numbers["dense.weight"].T + numbers["dense.bias"]).real > 0, Z, 0
            )
            H = np.where((Z := H @ numbers["rand_weight"] + 1).real > 0, Z, 0)
            H = np.where((Z := H @ frozen["dense.weight"].T + numbers["dense.bias"]).real > 0, Z, 0)
            while np.abs(H.real).sum() > 1:
                H = H / 2
            return H.sum()

    half = reference_gradients(OnlyFirst(), state, x, y, ["dense.weight"])["dense.weight"]
    assert not deviation(half, right, "float64").ok


def test_the_complex_step_is_the_derivative(backend_name):
    """Against a derivative that is known: of mean((x wᵀ - y)²)."""
    net = ub.Dense(2, in_units=3, use_bias=False, dtype="float64")
    x, y = normal(4, 3, dtype="float64"), normal(4, 2, dtype="float64", seed=1)
    state = ub.state(net)
    found = reference_gradients(net, state, x, y, ["weight"])
    error = x @ state["weight"].T - y
    # A sum of few terms near 1 is off by some of their roundings, however small the sum itself.
    close = {"rtol": 1e-14, "atol": 1e-15}
    np.testing.assert_allclose(found["weight"], 2 * error.T @ x / y.size, **close)
    np.testing.assert_allclose(found["x"], 2 * error @ state["weight"] / y.size, **close)
