"""Graphs by hand, written for Keras, loaded, and compared with NumPy."""

import importlib.util
import random
import shutil
import subprocess
from contextlib import contextmanager

import numpy as np

import unified_blocks as ub
from unified_blocks.files.state_files import write_state
from unified_blocks.porting.graph import Builder, parameter
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.operations.convolutions import Convolution
from unified_blocks.porting.structure import divided
from unified_blocks.porting.writing.keras import write

IMAGE = (4, 9, 7)
RUFF = shutil.which("ruff")
NOTHING = ((0, 0), (0, 0))


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


def drawn(*shape, low=-1.0, high=1.0):
    """Numbers that are the same in each test, whichever ran before: `random` is seeded for each."""
    return np.random.default_rng(random.getrandbits(32)).uniform(low, high, shape)


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


def convolution_of(size):
    return Convolution((1, 1), ((size // 2, size // 2),) * 2, (1, 1))
