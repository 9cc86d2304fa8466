"""Numbers from one model into another: `transfer`, and `diff_state`, which compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, TypeVar

from unified_blocks.backend import Backend, Variable
from unified_blocks.backend.tensors import backend_of
from unified_blocks.errors import StateMismatchError
from unified_blocks.formats.pytorch.counts import is_count
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.models.variables import (
    fits,
    load_into,
    shown,
    stored_of,
    variables_to_load,
)
from unified_blocks.types import Array

T = TypeVar("T")
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
    and nothing is loaded unless all of it fits. A weight that Gluon holds but, with
    `scale=False`, does not use counts as 1; a target may lack it.

    Args:
        source: a model, a file that `ub.read_state` opened, or a state.
        target: a model; parameters that do not exist yet are made.
        rename: names in the target for names in the source, where they differ: of an array
            (`{"fc.weight": "out.weight"}`) or of all below a path (`{"fc": "out"}`), a shared one
            under any of its names; or a function of a name, which returns None for an array to
            skip.
        match: `"order"` pairs the layers that hold parameters one by one in the order of their
            definition, whatever their names, and refuses where the kind of a layer, or the name
            or shape of an array in it, differs, or where a file has another order.

    Returns:
        `target`.

    Raises:
        NotBuiltError: when a parameter of the source does not exist yet.
        StateMismatchError: (a `ValueError`) lists all that does not fit.
        UnsupportedError: for a dtype that NumPy lacks, bfloat16, or two variables of one name.

    Example::

        ub.transfer(gluon_net, torch_net, rename={"features.0": "backbone.conv"})
    """
    if match not in ("name", "order"):
        raise ValueError(f'transfer: match must be "name" or "order"; got match={match!r}')
    if rename is not None and match == "order":
        raise ValueError(
            "transfer: with match='order' names do not matter; got rename too: leave out one"
        )
    given = stored_of(source, "transfer")
    tensors = {name: s for name, s in given.items() if s.role != "optimizer"}
    if source is target:  # each array is to be read before another takes its place
        tensors = {
            name: replace(s, read=partial(_same, s.read().copy())) for name, s in tensors.items()
        }
    variables = variables_to_load(target, "transfer")
    if match == "order":
        if isinstance(source, StateFile) and not source.ordered:
            raise StateMismatchError(
                "transfer: with match='order' the arrays of the source must be in the order of "
                f"their definition, and nothing was loaded; got {source.path}, whose order is "
                f"another: {source.order_remedy}"
            )
        tensors = _in_order(tensors, variables, target)
    elif rename is not None:
        tensors = _renamed(tensors, rename)
    load_into(target, variables, tensors, "transfer")
    return target


def _same(array: Array) -> Array:
    return array


def _renamed(tensors: Mapping[str, Stored], rename: Rename) -> dict[str, Stored]:
    if callable(rename):
        names = {name: rename(name) for name in tensors}
    else:
        called = {name: (name, *stored.aliases) for name, stored in tensors.items()}
        names = {name: _by_first_name(called[name], rename) for name in tensors}
        every = [name for several in called.values() for name in several]
        unused = [key for key in rename if not any(_is_below(name, key) for name in every)]
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


def _by_first_name(names: tuple[str, ...], rename: Mapping[str, str]) -> str:
    """The new name of an array: by the first of its names that `rename` covers."""
    renamed = ((name, _by_longest_path(name, rename)) for name in names)
    return next((new for name, new in renamed if new != name), names[0])


def _by_longest_path(name: str, rename: Mapping[str, str]) -> str:
    matching = [key for key in rename if _is_below(name, key)]
    if not matching:
        return name
    longest = max(matching, key=len)
    return rename[longest] + name[len(longest) :]


def _is_below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


# by order

Layer = dict[str, Stored]
Place = dict[str, Variable]


def _in_order(
    tensors: Mapping[str, Stored], wanted_variables: Sequence[Variable], target: Any
) -> dict[str, Stored]:
    """The arrays under the names of the target: its layers paired with those of `tensors`."""
    backend = backend_of(target)
    given = _by_layer(tensors)
    wanted = _by_layer({v.name: v for v in wanted_variables})
    problems = []
    if len(given) != len(wanted):
        problems.append(f"{len(given)} layers that hold parameters, not {len(wanted)}")
    pairs = []
    for (path, layer), (place, variables) in zip(given.items(), wanted.items(), strict=False):
        # What one layer holds and does not use, the other need not have.
        arrays = {n: s for n, s in layer.items() if n in variables or not s.optional}
        places = {n: v for n, v in variables.items() if n in layer or not v.optional}
        names = f"{path or 'the model'} for {place or 'the model'}"
        problems += [f"{names}: {d}" for d in _differences(arrays, places, backend)]
        pairs.append((place, arrays))
    if problems:
        raise StateMismatchError(
            f"transfer: with match='order' the layers of the source must be those of "
            f"{type(target).__name__}, in order, and nothing was loaded; got "
            + "; ".join(problems[:20])
            + ("; …" if len(problems) > 20 else "")
        )
    return {
        (f"{place}.{name}" if place else name): stored
        for place, arrays in pairs
        for name, stored in arrays.items()
    }


def _by_layer(arrays: Mapping[str, T]) -> dict[str, dict[str, T]]:
    layers: dict[str, dict[str, T]] = {}
    for name, array in arrays.items():
        path, _, attribute = name.rpartition(".")
        if not is_count(name):
            layers.setdefault(path, {})[attribute] = array
    return layers


def _differences(layer: Layer, place: Place, backend: Backend) -> list[str]:
    if sorted(layer) != sorted(place):
        return [f"arrays {', '.join(sorted(layer))}, not {', '.join(sorted(place))}"]
    kinds = (stored.kind for stored in layer.values() if not stored.is_tied)
    found = next((kind for kind in kinds if kind is not None), None)
    wanted = next((backend.kind_of(v.owner) for v in place.values() if not v.is_tied), None)
    if None not in (found, wanted) and found != wanted:
        return [f"{found}, not {wanted}"]
    return [
        f"{name} of shape {stored.shape}, not {shown(place[name].shape)}"
        for name, stored in layer.items()
        if not fits(stored.shape, place[name].shape)
    ]


# comparing
