"""Networks as functional models of Keras."""

from __future__ import annotations

import re

from unified_blocks.porting.families import load_families
from unified_blocks.porting.graph import Graph, Value
from unified_blocks.porting.structure import Scope
from unified_blocks.porting.writing.keras.blocks import (
    Block,
    Held,
    close,
    place_shared,
    snake,
    tree,
)
from unified_blocks.porting.writing.keras.bodies import Body, definition, shown
from unified_blocks.porting.writing.keras.expressions import Tensor
from unified_blocks.porting.writing.keras.functions import Function, Functions
from unified_blocks.porting.writing.keras.helpers import helper, loader
from unified_blocks.porting.writing.keras.text import Bracketed, Text, laid, wrapped
from unified_blocks.porting.writing.keras.writer import Writer, plain
from unified_blocks.porting.writing.naming import network_name
from unified_blocks.porting.writing.written import Written
from unified_blocks.types import Shape

LAYOUTS = ("channels_last", "channels_first")
DEEP = 500
"""The statements in a row from which Keras may need more nested calls than Python allows."""


def write(graph: Graph, scope: Scope, *, name: str, layout: str = "channels_last") -> Written:
    """A network as source code of Keras: a function `build` that gives a functional model.

    Args:
        graph: the network.
        scope: its division into blocks.
        name: of the model.
        layout: how the images that it takes and gives lie; inside, their channels are last.

    Raises:
        ValueError: for another layout.
        UnsupportedError: for what Keras has not, all in one.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}; got {layout=}")
    load_families(f"{__name__}.words")
    name = network_name(name)
    writer = Writer(graph, layout == "channels_last")
    writer.write()
    layers = writer.given()
    outputs, turning = writer.outputs()
    top = tree(scope, writer)
    top.items = [*writer.first, *top.items, *turning]
    place_shared(top)
    close(top, outputs)
    functions = Functions(top)
    build = _build(graph, functions.top, writer, outputs, name)
    if (depth := _depth(top)) > DEEP:
        build[2:2] = [
            "    # Keras walks back through the model by a nested call for each layer.",
            f"    sys.setrecursionlimit(max(sys.getrecursionlimit(), {5 * depth}))",
        ]
    rooms = [helper(word) for word in sorted(writer.words)]
    rooms += ["\n".join(definition(function)) for function in functions.all]
    code = "\n\n\n".join([*rooms, "\n".join(build)])
    code = f"{code}\n\n\n{loader(code)}"
    held = {value: lying[1] for value, lying in writer.lying.items()}
    turned: dict[Value, Shape] = {v: o for v, o in held.items() if o != plain(v.rank)}
    turned |= {
        value: order
        for value, order in zip(graph.inputs, writer.orders, strict=True)
        if order != plain(value.rank)
    }
    for value in graph.inputs if layout == "channels_first" else ():
        turned.pop(value, None)
    text = _header(graph, writer, outputs, name, code) + code + "\n"
    return Written(text, writer.state, writer.names, layers, turned)


def _build(
    graph: Graph, top: Function, writer: Writer, outputs: list[Tensor], name: str
) -> list[str]:
    """The function that makes the model."""
    several = len(graph.inputs) > 1
    names = ["inputs"]
    lines = ["def build() -> keras.Model:", '    """The network with random numbers."""']
    if several:
        names = [snake(value.name) for value in graph.inputs]
    for value, tensor, variable in zip(graph.inputs, writer.inputs, names, strict=True):
        lines += laid(_input(value, tensor, several), 4, f"{variable} = ")
    top.outputs = tuple(outputs)
    body = Body(top, list(zip(writer.inputs, names, strict=True)), shapes=True)
    lines += body.lines()
    model = re.sub(r"[^\w.]+", "_", name)
    given: list[Text] = [_several(names), _several([body.variables[t] for t in outputs])]
    model_call = Bracketed("keras.Model", (*given, f'name="{model}"'))
    return [*lines, *laid(model_call, 4, "return ")]


def _depth(top: Block) -> int:
    """The longest way from an input to an output, in statements."""
    depths: dict[Held, int] = {}
    for step in top.steps():
        before = max((depths.get(held, 0) for held in step.reads), default=0)
        depths |= dict.fromkeys(step.outputs, before + 1)
    return max(depths.values(), default=0)


def _several(names: list[str]) -> Text:
    return names[0] if len(names) == 1 else Bracketed("", tuple(names), "[]")


def _input(value: Value, tensor: Tensor, several: bool) -> Text:
    """An input: of any batch, where the network is right for any."""
    free = [axis for axis, by in enumerate(tensor.growth) if by]
    sizes = ["None" if axis in free else str(size) for axis, size in enumerate(tensor.shape)]
    given: list[Text]
    if free == [0]:
        given = [Bracketed("", tuple(sizes[1:]))]
    else:
        given = [("batch_shape=", Bracketed("", tuple(sizes)))]
    if several:
        given.append(f'name="{snake(value.name)}"')
    if not value.dtype.startswith(("float", "bfloat")):
        given.append(f'dtype="{value.dtype}"')
    return Bracketed("keras.Input", tuple(given))


def _header(graph: Graph, writer: Writer, outputs: list[Tensor], name: str, code: str) -> str:
    """The docstring, and the imports of what the code uses."""
    origin = f", ported from {graph.origin}" if graph.origin else ""
    takes = ", ".join(shown(each.shape, each.growth) for each in writer.inputs)
    gives = ", ".join(shown(each.shape, each.growth) for each in outputs)
    doc = [*wrapped(f'"""{name}{origin}.'), "", *wrapped(f"It takes {takes}, and gives {gives}.")]
    used = [
        each for each in ("KerasTensor", "layers", "ops") if re.search(rf"(?<![\w.]){each}\b", code)
    ]
    lines = ["import sys"] if re.search(r"\bsys\.", code) else []
    lines += ["from typing import Any"] if re.search(r"\bAny\b", code) else []
    lines += [""] if lines else []
    lines += ["import keras"]
    lines += [f"from keras import {', '.join(used)}"] if used else []
    lines += ["from safetensors.numpy import load_file"]
    return "\n".join([*doc, '"""', "", *lines]) + "\n\n\n"
