"""Networks of sequences as source code of each target: its numbers are those by NumPy."""

from itertools import count

import numpy as np
import pytest

from unified_blocks.dtypes import use_dtype
from unified_blocks.files.state_files import write_state
from unified_blocks.porting.graph import Builder, constant, parameter
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.operations.attention import MergeHeads, SplitHeads
from unified_blocks.porting.operations.convolutions import Linear
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.operations.embedding import Embedding
from unified_blocks.porting.operations.norms import LayerNorm
from unified_blocks.porting.operations.recurrent import Recurrent
from unified_blocks.porting.operations.sequences import (
    MaskedSoftmax,
    SequenceLast,
    SequenceMask,
    SequenceReverse,
)
from unified_blocks.porting.targets import target_of

LENGTHS = np.array([4, 1, 3])


@pytest.fixture(autouse=True)
def of_targets(backend_name):
    if backend_name == "mxnet":
        pytest.skip("it is what networks come from")


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.fixture(autouse=True)
def wide(backend):
    """Layers and inputs are made in float64."""
    if backend.name != "tensorflow":
        yield
        return
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    with backend.native_dtype("float64"):
        yield
    keras.config.set_floatx(before)


@pytest.fixture
def computed(backend, tmp_path):
    """What the source of a graph gives for some inputs, in float64."""
    target = target_of(backend.name)

    def run(graph, inputs):
        written = target.write(graph, "Net")
        write_state(written.state, tmp_path / "net.safetensors")
        names = {"__name__": "ported"}
        exec(compile(written.source, "net.py", "exec"), names)
        net = names["load"](str(tmp_path / "net.safetensors"))
        net = net.double() if backend.name == "torch" else net
        given = [backend.from_numpy(inputs[value.name], "cpu") for value in graph.inputs]
        several = [given] if backend.name == "tensorflow" and len(given) > 1 else given
        found = net(*several)
        found = found if isinstance(found, list | tuple) else [found]
        for value, each in zip(graph.outputs, map(backend.to_numpy, found), strict=True):
            order = written.turned.get(value, tuple(range(value.rank)))
            yield value, each.transpose(np.argsort(order)) if value.rank else each

    return run


def graph_of(operation, *inputs, batch=0, outputs=None, **arrays):
    """A graph of one layer, and what its user gives."""
    builder, given = Builder("Net"), {f"x{i}": x for i, x in enumerate(inputs)}
    values = [builder.input(name, x.shape, x.dtype.name) for name, x in given.items()]
    for value in values:
        value.growth = (0,) * value.rank
    values[0].growth = tuple(int(axis == batch) for axis in range(values[0].rank))
    numbers = [parameter(f"layer_{name}", x, path=("layer", name)) for name, x in arrays.items()]
    made = builder.add(operation, values[0], *numbers, *values[1:], name="layer")
    builder.graph.outputs = [
        builder.add(Elementwise("tanh"), value, name=f"tanh{i}")[0]
        for i, value in enumerate(made[:outputs])
    ]
    return builder.graph, given


def check(computed, graph, inputs):
    values = values_of(graph, inputs)
    for value, found in computed(graph, inputs):
        assert found.shape == value.shape
        np.testing.assert_allclose(found, values[value], rtol=0, atol=1e-12)


VARIANTS = {
    "plain": {},
    "batch first": {"batch_first": True},
    "two layers, two directions": {"num_layers": 2, "bidirectional": True, "dropout": 0.5},
    "states": {"states": True, "num_layers": 2, "batch_first": True},
    "states of two directions": {"states": True, "bidirectional": True},
    "lengths": {"lengths": True, "num_layers": 2, "bidirectional": True},
    "lengths and states": {"lengths": True, "states": True, "batch_first": True},
}


@pytest.mark.parametrize("with_states", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
def test_recurrent_layers(cell, variant, with_states, computed):
    layer = Recurrent(cell, 5, **VARIANTS[variant])
    inputs = [normal(3, 4, 2) if layer.batch_first else normal(4, 3, 2)]
    if layer.states:
        state = (layer.num_layers * layer.directions, 3, 5)
        inputs += [normal(*state, seed=i) for i in range(layer.state_count)]
    inputs += [LENGTHS] if layer.lengths else []
    arrays = {name: normal(*shape, seed=i) for i, (name, shape) in
              enumerate(layer.shapes(2).items())}  # fmt: skip
    batch = 0 if layer.batch_first else 1
    outputs = None if with_states else 1
    check(computed, *graph_of(layer, *inputs, batch=batch, outputs=outputs, **arrays))


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (4, 3, 2, 5)])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("kind", [SequenceMask, SequenceLast, SequenceReverse])
def test_sequences(kind, axis, shape, computed):
    x = normal(*shape).swapaxes(0, axis).copy()
    check(computed, *graph_of(kind(axis), x, LENGTHS, batch=1 - axis))
    if kind is not SequenceMask:
        check(computed, *graph_of(kind(axis), x, batch=1 - axis))


