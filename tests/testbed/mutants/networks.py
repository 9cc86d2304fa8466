"""Random networks that are right: portable layers, composed at random, in Python's own words."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import unified_blocks as ub
from unified_blocks import ops
from unified_blocks.block.rules import ACTIVATIONS
from unified_blocks.reference.gradients import reference_of
from unified_blocks.reference.numpy_ops import substate


class Residual(ub.Block):
    """`X + scale · body(X)`, with a constant."""

    def __init__(self, body, scale=0.5):
        super().__init__()
        self.body = body
        self.scale = ub.Constant(scale)

    def forward(self, X):
        return X + self.scale * self.body(X)

    def reference(self, state, X):
        return X + state["scale"] * reference_of(self.body, substate(state, "body"), X)


class Twice(ub.Block):
    """One layer, used twice, and a random constant between."""

    def __init__(self, layer, units):
        super().__init__()
        self.layer = layer
        self.shift = ub.Constant(shape=(units,), initializer="normal")

    def forward(self, X):
        return self.layer(ops.tanh(self.layer(X) + self.shift))

    def reference(self, state, X):
        inner = substate(state, "layer")
        H = np.tanh(reference_of(self.layer, inner, X) + state["shift"])
        return reference_of(self.layer, inner, H)


class Heads(ub.Block):
    """Two heads over a body, in the form that a port may have: fused, tied, by other names."""

    def __init__(self, body, units, fused, tied, give):
        super().__init__()
        self.body, self.fused, self.give = body, fused, give
        if fused:
            self.both = ub.Dense(2 * units)
        else:
            self.start, self.end = ub.Dense(units), ub.Dense(units)
        self.last = ub.Dense(units, activation="tanh")
        if tied:  # one layer under two names
            self.again = self.last

    def forward(self, X):
        H = self.body(X)
        start, end = ops.split(self.both(H), 2, axis=-1) if self.fused else self.each(H)
        last = self.last if not hasattr(self, "again") else self.again
        return self.give(self.last(start), last(end))

    def each(self, H):
        return self.start(H), self.end(H)


@dataclass
class Ends:
    start: Any
    end: Any
    state: Any = None


class Places(NamedTuple):
    start: Any
    end: Any


@dataclass
class Nested:
    places: Any
    pair: Any


GIVES = (
    (
        lambda start, end: {"start": start, "end": end},
        lambda start, end: {"end": end, "start": start, "state": None},
        lambda start, end: Ends(start, end),
        lambda start, end: Places(start, end),
    ),
    (
        lambda start, end: (start, end),
        lambda start, end: [start, end],
        lambda start, end: [[start], (end,)],
    ),
    (
        lambda start, end: {"pair": (start, end), "places": {"end": end, "start": start}},
        lambda start, end: Nested(Places(start, end), [start, [end]]),
        lambda start, end: {"places": Ends(start, end), "state": None, "pair": [start, end]},
    ),
)
"""Structures of two outputs: those of a row hold the same, under the same names."""


def apart(numbers):
    """The numbers of a fused network for one that is not."""
    found = {}
    for name, array in numbers.items():
        if name.startswith("both."):
            start, end = np.split(array, 2)
            found |= {name.replace("both", "start"): start, name.replace("both", "end"): end}
        else:
            found[name] = array
    return found


LAYERS = (
    *("ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Sigmoid", "HardSigmoid", "Tanh"),
    *("Softplus", "Softsign", "Softmax", "LogSoftmax", "ReLU6", "HardSwish", "Mish", "PReLU"),
)
UNITS = st.integers(1, 7)


@st.composite
def dense(draw, units):
    activation = draw(st.sampled_from((None, *ACTIVATIONS)))
    bias = draw(st.sampled_from(("", "", ", use_bias=False")))
    return f"ub.Dense({units}, activation={activation!r}{bias})"


@st.composite
def block(draw, shape, depth):
    """The words for a block that takes an array of this shape, and the width of its output."""
    width = shape[-1]
    kinds = ["dense", "dense", "layer", "batch norm", "dropout"]
    if len(shape) == 3:
        kinds += ["attention", "recurrent"]
    if depth > 0:
        kinds += ["sequential", "parallel", "residual", "twice", "repeat"]
    kind = draw(st.sampled_from(kinds))
    if kind == "dense":
        units = draw(UNITS)
        return draw(dense(units)), units
    if kind == "layer":
        # The gradient of a LayerNorm of one number is 0, and of two nearly so: it is the rounding
        # of a difference, which 1 / √ε makes 316 times as large. No two frameworks share that.
        layers = LAYERS if width < 3 else (*LAYERS, "LayerNorm", "RMSNorm")
        return f"ub.{draw(st.sampled_from(layers))}()", width
    if kind == "batch norm":
        return "ub.BatchNorm()", width
    if kind == "attention":
        heads, each = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        bias = draw(st.sampled_from(("", ", use_bias=False")))
        return f"ub.MultiHeadAttention({heads * each}, {heads}{bias})", heads * each
    if kind == "recurrent":
        return draw(recurrent())
    if kind == "dropout":
        return "ub.Dropout(0.4)", width
    if kind == "sequential":
        return draw(sequential(shape, depth - 1))
    if kind == "parallel":
        branches = [draw(block(shape, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
        words, widths = zip(*branches, strict=True)
        return f"ub.Parallel({', '.join(words)})", sum(widths)
    if kind == "residual":
        body, units = draw(block(shape, depth - 1))
        return f"Residual(ub.MySequential({body}, {draw(dense(width))}))", width
    if kind == "twice":
        return f"Twice({draw(dense(width))}, {width})", width
    layer = draw(dense(width))
    times = draw(st.integers(1, 3))
    return f"ub.repeat(lambda: {layer}, {times})", width


@st.composite
def recurrent(draw):
    """The words for a recurrent layer, and the width of its output."""
    units, both = draw(st.integers(1, 4)), draw(st.booleans())
    name = draw(st.sampled_from(("RNN", "LSTM", "GRU")))
    more = draw(st.sampled_from(("", ", num_layers=2", ", use_bias=False")))
    return f"ub.{name}({units}, bidirectional={both}{more})", units * (1 + both)


@st.composite
def convolution(draw, c, h, w):
    """The words for a convolution of an image, and the shape of its output."""
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if c % g == 0]))
    channels = groups * draw(st.integers(1, 3))
    pads = [draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in (h, w)]
    strides = draw(st.tuples(st.integers(1, 3), st.integers(1, 2)))
    dilation, window, sizes = [], [], []
    for n, (before, after), s in zip((h, w), pads, strides, strict=True):
        room = n + before + after
        window.append(draw(st.integers(1, min(3, room))))
        most = (room - 1) // (window[-1] - 1) if window[-1] > 1 else 1
        dilation.append(draw(st.integers(1, min(2, most))))
        sizes.append((room - dilation[-1] * (window[-1] - 1) - 1) // s + 1)
    activation = draw(st.sampled_from((None, "relu", "tanh", "silu")))
    words = (
        f"ub.Conv2D({channels}, {tuple(window)}, {strides}, {tuple(pads)}, {tuple(dilation)}, "
        f"{groups}, activation={activation!r})"
    )
    return words, (channels, *sizes)


@st.composite
def image_layer(draw, shape):
    """The words for a layer of images `(c, h, w)`, and the shape of its output."""
    c, h, w = shape
    kinds = ["convolution", "convolution", "BatchNorm", "activation", "pad", "joined"]
    kinds += ["pool"] * (min(h, w) > 1) + ["grown"] * (max(h, w) < 5)
    if c > 1 and h * w > 5:  # of one channel it would undo any bias before it: that gradient is 0
        kinds.append("norm")
    kind = draw(st.sampled_from(kinds))
    if kind == "convolution":
        return draw(convolution(c, h, w))
    if kind == "pool":
        name, k = draw(st.sampled_from(("MaxPool2D", "AvgPool2D"))), draw(st.integers(1, 2))
        strides = draw(st.integers(1, 2))
        sizes = ((n - k) // strides + 1 for n in (h, w))
        return f"ub.{name}({k}, {strides})", (c, *sizes)
    if kind == "norm":
        return draw(st.sampled_from(("ub.GroupNorm(1)", "ub.LocalResponseNorm(3)"))), shape
    if kind == "activation":
        return f"ub.{draw(st.sampled_from(('ReLU', 'Tanh', 'SiLU', 'ReLU6', 'PReLU')))}()", shape
    if kind == "pad":
        top, left = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        return f"ub.ZeroPad2D((({top}, 0), ({left}, 1)))", (c, h + top, w + left + 1)
    if kind == "grown":
        way = draw(st.sampled_from(("nearest", "bilinear")))
        return f"ub.UpSampling2D(2, interpolation={way!r})", (c, 2 * h, 2 * w)
    if kind == "joined":
        channels = draw(st.integers(1, 3))
        words = f"ub.MySequential(), ub.Conv2D({channels}, 3, padding=1)"
        return f"ub.Parallel({words}, axis='channels')", (c + channels, h, w)
    return "ub.BatchNorm()", shape


@st.composite
def of_images(draw, shape):
    """The words for layers of images in a row, and the shape of what they give."""
    words = []
    for _ in range(draw(st.integers(1, 4))):
        part, shape = draw(image_layer(shape))
        words.append(part)
    return ", ".join(words), shape


@st.composite
def sequential(draw, shape, depth):
    words = []
    for _ in range(draw(st.integers(1, 4))):
        part, width = draw(block(shape, depth))
        words.append(part)
        shape = (*shape[:-1], width)
    return f"ub.MySequential({', '.join(words)})", shape[-1]


@st.composite
def networks(draw):
    """The words for a network, and an input for it."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, kind = draw(st.integers(1, 5)), draw(st.sampled_from(("vectors", "images", "indices")))
    if kind == "vectors":
        shape = (n, draw(UNITS))
        body, _ = draw(sequential(shape, 2))
        return body, generator.normal(size=shape)
    if kind == "images":
        shape = (n, draw(st.integers(1, 3)), draw(st.integers(1, 6)), draw(st.integers(1, 6)))
        before, given = draw(of_images(shape[1:]))
        body, _ = draw(sequential((n, int(np.prod(given))), 1))
        return f"ub.MySequential({before}, ub.Flatten(), {body})", generator.normal(size=shape)
    indices, units = draw(st.integers(2, 9)), draw(UNITS)
    shape = (n, draw(st.integers(1, 4)))
    body, _ = draw(sequential((*shape, units), 2))
    words = f"ub.MySequential(ub.Embedding({indices}, {units}), {body})"
    return words, generator.integers(0, indices, shape)


def made(words):
    """The network, on the default backend."""
    return eval(words, {"ub": ub, "Residual": Residual, "Twice": Twice})
