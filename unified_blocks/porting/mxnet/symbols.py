"""The JSON of a symbol, of every version since 0.8: its nodes, as they stand in the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unified_blocks.errors import FileFormatError


@dataclass(frozen=True)
class SymbolNode:
    """A node of a symbol.

    Attributes:
        operator: its name; `"null"` of what is given: an input or an array.
        name: of the node.
        options: what the operator was told.
        notes: what users attached: `__shape__`, `__lr_mult__`, `ctx_group`.
        inputs: the place of the node that gives each, and which of its outputs it is.
    """

    operator: str
    name: str
    options: Mapping[str, str]
    notes: Mapping[str, str]
    inputs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Symbol:
    """A graph of MXNet.

    Attributes:
        nodes: in an order in which they can run.
        heads: its outputs: the place of a node, and which of its outputs.
        version: the MXNet that wrote it, as `10901` is 1.9.1; None before 0.9.
    """

    nodes: tuple[SymbolNode, ...]
    heads: tuple[tuple[int, int], ...]
    version: int | None


NOTES = ("ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage", "weight_lr_mult")
"""Names of notes without underlines, in files before 0.9."""


NORMS = ("BatchNorm", "CuDNNBatchNorm")
"""Operators with statistics that were no inputs before 0.9."""


def symbol_of(text: str | bytes, name: str = "the graph") -> Symbol:
    """Read a symbol's JSON.

    Options are called `param` in files of 0.8, beside `attr` with the notes of users; `attr` until
    0.12; `attrs` since. Before 0.9 the statistics of norms are told by their names alone.

    Raises:
        FileFormatError: when it is not a symbol.
    """
    try:
        content = explicit(json.loads(text))
        nodes = tuple(map(_node, content["nodes"]))
        heads = tuple((int(head[0]), int(head[1])) for head in content["heads"])
        version = content.get("attrs", {}).get("mxnet_version", ["int", None])[1]
        for place, node in enumerate(nodes):
            if any(not 0 <= source < place for source, _ in node.inputs):
                raise ValueError(f"node {node.name!r} takes what comes after it")
        if not all(0 <= place < len(nodes) for place, _ in heads):
            raise ValueError("a head that is no node")
    # Whatever is missing from it, or is of another type.
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(
            f"{name}: must be a symbol that MXNet wrote as JSON, with nodes and heads; got "
            f"{error!r}; export it again"
        ) from None
    return Symbol(nodes, heads, version)


def explicit(content: Any) -> Any:
    """The JSON of a symbol in which norms take their statistics, as all do since 0.9.

    Before, these had names that followed from that of the norm, and were no nodes.
    """
    nodes: list[Any] = []
    places: list[int] = []
    for node in content["nodes"]:
        inputs = [[places[each[0]], *each[1:]] for each in node["inputs"]]
        if node["op"] in NORMS and len(inputs) == len(("data", "gamma", "beta")):
            for name in ("moving_mean", "moving_var"):
                inputs.append([len(nodes), 0])
                nodes.append({"op": "null", "name": f"{node['name']}_{name}", "inputs": []})
        places.append(len(nodes))
        nodes.append({**node, "inputs": inputs})
    if len(nodes) == len(places):
        return content
    heads = [[places[each[0]], *each[1:]] for each in content["heads"]]
    given = [place for place, node in enumerate(nodes) if node["op"] == "null"]
    return {**content, "nodes": nodes, "arg_nodes": given, "heads": heads}


def _node(said: Any) -> SymbolNode:
    options: dict[str, str] = {}
    notes: dict[str, str] = {}
    for key in ("param", "attr", "attrs"):
        for name, value in (said.get(key) or {}).items():
            note = name.startswith("__") or name in NOTES or name.endswith(("_lr_mult", "_wd_mult"))
            (notes if note else options)[name] = str(value)
    if said["op"] == "null":
        notes, options = {**options, **notes}, {}
    inputs = tuple((int(each[0]), int(each[1])) for each in said["inputs"])
    return SymbolNode(str(said["op"]), str(said["name"]), options, notes, inputs)