def test_a_mask_of_another_number(computed):
    check(computed, *graph_of(SequenceMask(0, -1.5), normal(4, 3, 2), LENGTHS, batch=1))


@pytest.mark.parametrize(
    ("axis", "lengths"), [(2, [[1, 2, 0], [4, 3, 4]]), (1, [[1, 2, 0, 1], [3, 3, 1, 2]])]
)
def test_softmax_of_lengths(axis, lengths, computed):
    check(computed, *graph_of(MaskedSoftmax(axis), normal(2, 3, 4), np.array(lengths)))


@pytest.mark.parametrize(("heads", "parts"), [(3, 1), (3, 3), (2, 2), (1, 1)])
def test_heads(heads, parts, computed):
    check(computed, *graph_of(SplitHeads(heads, parts), normal(5, 2, heads * parts * 4), batch=1))
    graph, inputs = graph_of(MergeHeads(heads), normal(2 * heads, 5, 4))
    graph.inputs[0].growth = (heads, 0, 0)
    check(computed, graph, inputs)


def test_embeddings_and_norms(computed):
    tokens = np.array([[0, 3, 6], [1, 1, 2]])
    check(computed, *graph_of(Embedding(), tokens, weight=normal(7, 4)))
    arrays = {"gamma": normal(5), "beta": normal(5, seed=1)}
    check(computed, *graph_of(LayerNorm(1e-3), normal(3, 4, 5), **arrays))


def test_a_layer_on_a_constant_belongs_to_the_network(computed):
    """As the first step of a cell, whose state is 0: the bias of its product is trained."""
    builder = Builder("Net")
    x = builder.input("x", (2, 3), "float64")
    x.growth = (1, 0)
    of_x, of_state = (
        [parameter(f"{name}_{each}", normal(*shape, seed=len(name)), path=(name, each))
         for each, shape in (("weight", (4, columns)), ("bias", (4,)))]
        for name, columns in (("i2h", 3), ("h2h", 4))
    )  # fmt: skip
    (h,) = builder.add(Linear(), constant(np.zeros((1, 4)), "float64", "begin"), *of_state,
                       name="first", path=("h2h",))  # fmt: skip
    (i,) = builder.add(Linear(), x, *of_x, name="i2h")
    (y,) = builder.add(Elementwise("add"), i, h, name="sum")
    (y,) = builder.add(Linear(), y, *of_state, name="second", path=("h2h",))
    i.growth = y.growth = (1, 0)
    builder.graph.outputs = [y]
    check(computed, builder.graph, {"x": normal(2, 3)})


COUNT = count()
"""Each source is a module of its own, since no two blocks of one have the same name."""


def portable(graph, inputs, backend, folder):
    """What a portable block of a graph gives, in float64."""
    written = target_of("unified_blocks").write(graph, "Net")
    write_state(written.state, folder / "net.safetensors")
    names = {"__name__": f"ported_{next(COUNT)}"}
    exec(compile(written.source, "net.py", "exec"), names)
    with use_dtype("float64"):
        net = names["load"](str(folder / "net.safetensors"), backend.name)
    found = net(*(backend.from_numpy(inputs[value.name], "cpu") for value in graph.inputs))
    return [backend.to_numpy(each) for each in (found if isinstance(found, tuple) else (found,))]


PORTABLE = {
    **{name: Recurrent("lstm", 5, **VARIANTS[name]) for name in VARIANTS},
    "GRU": Recurrent("gru", 5, num_layers=2, bidirectional=True, batch_first=True),
    "RNN": Recurrent("rnn_relu", 5),
    "LayerNorm": LayerNorm(1e-3),
    "SplitHeads": SplitHeads(1),
    "MergeHeads": MergeHeads(1),
}


@pytest.mark.parametrize("name", PORTABLE)
def test_portable_blocks(name, backend, tmp_path):
    operation = PORTABLE[name]
    inputs, arrays, outputs = [normal(3, 4, 2)], {}, None
    if isinstance(operation, Recurrent):
        inputs = inputs if operation.batch_first else [normal(4, 3, 2)]
        if operation.states:
            state = (operation.num_layers * operation.directions, 3, 5)
            inputs += [normal(*state, seed=i) for i in range(2)]
        inputs += [LENGTHS] if operation.lengths else []
        arrays = {each: normal(*shape) for each, shape in operation.shapes(2).items()}
        outputs = None if operation.batch_first else 1
    elif name == "LayerNorm":
        arrays = {"gamma": normal(2), "beta": normal(2, seed=1)}
    graph, given = graph_of(operation, *inputs, outputs=outputs, **arrays)
    values = values_of(graph, given)
    found = portable(graph, given, backend, tmp_path)
    for mine, value in zip(found, graph.outputs, strict=True):
        # The epsilon of a norm is in float32, as all frameworks hold it.
        np.testing.assert_allclose(mine, values[value], rtol=0, atol=1e-9)
