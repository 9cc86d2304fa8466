"""Files of recurrent layers, imported networks and Modules, beside what MXNet makes of them."""

import warnings

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.errors import FileFormatError, StateMismatchError

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx, nn, numpy_semantics
from unified_blocks_mxnet.variables import walk

rnn = mx.gluon.rnn


class OwnLSTM(rnn.LSTM):
    """A layer that extends Gluon's."""


def alone(layer):
    return layer


def inside(layer):
    net = nn.HybridSequential()
    net.add(nn.Dense(5, flatten=False, in_units=5), layer, nn.LayerNorm(in_channels=5))
    return net


LAYERS = [rnn.LSTM, rnn.GRU, rnn.RNN, OwnLSTM]
OPTIONS = [
    {},
    {"num_layers": 3},
    {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True},
]


def recurrent(place, layer, options):
    net = place(layer(6, input_size=5, **options))
    net.initialize(mx.init.Normal(1))
    return net


def arrays(net):
    return {name: p.data().asnumpy() for name, p in net._collect_params_with_prefix().items()}


@pytest.mark.parametrize("place", [alone, inside])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_file_of_a_recurrent_layer_comes_back(tmp_path, place, layer, options):
    first, second = tmp_path / "first.params", tmp_path / "second.params"
    net = recurrent(place, layer, options)
    net.save_parameters(str(first))
    other = recurrent(place, layer, options)
    ub.load_state(other, ub.read_state(first))
    expected = arrays(net)
    for name, array in arrays(other).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    for source in (net, ub.state(net), ub.read_state(first)):
        ub.write_state(source, second)
        third = recurrent(place, layer, options)
        third.load_parameters(str(second))
        for name, array in arrays(third).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_a_projection_comes_back(tmp_path):
    make = lambda: recurrent(alone, rnn.LSTM, {"projection_size": 3})  # noqa: E731
    net, path = make(), tmp_path / "net.params"
    net.save_parameters(str(path))
    assert "weight_hr_l0" in ub.read_state(path)
    other = ub.load_state(make(), ub.read_state(path))
    assert ub.diff_state(net, other).equal


# An imported network


def convolutional(scale):
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(4, 3, in_channels=3),
        nn.BatchNorm(in_channels=4, scale=scale),
        nn.Activation("relu"),
        nn.BatchNorm(in_channels=4),
        nn.Dense(2, in_units=144),
        nn.LayerNorm(in_channels=2),
    )
    return net


def exported(folder, scale=False):
    """A network after `export`, and the same imported."""
    net = convolutional(scale)
    net.initialize()
    for parameter in net.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(0.5, 2, parameter.shape))
    net.hybridize()
    with mx.autograd.predict_mode():
        net(mx.nd.ones((1, 3, 8, 8)))
    net.export(str(folder / "net"))
    return net, imported(folder)


