"""What `inspect` shows of a graph: of `net-symbol.json`, which MXNet wrote beside the numbers."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from unified_blocks.cli.terminal import printable
from unified_blocks.errors import FileFormatError
from unified_blocks.formats.mxnet.values import DTYPES
from unified_blocks.porting.mxnet.handlers import load_handlers
from unified_blocks.porting.mxnet.reader import LABELLED
from unified_blocks.porting.mxnet.reading import HANDLERS
from unified_blocks.porting.mxnet.symbols import Symbol, SymbolNode, symbol_of

MOST = 2**26
"""Bytes of a graph: the largest network of GluonCV has a hundredth of them."""
MOST_SHOWN = 6
"""The most values of an option, and the most operators, that are named in a line."""
LONG = 100
"""The characters of an option that is no number: some hold whole graphs."""

BATCH_NORMS = (
    *("BatchNorm", "BatchNorm_v1", "CuDNNBatchNorm", "_npx_batch_norm"),
    *("_contrib_SyncBatchNorm", "_contrib_BatchNormWithReLU"),
)
_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (BATCH_NORMS, {"eps": 1e-3, "momentum": 0.9, "fix_gamma": True, "use_global_stats": False}),
    (("LayerNorm", "_npx_layer_norm"), {"eps": 1e-5, "axis": -1}),
    (("GroupNorm", "_npx_group_norm"), {"eps": 1e-5, "num_groups": 1}),
    (("InstanceNorm", "_npx_instance_norm"), {"eps": 1e-3}),
    (("L2Normalization",), {"eps": 1e-10, "mode": "instance"}),
    (("LRN",), {"alpha": 1e-4, "beta": 0.75, "knorm": 2, "nsize": None}),
    (
        ("Pooling", "Pooling_v1", "_npx_pooling"),
        {
            "pool_type": "max",
            "global_pool": False,
            "pooling_convention": "valid",
            "count_include_pad": True,
        },
    ),
    (("Dropout", "_npx_dropout"), {"p": 0.5, "mode": "training", "axes": ()}),
    (("Convolution", "Convolution_v1", "_npx_convolution"), {"num_group": 1, "dilate": ()}),
    (("Deconvolution", "_npx_deconvolution"), {"num_group": 1, "dilate": (), "adj": ()}),
    (("FullyConnected", "_npx_fully_connected"), {"flatten": True}),
    (("Activation", "_npx_activation"), {"act_type": None}),
    (("LeakyReLU", "_npx_leaky_relu"), {"act_type": "leaky", "slope": 0.25}),
    (("RNN", "_npx_rnn"), {"mode": None, "num_layers": None, "bidirectional": False, "p": 0.0}),
    (("softmax", "log_softmax"), {"axis": -1, "temperature": None, "use_length": False}),
    (("SoftmaxActivation",), {"mode": "instance"}),
    (("SoftmaxOutput",), {"multi_output": False}),
    (("SequenceMask",), {"use_sequence_length": False}),
    (("UpSampling",), {"sample_type": None, "scale": None}),
    (("_contrib_BilinearResize2D",), {"align_corners": True}),
    (("Concat", "concat"), {"dim": 1}),
    (("Custom",), {"op_type": None}),
)
TELLING: dict[str, dict[str, Any]] = {
    name: options for names, options in _OPTIONS for name in names
}
"""Options that decide what an operator computes and that people miss, with MXNet's own defaults."""
ALWAYS = ("eps", "fix_gamma", "p", "pool_type")
"""Those that are shown when all have the default, too: other frameworks have another."""

_WEIGHTED = (
    *("Convolution", "Convolution_v1", "Deconvolution", "FullyConnected", "Embedding"),
    *("LayerNorm", "GroupNorm", "InstanceNorm", "_npx_convolution", "_npx_deconvolution"),
    *("_npx_fully_connected", "_npx_embedding", "_npx_layer_norm", "_npx_group_norm"),
    *("_npx_instance_norm", *BATCH_NORMS),
)
"""Operators whose inputs after the first are numbers of the network."""
_ONES = re.compile(r"1|\(\)|\((1, )*1,?\)")
_STATES = re.compile(r".*(running|moving)_(mean|var)", re.DOTALL)
_NAMED = re.compile(
    r".*(weight|bias|gamma|beta|alpha|parameters)(_quantize(_min|_max)?)?", re.DOTALL
)


