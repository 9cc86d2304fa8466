"""On MXNet a block is a Gluon block like any other, with NumPy semantics of its own."""

import json
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal, run
from unified_blocks.equivalence.matrix.cases import CASES

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx, numpy_semantics


@pytest.fixture(autouse=True)
def on_mxnet():
    with ub.use_backend("mxnet"):
        yield


@pytest.fixture
def numpy_everywhere():
    mx.npx.set_np()
    yield
    mx.npx.reset_np()


def semantics():
    return mx.util.is_np_array(), mx.util.is_np_shape()


def test_importing_and_using_blocks_leaves_the_semantics_alone():
    assert semantics() == (False, False)
    net = ub.FixedHiddenMLP(4)
    ub.value_and_grad(net, normal(2, 4), loss="sum")
    with pytest.raises(ValueError, match="must have shape"):
        net(ub.from_numpy(normal(2, 5)))
    assert semantics() == (False, False)


def test_importing_never_calls_set_np():
    code = (
        "import unified_blocks_mxnet as a; from unified_blocks_mxnet.compat import mx; "
        "assert not mx.util.is_np_array() and not mx.util.is_np_shape()"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.parametrize("set_np", [False, True])
def test_in_eight_threads_whatever_they_set(case, set_np):
    def work(i):
        if set_np and i % 2:
            mx.npx.set_np()
        before = semantics()
        with ub.use_backend("mxnet"):
            net = ub.initialize(ub.build(case.make(), case.input_shape), i)
        output = run(net, case.batch("float32")[0])
        assert output.shape == case.output_shape
        np.testing.assert_allclose(
            output, net.reference(ub.state(net), case.batch("float32")[0]), rtol=1e-3, atol=1e-4
        )
        return semantics() == before

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


@pytest.mark.parametrize(
    "make", [ub.MLP, ub.NestMLP, lambda: ub.FixedHiddenMLP(4), lambda: ub.Dense(3)]
)
def test_a_legacy_array_is_an_error_that_names_the_way_out(make):
    legacy = mx.nd.array(normal(2, 4))
    with pytest.raises(TypeError, match=r"got a legacy mx\.nd array.*x\.as_np_ndarray\(\)"):
        make()(legacy)
    assert ub.backend_of(make()(legacy.as_np_ndarray())).name == "mxnet"


def test_a_second_initialize_is_harmless(dtype):
    net = ub.MLP(5, 3, dtype=dtype)
    net.initialize()
    assert run(net, normal(2, 4, dtype=dtype)).shape == (2, 3)
    before = ub.state(net)
    net.initialize()
    net.initialize(ctx=mx.cpu(1))
    assert {v.device for v in ub.backend_of(net).variables(net)} == {"cpu:1"}
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, before[name])


def test_gluons_own_initializers_work():
    net = ub.MLP(5, 3, in_units=4)
    net.initialize(mx.init.Constant(0.5))  # the first one, as of a block of Gluon's
    assert (ub.state(net)["hidden.weight"] == 0.5).all()
    with pytest.warns(UserWarning, match="already initialized, ignoring. Set force_reinit"):
        net.initialize(mx.init.Constant(0.25))
    assert (ub.state(net)["hidden.weight"] == 0.5).all()
    net.initialize(mx.init.Constant(0.25), force_reinit=True)
    assert (ub.state(net)["hidden.weight"] == 0.25).all()
    deferred = ub.Dense(3, use_bias=False)
    deferred.initialize(mx.init.Constant(0.5))
    assert (ub.state(ub.build(deferred, (2, 4)))["weight"] == 0.5).all()


def test_default_values_are_gluons(dtype):
    weight = ub.state(ub.Dense(300, in_units=300, dtype=dtype))["weight"]
    assert weight.dtype == dtype
    assert 0.069 < np.abs(weight).max() <= 0.0700001


def test_under_record(case):
    net = ub.initialize(ub.build(case.make(), case.input_shape), 1, "torch_default")
    x = ub.from_numpy(case.batch("float32")[0])
    _, expected = ub.value_and_grad(net, x, loss="sum")
    with mx.autograd.record():
        output = net(x)
    output.backward()
    for variable in ub.backend_of(net).variables(net):
        if variable.role == "parameter":
            gradient = variable.parameter.grad().asnumpy()
            np.testing.assert_allclose(gradient, expected[variable.name], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["MLP", "FixedHiddenMLP", "NestMLP"])
def test_hybridized_and_exported(name, tmp_path):
    """Containers of any child are plain blocks, as Gluon's; the others make graphs."""
    case = next(case for case in CASES if case.name == name)
    net = ub.initialize(ub.build(case.make(), case.input_shape), 1, "torch_default")
    x = case.batch("float32")[0]
    eager = run(net, x)
    net.hybridize()
    np.testing.assert_allclose(run(net, x), eager, rtol=1e-5, atol=1e-6)
    net.export(str(tmp_path / "net"))
    files = str(tmp_path / "net-symbol.json"), str(tmp_path / "net-0000.params")
    with numpy_semantics():
        with pytest.warns(UserWarning, match="Cannot decide type"):
            loaded = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
        output = loaded(ub.from_numpy(x)).asnumpy()
    np.testing.assert_allclose(output, eager, rtol=1e-5, atol=1e-6)


