"""Keras' own layers: the numbers of each in PyTorch's layout."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

keras = pytest.importorskip("keras", exc_type=(ImportError, AttributeError))
torch = pytest.importorskip("torch")
L, nn = keras.layers, torch.nn


@pytest.fixture(autouse=True)
def of_both(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("a layer of Keras beside its twin of PyTorch")


def of_keras(layer, x):
    """A Sequential of a layer, built, each number random."""
    net = keras.Sequential([layer], name="net")
    net(x)
    generator = np.random.default_rng(3)
    for w in net.weights:
        if w.dtype == "float32":
            w.assign(generator.uniform(0.5, 1.5, w.shape))
    for each in net.layers:
        if isinstance(each, L.Normalization) and each.input_mean is None:
            each.finalize_state()
    return net


def first(array):
    """Channels first."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def separable(net):
    return nn.ModuleDict({"depthwise": net[0], "pointwise": net[1]})


TWINS = {
    "depthwise": (
        lambda: L.DepthwiseConv2D((3, 2), depth_multiplier=2),
        lambda: nn.Conv2d(4, 8, (3, 2), groups=4),
        (2, 6, 5, 4),
    ),
    "depthwise of one dimension, strided": (
        lambda: L.DepthwiseConv1D(3, strides=2, depth_multiplier=3, use_bias=False),
        lambda: nn.Conv1d(4, 12, 3, stride=2, groups=4, bias=False),
        (2, 9, 4),
    ),
    "separable": (
        lambda: L.SeparableConv2D(5, (3, 2), depth_multiplier=2),
        lambda: nn.Sequential(nn.Conv2d(4, 8, (3, 2), groups=4, bias=False), nn.Conv2d(8, 5, 1)),
        (2, 6, 5, 4),
    ),
    "separable of one dimension, without a bias": (
        lambda: L.SeparableConv1D(4, 3, use_bias=False),
        lambda: nn.Sequential(
            nn.Conv1d(4, 4, 3, groups=4, bias=False), nn.Conv1d(4, 4, 1, bias=False)
        ),
        (2, 6, 4),
    ),
    "group norm": (
        lambda: L.GroupNormalization(2, epsilon=1e-5),
        lambda: nn.GroupNorm(2, 4),
        (2, 3, 5, 4),
    ),
    "group norm of every channel": (
        lambda: L.GroupNormalization(-1, epsilon=1e-5, center=False),
        lambda: nn.GroupNorm(4, 4),
        (2, 3, 5, 4),
    ),
    "PReLU of a slope for each channel": (
        lambda: L.PReLU(shared_axes=[1, 2]),
        lambda: nn.PReLU(4),
        (2, 3, 5, 4),
    ),
    "PReLU of one slope": (
        lambda: L.PReLU(shared_axes=[1, 2, 3]),
        lambda: nn.PReLU(),
        (2, 3, 5, 4),
    ),
    "layer norm of images": (
        lambda: L.LayerNormalization(axis=[1, 2, 3], epsilon=1e-5),
        lambda: nn.LayerNorm((4, 3, 5)),
        (2, 3, 5, 4),
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_layer_and_its_twin_of_pytorch_are_the_same_after_a_transfer(name):
    make, twin, shape = TWINS[name]
    x = normal(*shape)
    net = of_keras(make(), x)
    other = nn.Sequential(twin())
    if "separable" in name:
        other = nn.ModuleDict({"0": separable(other[0])})
    if name.endswith("every channel"):
        with pytest.raises(ub.StateMismatchError, match=r"no 0\.bias"):
            ub.transfer(net, other)
        other[0].bias = None
    ub.transfer(net, other)
    modules = [*other["0"].values()] if "separable" in name else [other[0]]
    found = torch.from_numpy(first(x))
    for module in modules:
        found = module(found)
    expected = first(np.asarray(net(x)))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5, atol=1e-5)
    again = of_keras(make(), x)
    for w in again.weights:
        w.assign(w * 0)
    ub.transfer(other, again)
    np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(net(x)))
    for w in again.weights:
        w.assign(w * 0)
    ub.transfer(other, again, match="order")
    np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(net(x)))