def is_graph(path: Path) -> bool:
    """Whether a file begins as JSON does: no file of numbers does."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(16)
    return head.lstrip().startswith(b"{") and b"\0" not in head


def described(path: Path) -> dict[str, Any]:
    """What there is to say of a graph, for JSON.

    Raises:
        FileFormatError: when it is not one that MXNet wrote.
    """
    if (size := path.stat().st_size) > MOST:
        raise FileFormatError(
            f"{path}: a graph must have at most {MOST} bytes; got {size}: it is no symbol of MXNet"
        )
    symbol = symbol_of(path.read_bytes(), str(path))
    arrays = _arrays(symbol)
    own, labels = {each["name"] for each in arrays}, _labels(symbol)
    given = [node for node in symbol.nodes if node.operator == "null" and node.name not in own]
    operators = Counter(node.operator for node in symbol.nodes if node.operator != "null")
    options = _options(symbol)
    load_handlers()
    return {
        "file": str(path),
        "format": "mxnet-symbol",
        "version": _version(symbol.version),
        "inputs": [{**_described(node), "label": node.name in labels} for node in given],
        "outputs": [_output(symbol, place, number) for place, number in symbol.heads],
        "operators": [
            {
                "operator": operator,
                "count": count,
                "portable": operator in HANDLERS,
                "options": options.get(operator, {}),
            }
            for operator, count in operators.most_common()
        ],
        "arrays": arrays,
    }


def show(console: Console, graph: Mapping[str, Any]) -> None:
    """Print what `described` gives."""
    count = sum(each["count"] for each in graph["operators"])
    version = f"MXNet {graph['version']}" if graph["version"] else "MXNet before 0.9"
    kinds = len(graph["operators"])
    head = f"{graph['file']}: a graph of {version}, {count} operators of {kinds} kinds"
    console.print(printable(head), soft_wrap=True)
    for each in graph["inputs"]:
        told = [f"shape {tuple(each['shape'])}"] if each["shape"] else []
        told += [each["dtype"]] if each["dtype"] else []
        told += ["a label, for training only"] if each["label"] else []
        console.print(printable(f"input   {each['name']}" + "".join(f", {t}" for t in told)))
    for name in graph["outputs"]:
        console.print(printable(f"output  {name}"), soft_wrap=True)
    states = sum(each["role"] == "constant" for each in graph["arrays"])
    parameters = len(graph["arrays"]) - states
    console.print(f"expects {parameters} parameters and {states} running means and variances")
    table = Table("operator", "count", "options")
    for each in graph["operators"]:
        cells = (each["operator"], str(each["count"]), _told(each["operator"], each["options"]))
        table.add_row(*map(printable, cells))
    console.print(table)
    if unknown := [each["operator"] for each in graph["operators"] if not each["portable"]]:
        console.print(printable(f"not known to ub.port: {_some(unknown)}"), soft_wrap=True)


def _told(operator: str, options: Mapping[str, Mapping[str, int]]) -> str:
    """The options of an operator that are not what anyone expects, a line for each."""
    known = TELLING.get(operator, {})
    return "\n".join(
        f"{name}: {_counted(values)}"
        for name, values in options.items()
        if name in ALWAYS or any(not _is_plain(each, known[name]) for each in values)
    )


def _is_plain(value: str, default: Any) -> bool:
    """Whether an option says nothing: the default, none, or ones."""
    return value in (str(default), "None") or _ONES.fullmatch(value) is not None


def _counted(values: Mapping[str, int]) -> str:
    """The values of an option, each with how often it is there if there are several."""
    if len(values) == 1:
        return next(iter(values))
    return _some([f"{value} ({count})" for value, count in values.items()])


def _some(words: Iterable[str]) -> str:
    every = list(words)
    more = len(every) - MOST_SHOWN
    return ", ".join(every[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _version(number: Any) -> str | None:
    """`10901` is 1.9.1."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        return None
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def _output(symbol: Symbol, place: int, number: int) -> str:
    return symbol.nodes[place].name + (f":{number}" if number else "")


def _options(symbol: Symbol) -> dict[str, dict[str, dict[str, int]]]:
    """By operator and option: how often each value of those that matter is there."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for node in symbol.nodes:
        known = TELLING.get(node.operator, {})
        counts = found.setdefault(node.operator, {name: Counter() for name in known})
        for name, default in known.items():
            counts[name][_spelled(node.options.get(name, default))] += 1
    return {
        operator: {name: dict(values.most_common()) for name, values in counts.items()}
        for operator, counts in found.items()
    }


def _spelled(value: Any) -> str:
    """A value of an option, one way of writing each: `1e-05`, `True`."""
    words: dict[str, Any] = {"true": True, "false": False, "none": None}
    if not isinstance(value, str) or len(value) >= LONG:
        return str(value)
    with suppress(ValueError, SyntaxError):
        return str(words[value.lower()] if value.lower() in words else ast.literal_eval(value))
    return value


def _arrays(symbol: Symbol) -> list[dict[str, Any]]:
    """The numbers that the network has of its own, each with its role.

    A graph does not say what is an input: numbers are what operators take as weights, what Gluon
    tells how to initialise, and what is called as they are.
    """
    weights, states, unlisted = set[int](), set[int](), []
    for node in symbol.nodes:
        if node.operator in _WEIGHTED:
            weights.update(place for place, _ in node.inputs[1:])
        if node.operator in BATCH_NORMS:
            states.update(place for place, _ in node.inputs[3:])
            if len(node.inputs) == 3:  # before 0.9 the graph does not list them
                unlisted += [f"{node.name}_moving_{last}" for last in ("mean", "var")]
    found = []
    for place, node in enumerate(symbol.nodes):
        if node.operator == "null" and (
            place in weights
            or "__init__" in node.notes
            or "__lr_mult__" in node.notes
            or _STATES.fullmatch(node.name)
            or _NAMED.fullmatch(node.name)
        ):
            is_state = place in states or _STATES.fullmatch(node.name)
            found.append({**_described(node), "role": "constant" if is_state else "parameter"})
    unknown = {"shape": None, "dtype": None, "role": "constant"}
    return found + [{"name": name, **unknown} for name in unlisted]


def _labels(symbol: Symbol) -> set[str]:
    """The inputs that only training has."""
    return {
        symbol.nodes[place].name
        for node in symbol.nodes
        if node.operator in LABELLED
        for place, _ in node.inputs[1:]
    }


def _described(node: SymbolNode) -> dict[str, Any]:
    """The name of an input or array, with shape and dtype where the graph says them."""
    found = re.fullmatch(r"[(\[]((?:\s*-?\d{1,18}\s*,?)*)[)\]]", node.notes.get("__shape__", ""))
    shape = [int(size) for size in re.findall(r"-?\d+", found[1])] if found else None
    code = node.notes.get("__dtype__", "")
    known = code.isdecimal() and len(code) < 3 and int(code) < len(DTYPES)
    return {"name": node.name, "shape": shape, "dtype": DTYPES[int(code)] if known else None}
