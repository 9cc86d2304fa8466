"""The frameworks' own attention: its numbers in one another's, and in this library's."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras", exc_type=(ImportError, AttributeError))
L, nn = keras.layers, torch.nn

UNITS, HEADS = 6, 3
SHAPES = {"self": (4, 4, 4), "cross": (4, 5, 7)}
"""The widths of queries, keys and values."""


@pytest.fixture(autouse=True)
def of_both(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("a layer of Keras beside its twin of PyTorch")


class OfKeras(keras.Model):
    """Keras' attention, whose queries are as wide as its output."""

    def __init__(self, use_bias=True):
        super().__init__()
        self.attention = L.MultiHeadAttention(
            HEADS, UNITS // HEADS, use_bias=use_bias, output_shape=UNITS
        )

    def call(self, query, key, value):
        return self.attention(query, value, key)


class OfPyTorch(nn.Module):
    """PyTorch's attention, which is given queries of its own width."""

    def __init__(self, key, value, use_bias=True):
        super().__init__()
        self.attention = nn.MultiheadAttention(
            UNITS, HEADS, bias=use_bias, kdim=key, vdim=value, batch_first=True
        )

    def forward(self, query, key, value):
        return self.attention(query, key, value, need_weights=False)[0]


class Ours(ub.Block):
    def __init__(self, use_bias=True):
        super().__init__()
        self.attention = ub.MultiHeadAttention(UNITS, HEADS, use_bias=use_bias)

    def forward(self, query, key, value):
        return self.attention(query, key, value)


WIDTHS = {"one width": (UNITS, UNITS, UNITS), "widths of their own": (UNITS, 5, 7)}
MAKE = {
    "keras": lambda widths, use_bias: OfKeras(use_bias),
    "torch": lambda widths, use_bias: OfPyTorch(*widths[1:], use_bias),
    **{
        f"ours on {name}": lambda widths, use_bias, name=name: Ours.on(name)(use_bias)
        for name in ub.available_backends()
    },
}


def inputs(widths):
    return [normal(2, t, d, seed=d) for t, d in zip((3, 5, 5), widths, strict=True)]


def output(net, arrays):
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(a) for a in arrays]))


def made(name, widths, use_bias, seed=0):
    net = MAKE[name](widths, use_bias)
    output(net, inputs(widths))
    generator = np.random.default_rng(seed)
    state = {k: generator.uniform(-1, 1, a.shape) for k, a in ub.state(net).items()}
    return ub.load_state(net, {k: a.astype("float32") for k, a in state.items()})


PAIRS = [(a, b) for a in MAKE for b in MAKE if not (a.startswith("ours") and b.startswith("ours"))]


@pytest.mark.parametrize(
    ("widths", "use_bias"),
    [(WIDTHS["one width"], True), (WIDTHS["widths of their own"], False)],
    ids=WIDTHS,
)
@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("match", ["name", "order"])
def test_they_move(source, target, widths, use_bias, match):
    net, other = made(source, widths, use_bias), made(target, widths, use_bias, seed=1)
    x = inputs(widths)
    expected = output(net, x)
    assert not np.allclose(output(other, x), expected)
    ub.transfer(net, other, match=match)
    np.testing.assert_allclose(output(other, x), expected, rtol=1e-4, atol=1e-5)
    assert ub.diff_state(net, other).equal
    assert ub.diff_state(other, net).equal
    again = made(source, widths, use_bias, seed=2)
    ub.transfer(other, again, match=match)
    for name, array in ub.state(again).items():
        np.testing.assert_array_equal(array, ub.state(net)[name])


def test_the_names_of_each():
    widths = WIDTHS["one width"]
    torch_net = made("torch", widths, True)
    assert list(ub.state(torch_net)) == list(torch_net.state_dict())
    names = [f"attention.{p}.{a}" for p in ("query", "key", "value", "out") for a in SAME]
    assert list(ub.state(made("keras", widths, True))) == names
    assert list(ub.state(made("ours on torch", widths, True))) == names


SAME = ("weight", "bias")


@pytest.mark.parametrize("target", [name for name in MAKE if name != "torch"])
def test_they_are_compared(target):
    widths = WIDTHS["one width"]
    net, other = made("torch", widths, True).eval(), made(target, widths, True, seed=1)
    ub.transfer(net, other)
    found = ub.compare(net, other, tuple(inputs(widths)))
    assert found.ok, str(found)
    ub.load_state(other, {k: a * 1.01 for k, a in ub.state(other).items()})
    assert not ub.compare(net, other, tuple(inputs(widths))).ok


def test_a_file_of_pytorch(tmp_path):
    widths = WIDTHS["one width"]
    net = made("torch", widths, True)
    torch.save(net.state_dict(), tmp_path / "net.pt")
    other = made("ours on tensorflow", widths, True, seed=1)
    ub.transfer(ub.read_state(tmp_path / "net.pt"), other)
    np.testing.assert_allclose(
        output(other, inputs(widths)), output(net, inputs(widths)), rtol=1e-4, atol=1e-5
    )


def test_other_names_around_it():
    widths = WIDTHS["one width"]
    net = nn.ModuleDict({"self_attn": made("torch", widths, True).attention})
    other = made("ours on torch", widths, True, seed=1)
    ub.transfer(net, other, rename={"self_attn": "attention"})
    state = ub.state(other)
    weight = net["self_attn"].in_proj_weight.detach().numpy()
    np.testing.assert_array_equal(state["attention.value.weight"], weight[2 * UNITS :])
    back = nn.ModuleDict({"self_attn": made("torch", widths, True, seed=3).attention})
    ub.transfer(other, back, rename=lambda name: name.replace("attention", "self_attn"))
    assert torch.equal(back["self_attn"].in_proj_weight, net["self_attn"].in_proj_weight)


