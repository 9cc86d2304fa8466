"""The file that holds a network of PyTorch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from unified_blocks.porting.graph import Graph, Node, Parameter
from unified_blocks.porting.structure import Scope
from unified_blocks.porting.writing.dialect import Dialect
from unified_blocks.porting.writing.documents import docstring
from unified_blocks.porting.writing.layout import laid_out
from unified_blocks.porting.writing.modules import Classes, Names, classes, uses
from unified_blocks.porting.writing.naming import is_name
from unified_blocks.porting.writing.pieces import Piece, Slot, call, text
from unified_blocks.porting.writing.pytorch.helpers import HELPERS
from unified_blocks.porting.writing.words import Word
from unified_blocks.porting.writing.written import Written

IMPORTS = {
    "math": "import math",
    "Any": "from typing import Any",
    "torch": "import torch",
    "load_file": "from safetensors.torch import load_file",
    "Tensor": "from torch import Tensor",
    "nn": "from torch import nn",
    "F": "from torch.nn import functional as F",
    "pack_padded_sequence": (
        "from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence"
    ),
}
"""What a name of the source is imported by."""

ATTRIBUTES = frozenset(
    re.findall(
        r"\w+",
        """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu
    cuda double dump_patches eval extra_repr float forward get_buffer get_extra_state
    get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers
    named_children named_modules named_parameters parameters register_buffer register_module
    register_parameter requires_grad_ set_extra_state set_submodule share_memory state_dict
    to to_empty train training type xpu zero_grad
    """,
    )
)
"""Names that every module has already."""


def made(parameter: Parameter) -> Piece:
    """What makes numbers that no layer owns."""
    sizes = ", ".join(["{}"] * len(parameter.shape)) or "()"
    slots = [Slot(size, "size") for size in parameter.shape]
    dtype = "" if parameter.data.dtype.kind == "f" else f", dtype=torch.{parameter.data.dtype.name}"
    empty = text(f"torch.empty({sizes}{dtype})", *slots)
    return empty if parameter.role in ("constant", "statistic") else call("nn.Parameter", empty)


DIALECT = Dialect(
    module="nn.Module",
    sequence="nn.Sequential",
    table="nn.ModuleDict",
    parallel="Concurrent",
    identity="nn.Identity",
    indexed='self["{}"]',
    assigned='self["{}"] = {}',
    holder="nn.ModuleDict({{...}})",
    deep='self.get_submodule("{}")',
    tensor="Tensor",
    tensors=made,
    held='self.register_buffer("{}", {})',
    reserved=frozenset({"Tensor", "F", "nn", "torch", "math", "load", "load_file", *HELPERS}),
    attributes=ATTRIBUTES,
)


def text_of(graph: Graph, scope: Scope, name: str, words: Mapping[Node, Word]) -> Written:
    """A network as a file of PyTorch."""
    made = classes(graph, scope, name, words, DIALECT, lambda names: ending(words, names))
    blocks = [*(HELPERS[each] for each in made.helpers), *made.sources, _load(graph, made)]
    body = "\n\n\n".join(block.strip("\n") for block in blocks)
    source = f"{docstring(graph, made.name)}\n\n{_imports(body)}\n\n\n{body}\n"
    return Written(source, made.state, made.names, made.layers)


def _imports(body: str) -> str:
    used = [line for name, line in IMPORTS.items() if uses(name, body)]
    own = ("import math", "from typing import Any")  # of Python
    plain = [line for line in own if line in used]
    joined = {"from torch import Tensor", "from torch import nn"}
    if joined <= set(used):
        used = [line for line in used if line not in joined]
        used.append("from torch import Tensor, nn")
    others = sorted(
        (line for line in used if line not in plain),
        key=lambda line: (line.startswith("from"), re.split(r" import | as ", line)[0]),
    )
    return "\n".join([*plain, *([""] if plain and others else []), *others])


def _load(graph: Graph, made: Classes) -> str:
    kinds = {array.dtype.name for array in made.state.values() if array.dtype.kind == "f"}
    assigned = ", assign=True" if kinds - {"float32"} else ""
    return "\n".join(
        [
            f'def load(path: str = "net.safetensors") -> {made.name}:',
            '    """The network with the numbers of a file, as it is used after training."""',
            f"    net = {made.name}()",
            f"    net.load_state_dict(load_file(path){assigned})",
            "    return net.eval()",
        ]
    )


def ending(words: Mapping[Node, Word], names: Names) -> list[str]:
    """The last lines of the constructor: what is held twice, and what is not trained."""
    return [*_tied(names), *_frozen(words, names)]


def _tied(names: Names) -> list[str]:
    lines: list[str] = []
    for first, *others in names.values():
        lines += ["# the same numbers in several layers"] if others and not lines else []
        for other in others:
            owner, _, own = other.rpartition(".")
            source, _, last = first.rpartition(".")
            lines += laid_out(f"{_place(owner)}.{own} = {_place(source)}.{last}", width=80)
    return lines


def _place(path: str) -> str:
    """How the constructor of a network names a module in it."""
    if not path or (is_name(path) and path not in ATTRIBUTES):
        return f"self.{path}".rstrip(".")
    return f'self.get_submodule("{path}")'


def _frozen(words: Mapping[Node, Word], names: Names) -> list[str]:
    """Lines that say which parameters training leaves as they are."""
    trained = {p: each for p, each in names.items() if p.role in ("parameter", "frozen")}
    frozen = [p for p in trained if p.role == "frozen"]
    if not frozen:
        return []
    if len(frozen) == len(trained):
        return ["self.requires_grad_(False)"]
    rules, left = _rules(words, trained)
    lines = [line for rule in rules for line in rule]
    rest = [trained[parameter][0] for parameter in left]
    whole, single = _layers(rest, trained)
    return [
        *lines,
        *_each(whole, "submodule", "requires_grad_(False)"),
        *_each(single, "parameter", "requires_grad_(False)"),
    ]


def _layers(
    frozen: Sequence[str], trained: Mapping[Parameter, Sequence[str]]
) -> tuple[list[str], list[str]]:
    """The layers of which all is frozen, and the names of what is frozen beside them."""
    owners: dict[str, bool] = {}
    for parameter, names in trained.items():
        owner = names[0].rpartition(".")[0]
        owners[owner] = owners.get(owner, True) and parameter.role == "frozen"
    found = dict.fromkeys(name.rpartition(".")[0] for name in frozen)
    whole = [owner for owner in found if owner and owners[owner]]
    return whole, [name for name in frozen if name.rpartition(".")[0] not in whole]


def _each(names: Sequence[str], kind: str, change: str) -> list[str]:
    """Lines that change what has these names."""
    if len(names) <= 2:
        return [f'self.get_{kind}("{name}").{change}' for name in names]
    shown = [f'    "{name}",' for name in names]
    return ["for name in (", *shown, "):", f"    self.get_{kind}(name).{change}"]


def _rules(
    words: Mapping[Node, Word], trained: Mapping[Parameter, Sequence[str]]
) -> tuple[list[list[str]], list[Parameter]]:
    """What is frozen in all layers of a kind, as loops, and what is not by such a rule."""
    kinds: dict[tuple[str, str], list[Parameter]] = {}
    for word in words.values():
        for name, parameter in word.weights.items():
            if word.layer is not None and parameter in trained:
                kinds.setdefault((word.layer.head, name), []).append(parameter)
    loops: dict[str, list[str]] = {}
    done: set[Parameter] = set()
    for (kind, name), parameters in kinds.items():
        if len(parameters) > 2 and all(each.role == "frozen" for each in parameters):
            loops.setdefault(kind, []).append(f"        module.{name}.requires_grad_(False)")
            done.update(parameters)
    rules = [
        ["for module in self.modules():", f"    if isinstance(module, {kind}):", *lines]
        for kind, lines in loops.items()
    ]
    return rules, [p for p in trained if p.role == "frozen" and p not in done]
