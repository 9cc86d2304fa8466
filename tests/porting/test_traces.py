"""A Gluon net is written down with its blocks, and read without it: each value is MXNet's own."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.mxnet.reader import Source, read_graph
from unified_blocks.porting.mxnet.symbols import symbol_of
from unified_blocks.porting.mxnet.tolerances import tolerance_of
from unified_blocks.porting.passes import prepared

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx, nn, numpy_semantics

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 3, 9, 9)).astype("float32")


@pytest.fixture(autouse=True)
def of_mxnet(backend_name):
    if backend_name != "mxnet":
        pytest.skip("what is traced is a net of MXNet's")


def trace(net, *inputs):
    return ub.get_backend("mxnet").trace(net, inputs)


def graph_of(traced):
    source = Source(
        traced.name, symbol_of(traced.graph), traced.arrays, traced.names, traced.frozen
    )
    return read_graph(source, traced.inputs)


def paths(graph):
    return [".".join(node.path) for node in graph.nodes]


def is_as_mxnet(traced, *inputs):
    """Whether each node of the graph that is read gives what MXNet gives."""
    graph, given = graph_of(traced), dict(zip(traced.inputs, inputs, strict=True))
    theirs = ub.get_backend("mxnet").evaluate(traced.graph, traced.arrays, given).values
    ours = values_of(graph, given)
    shared = [node for node in graph.nodes if node.name in theirs]
    assert len(shared) > len(graph.nodes) // 2
    for node in shared:
        np.testing.assert_allclose(ours[node.output], theirs[node.name], rtol=0, atol=1e-12)
    return graph


class Unit(mx.gluon.HybridBlock):
    """A block with a branch, a layer that is called twice, and a block of its own for a sum."""

    def __init__(self, channels):
        super().__init__()
        with self.name_scope():
            self.body = nn.HybridSequential()
            self.body.add(nn.Conv2D(channels, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"))
            self.again = nn.Conv2D(channels, 1, activation="tanh")

    def hybrid_forward(self, F, x):
        return F.Activation(self.again(self.again(self.body(x))) + x, act_type="relu")


class Scaled(mx.gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        self.scale = self.params.get("scale", shape=(4, 4), init=mx.init.One())

    def hybrid_forward(self, F, x, scale):
        return F.elemwise_add(F.FullyConnected(x, scale, no_bias=True, num_hidden=4), x)


def network(units=2):
    net = nn.HybridSequential()
    for _ in range(units):
        net.add(Unit(3))
    net.add(nn.Flatten(), nn.Dense(4))
    net.initialize(mx.init.Xavier())
    return net


def test_the_nodes_are_in_the_blocks_of_the_net():
    graph = is_as_mxnet(trace(network(), IMAGES), IMAGES)
    unit = ["body.0", "body.1", "body.2", "again", "again_tanh", "again", "again_tanh"]
    unit += ["elemwise_add", "relu"]
    assert paths(graph) == [*(f"{i}.{name}" for i in (0, 1) for name in unit), "2", "3"]
    assert graph.nodes[0].kinds == ("Unit", "HybridSequential")
    assert graph.name == "HybridSequential"


def test_each_node_of_a_block_that_is_called_again_has_a_name_of_its_own():
    names = [node.name for node in graph_of(trace(network(), IMAGES)).nodes]
    assert len(set(names)) == len(names)


def test_names_are_those_of_save_parameters(tmp_path):
    net = network()
    traced = trace(net, IMAGES)
    net.save_parameters(str(tmp_path / "net.params"))
    saved = mx.nd.load(str(tmp_path / "net.params"))
    assert {".".join(path) for path in traced.names.values()} == saved.keys()
    for name, array in traced.arrays.items():
        same = saved[".".join(traced.names[name])].asnumpy()
        np.testing.assert_array_equal(array, same)


def test_what_is_frozen_is_told():
    net = network(1)
    net[0].body[0].weight.grad_req = "null"
    traced = trace(net, IMAGES)
    assert {traced.names[name] for name in traced.frozen} == {("0", "body", "0", "weight")}
    roles = {p.path[-1]: p.role for p in graph_of(traced).parameters()}
    assert roles["running_mean"] == "statistic"


def test_the_net_stays_as_it_is():
    net = network(1)
    net(mx.nd.array(IMAGES))
    net.hybridize()
    before = net(mx.nd.array(IMAGES)).asnumpy()
    trace(net, IMAGES)
    assert not net._forward_hooks
    assert not net[0].body[0]._forward_pre_hooks
    assert "__block_path__" not in net(mx.sym.var("data")).tojson()
    np.testing.assert_array_equal(net(mx.nd.array(IMAGES)).asnumpy(), before)


def test_after_a_failure_too():
    class Failing(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            if F is mx.sym:
                raise ValueError("not today")
            return x

    net = nn.HybridSequential()
    net.add(nn.Activation("relu"), Failing())
    with pytest.raises(UnsupportedError, match=r"take symbols alone; got more .*not today"):
        trace(net, IMAGES)
    assert "__block_path__" not in mx.sym.relu(mx.sym.var("data")).tojson()
    assert not net[1]._forward_pre_hooks


@pytest.mark.parametrize("plain", [False, True])
def test_a_block_that_no_symbol_goes_through_is_an_error(plain):
    class Eager(mx.gluon.Block if plain else mx.gluon.HybridBlock):
        def forward(self, x):
            return x * float(x.mean().asscalar())

    match = "a plain Block, Eager" if plain else "got more"
    with pytest.raises(UnsupportedError, match=match):
        trace(Eager(), IMAGES)


def test_a_plain_sequential_is_one_that_symbols_go_through():
    net = nn.Sequential()
    net.add(nn.Dense(3, activation="relu"), nn.Dense(2))
    net.initialize()
    assert paths(is_as_mxnet(trace(net, IMAGES), IMAGES)) == ["0_flatten", "0", "0_relu", "1"]


def test_a_parameter_of_a_block_is_named_there():
    net = nn.HybridSequential()
    net.add(nn.Dense(4), Scaled())
    net.initialize()
    traced = trace(net, IMAGES)
    assert ("1", "scale") in traced.names.values()
    assert paths(graph_of(traced))[-2:] == ["1.fullyconnected", "1.elemwise_add"]


def test_shared_parameters_have_their_first_name():
    net = nn.HybridSequential()
    first = nn.Dense(4, in_units=4)
    net.add(nn.Dense(4), first, nn.Dense(4, in_units=4, params=first.params))
    net.initialize()
    traced = trace(net, IMAGES)
    graph = is_as_mxnet(traced, IMAGES)
    assert paths(graph)[-2:] == ["1", "2"]
    assert graph.nodes[-1].parameters[0].path == ("1", "weight")


def test_two_parameters_of_one_name_are_an_error():
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=243, prefix="a_"), nn.Dense(4, in_units=4, prefix="a_"))
    for layer in net:
        layer.initialize()
    with pytest.raises(UnsupportedError, match=r"'a_weight' for 0.weight and 1.weight"):
        trace(net, IMAGES)


def test_a_network_that_was_a_file_keeps_its_names(tmp_path):
    net = network(1)
    net.hybridize()
    net(mx.nd.array(IMAGES))
    net.export(str(tmp_path / "net"))
    files = str(tmp_path / "net-symbol.json"), str(tmp_path / "net-0000.params")
    symbol, data = mx.sym.load(files[0]), mx.sym.var("data", dtype="float32")
    read = mx.gluon.SymbolBlock(symbol, data)
    read.load_parameters(files[1])
    graph = is_as_mxnet(trace(read, IMAGES), IMAGES)
    assert not any(node.kinds for node in graph.nodes)
    read.__class__ = type("Backbone", (mx.gluon.SymbolBlock,), {})
    around = nn.HybridSequential()
    around.add(read, nn.Dense(2))
    around[1].initialize()
    *inside, last = is_as_mxnet(trace(around, IMAGES), IMAGES).nodes
    assert last.path == ("1",)
    assert {(node.path[0], node.kinds) for node in inside if "flatten" not in node.name} == {
        ("0", ("Backbone",))
    }
    norm = next(node for node in inside if len(node.parameters) == 4)
    assert norm.path[1] in norm.name
    assert {parameter.path[:-1] for parameter in norm.parameters} == {("0",)}


def test_a_portable_block_has_its_own_blocks():
    net = ub.MLP.on("mxnet")()
    x = RNG.normal(size=(2, 20)).astype("float32")
    graph = is_as_mxnet(trace(net, x), x)
    assert paths(graph) == ["hidden", "hidden_relu", "out"]
    assert paths(prepared(graph)) == ["hidden", "hidden_relu", "out"]  # though it has no block
    assert graph.name == "MLP"


def test_layers_in_a_list_are_in_a_block_of_no_class():
    class Listed(ub.Block):
        def __init__(self):
            super().__init__()
            self.layers = [ub.Dense(3), ub.MySequential(ub.Dense(2), ub.Dense(1))]

        def forward(self, X):
            for layer in self.layers:
                X = layer(X)
            return X

    x = RNG.normal(size=(2, 4)).astype("float32")
    graph = is_as_mxnet(trace(Listed.on("mxnet")(), x), x)
    assert graph.nodes[0].path == ("layers", "0")
    assert graph.nodes[0].kinds == ("",)
    assert graph.nodes[1].kinds[:2] == ("", "MySequential")


def test_inputs_and_outputs_may_be_nested():
    class Two(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x, others):
            return x, [F.Activation(others[0], act_type="tanh"), F.Flatten(others[1])]

    given = [RNG.normal(size=(2, size)).astype("float32") for size in (3, 4, 5)]
    traced = trace(Two(), given[0], given[1:])
    assert list(traced.inputs) == ["data0", "data1", "data2"]
    assert traced.inputs["data1"] == ((2, 4), "float32")
    assert len(json.loads(traced.graph)["heads"]) == 3
    assert paths(is_as_mxnet(traced, *given)) == ["tanh"]


@pytest.mark.parametrize("semantics", ["NumPy's", "none"])
def test_gradients_are_those_of_autograd(semantics):
    with numpy_semantics() if semantics == "NumPy's" else mx.util.np_array(False):
        net = nn.HybridSequential()
        net.add(nn.Dense(4, activation="tanh"), nn.BatchNorm(scale=False), nn.Dense(3))
        net.initialize(mx.init.One())
        net(mx.np.array(IMAGES) if semantics == "NumPy's" else mx.nd.array(IMAGES))
        net.cast("float64")
        x = IMAGES.astype("float64") / 100
        traced = trace(net, x)
        weights = RNG.normal(size=(2, 3))
        found = ub.get_backend("mxnet").evaluate(
            traced.graph, traced.arrays, {"data": x}, weights=[weights]
        )
        array = mx.np.array if semantics == "NumPy's" else mx.nd.array
        with mx.autograd.record(train_mode=False):
            output = (net(array(x, dtype="float64")) * array(weights, dtype="float64")).sum()
        output.backward(train_mode=False)
        for parameter in net.collect_params().values():
            if parameter.grad_req != "null":
                np.testing.assert_allclose(
                    found.gradients[parameter.name],
                    parameter.grad().asnumpy(),
                    rtol=1e-12,
                    atol=1e-12,
                )
    assert all(value.dtype == "float64" for value in found.values.values())
    assert found.gradients["data"].shape == x.shape


def test_the_other_frameworks_say_that_they_are_not_read():
    for name in set(ub.available_backends()) - {"mxnet"}:
        with pytest.raises(UnsupportedError, match="whose networks are not read yet"):
            ub.get_backend(name).trace(ub.MLP.on(name)(), [])


def test_a_graph_that_mxnet_cannot_compute_is_an_error():
    symbol = mx.sym.Activation(mx.sym.var("data") + mx.sym.var("b"), act_type="relu")
    given = {"data": np.zeros((2, 3)), "b": np.zeros((2, 4))}
    with pytest.raises(UnsupportedError, match=r"can run in float64; got .*Incompatible attr"):
        ub.get_backend("mxnet").evaluate(symbol.tojson(), {}, given)


@pytest.mark.parametrize("options", [{}, {"eps": 0.001}])
def test_an_epsilon_that_nobody_said_is_a_float32_there(options):
    symbol = mx.sym.BatchNorm(mx.sym.var("data"), name="norm", **options)
    numbers = RNG.uniform(0.001, 0.002, size=(4, 3))
    arrays = dict(zip(symbol.list_inputs()[1:], numbers, strict=True))
    theirs = ub.get_backend("mxnet").evaluate(symbol.tojson(), arrays, {"data": IMAGES}).values
    graph = read_graph(
        Source("norm", symbol_of(symbol.tojson()), arrays), {"data": (IMAGES.shape, "float32")}
    )
    mine = values_of(graph, {"data": IMAGES})[graph.outputs[0]]
    error = abs(mine - theirs["norm"]).max() / abs(mine).max()
    assert error < tolerance_of("BatchNorm", options)
    assert options or error > tolerance_of("BatchNorm", {"eps": "0.001"})
