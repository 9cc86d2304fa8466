"""What was read from a file of MXNet is written so that what loaded the file loads the new one."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.params_files import array, numbers, params
from unified_blocks.files.parts import renamed

MODULE = [
    *("arg:stage1/conv_weight", "arg:my fc_bias", "arg:bn_gamma", "arg:act_gamma", "arg:const"),
    *("aux:bn_moving_mean", "arg:lstm0_l0_i2h_bias", "arg:prelu0_alpha", "arg:a.my_weight"),
]
FILES = {
    "of a Module": MODULE,
    "of export": ["arg:net0_bn_gamma", "aux:net0_bn_running_var", "arg:net0_prelu0_alpha"],
    "of save_params": ["net0_dense0_weight", "net0_bn_gamma"],
    "of save_parameters": ["0.weight", "1.alpha", "2.gamma", "3._unfused.0.r_cell.i2h_weight"],
    "of a layer that calls its vector weight": ["0.weight", "1.scale.weight"],
    "of one layer": ["gamma", "beta"],
    "without names": ["0", "1"],
}


def names_in(path):
    return {stored.stored_name for stored in ub.read_state(path).tensors.values()}


@pytest.mark.parametrize("names", FILES.values(), ids=FILES)
def test_a_file_is_written_with_the_names_it_had(tmp_path, names):
    arrays = [array(numbers(3) + i) for i, _ in enumerate(names)]
    (tmp_path / "net.params").write_bytes(params(*arrays, names=names))
    file = ub.read_state(tmp_path / "net.params")
    ub.write_state(file, tmp_path / "again.params")
    assert (tmp_path / "again.params").read_bytes() == (tmp_path / "net.params").read_bytes()
    assert names_in(tmp_path / "again.params") == set(names)


def test_numbers_of_another_file_have_the_names_of_save_parameters(tmp_path):
    (tmp_path / "net.params").write_bytes(params(array(numbers(3)), names=["arg:bn0_gamma"]))
    ub.write_state(ub.read_state(tmp_path / "net.params"), tmp_path / "net.pt")
    ub.write_state(ub.read_state(tmp_path / "net.pt"), tmp_path / "again.params")
    assert names_in(tmp_path / "again.params") == {"bn0.gamma"}


def test_a_file_with_another_name_has_all_as_save_parameters_gives_them(tmp_path):
    arrays = [array(numbers(3)), array(numbers(3))]
    names = ["arg:bn0_gamma", "arg:fc_weight"]
    (tmp_path / "net.params").write_bytes(params(*arrays, names=names))
    file = renamed(ub.read_state(tmp_path / "net.params"), {"bn0": "bn1"})
    ub.write_state(file, tmp_path / "again.params")
    assert {*names_in(tmp_path / "again.params")} == {"bn1.gamma", "fc.gamma"}


# What MXNet loads


@pytest.fixture
def mx():
    if "mxnet" not in ub.available_backends():
        pytest.skip("mxnet is not installed")
    from unified_blocks_mxnet.compat import mx

    return mx


X = normal(1, 3, 6, 6)


def saved_module(mx, folder, fix_gamma):
    """A checkpoint of a Module, with names of that time; its arrays."""
    h = mx.sym.Variable("data")
    h = mx.sym.Convolution(h, kernel=(3, 3), num_filter=4, name="stage1/conv")
    h = mx.sym.BatchNorm(h, name="stage1/bn", fix_gamma=fix_gamma)
    h = mx.sym.LeakyReLU(h, act_type="prelu", name="my prelu")
    h = mx.sym.FullyConnected(h, num_hidden=3, name="my fc")
    module = mx.mod.Module(h, label_names=None)
    module.bind([("data", X.shape)], for_training=False)
    module.init_params(mx.init.Normal(1))
    arguments, states = (
        {name: mx.nd.random.uniform(0.5, 2, each.shape) for name, each in given.items()}
        for given in module.get_params()
    )
    module.set_params(arguments, states)
    module.save_checkpoint(str(folder / "net"), 3)


def module_outputs(mx, prefix):
    module = mx.mod.Module.load(str(prefix), 3, label_names=None)
    module.bind([("data", X.shape)], for_training=False)
    return module.predict(mx.nd.array(X)).asnumpy()


def imported(mx, graph, path):
    return mx.gluon.SymbolBlock.imports(str(graph), ["data"], str(path))


@pytest.mark.filterwarnings("ignore:.*:UserWarning:mxnet")
@pytest.mark.parametrize("fix_gamma", [False, True])
def test_a_module_loads_its_file_again(mx, tmp_path, fix_gamma):
    saved_module(mx, tmp_path, fix_gamma)
    (tmp_path / "new-symbol.json").write_bytes((tmp_path / "net-symbol.json").read_bytes())
    first, second = tmp_path / "net-0003.params", tmp_path / "new-0003.params"
    ub.write_state(ub.read_state(first), second)
    old, new = mx.nd.load(str(first)), mx.nd.load(str(second))
    assert old.keys() == new.keys()
    if fix_gamma:  # which the graph ignores, and a file that was read has as 1
        old["arg:stage1/bn_gamma"][:] = 1
    for name, each in old.items():
        np.testing.assert_array_equal(new[name].asnumpy(), each.asnumpy(), strict=True)
    expected = module_outputs(mx, tmp_path / "net")
    np.testing.assert_array_equal(module_outputs(mx, tmp_path / "new"), expected)
    block = imported(mx, tmp_path / "net-symbol.json", second)
    np.testing.assert_allclose(block(mx.nd.array(X)).asnumpy(), expected, rtol=1e-5)


def gluon_network(mx):
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3), nn.GroupNorm(2), nn.PReLU(), nn.InstanceNorm(), nn.BatchNorm())
    net.add(nn.Dense(3))
    net.initialize()
    net.hybridize()
    with mx.autograd.predict_mode():
        net(mx.nd.array(X))
    for each in net.collect_params().values():
        each.set_data(mx.nd.random.uniform(0.5, 2, each.shape))
    return net


@pytest.mark.filterwarnings("ignore:.*:UserWarning:mxnet")
def test_an_imported_network_is_written_for_itself(mx, tmp_path):
    net = gluon_network(mx)
    net.export(str(tmp_path / "net"))
    graph, path = tmp_path / "net-symbol.json", tmp_path / "net-0000.params"
    expected = net(mx.nd.array(X)).asnumpy()
    block = imported(mx, graph, path)
    block.save_parameters(str(tmp_path / "theirs.params"))
    ub.write_state(block, tmp_path / "ours.params")
    assert mx.nd.load(str(tmp_path / "ours.params")).keys() == (
        mx.nd.load(str(tmp_path / "theirs.params")).keys()
    )
    block.load_parameters(str(tmp_path / "ours.params"))
    again = imported(mx, graph, tmp_path / "ours.params")
    for each in (block, again):
        np.testing.assert_array_equal(each(mx.nd.array(X)).asnumpy(), expected)


def test_gluon_loads_its_file_again(mx, tmp_path):
    net = gluon_network(mx)
    net.save_parameters(str(tmp_path / "net.params"))
    ub.write_state(ub.read_state(tmp_path / "net.params"), tmp_path / "again.params")
    other = gluon_network(mx)
    other.load_parameters(str(tmp_path / "again.params"))
    assert ub.diff_state(net, other).equal


# Numbers for each group of channels


def target(backend_name):
    """A native norm of two groups of three channels."""
    if backend_name == "torch":
        from torch import nn

        return nn.Sequential(nn.GroupNorm(2, 6))
    if backend_name == "tensorflow":
        import keras

        net = keras.Sequential([keras.layers.GroupNormalization(2, epsilon=1e-5, name="0")])
        net.build((None, 4, 4, 6))
        return net
    with ub.use_backend(backend_name):
        return ub.build(ub.MySequential(ub.GroupNorm(2)), (1, 6, 4, 4))


@pytest.mark.parametrize("match", ["name", "order"])
@pytest.mark.parametrize("names", [("0.gamma", "0.beta"), ("arg:0_gamma", "arg:0_beta")])
def test_a_file_with_a_number_for_each_group(tmp_path, backend_name, match, names):
    path, gamma, beta = tmp_path / "net-0000.params", numbers(2), -numbers(2)
    path.write_bytes(params(array(gamma), array(beta), names=names))
    (tmp_path / "net-symbol.json").write_text(json.dumps(GROUPS))
    state = ub.state(ub.transfer(ub.read_state(path), target(backend_name), match=match))
    np.testing.assert_array_equal(state["0.weight"], np.repeat(gamma, 3), strict=True)
    np.testing.assert_array_equal(state["0.bias"], np.repeat(beta, 3), strict=True)


def test_other_sizes_do_not_fit_groups(tmp_path, backend_name):
    state = {"0.weight": numbers(3), "0.bias": numbers(3)}
    with pytest.raises(ub.StateMismatchError, match=r"0\.weight of shape \(3,\), not \(6,\)"):
        ub.load_state(target(backend_name), state)


def variable(name):
    return {"op": "null", "name": name, "inputs": []}


GROUPS = {
    "nodes": [
        *map(variable, ("data", "0_gamma", "0_beta")),
        {
            "op": "GroupNorm",
            "name": "0",
            "attrs": {"num_groups": "2", "eps": "1e-05"},
            "inputs": [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        },
    ]
}


@pytest.mark.filterwarnings("ignore:.*:UserWarning:mxnet")
def test_an_imported_norm_has_a_number_for_each_group(mx, tmp_path):
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.GroupNorm(2))
    net.initialize()
    net.hybridize()
    x = mx.nd.array(normal(2, 6, 4, 4))
    net(x)
    net[0].gamma.set_data(mx.nd.array([2, 3]))
    expected = net(x).asnumpy()
    net.export(str(tmp_path / "net"))
    block = imported(mx, tmp_path / "net-symbol.json", tmp_path / "net-0000.params")
    ours = ub.transfer(block, target("mxnet"), match="order")
    np.testing.assert_allclose(ub.to_numpy(ours(x.as_np_ndarray())), expected, rtol=1e-5, atol=1e-5)
    block.collect_params()[net[0].gamma.name].set_data(mx.nd.array([1, 1]))
    ub.transfer(ours, block, match="order")
    np.testing.assert_allclose(block(x).asnumpy(), expected, rtol=1e-5, atol=1e-5)
    settings = ub.read_state(tmp_path / "net-0000.params").settings
    assert settings == {net[0].name: {"epsilon": 1e-5, "groups": 2}}
