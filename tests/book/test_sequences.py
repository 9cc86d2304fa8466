"""The recurrent networks of the book: as NumPy has them, trained, in files and in graphs."""

import copy
import warnings

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import graph, run
from testbed.gallery import EXAMPLES, example
from unified_blocks.reference.numpy_ops import dense, softmax, substate

VOCABULARY, STEPS = 11, 4
NAMES = ("rnn_lm", "lstm_lm", "gru_lm", "deep_lm", "bidirectional", "seq2seq")
every = pytest.mark.parametrize("name", NAMES)
TOKENS = np.random.default_rng(0).integers(1, VOCABULARY, (3, 9))
TOKENS[0, 3:5] = TOKENS[1, 4:5] = 0  # padding in two of the sentences to translate
LABELS = np.random.default_rng(1).integers(0, VOCABULARY, (3, 9))


def made(name, backend_name, dtype="float64"):
    """One of the networks, with numbers; small, so that five steps do not saturate it."""
    with ub.use_backend(backend_name) as backend, ub.use_dtype(dtype):
        if name == "seq2seq":
            net = example("book/seq2seq").Seq2Seq(VOCABULARY, VOCABULARY, STEPS, units=5)
        else:
            net = getattr(example("book/rnn_lm"), name)(VOCABULARY, 5)
        backend.run(net, [backend.from_numpy(TOKENS)])
    return ub.initialize(net, 4, "torch_default")


def reference(name, net, state, X):
    """The logits, in NumPy."""
    if name != "seq2seq":
        H = net.rnn.reference(substate(state, "rnn"), state["embedding.weight"][X])
        return dense(H, state, "out")
    source, target = X[:, :-STEPS], X[:, -STEPS:]
    E = net.encoder.reference(substate(state, "encoder"), state["source.weight"][source])
    E, h = E[0], E[1][0]
    keys, words = E @ state["key.weight"].T, state["target.weight"][target]
    outputs = []
    for k in range(STEPS):
        query = (h @ state["attention.query.weight"].T)[:, None]
        scores = np.tanh(keys + query) @ state["attention.score.weight"].T
        scores = np.where((source == 0)[..., None], -1e9, scores)
        context = (softmax(scores, 1) * E).sum(1)
        step = np.concatenate([context, words[:, k]], -1)
        h = net.decoder.reference(substate(state, "decoder"), step, h)
        outputs.append(h)
    return dense(np.stack(outputs, 1), state, "out")


def loss_of(logits, labels):
    """The mean cross-entropy, of logits that may be complex."""
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return -np.take_along_axis(logs, labels[..., None], -1).mean()


def cross_entropy(logits, labels):
    """The same of tensors: a label for each step."""
    flat = ub.ops.reshape(logits, (-1, VOCABULARY))
    return ub.ops.cross_entropy(flat, ub.ops.reshape(labels, (-1,)))


def labels_for(name):
    return LABELS[:, :STEPS] if name == "seq2seq" else LABELS


@every
def test_outputs(backend_name, name):
    net = made(name, backend_name)
    found = output(net)
    np.testing.assert_allclose(found, reference(name, net, ub.state(net), TOKENS), 1e-12, 1e-12)


def output(net):
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(TOKENS)]))


@every
def test_gradients(backend_name, name):
    """Along random directions, by the complex step; of each parameter apart."""
    net, labels = made(name, backend_name), labels_for(name)
    value, found = ub.value_and_grad(net, TOKENS, labels, loss=cross_entropy)
    state = ub.state(net)
    assert value == pytest.approx(loss_of(reference(name, net, state, TOKENS), labels), rel=1e-12)
    assert list(found) == list(state)
    generator = np.random.default_rng(2)
    for parameter, array in state.items():
        along = generator.normal(size=array.shape)
        moved = state | {parameter: array + 1e-200j * along}
        expected = loss_of(reference(name, net, moved, TOKENS), labels).imag / 1e-200
        assert (found[parameter] * along).sum() == pytest.approx(expected, rel=1e-9, abs=1e-14)


