"""A graph, node by node, as statements of Keras, with images that have their channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Graph, Node, Parameter, Value
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.writing.keras.expressions import (
    PARTLY,
    Call,
    Expression,
    Infix,
    Named,
    Shared,
    Step,
    Tensor,
    call,
    calls_in,
    dotted,
)  # fmt: skip
from unified_blocks.porting.writing.keras.names import layer_key
from unified_blocks.porting.writing.keras.turning import is_automatic, moved, transposed, turned
from unified_blocks.porting.writing.written import Called
from unified_blocks.types import Array, Shape, State

Function = TypeVar("Function", bound=Callable[["Writing"], None])


@dataclass(frozen=True)
class Word:
    """How an operation is written.

    Attributes:
        write: does it.
        images: whether it takes images, whose channels are last in Keras.
        follows: whether what it gives lies as what it takes.
    """

    write: Callable[[Writing], None]
    images: bool = False
    follows: bool = False


WORDS: dict[type[Operation], Word] = {}
"""The words that this target has."""


def writes(
    *operations: type[Operation], images: bool = False, follows: bool = False
) -> Callable[[Function], Function]:
    """Make a function the word for some operations."""

    def register(function: Function) -> Function:
        for operation in operations:
            WORDS[operation] = Word(function, images, follows)
        return function

    return register


def last(rank: int) -> Shape:
    """The order of axes of an image whose channels are last."""
    return (0, *range(2, rank), 1)


def plain(rank: int) -> Shape:
    """The order of axes of the graph itself."""
    return tuple(range(rank))


class Writer:
    """What has been written of a graph.

    Attributes:
        steps: the statements of each node.
        lying: of each value, the tensor that holds it, and which axis each of its axes is.
        state: the numbers, by Keras' names.
        names: of each array of the graph, the name in `state`.
        layers: names of layers that there are.
        words: definitions that the source must have.
    """

    def __init__(self, graph: Graph, channels_last: bool) -> None:
        self.graph = graph
        self.steps: dict[Node, list[Step]] = {node: [] for node in graph.nodes}
        self.first: list[Step] = []
        self.lying: dict[Value, tuple[Tensor, Shape]] = {}
        self.inputs: list[Tensor] = []
        self.orders: list[Shape] = []
        self.state: State = {}
        self.names: dict[str, str] = {}
        self.layers: set[str] = set()
        self.words: set[str] = set()
        self.users = graph.users()
        self.made: dict[tuple[Any, ...], Shared] = {}
        self.calls: dict[tuple[Any, ...], int] = {}
        self.turned_before: dict[tuple[Tensor, Shape, tuple[str, ...]], Tensor] = {}
        self.held: dict[Parameter, str] = {}
        self.done: set[Node] = set()
        for node in graph.nodes:
            if node.parameters:
                key = layer_key(node)
                self.calls[key] = self.calls.get(key, 0) + 1
        for value in graph.inputs:
            self._input(value, channels_last)

    def _input(self, value: Value, channels_last: bool) -> None:
        image = value.rank > 2 and self.is_image(value)
        order = last(value.rank) if image and channels_last else plain(value.rank)
        tensor = Tensor(moved(value.shape, order), moved(value.growth, order))
        self.inputs.append(tensor)
        self.orders.append(order)
        if image and not channels_last:
            order = last(value.rank)
            inside = Tensor(moved(value.shape, order), moved(value.growth, order))
            self.first.append(Step((inside,), transposed(tensor, order)))
            tensor = inside
        self.lying[value] = (tensor, order)

    def is_image(self, value: Value) -> bool:
        """Whether the first that takes a value takes it as an image."""
        for node in self.users.get(value, ()):
            word = WORDS.get(type(node.operation))
            if word is None or node.inputs[0] is not value:
                continue
            return word.images or (word.follows and self.is_image(node.output))
        return False

    def write(self) -> None:
        """Write all nodes.

        Raises:
            UnsupportedError: for operations that have no word, or options that Keras has not, all
                in one.
        """
        refused: dict[str, None] = {}
        for node in self.graph.nodes:
            if node in self.done:
                continue
            word = WORDS.get(type(node.operation))
            if word is None:
                refused[f"{node.name}: {type(node.operation).__name__} has no word"] = None
            elif all(isinstance(v, Parameter) or v in self.lying for v in node.inputs):
                try:
                    word.write(Writing(self, node))
                except UnsupportedError as error:
                    refused[str(error)] = None
        if refused:
            raise UnsupportedError(
                f"{self.graph.name}: each operation must be one that can be written for Keras; got"
                + "".join(f"\n  {each}" for each in refused)
                + "\ncut the network before them with outputs=[…]"
            )

    def given(self) -> dict[str, tuple[Called, ...]]:
        """The calls of each layer that gives values, before what the user gets is turned.

        What is done with the output of a layer in the same statement makes it a part of the value.
        """
        held: dict[Tensor, Called] = {}
        for value, (tensor, order) in self.lying.items():
            held.setdefault(tensor, Called(value, order))
        found: dict[str, list[Called]] = {}
        for step in (step for node in self.graph.nodes for step in self.steps[node]):
            for path, is_whole in calls_in(step.expression):
                given = step.outputs[0]
                called = held.get(given) if is_whole and isinstance(given, Tensor) else None
                found.setdefault(dotted(path), []).append(called or Called(None))
        return {
            name: tuple(calls)
            for name, calls in found.items()
            if any(each.value is not None for each in calls)
        }

    def outputs(self) -> tuple[list[Tensor], list[Step]]:
        """What the user gets, and the statements that turn it so."""
        found, steps = [], []
        for value in self.graph.outputs:
            tensor, order = self.lying[value]
            if order != self.order_outside(value):
                order = self.order_outside(value)
                tensor, step = turned(tensor, self.lying[value][1], order)
                steps.append(step)
                self.lying[value] = (tensor, order)
            found.append(tensor)
        return found, steps

    def order_outside(self, value: Value) -> Shape:
        """How the user gets an output."""
        order = self.lying[value][1]
        return order if order == last(value.rank) and not self.first else plain(value.rank)


class Writing:
    """One node while it is written, as a word sees it.

    Attributes:
        node, operation: the node, and what it does.
        anchor: a tensor of the network, which a layer that only gives numbers is called on.
    """

    def __init__(self, writer: Writer, node: Node) -> None:
        self.writer = writer
        self.node = node
        self.operation: Any = node.operation
        self.inputs = node.inputs
        self.anchor = writer.lying[node.taken[0]][0] if node.taken else writer.inputs[0]

    @cached_property
    def x(self) -> Tensor:
        """Its first input that is no parameter, as it lies; else the numbers of the first."""
        if self.node.taken:
            return self.writer.lying[self.node.taken[0]][0]
        (first, *_) = self.node.parameters
        return self.add(self.numbers(first, first.data), first.shape, (0,) * first.rank)

    @cached_property
    def order(self) -> Shape:
        """Which axis of the graph each axis of `x` is."""
        if self.node.taken:
            return self.writer.lying[self.node.taken[0]][1]
        return plain(self.node.parameters[0].rank)

    # What it takes

    def image(self, i: int = 0) -> Tensor:
        """An input with its channels last."""
        return self.taken(i, last(self.inputs[i].rank))

    def plain(self, i: int = 0) -> Tensor:
        """An input with its axes as they are in the graph."""
        return self.taken(i, plain(self.inputs[i].rank))

    def taken(self, i: int, order: Shape) -> Tensor:
        """An input with its axes in some order; of numbers, what gives them."""
        given = self.inputs[i]
        if isinstance(given, Parameter):
            return self.add(self.weight(given, order), moved(given.shape, order), (0,) * given.rank)
        return self.turned(*self.writer.lying[given], order)

    def is_taken(self, i: int) -> bool:
        """Whether an input is what another node gives, or the user."""
        return not isinstance(self.inputs[i], Parameter)

    def taken_or_numbers(self, i: int, order: Shape) -> Expression:
        """An input, or numbers of the network, with its axes in some order."""
        given = self.inputs[i]
        return self.weight(given, order) if isinstance(given, Parameter) else self.taken(i, order)

    def plain_or_numbers(self, i: int) -> Expression:
        """An input, or numbers of the network, with its axes as they are in the graph."""
        return self.taken_or_numbers(i, plain(self.inputs[i].rank))

    def turned(self, x: Tensor, order: Shape, wanted: Shape) -> Tensor:
        """A tensor with its axes in another order."""
        if order == wanted:
            return x
        key = (x, wanted, self.node.path[:-1])
        if key not in self.writer.turned_before:
            tensor, step = turned(x, order, wanted)
            self.writer.steps[self.node].append(step)
            self.writer.turned_before[key] = tensor
        return self.writer.turned_before[key]

    def axis(self, axis: int) -> int:
        """Where an axis of the first input lies; the last one is -1."""
        place = self.order.index(axis % len(self.order))
        return -1 if place == len(self.order) - 1 else place

    # What it writes

    def layer(
        self,
        kind: str,
        *arguments: Expression,
        weights: Sequence[tuple[str, Any, Array]] = (),
        counts: bool = False,
        path: tuple[str, ...] = (),
        **keywords: Any,
    ) -> Call | Shared:
        """A layer of Keras, with the name of the node; one that is called twice is made once.

        Args:
            kind: its class, as it is written.
            *arguments, **keywords: for its constructor.
            weights: its numbers: for each, Keras' name, the parameter, and the array in Keras'
                layout.
            counts: whether it counts statistics, which a layer of Keras that is frozen does not.
            path: its name, where that is not the node's.
        """
        key = layer_key(self.node)
        path, made_as = path or self.node.path, (*key, path)
        if weights and made_as in self.writer.made:
            return self.writer.made[made_as]
        if weights and ".".join(path) in self.writer.layers:
            path = (*path[:-1], f"{path[-1]}_{len(self.writer.layers)}")
        name = dotted(path)
        if "." not in kind:
            self.writer.words.add(kind)
        if weights:
            frozen = [own for own, each, _ in weights if each.role in ("frozen", "constant")]
            trained = any(each.role == "parameter" for _, each, _ in weights)
            if frozen and (trained or counts):
                kind = PARTLY + kind.removeprefix("layers.")
                self.writer.words.add(kind)
                keywords["frozen"] = tuple(frozen)
            else:
                keywords["trainable"] = trained or counts
        # Another call of what has no numbers has no name.
        if name not in self.writer.layers and (weights or not is_automatic(path)):
            keywords["name"] = Named(path)
            self.writer.layers.add(name)
        for own, given, array in weights:
            if self.writer.held.setdefault(given, name) != name:
                raise self.refused(
                    f"layers of Keras have no weights in common; got {given.name} in "
                    f"{self.writer.held[given]} and in {name}"
                )
            self.writer.state[f"{name}.{own}"] = np.ascontiguousarray(array)
            self.writer.names[given.name] = f"{name}.{own}"
        made = call(kind, *arguments, **keywords)
        if weights and self.writer.calls.get(key, 1) > 1:
            return self.writer.made.setdefault(made_as, Shared(made, path))
        return made

    def weight(self, given: Parameter, order: Shape) -> Call:
        """Numbers that are no layer's, broadcast to axes that lie in some order."""
        array = given.data.reshape((1,) * (len(order) - given.rank) + given.shape)
        return self.numbers(given, array.transpose(order))

    def numbers(self, given: Parameter, array: Array) -> Call:
        """Numbers that are no layer's, as they should lie."""
        block = self.node.path[:-1]
        known = given.path and given.path[: len(block)] == block
        path = given.path if known else (*block, given.name)
        name, key = ".".join(path), (given, array.shape)
        if key not in self.writer.made:
            if name in self.writer.layers:
                name = f"{name}_{len(self.writer.layers)}"
            self.writer.words.add("Weight")
            self.writer.layers.add(name)
            self.writer.state[f"{name}.value"] = np.ascontiguousarray(array)
            self.writer.names[given.name] = f"{name}.value"
            options: dict[str, Any] = {"trainable": given.role == "parameter"}
            made = call("Weight", array.shape, **options, name=Named(tuple(name.split("."))))
            self.writer.made[key] = Shared(made, tuple(name.split(".")))
        return Call(self.writer.made[key], (self.anchor,))

    def add(self, expression: Expression, shape: Shape, growth: Shape = ()) -> Tensor:
        """A statement before the one that gives the output."""
        tensor = Tensor(shape, growth)
        self.writer.steps[self.node].append(Step((tensor,), expression))
        return tensor

    def give(self, expression: Expression, order: Shape | None = None) -> None:
        """The statement that gives the output; `order` is of its axes, default those of `x`."""
        self.give_as(self.node.output, expression, self.order if order is None else order)

    def give_as(self, value: Value, expression: Expression, order: Shape) -> None:
        """The statement that gives a value."""
        tensor = Tensor(moved(value.shape, order), moved(value.growth, order))
        self.writer.steps[self.node].append(Step((tensor,), expression, self.node.path))
        self.writer.lying[value] = (tensor, order)

    def alias(self, order: Shape, tensor: Tensor | None = None) -> None:
        """The output is a tensor that is there already, with other names for its axes."""
        self.writer.lying[self.node.output] = (tensor or self.x, order)

    def only_user(self, operation: type[Operation]) -> Node | None:
        """The node that alone takes the output, where it is of this kind."""
        users = self.writer.users.get(self.node.output, [])
        if len(users) != 1 or self.node.output in self.writer.graph.outputs:
            return None
        return users[0] if isinstance(users[0].operation, operation) else None

    def refused(self, why: str) -> UnsupportedError:
        """The error for what Keras has not."""
        return UnsupportedError(f"{self.node.name}: {why}")


def operands(items: Sequence[Expression], sign: str) -> Infix:
    """Several with a sign between."""
    return Infix(sign, tuple(items))


def array_of(given: Value) -> Array:
    """The numbers of an input that is a parameter."""
    if not isinstance(given, Parameter):
        raise UnsupportedError(f"{given.name}: weights must be numbers; got what a node gives")
    return given.data