@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 3, 4, 4)])
def test_layers_of_the_last_axis(shape):
    x = normal(*shape)
    for make, twin in (
        (lambda: L.RMSNormalization(epsilon=1e-6), lambda: nn.RMSNorm(4, eps=1e-6)),
        (lambda: L.LayerNormalization(epsilon=1e-5), lambda: nn.LayerNorm(4)),
    ):
        net, other = of_keras(make(), x), nn.Sequential(twin())
        ub.transfer(net, other)
        found = other(torch.from_numpy(x)).detach().numpy()
        np.testing.assert_allclose(found, np.asarray(net(x)), rtol=1e-5, atol=1e-5)


def test_a_prelu_of_dense_numbers():
    x = normal(5, 4)
    net, other = of_keras(L.PReLU(), x), nn.Sequential(nn.PReLU(4))
    ub.transfer(net, other)
    found = other(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, np.asarray(net(x)), rtol=1e-6)


def test_gradients_are_in_the_layout_of_the_numbers():
    x = normal(2, 6, 5, 4)
    net = of_keras(L.SeparableConv2D(5, (3, 2), depth_multiplier=2), x)
    other = nn.ModuleDict({"0": separable(TWINS["separable"][1]())})
    ub.transfer(net, other)
    _, gradients = ub.value_and_grad(net, x, loss="sum")
    found = torch.from_numpy(first(x))
    for module in other["0"].values():
        found = module(found)
    found.sum().backward()
    assert gradients.keys() == dict(other.named_parameters()).keys()
    for name, parameter in other.named_parameters():
        np.testing.assert_allclose(gradients[name], parameter.grad.numpy(), rtol=1e-4)


def test_a_trainer_moves_the_state_of_such_layers():
    x, y = normal(2, 6, 5, 4), normal(2, 4, 4, 8)
    layers = [L.DepthwiseConv2D((3, 2), depth_multiplier=2), L.PReLU(shared_axes=[1, 2])]
    net = keras.Sequential(layers)
    net(x)
    trainer = ub.Trainer(net, ub.SGD(0.125, 0.875), "mse")
    trainer.step(x, y)
    state = ub.state(trainer)
    assert state["optimizer.0.weight.velocity"].shape == (8, 1, 3, 2)
    assert state["optimizer.1.weight.velocity"].shape == (8,)
    ub.load_state(trainer, state)
    for name, array in ub.state(trainer).items():
        np.testing.assert_allclose(array, state[name], rtol=1e-6, err_msg=name)


# normalisation of data


def test_a_normalization_computes_with_the_numbers_that_were_loaded():
    x = normal(50, 4) * 3 + 1
    net, other = (keras.Sequential([L.Normalization()]) for _ in range(2))
    net.layers[0].adapt(x)
    other(x)
    assert list(ub.state(net)) == ["0.mean", "0.variance", "0.count"]
    assert not np.allclose(other(x), net(x))
    ub.load_state(other, {n: a for n, a in ub.state(net).items() if n != "0.count"})
    np.testing.assert_array_equal(other(x), net(x))


def test_a_normalization_that_was_made_with_its_mean_holds_no_numbers():
    net = keras.Sequential([L.Normalization(mean=[1.0, 2.0], variance=[4.0, 1.0])])
    net(normal(3, 2))
    assert ub.state(net) == {}


# what is not built


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling")
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: L.RMSNormalization(), (2, 4)),
        (lambda: L.LayerNormalization(axis=[1, 2, 3]), (2, 3, 5, 4)),
        (lambda: L.LayerNormalization(axis=[-2, -1]), (2, 3, 4)),
        (lambda: L.LayerNormalization(axis=2), (2, 3, 4)),
        (lambda: L.LayerNormalization(rms_scaling=True), (2, 4)),
    ],
)
def test_a_norm_is_built_from_a_state(make, shape):
    x = normal(*shape)
    net = of_keras(make(), x)
    other = keras.Sequential([make()])
    ub.load_state(other, ub.state(net))
    np.testing.assert_array_equal(other(x), net(x))


def test_a_norm_over_several_axes_is_not_built_halfway():
    net = keras.Sequential([L.LayerNormalization(axis=[-2, -1])])
    with pytest.raises(ub.StateMismatchError, match=r"where weight has \(3, 4\)"):
        ub.load_state(net, {"0.weight": normal(3, 4), "0.bias": normal(4, 3)})
    assert not net.layers[0].built


@pytest.mark.parametrize("name", ["depthwise", "separable", "group norm", "PReLU of one slope"])
def test_what_a_weight_alone_cannot_build_says_so(name):
    make, _, shape = TWINS[name]
    state = ub.state(of_keras(make(), normal(*shape)))
    net = keras.Sequential([make()])
    with pytest.raises(ub.StateMismatchError, match=r"not exist yet: Keras has .* call ub\.build"):
        ub.load_state(net, state)
    ub.load_state(ub.build(net, shape), state)


