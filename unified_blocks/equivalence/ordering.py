"""Layers of two models paired by the order of their definition."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from unified_blocks.equivalence.sides import Model
from unified_blocks.models.transfer import names_by_order


def by_order(a: Model, b: Model) -> Mapping[str, str | None]:
    """The names in `b` for those in `a`, of arrays and of layers; None for what has no partner.

    Layers that hold parameters are paired as `transfer(match="order")` pairs them. Between two of
    them layers without any, activations for example, are paired one by one if they are as many in
    both models.

    Raises:
        StateMismatchError: when those that hold parameters do not pair.
    """
    arrays = names_by_order(a.net, b.net, "compare")
    layers = {old.rpartition(".")[0]: new.rpartition(".")[0] for old, new in arrays.items()}
    names: dict[str, str | None] = dict(arrays)
    mine = _between(a, layers.keys())
    theirs = _between(b, layers.values())
    for before, inside in mine.items():
        other = theirs.get(before if before is None else layers[before], [])
        alike = len(inside) == len(other)
        names |= dict(zip(inside, other, strict=True)) if alike else dict.fromkeys(inside)
    others = {path for path in a.paths() if path} - layers.keys()
    return dict.fromkeys(others) | names


def _between(model: Model, holding: Collection[str]) -> dict[str | None, list[str]]:
    """The layers without parameters, and without layers inside, after each of those with some."""
    paths = [path for path in model.paths() if path]
    last: str | None = None
    found: dict[str | None, list[str]] = {None: []}
    for path in paths:
        if path in holding:
            last = path
            found[last] = []
        elif not any(other.startswith(f"{path}.") for other in paths):
            found[last].append(path)
    return found
