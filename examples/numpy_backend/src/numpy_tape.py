"""A small framework: NumPy's arrays, a tape that remembers operations, and modules."""

import operator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

__version__ = "1.0"

current = ContextVar("numpy_tape", default=None)
"""The tape that records; None when no one does."""
generator = np.random.default_rng()
"""Draws the first numbers of parameters."""


class Tensor:
    """An array that a tape can follow. Operations make new tensors and change none."""

    __array_ufunc__ = None  # so NumPy leaves `array + tensor` to the tensor, which refuses it
    __hash__ = object.__hash__  # `==` compares numbers

    def __init__(self, array):
        self.array = np.asarray(array)

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)

    def __repr__(self):
        return f"{type(self).__name__}({self.array})"

    def __len__(self):
        return len(self.array)

    def __bool__(self):
        return bool(self.array)


def taped(function, *pulls):
    """`function` of arrays, as an operation on tensors.

    Args:
        function: gives an array.
        pulls: for each argument, what pulls a gradient back through the function: `pull(g, y, *xs)`
            is the argument's gradient, `g` being that of the output `y = function(*xs)`. Without
            any, no gradient goes back.
    """

    def operation(*inputs):
        first = next(x for x in inputs if isinstance(x, Tensor))
        tensors = [tensor_like(first, x) for x in inputs]
        arrays = [tensor.array for tensor in tensors]
        with np.errstate(all="ignore"):  # infinity and nan are results like others
            output = Tensor(function(*arrays))
        tape = current.get()
        if tape is not None and pulls:
            tape.steps.append((output, tensors, arrays, pulls))
        return output

    return operation


def tensor_like(first, x):
    """`x`, a tensor of the dtype of `first`, or a number, which gets that dtype."""
    if isinstance(x, Tensor) and x.dtype == first.dtype:
        return x
    if isinstance(x, bool | int | float):
        return Tensor(np.asarray(x, first.dtype))
    got = x.dtype if isinstance(x, Tensor) else type(x).__name__
    raise TypeError(
        f"an operation must be given numbers and tensors of one dtype, {first.dtype}; got {got}: "
        "make it a tensor of that dtype"
    )


class Tape:
    """Inside the `with`, records operations; `gradient` then goes back over them."""

    def __init__(self):
        self.steps = []

    def __enter__(self):
        self.token = current.set(self)
        return self

    def __exit__(self, *error):
        current.reset(self.token)

    def gradient(self, y, tensors):
        """The gradient of the number `y` for each tensor; None where it does not depend on it."""
        found = {id(y): np.ones_like(y.array)}
        with np.errstate(all="ignore"):
            for output, inputs, arrays, pulls in reversed(self.steps):
                if id(output) not in found:
                    continue
                for x, pull in zip(inputs, pulls, strict=True):
                    g = summed_to(x, pull(found[id(output)], output.array, *arrays))
                    if id(x) in found:
                        g += found[id(x)]
                    found[id(x)] = g
        return [found.get(id(tensor)) for tensor in tensors]


def summed_to(x, gradient):
    """The gradient for `x` as it was before broadcasting, which used each of its numbers often."""
    gradient = np.asarray(gradient, x.dtype)
    gradient = gradient.sum(tuple(range(gradient.ndim - x.array.ndim)))  # (2, 3, 4) to (3, 4)
    wide = tuple(i for i, size in enumerate(x.shape) if size == 1)
    return np.asarray(gradient.sum(wide, keepdims=True))  # (3, 4) to (3, 1)


@contextmanager
def untaped():
    """Inside the `with`, nothing is recorded."""
    token = current.set(None)
    try:
        yield
    finally:
        current.reset(token)


def transposed(a):
    return np.swapaxes(a, -1, -2)


add = taped(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
subtract = taped(np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g)
multiply = taped(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
divide = taped(np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)
power = taped(
    np.power, lambda g, y, a, b: g * b * a ** (b - 1), lambda g, y, a, b: g * y * np.log(a)
)
matmul = taped(  # (n, k) and (k, m) to (n, m)
    np.matmul, lambda g, y, a, b: g @ transposed(b), lambda g, y, a, b: transposed(a) @ g
)
negative = taped(np.negative, lambda g, y, a: -g)
absolute = taped(np.abs, lambda g, y, a: g * np.sign(a))

names = {"add": add, "sub": subtract, "mul": multiply, "truediv": divide, "pow": power}
for name, operation in (names | {"matmul": matmul}).items():
    setattr(Tensor, f"__{name}__", operation)
    setattr(Tensor, f"__r{name}__", lambda b, a, operation=operation: operation(a, b))
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Tensor, f"__{name}__", taped(getattr(operator, name)))
Tensor.__neg__, Tensor.__abs__ = negative, absolute


class Parameter(Tensor):
    """Numbers that a module holds and learns. `None` in `sizes` is one that is not known yet."""

    trainable = True

    def __init__(self, sizes, dtype):
        super().__init__(np.zeros([size or 0 for size in sizes], dtype))
        self.sizes = tuple(sizes)

    def write(self, array):
        self.array, self.sizes = np.array(array), array.shape


class Buffer(Parameter):
    """Numbers that a module holds and does not learn."""

    trainable = False


class Module:
    """A layer or a model. Its parts are its attributes, also in lists, tuples and dicts."""

    hooks = ()

    def __call__(self, *inputs, **named):
        given = [*inputs, *named.values()]
        for before, _ in self.hooks:
            before(self, given, None)
        output = self.forward(*inputs, **named)
        for _, after in self.hooks:
            after(self, given, output)
        return output


def walk(value, path="", owner=None):
    """Every module and parameter in `value`, itself too: path, object, the module that holds it.

    A module's own parameters come before those of its parts.
    """
    if isinstance(value, Module | Parameter):
        yield path, value, owner
    if isinstance(value, Module):
        owner, items = value, vars(value)
    elif isinstance(value, dict):
        items = value
    elif isinstance(value, list | tuple):
        items = dict(enumerate(value))
    else:
        return
    for name, item in sorted(items.items(), key=lambda pair: not isinstance(pair[1], Parameter)):
        yield from walk(item, f"{path}.{name}" if path else str(name), owner)
