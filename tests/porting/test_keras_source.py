"""A graph written for Keras: what the model computes, how it trains, and how it reads."""

import importlib.util
import os
import re
import shutil
import subprocess
from contextlib import contextmanager

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.errors import UnsupportedError
from unified_blocks.files.state_files import write_state
from unified_blocks.porting.graph import Builder, constant, parameter
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.operations.convolutions import Convolution, Linear
from unified_blocks.porting.operations.elementwise import Clip, Dropout, Elementwise
from unified_blocks.porting.operations.norms import BatchNorm
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.operations.pooling import AvgPool, GlobalPool, MaxPool
from unified_blocks.porting.operations.shapes import Concat, Reshape, Transpose
from unified_blocks.porting.structure import divided
from unified_blocks.porting.writing.keras import write

if "tensorflow" not in ub.available_backends():
    pytest.skip("TensorFlow is not installed", allow_module_level=True)

SOAK = bool(os.environ.get("UNIFIED_BLOCKS_SOAK"))
RNG = np.random.default_rng(0)
IMAGE = (4, 9, 7)
RUFF = shutil.which("ruff")


@pytest.fixture(autouse=True)
def of_tensorflow(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("what is written is a model of Keras'")


@contextmanager
def wide():
    """Layers and inputs are made in float64."""
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        with ub.get_backend("tensorflow").native_dtype("float64"):
            yield
    finally:
        keras.config.set_floatx(before)


def drawn(*shape, low=-1.0):
    return RNG.uniform(low, 1.0, shape)


def weight(name, *shape, low=-1.0, role="parameter"):
    return parameter(name, drawn(*shape, low=low), role, tuple(name.split(".")))


def graph_of(make, *shapes):
    """What `make` adds to a builder for inputs of these shapes, each without its batch."""
    graphs = []
    for batch in (2, 3):
        builder = Builder("small", "a test")
        inputs = [builder.input(f"x{i}", (batch, *shape)) for i, shape in enumerate(shapes)]
        given = make(builder, *inputs)
        builder.graph.outputs += given if isinstance(given, tuple) else (given,)
        graphs.append(builder.graph)
    graph, larger = graphs
    for mine, other in zip(values_in(graph), values_in(larger), strict=True):
        mine.growth = tuple(b - a for a, b in zip(mine.shape, other.shape, strict=True))
    return graph


def values_in(graph):
    return [*graph.inputs, *(value for node in graph.nodes for value in node.outputs)]


def written(graph, **options):
    return write(graph, divided(graph), name="small", **options)


def module_of(source, folder):
    (folder / "net.py").write_text(source)
    spec = importlib.util.spec_from_file_location("net", folder / "net.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def model_of(text, folder):
    write_state(text.state, folder / "net.safetensors")
    with wide():
        return module_of(text.source, folder).load(str(folder / "net.safetensors"))


def there(text, value, array):
    """An array as the model holds it."""
    return array.transpose(text.turned.get(value, range(array.ndim)))


def is_as_numpy(graph, folder, batch=2, **options):
    """The source and the model of a graph, once it is seen that the model computes the same."""
    text = written(graph, **options)
    is_formatted(text.source, folder)
    net = model_of(text, folder)
    arrays = {value.name: drawn(batch, *value.shape[1:]) for value in graph.inputs}
    expected = values_of(graph, arrays)
    given = [there(text, value, arrays[value.name]) for value in graph.inputs]
    found = net(given if len(given) > 1 else given[0], training=False)
    found = found if isinstance(found, list) else [found]
    for value, array in zip(graph.outputs, found, strict=True):
        wanted = there(text, value, expected[value])
        np.testing.assert_allclose(np.asarray(array), wanted, rtol=1e-9, atol=1e-9)
    return text, net


def is_formatted(source, folder):
    if RUFF is None:
        return
    (folder / "source.py").write_text(source)
    path = str(folder / "source.py")
    format_ = subprocess.run(
        [RUFF, "format", "--isolated", "--diff", path], capture_output=True, text=True, check=False
    )
    assert format_.returncode == 0, format_.stdout
    rules = "--select=A,B,C4,E,F,I,N,PIE,RET,RUF,SIM,UP,W"
    checked = subprocess.run(
        [RUFF, "check", "--isolated", rules, path], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


# Each operation


def convolution(*kernel, inside=4, outside=6, groups=1, strides=1, pads=0, dilation=1, bias=True):
    rank = len(kernel)
    padding = pads if isinstance(pads, tuple) else ((pads, pads),) * rank
    operation = Convolution(
        strides if isinstance(strides, tuple) else (strides,) * rank,
        padding,
        dilation if isinstance(dilation, tuple) else (dilation,) * rank,
        groups,
    )
    arrays = [weight("conv.weight", outside, inside // groups, *kernel)]
    arrays += [weight("conv.bias", outside)] if bias else []
    return lambda b, x: b.add(operation, x, *arrays, name="conv", path=("conv",))[0]


CONVOLUTIONS = {
    "plain": (convolution(3, 2), IMAGE),
    "same": (convolution(3, 5, pads=((1, 1), (2, 2)), bias=False), IMAGE),
    "strided": (convolution(3, 3, strides=2, pads=1), IMAGE),
    "strides that differ": (convolution(3, 3, strides=(2, 1), pads=((1, 1), (0, 0))), IMAGE),
    "more before": (convolution(3, 3, pads=((2, 0), (0, 2))), IMAGE),
    "dilated": (convolution(3, 3, pads=2, dilation=2), IMAGE),
    "groups": (convolution(3, 3, groups=2, pads=1), IMAGE),
    "depthwise": (convolution(3, 3, outside=4, groups=4, pads=1, strides=2), IMAGE),
    "depthwise, twice": (convolution(3, 2, outside=8, groups=4), IMAGE),
    "depthwise, strides that differ": (
        convolution(3, 3, outside=4, groups=4, strides=(2, 1)),
        IMAGE,
    ),
    "one channel": (convolution(3, 3, inside=1, outside=3), (1, 9, 7)),
    "of sequences": (convolution(3, strides=2, pads=1), (4, 11)),
    "depthwise, of sequences": (convolution(3, outside=8, groups=4, pads=1), (4, 11)),
    "of volumes": (convolution(3, 2, 2, pads=((1, 1), (0, 0), (1, 0))), (4, 5, 4, 6)),
    "of volumes, in groups": (convolution(3, 2, 2, outside=8, groups=4), (4, 5, 4, 6)),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution(name, tmp_path):
    make, shape = CONVOLUTIONS[name]
    is_as_numpy(graph_of(make, shape), tmp_path, batch=5)


NOTHING = ((0, 0), (0, 0))
POOLS = {
    "max": MaxPool((3, 2), (2, 2), NOTHING, NOTHING),
    "max, padded": MaxPool((3, 3), (2, 2), ((1, 1), (1, 1)), ((1, 1), (1, 1))),
    "max, same": MaxPool((3, 3), (1, 1), ((1, 1), (1, 1)), ((1, 1), (1, 1))),
    "max, full": MaxPool((2, 4), (2, 3), NOTHING, ((0, 1), (0, 0))),
    "avg": AvgPool((3, 2), (2, 2), NOTHING, NOTHING),
    "avg, padded": AvgPool((3, 3), (2, 2), ((1, 1), (1, 1)), ((1, 1), (1, 1))),
    "avg, same, not counted": AvgPool((3, 3), (1, 1), ((1, 1), (1, 1)), ((1, 1), (1, 1)), False),
    "avg, not counted": AvgPool((3, 3), (2, 2), ((1, 0), (1, 1)), ((1, 0), (1, 1)), False),
    "avg, full": AvgPool((2, 4), (2, 3), NOTHING, ((0, 1), (0, 0))),
    "avg, full and padded": AvgPool((3, 3), (3, 3), ((1, 1), (1, 1)), ((1, 1), (1, 2))),
    "avg, full, not counted": AvgPool(
        (3, 3), (3, 3), ((1, 1), (1, 1)), ((1, 1), (1, 2)), False
    ),
    "global max": GlobalPool("max"),
    "global avg": GlobalPool("avg"),
}  # fmt: skip


@pytest.mark.parametrize("name", POOLS)
def test_a_pooling(name, tmp_path):
    def make(b, x):
        return b.add(POOLS[name], x, name="pool", path=("pool",))[0]

    is_as_numpy(graph_of(make, IMAGE), tmp_path)


@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_norm(axis, frozen, tmp_path):
    width = IMAGE[axis % 4 - 1]
    arrays = [weight(f"norm.{each}", width) for each in ("gamma", "beta")]
    statistics = [weight("norm.mean", width, role="statistic")]
    statistics += [weight("norm.var", width, low=0.5, role="statistic")]
    norm = BatchNorm(2e-5, 0.9, axis, frozen)

    def make(b, x):
        return b.add(norm, x, *arrays, *statistics, name="norm", path=("norm",))[0]

    text, _ = is_as_numpy(graph_of(make, IMAGE), tmp_path)
    assert ("class FixedBatchNormalization" in text.source) == frozen


def test_a_function_of_each_number(tmp_path):
    def make(b, x):
        for function in ("relu", "sigmoid", "tanh", "softplus", "softsign", "exp", "negative"):
            (x,) = b.add(Elementwise(function), x, name=function)
        (x,) = b.add(Clip(-0.3, 6.0), x, name="between")
        (x,) = b.add(Clip(0.0, 6.0), x, name="relu6")
        (x,) = b.add(Dropout(0.5, (2,)), x, name="dropout")
        return x

    text, _ = is_as_numpy(graph_of(make, IMAGE), tmp_path, batch=5)
    assert 'layers.ReLU(6, name="relu6")' in text.source


def test_numbers_of_channels_are_turned_along(tmp_path):
    def make(b, x, y):
        (x,) = b.add(convolution_of(3), x, weight("c.weight", 6, 4, 3, 3), name="c")
        (x,) = b.add(Elementwise("multiply"), x, weight("scale", 1, 6, 1, 1), name="scaled")
        (x,) = b.add(Elementwise("add"), constant(drawn(6, 1, 1), "float64", "mean"), x, name="a")
        (x,) = b.add(Elementwise("subtract"), x, constant(0.5), name="half")
        (y,) = b.add(Reshape((y.shape[0], 6, 1, 1)), y, name="wide")
        return b.add(Elementwise("multiply"), y, x, name="gated")[0]

    text, net = is_as_numpy(graph_of(make, IMAGE, (6,)), tmp_path, batch=5)
    assert "Permute" not in text.source
    assert "ops.transpose" not in text.source
    assert [v.name for v in net.trainable_variables] == ["kernel", "value"]
    assert " - 0.5" in text.source


def convolution_of(size):
    return Convolution((1, 1), ((size // 2, size // 2),) * 2, (1, 1))


def test_a_channel_shuffle_needs_one_transpose(tmp_path):
    def make(b, x):
        n, c, h, w = x.shape
        (x,) = b.add(MaxPool((1, 1), (1, 1), NOTHING, NOTHING), x, name="first")
        (x,) = b.add(Reshape((n, 2, c // 2, h, w)), x, name="apart")
        (x,) = b.add(Transpose((0, 2, 1, 3, 4)), x, name="shuffled")
        (x,) = b.add(Reshape((n, c, h, w)), x, name="together")
        return b.add(MaxPool((1, 1), (1, 1), NOTHING, NOTHING), x, name="last")[0]

    text, _ = is_as_numpy(graph_of(make, IMAGE), tmp_path, batch=5)
    assert text.source.count("Permute") == 1


def test_the_head_of_a_detector_needs_no_transpose(tmp_path):
    def make(b, x):
        (x,) = b.add(convolution_of(3), x, weight("c.weight", 6, 4, 3, 3), name="c")
        (x,) = b.add(Transpose((0, 2, 3, 1)), x, name="turned")
        return b.add(Reshape((x.shape[0], 9 * 7, 6)), x, name="boxes")[0]

    text, _ = is_as_numpy(graph_of(make, IMAGE), tmp_path, batch=5)
    assert "Permute" not in text.source


@pytest.mark.parametrize("pooled", [True, False])
def test_a_flatten_of_many_pixels_needs_one_transpose(pooled, tmp_path):
    width = 4 if pooled else 4 * 9 * 7

    def make(b, x):
        if pooled:
            (x,) = b.add(GlobalPool("avg"), x, name="pool")
        else:
            (x,) = b.add(MaxPool((1, 1), (1, 1), NOTHING, NOTHING), x, name="pool")
        (x,) = b.add(Reshape((x.shape[0], width)), x, name="flat")
        return b.add(
            Linear(), x, weight("dense.weight", 5, width), weight("dense.bias", 5), name="dense"
        )[0]

    text, _ = is_as_numpy(graph_of(make, IMAGE), tmp_path, batch=5)
    assert text.source.count("Permute") == (0 if pooled else 1)
    assert ("Flatten" in text.source) is not pooled


def test_images_are_joined_along_their_channels(tmp_path):
    def make(b, x, y):
        (a,) = b.add(convolution_of(3), x, weight("c.weight", 6, 4, 3, 3), name="c")
        (a,) = b.add(Concat(1), a, y, name="joined")
        return a, b.add(Concat(-1), y, y, name="wide")[0]

    text, _ = is_as_numpy(graph_of(make, IMAGE, IMAGE), tmp_path)
    assert 'layers.Concatenate(name="joined")' in text.source


def test_images_may_have_their_channels_first_outside(tmp_path):
    make, shape = CONVOLUTIONS["strided"]
    graph = graph_of(make, shape)
    text, net = is_as_numpy(graph, tmp_path, layout="channels_first")
    assert net.input_shape == (None, *IMAGE)
    assert net.output_shape == (None, *graph.outputs[0].shape[1:])
    assert not {*text.turned} & {*graph.inputs, *graph.outputs}
    with pytest.raises(ValueError, match="layout must be one of"):
        written(graph, layout="NCHW")


def test_a_layer_that_is_called_twice_is_made_once(tmp_path):
    shared = weight("cell.dense.weight", 4, 4), weight("cell.dense.bias", 4)

    def make(b, x):
        for i in range(3):
            (x,) = b.add(Linear(), x, *shared, name=f"d{i}", path=("cell", "dense"))
            (x,) = b.add(Elementwise("tanh"), x, name=f"t{i}", path=("cell", "tanh"))
        return b.add(Linear(), x, *shared, name="d3", path=("cell", "dense"))[0]

    text, net = is_as_numpy(graph_of(make, (4,)), tmp_path)
    assert text.source.count("layers.Dense(") == 1
    assert {*text.state} == {"cell.dense.kernel", "cell.dense.bias"}
    assert len(net.weights) == 2


def test_what_has_no_word_is_refused_all_at_once():
    class Unknown(Operation):
        def infer(self, x):
            return [(x.shape, x.dtype)]

    def make(b, x):
        (x,) = b.add(Unknown(), x, name="first")
        return b.add(Unknown(), x, name="second")[0]

    with pytest.raises(UnsupportedError, match=r"first: Unknown(.|\n)*second: Unknown"):
        written(graph_of(make, IMAGE))


# Training


def small(frozen=(), fixed=True, always=False):
    """A network with a norm whose gamma is fixed and one whose is not; some arrays are frozen."""

    def role(name, usual="parameter"):
        return "frozen" if name in frozen else usual

    arrays = {
        "a.weight": drawn(4, 3, 3, 3), "a.bias": drawn(4), "n.beta": drawn(4),
        "n.gamma": np.ones(4) if fixed else drawn(4), "m.gamma": drawn(4), "m.beta": drawn(4),
        "d.weight": drawn(5, 4), "d.bias": drawn(5),
    }  # fmt: skip
    made = {
        name: parameter(name, array, role(name), tuple(name.split(".")))
        for name, array in arrays.items()
    }
    if fixed:
        made["n.gamma"].role = "frozen"
    for norm in "nm":
        for name, low in (("mean", -1.0), ("var", 0.5)):
            made[f"{norm}.{name}"] = weight(f"{norm}.{name}", 4, low=low, role="statistic")

    def make(b, x):
        (x,) = b.add(convolution_of(3), x, made["a.weight"], made["a.bias"], name="a")
        (x,) = b.add(Elementwise("relu"), x, name="a_relu")
        for norm in "nm":
            ones = [made[f"{norm}.{each}"] for each in ("gamma", "beta", "mean", "var")]
            (x,) = b.add(BatchNorm(2e-5, 0.9, 1, always), x, *ones, name=norm)
            (x,) = b.add(Elementwise("relu"), x, name=f"{norm}_relu")
        (x,) = b.add(GlobalPool("avg"), x, name="pool")
        (x,) = b.add(Reshape((x.shape[0], 4)), x, name="flat")
        return b.add(Linear(), x, made["d.weight"], made["d.bias"], name="d")[0]

    return graph_of(make, (3, 8, 8))


def trained(net):
    return {f"{layer.name}.{v.name}" for layer in net.layers for v in layer.trainable_variables}


def test_fixed_gammas_are_no_numbers_of_the_model(tmp_path):
    text, net = is_as_numpy(small(), tmp_path)
    assert "n.gamma" not in text.names
    assert "scale=False" in text.source
    assert trained(net) == {*text.state} - {each for each in text.state if ".moving_" in each}
    assert "n.beta" in trained(net)


@pytest.mark.parametrize(
    "frozen",
    [{"a.weight", "a.bias"}, {"a.weight"}, {"m.gamma", "m.beta"}, {"m.beta", "n.beta", "d.bias"}],
    ids=sorted,
)
@pytest.mark.parametrize("always", [False, True])
def test_frozen_arrays_stay_as_they_are(frozen, always, tmp_path):
    import keras
    import tensorflow as tf

    graph = small(frozen, fixed=False, always=always)
    text, net = is_as_numpy(graph, tmp_path)
    kept = {text.names[name] for name in frozen}
    net.save(tmp_path / "net.keras")
    with wide():
        again = keras.models.load_model(tmp_path / "net.keras")
    for model in (net, again):
        before = {f"{x.name}.{w.name}": np.array(w) for x in model.layers for w in x.weights}
        x = drawn(4, 8, 8, 3)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=True) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(0.1 * gradient)
        after = {f"{x.name}.{w.name}": np.array(w) for x in model.layers for w in x.weights}
        same = {name for name in before if np.array_equal(before[name], after[name])}
        counted = {"n.moving_mean", "n.moving_variance", "m.moving_mean", "m.moving_variance"}
        assert same == (kept | counted if always else kept)


def test_a_model_is_saved_exported_and_fitted(tmp_path):
    import keras
    import tensorflow as tf

    _, net = is_as_numpy(small(), tmp_path)
    x = drawn(4, 8, 8, 3)
    expected = np.asarray(net(x, training=False))
    net.save(tmp_path / "net.keras")
    with wide():
        again = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(np.asarray(again(x, training=False)), expected)
    net.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(exported.serve(x), expected, rtol=1e-12, atol=1e-12)
    net.compile("sgd", "mse")
    first = net.evaluate(x, np.zeros((4, 5)), verbose=0)
    net.fit(x, np.zeros((4, 5)), epochs=5, verbose=0)
    assert net.evaluate(x, np.zeros((4, 5)), verbose=0) < first


def test_a_convolution_in_groups_is_trained(tmp_path):
    import tensorflow as tf

    make, shape = CONVOLUTIONS["groups"]
    graph = graph_of(make, shape)
    text, net = is_as_numpy(graph, tmp_path)
    x = drawn(2, *shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(there(text, graph.inputs[0], x)) ** 2) / 2
    kernel = tape.gradient(loss, net.trainable_variables)[0].numpy()
    given = graph.nodes[0].inputs[1]
    step = np.zeros(given.shape)
    step[5, 1, 2, 0] = 1e-6
    original = given.data

    def total(sign):
        given.data = original + sign * step
        return (values_of(graph, {"x0": x})[graph.outputs[0]] ** 2).sum() / 2

    slope = (total(1) - total(-1)) / 2e-6
    np.testing.assert_allclose(kernel[2, 0, 1, 5], slope, rtol=1e-6)


# Names and files


def test_the_names_are_those_of_other_frameworks(tmp_path):
    _, net = is_as_numpy(small(fixed=False), tmp_path)
    expected = {
        *("a.weight", "a.bias", "n.weight", "n.bias", "n.running_mean", "n.running_var"),
        *("m.weight", "m.bias", "m.running_mean", "m.running_var", "d.weight", "d.bias"),
    }
    state = ub.state(net)
    assert {*state} == expected
    assert state["a.weight"].shape == (4, 3, 3, 3)


def test_a_file_of_other_names_is_refused(tmp_path):
    text = written(small())
    module = module_of(text.source, tmp_path)
    path = tmp_path / "net.safetensors"
    for state, name in (
        ({k: v for k, v in text.state.items() if k != "d.bias"}, "d.bias"),
        ({**text.state, "e.bias": drawn(5)}, "e.bias"),
    ):
        write_state(state, path)
        message = re.escape(f"names must be those of the network; got ['{name}']")
        with pytest.raises(ValueError, match=message):
            module.load(str(path))
    write_state({**text.state, "d.bias": drawn(6)}, path)
    with pytest.raises(ValueError, match="shape"):
        module.load(str(path))


# Blocks


def tower(counts=(3,), widths=(8,), strides=(1,)):
    """Stages of residual blocks, as a person would nest them."""

    def make(b, x):
        for stage, (count, width, stride) in enumerate(zip(counts, widths, strides, strict=True)):
            for i in range(count):
                x = residual(b, x, width, stride if i == 0 else 1, ("stages", str(stage), str(i)))
        return x

    return graph_of(make, (8, 16, 16))


def residual(b, x, width, stride, path):
    kinds = ("Stages", "HybridSequential", "Residual")

    def add(operation, *inputs, own):
        name = ".".join((*path, own))
        return b.add(operation, *inputs, name=name, path=(*path, own), kinds=kinds)[0]

    def conv(x, outside, size, stride, own):
        name = ".".join((*path, own, "weight"))
        operation = Convolution((stride,) * 2, ((size // 2, size // 2),) * 2, (1, 1))
        return add(operation, x, weight(name, outside, x.shape[1], size, size), own=own)

    y = conv(x, width, 3, stride, "conv1")
    y = add(Elementwise("relu"), y, own="relu")
    y = conv(y, width, 3, 1, "conv2")
    if x.shape[1] != width:
        x = conv(x, width, 1, stride, "downsample")
    return add(Elementwise("add"), x, y, own="sum")


def test_a_block_that_is_repeated_is_a_function_in_a_loop(tmp_path):
    text, net = is_as_numpy(tower(), tmp_path)
    assert text.source.count("def residual(") == 1
    assert text.source.count("layers.Conv2D(") == 2
    assert "for i in range(3):" in text.source
    assert net.get_layer("stages.0.2.conv2").filters == 8


def test_what_differs_between_calls_is_an_argument(tmp_path):
    text, net = is_as_numpy(tower((2, 3), (8, 16), (1, 2)), tmp_path)
    assert "filters: int" in text.source
    assert "for i in range(1, 3):" in text.source
    assert net.get_layer("stages.1.0.downsample").strides == (2, 2)
    assert "# (n, 8, 8, 16)" in text.source


def test_blocks_that_differ_in_a_few_statements_are_one_function(tmp_path):
    text, net = is_as_numpy(tower((2, 3, 1), (8, 16, 24), (1, 2, 1)), tmp_path, batch=3)
    assert text.source.count("def residual") == 1
    assert "if strides > 1:" in text.source
    assert 'padding="same" if strides == 1 else "valid"' in text.source
    assert [layer.name for layer in net.layers if layer.name.endswith("downsample")] == [
        "stages.1.0.downsample",
        "stages.2.0.downsample",
    ]


# Networks of the zoo


def zoo(name, size):
    """A network of MXNet's, with numbers in all its arrays, and what it is given."""
    from unified_blocks_mxnet.compat import mx

    net = mx.gluon.model_zoo.vision.get_model(name)
    net.initialize(mx.init.Xavier())
    net.cast("float64")
    x = drawn(2, 3, size, size)
    net(mx.nd.array(x, dtype="float64"))
    for each in net.collect_params().values():
        if each.name.endswith(("gamma", "beta", "running_mean", "running_var", "bias")):
            low = 0.5 if each.name.endswith(("gamma", "running_var")) else -0.1
            array = RNG.uniform(low, low + 0.2, each.shape)
            each.set_data(mx.nd.array(array, dtype="float64"))
    return net, x


SMALL = {
    "resnet18_v1": 32, "resnet18_v2": 32, "mobilenetv2_0.25": 64,
}  # fmt: skip
LARGE = {
    "resnet152_v1": 64, "densenet201": 224, "inceptionv3": 299, "mobilenetv2_1.0": 224,
    "mobilenet1.0": 224, "squeezenet1.1": 224, "alexnet": 224, "vgg11_bn": 224,
}  # fmt: skip
needs_mxnet = pytest.mark.skipif("mxnet" not in ub.available_backends(), reason="needs MXNet")


@needs_mxnet
@pytest.mark.parametrize("name", [*SMALL, *(LARGE if SOAK else ())])
def test_a_network_of_the_zoo(name, tmp_path):
    from unified_blocks_mxnet.compat import mx

    size = {**SMALL, **LARGE}[name]
    original, x = zoo(name, size)
    port = ub.port(original, "tensorflow", example=x)
    is_formatted(port.source, tmp_path)
    assert port.source.count("Permute") + port.source.count("ops.transpose") <= 1
    with wide():
        net = port.loaded()
    expected = original(mx.nd.array(x, dtype="float64")).asnumpy()
    found = np.asarray(net(x.transpose(0, 2, 3, 1), training=False))
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()


@needs_mxnet
@pytest.mark.parametrize(
    ("name", "size", "most"),
    [("resnet152_v1", 64, 120), ("resnet152_v2", 64, 120), ("densenet201", 224, 250),
     ("inceptionv3", 299, 250)],
)  # fmt: skip
def test_a_file_is_short(name, size, most, tmp_path):
    original, x = zoo(name, size)
    source = ub.port(original, "tensorflow", example=x).source
    is_formatted(source, tmp_path)
    assert source.count("\n") <= most


@needs_mxnet
def test_a_step_of_training_moves_the_same_numbers(tmp_path):
    import tensorflow as tf

    from unified_blocks_mxnet.compat import mx

    original, x = zoo("resnet18_v2", 32)
    port = ub.port(original, "tensorflow", example=x)
    with wide():
        net = port.loaded()
    weights = drawn(2, 1000)
    with tf.GradientTape() as tape:
        found = net(x.transpose(0, 2, 3, 1), training=True)
        loss = tf.reduce_sum(found * weights)
    gradients = dict(
        zip(
            (v.path for v in net.trainable_variables),
            tape.gradient(loss, net.trainable_variables),
            strict=True,
        )
    )
    before = {name: each.data().asnumpy() for name, each in original.collect_params().items()}
    given = mx.nd.array(x, dtype="float64")
    given.attach_grad()  # MXNet counts the statistics of a norm in its backward, if it runs
    with mx.autograd.record():
        expected = original(given)
        total = (expected * mx.nd.array(weights, dtype="float64")).sum()
    total.backward()
    is_near(found, expected.asnumpy())
    counted = {f"{layer.name}.{v.name}": v for layer in net.layers for v in layer.weights}
    seen = 0
    for name, each in original.collect_params().items():
        if name not in port.names:
            continue
        own = port.names[name]
        if "running" in name:
            kept = float(np.float32(0.9))  # MXNet has the momentum in float32, for any dtype
            batch = (each.data().asnumpy() - kept * before[name]) / (1 - kept)
            is_near(counted[own], 0.9 * before[name] + 0.1 * batch)
        elif each.grad_req != "null":
            gradient = np.asarray(gradients[counted[own].path])
            if gradient.ndim > 1:
                gradient = np.moveaxis(gradient, (-1, -2), (0, 1))
            is_near(gradient, each.grad().asnumpy())
        seen += 1
    assert seen > 60


def is_near(found, expected):
    assert np.abs(np.asarray(found) - expected).max() <= 1e-9 * np.abs(expected).max()


@needs_mxnet
@pytest.mark.skipif("torch" not in ub.available_backends(), reason="needs PyTorch")
def test_the_ports_to_pytorch_and_keras_are_compared(tmp_path):
    original, x = zoo("resnet18_v1", 32)
    ports = {name: ub.port(original, name, example=x) for name in ("torch", "tensorflow")}
    states = {name: ub.state(port.net) for name, port in ports.items()}
    left = {*states["torch"]} ^ {*states["tensorflow"]}
    assert {key.rpartition(".")[2] for key in left} <= {"num_batches_tracked"}
    for key, array in states["tensorflow"].items():
        np.testing.assert_allclose(array, states["torch"][key], rtol=1e-6)
