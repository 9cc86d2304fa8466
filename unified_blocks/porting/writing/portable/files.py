"""The file that holds a network of portable blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unified_blocks.porting.graph import Graph, Node, Parameter
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.structure import Scope
from unified_blocks.porting.writing.dialect import Dialect
from unified_blocks.porting.writing.documents import docstring
from unified_blocks.porting.writing.layout import laid_out
from unified_blocks.porting.writing.modules import Classes, classes, uses
from unified_blocks.porting.writing.pieces import Piece, Slot, call, text
from unified_blocks.porting.writing.portable.elementwise import LAYERS
from unified_blocks.porting.writing.portable.reserved import RESERVED
from unified_blocks.porting.writing.words import Word
from unified_blocks.porting.writing.written import Written

PARALLEL = "ub.Parallel"


def made(parameter: Parameter) -> Piece:
    """What makes numbers that no layer owns, which are not trained; whole ones are exact."""
    slots = [Slot(size, "size") for size in parameter.shape]
    inside = ", ".join(["{}"] * len(slots)) + ("," if len(slots) == 1 else "")
    dtype = None if parameter.data.dtype.kind == "f" else "float64"
    return call("ub.Constant", shape=text(f"({inside})", *slots), dtype=(dtype, None))


def fused(layer: Piece, others: Sequence[Operation]) -> Piece | None:
    """A dense layer or convolution with an activation."""
    if len(others) != 1 or not layer.head.startswith(("ub.Dense", "ub.Conv")):
        return None
    (other,) = others
    if not isinstance(other, Elementwise) or other.function not in LAYERS:
        return None
    return Piece(
        layer.head,
        (*layer.parts, Slot(other.function, "activation")),
        (*layer.names, "activation"),
        (*layer.defaults, None),
        True,
    )


DIALECT = Dialect(
    module="ub.Block",
    sequence="ub.MySequential",
    table="ub.Block",
    parallel=PARALLEL,
    identity="ub.MySequential",
    indexed='getattr(self, "{}")',
    assigned='setattr(self, "{}", {})',
    holder="{{...}}",
    deep="",
    tensor="Any",
    tensors=made,
    reserved=frozenset({"Any", "ub", "load", "FROZEN"}),
    attributes=RESERVED | {"forward", "on", "native"},
    renames=True,
    parallel_options={"axis": Slot("channels", "axis")},
    fused=fused,
    whole='ub.ops.astype({}, "{}")',
)


def text_of(graph: Graph, scope: Scope, name: str, words: Mapping[Node, Word]) -> Written:
    """A network as a file of portable blocks."""
    made = classes(graph, scope, name, words, DIALECT, lambda names: ())
    frozen = [
        made.names[each.name]
        for each in graph.parameters()
        if each.role == "frozen" and made.names[each.name] in made.state
    ]
    blocks = [*made.sources, _load(made, frozen)]
    body = "\n\n\n".join(block.strip("\n") for block in blocks)
    imports = "from typing import Any\n\n" if uses("Any", body) else ""
    imports += "import unified_blocks as ub"
    source = f"{docstring(graph, made.name)}\n\n{imports}\n\n\n{body}\n"
    state = {
        each: array if array.dtype.kind == "f" else array.astype("float64")
        for each, array in made.state.items()
    }
    return Written(source, state, made.names, made.layers)


def _load(made: Classes, frozen: Sequence[str]) -> str:
    kinds = {array.dtype.name for array in made.state.values() if array.dtype.kind == "f"}
    lines = [
        f'def load(path: str = "net.safetensors", backend: str | None = None) -> {made.name}:',
        '    """The network with the numbers of a file, on the backend in use or a named one."""',
        f"    kind = {made.name}.on(backend) if backend else {made.name}",
    ]
    if len(kinds) == 1 and kinds != {"float32"}:
        lines += [f'    with ub.use_dtype("{kinds.pop()}"):', "        net = kind()"]
    else:
        lines += ["    net = kind()"]
    lines += ["    ub.load_state(net, ub.read_state(path))"]
    if frozen:
        shown = ", ".join(f'"{name}"' for name in frozen)
        comma = "," if len(frozen) == 1 else ""
        lines += ["    for variable in ub.backend_of(net).variables(net):"]
        lines += laid_out(f"if variable.name in ({shown}{comma}):", 8)
        lines += ["            variable.freeze()"]
    lines += ['    if hasattr(net, "eval"):  # PyTorch', "        net.eval()", "    return net"]
    return "\n".join(lines)
