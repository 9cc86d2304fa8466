"""Where each of two models has the channels of images, and arrays brought from one to the other.

PyTorch and Gluon have the channels of a batch of images on the axis after the batch's, Keras on the
last. Only that axis is ever moved, and only where one model has it elsewhere than the other: the
user said so, a layer of each looks for it there, or what a call took was moved. So height and width
that are exchanged, or two channels, stay a difference, and an array that should have been moved and
was not is one too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from unified_blocks.backend import Channels
from unified_blocks.equivalence.inputs import Form, in_arrays
from unified_blocks.equivalence.watching import Call
from unified_blocks.errors import InputError
from unified_blocks.reference.policy import agree
from unified_blocks.reference.rows import Row, rows_of
from unified_blocks.types import Array

Move = Literal["first", "last", "ones", "transposed"] | int | None
"""How an array of the second model differs from that of the first.

It has the channels `"first"`, or `"last"`, and the first has them at the other end. Or it has lost
axes of size 1 (`"ones"`). Or it was flattened with the axes (m, n) exchanged: n, as in the first.
Or it is a matrix, `"transposed"`.
"""

WORDS: tuple[str, str] = ("channels_first", "channels_last")
NAMED = {3: ("NCW", "NWC"), 4: ("NCHW", "NHWC"), 5: ("NCDHW", "NDHWC")}
PLACES: dict[Channels, str] = {"first": "on the axis after the batch's", "last": "on the last axis"}
OTHER: dict[Move, Move] = {"first": "last", "last": "first"}


def brought(array: Array, move: Move) -> Array:
    """An array of the second model in the layout of the first."""
    if isinstance(move, int):
        n, size = move, array.shape[-1] if array.ndim else 0
        if array.ndim < 2 or size % n:
            return array
        return array.reshape(*array.shape[:-1], size // n, n).swapaxes(-1, -2).reshape(array.shape)
    if move == "transposed":
        return array.T
    if move is None or move == "ones" or array.ndim < 3:
        return array
    return np.moveaxis(array, -1, 1) if move == "last" else np.moveaxis(array, 1, -1)


def taken(array: Array, move: Move) -> Array:
    """An image of the first model in the layout of the second."""
    return brought(array, OTHER.get(move))


def in_words(move: Move) -> str:
    if isinstance(move, int):
        return "flattened in another order"
    if move == "transposed":
        return move
    return "without axes of size 1" if move == "ones" else f"channels {move}"


def refolded(a: Array, b: Array) -> int | None:
    """The move that brings the columns of a matrix to the order of another flattening, if any."""
    if a.ndim != 2 or a.shape != b.shape:
        return None
    for n in range(2, a.shape[1] // 2 + 1):
        if a.shape[1] % n == 0 and all(
            agree(x, brought(y, n), None) for x, y in ((a[:1], b[:1]), (a, b))
        ):
            return n
    return None


def move_between(a: Channels | None, b: Channels | None) -> Move:
    """How two layers differ in where they look for the channels, if both are known to."""
    return b if a is not None and b is not None and a != b else None


@dataclass(frozen=True)
class Layouts:
    """The layouts in which two models take and give images.

    Attributes:
        move: where the second has the channels, if the first has them at the other end.
        axes: how many axes images have; None: three or more.
    """

    move: Move = None
    axes: int | None = None

    def of(self, array: Array) -> Move:
        """How an input of the first model is moved for the second."""
        images = array.ndim >= 3 if self.axes is None else array.ndim == self.axes
        return self.move if images else None

    def second(self, arrays: Sequence[Array]) -> list[Array]:
        """The inputs of the second model, from those of the first.

        Raises:
            ValueError: when none of them is an image of so many axes.
        """
        if self.move is not None and all(self.of(array) is None for array in arrays):
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(
                "compare: layouts must be those of images that the models take, of "
                f"{self.axes or 'three or more'} axes; got inputs of shape {shapes}: leave layouts "
                "out, or give inputs_b, what the second model takes"
            )
        return [np.asarray(taken(array, self.of(array)), order="C") for array in arrays]


def declared(layouts: Sequence[str] | None) -> Layouts:
    """The layouts that a user named: `("NCHW", "NHWC")`.

    Raises:
        ValueError: for others than two that differ in where the channels are.
    """
    if layouts is None:
        return Layouts()
    if [type(layout) for layout in layouts] == [str, str] and not isinstance(layouts, str):
        places: list[Channels | None] = [_channels(layout) for layout in layouts]
        letters = [layout.replace("C", "") for layout in layouts if layout not in WORDS]
        if None not in places and (not letters or letters == [letters[0]] * 2):
            move = move_between(places[0], places[1])
            return Layouts(move, len(letters[0]) + 1 if letters else None)
    raise ValueError(
        "compare: layouts must be two, that of each model, with the same axes but for where the "
        f"channels are, after N or last; got layouts={layouts!r}: give ('NCHW', 'NHWC'), or "
        f"{WORDS} for images of any number of axes"
    )


def _channels(layout: str) -> Channels | None:
    if layout in WORDS:
        return "first" if layout == WORDS[0] else "last"
    if len(layout) < 3 or len(set(layout)) < len(layout) or not layout.startswith("N"):
        return None
    return "first" if layout[1] == "C" else "last" if layout[-1] == "C" else None


def seen(a: Sequence[Array], b: Sequence[Array]) -> Layouts | None:
    """The layouts that the inputs of two models show; None when they are not the same numbers."""
    if len(a) != len(b):
        return None
    for move in (None, "last", "first"):
        if all(np.array_equal(x, brought(y, move)) for x, y in zip(a, b, strict=True)):
            return Layouts(move)
    return None


def moved_to(place: Channels, array: Array) -> Array:
    """An image whose channels are at the other end."""
    return brought(array, OTHER[place])


def remedy(inputs: Sequence[Array]) -> str:
    """What to do where what a model takes or gives is not laid out as the other's."""
    first, last = NAMED.get(max(x.ndim for x in inputs), WORDS)
    return (
        f"layouts={(first, last)} compares models that take and give images in their own layouts; "
        "one that made its parameters for the other has to be made anew"
    )


