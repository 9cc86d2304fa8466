"""`transfer`: the numbers of one model in another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial as with_arguments
from typing import Any, Literal, TypeVar

from unified_blocks.backend import Backend, Variable
from unified_blocks.backend.tensors import backend_of
from unified_blocks.errors import StateMismatchError
from unified_blocks.formats.pytorch.counts import is_count
from unified_blocks.formats.pytorch.packed import as_held, layers_as_held
from unified_blocks.formats.pytorch.reparametrized import converted, older
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.models.loading import (
    choose,
    differ,
    fits,
    in_groups,
    load_into,
    misfits,
    shown,
    under_every_name,
    unknown_in,
    variables_to_load,
)
from unified_blocks.models.variables import known_kind_of, shortened, stored_of, warn
from unified_blocks.types import Array

T = TypeVar("T")
Tied = TypeVar("Tied", Stored, Variable)
Rename = Mapping[str, str] | Callable[[str], str | None]


def transfer(
    source: Any,
    target: Any,
    *,
    rename: Rename | None = None,
    match: Literal["name", "order"] = "name",
    partial: bool = False,
    cast: bool = False,
    strict: bool = True,
) -> Any:
    """Load the numbers of one model into another of the same structure.

    Of any two frameworks, made by this library or not. Parameters, constants and running
    statistics go by canonical name and in canonical layout; nothing is reshaped or, unless it is
    asked for, cast to fit, and nothing is loaded unless all of it fits. A weight that Gluon holds
    but, with `scale=False`, does not use counts as 1; a target may lack it. An array that the
    source shares goes under each of its names. A weight by PyTorch's `weight_norm` or
    `spectral_norm`, old or new, goes to one that is held as it is, and by `weight_norm` back. What
    `torch.nn.MultiheadAttention` holds goes to attention of four dense layers, and back.

    Args:
        source: a model, a file that `ub.read_state` opened, or a state.
        target: a model; parameters that do not exist yet are made.
        rename: names in the target for names in the source, where they differ: of an array
            (`{"fc.weight": "out.weight"}`) or of all below a path (`{"fc": "out"}`), a shared one
            under any of its names; or a function of a name, which returns None for an array to
            skip.
        match: `"order"` pairs the layers that hold parameters one by one in the order of their
            definition, whatever their names, and refuses where the kind of a layer, or the name
            or shape of an array in it, differs, or where a file has another order. What several
            layers of a model share fills a target that does not.
        partial: whether to move what fits, a replaced head left out: a layer moves as a whole or
            stays as it is. By order, the layers up to the first that differs move. A warning says
            what stayed, and what of the source was not used.
        cast: whether numbers of float16, bfloat16, float32 and float64 are cast to the dtype of
            the target. One that would be infinite there is an error.
        strict: False leaves out what Keras' own layers of kinds unknown here hold, in both models,
            and a warning names it.

    Returns:
        `target`.

    Raises:
        NotBuiltError: when a parameter of the source does not exist yet.
        StateMismatchError: (a `ValueError`) lists all that does not fit; when nothing does, with
            `partial`.
        UnsupportedError: for a dtype that NumPy lacks, without `cast` bfloat16 too; for two
            variables of one name, or a layer of an unknown kind.

    Example::

        a, b = (ub.build(ub.MLP(256, 10), (2, 20)) for _ in range(2))
        ub.transfer(a, b)
        ub.diff_state(a, b).equal  # True
        c = ub.MySequential(ub.Dense(256, activation="relu"), ub.Dense(10))
        ub.transfer(a, c, rename={"hidden": "0", "out": "1"})
    """
    if match not in ("name", "order"):
        raise ValueError(f'transfer: match must be "name" or "order"; got match={match!r}')
    if rename is not None and match == "order":
        raise ValueError(
            "transfer: with match='order' names do not matter; got rename too: leave out one"
        )
    strict = strict and not partial
    given = stored_of(source, "transfer", strict, cast)
    tensors = {name: s for name, s in given.items() if s.role != "optimizer"}
    if source is target:  # each array is to be read before another takes its place
        tensors = {
            name: replace(s, read=with_arguments(_same, s.read().copy()))
            for name, s in tensors.items()
        }
    variables = variables_to_load(target, "transfer", strict, cast)
    if match == "order":
        if isinstance(source, StateFile) and not source.ordered:
            raise StateMismatchError(
                "transfer: with match='order' the arrays of the source must be in the order of "
                f"their definition, and nothing was loaded; got {source.path}, whose order is "
                f"another: {source.order_remedy}"
            )
        tensors, unused = _in_order(tensors, source, variables, target, partial)
    else:
        tensors = under_every_name(tensors) if rename is None else _renamed(tensors, rename)
        tensors, unused = _by_name(tensors, variables), []
    said = ""
    if partial:
        variables, tensors, said = _that_fits(tensors, variables, target, unused)
    load_into(target, variables, tensors, "transfer", cast=cast, canonical=False)
    if said:
        warn(said)
    return target


def _same(array: Array) -> Array:
    return array


def _renamed(tensors: Mapping[str, Stored], rename: Rename) -> dict[str, Stored]:
    every = under_every_name(tensors)
    if callable(rename):
        names = {name: rename(name) for name in every}
    else:
        names = {name: _by_longest_path(name, rename) for name in every}
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
        if found.get(new, every[name]) is not every[name]:
            raise StateMismatchError(f"transfer: rename must keep names apart; got {new} twice")
        found[new] = every[name]
    return found


def _by_longest_path(name: str, rename: Mapping[str, str]) -> str:
    matching = [key for key in rename if _is_below(name, key)]
    if not matching:
        return name
    longest = max(matching, key=len)
    return rename[longest] + name[len(longest) :]


def _is_below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


def _by_layer(arrays: Mapping[str, T]) -> dict[str, dict[str, T]]:
    layers: dict[str, dict[str, T]] = {}
    for name, array in arrays.items():
        path, _, attribute = name.rpartition(".")
        layers.setdefault(path, {})[attribute] = array
    return layers


def _needed(layers: Mapping[str, dict[str, T]]) -> dict[str, dict[str, T]]:
    """The layers that elsewhere hold something too."""
    return {
        path: layer
        for path, layer in layers.items()
        if not all(getattr(array, "optional", False) for array in layer.values())
    }


def _spelled(variables: Sequence[Variable]) -> dict[str, tuple[str, Variable]]:
    """The name and the variable under each name, those of `weight_norm` as PyTorch's older one."""
    return {older(name, v.kind): (name, v) for v in variables for name in (v.name, *v.aliases)}


