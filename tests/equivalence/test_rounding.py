"""Each element is held to the rounding of its own sum: a large one hides no wrong small one."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal
from testbed.comparing import built, pairs
from unified_blocks import ops
from unified_blocks.reference.policy import deviation

LARGE = np.linspace(-3, 3, 240).reshape(40, 6).astype("float32")
LARGE[-1] *= 100


def gelu_tanh(X):
    return X * (1 + ops.tanh(0.7978845608028654 * (X + 0.044715 * X * X * X))) / 2


class Within(ub.Block):
    """An activation between two layers, by a call of a function."""

    def __init__(self, function, before=True, after=True):
        super().__init__()
        self.function = function
        self.before = ub.Dense(6) if before else None
        self.after = ub.Dense(3) if after else None

    def forward(self, X):
        H = self.function(X if self.before is None else self.before(X))
        return H if self.after is None else self.after(H)


class Inside(ub.Dense):
    """An activation inside a layer."""

    function = staticmethod(ops.gelu)

    def forward(self, X):
        return self.function(super().forward(X))


class TanhInside(Inside):
    function = staticmethod(gelu_tanh)


def layers(*makes):
    return lambda: ub.MySequential(*(make() for make in makes))


def dense():
    return ub.Dense(6)


def approximate():
    return ub.Lambda(gelu_tanh)


PLACES = {
    "alone": (layers(ub.GELU), layers(approximate), "0"),
    "last": (layers(dense, ub.GELU), layers(dense, approximate), "1"),
    "between layers": (layers(dense, ub.GELU, dense), layers(dense, approximate, dense), "1"),
    "inside a layer": (layers(lambda: Inside(6), dense), layers(lambda: TanhInside(6), dense), "0"),
    "a function": (lambda: Within(ops.gelu), lambda: Within(gelu_tanh), "(model)"),
    "a function, first": (
        lambda: Within(ops.gelu, before=False),
        lambda: Within(gelu_tanh, before=False),
        "(model)",
    ),
    "a function, last": (
        lambda: Within(ops.gelu, after=False),
        lambda: Within(gelu_tanh, after=False),
        "(model)",
    ),
    "a function in a block": (
        layers(dense, lambda: Within(ops.gelu), dense),
        layers(dense, lambda: Within(gelu_tanh), dense),
        "1",
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("scale", [1, 1000])
def test_another_gelu_is_seen_beside_large_numbers(backend_name, place, scale):
    exact, other, name = PLACES[place]
    x = LARGE.copy()
    x[-1] *= scale
    for make, wrong in ((exact, other), (other, exact)):
        a, b, c = (built(each, x, "float32") for each in (make, wrong, make))
        for net in (b, c):
            ub.load_state(net, ub.state(a))
        assert ub.compare(a, c, x)
        found = ub.compare(a, b, x)
        assert not found
        assert (found.first_difference.name, found.cause) == (name, "gelu_form"), str(found)


@pytest.mark.parametrize("inside", [True, False])
def test_another_gelu_inside_a_layer_is_not_the_one_after_it(backend_name, inside):
    plain, fused = layers(dense, ub.GELU), layers(lambda: TanhInside(6), lambda: ub.Lambda(same))
    if inside:
        plain = layers(dense, approximate)
        fused = layers(lambda: Inside(6), lambda: ub.Lambda(same))
    a, b = built(plain, LARGE, "float32"), built(fused, LARGE, "float32")
    ub.load_state(b, ub.state(a))
    for found in (ub.compare(a, b, LARGE), ub.compare(b, a, LARGE)):
        assert not found
        assert (found.first_difference.name, found.cause) == ("0", "gelu_form"), str(found)


def same(X):
    return X + 0


def nudged(layer, by):
    """A PyTorch layer whose first output, or channel, is off."""

    class Nudged(type(layer)):
        def forward(self, x):
            y = super().forward(x).clone()
            y[:, 0] += by
            return y

    layer.__class__ = Nudged
    return layer


@pytest.mark.skipif("torch" not in HERE, reason="the layers are PyTorch's")
@pytest.mark.parametrize("kind", ["Linear", "Conv1d", "Conv2d", "BatchNorm1d", "LayerNorm"])
def test_a_small_output_of_a_layer_is_seen_beside_a_large_one(kind):
    import torch

    torch.manual_seed(0)
    make, x = {
        "Linear": (lambda: torch.nn.Linear(6, 4), normal(5, 6)),
        "Conv1d": (lambda: torch.nn.Conv1d(3, 4, 3, padding=1), normal(2, 3, 9)),
        "Conv2d": (lambda: torch.nn.Conv2d(4, 4, 3, stride=2, groups=2), normal(2, 4, 9, 9)),
        "BatchNorm1d": (lambda: torch.nn.BatchNorm1d(4), normal(5, 4)),
        "LayerNorm": (lambda: torch.nn.LayerNorm(4), normal(5, 4)),
    }[kind]

    def net(by):
        torch.manual_seed(0)
        layer = make()
        with torch.no_grad():
            layer.weight[1] *= 1e5
        return torch.nn.Sequential(nudged(layer, by) if by else layer, torch.nn.Identity())

    found = ub.compare(net(0), net(1e-3), x)
    assert not found
    assert found.first_difference.name == "0", str(found)
    assert ub.compare(net(0), net(1e-6), x)
    largest = max(row.share for row in found.rows if row.name == "1")
    assert largest < 1, "the policy alone lets it pass"


@pytest.mark.skipif("torch" not in HERE, reason="the layers are PyTorch's")
def test_an_epsilon_is_seen_beside_a_large_channel():
    import torch

    def net(eps):
        torch.manual_seed(0)
        norm = torch.nn.BatchNorm1d(6, eps=eps)
        with torch.no_grad():
            norm.weight[5] = 1e6
            norm.running_var[:] = torch.linspace(0.02, 1, 6)
        return torch.nn.Sequential(norm)

    found = ub.compare(net(1e-5), net(1e-4), normal(8, 6))
    assert (found.first_difference.name, found.cause) == ("0", "epsilon"), str(found)


ACTIVATIONS = ("relu", "elu", "selu", "gelu", "silu", "sigmoid", "tanh", "softplus", "softsign")


def deep():
    blocks = [(ub.Dense(64, activation=f), ub.LayerNorm(), ub.BatchNorm()) for f in ACTIVATIONS]
    return ub.MySequential(*(layer for block in blocks for layer in block), ub.Dense(3))


@pairs
@pytest.mark.parametrize("scale", [1, 1e4])
@pytest.mark.parametrize("mode", ["forward", "train"])
def test_deep_networks_that_are_right_stay_so(first, second, scale, mode):
    x = normal(32, 48) * np.float32(scale)
    a, b = (built(deep, x, "float32", on) for on in (first, second))
    ub.load_state(b, ub.state(a))
    found = ub.compare(a, b, x, mode=mode)
    assert found, str(found)
    a, b = (
        built(
            lambda: ub.MySequential(*(ub.Dense(64, activation=f) for f in ACTIVATIONS)),
            x, "float32", on,
        )
        for on in (first, second)
    )  # fmt: skip
    ub.load_state(b, ub.state(a))
    assert ub.compare(a, b, x, mode=mode)


def test_a_tolerance_of_ones_own_is_in_place_of_the_bounds(backend_name):
    exact, other, _ = PLACES["between layers"]
    a, b = built(exact, LARGE, "float32"), built(other, LARGE, "float32")
    ub.load_state(b, ub.state(a))
    assert ub.compare(a, b, LARGE, rtol=1e-2, atol=1e-2)
    assert not ub.compare(a, b, LARGE, rtol=1e-6)


def test_the_policy_alone_lets_it_pass():
    """What the bounds are for: an error of 5e-4 beside 300."""
    actual, expected = np.array([300.0, 0.1], "float32"), np.array([300.0, 0.1005], "float32")
    assert deviation(actual, expected, "float32").ok
