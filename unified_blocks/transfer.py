"""Numbers from one model into another: `transfer`, and `diff_state`, which compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from unified_blocks.errors import StateMismatchError
from unified_blocks.formats.stored import Stored
from unified_blocks.tensors import backend_of
from unified_blocks.types import Array
from unified_blocks.variables import COUNT, built_variables, load_stored, stored_of

Rename = Mapping[str, str] | Callable[[str], str | None]


def transfer(
    source: Any,
    target: Any,
    *,
    rename: Rename | None = None,
    match: Literal["name", "order"] = "name",
) -> Any:
    """Load the numbers of one model into another of the same structure.

    Of any two frameworks, made by this library or not. Parameters, constants and running
    statistics go by canonical name and in canonical layout; nothing is reshaped or cast to fit,
    and nothing is loaded unless all of it fits. A weight that Gluon's `scale=False` holds, and
    does not use, counts as the 1 that it computes with; a target may be without it.

    Args:
        source: a model, a file that `ub.read_state` opened, or a state.
        target: a model; parameters that do not exist yet are made.
        rename: names in the target for names in the source, where they differ: of an array
            (`{"fc.weight": "out.weight"}`) or of all below a path (`{"fc": "out"}`); or a function
            of a name, which gives None for an array to leave out.
        match: `"order"` pairs the layers that hold parameters one by one in the order of their
            definition, whatever their names, and refuses where the kind of a layer, or the name
            or shape of an array in it, differs.

    Returns:
        `target`.

    Raises:
        NotBuiltError: when a parameter of the source does not exist yet.
        StateMismatchError: (a `ValueError`) lists all that does not fit.

    Example::

        ub.transfer(gluon_net, torch_net, rename={"features.0": "backbone.conv"})
    """
    if match not in ("name", "order"):
        raise ValueError(f'transfer: match must be "name" or "order"; got match={match!r}')
    if rename is not None and match == "order":
        raise ValueError(
            "transfer: with match='order' names do not matter; got rename too: leave out one"
        )
    if source is target:  # each array is to be read before another takes its place
        source = {v.name: v.read() for v in built_variables(source, "transfer")}
    tensors = stored_of(source)
    if match == "order":
        tensors = _in_order(tensors, target)
    elif rename is not None:
        tensors = _renamed(tensors, rename)
    load_stored(target, _without_fixed_weights(source, tensors, target), "transfer")
    return target


def _renamed(tensors: Mapping[str, Stored], rename: Rename) -> dict[str, Stored]:
    if callable(rename):
        names = {name: rename(name) for name in tensors}
    else:
        names = {name: _by_longest_path(name, rename) for name in tensors}
        unused = [key for key in rename if not any(_is_below(name, key) for name in tensors)]
        if unused:
            raise StateMismatchError(
                "transfer: rename must name arrays or layers of the source; got "
                f"{', '.join(unused)}, of which it has none"
            )
    found: dict[str, Stored] = {}
    for name, new in names.items():
        if new is None:
            continue
        if new in found:
            raise StateMismatchError(f"transfer: rename must keep names apart; got {new} twice")
        found[new] = tensors[name]
    return found


def _by_longest_path(name: str, rename: Mapping[str, str]) -> str:
    matching = [key for key in rename if _is_below(name, key)]
    if not matching:
        return name
    longest = max(matching, key=len)
    return rename[longest] + name[len(longest) :]


def _is_below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


def _without_fixed_weights(
    source: Any, tensors: Mapping[str, Stored], target: Any
) -> Mapping[str, Stored]:
    """`tensors` without the fixed weights of the source that the target has no place for."""
    if isinstance(source, Mapping):
        return tensors
    optional = {v.name for v in backend_of(source).variables(source) if v.optional}
    names = {name for v in backend_of(target).variables(target) for name in (v.name, *v.aliases)}
    return {
        name: stored
        for name, stored in tensors.items()
        if name in names or stored.name not in optional
    }


# by order

Layer = dict[str, Stored]


def _in_order(tensors: Mapping[str, Stored], target: Any) -> dict[str, Stored]:
    """The arrays under the names of the target: its layers paired with those of `tensors`."""
    backend = backend_of(target)
    places = {
        v.name: Stored(v.name, v.shape or (), v.dtype, v.read, v.role, backend.kind_of(v.owner))  # type: ignore[arg-type]
        for v in backend.variables(target)
    }
    given, wanted = _by_layer(tensors), _by_layer(places)
    problems = []
    if len(given) != len(wanted):
        problems.append(f"{len(given)} layers that hold parameters, not {len(wanted)}")
    pairs = list(zip(given.items(), wanted.items(), strict=False))
    for (path, layer), (place, arrays) in pairs:
        problems += _differences(path, layer, place, arrays)
    if problems:
        raise StateMismatchError(
            f"transfer: with match='order' the layers of the source must be those of "
            f"{type(target).__name__}, in order, and nothing was loaded; got "
            + "; ".join(problems[:20])
            + ("; …" if len(problems) > 20 else "")
        )
    return {
        (f"{place}.{name}" if place else name): stored
        for (_, layer), (place, arrays) in pairs
        for name, stored in layer.items()
        if name in arrays
    }


def _by_layer(tensors: Mapping[str, Stored]) -> dict[str, Layer]:
    layers: dict[str, Layer] = {}
    for name, stored in tensors.items():
        path, _, attribute = name.rpartition(".")
        if attribute != COUNT:
            layers.setdefault(path, {})[attribute] = stored
    return layers


def _differences(path: str, layer: Layer, place: str, arrays: Layer) -> list[str]:
    names = f"{path or 'the model'} for {place or 'the model'}"
    if sorted(layer) != sorted(arrays):
        return [f"{names}: arrays {', '.join(sorted(layer))}, not {', '.join(sorted(arrays))}"]
    kinds = {
        stored.kind for stored in (*layer.values(), *arrays.values()) if stored.kind is not None
    }
    if len(kinds) > 1:
        found, wanted = (next(iter(x.values())).kind for x in (layer, arrays))
        return [f"{names}: {found}, not {wanted}"]
    return [
        f"{names}: {name} of shape {stored.shape}, not {arrays[name].shape}"
        for name, stored in layer.items()
        if None not in arrays[name].shape and stored.shape != arrays[name].shape
    ]


# comparing


@dataclass(frozen=True)
class Difference:
    """One array of two models.

    Attributes:
        name: its canonical name.
        a, b: its dtype and shape in each, `"float32 (10, 256)"`; None where it has none.
        largest: the largest absolute difference; infinite where one is not finite and the other
            is another number; None where they cannot be compared.
        equal: whether they are the same, bit for bit.
    """

    name: str
    a: str | None
    b: str | None
    largest: float | None
    equal: bool


@dataclass(frozen=True)
class StateDifference:
    """The arrays of two models, compared by name; printed, a table of those that differ."""

    rows: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether both hold the same arrays, bit for bit."""
        return all(row.equal for row in self.rows)

    def __str__(self) -> str:
        differing = [row for row in self.rows if not row.equal]
        if not differing:
            return f"{len(self.rows)} arrays, all equal"
        cells = [("name", "a", "b", "largest difference")]
        for row in differing:
            largest = "" if row.largest is None else f"{row.largest:.3g}"
            cells.append((row.name, row.a or "missing", row.b or "missing", largest))
        widths = [max(len(line[i]) for line in cells) for i in range(4)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in cells
        ]
        return "\n".join([*lines, f"{len(differing)} of {len(self.rows)} arrays differ"])


def diff_state(a: Any, b: Any) -> StateDifference:
    """Compare the numbers of two models, of any two frameworks, by canonical name.

    Args:
        a, b: models, files that `ub.read_state` opened, or states.

    Raises:
        NotBuiltError: when a parameter does not exist yet.

    Example::

        print(ub.diff_state(torch_net, gluon_net))
    """
    first, second = stored_of(a), stored_of(b)
    names = list(dict.fromkeys((*first, *second)))
    return StateDifference(tuple(_compared(n, first.get(n), second.get(n)) for n in names))


def _compared(name: str, a: Stored | None, b: Stored | None) -> Difference:
    first, second = (None if x is None else f"{x.dtype} {x.shape}" for x in (a, b))
    if a is None or b is None or a.shape != b.shape:
        return Difference(name, first, second, None, False)
    x, y = a.read(), b.read()
    equal = x.dtype == y.dtype and x.tobytes() == y.tobytes()
    return Difference(name, first, second, 0.0 if equal else _largest(x, y), equal)


def _largest(x: Array, y: Array) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(x.astype("float64") - y.astype("float64"))
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    difference = np.where(same, 0, np.where(np.isnan(difference), np.inf, difference))
    return float(difference.max(initial=0))
