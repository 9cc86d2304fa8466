"""Each operation of a graph, written for Keras: the model computes what NumPy does."""

import pytest

import unified_blocks as ub
from testbed.keras_sources import (
    CONVOLUTIONS,
    IMAGE,
    NOTHING,
    convolution_of,
    drawn,
    graph_of,
    is_as_numpy,
    weight,
    written,
)
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import constant
from unified_blocks.porting.operations.convolutions import Linear
from unified_blocks.porting.operations.elementwise import Clip, Dropout, Elementwise
from unified_blocks.porting.operations.norms import BatchNorm
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.operations.pooling import AvgPool, GlobalPool, MaxPool
from unified_blocks.porting.operations.shapes import Concat, Reshape, Transpose

if "tensorflow" not in ub.available_backends():
    pytest.skip("TensorFlow is not installed", allow_module_level=True)


@pytest.fixture(autouse=True)
def of_tensorflow(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("what is written is a model of Keras'")


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution(name, tmp_path):
    make, shape = CONVOLUTIONS[name]
    is_as_numpy(graph_of(make, shape), tmp_path, batch=5)


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


def test_numbers_of_the_network_are_taken_where_what_a_node_gives_is(tmp_path):
    def make(b, x):
        image = weight("image", 2, 4, 6, 5)
        (pooled,) = b.add(MaxPool((2, 2), (1, 1), NOTHING, NOTHING), image, name="pooled")
        (turned,) = b.add(Transpose((0, 1, 3, 2)), weight("turned", 2, 4, 6, 5), name="turn")
        (x,) = b.add(convolution_of(3), x, weight("c.weight", 4, 4, 3, 3), name="c")
        return b.add(Concat(0), x, image, name="joined")[0], pooled, turned

    graph = graph_of(make, (4, 6, 5))
    text, _ = is_as_numpy(graph, tmp_path)
    assert {*text.state} == {"c.kernel", "image.value", "turned.value"}


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