def _by_name(tensors: Mapping[str, Stored], variables: Sequence[Variable]) -> dict[str, Stored]:
    """`tensors`, with what the target holds by `weight_norm`, or does not, made of the rest."""
    spelled = _spelled(variables)
    tensors = as_held(tensors, {n for v in variables for n in (v.name, *v.aliases)})
    names = {older(name, stored.kind): name for name, stored in tensors.items()}
    wanted = _by_layer({name: v for name, (_, v) in spelled.items()})
    layers = _by_layer({new: tensors[name] for new, name in names.items()})
    found = {}
    for path, layer in layers.items():
        for attribute, stored in converted(layer, wanted.get(path, {})).items():
            name = _joined(path, attribute)
            found[spelled[name][0] if name in spelled else names.get(name, name)] = stored
    return found


def _joined(path: str, attribute: str) -> str:
    return f"{path}.{attribute}" if path else attribute


# a part of it


def _that_fits(
    tensors: Mapping[str, Stored], variables: Sequence[Variable], target: Any, unused: list[str]
) -> tuple[list[Variable], dict[str, Stored], str]:
    """The variables that get numbers, layer by layer; the arrays for them; what stays, in words.

    `unused` are arrays of the source that have no place in the target.

    Raises:
        StateMismatchError: when no layer fits.
    """
    backend = backend_of(target)
    paired = {id(v): stored for v, stored in choose(variables, tensors)[0]}
    stays: dict[str, str] = {}
    for v in variables:
        stored = paired.get(id(v))
        wrong = [] if stored is None else misfits(v, stored, backend)
        if (stored is None and not v.optional) or wrong:
            stays.setdefault(_unit(v, backend), "; ".join(wrong))
    moved = [v for v in variables if id(v) in paired and _unit(v, backend) not in stays]
    names = {name for v in moved for name in (v.name, *v.aliases)}
    kept = shortened([v.name for v in variables if _unit(v, backend) in stays]) or "nothing"
    left = shortened([*unknown_in(tensors, names), *unused]) or "nothing"
    reasons = "; ".join(why for why in stays.values() if why)
    because = f" ({reasons})" if reasons else ""
    title = type(target).__name__
    if not moved:
        raise StateMismatchError(
            f"transfer: with partial=True some layer of the source must fit {title}, and nothing "
            f"was loaded; got {left} for {kept}{because}: give rename={{…}}, or match='order'"
        )
    complete = not stays and left == "nothing"
    said = f"transfer: {title} keeps its own {kept}{because}; of the source {left} was not used"
    return moved, {n: s for n, s in tensors.items() if n in names}, "" if complete else said


def _unit(v: Variable, backend: Backend) -> str:
    """What moves as a whole: a layer of a kind that is known, else each variable alone."""
    known = known_kind_of(v, backend) is not None
    return v.name.rpartition(".")[0] + "." if known else v.name


# by order


@dataclass
class Order:
    """The layers of two models, paired in order.

    Attributes:
        found: the arrays of the source under the names of the target.
        rest: the names of those that no layer was paired with.
        problems: what does not fit, in words.
    """

    found: dict[str, Stored]
    rest: list[str]
    problems: list[str]