@every
def test_five_steps(backend_name, name):
    """All frameworks that are here take the same steps; of dropout none has the same."""
    labels, nets = labels_for(name), {}
    for other in ub.available_backends():
        net = nets[other] = made(name, other)
        if name == "deep_lm":
            continue
        trainer = ub.Trainer(net, ub.SGD(0.5, 0.875), cross_entropy)
        losses = [float(ub.to_numpy(trainer.step(TOKENS, labels))) for _ in range(5)]
        assert losses[-1] < losses[0]
    first = ub.state(nets[backend_name])
    for net in nets.values():
        for parameter, array in ub.state(net).items():
            np.testing.assert_allclose(array, first[parameter], rtol=1e-9, atol=1e-11)


@every
def test_in_a_graph(backend_name, name):
    net = made(name, backend_name)
    if backend_name == "torch":
        net.eval()
    eager = run(net, TOKENS)
    found = graph(backend_name, net)(ub.from_numpy(TOKENS))
    np.testing.assert_allclose(ub.to_numpy(found), eager, rtol=1e-12, atol=1e-14)


@every
def test_gradients_of_a_graph(backend_name, name):
    if backend_name != "mxnet":
        pytest.skip("a trainer of the others runs graphs as it is")
    net, labels = made(name, backend_name), labels_for(name)
    _, eager = ub.value_and_grad(net, TOKENS, labels, loss=cross_entropy)
    net.hybridize()
    _, found = ub.value_and_grad(net, TOKENS, labels, loss=cross_entropy)
    for parameter, array in eager.items():
        np.testing.assert_allclose(found[parameter], array, rtol=1e-10, atol=1e-12)


@every
def test_moved_to_every_framework(backend_name, name):
    net = made(name, backend_name)
    for other in ub.available_backends():
        np.testing.assert_allclose(output(ub.convert(net, other)), output(net), 1e-12, 1e-12)


# PyTorch warns of its own recurrent layers, too.
@pytest.mark.filterwarnings("ignore:The tensor attributes .*_flat_weights")
@every
def test_exported_by_torch(backend_name, name):
    if backend_name != "torch":
        pytest.skip("torch.export is PyTorch's")
    import torch

    net = made(name, "torch").eval()
    x = torch.from_numpy(TOKENS)
    program = torch.export.export(net, (x,))
    np.testing.assert_array_equal(program.module()(x).detach().numpy(), output(net))


@every
@pytest.mark.capability("symbol-files")
def test_exported_and_imported_by_gluon(backend_name, name, tmp_path):
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    net = made(name, "mxnet", "float32")
    net.hybridize()
    expected = run(net, TOKENS)
    net.export(str(tmp_path / "net"))
    with numpy_semantics(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cannot decide type")
        files = (str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params"))
        loaded = mx.gluon.SymbolBlock.imports(*files)
        found = loaded(ub.from_numpy(TOKENS, "mxnet")).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@every
@pytest.mark.capability("keras-files")
def test_saved_and_loaded_by_keras(backend_name, name, tmp_path):
    import keras

    net = made(name, "tensorflow")
    net.save(tmp_path / "net.keras")
    loaded = keras.models.load_model(tmp_path / "net.keras")
    assert type(loaded) is type(net)
    np.testing.assert_array_equal(output(loaded), output(net))


@every
@pytest.mark.capability("keras-files")
def test_exported_by_keras(backend_name, name, tmp_path):
    from testbed.served import served

    net = made(name, "tensorflow")
    np.testing.assert_allclose(served(net, tmp_path, TOKENS), output(net), rtol=1e-9, atol=1e-12)


@every
def test_a_copy_is_apart(backend_name, name):
    net = made(name, backend_name)
    twin = copy.deepcopy(net)
    ub.initialize(net, 9)
    assert np.abs(output(twin) - output(net)).max() > 1e-3


@pytest.mark.parametrize("module", ["rnn_lm", "seq2seq"])
def test_an_example_is_short(module):
    assert len((EXAMPLES / "book" / f"{module}.py").read_text().splitlines()) <= 60