def test_what_has_no_place_is_told():
    net = nn.MultiheadAttention(UNITS, HEADS, add_bias_kv=True)
    other = ub.build(ub.MultiHeadAttention.on("torch")(UNITS, HEADS), (2, 3, UNITS))
    with pytest.raises(ub.StateMismatchError, match="bias_k"):
        ub.transfer(net, other)


# layers of Keras


EQUATIONS = {
    "ab,bc->ac": (5, "c", (2, 4)),
    "abc,cd->abd": ((None, 5), "d", (2, 3, 4)),
    "...x,xy->...y": (5, "y", (2, 3, 4)),
    "abc,cde->abde": ((None, 2, 3), "de", (2, 3, 4)),
    "abcd,cde->abe": ((None, 5), "e", (2, 3, 4, 2)),
    "abc,dc->abd": ((None, 5), None, (2, 3, 4)),
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_a_dense_layer_in_disguise(equation):
    output_shape, bias_axes, shape = EQUATIONS[equation]
    layer = L.EinsumDense(equation, output_shape, bias_axes=bias_axes)
    net = keras.Sequential([layer])
    x = normal(*shape)
    y = np.asarray(net(x))
    layer.set_weights([normal(*w.shape, seed=i) for i, w in enumerate(layer.get_weights())])
    y = np.asarray(net(x))
    inputs = shape[2:] if equation == "abcd,cde->abe" else shape[-1:]
    lead = shape[: len(shape) - len(inputs)]
    units = int(np.prod(y.shape[len(lead) :]))
    twin = ub.Dense.on("torch")(units, use_bias=bias_axes is not None)
    twin = ub.build(torch.nn.Sequential(twin), (2, int(np.prod(inputs))))
    ub.transfer(net, twin)
    flat = torch.from_numpy(x.reshape(*lead, -1))
    np.testing.assert_allclose(
        twin(flat).detach().numpy(), y.reshape(*lead, -1), rtol=1e-5, atol=1e-5
    )
    numbers = layer.get_weights()
    layer.set_weights([w * 0 for w in numbers])
    ub.transfer(twin, net)
    for new, old in zip(layer.get_weights(), numbers, strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("equation", ["abc,bcd->abd", "abc,cd->adb"])
def test_what_is_no_dense_layer_keeps_keras_names(equation):
    layer = L.EinsumDense(equation, (3, 5) if equation.endswith("abd") else (5, 3))
    net = keras.Sequential([layer])
    net(normal(2, 3, 4))
    with pytest.raises(ub.UnsupportedError, match=r"kernel of a EinsumDense"):
        ub.state(net)


def test_attention_that_is_not_built():
    net = OfKeras()
    with pytest.raises(ub.NotBuiltError):
        ub.state(net)


# whole encoders


class EncoderOfKeras(keras.Model):
    def __init__(self):
        super().__init__()
        self.attention = L.MultiHeadAttention(2, 4)
        self.hidden, self.out = L.Dense(12, activation="relu"), L.Dense(8)
        self.norms = [L.LayerNormalization(epsilon=1e-5) for _ in range(2)]

    def call(self, X):
        X = self.norms[0](X + self.attention(X, X))
        return self.norms[1](X + self.out(self.hidden(X)))


class Encoder(ub.Block):
    def __init__(self):
        super().__init__()
        self.attention = ub.MultiHeadAttention(8, 2)
        self.network = ub.MySequential(ub.Dense(12, activation="relu"), ub.Dense(8))
        self.norms = ub.LayerNorm(), ub.LayerNorm()

    def forward(self, X):
        X = self.norms[0](X + self.attention(X))
        return self.norms[1](X + self.network(X))


ENCODERS = {
    "torch": lambda: nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True),
    "keras": EncoderOfKeras,
    **{f"ours on {n}": lambda n=n: Encoder.on(n)() for n in ub.available_backends()},
}


def encoder(name, seed):
    net = ENCODERS[name]()
    output(net, [normal(2, 5, 8)])
    return ub.initialize(net, seed, "torch_default")


@pytest.mark.parametrize("target", ENCODERS)
@pytest.mark.parametrize("source", ["torch", "keras", "ours on mxnet"])
def test_encoders_move_by_order(source, target):
    if source not in ENCODERS:
        pytest.skip("mxnet is not installed")
    net, other, x = encoder(source, 1), encoder(target, 2), normal(2, 5, 8, seed=4)
    ub.transfer(net, other, match="order")
    np.testing.assert_allclose(output(other, [x]), output(net, [x]), rtol=1e-4, atol=1e-5)
    ub.compare(net, other, x, match="order").raise_if_different()


def test_the_schemes_know_what_pytorch_packs():
    for scheme, bound in (("glorot_uniform", (6 / (8 + 8)) ** 0.5), ("gluon_default", 0.07)):
        net = ub.initialize(nn.MultiheadAttention(8, 2), 1, scheme)
        weight = net.in_proj_weight.detach().abs().max().item()
        assert 0.9 * bound < weight <= bound
        assert (net.in_proj_bias == 0).all()
