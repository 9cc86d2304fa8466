"""`ub.compare` finds the first call that departs, and why, and is silent about models alike."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.causes import PLANTED, X
from testbed.common import normal
from testbed.comparing import Twice, built, calls
from testbed.mutants.table import MUTANTS
from unified_blocks.equivalence.causes.table import CAUSES, UNKNOWN, sentence

# causes


@pytest.mark.parametrize("mistake", PLANTED, ids=lambda m: f"{m.cause}-{m.first}-{m.mode}")
def test_a_planted_mistake_is_named(mistake, backend_name):
    if backend_name not in mistake.on:
        pytest.skip(f"tensors of {backend_name} cannot be changed")
    right, wrong = built(mistake.right, mistake.x), built(mistake.wrong, mistake.x)
    numbers = ub.state(right)
    mistake.both(numbers)
    ub.load_state(right, numbers)
    mistake.spoil(numbers)
    for v in ub.backend_of(wrong).variables(wrong):
        if v.name in numbers:
            v.write(numbers[v.name])
    found = ub.compare(right, wrong, mistake.x, mode=mistake.mode)
    assert found.first_difference is not None, str(found)
    name = found.first_difference.name.removesuffix(".act")  # Gluon has it in a block of its own
    assert (name, found.cause) == (mistake.first, mistake.cause), str(found)
    assert (found.first_difference.detail or sentence(mistake.cause)) in str(found)


NOT_POSSIBLE = {"tensorflow": {"constant_not_moved", "input_changed"}}
"""TensorFlow's tensors cannot be changed, and a second device needs a process of its own."""


def test_each_cause_is_planted(backend_name):
    here = {mistake.cause for mistake in PLANTED if backend_name in mistake.on}
    mutants = {
        getattr(mutant.check, "cause", UNKNOWN)
        for mutant in MUTANTS
        if mutant.backend in (None, backend_name)
    }
    assert set(CAUSES) - here - mutants == NOT_POSSIBLE.get(backend_name, set())
    assert UNKNOWN in here


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_is_a_sentence(cause):
    assert sentence(cause).endswith(".")
    assert len(sentence(cause)) < 100


# which call


def test_a_layer_used_twice_has_numbered_calls(backend_name):
    found = ub.compare(built(Twice), built(Twice), X)
    assert found
    assert calls(found) == ["dense#1", "dense#2", "(model)"]


def test_a_mistake_between_two_calls_is_the_enclosing_blocks(backend_name):
    def outer(forgets):
        return lambda: ub.MySequential(ub.Dense(6), Twice(forgets), ub.Dense(2))

    found = ub.compare(built(outer(False)), built(outer(True)), X)
    first = found.first_difference
    assert (first.name, first.after, first.what) == ("1", "1.dense#1", "call"), str(found)
    assert "call 1, after 1.dense#1" in str(found)


def test_a_parameter_comes_before_any_call(backend_name):
    a, b = built(Twice), built(lambda: Twice(forgets=True))
    numbers = ub.state(b)
    numbers["dense.bias"][2] += 1
    ub.load_state(b, numbers)
    first = ub.compare(a, b, X).first_difference
    assert (first.what, first.name, first.row.at) == ("parameter", "dense.bias", (2,))
    assert first.row.absolute == 1


def test_the_first_of_several_mistakes_is_named(backend_name):
    def make(*activations):
        return lambda: ub.MySequential(*(ub.Dense(6, activation=name) for name in activations))

    found = ub.compare(built(make("relu", "tanh", "relu")), built(make("relu", None, None)), X)
    assert (found.first_difference.name, found.cause) == ("1", "activation_missing"), str(found)


def test_a_parameter_of_another_shape_is_named_where_its_layer_differs(backend_name):
    def make(units):
        return lambda: ub.MySequential(ub.Dense(units), ub.Dense(2))

    found = ub.compare(built(make(5)), built(make(4)), X)
    assert (found.first_difference.name, found.cause) == ("0.weight", UNKNOWN)
    assert "0.weight has shape (5, 6) in one model and (4, 6) in the other" in str(found)