def misread(
    title: str, place: Channels, inputs: Sequence[Array], source: str | Layouts
) -> InputError:
    """The error for a model that can take the inputs only with the channels at the other end.

    Args:
        title: of the model.
        place: where it takes the channels.
        inputs: what it was given.
        source: the argument that these were; or the layouts by which they were made from another.
    """
    axes = max(x.ndim for x in inputs)
    names = dict(zip(("first", "last"), NAMED.get(axes, WORDS), strict=True))
    if isinstance(source, str):
        ends = "1, -1" if place == "last" else "-1, 1"
        advice = f"give {source}=np.moveaxis({source}, {ends})"
        if source == "inputs":
            advice += (
                "; a second model that takes them otherwise needs "
                f"layouts={(names[place], names['last' if place == 'first' else 'first'])}"
            )
    elif source.move is not None:
        advice = f"give layouts={(names[place], names[place])}, or none"
    else:
        advice = f"give layouts={(names['first' if place == 'last' else 'last'], names[place])}"
    shapes = ", ".join(str(x.shape) for x in inputs)
    return InputError(
        f"compare: {title} must get images with the channels {PLACES[place]}; got inputs of shape "
        f"{shapes}: {advice}"
    )


@dataclass(frozen=True)
class Given:
    """What two models are given, and how that and what they give may be laid out.

    Attributes:
        a, b: the inputs of each.
        taking: how those of `b` differ from those of `a`; None when they are other numbers.
        giving: how the outputs may.
        source: of those of `b`: see `misread`.
        forms: how the models are given these; None when they are not to be called.
    """

    a: Sequence[Array]
    b: Sequence[Array]
    taking: Layouts | None
    giving: Layouts
    source: str | Layouts
    forms: tuple[Form | None, Form | None]

    @classmethod
    def by(cls, inputs: Any, inputs_b: Any, layouts: Sequence[str] | None) -> Given:
        """From these arguments of `compare`."""
        named = declared(layouts)
        if inputs is None:
            return cls([], [], named, named, named, (None, None))
        a, form = in_arrays(inputs)
        if inputs_b is None:
            return cls(a, named.second(a), named, named, named, (form, form))
        b, form_b = in_arrays(inputs_b)
        taking = seen(a, b)
        giving = named if layouts else taking or named
        return cls(a, b, taking, giving, "inputs_b", (form, form_b))


