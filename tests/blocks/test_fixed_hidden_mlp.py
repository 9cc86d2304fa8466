"""The halving loop of `FixedHiddenMLP`, and its closed form in compiled graphs."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import graph, normal, run
from testbed.halving import NOT_FINITE, UNITS, starting_with


def hidden_layers(dtype):
    """What the loop starts with, by name: rows of UNITS numbers whose sum is finite."""
    info = np.finfo(dtype)
    ones = np.ones(UNITS, dtype)
    return {
        "zero": ones * 0,
        "below one": ones / 64,
        "exactly one": ones / UNITS,
        "just above one": ones / UNITS * (1 + info.eps),
        "exactly two": ones / UNITS * 2,
        "just above two": ones / UNITS * 2 * (1 + info.eps),
        "negative": -ones * 3,
        "1e30": normal(UNITS, dtype=dtype) * dtype_of(dtype)(1e30),
        "random": normal(UNITS, dtype=dtype, seed=1) * 100,
        "small and large": np.geomspace(1e-3, 1e12, UNITS).astype(dtype),
        "largest finite sum": ones * (info.max / UNITS),
    }


def dtype_of(name):
    return np.dtype(name).type


def run_compiled(backend_name, net, x, device):
    return ub.to_numpy(graph(backend_name, net)(ub.from_numpy(x, device=device)))


def loop(hidden):
    H = hidden
    while np.abs(H).sum() > 1:
        H = H / 2
    return H


@pytest.mark.parametrize("name", hidden_layers("float32"))
def test_the_loop_and_its_closed_form_give_the_same_bits(backend_name, device, dtype, name):
    hidden = hidden_layers(dtype)[name]
    net, x = starting_with(hidden, dtype, device)
    eager = run(net, x, device)
    assert eager.shape == ()
    expected = loop(hidden).astype("float64").sum()
    np.testing.assert_allclose(eager, expected, atol=1e-6 if dtype == "float32" else 1e-14)
    assert run_compiled(backend_name, net, x, device).tobytes() == eager.tobytes()


@pytest.mark.parametrize("name", hidden_layers("float32"))
def test_the_gradients_are_the_same_bits(backend_name, device, dtype, name):
    """Each halving is a multiplication: the gradient of the bias is 2^-k, exactly.

    Where that is subnormal TensorFlow takes it for zero, eagerly too.
    """
    hidden = hidden_layers(dtype)[name]
    net, x = starting_with(hidden, dtype, device)
    eager = ub.value_and_grad(net, x, loss="sum")[1]["dense.bias"]
    total, halvings = np.abs(hidden).sum(), 0
    while total > 1:
        total, halvings = total / 2, halvings + 1
    exact = dtype_of(dtype)(2.0) ** -halvings
    flushed = backend_name == "tensorflow" and exact < np.finfo(dtype).tiny
    assert (eager == (0 if flushed else exact)).all()
    found = graph_gradients(backend_name, net, x, device)["dense.bias"]
    assert found.tobytes() == eager.tobytes()


def graph_gradients(backend_name, net, x, device, xla=False):
    """Of a compiled forward, as of `ub.value_and_grad`: of all parameters, and of the input."""
    tensor = ub.from_numpy(x, device=device, copy=True)
    if backend_name == "torch":
        import torch

        torch.compiler.reset()
        sources = {**dict(net.named_parameters()), "x": tensor.requires_grad_()}
        output = torch.compile(net, backend="aot_eager", fullgraph=True)(tensor)
        found = torch.autograd.grad(output, list(sources.values()))
        return {name: g.cpu().numpy() for name, g in zip(sources, found, strict=True)}
    if backend_name == "tensorflow":
        import tensorflow as tf

        sources = [net.dense.kernel.value, net.dense.bias.value]

        @tf.function(jit_compile=xla)
        def gradients(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                output = net(x)
            return tape.gradient(output, [*sources, x])

        weight, bias, of_x = (np.asarray(t) for t in gradients(tensor))
        return {"dense.weight": weight.T, "dense.bias": bias, "x": of_x}
    net.hybridize()
    return ub.value_and_grad(net, tensor, loss="sum", wrt="both")[1]


@pytest.mark.parametrize("activation", [None, "relu"])
def test_all_gradients_are_the_same_bits_compiled(backend_name, device, dtype, activation):
    net, x = trained_on(dtype, device, activation)
    eager = ub.value_and_grad(net, x, loss="sum", wrt="both")[1]
    found = graph_gradients(backend_name, net, x, device)
    assert found.keys() == eager.keys()
    for name, gradient in eager.items():
        assert gradient.any()
        assert found[name].tobytes() == gradient.tobytes(), name


def test_all_gradients_are_the_same_in_xla(backend_name, device, dtype):
    if backend_name != "tensorflow":
        pytest.skip("it is TensorFlow's compiler")
    net, x = trained_on(dtype, device, "tanh")
    eager = ub.value_and_grad(net, x, loss="sum", wrt="both")[1]
    found = graph_gradients(backend_name, net, x, device, xla=True)
    for name, gradient in eager.items():
        atol = np.abs(gradient).max() * (1e-12 if dtype == "float64" else 1e-5)
        np.testing.assert_allclose(found[name], gradient, rtol=0, atol=atol)


def trained_on(dtype, device, activation):
    """A block with random numbers that is halved some times, and a batch for it."""
    net = ub.FixedHiddenMLP(UNITS, activation=activation, dtype=dtype)
    ub.initialize(ub.build(net, (1, UNITS)), 3, "torch_default")
    state = {name: array * 3 for name, array in ub.state(net).items()}
    return ub.to_device(ub.load_state(net, state), device), normal(5, UNITS, dtype=dtype)


@pytest.mark.parametrize("name", NOT_FINITE)
def test_not_finite_raises_eagerly(backend_name, device, dtype, name):
    net, x = starting_with(NOT_FINITE[name](dtype), dtype, device)
    with pytest.raises(ValueError, match=r"halved down to 1 must be finite; got (inf|nan)"):
        run(net, x, device)


@pytest.mark.parametrize("name", NOT_FINITE)
def test_not_finite_is_nan_in_a_graph(backend_name, device, dtype, name):
    net, x = starting_with(NOT_FINITE[name](dtype), dtype, device)
    assert np.isnan(run_compiled(backend_name, net, x, device))


@pytest.mark.parametrize("seed", range(20))
def test_random_networks_give_the_same_bits_compiled(backend_name, device, seed):
    """The halvings of random hidden layers of every size, not only of chosen ones."""
    scale = 10.0 ** np.random.default_rng(seed).uniform(-3, 25)
    hidden = (normal(UNITS, seed=seed) * scale).astype("float32")
    net, x = starting_with(hidden, "float32", device)
    eager = run(net, x, device)
    assert run_compiled(backend_name, net, x, device).tobytes() == eager.tobytes()