# the channels of a norm over several axes


def test_a_square_norm_over_two_axes_goes_to_keras_alone():
    x = normal(2, 4, 4)
    net = of_keras(L.LayerNormalization(axis=[1, 2]), x)
    twin = of_keras(L.LayerNormalization(axis=[1, 2]), x)
    other = nn.Sequential(nn.LayerNorm((4, 4)))
    ub.transfer(other, net)  # of ones and zeros, which are the same in any layout
    net = of_keras(net.layers[0], x)
    for source, target in ((net, other), (ub.transfer(ub.state(net), other), twin)):
        if source is not other:
            with pytest.raises(ub.StateMismatchError, match="which of the axes"):
                ub.transfer(source, target)
    ub.transfer(net, twin)
    np.testing.assert_array_equal(twin(x), net(x))
    ub.load_state(twin, ub.state(net))


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 4, 3)])
def test_a_norm_over_two_axes_that_differ_goes_where_it_fits(shape):
    x = normal(*shape)
    net = of_keras(L.LayerNormalization(axis=[1, 2], epsilon=1e-5), x)
    other = ub.transfer(net, nn.Sequential(nn.LayerNorm(shape[1:])))
    found = other(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, net(x), rtol=1e-5, atol=1e-5)
    with pytest.raises(ub.StateMismatchError, match="of shape"):
        ub.transfer(net, nn.Sequential(nn.LayerNorm(shape[:0:-1])))


def test_an_image_of_equal_sizes_is_refused_between_frameworks():
    x = normal(2, 4, 4, 4)
    net = of_keras(L.LayerNormalization(axis=[1, 2, 3]), x)
    with pytest.raises(ub.StateMismatchError, match="which of the axes"):
        ub.transfer(net, nn.Sequential(nn.LayerNorm((4, 4, 4))))


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (2, 4, 4, 4), (2, 4, 4)])
def test_a_norm_over_several_axes_goes_through_files(shape, tmp_path):
    pytest.importorskip("h5py")
    x = normal(*shape)
    axes = list(range(1, len(shape)))
    net, other = (of_keras(L.LayerNormalization(axis=axes, name="norm"), x) for _ in range(2))
    net.layers[0].gamma.assign(normal(*shape[1:], seed=5))
    expected = net(x)
    net.save(tmp_path / "net.keras")
    file = ub.read_state(tmp_path / "net.keras")
    np.testing.assert_array_equal(file["norm.weight"], ub.state(net)["0.weight"])
    ub.transfer(file, other, match="order")
    np.testing.assert_array_equal(other(x), expected)
    ub.write_state(file, tmp_path / "net.weights.h5")
    for w in net.weights:
        w.assign(w * 0)
    net.load_weights(tmp_path / "net.weights.h5")
    np.testing.assert_array_equal(net(x), expected)


# variables of models


class Own(keras.Model):
    """Variables in attributes, a list, a dict, and one that no attribute holds."""

    def __init__(self):
        super().__init__()
        self.token = self.add_weight(shape=(1, 2), name="cls")
        self.several = [self.add_weight(shape=(2,), name=f"w{i}") for i in range(2)]
        self.by = {"a": [self.add_weight(shape=(3,), name="in_a")]}
        self.add_weight(shape=(2,), name="loose", trainable=False)
        self.fc = L.Dense(2)

    def call(self, X):
        return self.fc(X + self.token + self.several[0] + self.several[1])


def test_every_variable_of_a_model_has_a_name():
    net = ub.build(Own(), (3, 2))
    state = ub.state(net)
    names = ["token", "several.0", "several.1", "by.a.0", "loose", "fc.weight", "fc.bias"]
    assert list(state) == names
    numbers = {name: normal(*array.shape, seed=i) for i, (name, array) in enumerate(state.items())}
    ub.load_state(net, numbers)
    np.testing.assert_array_equal(net.several[1], numbers["several.1"])
    np.testing.assert_array_equal(net.by["a"][0], numbers["by.a.0"])
    assert ub.diff_state(net, numbers).equal
    _, gradients = ub.value_and_grad(net, normal(3, 2), loss="sum")
    assert "loose" not in gradients
    np.testing.assert_allclose(gradients["several.0"], gradients["several.1"])
