"""Each block on each framework: shapes, numbers, gradients, parameters, constants."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import make, normal, run
from unified_blocks.equivalence.matrix.cases import CASES
from unified_blocks.reference.gradients import reference_output
from unified_blocks.reference.policy import deviation

BY_NAME = {case.name: case for case in CASES}
DEFERRED = ("MLP", "NestMLP", "Dense")


def test_variables_have_canonical_names_and_shapes(built, case, dtype, device):
    state = ub.state(built)
    assert {name: array.shape for name, array in state.items()} == case.variables
    assert list(state) == list(case.variables)
    assert {array.dtype for array in state.values()} == {np.dtype(dtype)}


def test_constants_are_no_parameters(built, case, dtype, device):
    variables = ub.backend_of(built).variables(built)
    assert tuple(v.name for v in variables if v.role == "constant") == case.constants
    _, gradients = ub.value_and_grad(built, *case.batch(dtype), loss="mse")
    assert list(gradients) == case.parameters


def test_shared_dense_is_one_set_of_parameters_that_both_uses_reach(backend_name, device, dtype):
    """With the second use cut off by a zero constant, changing W still changes the output."""
    net = make(BY_NAME["FixedHiddenMLP"], dtype, device)
    state = ub.state(net)
    assert [name for name in state if name.startswith("dense")] == ["dense.weight", "dense.bias"]
    x = np.abs(normal(3, 20, dtype=dtype))
    weight = np.abs(state["dense.weight"]) / 100
    cut = {**state, "rand_weight": np.zeros_like(weight), "dense.bias": state["dense.bias"] * 0}
    ub.load_state(net, {**cut, "dense.weight": weight})
    _, only_second = ub.value_and_grad(net, x, loss="sum", wrt="both")
    assert not only_second["x"].any()  # the first use is cut off ...
    assert only_second["dense.weight"].any()  # ... and the second one still reaches W
    mixed = {**cut, "dense.weight": weight, "rand_weight": np.abs(state["rand_weight"]) / 100}
    ub.load_state(net, mixed)
    _, both = ub.value_and_grad(net, x, loss="sum", wrt="both")
    assert both["x"].any()
    assert not np.allclose(both["dense.weight"], only_second["dense.weight"])


@pytest.mark.parametrize("block", DEFERRED)
def test_deferred_and_given_widths_are_the_same_block(backend_name, device, block):
    cls = getattr(ub, block)
    given = (5,) if block == "Dense" else ()
    deferred, known = cls(*given), cls(*given, in_units=20)
    with pytest.raises(ub.NotBuiltError, match=r"ub\.build\(net, input_shape\)"):
        ub.state(deferred)
    assert ub.state(known).keys() == ub.state(ub.build(deferred, (2, 20))).keys()
    ub.load_state(deferred, ub.state(known))
    x = normal(2, 20)
    deferred, known = ub.to_device(deferred, device), ub.to_device(known, device)
    np.testing.assert_array_equal(run(deferred, x, device), run(known, x, device))


@pytest.mark.parametrize("make_net", [ub.MLP, ub.NestMLP, ub.FixedHiddenMLP, lambda: ub.Dense(4)])
def test_wrong_width_is_an_error_that_says_so(backend_name, device, make_net):
    net = ub.to_device(ub.build(make_net(), (2, 20)), device)
    with pytest.raises(ValueError, match=r"must have shape \(n, 20\).*got shape \(2, 19\)"):
        net(ub.from_numpy(normal(2, 19), device=device))


def test_wrong_width_of_a_fixed_hidden_mlp_before_any_call(backend_name):
    with pytest.raises(ub.InputError, match=r"FixedHiddenMLP: the input must have shape \(n, 6\)"):
        ub.FixedHiddenMLP(6)(ub.from_numpy(normal(2, 7)))


@pytest.mark.parametrize("activation", [None, "relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_dense_activations(backend_name, dtype, activation, use_bias):
    layer = ub.Dense(7, activation=activation, use_bias=use_bias, dtype=dtype)
    ub.initialize(ub.build(layer, (3, 4, 5)), 0, "torch_default")
    x = normal(3, 4, 5, dtype=dtype)
    expected = reference_output(layer, ub.state(layer), x)
    assert list(ub.state(layer)) == ["weight", "bias"][: 1 + use_bias]
    assert expected.shape == (3, 4, 7)
    assert deviation(run(layer, x), expected, dtype).ok


@pytest.mark.parametrize(
    "make_net",
    [
        lambda: ub.FixedHiddenMLP(6, activation=None),
        lambda: ub.FixedHiddenMLP(6, activation="tanh"),
        lambda: ub.NestMLP(out_activation=None),
        lambda: ub.NestMLP(out_activation="sigmoid"),
    ],
)
def test_other_activations_of_the_blocks(backend_name, make_net):
    with ub.use_dtype("float64"):
        net = ub.initialize(ub.build(make_net(), (3, 6)), 0, "torch_default")
    x = normal(3, 6, dtype="float64")
    assert deviation(run(net, x), reference_output(net, ub.state(net), x), "float64").ok


def test_relu_is_elementwise(backend_name):
    x = normal(2, 3, 4)
    np.testing.assert_array_equal(run(ub.ReLU(), x), np.maximum(x, 0))


@pytest.mark.parametrize(
    ("make_net", "error", "message"),
    [
        (
            lambda: ub.MLP(0),
            ValueError,
            r"MLP: hidden_units must be at least 1; got hidden_units=0",
        ),
        (lambda: ub.MLP(2.5), TypeError, r"MLP: hidden_units must be a whole number; got 2\.5"),
        (lambda: ub.MLP(True), TypeError, r"must be a whole number; got True"),
        (lambda: ub.MLP(in_units=-1), ValueError, r"in_units must be at least 1"),
        (lambda: ub.MLP(units=3), TypeError, r"MLP\(hidden_units.*unexpected keyword.*units"),
        (
            lambda: ub.MLP(dtype="int8"),
            ValueError,
            r"dtype must be one of bfloat16, float16.*got dtype='int8'",
        ),
        (lambda: ub.FixedHiddenMLP(None), TypeError, r"units must be a whole number; got None"),
        (
            lambda: ub.FixedHiddenMLP(activation="swiglu"),
            ValueError,
            r"activation must be None or one of relu, .*; got activation='swiglu'",
        ),
        (lambda: ub.NestMLP(out_activation="Relu"), ValueError, r"out_activation must be None"),
        (lambda: ub.Dense(), TypeError, r"Dense\(units.*missing a required argument: 'units'"),
    ],
)
def test_wrong_arguments(backend_name, make_net, error, message):
    with pytest.raises(error, match=message):
        make_net()


def test_foreign_tensors_are_an_error_that_names_both_sides(backend_name):
    mine = ub.get_backend(backend_name)
    others = [name for name in ub.available_backends() if name != backend_name]
    if not others:
        pytest.skip("only one framework is installed")
    for make_net in (ub.MLP, ub.NestMLP, ub.FixedHiddenMLP, lambda: ub.MySequential(ub.Dense(2))):
        for other in others:
            x = ub.from_numpy(normal(2, 20), other)
            title = ub.get_backend(other).title
            message = rf"on {mine.title} must be given.*got a tensor of {title}.*ub\.as_tensor"
            with pytest.raises(TypeError, match=message):
                make_net()(x)
            make_net()(ub.as_tensor(x, backend_name))  # the remedy that it names


def test_numpy_arrays_are_taken_where_the_framework_takes_them(backend_name):
    net = ub.MLP()
    if backend_name == "tensorflow":
        assert net(normal(2, 20)).shape == (2, 10)
    else:
        with pytest.raises(TypeError, match=r"got a NumPy array: convert it with ub\.from_numpy"):
            net(normal(2, 20))


def test_wrong_dtype_is_an_error_except_where_the_framework_casts(backend_name):
    net = ub.MLP(in_units=20)
    if backend_name == "tensorflow":
        assert run(net, normal(2, 20, dtype="float64")).dtype == "float32"
    else:
        with pytest.raises(ValueError, match=r"dtype of the parameters, float32; got float64"):
            run(net, normal(2, 20, dtype="float64"))


class Strict(ub.MLP):
    """A block whose author raises errors of their own."""

    def forward(self, X):
        if X.shape[0] == 7:
            raise KeyError("mine")
        return super().forward(X)


def test_an_error_of_the_authors_own_is_left_alone(backend_name):
    net = ub.build(Strict(5, 3), (2, 4))
    with pytest.raises(KeyError, match="mine"):
        net(ub.from_numpy(normal(7, 9)))


@pytest.mark.capability("array-inputs")
def test_an_error_with_an_array_as_input_says_what_is_wrong(backend_name):
    net = ub.build(ub.FixedHiddenMLP(4), (2, 4))
    with pytest.raises(ub.InputError, match=r"must have shape \(n, 4\).*got shape \(2, 5\)"):
        net(normal(2, 5))
    with pytest.raises(ValueError, match="must be finite; got"):
        net(np.full((1, 4), np.inf))
