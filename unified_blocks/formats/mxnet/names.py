"""The names that MXNet gives to parameters, and the gammas that its graphs ignore."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from unified_blocks.errors import FileFormatError
from unified_blocks.formats.stored import Stored

_CANONICAL = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",  # as the layers of `mx.sym` name them
    "moving_var": "running_var",
}
_OF_NORM = {"weight": "gamma", "bias": "beta"}
_LAST = (
    r"(?:(?:[lr]\d+_)?(?:i2h|h2h|h2r)_)?(?:weight|bias)"
    r"|gamma|beta|alpha|running_mean|running_var|moving_mean|moving_var"
)
_EXPORTED = re.compile(rf"(?!(?:{_LAST})$)(.+?)_({_LAST})", re.DOTALL)
_BATCH_NORMS = {
    *("BatchNorm", "BatchNorm_v1", "_npx_batch_norm"),
    *("_contrib_SyncBatchNorm", "_contrib_BatchNormWithReLU"),
}
_MAX_SYMBOL = 2**24


def canonical(tensors: list[Stored], ignored: Collection[str]) -> list[Stored]:
    """`tensors`, named as in the file, under canonical names.

    Those that `ignored` names, as the file does, are ones.
    """
    # `save_parameters` gives dotted names, except for a layer that is the whole network;
    # `export`, and `save_params` before it, give a prefix and an underscore.
    structural = any("." in t.name and not t.name.startswith(("arg:", "aux:")) for t in tensors)
    plain = [_plain(tensor.name, structural) for tensor in tensors]
    taken = set(plain)
    return [
        _renamed(tensor, _of(name, tensor, _CANONICAL, taken), ignored)
        for tensor, name in zip(tensors, plain, strict=True)
    ]


def of_mxnet(tensors: Iterable[Stored]) -> list[str]:
    """The names that `save_parameters` gives to arrays with these canonical names.

    Where `kind` does not say, a layer with a weight of one dimension, or with running statistics,
    is a norm.
    """
    tensors = list(tensors)
    norms = {_split(tensor.name)[0] for tensor in tensors if _in_norm(tensor)}
    taken = {tensor.name for tensor in tensors}
    return [
        _of(tensor.name, tensor, _OF_NORM, taken)
        if _split(tensor.name)[0] in norms
        else tensor.name
        for tensor in tensors
    ]


def fixed_gammas(path: Path) -> set[str]:
    """The gammas that the graph of an exported file ignores, as the file names them.

    For `net-0000.params` the graph is `net-symbol.json`; without it, none are known.

    Raises:
        FileFormatError: when it is not a graph of MXNet.
    """
    exported = re.fullmatch(r"(.+)-\d{4,}\.params", path.name, re.DOTALL)
    graph = exported and path.with_name(f"{exported[1]}-symbol.json")
    if not graph or not graph.is_file():
        return set()
    size = graph.stat().st_size
    try:
        if size > _MAX_SYMBOL:
            raise ValueError(f"{size} bytes, more than {_MAX_SYMBOL}")
        nodes = json.loads(graph.read_bytes())["nodes"]
        norms = [node for node in nodes if node["op"] in _BATCH_NORMS and _fixes_gamma(node)]
        return {"arg:" + nodes[norm["inputs"][1][0]]["name"] for norm in norms}
    # Whatever is missing from it, or is of another type.
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(
            f"{graph}: the graph beside {path.name} must be one that MXNet exported; got {error!r};"
            " export both again, or move it away to have each gamma as it is stored"
        ) from None


def _fixes_gamma(norm: dict[str, dict[str, str]]) -> bool:
    """Whether a node's gamma counts as 1, which is the default."""
    attributes = norm.get("attrs") or norm.get("attr") or norm.get("param") or {}
    return attributes.get("fix_gamma", "True").lower() in ("true", "1")


def _plain(name: str, structural: bool) -> str:
    """A name of the file without prefix, dotted."""
    without = re.sub("^(arg|aux):", "", name)
    exported = None if structural else _EXPORTED.fullmatch(without)
    return f"{exported[1]}.{exported[2]}" if exported and "." not in without else without


def _split(name: str) -> tuple[str, str]:
    """The layer that holds an array, with the dot, and what it is there."""
    layer, dot, last = name.rpartition(".")
    return layer + dot, last


def _of(name: str, tensor: Stored, names: dict[str, str], taken: set[str]) -> str:
    """`name` with its last part as in `names`, unless another array has that already."""
    layer, last = _split(name)
    new = layer + names.get(last, last)
    return name if len(tensor.shape) != 1 or new in taken else new


def _renamed(tensor: Stored, name: str, ignored: Collection[str]) -> Stored:
    if tensor.name in ignored:
        tensor = replace(tensor, read=partial(np.ones, tensor.shape, tensor.dtype))
    role = "parameter" if tensor.name.startswith("arg:") else None
    if tensor.name.startswith("aux:") or _split(name)[1] in ("running_mean", "running_var"):
        role = "constant"
    stored_name = None if name == tensor.name else tensor.name
    return replace(tensor, name=name, role=role, stored_name=stored_name)


def _in_norm(tensor: Stored) -> bool:
    if tensor.kind is not None:
        return tensor.kind.endswith("Norm")
    last = _split(tensor.name)[1]
    return last == "running_mean" or (
        last == "weight" and len(tensor.shape) == 1 and tensor.role != "constant"
    )