def _in_order(
    tensors: Mapping[str, Stored],
    source: Any,
    wanted_variables: Sequence[Variable],
    target: Any,
    leading: bool,
) -> tuple[dict[str, Stored], list[str]]:
    """The arrays under the names of the target: its layers paired with those of `tensors`.

    With `leading` those up to the first that differs; and the names of the rest of `tensors`. A
    layer that holds nothing but what another holds, too, a tied head, counts where that is needed.
    """
    backend = backend_of(target)
    variables = {v.name: v for v in wanted_variables}
    order = _paired(tensors, variables, backend, leading)
    if order.problems:
        every = _of_every_layer(tensors, source), _of_every_layer(variables, target)
        if (len(every[0]), len(every[1])) != (len(tensors), len(variables)):
            other = _paired(*every, backend, leading)
            order = order if other.problems else other
    if order.problems and not leading:
        raise StateMismatchError(
            f"transfer: with match='order' the layers of the source must be those of "
            f"{type(target).__name__}, in order, and nothing was loaded; got "
            + "; ".join(order.problems[:20])
            + ("; …" if len(order.problems) > 20 else "")
        )
    return order.found, order.rest


def _of_every_layer(arrays: Mapping[str, Tied], net: Any) -> dict[str, Tied]:
    """`arrays`, those that several layers of a model hold under a name in each of them."""
    if isinstance(net, Mapping):  # a state or a file: nothing is known of its layers
        return dict(arrays)
    places = {path: i for i, (path, _) in enumerate(backend_of(net).layers(net))}
    names = list(arrays)
    found = dict(arrays)
    for array in arrays.values():
        for alias in array.aliases:
            place = places.get(alias.rpartition(".")[0])
            if place is not None:
                after = (
                    i
                    for i, name in enumerate(names)
                    if places.get(name.rpartition(".")[0], -1) > place
                )
                names.insert(next(after, len(names)), alias)
                found[alias] = replace(array, name=alias) if isinstance(array, Stored) else array
    return {name: found[name] for name in names}


def _paired(
    tensors: Mapping[str, Stored], named: Mapping[str, Variable], backend: Backend, leading: bool
) -> Order:
    given = _by_layer({older(n, s.kind): s for n, s in tensors.items() if not is_count(n)})
    names = {older(name, v.kind): name for name, v in named.items() if not is_count(name)}
    wanted = _by_layer({new: named[name] for new, name in names.items()})
    given = layers_as_held(given, wanted)
    given, wanted = _needed(given), _needed(wanted)
    order = Order({}, [], [])
    if len(given) != len(wanted):
        order.problems.append(f"{len(given)} layers that hold parameters, not {len(wanted)}")
    paired = 0
    for (path, layer), (place, variables) in zip(given.items(), wanted.items(), strict=False):
        # What one layer holds and does not use, the other need not have.
        arrays = converted(
            {n: s for n, s in layer.items() if n in variables or not s.optional}, variables
        )
        places = {n: v for n, v in variables.items() if n in arrays or not v.optional}
        title = f"{path or 'the model'} for {place or 'the model'}"
        differences = [f"{title}: {d}" for d in _differences(arrays, places, backend)]
        order.problems += differences
        if leading and differences:
            break
        paired += 1
        order.found |= {names.get(_joined(place, n), n): s for n, s in arrays.items()}
    left = [*given.items()][paired:]
    order.rest = [_joined(path, n) for path, layer in left for n in layer]
    return order


def names_by_order(source: Any, target: Any, what: str) -> dict[str, str]:
    """The names of the arrays of a model in another, paired as `transfer(match="order")` does.

    Raises:
        StateMismatchError: as `transfer`; `what` is the operation that needed it.
    """
    variables = variables_to_load(target, what)
    given = stored_of(source, what)
    names = under_every_name(given)
    paired, _ = _in_order(given, source, variables, target, False)
    return {  # a weight that is made of others is none of them
        stored.name: name
        for name, stored in paired.items()
        if stored.name in names and _attribute(stored.name) == _attribute(name)
    }


def _attribute(name: str) -> str:
    return older(name).rpartition(".")[2]


def _differences(
    layer: Mapping[str, Stored], place: Mapping[str, Variable], backend: Backend
) -> list[str]:
    if sorted(layer) != sorted(place):
        return [f"arrays {', '.join(sorted(layer))}, not {', '.join(sorted(place))}"]
    for name, stored in layer.items():
        wanted = known_kind_of(place[name], backend)
        tied = stored.is_tied or place[name].is_tied
        if not tied and differ(wanted, stored.kind, backend):
            return [f"{stored.kind}, not {wanted}"]
    return [
        f"{name} of shape {stored.shape}, not {shown(place[name].shape)}"
        for name, stored in layer.items()
        if not fits(in_groups(place[name], stored).shape, place[name].shape)
    ]