def test_gluons_trainer_and_loss_around_a_block(numpy_everywhere):
    net = ub.MLP(16, 3)
    trainer = mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01})
    loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    x, y = mx.np.array(normal(20, 4)), mx.np.array(normal(20, 3).argmax(axis=1))
    values = []
    for _ in range(20):
        with mx.autograd.record():
            value = loss(net(x), y)
        value.backward()
        trainer.step(20)
        values.append(float(value.mean()))
    assert values[-1] < values[0]


def test_inside_gluons_sequential(numpy_everywhere):
    net = mx.gluon.nn.HybridSequential()
    net.add(ub.NestMLP(), ub.Dense(5), mx.gluon.nn.Dense(3))
    net.initialize()  # its blocks are already, and it says nothing
    assert net(mx.np.array(normal(2, 4))).shape == (2, 3)


def test_a_hybridized_block_can_be_copied():
    import copy

    net = ub.MLP(5, 3, in_units=4)
    net.hybridize()
    x = normal(2, 4)
    expected = run(net, x)
    np.testing.assert_array_equal(run(copy.deepcopy(net), x), expected)
    np.testing.assert_array_equal(run(net, x), expected)


def test_a_portable_block_may_hold_any_block():
    class Net(ub.Block):
        def __init__(self):
            super().__init__()
            self.body = ub.MySequential(ub.Dense(4), mx.gluon.nn.Dense(3))

        def forward(self, X):
            return self.body(X)

    assert run(Net(), normal(2, 5)).shape == (2, 3)


@pytest.mark.parametrize("classes", [10, 10_000])
def test_cross_entropy_is_exact_of_few_and_of_many_classes(classes):
    from unified_blocks_mxnet.learning import cross_entropy

    logits, labels = 3 * normal(8, classes), np.arange(8)
    exact = logits.astype("float64")
    exact -= np.log(np.exp(exact).sum(1, keepdims=True))
    with mx.util.np_shape(True), mx.util.np_array(True):
        output = mx.np.array(logits)
        output.attach_grad()
        with mx.autograd.record():
            loss = cross_entropy(output, mx.np.array(labels, dtype="int64"))
        loss.backward()
        found, gradient = float(loss.asnumpy()), 8 * output.grad.asnumpy()
        half = cross_entropy(output.astype("float16"), mx.np.array(labels, dtype="int64"))
    np.testing.assert_allclose(found, -exact[labels, labels].mean(), rtol=2e-7)
    np.testing.assert_allclose(gradient, np.exp(exact) - np.eye(classes)[labels], atol=4e-7)
    assert half.dtype == np.float16


def test_an_activation_that_gluon_lacks_is_no_block_inside_the_layer():
    net = ub.build(ub.Dense(3, activation="gelu"), (2, 4))
    assert "Activation(gelu)" in repr(net)
    assert not net._children
    x = normal(2, 4)
    plain = ub.transfer(net, ub.Dense(3, in_units=4))
    expected = run(ub.Activation("gelu"), run(plain, x))
    copied = pickle.loads(pickle.dumps(net))
    for each in (net, copied):
        np.testing.assert_array_equal(run(each, x), expected)
    copied.hybridize()
    np.testing.assert_allclose(run(copied, x), expected, rtol=1e-6)


@pytest.mark.parametrize("make", [ub.ReLU, ub.Sigmoid, ub.Tanh, ub.Softsign])
def test_a_layer_that_is_gluons_activation_runs_gluons_operator(make):
    # Another that gives the same numbers has no oneDNN, and turns what a convolution gives it.
    layer = make()
    assert operators(layer) == operators(mx.gluon.nn.Activation(layer._act_type)) == ["Activation"]
    layer.hybridize()
    x = ub.from_numpy(normal(2, 3))
    layer(x)
    assert layer._cached_op is not None


def test_an_activation_takes_the_whole_numbers_that_its_operation_takes():
    x = ub.from_numpy(np.array([-1, 2], "int32"))
    assert ub.ReLU()(x).asnumpy().tolist() == [0, 2]
    with pytest.raises(TypeError, match=r"ops\.tanh must be given floating-point numbers"):
        ub.Tanh()(x)


def operators(net):
    with numpy_semantics():
        graph = net(mx.sym.var("x").as_np_ndarray())
    nodes = json.loads(graph.tojson())["nodes"]
    return [node["op"] for node in nodes if node["op"] != "null"]


def test_an_activation_that_is_extended_has_its_forward():
    class Halved(ub.ReLU):
        def forward(self, X):
            return super().forward(X) / 2

    net, x = Halved(), normal(2, 3)
    expected = np.maximum(x, 0) / 2
    np.testing.assert_array_equal(run(net, x), expected)
    net.hybridize()
    np.testing.assert_array_equal(run(net, x), expected)
    assert operators(net)[0] == "Activation"
