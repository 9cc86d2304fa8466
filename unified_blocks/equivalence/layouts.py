"""Where each of two models has the channels of images, and arrays brought from one to the other.

PyTorch and Gluon have the channels of a batch of images on the axis after the batch's, Keras on the
last. Only that axis is ever moved, and only where one model has it elsewhere than the other: the
user said so, a layer of each looks for it there, or what a call took was moved. So height and width
that are exchanged, or two channels, stay a difference, and an array that should have been moved and
was not is one too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from unified_blocks.backend import Channels
from unified_blocks.equivalence.watching import Call
from unified_blocks.errors import InputError
from unified_blocks.reference.policy import agree
from unified_blocks.reference.rows import Row, rows_of
from unified_blocks.types import Array

Move = Literal["first", "last"] | None
"""Where the second model has the channels, if the first has them at the other end; else None."""

WORDS: tuple[str, str] = ("channels_first", "channels_last")
NAMED = {3: ("NCW", "NWC"), 4: ("NCHW", "NHWC"), 5: ("NCDHW", "NDHWC")}
PLACES: dict[Channels, str] = {"first": "on the axis after the batch's", "last": "on the last axis"}
OTHER: dict[Move, Move] = {"first": "last", "last": "first", None: None}


def brought(array: Array, move: Move) -> Array:
    """An array of the second model in the layout of the first."""
    if move is None or array.ndim < 3:
        return array
    return np.moveaxis(array, -1, 1) if move == "last" else np.moveaxis(array, 1, -1)


def taken(array: Array, move: Move) -> Array:
    """An array of the first model in the layout of the second."""
    return brought(array, OTHER[move])


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
        places = [_channels(layout) for layout in layouts]
        letters = [layout.replace("C", "") for layout in layouts if layout not in WORDS]
        if None not in places and (not letters or letters == [letters[0]] * 2):
            move = move_between(*places)
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


def remedy(inputs: Sequence[Array], layouts: Layouts) -> str:
    """What to do where channels are not where they should be."""
    first, last = NAMED.get(max(x.ndim for x in inputs), WORDS)
    if layouts.move is not None:
        return "channels are moved once, as layouts= says: transpose them in one of the models"
    return (
        f"layouts={(first, last)} compares models that take and give images in their own layouts; "
        "one that made its parameters for the other has to be made anew"
    )


def misread(
    title: str, place: Channels, inputs: Sequence[Array], layouts: Layouts | None
) -> InputError:
    """The error for a model that can take the inputs only with the channels at the other end.

    Args:
        title: of the model.
        place: where it takes the channels.
        inputs: what it was given.
        layouts: those that were named, for the second model; None for the first.
    """
    axes = max(x.ndim for x in inputs)
    names = dict(zip(("first", "last"), NAMED.get(axes, WORDS), strict=True))
    if layouts is None:
        ends = "x, 1, -1" if place == "last" else "x, -1, 1"
        advice = (
            f"give np.moveaxis({ends}), and in layouts= where the channels are in each model, as "
            f"in layouts={(names[place], names['last' if place == 'first' else 'first'])}"
        )
    elif layouts.move is not None:
        advice = f"give layouts={(names[place], names[place])}, or none"
    else:
        advice = f"give layouts={(names['first' if place == 'last' else 'last'], names[place])}"
    shapes = ", ".join(str(x.shape) for x in inputs)
    return InputError(
        f"compare: {title} must get images with the channels {PLACES[place]}; got inputs of shape "
        f"{shapes}: {advice}"
    )


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
) -> Side:
    """The arrays of a call, each brought by the first of `moves` that makes it agree.

    One that no move makes agree is brought by the last that makes it fit.
    """
    moves = list(dict.fromkeys(moves))
    chosen = [_chosen(x, y, dtype, moves) for x, y, dtype in zip(a, b, dtypes[0], strict=False)] + [
        None
    ] * max(0, len(b) - len(a))
    arrays = [brought(y, move) for y, move in zip(b, chosen, strict=False)]
    rows = rows_of(name, what, a, arrays, dtypes)
    for i, move in enumerate(chosen[: len(b)]):
        if arrays[i] is not b[i]:
            shapes = (rows[i].shapes[0], b[i].shape)
            rows[i] = replace(rows[i], shapes=shapes, layout=f"channels {move}")
    return Side(rows, arrays, chosen)


def _chosen(x: Array, y: Array, dtype: str, moves: Sequence[Move]) -> Move:
    if len(moves) == 1:
        return moves[0]
    for move in moves:
        if agree(x, brought(y, move), dtype):
            return move
    fitting = [move for move in moves if brought(y, move).shape == x.shape]
    return (fitting or [None])[-1]


def sides_of(
    a: Call, b: Call, layouts: Layouts, apart: Sequence[tuple[Call, Move]]
) -> tuple[Side, Side]:
    """The inputs and the outputs of a call in both models.

    Args:
        layouts: of the models' own inputs and outputs.
        apart: the calls of `a`'s model whose layers look for the channels elsewhere than their
            partners, and where those do.
    """
    taking: list[Move]
    giving: list[Move]
    if a.channels is not None and b.channels is not None:
        taking = giving = [move_between(a.channels, b.channels)]
    elif not a.path:  # from outside a model computes what it computes
        taking = giving = [None, layouts.move]
    else:  # any that there is, and out again what came in, or what a layer inside has
        taking = [None, layouts.move, *(move for _, move in apart)]
        giving = []
    took = side_of(a.name, "input", a.inputs, b.inputs, (a.input_dtypes, b.input_dtypes), taking)
    inside = [move for call, move in apart if a.start < call.start and call.end < a.end]
    giving = giving or [None, *inside, *took.moves]
    return took, side_of(a.name, "call", a.outputs, b.outputs, (a.dtypes, b.dtypes), giving)
