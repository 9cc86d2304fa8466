"""Parts of a value, and values put together of several."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.slices import (
    Flip,
    Pad,
    Repeat,
    Slice,
    Split,
    Stack,
    Tile,
    Unstack,
)
from unified_blocks.porting.writing.pieces import Piece, Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import from_end, short, writes
from unified_blocks.porting.writing.words import Word


@writes(Slice)
def slice_(operation: Slice, node: Node) -> Word:
    (x,) = node.inputs
    turned, parts = operation.forward(x.shape)  # PyTorch has no steps back
    places: list[str] = []
    slots: list[Slot] = []
    for part in parts:
        shown = [
            None if part.start in (0, None) else part.start,
            part.stop,
            None if part.step == 1 else part.step,
        ]
        marks = ["" if each is None else "{}" for each in shown]
        places.append(":".join(marks[:2]) + (f":{marks[2]}" if marks[2] else ""))
        hints = zip(shown, ("start", "stop", "step"), strict=True)
        slots += [Slot(each, hint) for each, hint in hints if each is not None]
    while places and places[-1] == ":":
        places.pop()
    flipped = f".flip({', '.join(map(str, turned))})" if turned else ""
    inside = f"[{', '.join(places)}]" if places else ""
    return Word(expression=text(f"{{}}{flipped}{inside}", x, *slots))


@writes(Split)
def split(operation: Split, node: Node) -> Word:
    (x,) = node.inputs
    sizes, axis = operation.sizes, Slot(from_end(operation.axis, x), "dim")
    if len(set(sizes)) == 1:
        return Word(expression=call("torch.chunk", x, Slot(len(sizes), "parts"), axis))
    inside = ", ".join(["{}"] * len(sizes))
    slots = [Slot(size, "size") for size in sizes]
    return Word(expression=text(f"{{}}.split([{inside}], {{}})", x, *slots, axis))


@writes(Unstack)
def unstack(operation: Unstack, node: Node) -> Word:
    (x,) = node.inputs
    return Word(expression=text("{}.unbind({})", x, Slot(from_end(operation.axis, x), "dim")))


@writes(Stack)
def stack(operation: Stack, node: Node) -> Word:
    inside = ", ".join(["{}"] * len(node.inputs))
    axis = Slot(from_end(operation.axis, node.output), "dim")
    return Word(expression=text(f"torch.stack([{inside}], {{}})", *node.inputs, axis))


@writes(Tile)
def tile(operation: Tile, node: Node) -> Word:
    inside = ", ".join(["{}"] * len(operation.repeats))
    slots = [Slot(times, "repeats") for times in operation.repeats]
    return Word(expression=text(f"{{}}.tile({inside})", *node.inputs, *slots))


@writes(Repeat)
def repeat(operation: Repeat, node: Node) -> Word:
    (x,) = node.inputs
    times, axis = Slot(operation.repeats, "repeats"), Slot(from_end(operation.axis, x), "dim")
    return Word(expression=text("{}.repeat_interleave({}, {})", x, times, axis))


@writes(Flip)
def flip(operation: Flip, node: Node) -> Word:
    inside = ", ".join(map(str, operation.axes))
    return Word(expression=text(f"{{}}.flip({inside})", *node.inputs))


LAYERS = {"constant": "ConstantPad", "edge": "ReplicationPad", "reflect": "ReflectionPad"}
MODES = {"edge": "replicate", "reflect": "reflect"}


@writes(Pad)
def pad(operation: Pad, node: Node) -> Word:
    (x,) = node.inputs
    widths = list(operation.widths)
    rank = x.rank - 2
    images = rank in (1, 2, 3) and not any(map(sum, widths[:2]))
    if operation.mode != "constant" and not images:
        raise UnsupportedError(f"{operation.mode} of the batch or the channels is not in PyTorch")
    if images:
        widths = widths[2:]
    while len(widths) > 1 and not images and not any(widths[0]):
        widths.pop(0)
    pads = tuple(each for pair in reversed(widths) for each in pair)
    if operation.mode != "constant":
        mode = MODES[operation.mode]
        expression = call("F.pad", x, Slot(pads, "padding"), mode=(mode, "constant"))
    else:
        expression = call("F.pad", x, Slot(pads, "padding"), value=(operation.number, 0.0))
    return Word(_padding(operation, rank, pads) if images else None, expression=expression)


def _padding(operation: Pad, rank: int, pads: tuple[int, ...]) -> Piece:
    """The layer that pads images."""
    padding = Slot(short(pads), "padding")
    if operation.mode == "constant" and operation.number == 0:
        return call(f"nn.ZeroPad{rank}d", padding)
    if operation.mode == "constant":
        return call(f"nn.ConstantPad{rank}d", padding, Slot(operation.number, "value"))
    return call(f"nn.{LAYERS[operation.mode]}{rank}d", padding)
