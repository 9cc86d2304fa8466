"""`ub.compare` finds the first call that departs, and why, and is silent about models alike."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.causes import PLANTED, X
from testbed.common import HERE, normal
from testbed.models import NUMBERED, native_net, renamed_net
from testbed.mutants.checks import numbered
from testbed.mutants.table import MUTANTS
from unified_blocks import ops
from unified_blocks.equivalence.causes.table import CAUSES, UNKNOWN, sentence

PAIRS = [(a, b) for a in HERE for b in HERE if a != b]
pairs = pytest.mark.parametrize(("first", "second"), PAIRS)
INDUCTOR = "ignore:.*torch.jit.*:DeprecationWarning"  # PyTorch's compiler uses what it deprecated


def built(make, x=X, dtype="float64", on=None):
    with ub.use_backend(on or ub.get_backend().name) as backend, ub.use_dtype(dtype):
        net = make()
        inputs = x if isinstance(x, tuple) else (x,)
        backend.run(net, [backend.from_numpy(each) for each in inputs])
    return ub.initialize(net, 1, "torch_default")


def bits(net):
    return {name: array.tobytes() for name, array in ub.state(net).items()}


def calls(found):
    return [row.name for row in found.rows if row.what == "call"]


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
    assert sentence(mistake.cause) in str(found)


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


# models that this library did not make


def native(backend_name, make, x):
    net = make(backend_name)
    backend = ub.backend_of(net)
    backend.run(net, [backend.from_numpy(x)])
    return numbered(net)


@pairs
@pytest.mark.parametrize("mode", ["forward", "gradient"])
def test_native_models_alike_are_equivalent(first, second, mode):
    x = normal(5, 4)
    a, b = native(first, native_net, x), native(second, native_net, x)
    ub.transfer(a, b)
    found = ub.compare(a, b, x, mode=mode)
    assert found, str(found)
    assert calls(found) == ["first", "norm", "last", "(model)"]


@pairs
@pytest.mark.parametrize(
    "rename",
    [
        NUMBERED,
        lambda name: name.replace("first", "0").replace("norm", "1").replace("last", "2"),
        {f"{a}.{n}": f"{b}.{n}" for a, b in NUMBERED.items() for n in ("weight", "bias")}
        | {f"norm.running_{n}": f"1.running_{n}" for n in ("mean", "var")},
    ],
    ids=["paths", "function", "arrays"],
)
def test_names_that_differ_are_renamed_as_in_a_transfer(first, second, rename):
    x = normal(5, 4)
    a, b = native(first, native_net, x), native(second, renamed_net, x)
    ub.transfer(a, b, rename=rename)
    found = ub.compare(a, b, x, rename=rename)
    assert found, str(found)
    assert calls(found) == ["first", "norm", "last", "(model)"]
    assert not ub.compare(a, b, x)


@pytest.mark.skipif(not {"torch", "mxnet"} <= set(HERE), reason="it needs both")
@pytest.mark.parametrize("gamma", [1.0, 1.5])
def test_a_gamma_that_gluon_holds_at_1_has_to_be_1(gamma):
    x = normal(5, 4)
    a = native("torch", native_net, x)
    numbers = ub.state(a)
    numbers["norm.weight"][...] = gamma
    ub.load_state(a, numbers)
    b = native("mxnet", lambda name: native_net(name, scale=False), x)
    for v in ub.backend_of(b).variables(b):
        v.write(numbers[v.name])
    for found in (ub.compare(a, b, x), ub.compare(b, a, x)):
        assert found.cause == (None if gamma == 1 else "fix_gamma"), str(found)


def with_activation(backend_name, activation, inside):
    """A native dense layer `first`, an activation, and a dense layer `last`."""
    if backend_name == "torch":
        from torch import nn

        act = {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]
        parts = {"first": nn.Linear(4, 5), "act": act(), "last": nn.Linear(5, 3)}
        net = nn.Sequential()
        for name, part in parts.items():
            net.add_module(name, part)
        return net
    if backend_name == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.first = keras.layers.Dense(5, activation if inside else None)
                self.after = keras.layers.Activation(None if inside else activation)
                self.last = keras.layers.Dense(3)

            def call(self, X):
                return self.last(self.after(self.first(X)))

        return Net()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    nn = mx.gluon.nn

    class Net(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            options = {"in_units": 4, "flatten": False}
            self.first = nn.Dense(5, activation=activation if inside else None, **options)
            self.after = None if inside else nn.Activation(activation)
            self.last = nn.Dense(3, in_units=5, flatten=False)

        def hybrid_forward(self, F, X):
            H = self.first(X)
            return self.last(H if self.after is None else self.after(H))

    with numpy_semantics():
        net = Net()
        net.initialize()
    return net


@pairs
@pytest.mark.parametrize("insides", [(True, False), (False, True), (True, True)])
def test_an_activation_inside_a_layer_or_after_it_is_the_same(first, second, insides):
    x = normal(5, 4)
    a, b = (
        native(name, lambda name, inside=inside: with_activation(name, "relu", inside), x)
        for name, inside in zip((first, second), insides, strict=True)
    )
    ub.transfer(a, b)
    for mode in ("forward", "gradient"):
        found = ub.compare(a, b, x, mode=mode)
        assert found, str(found)
        assert calls(found)[-2:] == ["last", "(model)"]


@pairs
def test_another_activation_in_a_native_model_is_named(first, second):
    x = normal(5, 4)
    a = native(first, lambda name: with_activation(name, "relu", True), x)
    b = native(second, lambda name: with_activation(name, "tanh", True), x)
    ub.transfer(a, b)
    found = ub.compare(a, b, x)
    assert found.cause == "another_activation", str(found)
    assert found.first_difference.name == "first", str(found)


# which call


class Twice(ub.Block):
    """A layer used twice, by a block that may forget what it does between."""

    def __init__(self, forgets=False):
        super().__init__()
        self.dense = ub.Dense(6)
        self.forgets = forgets

    def forward(self, X):
        H = self.dense(X)
        return self.dense(H if self.forgets else ops.sin(H))


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


def test_parameters_of_other_shapes_are_all_that_is_compared(backend_name):
    def make(units):
        return lambda: ub.MySequential(ub.Dense(units), ub.Dense(2))

    found = ub.compare(built(make(5)), built(make(4)), X)
    assert (found.first_difference.name, found.cause) == ("0.weight", UNKNOWN)
    assert calls(found) == []
    assert "parameters only" in str(found)


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
    assert calls(found) == ["dense", "(model)[0]", "(model)[1]", "(model)[2]"]
    found = ub.compare(a, built(lambda: Several(-1), x), x)
    assert found.first_difference.name == "(model)"
    assert found.first_difference.row.name == "(model)[1]"
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


# graphs


@pytest.mark.filterwarnings(INDUCTOR)
def test_a_model_that_runs_as_a_graph_is_compared_by_its_outputs(backend_name):
    if backend_name == "tensorflow":
        pytest.skip("a Keras model is called eagerly; mode='compiled' makes a graph of it")
    a, b = built(Twice), built(Twice)
    c = built(lambda: Twice(forgets=True))
    if backend_name == "torch":
        import torch

        torch.compiler.reset()
        b, c = (torch.compile(net, backend="eager") for net in (b, c))
    else:
        b.hybridize()
        c.hybridize()
    found = ub.compare(a, b, X)
    assert found, str(found)
    assert "outputs only" in str(found)
    found = ub.compare(a, c, X)
    assert found.first_difference.name == "(model)", str(found)
    if backend_name == "mxnet":
        assert b._active
        assert "outputs only" in str(ub.compare(b, b, X))


# modes


def everything():
    """A dense layer, norms, dropout that passes on, a shared layer and a constant."""
    return ub.MySequential(
        ub.Dense(6, activation="tanh"),
        ub.BatchNorm(),
        ub.LayerNorm(),
        ub.Dropout(0.0),
        Twice(),
    )


@pytest.mark.filterwarnings(INDUCTOR)
@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training", "compiled", "saved"])
def test_in_each_mode_models_alike_are_equivalent_and_stay_as_they_are(backend_name, mode):
    a, b = built(everything), built(everything)
    if backend_name == "torch":
        a.train()
        b.eval()
        a[0].eval()
    before = bits(a), bits(b)
    found = ub.compare(a, b, X, mode=mode)
    assert found, str(found)
    assert (bits(a), bits(b)) == before
    assert {"forward": "in inference"}.get(mode, mode) in str(found).splitlines()[0]
    if backend_name == "torch":
        assert [m.training for m in a.modules()] == [True, False] + [True] * (
            len(list(a.modules())) - 2
        )
        assert not any(m.training for m in b.modules())
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in a.modules())
        assert mode == "training" or all(p.grad is None for p in a.parameters())
    elif backend_name == "tensorflow":
        layers = ub.backend_of(a).layers(a)
        assert not any("call" in vars(layer) for _, layer in layers)
    else:
        blocks = ub.backend_of(b).layers(b)
        assert not any(layer._active for _, layer in blocks if hasattr(layer, "_active"))
        assert not any(x._forward_hooks or x._forward_pre_hooks for _, x in blocks)


def test_a_hybridized_model_stays_hybridized(backend_name):
    if backend_name != "mxnet":
        pytest.skip("it is Gluon's")
    a, b = built(everything), built(everything)
    b.hybridize(static_alloc=True)
    flags = dict(b._flags)
    for mode in ("forward", "gradient", "compiled"):
        assert ub.compare(a, b, X, mode=mode), mode
        assert b._active
        assert dict(b._flags) == flags


@pairs
@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training"])
def test_across_frameworks_models_alike_are_equivalent(first, second, mode, dtype):
    x = X.astype(dtype)
    a, b = (built(everything, x, dtype, on=name) for name in (first, second))
    found = ub.compare(a, b, x, mode=mode)
    assert found, str(found)


def test_running_statistics_are_compared_after_a_pass_in_training(backend_name):
    found = ub.compare(built(everything), built(everything), X, mode="train")
    names = [row.name for row in found.rows if row.what == "statistic"]
    assert names == ["1.running_mean", "1.running_var"]


def test_gradients_are_compared_from_the_output_on(backend_name):
    found = ub.compare(built(Twice), built(Twice), X, mode="gradient")
    names = [row.name for row in found.rows if row.what == "gradient"]
    assert names == ["dense.bias", "dense.weight", "x"]


def test_each_step_of_training_has_its_loss(backend_name):
    options = {"targets": normal(5, 6, dtype="float64"), "steps": 3}
    found = ub.compare(
        built(Twice), built(Twice), X, mode="training", optimizer=ub.Adam(0.01), **options
    )
    assert found, str(found)
    names = [row.name for row in found.rows if row.what in ("loss", "parameter")]
    assert names[-5:] == [
        *(f"step {i}" for i in (1, 2, 3)),
        *("dense.weight, trained", "dense.bias, trained"),
    ]


def test_another_mode_is_an_error(backend_name):
    net = built(Twice)
    with pytest.raises(ValueError, match=r"mode must be one of forward, .*; got mode='backward'"):
        ub.compare(net, net, X, mode="backward")


def test_a_model_that_is_not_built_is_an_error(backend_name):
    with pytest.raises(ub.NotBuiltError):
        ub.compare(Twice(), Twice(), X)


# half precision


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_is_compared(backend_name, half):
    if backend_name == "mxnet":
        pytest.skip("MXNet computes no dense layers in half precision on the CPU")

    def make(activation):
        return ub.cast(
            built(lambda: ub.MySequential(ub.Dense(6, activation=activation), ub.Dense(3))), half
        )

    a = make("relu")
    found = ub.compare(a, make("relu"), X)
    assert found, str(found)
    assert {row.dtypes for row in found.rows} == {(half, half)}
    found = ub.compare(a, make(None), X)
    assert (found.first_difference.name, found.cause) == ("0", "activation_missing"), str(found)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
@pytest.mark.skipif(not {"torch", "tensorflow"} <= set(HERE), reason="it needs both")
def test_half_precision_is_compared_across_frameworks(half):
    def make(on, last):
        names = ("tanh", "gelu", "tanh", last)
        net = built(lambda: ub.MySequential(*(ub.Dense(6, activation=n) for n in names)), on=on)
        return ub.cast(net, half)

    a = make("torch", "relu")
    found = ub.compare(a, make("tensorflow", "relu"), X)
    assert found, str(found)
    found = ub.compare(a, make("tensorflow", None), X)
    assert (found.first_difference.name, found.cause) == ("3", "activation_missing"), str(found)


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
