"""The normalisations in training, in both layouts, and where their sizes come from."""

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.layer_cases import made
from testbed.common import graph, normal, run

LAST = "channels_last"


@pytest.mark.parametrize("arguments", [{}, {"scale": False}, {"center": False}])
@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3), (3, 6, 2, 3)])
def test_batch_norm_in_channels_last_trains_as_in_channels_first(backend_name, shape, arguments):
    nets = [
        made(lambda a=a: ub.BatchNorm(momentum=0.25, **arguments, **a), shape)
        for a in ({}, {"in_units": 6})
    ]
    with ub.use_layout(LAST):
        nets.append(made(lambda: ub.BatchNorm(momentum=0.25, **arguments), (4, 6)))
    ub.load_state(nets[1], ub.state(nets[0]))
    ub.load_state(nets[2], ub.state(nets[0]))
    x, y = normal(*shape, dtype="float64"), normal(*shape, dtype="float64", seed=1)
    turned = [(x, y), (x, y), (np.moveaxis(x, 1, -1), np.moveaxis(y, 1, -1))]
    found = [
        ub.value_and_grad(net, *arrays, loss="mse", train=True)
        for net, arrays in zip(nets, turned, strict=True)
    ]
    for (value, gradients), net in zip(found[1:], nets[1:], strict=True):
        assert value == pytest.approx(found[0][0], rel=1e-12)
        for name, gradient in found[0][1].items():
            np.testing.assert_allclose(gradients[name], gradient, rtol=1e-9, atol=1e-12)
        for name, array in ub.state(nets[0]).items():
            np.testing.assert_allclose(ub.state(net)[name], array, rtol=1e-12)


@pytest.mark.parametrize("layout", ["channels_first", LAST])
def test_global_statistics_train_without_moving(backend_name, layout):
    shape = (4, 3, 5) if layout == LAST else (4, 5, 3)
    net = made(lambda: ub.BatchNorm(use_global_stats=True, layout=layout), shape)
    before, x = ub.state(net), normal(*shape, dtype="float64")
    backend = ub.backend_of(net)
    y = backend.to_numpy(backend.run(net, [backend.from_numpy(x)], train=True))
    np.testing.assert_allclose(y, net.reference(before, x), rtol=1e-9)
    _, gradients = ub.value_and_grad(net, x, x, loss="mse", train=True)
    assert (gradients["weight"] != 0).all()
    after = ub.state(net)
    assert all(np.array_equal(after[name], array) for name, array in before.items())
    if backend_name == "torch":
        assert int(net.num_batches_tracked) == 0


WITHOUT = {
    "BatchNorm": (ub.BatchNorm, {"running_mean", "running_var"}),
    "GroupNorm": (lambda **a: ub.GroupNorm(2, **a), set()),
    "InstanceNorm": (ub.InstanceNorm, set()),
}


@pytest.mark.parametrize("in_units", [None, 6])
@pytest.mark.parametrize("left", [(), ("weight",), ("bias",), ("weight", "bias")])
@pytest.mark.parametrize("name", WITHOUT)
def test_what_is_not_there_is_not_in_the_state(backend_name, name, left, in_units, tmp_path):
    make, others = WITHOUT[name]
    arguments = {"scale": "weight" in left, "center": "bias" in left, "in_units": in_units}
    net = made(lambda: ub.MySequential(make(**arguments), ub.Dense(6)), (4, 6, 3), "float32")
    assert ub.state(net[0]).keys() == {*left, *others}
    x = normal(4, 6, 3)
    ub.save(net, tmp_path / "net.safetensors")
    again = ub.load(tmp_path / "net.safetensors")
    if backend_name == "torch":
        net.eval(), again.eval()
    np.testing.assert_array_equal(run(again, x), run(net, x))
    assert ub.state(again).keys() == ub.state(net).keys()


