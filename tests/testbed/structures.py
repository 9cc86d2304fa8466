"""Models that give two arrays in any structure, and structures to give them in."""

from collections import OrderedDict, UserDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import unified_blocks as ub


class Span(NamedTuple):
    start: Any
    end: Any


class Reversed(NamedTuple):
    end: Any
    start: Any


@dataclass
class Marks:
    start: Any
    end: Any = None


@dataclass
class Wrapped:
    logits: Any


class Hidden:
    """An object that nothing looks into."""

    def __init__(self, value):
        self.value = value


SAME = {
    "dict": (lambda a, b: {"start": a, "end": b}, lambda a, b: {"end": b, "start": a}),
    "ordered": (lambda a, b: OrderedDict(start=a, end=b), lambda a, b: {"end": b, "start": a}),
    "mapping": (lambda a, b: UserDict(start=a, end=b), lambda a, b: UserDict(end=b, start=a)),
    "numbered": (lambda a, b: {0: a, 1: b}, lambda a, b: {1: b, 0: a}),
    "named tuple": (Span, lambda a, b: Span(end=b, start=a)),
    "named tuple and tuple": (Span, lambda a, b: (a, b)),
    "named tuples in another order": (Span, lambda a, b: Reversed(b, a)),
    "dataclass": (Marks, lambda a, b: Marks(end=b, start=a)),
    "dataclass and dict": (Marks, lambda a, b: {"end": b, "start": a}),
    "nested": (lambda a, b: (a, {"x": [b, a]}), lambda a, b: [a, {"x": (b, a)}]),
    "lists in lists": (lambda a, b: (a, (b, a)), lambda a, b: [a, b, a]),
    "a list of dicts": (lambda a, b: [{"y": a}, {"y": b}], lambda a, b: ({"y": a}, {"y": b})),
    "None": (lambda a, b: (a, None, b), lambda a, b: [a, None, b]),
    "None by name": (lambda a, b: {"x": a, "y": None, "z": b}, lambda a, b: {"z": b, "x": a}),
    "alone": (lambda a, b: a + b, lambda a, b: {"logits": a + b}),
    "alone beside None": (lambda a, b: a + b, lambda a, b: (a + b, None)),
}
"""Two structures that say the same."""

OTHER = {
    "dict": (lambda a, b: {"start": a, "end": b}, lambda a, b: {"start": b, "end": a}),
    "mapping": (lambda a, b: UserDict(start=a, end=b), lambda a, b: UserDict(start=b, end=a)),
    "named tuple": (Span, lambda a, b: Span(b, a)),
    "named tuple and tuple": (Span, lambda a, b: (b, a)),
    "dataclass": (Marks, lambda a, b: Marks(b, a)),
    "named tuples in another order": (Span, lambda a, b: Reversed(a, b)),
    "dataclass beside": (lambda a, b: (a, Wrapped(b)), lambda a, b: (a, Wrapped(b * 2))),
    "dataclass alone": (lambda a, b: Wrapped(a), lambda a, b: Wrapped(a * 2)),
    "nested": (lambda a, b: {"x": Marks(a, {"y": b})}, lambda a, b: {"x": Marks(a, {"y": a})}),
    "one more": (lambda a, b: {"start": a}, lambda a, b: {"start": a, "end": b}),
    "one less": (lambda a, b: Marks(a, b), lambda a, b: Marks(a, None)),
    "another name": (lambda a, b: {"start": a}, lambda a, b: {"end": a}),
    "None elsewhere": (lambda a, b: (a, None, b), lambda a, b: (a, b, None)),
    "a number": (lambda a, b: {"y": a, "n": 3}, lambda a, b: {"y": a, "n": 4}),
}
"""Two structures that do not."""

NOTHING = {
    "None": lambda a, b: None,
    "empty": lambda a, b: {"x": [], "y": None},
    "an object": lambda a, b: Hidden(a),
    "a number": lambda a, b: 3,
}
"""Structures without a tensor that can be found."""


class Giving(ub.Block):
    """Two dense layers, `a` and `b`, and what `give` makes of what they give."""

    def __init__(self, give):
        super().__init__()
        self.a, self.b = ub.Dense(4), ub.Dense(4)
        self.give = give

    def forward(self, X):
        return self.give(self.a(X), self.b(X))


def giving(backend_name, give):
    """The same, a native model by hand; for inputs `(n, 6)`."""
    if backend_name == "torch":
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(6, 4), nn.Linear(6, 4)

            def forward(self, X):
                return give(self.a(X), self.b(X))

        return Net()
    if backend_name == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.a, self.b = keras.layers.Dense(4), keras.layers.Dense(4)

            def call(self, X):
                return give(self.a(X), self.b(X))

        return Net()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    class Net(mx.gluon.Block):
        def __init__(self):
            super().__init__()
            self.a = mx.gluon.nn.Dense(4, in_units=6, flatten=False)
            self.b = mx.gluon.nn.Dense(4, in_units=6, flatten=False)

        def forward(self, X):
            return give(self.a(X), self.b(X))

    with numpy_semantics():
        net = Net()
        net.initialize()
    return net
