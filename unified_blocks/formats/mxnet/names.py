"""The names that MXNet gives to parameters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from unified_blocks.formats.mxnet.recurrent import canonical_part, gluon_part
from unified_blocks.formats.stored import Stored

_CANONICAL = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",  # as the layers of `mx.sym` name them
    "moving_var": "running_var",
}
_OF_NORM = {"weight": "gamma", "bias": "beta"}
_PRELU = {"alpha": "weight"}
_OF_PRELU = {"weight": "alpha"}
_LAST = (
    r"(?:(?:[lr]\d+_)?(?:i2h|h2h|h2r)_)?(?:weight|bias)"
    r"|gamma|beta|alpha|running_mean|running_var|moving_mean|moving_var"
)
_EXPORTED = re.compile(rf"(?!(?:{_LAST})$)(.+?)_({_LAST})", re.DOTALL)
_UNFUSED = re.compile(r"(.*\.)?_unfused\.(\d+)\.(?:([lr])_cell\.)?((?:i2h|h2h|h2r)_\w+)", re.DOTALL)
"""A layer of an LSTM, GRU or RNN: `_unfused.0.l_cell.i2h_weight` in files."""


def canonical(tensors: list[Stored], ignored: Collection[str]) -> list[Stored]:
    """`tensors`, named as in the file, under canonical names.

    Those that `ignored` names, as the file does, are ones.
    """
    names = canonical_names([(tensor.name, len(tensor.shape)) for tensor in tensors])
    return [_renamed(tensor, name, ignored) for tensor, name in zip(tensors, names, strict=True)]


def canonical_names(arrays: Sequence[tuple[str, int]]) -> list[str]:
    """The canonical names of arrays, each of which a file gives by its name and number of axes."""
    # `save_parameters` gives dotted names, except for a layer that is the whole network;
    # `export`, and `save_params` before it, give a prefix and an underscore.
    structural = any("." in name and not is_exported(name) for name, _ in arrays)
    plain = [_plain(name, structural) for name, _ in arrays]
    taken = set(plain)
    return [
        _of(name, axes, _PRELU if _is_prelu(name, taken) else _CANONICAL, taken)
        for name, (_, axes) in zip(plain, arrays, strict=True)
    ]


def is_exported(name: str) -> bool:
    """Whether a name is one that `export` or a Module gives."""
    return name.startswith(("arg:", "aux:"))


def of_mxnet(tensors: Iterable[Stored]) -> list[str]:
    """The names that a file of MXNet gives to arrays with these canonical names.

    What was read from such a file, and still has all the names that follow from those in it, has
    these again: those of `export` and of a Module too, which only they can load. Any other gets the
    names that `save_parameters` gives. Where `kind` does not say, a layer with a weight of one
    dimension, or with running statistics, is a norm then.
    """
    tensors = list(tensors)
    if kept := _kept(tensors):
        return kept
    norms = {_split(tensor.name)[0] for tensor in tensors if _in_norm(tensor)}
    taken = {tensor.name for tensor in tensors}
    parts = [gluon_part(_split(tensor.name)[1]) for tensor in tensors]
    both_ways = {
        _split(tensor.name)[0]
        for tensor, found in zip(tensors, parts, strict=True)
        if found and found[0] == "r"
    }
    names = []
    for tensor, found in zip(tensors, parts, strict=True):
        if found:
            above, (way, number, last) = _split(tensor.name)[0], found
            cell = f"{way}_cell." if above in both_ways else ""
            names.append(above + (last if number is None else f"_unfused.{number}.{cell}{last}"))
        elif tensor.kind == "PReLU":
            names.append(_of(tensor.name, len(tensor.shape), _OF_PRELU, taken))
        elif _split(tensor.name)[0] in norms:
            names.append(_of(tensor.name, len(tensor.shape), _OF_NORM, taken))
        else:
            names.append(tensor.name)
    return names


def _kept(tensors: list[Stored]) -> list[str] | None:
    """The names in the file of MXNet that all of these are from; None if they are not."""
    names = [tensor.stored_name for tensor in tensors if tensor.stored_name is not None]
    if len(names) < len(tensors):
        return None
    sizes = [len(tensor.shape) for tensor in tensors]
    follow = canonical_names([*zip(names, sizes, strict=True)])
    return names if follow == [tensor.name for tensor in tensors] else None


def _plain(name: str, structural: bool) -> str:
    """A name of the file without prefix, dotted."""
    if found := _UNFUSED.fullmatch(name):
        above, number, way, last = found.groups(default="")
        return above + canonical_part(f"{way or 'l'}{number}_{last}")
    without = re.sub("^(arg|aux):", "", name)
    exported = None if structural else _EXPORTED.fullmatch(without)
    if exported and "." not in without:
        without = f"{exported[1]}.{exported[2]}"
    layer, last = _split(without)
    return layer + canonical_part(last)


def _is_prelu(name: str, names: Collection[str]) -> bool:
    """Whether a name is that of the slopes of a PReLU: the one thing that its layer holds."""
    layer, last = _split(name)
    return last == "alpha" and bool(layer) and sum(n.startswith(layer) for n in names) == 1


def _split(name: str) -> tuple[str, str]:
    """The layer that holds an array, with the dot, and what it is there."""
    layer, dot, last = name.rpartition(".")
    return layer + dot, last


def _of(name: str, axes: int, names: dict[str, str], taken: set[str]) -> str:
    """`name` with its last part as in `names`, unless another array has that already."""
    layer, last = _split(name)
    new = layer + names.get(last, last)
    return name if axes != 1 or new in taken else new


def _renamed(tensor: Stored, name: str, ignored: Collection[str]) -> Stored:
    if tensor.name in ignored:
        tensor = replace(tensor, read=partial(np.ones, tensor.shape, tensor.dtype))
    role = "parameter" if tensor.name.startswith("arg:") else None
    if tensor.name.startswith("aux:") or _split(name)[1] in ("running_mean", "running_var"):
        role = "constant"
    return replace(tensor, name=name, role=role, stored_name=tensor.name)


def _in_norm(tensor: Stored) -> bool:
    if tensor.kind is not None:
        return tensor.kind.endswith("Norm")
    last = _split(tensor.name)[1]
    return last == "running_mean" or (
        last == "weight" and len(tensor.shape) == 1 and tensor.role != "constant"
    )
