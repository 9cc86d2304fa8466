"""One node of a symbol while it is read: its inputs, and its options, each of which is used up."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeVar

import numpy as np

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Builder, Node, Parameter, Value, constant, parameter
from unified_blocks.porting.mxnet.symbols import SymbolNode
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.types import Array, Shape

Made = TypeVar("Made")
NOTHING: Any = object()
IGNORED = {"cudnn_off", "cudnn_tune", "workspace", "cudnn_algo_verbose", "no_gradient_check"}
"""Options that change no number: how a GPU chooses its kernels."""


class Reading:
    """One node while it is read, as a handler sees it.

    A handler takes the options it knows with `text`, `number`, `integer`, `flag` and `sizes`; one
    that it leaves is an error, so that nothing is ignored by mistake.

    Attributes:
        inputs: what the node takes.
        name: its own.
        operator: what it does.
        where: its path, and the classes of the blocks around it; empty where nobody told.
    """

    def __init__(
        self,
        node: SymbolNode,
        inputs: Sequence[Value],
        builder: Builder,
        where: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
        derived: dict[Any, Any] | None = None,
    ) -> None:
        self.inputs = tuple(inputs)
        self.name = node.name
        self.operator = node.operator
        self._options = {k: v for k, v in node.options.items() if k not in IGNORED}
        self._builder = builder
        self.where = where
        self._derived: dict[Any, Any] = {} if derived is None else derived

    # Its options

    def text(self, option: str, default: Any = NOTHING) -> Any:
        """An option as it is written.

        Raises:
            UnsupportedError: where there is none, and no default.
        """
        value = self._options.pop(option, default)
        if value is NOTHING:
            raise self.refused(f"it has no {option}")
        return value

    def read(self, option: str, default: Any = NOTHING) -> Any:
        """An option, as Python would read it: a number, a tuple, a boolean or None."""
        value = self.text(option, default)
        if not isinstance(value, str):
            return value
        plain = {"true": True, "false": False, "none": None, "null": None}
        if value.lower() in plain:
            return plain[value.lower()]
        try:
            return ast.literal_eval(value.replace("L", ""))
        except (ValueError, SyntaxError):
            return value

    def number(self, option: str, default: Any = NOTHING) -> Any:
        """A number; None where it says so."""
        value = self.read(option, default)
        return value if value is None else float(value)

    def integer(self, option: str, default: Any = NOTHING) -> Any:
        """A whole number; None where it says so."""
        value = self.read(option, default)
        return value if value is None else int(value)

    def flag(self, option: str, default: Any = NOTHING) -> bool:
        """A boolean, that older versions write as 0 and 1."""
        return bool(self.read(option, default))

    def sizes(self, option: str, rank: int | None = None, default: int | None = None) -> Shape:
        """A number for each axis; where it is absent or empty, `default` for each of `rank`."""
        value = self.read(option, ())
        value = (value,) if isinstance(value, int) else tuple(value or ())
        if not value and default is not None and rank is not None:
            return (default,) * rank
        if rank is not None and len(value) != rank:
            raise self.refused(f"{option} must have {rank} numbers; got {value}")
        return value

    def ignore(self, *options: str) -> None:
        """Options that change no number of the network when it is used."""
        for option in options:
            self._options.pop(option, None)

    def left(self) -> Mapping[str, str]:
        """The options that nobody asked for."""
        return self._options

    def refused(self, why: str) -> UnsupportedError:
        """The error for a node that cannot be read."""
        return UnsupportedError(f"{self.name} ({self.operator}): {why}")

    # What it becomes

    def add(
        self, operation: Operation, *inputs: Value, suffix: str = "", path: Sequence[str] = ()
    ) -> Value:
        """Append a node of one output.

        Args:
            operation: what it does.
            *inputs: what it takes.
            suffix: is appended to its name, where a node of MXNet becomes several.
            path: where it is, of a layer that is not where the node is.
        """
        return self.add_all(operation, *inputs, suffix=suffix, path=path)[0]

    def add_all(
        self, operation: Operation, *inputs: Value, suffix: str = "", path: Sequence[str] = ()
    ) -> tuple[Value, ...]:
        """Append a node of several outputs; whole constants are computed at once.

        They are shapes, of which the network's user may only see a part that does not grow.
        """
        if inputs and all(_is_whole(each) for each in inputs):
            made = operation.compute(*(each.data for each in inputs if isinstance(each, Parameter)))
            return tuple(map(constant_of, made if isinstance(made, tuple) else (made,)))
        end = f"_{suffix}" if suffix else ""
        blocks, kinds = self.where
        own = (*blocks[:-1], blocks[-1] + end) if blocks else (self.name + end,)
        if path:
            kinds = kinds[: len(path) - 1] if tuple(path[:-1]) == blocks[: len(path) - 1] else ()
        return self._builder.add(
            operation, *inputs, name=self.name + end, path=path or own, kinds=kinds
        )

    def once(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """What `make` gives for a key: made the first time that any node asks for it."""
        if key not in self._derived:
            self._derived[key] = make()
        made: Made = self._derived[key]
        return made

    def constant(self, number: Array | float, dtype: str | None = None) -> Parameter:
        """A constant, in the dtype of the first input; one number is as exact as it is written."""
        dtype = dtype or (self.inputs[0].dtype if self.inputs else "float32")
        exact = np.ndim(number) == 0 and np.issubdtype(dtype, np.floating)
        return constant(number, "float64" if exact else dtype)

    def maker(self, value: Value) -> Node | None:
        """The node that gives a value; None of an input or an array."""
        return self._builder.makers.get(value)

    def array(self, index: int) -> Parameter | None:
        """An input that is numbers of the network; None where another node gives it."""
        given = self.inputs[index]
        return given if isinstance(given, Parameter) else None

    def made_of(
        self,
        source: Parameter,
        change: Callable[[Array], Array],
        what: str,
        *,
        role: str | None = None,
        part: bool = False,
    ) -> Parameter:
        """Numbers computed of those of a parameter; the same object wherever the same is asked.

        Args:
            source: the parameter.
            change: gives the new numbers.
            what: which change it is, in a word.
            role: where it is another: see `Parameter`.
            part: whether it is one of several parameters that are made of this one: its own name
                is `what` then.
        """
        key = (id(source), what)
        if key not in self._derived:
            path = source.path or (source.name,)
            name = f"{source.name}.{what}" if part else source.name
            path = (*path[:-1], what) if part and source.path else (name,) if part else path
            self._derived[key] = parameter(name, change(source.data), role or source.role, path)
        made: Parameter = self._derived[key]
        return made


def is_zeros(value: Value) -> bool:
    """Whether a value is a constant, and 0."""
    return isinstance(value, Parameter) and value.role == "constant" and not value.data.any()


def owner(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """Where the layer is that has these: `lstm_i2h_weight`, `lstm_i2h_bias` are of `lstm_i2h`."""
    *blocks, _ = parameters[0].path or (parameters[0].name,)
    names = [(each.path or (each.name,))[-1] for each in parameters]
    stems = [name.split("_")[:-1] or [name] for name in names]
    shared = takewhile(lambda words: len(set(words)) == 1, zip(*stems, strict=False))
    return (*blocks, "_".join(words[0] for words in shared) or "_".join(stems[0]))


def _is_whole(value: Value) -> bool:
    return (
        isinstance(value, Parameter) and value.role == "constant" and value.data.dtype.kind == "i"
    )


def constant_of(array: Array) -> Parameter:
    """A constant that has these numbers, in their dtype."""
    return constant(array, array.dtype.name)


Handler = Callable[[Reading], Any]
HANDLERS: dict[str, Handler] = {}
"""Of each operator that can be read."""


def register(*operators: str) -> Callable[[Handler], Handler]:
    """Say what an operator of MXNet means: how a network that has it can be ported.

    Args:
        *operators: its names in the JSON of a symbol.

    Returns:
        A decorator for a function that takes a `Reading` and gives a value, or several in a tuple.

    Example::

        import json
        from pathlib import Path

        from unified_blocks.porting.operations.elementwise import Elementwise

        @ub.porting.register("_contrib_double")
        def double(read):
            (x,) = read.inputs
            return read.add(Elementwise("add"), x, x)

        data = {"op": "null", "name": "data", "inputs": []}
        node = {"op": "_contrib_double", "name": "twice", "inputs": [[0, 0, 0]]}
        graph = {"nodes": [data, node], "arg_nodes": [0], "heads": [[1, 0, 0]]}
        Path("net-symbol.json").write_text(json.dumps(graph))
        print(ub.port("net-symbol.json", "unified_blocks", params={}, example=(2, 3)).source)
    """

    def registered(handler: Handler) -> Handler:
        for operator in operators:
            HANDLERS[operator] = handler
        return handler

    return registered
