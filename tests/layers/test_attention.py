"""`MultiHeadAttention` on queries, keys, values and masks, in graphs, in training and in files."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import graph, normal, run
from testbed.operations import gradients, semantics, tensors
from unified_blocks import ops

CALLS = {  # the shapes of query, key, value and mask, and causal
    "self": ((2, 4, 3), None, None, None, False),
    "cross": ((2, 4, 3), (2, 5, 6), None, None, False),
    "other values": ((2, 4, 3), (2, 5, 6), (2, 5, 7), None, False),
    "causal": ((2, 4, 3), None, None, None, True),
    "causal cross": ((2, 4, 3), (2, 6, 3), None, None, True),
    "each": ((2, 4, 3), (2, 5, 6), (2, 5, 7), (2, 4, 5), False),
    "of keys": ((2, 4, 3), (2, 5, 6), (2, 5, 6), (2, 1, 5), False),
    "of keys, short": ((2, 4, 3), (2, 5, 6), (2, 5, 6), (2, 5), False),
    "of all samples": ((2, 4, 3), (2, 5, 6), (2, 5, 7), (1, 4, 5), False),
    "of each, causal": ((3, 4, 3), (3, 4, 3), (3, 4, 3), (3, 4, 4), True),
}
TIGHT = {"rtol": 1e-9, "atol": 1e-10}


class Attends(ub.Block):
    """Attention where `seen` is above 0."""

    def __init__(self, causal, dropout=0.0, portable=False):
        super().__init__()
        attention = ub.MultiHeadAttention.on(ub.get_backend().name, portable=portable)
        self.attention = attention(6, 3, dropout)
        self.causal = causal

    def forward(self, query, key=None, value=None, seen=None):
        mask = None if seen is None else ops.greater(seen, 0)
        return self.attention(query, key, value, mask=mask, causal=self.causal)


def called(name, dtype="float64", dropout=0.0):
    """The block and its inputs; of a mask the first query, or key, is left out."""
    *shapes, mask, causal = CALLS[name]
    arrays = [normal(*s, dtype=dtype, seed=i) for i, s in enumerate(shapes) if s is not None]
    if mask is not None:
        arrays.append(normal(*mask, dtype=dtype, seed=5))
        arrays[-1][0, 0] = -1
    with ub.use_dtype(dtype):
        net = ub.build(Attends(causal, dropout), [a.shape for a in arrays])
    return ub.initialize(net, 1, "torch_default"), arrays


def reference(net, arrays):
    state = {k.removeprefix("attention."): a for k, a in ub.state(net).items()}
    query, key, value, seen = (*arrays, None, None, None)[:4]
    mask = None if seen is None else np.real(seen) > 0
    return net.attention.reference(state, query, key, value, mask, net.causal)


def output(net, arrays):
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, tensors(backend.name, arrays)))


@pytest.mark.parametrize("name", CALLS)
def test_it_is_its_reference(backend_name, name):
    net, arrays = called(name)
    found = output(net, arrays)
    np.testing.assert_allclose(found, reference(net, arrays), **TIGHT)
    if name in ("each", "of each, causal"):  # what attends to nothing gives zeros to `out`
        np.testing.assert_allclose(found[0, 0], ub.state(net)["attention.out.bias"], **TIGHT)


@pytest.mark.parametrize("name", CALLS)
def test_the_portable_forward_computes_the_same(backend_name, name):
    net, arrays = called(name)
    with ub.use_dtype("float64"):
        other = ub.build(Attends(net.causal, portable=True), [a.shape for a in arrays])
    assert type(other.attention) is not type(net.attention)
    ub.transfer(net, other)
    np.testing.assert_allclose(output(other, arrays), output(net, arrays), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", CALLS)
def test_gradients_are_those_of_the_reference(backend_name, name):
    net, arrays = called(name)
    if backend_name == "torch":
        net.eval()
    weight = normal(*reference(net, arrays).shape, dtype="float64", seed=9)
    with semantics(backend_name):
        found = gradients(backend_name, net, arrays, weight)
    wide = [array.astype("complex128") for array in arrays]
    for array, gradient in zip(wide, found, strict=True):
        expected = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            before = array[index]
            array[index] = before + 1e-200j
            expected[index] = np.sum(weight * reference(net, wide)).imag / 1e-200
            array[index] = before
        np.testing.assert_allclose(gradient, expected, **TIGHT)


@pytest.mark.parametrize("name", CALLS)
def test_in_a_graph(backend_name, name):
    net, arrays = called(name)
    if (backend_name, name) == ("mxnet", "of keys, short"):
        net.hybridize()
        with pytest.raises(Exception, match=r"Unmatching dimension"):
            output(net, arrays)
        return
    expected = output(net, arrays)
    if backend_name == "torch":
        net.eval()
    found = ub.to_numpy(graph(backend_name, net)(*tensors(backend_name, arrays)))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_a_row_that_attends_to_nothing_has_finite_gradients(backend_name):
    net, arrays = called("each", "float32")
    arrays[-1][:] = -1
    with semantics(backend_name):
        found = gradients(backend_name, net, arrays, np.ones((2, 4, 6), "float32"))
    assert all((gradient == 0).all() for gradient in found)


# each framework's graphs, of any sizes


@pytest.mark.parametrize("name", CALLS)
def test_exported_by_pytorch_with_sizes_that_vary(backend_name, name):
    if backend_name != "torch":
        pytest.skip("torch.export")
    from torch.export import Dim, export

    net, arrays = called(name)
    net.eval()
    n, q, k = Dim("n"), Dim("q"), Dim("k")
    shapes = [{0: n, 1: q}, {0: n, 1: k}, {0: n, 1: k}][: len(arrays)]
    if len(arrays) == 4:
        sizes = (n, q, k) if arrays[3].ndim == 3 else (n, k)
        shapes.append({i: size for i, size in enumerate(sizes) if arrays[3].shape[i] > 1})
    exported = export(net, tuple(tensors("torch", arrays)), dynamic_shapes=tuple(shapes))
    for each in (arrays, other_sizes(arrays)):
        found = exported.module()(*tensors("torch", each))
        np.testing.assert_allclose(found.detach(), reference(net, each), **TIGHT)


@pytest.mark.parametrize("name", ["each", "of all samples", "of each, causal"])
def test_traced_by_fx(backend_name, name):
    if backend_name != "torch":
        pytest.skip("torch.fx")
    from torch import fx

    net, arrays = called(name)
    traced = fx.symbolic_trace(net.eval())
    for each in (arrays, other_sizes(arrays)):
        found = traced(*tensors("torch", each)).detach()
        np.testing.assert_allclose(found, reference(net, each), **TIGHT)


def other_sizes(arrays):
    """Twice as many samples, and one query and one key less."""
    found = [np.concatenate([a, a])[:, :-1] for a in arrays[:3]]
    for mask in arrays[3:]:
        mask = mask[..., :-1] if mask.ndim == 2 or mask.shape[1] == 1 else mask[:, :-1, :-1]
        found.append(np.concatenate([mask, mask]) if len(mask) > 1 else mask)
    return found


@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_tensorflow_with_unknown_sizes(backend_name, name):
    if backend_name != "tensorflow":
        pytest.skip("tf.function")
    import tensorflow as tf

    net, arrays = called(name)
    shapes = [(None, None, a.shape[2]) for a in arrays[:3]]
    shapes += [(None,) * mask.ndim for mask in arrays[3:]]
    function = tf.function(net, input_signature=[tf.TensorSpec(s, "float64") for s in shapes])
    for each in (arrays, other_sizes(arrays)):
        np.testing.assert_allclose(function(*each), reference(net, each), **TIGHT)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.capability("symbol-files")
def test_exported_and_imported_by_gluon(backend_name, name, tmp_path):
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    if name == "of keys, short":
        pytest.skip("a symbol does not tell how many axes it has")
    net, arrays = called(name, "float32")
    net.hybridize()
    run_in = tensors("mxnet", arrays)
    expected = net(*run_in).asnumpy()
    net.export(str(tmp_path / "net"))
    names = ["data"] if len(arrays) == 1 else [f"data{i}" for i in range(len(arrays))]
    with numpy_semantics(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cannot decide type")
        loaded = mx.gluon.SymbolBlock.imports(
            str(tmp_path / "net-symbol.json"), names, str(tmp_path / "net-0000.params")
        )
        found = loaded(*run_in).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found, reference(net, arrays), rtol=1e-4, atol=1e-5)


# training


def test_dropout_is_of_the_weights(backend_name):
    """With one key each weight is 1, and dropped 0 or 2: so is what is taken from the value."""
    net = ub.build(ub.MultiHeadAttention(4, 4, dropout=0.5), (500, 1, 4))
    state = {name: np.zeros_like(array) for name, array in ub.state(net).items()}
    state |= {"value.bias": np.ones(4, "float32"), "out.weight": np.eye(4, dtype="float32")}
    ub.load_state(net, state)
    backend = ub.backend_of(net)
    x = [backend.from_numpy(normal(500, 1, 4))]
    assert (backend.to_numpy(backend.run(net, x, train=False)) == 1).all()
    found = backend.to_numpy(backend.run(net, x, train=True))
    assert set(np.unique(found)) == {0, 2}
    assert 0.4 < (found == 0).mean() < 0.6
    assert not np.array_equal(found[..., 0], found[..., 1]), "each head has its own"


def test_it_learns(backend_name):
    net = ub.MySequential(ub.MultiHeadAttention(6, 2), ub.Dense(2))
    x = normal(8, 4, 3)
    y = np.cumsum(x[..., :2], 1).astype("float32")
    history = ub.fit(
        ub.initialize(ub.build(net, x.shape), 1),
        x, y, loss="mse", optimizer=ub.Adam(0.0625), epochs=30, batch_size=4,
    )  # fmt: skip
    assert history.loss[-1] < 0.7 * history.loss[0]


# as an object


def test_one_for_all_frameworks(backend_name):
    net, arrays = called("each")
    for other in ub.available_backends():
        np.testing.assert_allclose(
            output(ub.convert(net, other, example=tuple(arrays)), arrays),
            output(net, arrays),
            **TIGHT,
        )


def test_copies_and_files(backend_name, tmp_path):
    net, arrays = called("each", dropout=0.25)
    expected = output(net, arrays)
    ub.save(net, tmp_path / "net.safetensors")
    copies = [copy.deepcopy(net), ub.load(tmp_path / "net.safetensors", backend=backend_name)]
    copies.append(pickle.loads(pickle.dumps(net)))
    if backend_name == "tensorflow":
        import keras

        net.save(tmp_path / "net.keras")
        copies.append(keras.models.load_model(tmp_path / "net.keras"))
    for each in copies:
        np.testing.assert_array_equal(output(each, arrays), expected)
        assert each.attention.drop is not None


def test_a_state_builds_it(backend_name):
    net, arrays = called("other values")
    state = {k.removeprefix("attention."): a for k, a in ub.state(net).items()}
    with ub.use_dtype("float64"):
        built = ub.load_state(ub.MultiHeadAttention(6, 3), state)
        given = ub.MultiHeadAttention(6, 3, in_units=3, key_units=6, value_units=7)
    assert {k: a.shape for k, a in ub.state(given).items()} == {
        k: a.shape for k, a in state.items()
    }
    np.testing.assert_array_equal(output(built, arrays), output(net, arrays))


def test_a_width_stands_for_those_after_it(backend_name):
    net = ub.MultiHeadAttention(6, 3, in_units=4)
    assert ub.state(net)["value.weight"].shape == (6, 4)
    net = ub.MultiHeadAttention(6, 3, in_units=4, key_units=5)
    assert ub.state(net)["value.weight"].shape == (6, 5)


@pytest.mark.capability("empty-batches")
def test_no_samples(backend_name):
    net, _ = called("self")
    assert output(net, [np.ones((0, 4, 3))]).shape == (0, 4, 6)


ERRORS = {
    "heads": ((7, 3), r"units must be a multiple of num_heads; got units=7 and num_heads=3"),
    "no heads": ((6, 0), "num_heads must be at least 1"),
    "no units": ((0, 1), "MultiHeadAttention: units must be at least 1"),
    "dropout": ((6, 3, 1.0), r"dropout must be in \[0, 1\); got dropout=1.0"),
}


@pytest.mark.parametrize("what", ERRORS)
def test_wrong_arguments(backend_name, what):
    arguments, message = ERRORS[what]
    with pytest.raises(ValueError, match=message):
        ub.MultiHeadAttention(*arguments)


def test_wrong_widths(backend_name):
    with pytest.raises(ValueError, match="key_units must be at least 1; got key_units=0"):
        ub.MultiHeadAttention(6, 3, key_units=0)
    net = ub.MultiHeadAttention(6, 3, in_units=4)
    with pytest.raises(ub.InputError, match=r"must have shape \(n, 4\)"):
        run(net, normal(2, 3, 5))


@pytest.mark.parametrize("shape", [(2, 4), (5, 3), (2, 1, 1, 3), (3, 5, 3), (2, 5, 4)])
def test_a_mask_of_another_shape(backend_name, shape):
    net = ub.MultiHeadAttention(6, 3)
    mask = ub.from_numpy(np.ones(shape, bool))
    query, key = (ub.from_numpy(normal(2, t, 3)) for t in (5, 3))
    message = r"a mask must broadcast to \(n, q, k\), \(2, 5, 3\); got .*mask\[None\]"
    with pytest.raises(ValueError, match=message):
        net(query, key, mask=mask)


def test_a_mask_of_numbers(backend_name):
    net, x = ub.MultiHeadAttention(6, 3), ub.from_numpy(normal(2, 4, 3))
    with pytest.raises(TypeError, match=r"must be given truth values; got a tensor of .*float32"):
        net(x, mask=ub.from_numpy(normal(1, 4, 4)))


SHAPES = {
    "widths": ((2, 3), (4, 2), (4, 2)),
    "keys and values": ((2, 3), (4, 3), (5, 3)),
    "ranks": ((1, 2, 3), (4, 3), (4, 3)),
    "batches": ((2, 2, 3), (1, 4, 3), (1, 4, 3)),
    "vectors": ((3,), (3,), (3,)),
}


@pytest.mark.parametrize("what", SHAPES)
def test_what_the_operation_is_given(backend_name, what):
    with semantics(backend_name), pytest.raises(ValueError, match="query, key and value must be"):
        ops.scaled_dot_product_attention(*tensors(backend_name, map(np.ones, SHAPES[what])))


# Keras


def test_a_mask_that_keras_passes_on(backend_name):
    """A native embedding's `mask_zero` hides the padding, as from Keras' own layer."""
    if backend_name != "tensorflow":
        pytest.skip("masks of Keras")
    import keras

    x = np.array([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    embedding = keras.layers.Embedding(7, 4, mask_zero=True)
    with ub.use_dtype("float32"):
        attention = ub.MultiHeadAttention(4, 2)
    H = embedding(x)
    found = attention(H)
    expected = attention(keras.ops.convert_to_tensor(H.numpy()), mask=(x != 0)[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (found._keras_mask.numpy() == (x != 0)).all()
    model = keras.Sequential([embedding, attention, keras.layers.Dense(1)])
    np.testing.assert_allclose(model(x), model.layers[-1](expected), rtol=1e-5)
