"""The frameworks' own normalisations and PReLUs, and ours: their numbers, from each to each."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

keras = pytest.importorskip("keras", exc_type=(ImportError, AttributeError))
torch = pytest.importorskip("torch")
pytest.importorskip("mxnet", exc_type=(ImportError, AttributeError))

from unified_blocks_mxnet.compat import nn as G

L, T = keras.layers, torch.nn
SHAPE = (2, 6, 4, 5)


@pytest.fixture(autouse=True)
def once(backend_name):
    if backend_name != "torch":
        pytest.skip("natives of every framework, in every pair")


def of_keras(layer):
    def make():
        net = keras.Sequential([layer()], name="net")
        net(normal(2, 4, 5, 6))
        return net, lambda x: np.moveaxis(np.asarray(net(np.moveaxis(x, 1, -1))), -1, 1)

    return make


def of_torch(layer):
    def make():
        net = T.Sequential(layer()).eval()
        return net, lambda x: net(torch.from_numpy(x)).detach().numpy()

    return make


def of_gluon(layer):
    from unified_blocks_mxnet.compat import mx

    def make():
        net = G.HybridSequential()
        net.add(layer())
        net.initialize()
        net(mx.nd.zeros(SHAPE))
        return net, lambda x: net(mx.nd.array(x)).asnumpy()

    return make


def of_ours(backend, layer):
    def make():
        with ub.use_backend(backend):
            net = ub.build(ub.MySequential(layer()), SHAPE)
        if backend == "torch":
            net.eval()
        return net, lambda x: ub.to_numpy(net(ub.from_numpy(x, backend)))

    return make


def ours(layer):
    return {name: of_ours(name, layer) for name in ("torch", "tensorflow", "mxnet")}


NATIVES = {
    "BatchNorm": {
        "T": of_torch(lambda: T.BatchNorm2d(6)),
        "K": of_keras(lambda: L.BatchNormalization(epsilon=1e-5)),
        "G": of_gluon(lambda: G.BatchNorm(in_channels=6)),
        **ours(ub.BatchNorm),
    },
    "BatchNorm without a scale": {
        "K": of_keras(lambda: L.BatchNormalization(epsilon=1e-5, scale=False)),
        "G": of_gluon(lambda: G.BatchNorm(in_channels=6, scale=False)),
        **ours(lambda: ub.BatchNorm(scale=False)),
    },
    "BatchNorm bare": {
        "T": of_torch(lambda: T.BatchNorm2d(6, affine=False)),
        "K": of_keras(lambda: L.BatchNormalization(epsilon=1e-5, scale=False, center=False)),
        "G": of_gluon(lambda: G.BatchNorm(in_channels=6, scale=False, center=False)),
        **ours(lambda: ub.BatchNorm(scale=False, center=False)),
    },
    "GroupNorm": {
        "T": of_torch(lambda: T.GroupNorm(2, 6)),
        "K": of_keras(lambda: L.GroupNormalization(2, epsilon=1e-5)),
        **ours(lambda: ub.GroupNorm(2)),
    },
    "InstanceNorm": {
        "T": of_torch(lambda: T.InstanceNorm2d(6, affine=True)),
        "K": of_keras(lambda: L.GroupNormalization(-1, epsilon=1e-5)),
        "G": of_gluon(lambda: G.InstanceNorm(scale=True, in_channels=6)),
        **ours(ub.InstanceNorm),
    },
    "InstanceNorm bare": {
        "T": of_torch(lambda: T.InstanceNorm2d(6)),
        "K": of_keras(lambda: L.GroupNormalization(-1, epsilon=1e-5, scale=False, center=False)),
        "G": of_gluon(lambda: G.InstanceNorm(center=False, in_channels=6)),
        **ours(lambda: ub.InstanceNorm(scale=False, center=False)),
    },
    "PReLU": {
        "T": of_torch(lambda: T.PReLU(6)),
        "K": of_keras(lambda: L.PReLU(shared_axes=[1, 2])),
        "G": of_gluon(lambda: G.PReLU(in_channels=6)),
        **ours(lambda: ub.PReLU(6)),
    },
    "PReLU of one slope": {
        "T": of_torch(T.PReLU),
        "K": of_keras(lambda: L.PReLU(shared_axes=[1, 2, 3])),
        "G": of_gluon(G.PReLU),
        **ours(ub.PReLU),
    },
}
PAIRS = [
    (name, source, target)
    for name, made in NATIVES.items()
    for source in made
    for target in made
    if source != target
]


def with_numbers(net):
    generator = np.random.default_rng(3)
    return ub.load_state(
        net,
        {
            name: array if variable_is_one(net, name) else drawn(generator, array)
            for name, array in ub.state(net).items()
        },
    )


def variable_is_one(net, name):
    """Whether it is a gamma or beta that Gluon holds and does not learn."""
    return any(v.name == name and v.optional for v in ub.backend_of(net).variables(net))


def drawn(generator, array):
    return generator.uniform(0.5, 1.5, array.shape).astype(array.dtype)


@pytest.mark.parametrize(("name", "source", "target"), PAIRS)
@pytest.mark.parametrize("match", ["name", "order"])
def test_numbers_go_from_each_to_each(name, source, target, match):
    (net, run), (other, run_other) = NATIVES[name][source](), NATIVES[name][target]()
    with_numbers(net)
    ub.transfer(net, other, match=match)
    x = normal(*SHAPE)
    np.testing.assert_allclose(run_other(x), run(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("match", ["name", "order"])
@pytest.mark.parametrize("target", NATIVES["GroupNorm"])
def test_gluon_has_a_number_for_each_group(target, match):
    net, run = of_gluon(lambda: G.GroupNorm(2))()
    assert {n: a.shape for n, a in ub.state(net).items()} == {"0.weight": (2,), "0.bias": (2,)}
    with_numbers(net)
    other, run_other = NATIVES["GroupNorm"][target]()
    ub.transfer(net, other, match=match)
    x = normal(*SHAPE)
    np.testing.assert_allclose(run_other(x), run(x), rtol=1e-4, atol=1e-5)
    again, run_again = of_gluon(lambda: G.GroupNorm(2))()
    ub.transfer(other, again, match=match)
    np.testing.assert_array_equal(run_again(x), run(x))


def test_numbers_that_differ_in_a_group_do_not_go_to_gluon():
    net, _ = NATIVES["GroupNorm"]["T"]()
    with_numbers(net)
    other, _ = of_gluon(lambda: G.GroupNorm(2))()
    message = r"0.weight of shape \(6,\), not \(2,\): this norm has one number for each group"
    with pytest.raises(ub.StateMismatchError, match=message):
        ub.transfer(net, other)


def test_numbers_for_each_group_need_to_know_the_channels():
    net, _ = of_gluon(lambda: G.GroupNorm(2))()
    with ub.use_backend("torch"):
        other = ub.MySequential(ub.GroupNorm(2))
    with pytest.raises(ub.StateMismatchError, match=r"not known yet: call ub.build\(net, input"):
        ub.transfer(net, other)


def test_what_gluon_computes_with_is_not_left_out():
    """A beta of a norm made with `center=False` is added all the same, if it is not 0."""
    net, _ = of_gluon(lambda: G.BatchNorm(in_channels=6, center=False))()
    net[0].beta.set_data(net[0].beta.data() + 1)
    with ub.use_backend("torch"):
        other = ub.build(ub.MySequential(ub.BatchNorm(center=False)), SHAPE)
    with pytest.raises(ub.StateMismatchError, match=r"an unknown 0\.bias"):
        ub.transfer(net, other)


@pytest.mark.parametrize("channels", [1, 6])
def test_a_file_of_a_prelu_of_gluon(tmp_path, channels):
    """`save_parameters` calls the slopes alpha, and so does what is written for it."""
    net, run = of_gluon(lambda: G.PReLU(in_channels=channels))()
    with_numbers(net)
    net.save_parameters(str(tmp_path / "net.params"))
    other, run_other = of_torch(lambda: T.PReLU(channels))()
    ub.load_state(other, ub.read_state(tmp_path / "net.params"))
    x = normal(*SHAPE)
    np.testing.assert_allclose(run_other(x), run(x), rtol=1e-6)
    ub.write_state(other, tmp_path / "other.params")
    again, run_again = of_gluon(lambda: G.PReLU(in_channels=channels))()
    again.load_parameters(str(tmp_path / "other.params"))
    np.testing.assert_array_equal(run_again(x), run(x))


def test_what_a_user_calls_alpha_keeps_its_name(tmp_path):
    from unified_blocks.formats.mxnet.names import canonical_names

    names = ["alpha", "0.alpha", "1.alpha", "1.body.weight", "2.alpha"]
    axes = [1, 1, 1, 2, 3]
    found = canonical_names(list(zip(names, axes, strict=True)))
    assert found == ["alpha", "0.weight", "1.alpha", "1.body.weight", "2.alpha"]