# inputs and outputs


class Several(ub.Block):
    """Two inputs; a tuple that holds a dict."""

    def __init__(self, sign=1):
        super().__init__()
        self.dense = ub.Dense(3)
        self.sign = sign

    def forward(self, X, Y):
        H = self.dense(X)
        return H, {"sum": H + self.sign * Y, "difference": H - Y}


def test_several_inputs_and_outputs_are_compared(backend_name):
    x = (X, normal(5, 3, dtype="float64"))
    a = built(Several, x)
    found = ub.compare(a, built(Several, x), x)
    assert found, str(found)
    assert calls(found) == ["dense", "(model)[0]", "(model)[1].sum", "(model)[1].difference"]
    found = ub.compare(a, built(lambda: Several(-1), x), x)
    assert found.first_difference.name == "(model)"
    assert found.first_difference.row.name == "(model)[1].sum"
    with pytest.raises(ub.UnsupportedError, match="one"):
        ub.compare(a, built(Several, x), x, mode="gradient")


def test_inputs_may_be_whole_numbers(backend_name):
    def make():
        return ub.MySequential(ub.Embedding(7, 4), ub.Dense(3))

    x = np.array([[0, 6, 3], [5, 1, 2]])
    for mode in ("forward", "train", "gradient", "compiled", "saved"):
        if (mode, backend_name) != ("compiled", "torch"):  # which takes its time
            found = ub.compare(built(make, x), built(make, x), x, mode=mode)
            assert found, str(found)


def test_tensors_of_either_framework_are_inputs(backend_name):
    a, b = built(Twice), built(Twice)
    assert ub.compare(a, b, ub.from_numpy(X))
    assert ub.compare(a, b, ub.from_numpy(X.astype("float32")))  # cast to the models' own


def test_a_model_without_numbers_is_compared_in_the_dtype_of_its_output(backend_name):
    def make():
        return ub.MySequential(ub.HardSigmoid(), ub.Tanh())

    for dtype in ("float64", "float32"):
        x = X.astype(dtype)
        found = ub.compare(built(make, x), built(make, x), x, mode="gradient")
        assert found, str(found)
        assert {row.dtypes for row in found.rows} == {(dtype, dtype)}


# the result


def test_assert_equivalent_raises_with_the_table(backend_name):
    a = built(Twice)
    ub.assert_equivalent(a, a, X)
    ub.compare(a, a, X).raise_if_different()
    with pytest.raises(ub.NotEquivalentError, match="dense#2") as caught:
        ub.assert_equivalent(a, built(lambda: Twice(forgets=True)), X)
    assert isinstance(caught.value, AssertionError)
    comparison = caught.value.comparison
    assert str(comparison) in str(caught.value)
    assert caught.value.deviation == comparison.deviation
    assert comparison.deviation.share > 1


def test_the_table_marks_what_differs(backend_name):
    found = ub.compare(built(Twice), built(lambda: Twice(forgets=True)), X)
    head, columns, *lines = str(found).splitlines()
    title = ub.get_backend().title
    assert head.startswith(f"Twice on {title} and Twice on {title}, in inference: different, first")
    assert columns.split() == [
        *("what", "name", "shape", "dtype", "absolute", "relative", "ulp", "of", "allowed")
    ]
    marks = {line[2:].split()[1]: line[:1] for line in lines}
    assert marks["dense.weight"] == marks["dense#1"] == " "
    assert marks["dense#2"] == marks["output"] == "!"
    assert not found.ok
    assert not found


def test_ulps_and_places_are_told(backend_name):
    a, b = built(Twice), built(Twice)
    numbers = ub.state(b)
    numbers["dense.weight"][1, 2] = np.nextafter(numbers["dense.weight"][1, 2], np.inf)
    ub.load_state(b, numbers)
    found = ub.compare(a, b, X)
    assert found  # within the policy
    row = next(row for row in found.rows if row.name == "dense.weight")
    assert (row.ulp, row.at) == (1.0, (1, 2))
    assert 0 < row.relative < 3e-16
