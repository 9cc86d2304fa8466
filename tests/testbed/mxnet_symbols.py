"""Symbols of MXNet, read and computed by NumPy as by MXNet itself."""

import re

import numpy as np

from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.mxnet.reader import Source, read_graph
from unified_blocks.porting.mxnet.symbols import symbol_of


def arrays_of(symbol, shapes, seed=0):
    """Random numbers for what a symbol takes, but for what has a shape here."""
    rng = np.random.default_rng(seed)
    found, _, counted = symbol.infer_shape(**shapes)
    names = zip(symbol.list_arguments(), found, strict=True)
    arrays = {name: rng.normal(size=shape) for name, shape in names if name not in shapes}
    for name, shape in zip(symbol.list_auxiliary_states(), counted, strict=True):
        arrays[name] = rng.uniform(0.5, 1.5, shape)
    return arrays


def read(symbol, inputs, arrays=None, **options):
    """The graph of a symbol, for inputs of such shapes, and arrays that are random by default."""
    shapes = {name: x.shape for name, x in inputs.items()}
    arrays = arrays_of(symbol, shapes) if arrays is None else arrays
    source = Source("Net", symbol_of(symbol.tojson()), arrays)
    given = {name: (x.shape, x.dtype.name) for name, x in inputs.items()}
    return read_graph(source, given, **options)


def in_float64(symbol):
    """The same symbol, with the zeros that it makes in float64."""
    from unified_blocks_mxnet.compat import mx

    return mx.sym.load_json(re.sub(r'("dtype": )"(float32|0)"', r'\1"float64"', symbol.tojson()))


def by_mxnet(symbol, inputs, arrays):
    """What MXNet gives for a symbol, in the dtypes of the inputs and arrays."""
    from unified_blocks_mxnet.compat import mx

    given = {k: mx.nd.array(v, dtype=v.dtype) for k, v in {**arrays, **inputs}.items()}
    taken = {*symbol.list_arguments(), *symbol.list_auxiliary_states()}
    bound = in_float64(symbol).bind(
        mx.cpu(),
        {name: given[name] for name in symbol.list_arguments()},
        aux_states={name: given[name] for name in symbol.list_auxiliary_states()},
    )
    assert taken <= given.keys()
    return [each.asnumpy() for each in bound.forward(is_train=False)]


def agree(symbol, inputs, arrays=None, tolerance=1e-9):
    """Check that a symbol means by NumPy what it does by MXNet; gives its graph."""
    shapes = {name: x.shape for name, x in inputs.items()}
    arrays = arrays_of(symbol, shapes) if arrays is None else arrays
    graph = read(symbol, inputs, arrays)
    values = values_of(graph, inputs)
    for value, expected in zip(graph.outputs, by_mxnet(symbol, inputs, arrays), strict=True):
        assert value.shape == expected.shape == values[value].shape
        scale = max(1, np.abs(expected).max(initial=0))
        assert np.abs(values[value] - expected).max(initial=0) <= tolerance * scale
    return graph


def exported(net, inputs, dtype="float64"):
    """A Gluon network with random numbers: its symbol, and its arrays.

    Args:
        net: a block that can be hybridized.
        inputs: an example of each input, by the name that it gets.
        dtype: of the numbers.
    """
    from unified_blocks_mxnet.compat import mx

    net.initialize(mx.init.Normal(0.5))
    net.cast(dtype)
    net(*(mx.nd.array(x, dtype=x.dtype) for x in inputs.values()))
    given = net(*map(mx.sym.var, inputs))
    symbol = mx.sym.Group(list(given)) if isinstance(given, list | tuple) else given
    arrays = {name: each.data().asnumpy() for name, each in net.collect_params().items()}
    return symbol, arrays


def kinds(graph):
    """The names of the operations of a graph, in order."""
    return [type(node.operation).__name__ for node in graph.nodes]
