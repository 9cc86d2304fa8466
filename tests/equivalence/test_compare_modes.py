"""`ub.compare` in each mode, of graphs and in half precision."""

import pytest

import unified_blocks as ub
from testbed.causes import X
from testbed.common import HERE, normal
from testbed.comparing import Twice, built, pairs

INDUCTOR = "ignore:.*torch.jit.*:DeprecationWarning"  # PyTorch's compiler uses what it deprecated


def bits(net):
    return {name: array.tobytes() for name, array in ub.state(net).items()}


# graphs


@pytest.mark.filterwarnings(INDUCTOR)
def test_a_model_that_runs_as_a_graph_is_compared_by_its_outputs(backend_name):
    if backend_name == "tensorflow":
        pytest.skip("a Keras model is called eagerly; mode='compiled' makes a graph of it")
    a, b = built(Twice), built(Twice)
    c = built(lambda: Twice(forgets=True))
    if backend_name == "torch":
        import torch

        torch.compiler.reset()
        b, c = (torch.compile(net, backend="eager") for net in (b, c))
    else:
        b.hybridize()
        c.hybridize()
    found = ub.compare(a, b, X)
    assert found, str(found)
    assert "outputs only" in str(found)
    found = ub.compare(a, c, X)
    assert found.first_difference.name == "(model)", str(found)
    if backend_name == "mxnet":
        assert b._active
        assert "outputs only" in str(ub.compare(b, b, X))


# modes


def everything():
    """A dense layer, norms, dropout that passes on, a shared layer and a constant."""
    return ub.MySequential(
        ub.Dense(6, activation="tanh"),
        ub.BatchNorm(),
        ub.LayerNorm(),
        ub.Dropout(0.0),
        Twice(),
    )


@pytest.mark.filterwarnings(INDUCTOR)
@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training", "compiled", "saved"])
def test_in_each_mode_models_alike_are_equivalent_and_stay_as_they_are(backend_name, mode):
    a, b = built(everything), built(everything)
    if backend_name == "torch":
        a.train()
        b.eval()
        a[0].eval()
    before = bits(a), bits(b)
    found = ub.compare(a, b, X, mode=mode)
    assert found, str(found)
    assert (bits(a), bits(b)) == before
    assert {"forward": "in inference"}.get(mode, mode) in str(found).splitlines()[0]
    if backend_name == "torch":
        assert [m.training for m in a.modules()] == [True, False] + [True] * (
            len(list(a.modules())) - 2
        )
        assert not any(m.training for m in b.modules())
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in a.modules())
        assert mode == "training" or all(p.grad is None for p in a.parameters())
    elif backend_name == "tensorflow":
        layers = ub.backend_of(a).layers(a)
        assert not any("call" in vars(layer) for _, layer in layers)
    else:
        blocks = ub.backend_of(b).layers(b)
        assert not any(layer._active for _, layer in blocks if hasattr(layer, "_active"))
        assert not any(x._forward_hooks or x._forward_pre_hooks for _, x in blocks)


def test_a_hybridized_model_stays_hybridized(backend_name):
    if backend_name != "mxnet":
        pytest.skip("it is Gluon's")
    a, b = built(everything), built(everything)
    b.hybridize(static_alloc=True)
    flags = dict(b._flags)
    for mode in ("forward", "gradient", "compiled"):
        assert ub.compare(a, b, X, mode=mode), mode
        assert b._active
        assert dict(b._flags) == flags


@pairs
@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training"])
def test_across_frameworks_models_alike_are_equivalent(first, second, mode, dtype):
    x = X.astype(dtype)
    a, b = (built(everything, x, dtype, on=name) for name in (first, second))
    found = ub.compare(a, b, x, mode=mode)
    assert found, str(found)


def test_running_statistics_are_compared_after_a_pass_in_training(backend_name):
    found = ub.compare(built(everything), built(everything), X, mode="train")
    names = [row.name for row in found.rows if row.what == "statistic"]
    assert names == ["1.running_mean", "1.running_var"]


def test_gradients_are_compared_from_the_output_on(backend_name):
    found = ub.compare(built(Twice), built(Twice), X, mode="gradient")
    names = [row.name for row in found.rows if row.what == "gradient"]
    assert names == ["dense.bias", "dense.weight", "x"]


def test_each_step_of_training_has_its_loss(backend_name):
    options = {"targets": normal(5, 6, dtype="float64"), "steps": 3}
    found = ub.compare(
        built(Twice), built(Twice), X, mode="training", optimizer=ub.Adam(0.01), **options
    )
    assert found, str(found)
    names = [row.name for row in found.rows if row.what in ("loss", "parameter")]
    assert names[-5:] == [
        *(f"step {i}" for i in (1, 2, 3)),
        *("dense.weight, trained", "dense.bias, trained"),
    ]


def test_another_mode_is_an_error(backend_name):
    net = built(Twice)
    with pytest.raises(ValueError, match=r"mode must be one of forward, .*; got mode='backward'"):
        ub.compare(net, net, X, mode="backward")


def test_a_model_that_is_not_built_is_an_error(backend_name):
    with pytest.raises(ub.NotBuiltError):
        ub.compare(Twice(), Twice(), X)


# half precision


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_is_compared(backend_name, half):
    if backend_name == "mxnet":
        pytest.skip("MXNet computes no dense layers in half precision on the CPU")

    def make(activation):
        return ub.cast(
            built(lambda: ub.MySequential(ub.Dense(6, activation=activation), ub.Dense(3))), half
        )

    a = make("relu")
    found = ub.compare(a, make("relu"), X)
    assert found, str(found)
    assert {row.dtypes for row in found.rows} == {(half, half)}
    found = ub.compare(a, make(None), X)
    assert (found.first_difference.name, found.cause) == ("0", "activation_missing"), str(found)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
@pytest.mark.skipif(not {"torch", "tensorflow"} <= set(HERE), reason="it needs both")
def test_half_precision_is_compared_across_frameworks(half):
    def make(on, last):
        names = ("tanh", "gelu", "tanh", last)
        net = built(lambda: ub.MySequential(*(ub.Dense(6, activation=n) for n in names)), on=on)
        return ub.cast(net, half)

    a = make("torch", "relu")
    found = ub.compare(a, make("tensorflow", "relu"), X)
    assert found, str(found)
    found = ub.compare(a, make("tensorflow", None), X)
    assert (found.first_difference.name, found.cause) == ("3", "activation_missing"), str(found)