SIZES = {
    "LayerNorm": (ub.LayerNorm, (4, 6)),
    "LayerNorm axes": (lambda: ub.LayerNorm(axes=3), (4, 3, 5, 6)),
    "RMSNorm": (ub.RMSNorm, (4, 6)),
    "BatchNorm": (lambda: ub.BatchNorm(scale=False), (4, 6, 3)),
    "GroupNorm": (lambda: ub.GroupNorm(3), (4, 6, 3)),
    "GroupNorm bias": (lambda: ub.GroupNorm(3, scale=False), (4, 6, 3)),
    "InstanceNorm": (ub.InstanceNorm, (4, 6, 3)),
    "InstanceNorm last": (lambda: ub.InstanceNorm(layout=LAST), (4, 3, 6)),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_state_builds_a_norm_that_is_not_built(backend_name, name):
    make, shape = SIZES[name]
    net = made(make, shape)
    with ub.use_dtype("float64"):
        other = ub.load_state(make(), ub.state(net))
    assert {n: a.shape for n, a in ub.state(other).items()} == {
        n: a.shape for n, a in ub.state(net).items()
    }
    x = normal(*shape, dtype="float64")
    if backend_name == "torch":
        net.eval(), other.eval()
    np.testing.assert_array_equal(run(other, x), run(net, x))
    np.testing.assert_allclose(
        ub.to_numpy(graph(backend_name, other)(ub.from_numpy(x))), run(net, x), rtol=1e-9
    )


@pytest.mark.parametrize("name", SIZES)
def test_copies_and_pickles(backend_name, name):
    import copy
    import pickle

    make, shape = SIZES[name]
    net, x = made(make, shape), normal(*shape, dtype="float64")
    if backend_name == "torch":
        net.eval()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(run(other, x), run(net, x))
    net, x = ub.cast(net, "float32"), x.astype("float32")
    if (backend_name, name) == ("torch", "BatchNorm"):
        return  # PyTorch copies no buffer of a size that is not known
    fresh = make()
    for other in (copy.deepcopy(fresh), pickle.loads(pickle.dumps(fresh))):
        ub.load_state(other, ub.state(net))
        if backend_name == "torch":
            other.eval()
        np.testing.assert_array_equal(run(other, x), run(net, x))


@pytest.mark.parametrize("in_units", [None, 6])
def test_groups_divide_the_channels(backend_name, in_units):
    message = "GroupNorm: the number of channels must be a multiple of groups; got 6 .* groups=4"
    with pytest.raises(ValueError, match=message):
        ub.build(ub.GroupNorm(4, in_units=in_units), (2, 6, 3))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ub.GroupNorm(0), ValueError, "GroupNorm: groups must be at least 1"),
        (lambda: ub.GroupNorm(2.0), TypeError, "groups must be a whole number"),
        (lambda: ub.LayerNorm(axes=0), ValueError, "LayerNorm: axes must be at least 1"),
        (
            lambda: ub.LayerNorm(axes=2, in_units=3),
            ValueError,
            "in_units must be left out with several axes, .* got in_units=3 and axes=2",
        ),
        (lambda: ub.RMSNorm(epsilon=0), ValueError, "epsilon must be above 0"),
        (lambda: ub.LocalResponseNorm(0), ValueError, "size must be at least 1; got size=0"),
        (lambda: ub.BatchNorm(layout="NCHW"), ValueError, "layout must be one of channels_first"),
    ],
)
def test_wrong_arguments(backend_name, make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("layout", ["channels_first", LAST])
def test_an_instance_norm_is_a_group_norm_of_single_channels(backend_name, layout):
    shape = (2, 3, 4, 6) if layout == LAST else (2, 6, 3, 4)
    net = made(lambda: ub.InstanceNorm(layout=layout), shape)
    other = made(lambda: ub.GroupNorm(6, layout=layout), shape)
    x = normal(*shape, dtype="float64")
    np.testing.assert_allclose(run(other, x), run(net, x), rtol=1e-12)


def test_a_keras_file_of_norms(backend_name, tmp_path):
    if backend_name != "tensorflow":
        pytest.skip("a .keras file")
    import keras

    net = ub.MySequential(
        ub.BatchNorm(scale=False), ub.GroupNorm(2), ub.InstanceNorm(), ub.LayerNorm(axes=2)
    )
    net.add(ub.RMSNorm())
    net.add(ub.LocalResponseNorm(3))
    x = normal(2, 6, 3)
    net(x)
    net.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(again(x), net(x))
    assert ub.state(again).keys() == ub.state(net).keys()


SCHEMES = ("glorot_uniform", "he_uniform", "torch_default", "keras_default", "gluon_default")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_initialize_knows_norms_and_slopes(backend_name, scheme):
    net = ub.MySequential(
        ub.LayerNorm(axes=2), ub.GroupNorm(2), ub.InstanceNorm(), ub.RMSNorm(), ub.PReLU(6)
    )
    x = normal(3, 6, 5)
    ub.build(net, x.shape)
    state = {name: array + 3 for name, array in ub.state(net).items()}
    ub.initialize(ub.load_state(net, state), 1, scheme)
    found = ub.state(net)
    slope = found.pop("4.weight")
    assert (slope == (0 if scheme == "keras_default" else 0.25)).all()
    assert all((array == (0 if n.endswith("bias") else 1)).all() for n, array in found.items())


def test_native_norms_and_slopes_are_initialized_alike(backend_name):
    if backend_name == "torch":
        from torch import nn

        net = nn.Sequential(nn.LayerNorm((4, 5)), nn.PReLU(), nn.GroupNorm(2, 6))
    elif backend_name == "tensorflow":
        import keras

        layers = keras.layers
        net = keras.Sequential([layers.LayerNormalization(axis=[1, 2]), layers.PReLU()])
        net(normal(2, 4, 5))
    else:
        from unified_blocks_mxnet.compat import nn

        net = nn.HybridSequential()
        net.add(nn.LayerNorm(in_channels=5), nn.PReLU(), nn.GroupNorm(2))
        net.initialize()
    found = ub.state(ub.initialize(net, 1, "torch_default"))
    assert (found["0.weight"] == 1).all()
    assert (found["0.bias"] == 0).all()
    assert (found["1.weight"] == 0.25).all()


@pytest.mark.capability("empty-batches")
@pytest.mark.parametrize("name", SIZES)
def test_an_empty_batch(backend_name, name):
    make, shape = SIZES[name]
    net = made(make, shape)
    if backend_name == "torch":
        net.eval()
    assert run(net, np.zeros((0, *shape[1:]))).shape == (0, *shape[1:])


@pytest.mark.filterwarnings("ignore:Cannot decide type:UserWarning")
def test_an_exported_graph_of_gluon(backend_name, tmp_path):
    if backend_name != "mxnet":
        pytest.skip("Gluon's export")
    from unified_blocks_mxnet.compat import mx

    net = ub.MySequential(
        ub.BatchNorm(scale=False), ub.GroupNorm(2), ub.InstanceNorm(), ub.PReLU(6)
    )
    for each in (ub.LocalResponseNorm(3), ub.LayerNorm(axes=2), ub.RMSNorm(), ub.Flatten()):
        net.add(each)
    x = normal(2, 6, 3, 4)
    net.hybridize()
    y = run(net, x)
    net.export(str(tmp_path / "net"))
    files = [str(tmp_path / name) for name in ("net-symbol.json", "net-0000.params")]
    with mx.util.np_shape(True), mx.util.np_array(True):
        again = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
        found = again(mx.np.array(x)).asnumpy()
    np.testing.assert_allclose(found, y, rtol=1e-5, atol=1e-6)


def test_an_exported_program_of_pytorch(backend_name):
    if backend_name != "torch":
        pytest.skip("torch.export")
    import torch

    net = ub.MySequential(ub.BatchNorm(scale=False), ub.GroupNorm(2), ub.InstanceNorm(scale=False))
    for each in (ub.LocalResponseNorm(3), ub.LayerNorm(axes=2), ub.RMSNorm(), ub.PReLU(6)):
        net.add(each)
    x = torch.from_numpy(normal(2, 6, 3, 4))
    net(x)
    net.eval()
    again = torch.export.export(net, (x,)).module()
    torch.testing.assert_close(again(x), net(x))


@pytest.mark.parametrize("name", SIZES)
def test_a_graph_of_gluon_finds_sizes(backend_name, name):
    """A norm that is hybridized before its first call, in a native container too."""
    if backend_name != "mxnet":
        pytest.skip("Gluon's hybridize")
    from unified_blocks_mxnet.compat import mx, nn

    make, shape = SIZES[name]
    x = normal(*shape)
    with mx.util.np_shape(True), mx.util.np_array(True):
        native = nn.HybridSequential()
        native.add(make())
        native.hybridize()
        native(mx.np.array(x))
    ours = ub.MySequential(make())
    ours.hybridize()
    run(ours, x)
    expected = {n: a.shape for n, a in ub.state(ub.build(ub.MySequential(make()), shape)).items()}
    for net in (native, ours):
        assert {n: a.shape for n, a in ub.state(net).items()} == expected
