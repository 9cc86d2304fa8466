"""The numbers of `torch.nn.MultiheadAttention`, and of attention that is made of dense layers.

PyTorch holds the weights of queries, keys and values in one array, `in_proj_weight`, or, if keys
and values have widths of their own, in `q_proj_weight`, `k_proj_weight` and `v_proj_weight`; their
biases in `in_proj_bias`, and the last layer as `out_proj`. Elsewhere there are four dense layers:
`query`, `key`, `value` and `out`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from unified_blocks.formats.stored import Stored
from unified_blocks.types import Array

PARTS = ("query", "key", "value")
PACKED = {"in_proj_weight": "weight", "in_proj_bias": "bias"}
SAME = {
    "q_proj_weight": "query.weight",
    "k_proj_weight": "key.weight",
    "v_proj_weight": "value.weight",
    "out_proj.weight": "out.weight",
    "out_proj.bias": "out.bias",
}


def as_held(tensors: Mapping[str, Stored], wanted: Collection[str]) -> dict[str, Stored]:
    """`tensors`, with attention in the form in which the names `wanted` have it.

    Args:
        tensors: the arrays of the source by name.
        wanted: the names in the target.
    """
    found = dict(tensors)
    for path in {_path(name, (*PACKED, *SAME)) for name in tensors} - {None}:
        _unpack(found, str(path), wanted)
    for path in {_path(name, (*PACKED, *SAME)) for name in wanted} - {None}:
        _pack(found, str(path), wanted)
    return found


def _path(name: str, endings: Collection[str]) -> str | None:
    """What is before one of the endings in a name, with its dot."""
    for ending in endings:
        if name == ending or name.endswith(f".{ending}"):
            return name.removesuffix(ending)
    return None


def _unpack(found: dict[str, Stored], path: str, wanted: Collection[str]) -> None:
    if f"{path}query.weight" not in wanted:
        return
    for packed, attribute in PACKED.items():
        stored = found.get(path + packed)
        if stored is not None and path + packed not in wanted and stored.shape[0] % 3 == 0:
            del found[path + packed]
            found |= {f"{path}{part}.{attribute}": s for part, s in _thirds(stored).items()}
    for theirs, ours in SAME.items():
        if path + theirs in found and path + theirs not in wanted:
            found[path + ours] = _of_any_kind(found.pop(path + theirs))


def _pack(found: dict[str, Stored], path: str, wanted: Collection[str]) -> None:
    if f"{path}query.weight" in wanted:
        return
    for packed, attribute in PACKED.items():
        names = [f"{path}{part}.{attribute}" for part in PARTS]
        given = [found[name] for name in names if name in found]
        if path + packed in wanted and path + packed not in found and _stack(given):
            for name in names:
                del found[name]
            found[path + packed] = _joined(given)
    for theirs, ours in SAME.items():
        if path + theirs in wanted and path + ours in found:
            found[path + theirs] = _of_any_kind(found.pop(path + ours))


def _of_any_kind(stored: Stored) -> Stored:
    """An array that is a dense layer's on one side, and the attention's own on the other."""
    return replace(stored, kind=None)


def _stack(parts: list[Stored]) -> bool:
    """Whether these are a query's, a key's and a value's that fit into one array."""
    return len(parts) == len(PARTS) and len({(s.shape, s.dtype) for s in parts}) == 1


def _thirds(packed: Stored) -> dict[str, Stored]:
    """A query's, a key's and a value's share of one array."""
    size = packed.shape[0] // 3
    return {
        part: replace(
            packed,
            shape=(size, *packed.shape[1:]),
            read=partial(_rows, packed, i * size, size),
            kind=None,
            aliases=(),
        )
        for i, part in enumerate(PARTS)
    }


def _rows(packed: Stored, start: int, size: int) -> Array:
    return packed.read()[start : start + size]


def _joined(parts: list[Stored]) -> Stored:
    def read() -> Array:
        return np.concatenate([part.read() for part in parts])

    checks = [part.verify for part in parts if part.verify is not None]

    def verify() -> None:
        for check in checks:
            check()

    shape = (3 * parts[0].shape[0], *parts[0].shape[1:])
    check = verify if checks else None
    return replace(parts[0], shape=shape, read=read, verify=check, kind=None, aliases=())


def layers_as_held(
    given: Mapping[str, Mapping[str, Stored]], wanted: Mapping[str, Collection[str]]
) -> dict[str, dict[str, Stored]]:
    """The layers of a source in their order, with attention in the form that the target has.

    Args:
        given: the arrays of the source by layer and attribute.
        wanted: the attributes in the target by layer.
    """
    found: dict[str, dict[str, Stored]] = {}
    left, places = list(given.items()), list(wanted.values())
    while left:
        path, layer = left.pop(0)
        place = places.pop(0) if places else ()
        if _is_attention(layer) and not _is_attention(place):
            names = [f"{part}.{attribute}" for part in PARTS for attribute in ("weight", "bias")]
            arrays = as_held(layer, names)
            for part in PARTS:
                own = {name: s for name, s in arrays.items() if name.startswith(f"{part}.")}
                found[f"{path}.{part}"] = {name.rpartition(".")[2]: s for name, s in own.items()}
            places = places[len(PARTS) - 1 :]
        elif _is_attention(place) and not _is_attention(layer) and len(left) > 1:
            layers = [layer, *(left.pop(0)[1] for _ in PARTS[1:])]
            parts = zip(PARTS, layers, strict=True)
            arrays = {f"{part}.{name}": s for part, each in parts for name, s in each.items()}
            found[path] = as_held(arrays, place)
        else:
            found[path] = dict(layer)
    return found


def _is_attention(attributes: Collection[str]) -> bool:
    return "in_proj_weight" in attributes or "q_proj_weight" in attributes
