"""Networks written for Keras: blocks are functions, and the text is what a person would write."""

import os
import sys

import numpy as np
import pytest

import unified_blocks as ub
from testbed.keras_sources import (
    IMAGE,
    convolution_of,
    drawn,
    graph_of,
    is_as_numpy,
    is_formatted,
    weight,
    wide,
)
from unified_blocks.porting.operations.convolutions import Convolution
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.writing.keras.expressions import Step, Tensor
from unified_blocks.porting.writing.keras.variants import DifferentError, Line, Union

if "tensorflow" not in ub.available_backends():
    pytest.skip("TensorFlow is not installed", allow_module_level=True)

SOAK = bool(os.environ.get("UNIFIED_BLOCKS_SOAK"))


@pytest.fixture(autouse=True)
def of_tensorflow(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("what is written is a model of Keras'")


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


def test_two_tensors_that_each_stand_for_the_other_have_no_common_function():
    """As in MobileNetV3, whose units have an activation, or a gate, or none before their sum."""
    x, y, other = (Tensor((2, 4)) for _ in range(3))
    first = [Line(Step((held,), None, ()), 0, (), (held,)) for held in (x, y)]
    union = Union(first, [], [])
    makers = {held: line for line in first for held in line.outputs}
    assert union._read(x, y, makers, set(), 2) is x
    assert union._read(x, y, makers, {y}, 2) is y
    with pytest.raises(DifferentError):
        union._read(x, other, makers, set(), 2)


def test_a_very_deep_network_is_made(tmp_path):
    def make(b, x):
        for i in range(1100):
            (x,) = b.add(Elementwise("relu"), x, name=f"relu{i}", path=(f"relu{i}",))
        return x

    limit = sys.getrecursionlimit()
    try:
        text, _ = is_as_numpy(graph_of(make, (1,)), tmp_path)
    finally:
        sys.setrecursionlimit(limit)
    assert "sys.setrecursionlimit(" in text.source


def test_how_often_a_loop_runs_is_an_argument(tmp_path):
    def make(b, x):
        for stage, count in enumerate((2, 4, 3)):
            for i in range(count):
                path = (f"stage{stage}", f"unit{i}", "conv")
                name = ".".join(path)
                kinds = ("Stage", "Unit")
                (x,) = b.add(
                    *(convolution_of(3), x, weight(f"{name}.weight", 4, 4, 3, 3)),
                    name=name, path=path, kinds=kinds,
                )  # fmt: skip
                relu = (*path[:-1], "relu")
                (x,) = b.add(Elementwise("relu"), x, name=".".join(relu), path=relu, kinds=kinds)
        return x

    text, net = is_as_numpy(graph_of(make, IMAGE), tmp_path)
    assert "for i in range(blocks):" in text.source
    assert 'x = stage(x, 4, name="stage1")' in text.source
    assert len(net.trainable_variables) == 9


def test_layers_in_a_row_that_stand_in_one_place_have_no_function(tmp_path):
    def make(b, x):
        for i in range(3):
            for own in ("first", "second"):
                path = (f"cell{i}", "body", own)
                name = ".".join(path)
                (x,) = b.add(
                    *(convolution_of(3), x, weight(f"{name}.weight", 4, 4, 3, 3)),
                    name=name, path=path, kinds=("Cell", "HybridSequential"),
                )  # fmt: skip
            path = (f"cell{i}", "relu")
            (x,) = b.add(Elementwise("relu"), x, name=".".join(path), path=path, kinds=("Cell",))
        return x

    text, _ = is_as_numpy(graph_of(make, IMAGE), tmp_path)
    assert [line for line in text.source.split("\n") if line.startswith("def ")] == [
        "def cell(x: KerasTensor, *, name: str) -> KerasTensor:",
        "def build() -> keras.Model:",
        'def load(path: str = "net.safetensors") -> keras.Model:',
    ]


def test_inputs_keep_their_variables(tmp_path):
    def make(b, x, y):
        (x,) = b.add(Elementwise("relu"), x, name="first", path=("first",))
        (y,) = b.add(Elementwise("tanh"), y, name="second", path=("second",))
        return b.add(Elementwise("add"), x, y, name="sum", path=("sum",))

    graph = graph_of(make, IMAGE, IMAGE)
    graph.inputs[0].name, graph.inputs[1].name = "y", "x"
    is_as_numpy(graph, tmp_path)


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
            array = drawn(*each.shape, low=low, high=low + 0.2)
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
