"""What the graph beside a file of MXNet says of its arrays: their order, and the options of norms.

A Module saves its arrays as a dict lists them, which before Python 3.7 is no order at all. The
graph lists each array where it is first used. It has the epsilon of a norm and the rate at which it
forgets, too, and whether it multiplies by its gamma.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unified_blocks.errors import FileFormatError

_MAX_SYMBOL = 2**24
_BATCH_NORMS = {
    *("BatchNorm", "BatchNorm_v1", "CuDNNBatchNorm", "_npx_batch_norm"),
    *("_contrib_SyncBatchNorm", "_contrib_BatchNormWithReLU"),
}
_EPSILONS = {
    **dict.fromkeys(_BATCH_NORMS, 1e-3),
    **dict.fromkeys(("LayerNorm", "_npx_layer_norm", "GroupNorm", "_npx_group_norm"), 1e-5),
    **dict.fromkeys(("InstanceNorm", "_npx_instance_norm"), 1e-3),
}
"""The epsilon of each operation that is a norm, where the graph does not give one."""


@dataclass(frozen=True)
class Graph:
    """A graph of MXNet, by the names that it gives to arrays.

    Attributes:
        places: where each array is first used.
        norms: by the name of its gamma, what a norm computes with besides its arrays.
        groups: by the name of an array of a norm over groups of channels, how many it has.
    """

    places: Mapping[str, int]
    norms: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, int]

    @property
    def fixed(self) -> set[str]:
        """The gammas that are ignored: 1 takes their place."""
        return {gamma for gamma, norm in self.norms.items() if norm.get("fix_gamma")}

    def order(self, names: Sequence[str], layers: Sequence[str]) -> list[int] | None:
        """The arrays of these names in the order of the graph, those of a layer together.

        None if the graph lacks one of them.
        """
        if not all(name in self.places for name in names):
            return None
        first: dict[str, int] = {}
        for name, layer in zip(names, layers, strict=True):
            first[layer] = min(self.places[name], first.get(layer, len(self.places)))
        return sorted(range(len(names)), key=lambda i: (first[layers[i]], self.places[names[i]]))


def beside(path: Path) -> Graph | None:
    """The graph of a file that `export` or a Module wrote: of `net-0000.params`, `net-symbol.json`.

    Raises:
        FileFormatError: when it is not a graph of MXNet.
    """
    exported = re.fullmatch(r"(.+)-\d{4,}\.params", path.name, re.DOTALL)
    graph = exported and path.with_name(f"{exported[1]}-symbol.json")
    if not graph or not graph.is_file():
        return None
    size = graph.stat().st_size
    try:
        if size > _MAX_SYMBOL:
            raise ValueError(f"{size} bytes, more than {_MAX_SYMBOL}")
        return of_json(graph.read_bytes())
    # Whatever is missing from it, or is of another type.
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(
            f"{graph}: the graph beside {path.name} must be one that MXNet exported; got {error!r};"
            " export both again, or move it away to have each gamma as it is stored"
        ) from None


def of_json(text: str | bytes) -> Graph:
    """The graph in a symbol's JSON.

    Raises:
        ValueError, LookupError, TypeError, AttributeError, RecursionError: when it is none.
    """
    nodes = json.loads(text)["nodes"]
    arrays = [node["name"] for node in nodes if node["op"] == "null"]
    norms, groups = {}, {}
    for node in nodes:
        if node["op"] in _EPSILONS:
            gamma = nodes[node["inputs"][1][0]]["name"]
            if not isinstance(gamma, str):
                raise TypeError(f"a node called {gamma!r}")
            norm = norms[gamma] = _norm(node)
            if "groups" in norm:
                held = [nodes[each[0]]["name"] for each in node["inputs"][1:3]]
                groups.update(dict.fromkeys(held, norm["groups"]))
    return Graph({name: place for place, name in reversed([*enumerate(arrays)])}, norms, groups)


def _norm(node: dict[str, Any]) -> dict[str, Any]:
    """What a norm computes with; where the graph is silent, MXNet's own defaults."""
    said = node.get("attrs") or node.get("attr") or node.get("param") or {}
    found: dict[str, Any] = {"epsilon": float(said.get("eps", _EPSILONS[node["op"]]))}
    if node["op"] in _BATCH_NORMS:
        found["momentum"] = float(said.get("momentum", 0.9))
        found["fix_gamma"] = said.get("fix_gamma", "True").lower() in ("true", "1")
    if node["op"] in ("GroupNorm", "_npx_group_norm"):
        found["groups"] = int(said.get("num_groups", 1))
    return found