def imported(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has no dtype of its input
        return mx.gluon.SymbolBlock.imports(
            str(folder / "net-symbol.json"), ["data"], str(folder / "net-0000.params")
        )


@pytest.mark.parametrize("scale", [False, True])
def test_an_imported_network_has_the_names_and_numbers_of_its_file(tmp_path, scale):
    _, block = exported(tmp_path, scale)
    file, state = ub.read_state(tmp_path / "net-0000.params"), ub.state(block)
    assert list(state) == list(file)
    assert ub.diff_state(state, file).equal
    constants = {v.name for v in walk(block) if v.role == "constant"}
    fixed = set(file.metadata.get("fix_gamma", ()))
    assert constants == {name for name in file if "running" in name} | fixed
    assert bool(fixed) is not scale


def test_a_file_is_loaded_into_an_imported_network(tmp_path):
    net, block = exported(tmp_path)
    again = imported(tmp_path)
    for parameter in again.collect_params().values():
        parameter.set_data(mx.nd.zeros(parameter.data().shape))
    ub.load_state(again, ub.read_state(tmp_path / "net-0000.params"))
    x = mx.nd.random.normal(shape=(1, 3, 8, 8))
    np.testing.assert_array_equal(again(x).asnumpy(), block(x).asnumpy())
    np.testing.assert_allclose(again(x).asnumpy(), net(x).asnumpy(), atol=1e-5)


def test_an_imported_network_in_another_comes_back(tmp_path):
    _, block = exported(tmp_path, scale=True)

    def around(features):
        net = nn.HybridSequential()
        net.add(features, nn.Dense(3, in_units=2))
        net[1].initialize()
        return net

    net, other = around(block), around(imported(tmp_path))
    net.save_parameters(str(tmp_path / "whole.params"))
    ub.load_state(other, ub.read_state(tmp_path / "whole.params"))
    ub.write_state(other, tmp_path / "again.params")
    net.load_parameters(str(tmp_path / "again.params"))
    assert ub.diff_state(net, other).equal


def test_a_network_of_numpy_semantics_is_imported_with_its_names(tmp_path):
    with numpy_semantics():
        net = nn.HybridSequential()
        net.add(nn.Dense(3, in_units=2), nn.BatchNorm(in_channels=3))
        net.initialize()
        net.hybridize()
        net(mx.np.ones((1, 2)))
        net.export(str(tmp_path / "net"))
        block = imported(tmp_path)
    assert list(ub.state(block)) == list(ub.read_state(tmp_path / "net-0000.params"))


# A Module

WIDTH = 4
MODULE = ("first", "second", "third")


def module(path, order):
    """A chain of layers of one width, saved in this order; what it computes, as a function."""
    data = h = mx.sym.var("data")
    for name in MODULE:
        h = mx.sym.FullyConnected(h, num_hidden=WIDTH, name=name)
        h = mx.sym.Activation(mx.sym.BatchNorm(h, name=f"{name}bn", fix_gamma=False), "tanh")
    draw = lambda: mx.nd.random.uniform(0.5, 2, shape=(WIDTH,))  # noqa: E731
    given = {}
    for name in order:
        given[f"arg:{name}_weight"] = mx.nd.random.normal(shape=(WIDTH, WIDTH))
        given |= {f"arg:{name}{last}": draw() for last in ("_bias", "bn_gamma", "bn_beta")}
    given |= {f"aux:{name}bn_moving_{last}": draw() for name in order for last in ("mean", "var")}
    mx.nd.save(str(path), given)
    args, aux = (
        {k[4:]: v for k, v in given.items() if k.startswith(kind)} for kind in ("arg:", "aux:")
    )

    def computes(x):
        bound = h.bind(mx.cpu(), {data.name: mx.nd.array(x), **args}, aux_states=aux)
        return bound.forward()[0].asnumpy()

    return h, computes


def target():
    net = nn.HybridSequential()
    for _ in MODULE:
        net.add(
            nn.Dense(WIDTH, in_units=WIDTH),
            nn.BatchNorm(epsilon=1e-3, in_channels=WIDTH),
            nn.Activation("tanh"),
        )
    net.initialize()
    return net


@pytest.mark.parametrize("order", [MODULE, MODULE[::-1], ("second", "third", "first")])
def test_by_order_a_module_follows_its_graph(tmp_path, order):
    path = tmp_path / "chain-0007.params"
    symbol, computes = module(path, order)
    with pytest.raises(StateMismatchError, match=r"order is another: put the graph .* beside it"):
        ub.transfer(ub.read_state(path), target(), match="order")
    symbol.save(str(tmp_path / "chain-symbol.json"))
    net = ub.transfer(ub.read_state(path), target(), match="order")
    x = np.random.default_rng(0).normal(size=(2, WIDTH)).astype("float32")
    np.testing.assert_allclose(net(mx.nd.array(x)).asnumpy(), computes(x), atol=1e-5)


def test_rows_that_mxnet_saves(tmp_path):
    rows = np.arange(6, dtype="float32").reshape(2, 3)
    saved = {
        "a.weight": mx.nd.sparse.row_sparse_array((rows, [1, 3]), shape=(5, 3)),
        "b.weight": mx.nd.sparse.zeros("row_sparse", (4, 2)),
        "c.weight": mx.nd.ones((2, 2)).tostype("row_sparse"),
    }
    mx.nd.waitall()  # MXNet saves how many rows there are before it has computed them
    mx.nd.save(str(tmp_path / "a.params"), saved)
    file = ub.read_state(tmp_path / "a.params")
    for name, array in saved.items():
        np.testing.assert_array_equal(file[name], array.asnumpy(), strict=True)


def test_a_matrix_of_scattered_numbers_that_mxnet_saves_is_refused(tmp_path):
    path = tmp_path / "a.params"
    mx.nd.save(str(path), {"arg:a_weight": mx.nd.array(np.eye(3)).tostype("csr")})
    with pytest.raises(FileFormatError, match=r"got a csr at byte .*; convert it with tostype"):
        ub.read_state(path)