@dataclass(frozen=True)
class Side:
    """The inputs or outputs of a call in both models, those of the second brought to the first.

    Attributes:
        rows: of each array.
        b: the arrays of the second model, in the layout of the first.
        moves: how each was brought there.
    """

    rows: list[Row]
    b: list[Array]
    moves: list[Move]


def side_of(
    name: str,
    what: str,
    a: Sequence[Array],
    b: Sequence[Array],
    dtypes: tuple[Sequence[str], Sequence[str]],
    moves: Iterable[Move],
    names: Sequence[str] | None = None,
) -> Side:
    """The arrays of a call, each brought by the first of `moves` that makes it agree.

    One that no move makes agree is brought by the last that makes it fit. They are as many in both.

    Args:
        names: of the rows.
    """
    moves = list(dict.fromkeys(moves))
    arrays = list(b)
    chosen: list[Move] = [None] * len(b)
    for i, (x, y, dtype) in enumerate(zip(a, b, dtypes[0], strict=False)):
        chosen[i] = move = chosen_move(x, y, dtype, moves)
        arrays[i] = y.reshape(x.shape) if move == "ones" else brought(y, move)
    rows = rows_of(name, what, a, arrays, dtypes, names)
    for i, move in enumerate(chosen):
        if arrays[i] is not b[i]:
            rows[i] = told(rows[i], b[i], move)
    return Side(rows, arrays, chosen)


def told(row: Row, b: Array, move: Move) -> Row:
    """A row that says how the array of the second model was brought to the first's layout."""
    return replace(row, shapes=(row.shapes[0], b.shape), layout=in_words(move))


def chosen_move(x: Array, y: Array, dtype: str, moves: Sequence[Move]) -> Move:
    """The first of `moves` that makes an array of the second model agree, or the last that fits."""
    if x.ndim != y.ndim and min(x.ndim, y.ndim) > 1:
        return "ones" if "ones" in moves and _without_ones(x) == _without_ones(y) else None
    possible: list[Move] = [move for move in moves if move != "ones"]
    if len(possible) > 1:
        for move in possible:
            if agree(x, brought(y, move), dtype):
                return move
        shapes: list[Move] = [m for m in possible if brought(y, m).shape == x.shape]
        possible = shapes
    return possible[-1] if possible else None


def _without_ones(array: Array) -> list[int]:
    """The shape of an image, but for axes that were averaged away."""
    return [*array.shape[:1], *(size for size in array.shape[1:] if size != 1)]


def sides_of(
    a: Call,
    b: Call,
    layouts: Layouts,
    apart: Sequence[tuple[Call, Move]],
    flattened: Mapping[str, int],
    names: tuple[Sequence[str], Sequence[str]],
) -> tuple[Side, Side]:
    """The inputs and the outputs of a call in both models.

    Args:
        layouts: of the models' own inputs and outputs.
        apart: the calls of `a`'s model whose layers look for the channels elsewhere than their
            partners, and where those do.
        flattened: the layers whose weight is in the order of another flattening in each model.
        names: of the inputs, and of the outputs.
    """
    taking: list[Move]
    giving: list[Move] | None = None
    if a.path in flattened:
        taking, giving = [None, flattened[a.path]], [None]
    elif not a.path:  # from outside a model computes what it computes
        taking = giving = [None, layouts.move]
    elif a.channels is not None and b.channels is not None:
        taking = giving = [move_between(a.channels, b.channels), "ones"]
    else:  # any that there is, and out again what came in, or what a layer inside has
        moves = [layouts.move, *(move for _, move in apart), *flattened.values()]
        taking = [None, *moves, "ones"] if any(moves) else [None]
    types = (a.input_dtypes, b.input_dtypes)
    took = side_of(a.name, "input", a.inputs, b.inputs, types, taking, names[0])
    if giving is None:
        inside: list[Move] = [
            move for call, move in apart if a.start < call.start and call.end < a.end
        ]
        giving = [None, *inside, *took.moves, *flattened.values(), *taking[-1:]]
    types = (a.dtypes, b.dtypes)
    return took, side_of(a.name, "call", a.outputs, b.outputs, types, giving, names[1])
