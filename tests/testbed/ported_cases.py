"""Small graphs, one for each thing that the writers of classes must get right."""

from __future__ import annotations

from testbed.ported import Network
from unified_blocks.porting.graph import Graph, constant
from unified_blocks.porting.operations.elementwise import Clip, Dropout
from unified_blocks.porting.operations.pooling import AvgPool, GlobalPool, MaxPool
from unified_blocks.porting.operations.shapes import Concat, Reshape, Transpose


def residual() -> Graph:
    """Two residual blocks of one kind, one of another, with a shortcut."""
    net = Network(features="HybridSequential")
    net.kinds |= {f"features.{i}": "Residual" for i in range(6)}
    net.kinds |= {f"features.{i}.body": "HybridSequential" for i in range(6)}
    x = net.input(3, 8, 8)
    y = net.conv("features.0", x, 4)
    for i, (channels, stride) in enumerate([(4, 1), (4, 1), (8, 2), (8, 1)], 1):
        path = f"features.{i}"
        z = net.conv(f"{path}.body.0", y, channels, stride=stride, bias=False)
        z = net.norm(f"{path}.body.1", z)
        z = net.apply(f"{path}.body.2", "relu", z)
        z = net.conv(f"{path}.body.3", z, channels, bias=False)
        if stride > 1:
            y = net.conv(f"{path}.shortcut", y, channels, 1, stride)
        y = net.apply(f"{path}.relu", "relu", net.apply(f"{path}.add", "add", z, y))
    y = net.add("features.5", GlobalPool("avg"), y)
    return net.done(net.linear("output", net.flat("flat", y), 5))


def parallel() -> Graph:
    """Branches of one input, one of which does nothing, and numbers that progress."""
    net = Network()
    y = net.input(3, 6, 6)
    for i in range(4):
        z = net.norm(f"dense.{i}.1.0", y)
        z = net.conv(f"dense.{i}.1.1", net.apply(f"dense.{i}.1.relu", "relu", z), 4)
        y = net.concat(f"dense.{i}.concat", y, z)
    return net.done(net.conv("last", y, 2, 1))


def tied() -> Graph:
    """A matrix of two layers, a layer that is called twice, and a block, too."""
    net = Network(twice="Block")
    y = net.linear("first", x := net.input(4), 4)
    weight = net.graph.nodes[-1].inputs[1]
    y = net.linear("second", y, 4, weight=weight)  # type: ignore[arg-type]
    node = net.graph.nodes[-1]
    again = net.add("second", node.operation, y, *node.inputs[1:])
    first = len(net.graph.nodes)
    y = net.apply("twice.act", "relu", net.linear("twice.linear", again, 4))
    for node in net.graph.nodes[first:]:
        y = net.add(".".join(node.path), node.operation, y, *node.inputs[1:])
    return net.done(net.apply("sum", "add", x, y))


def own_numbers() -> Graph:
    """Parameters and constants that no layer owns, in blocks, and written constants."""
    net = Network(scale="Scale")
    y = net.apply("scale.times", "multiply", net.input(3, 5), net.numbers("scale.factor", 3, 1))
    y = net.apply("scale.plus", "add", y, net.numbers("scale.shift", 1, 5, role="constant"))
    y = net.apply("half", "multiply", y, constant(0.1))
    return net.done(net.apply("minus", "subtract", constant(2.0), y))


def several() -> Graph:
    """Two inputs, two outputs; a block with two inputs and two outputs."""
    net = Network(mix="Mix")
    x, y = net.input(3, name="left"), net.input(4, name="right")
    z = net.apply("mix.add", "add", net.linear("mix.a", x, 5), net.linear("mix.b", y, 5))
    w = net.apply("mix.act", "tanh", z)
    v = net.apply("mix.product", "multiply", z, net.linear("mix.c", w, 5))
    return net.done(net.linear("end", w, 2), v)


def fused() -> Graph:
    """Layers that do more: an activation behind, a flattening before."""
    net = Network()
    net.kinds |= {"features.0": "Conv2D", "features.2": "Dense", "features.3": "Dense"}
    y = net.conv("features.0.conv", net.input(3, 4, 4), 4)
    for each in net.graph.nodes[-1].parameters:
        each.path = ("features", "0", each.path[-1])
    y = net.apply("features.0.act", "relu", y)
    y = net.add("features.1", MaxPool((2, 2), (2, 2), ((0, 0),) * 2, ((0, 0),) * 2), y)
    for i in (2, 3):
        y = net.linear(
            f"features.{i}.linear", net.flat(f"features.{i}.flat", y) if i == 2 else y, 6
        )
        for each in net.graph.nodes[-1].parameters:
            each.path = ("features", str(i), each.path[-1])
        y = net.apply(f"features.{i}.act", "relu", y)
    return net.done(y)


def long_row() -> Graph:
    """Layers that follow each other again and again in one row."""
    net = Network()
    y = net.input(3, 8, 8)
    for i, channels in enumerate([4, 8, 8, 16, 8, 4]):
        y = net.conv(f"features.{3 * i}", y, channels, stride=1 + i % 2, bias=False)
        y = net.norm(f"features.{3 * i + 1}", y)
        y = net.apply(f"features.{3 * i + 2}", "relu", y)
    return net.done(y)


def shapes() -> Graph:
    """Reshapes that are right for each batch."""
    net = Network()
    y = net.add("split", Reshape((2, 2, 3, 4)), net.input(6, 4))
    y = net.add("turn", Transpose((0, 2, 1, 3)), y)
    y = net.add("join", Reshape((2, 6, 4)), y)
    z = net.add("many", Reshape((4, 3, 4)), y)
    z = net.add("back", Reshape((2, 6, 4)), z)
    return net.done(net.add("both", Concat(2), y, z))


def pools() -> Graph:
    """Poolings of all kinds."""
    net = Network()
    x = net.input(3, 9, 9)
    pad, more = ((1, 1),) * 2, ((1, 2),) * 2
    y = net.add("pools.0", MaxPool((3, 3), (2, 2), pad, more), x)
    y = net.add("pools.1", AvgPool((3, 3), (1, 1), pad, pad, False), y)
    y = net.add("pools.2", Clip(0, 6), y)
    y = net.add("pools.3", Clip(-1, 2), y)
    return net.done(net.add("pools.4", Dropout(0.25), y))


def names() -> Graph:
    """Names that are no attributes, and one that every module has."""
    net = Network()
    y = net.linear("0", net.input(3), 4)
    z = net.linear("1", y, 4)
    y = net.apply("sum", "add", y, z)
    return net.done(net.linear("class", net.linear("a-b", y, 3), 3))


def opened() -> Graph:
    """A block whose parts run at different times, with others in between."""
    net = Network(a="A", a__inner="Inner")
    y = net.linear("a.one", net.input(3), 4)
    y = net.linear("between", net.apply("act", "tanh", y), 4)
    y = net.linear("a.inner.two", y, 4)
    z = net.linear("other", y, 4)
    return net.done(net.apply("sum", "add", z, net.linear("a.inner.three", z, 4)))


CASES = (
    opened,
    residual,
    parallel,
    tied,
    own_numbers,
    several,
    fused,
    long_row,
    shapes,
    pools,
    names,
)
