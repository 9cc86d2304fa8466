"""Weights that PyTorch computes from other numbers: `weight_norm` and `spectral_norm`.

PyTorch has each in two forms with other names. `torch.nn.utils.weight_norm` holds `weight_g` and
`weight_v` in place of `weight`, `torch.nn.utils.spectral_norm` holds `weight_orig` and the vectors
`weight_u` and `weight_v`; `torch.nn.utils.parametrizations` holds `parametrizations.weight.…`.
The names of the first are those used here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from unified_blocks.backend import Variable
from unified_blocks.formats.stored import Stored
from unified_blocks.types import Array

Layer = Mapping[str, Stored]
NEW = re.compile(r"(^|.*\.)parametrizations\.([^.]+)\.(original[01]?|0\._[uv])$")
ENDINGS = {"original0": "_g", "original1": "_v", "original": "_orig", "0._u": "_u", "0._v": "_v"}
OF_PYTORCH = (None, "_WeightNorm", "_SpectralNorm")
"""The kinds that are known here; None of a file. Another parametrization is left as it is."""
PLAIN_ONLY = (
    "; spectral_norm computes a weight of the target, which then cannot be given: take it off "
    "first, torch.nn.utils.parametrize.remove_parametrizations or "
    "torch.nn.utils.remove_spectral_norm"
)
"""The remedy for a source that holds a weight as it is."""


def older(name: str, kind: str | None = None) -> str:
    """A name of `torch.nn.utils.parametrizations`, as the functions before it have it.

    Args:
        name: any name.
        kind: of what computes the weight; another's names stay as they are.
    """
    found = NEW.match(name)
    if found is None or kind not in OF_PYTORCH:
        return name
    path, attribute, role = found.groups()
    return f"{path}{attribute}{ENDINGS[role]}"


def converted(layer: Layer, wanted: Mapping[str, Variable]) -> dict[str, Stored]:
    """The arrays of a layer, those that `wanted` lacks made into those that it has.

    Args:
        layer: the arrays by attribute.
        wanted: the variables of a layer of the target by attribute.
    """
    found = dict(layer)
    for name in layer.keys() - wanted.keys():
        attribute, _, ending = name.rpartition("_")
        if ending == "g" and attribute in wanted and f"{attribute}_v" in layer:
            _replace(found, (name, f"{attribute}_v"), {attribute: _weight_norm(layer, attribute)})
        elif ending == "orig" and attribute in wanted and f"{attribute}_v" in layer:
            parts = (name, f"{attribute}_u", f"{attribute}_v")
            _replace(found, parts, {attribute: _spectral_norm(layer, attribute)})
        elif {f"{name}_g", f"{name}_v"} <= wanted.keys():
            _replace(found, (name,), _apart(layer[name], name, wanted[f"{name}_g"]))
    return found


def _replace(
    found: dict[str, Stored], names: tuple[str, ...], new: Mapping[str, Stored | None]
) -> None:
    made = {name: stored for name, stored in new.items() if stored is not None}
    if len(made) == len(new):
        for name in names:
            found.pop(name, None)
        found.update(made)


def _made(name: str, like: Stored, parts: list[Stored], read: Callable[[], Array]) -> Stored:
    checks = [part.verify for part in parts if part.verify is not None]

    def verify() -> None:
        for check in checks:
            check()

    kind = None if like.kind in OF_PYTORCH else like.kind
    return replace(
        like, name=name, read=read, verify=verify if checks else None, kind=kind, aliases=()
    )


def _weight_norm(layer: Layer, attribute: str) -> Stored | None:
    """`g · v / ‖v‖`, the norm over the axes along which `g` has one number."""
    g, v = layer[f"{attribute}_g"], layer[f"{attribute}_v"]
    shape = g.shape or (1,) * len(v.shape)
    fits = len(shape) == len(v.shape) and all(
        a in (1, b) for a, b in zip(shape, v.shape, strict=True)
    )
    if not fits:
        return None

    def read() -> Array:
        direction = v.read().astype("float64")
        length = _lengths(direction, shape)
        with np.errstate(divide="ignore", invalid="ignore"):  # as PyTorch, which gives nan too
            return np.asarray(direction * (g.read().reshape(shape) / length), v.dtype)

    return _made(v.name, v, [g, v], read)


def _lengths(array: Array, shape: tuple[int, ...]) -> Array:
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return np.asarray(np.sqrt(np.sum(array * array, axes, keepdims=True)))


def _apart(weight: Stored, attribute: str, g: Variable) -> dict[str, Stored | None]:
    """A weight as its lengths and its directions, which `weight_norm` multiplies."""
    sizes = g.shape or (1,) * len(weight.shape)
    if len(sizes) != len(weight.shape) or any(
        a not in (1, b) for a, b in zip(sizes, weight.shape, strict=True)
    ):
        return {f"{attribute}_g": None}
    shape = tuple(size or 1 for size in sizes)

    def lengths() -> Array:
        found = _lengths(weight.read().astype("float64"), shape)
        return np.asarray(found.reshape(() if g.shape == () else shape), weight.dtype)

    def directions() -> Array:
        array = weight.read()
        none = _lengths(array.astype("float64"), shape) == 0
        return np.where(none, np.ones_like(array), array)  # of length 0: any other than 0

    made = partial(_made, like=weight, parts=[weight])
    return {
        f"{attribute}_g": replace(
            made(f"{attribute}_g", read=lengths), shape=() if g.shape == () else shape
        ),
        f"{attribute}_v": made(f"{attribute}_v", read=directions),
    }


def _spectral_norm(layer: Layer, attribute: str) -> Stored | None:
    """The weight by its largest singular value, as PyTorch estimates it by `u` and `v`."""
    names = [f"{attribute}{ending}" for ending in ("_orig", "_u", "_v")]
    if not all(name in layer for name in names):
        return None
    weight, u, v = (layer[name] for name in names)
    rows = [
        axis
        for axis, size in enumerate(weight.shape)
        if (size,) == u.shape and (int(np.prod(weight.shape)) // max(size, 1),) == v.shape
    ]
    if not rows:
        return None

    def read() -> Array:
        array, left, right = (s.read().astype("float64") for s in (weight, u, v))
        matrices = [np.moveaxis(array, axis, 0).reshape(left.size, -1) for axis in rows]
        products = [matrix @ right for matrix in matrices]
        # Of a square weight the shapes do not say what the rows are: PyTorch made `u` of the
        # product with `v`. It takes the first axis, of a transposed convolution the second.
        usual = 1 if len(rows) > 1 and (weight.kind or "").endswith("Transpose") else 0
        angles = [abs(left @ p) / (np.linalg.norm(p) or 1) for p in products]
        best = int(np.argmax(angles))
        product = products[best if angles[best] > 0.9 else usual]
        return np.asarray(array / (left @ product), weight.dtype)

    return _made(weight.name, weight, [weight, u, v], read)
