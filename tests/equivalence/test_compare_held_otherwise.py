"""Parameters that one model holds otherwise are a remark: what is computed with them decides."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal
from testbed.comparing import built, calls, pairs
from testbed.held_otherwise import Attention, Position, split, tied
from testbed.mutants.checks import copied, numbered
from unified_blocks import ops

x = normal(2, 5, 6, dtype="float64")
INDUCTOR = "ignore:.*torch.jit.*:DeprecationWarning"  # PyTorch's compiler uses what it deprecated
PAIRS = [(name, name) for name in HERE] + [(a, b) for a in HERE for b in HERE if a != b]


def attentions(first, second, **options):
    """A fused attention, and one of three layers with the same numbers."""
    a = numbered(built(lambda: Attention(fused=True), x, on=first))
    b = built(lambda: Attention(fused=False, **options), x, on=second)
    return a, ub.load_state(b, split(ub.state(a)))


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training"])
def test_a_fused_layer_is_three(first, second, mode):
    models = attentions(first, second)
    for a, b in (models, models[::-1]):
        found = ub.compare(a, b, x, mode=mode)
        assert found, str(found)
        assert all(row.ok for row in found.rows)
        assert "without a partner" in str(found)
        assert "qkv.weight, qkv.bias of Attention" in str(found)
        assert calls(found) == ["proj", "(model)"]


@pytest.mark.filterwarnings(INDUCTOR)
@pytest.mark.parametrize("name", HERE)
def test_a_graph_of_three_layers_is_a_fused_one(name):
    found = ub.compare(*attentions(name, name), x, mode="compiled")
    assert found, str(found)


@pytest.mark.parametrize("name", HERE)
def test_a_mistake_beside_it_is_still_found(name):
    a, b = attentions(name, name, factor=0.5)
    found = ub.compare(a, b, x)
    first = found.first_difference
    assert (first.what, first.name, first.after) == ("call", "(model)", None), str(found)
    numbers = ub.state(b)
    numbers["k.weight"][1, 2] += 1
    a, b = attentions(name, name)
    ub.load_state(b, numbers)
    assert not ub.compare(a, b, x)
    numbers = split(ub.state(a))
    numbers["proj.bias"][1] += 1
    found = ub.compare(a, ub.load_state(b, numbers), x)
    assert (found.first_difference.what, found.first_difference.name) == ("parameter", "proj.bias")


@pytest.mark.parametrize("name", HERE)
def test_who_asks_about_the_numbers_alone_is_told(name):
    a, b = attentions(name, name)
    for options in ({}, {"inputs": x}):
        found = ub.compare(a, b, mode="parameters", **options)
        assert (found.first_difference.what, found.first_difference.name) == (
            *("parameter", "qkv.weight"),
        )
        assert calls(found) == []
        assert {row.name for row in found.rows if not row.ok} == {
            f"{layer}.{n}" for layer in ("qkv", *"qkv") for n in ("weight", "bias")
        }
    assert ub.compare(a, a, mode="parameters")
    with pytest.raises(ub.NotEquivalentError, match=r"qkv\.weight"):
        ub.assert_equivalent(a, b, mode="parameters")


def test_without_inputs_nothing_runs(backend_name):
    net = built(lambda: ub.Dense(3))
    for mode in ("forward", "gradient", "compiled", "saved"):
        with pytest.raises(ValueError, match="there must be inputs; got none with mode="):
            ub.compare(net, net, mode=mode)


@pytest.mark.skipif("torch" not in HERE, reason="it is PyTorch that ties by a layer")
@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("mode", ["forward", "gradient", "training", "parameters"])
def test_a_tied_head_is_a_product_with_the_embedding(name, mode):
    i = np.array([[0, 6, 3], [5, 1, 2]])
    a = tied("torch", by_layer=True)
    a = ub.cast(numbered(a), "float32")
    b = tied(name)
    backend = ub.backend_of(b)
    backend.run(b, [backend.from_numpy(i)])
    copied(a, b)
    for first, second in ((a, b), (b, a)):
        found = ub.compare(first, second, i, mode=mode)
        assert found, str(found)
        assert "emb.weight" in {row.name for row in found.rows}
        assert "without a partner" not in str(found)
    for v in backend.variables(b):
        if v.name == "emb.weight":
            v.write(v.read() + 1)
    found = ub.compare(a, b, i, mode=mode)
    assert found.first_difference.name == "emb.weight"


@pytest.mark.skipif("torch" not in HERE, reason="they are PyTorch's")
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
@pytest.mark.parametrize("old", [True, False])
def test_a_weight_norm_is_its_folded_weight(old):
    import torch
    from torch.nn.utils import parametrizations, weight_norm

    def net(normed):
        layers = torch.nn.Linear(6, 5), torch.nn.Linear(5, 3)
        wrap = weight_norm if old else parametrizations.weight_norm
        return torch.nn.Sequential(
            *(wrap(each.double()) if normed else each.double() for each in layers)
        )

    a, b = net(True), net(False)
    with torch.no_grad():
        for one, other in zip(a, b, strict=True):
            one.bias.normal_()
            other.weight.copy_(one.weight)
            other.bias.copy_(one.bias)
    for first, second in ((a, b), (b, a)):
        for mode in ("forward", "gradient"):
            found = ub.compare(first, second, x, mode=mode)
            assert found, str(found)
            assert calls(found) == ["0", "1", "(model)"]
    with torch.no_grad():
        b[0].weight.mul_(1.01)
    assert ub.compare(a, b, x).first_difference.name == "0"


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_a_bias_of_zero_is_none(backend_name, value):
    a = numbered(built(lambda: ub.MySequential(ub.Dense(4), ub.Dense(3)), x))
    numbers = ub.state(a)
    numbers["0.bias"][:] = value
    ub.load_state(a, numbers)
    b = copied(a, built(lambda: ub.MySequential(ub.Dense(4, use_bias=False), ub.Dense(3)), x))
    found = ub.compare(a, b, x)
    if value:
        assert (found.first_difference.name, found.cause) == ("0.bias", "bias_missing")
    else:
        assert found, str(found)
        assert "0.bias of MySequential" in str(found)
    assert ub.compare(a, b, mode="parameters").cause == "bias_missing"


def test_an_array_of_another_shape_that_does_the_same_is_a_remark(backend_name):
    a, b = (built(lambda shape=shape: Position(shape), x) for shape in ((6,), (1, 1, 6)))
    found = ub.compare(a, b, x)
    assert found, str(found)
    assert "position has shape (6,) in one model and (1, 1, 6) in the other" in str(found)
    assert not ub.compare(a, b, x, mode="parameters")
    numbers = ub.state(b)
    numbers["position"] += 1
    found = ub.compare(a, ub.load_state(b, numbers), x)
    assert not found


def test_a_model_that_cannot_take_the_inputs_is_of_another_size(backend_name):
    def make(width):
        shape = normal(4, width, dtype="float64")
        return built(lambda: ub.MySequential(ub.Dense(5), ub.Dense(2)), shape)

    found = ub.compare(make(6), make(7), normal(4, 6, dtype="float64"))
    assert found.first_difference.name == "0.weight", str(found)
    assert "cannot be called with these inputs" in str(found)
    with pytest.raises(ub.UnifiedBlocksError, match="width"):
        ub.compare(make(6), make(6), normal(4, 7, dtype="float64"))


def test_a_parameter_that_nothing_uses_is_a_remark(backend_name):
    class Spare(ub.Block):
        def __init__(self, spare):
            super().__init__()
            self.dense = ub.Dense(3)
            if spare:
                self.spare = ub.Constant(np.ones(2))

        def forward(self, X):
            return ops.tanh(self.dense(X))

    a, b = (built(lambda spare=spare: Spare(spare), x) for spare in (True, False))
    for mode in ("forward", "train", "gradient", "training"):
        found = ub.compare(a, b, x, mode=mode)
        assert found, str(found)
        assert "spare of Spare" in str(found)


@pairs
def test_many_names_are_told_in_short(first, second):
    def make(name, layers, shift):
        class Net(ub.Block):
            def __init__(self):
                super().__init__()
                for i in range(layers):
                    setattr(self, f"d{i + shift}", ub.Dense(6))

            def forward(self, X):
                for i in range(layers):
                    X = getattr(self, f"d{i + shift}")(X)
                return X

        return built(Net, x, on=name)

    a, b = make(first, 5, 0), make(second, 5, 5)
    numbers = {f"d{int(n[1]) + 5}{n[2:]}": array for n, array in ub.state(a).items()}
    found = ub.compare(a, ub.load_state(b, numbers), x)
    assert found, str(found)
    assert "d2.weight, d2.bias and 4 more of Net" in str(found)
    assert "pair them by rename= or match=" in str(found)
