"""How numbers from elsewhere get into the variables of a model: all of them, or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unified_blocks.backend import Backend, Shape, Variable
from unified_blocks.backend.tensors import backend_of
from unified_blocks.errors import StateMismatchError
from unified_blocks.formats.pytorch.reparametrized import PLAIN_ONLY, older
from unified_blocks.formats.stored import Stored
from unified_blocks.models.variables import BFLOAT16, in_numpy, known_kind_of, variables_of
from unified_blocks.types import Array


def load_stored(net: Any, tensors: Mapping[str, Stored], what: str, strict: bool = True) -> None:
    """Replace the numbers of `net`, if all fit; `what` is the operation that does so.

    Raises:
        as `load_into`.
        UnsupportedError: as `variables_to_load`.
    """
    load_into(net, variables_to_load(net, what, strict), under_every_name(tensors), what)


def variables_to_load(
    net: Any, what: str, strict: bool = True, cast: bool = False
) -> list[Variable]:
    """The variables of `net`, all of which fit into NumPy, whether they exist or not.

    Raises:
        UnsupportedError: as `variables_of`, and for a dtype.
    """
    return in_numpy(variables_of(net, what, strict), what, cast)


def under_every_name(tensors: Mapping[str, Stored]) -> dict[str, Stored]:
    """`tensors`, a shared one under each of its names."""
    found = dict(tensors)
    for stored in tensors.values():
        for alias in stored.aliases:
            found.setdefault(alias, stored)
    return found


def load_into(
    net: Any,
    variables: Sequence[Variable],
    tensors: Mapping[str, Stored],
    what: str,
    *,
    cast: bool = False,
    canonical: bool = True,
) -> None:
    """Replace the numbers of `net`, which has these variables, if all fit.

    Arrays with the role `"optimizer"` are skipped: they belong to a `ub.Trainer`.

    Args:
        net, variables: the model.
        tensors: the arrays by name; one of several names is there under each.
        what: the operation, for messages.
        cast: whether floating-point numbers may get another dtype.
        canonical: whether all arrays are in canonical layout beyond doubt.

    Raises:
        StateMismatchError: as `load_state`.
        FileFormatError: when a file turns out to be damaged; nothing is loaded then.
    """
    backend = backend_of(net)
    tensors = {name: stored for name, stored in tensors.items() if stored.role != "optimizer"}
    chosen, problems = choose(variables, tensors)
    unfit = [problem for v, stored in chosen for problem in misfits(v, stored, backend)]
    castable = 0
    for v, stored in chosen:
        if stored.dtype != v.dtype and not (cast and {stored.dtype, v.dtype} <= FLOATS):
            problems.append(f"{v.name} of dtype {stored.dtype}, not {v.dtype}")
            castable += {stored.dtype, v.dtype} <= FLOATS
    problems += unfit
    known = [(v, stored) for v, stored in chosen if known_kind_of(v, backend) is not None]
    problems += _uneven(known)
    remedy = _remedy(variables, tensors)
    if what in BY_TRANSFER and castable == len(problems):
        remedy = "; to cast them: ub.transfer(source, target, cast=True)"
    elif what in BY_TRANSFER and unfit and not remedy:
        remedy = "; to move the layers that fit: ub.transfer(source, target, partial=True)"
    _raise(problems, what, net, remedy)
    _verify([s.verify for _, s in chosen if s.verify is not None])
    objections = ((v.name, _objection(v, stored, canonical)) for v, stored in chosen)
    _raise([f"{name}: {why}" for name, why in objections if why is not None], what, net)
    for variable, stored in chosen:
        variable.write(_as_dtype(stored.read(), variable.dtype))


BY_TRANSFER = ("transfer", "load_state")
"""The operations in whose place `ub.transfer` may be called."""
FLOATS = frozenset(("float16", BFLOAT16, "float32", "float64"))
"""The dtypes that may be cast to each other."""
INFINITE = 3.3961775292304957e38
"""From here on bfloat16 rounds to infinity."""


def _as_dtype(array: Array, dtype: str) -> Array:
    """`array` in `dtype`; what is written to a variable of bfloat16 is in float32."""
    wanted = "float32" if dtype == BFLOAT16 else dtype
    return array if str(array.dtype) == wanted else array.astype(wanted)


def _objection(v: Variable, stored: Stored, canonical: bool) -> str | None:
    """Why the numbers themselves cannot be written, though shape and dtype fit."""
    if not canonical and v.unsettled != stored.unsettled and _turns(stored):
        return (
            f"of shape {stored.shape}, and nothing tells which of the axes of this norm are the "
            "channels in the source: set it by hand"
        )
    narrower = v.dtype != stored.dtype and v.dtype in ("float16", BFLOAT16, "float32")
    if narrower and (largest := _too_large(stored.read(), v.dtype)) is not None:
        return f"{largest:.4g} is beyond what {v.dtype} holds"
    return v.objection(stored.read)


def _turns(stored: Stored) -> bool:
    """Whether an array would be another, of the same shape, if its last axis came first."""
    array = stored.read()
    turned = np.moveaxis(array, -1, 0)
    return turned.shape == array.shape and not np.array_equal(turned, array, equal_nan=True)


def _too_large(array: Array, dtype: str) -> float | None:
    """The largest number of `array` that would be infinite in `dtype`, if any would."""
    with np.errstate(over="ignore"):
        cast = np.abs(_as_dtype(array, dtype))
    lost = cast >= INFINITE if dtype == BFLOAT16 else np.isinf(cast)
    lost &= np.isfinite(array)
    return float(np.abs(array[lost]).max()) if lost.any() else None


def _verify(checks: Sequence[Callable[[], None]]) -> None:
    """Run these, which hash or decompress the content of a file, in parallel."""
    if checks:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for check in [pool.submit(check) for check in checks]:
                check.result()


def _raise(problems: Sequence[str], what: str, net: Any, remedy: str = "") -> None:
    if problems:
        raise StateMismatchError(
            f"{what}: the state must fit {type(net).__name__}, and nothing was loaded; got "
            + "; ".join(problems)
            + remedy
        )


def _remedy(variables: Sequence[Variable], tensors: Mapping[str, Stored]) -> str:
    """What to do when only the names differ."""
    used = {name for v in variables for name in (v.name, *v.aliases)}
    missing = [v for v in variables if not v.optional and not tensors.keys() & {v.name, *v.aliases}]
    unknown = unknown_in(tensors, used)
    if not missing:
        return ""
    orig = [older(v.name, v.kind) for v in missing]
    if any(name.removesuffix("_orig") in unknown for name in orig if name.endswith("_orig")):
        return PLAIN_ONLY
    prefix = _prefix([v.name for v in missing], unknown)
    if prefix is not None:
        others = any(not name.startswith(prefix) for name in unknown)
        only = f" if name.startswith({prefix!r}) else None" if others else ""
        return (
            f"; the names begin with {prefix!r}: ub.transfer(source, target, rename=lambda name: "
            f"name.removeprefix({prefix!r}){only})"
        )
    alike = len(missing) == len(unknown) and all(
        fits(s.shape, v.shape) for s, v in zip(unknown.values(), missing, strict=True)
    )
    if alike:
        return (
            '; if only the names differ: ub.transfer(source, target, match="order"), or '
            "rename={name in the source: name in the target}"
        )
    return ""


def _prefix(missing: Sequence[str], unknown: Mapping[str, Stored]) -> str | None:
    """What stands before each name that is missing, if it is the same before all."""
    ends = f".{missing[0]}"
    prefixes = [name.removesuffix(missing[0]) for name in unknown if name.endswith(ends)]
    return next((p for p in prefixes if all(p + name in unknown for name in missing)), None)


def unknown_in(tensors: Mapping[str, Stored], used: set[str]) -> dict[str, Stored]:
    """The arrays that have none of the names `used`, each under its first name."""
    taken = {id(tensors[name]) for name in used if name in tensors}
    left: dict[int, str] = {}
    for name, stored in tensors.items():
        if id(stored) not in taken and not stored.optional:
            left.setdefault(id(stored), name)
    return {name: tensors[name] for name in left.values()}


def choose(
    variables: Sequence[Variable], tensors: Mapping[str, Stored]
) -> tuple[list[tuple[Variable, Stored]], list[str]]:
    """Each variable with the array for it; and what is missing or left over."""
    chosen: list[tuple[Variable, Stored]] = []
    problems: list[str] = []
    used: set[str] = set()
    for v in variables:
        given = {name: tensors[name] for name in (v.name, *v.aliases) if name in tensors}
        used.update((v.name, *v.aliases))
        if not given:
            if not v.optional:
                problems.append(f"no {v.name}")
            continue
        (first, stored), *others = given.items()
        chosen.append((v, in_groups(v, stored)))
        differing = [name for name, other in others if not _same(other, stored)]
        if differing:
            problems.append(
                f"other numbers for {', '.join(differing)} than for {first}, which are one array "
                "in the model"
            )
    problems += [f"an unknown {name}" for name in unknown_in(tensors, used)]
    return chosen, problems


def in_groups(v: Variable, stored: Stored) -> Stored:
    """`stored` with a number for each channel, or for each group of them, as `v` has it.

    A file does not say which it has: as many numbers as `v` has groups are one for each. As it is
    where it cannot be so: then its shape does not fit.
    """
    if not v.shape or len(stored.shape) != 1:
        return stored
    size, given = v.shape[0], stored.shape[0]
    per_group = stored.per_group or v.groups == given
    if v.per_group == per_group or size is None or max(size, given) % min(size, given):
        return stored
    if per_group:
        return replace(stored, shape=(size,), read=lambda: np.repeat(stored.read(), size // given))
    apart = stored.read().reshape(size, -1)
    if not (apart == apart[:, :1]).all():
        return stored
    return replace(stored, shape=(size,), read=lambda: apart[:, 0].copy())


def _same(a: Stored, b: Stored) -> bool:
    if a is b:
        return True
    alike = (a.shape, a.dtype) == (b.shape, b.dtype)
    return alike and np.array_equal(a.read(), b.read(), equal_nan=True)


def misfits(v: Variable, stored: Stored, backend: Backend) -> list[str]:
    """Why an array cannot be that of `v`, whatever its dtype."""
    problems = []
    if v.obstacle is not None and not v.is_built:
        problems.append(f"{v.name}, which does not exist yet: {v.obstacle}")
    if stored.per_group and not v.per_group and not v.is_built:
        problems.append(
            f"{v.name} with a number for each group, not for each channel, and how many channels "
            "there are is not known yet: call ub.build(net, input_shape) first"
        )
    elif not fits(stored.shape, v.shape):
        problems.append(f"{v.name} of shape {stored.shape}, not {shown(v.shape)}{_why(v, stored)}")
    kind = known_kind_of(v, backend)
    if not (v.is_tied or stored.is_tied) and differ(kind, stored.kind, backend):
        problems.append(f"{v.name} of a {stored.kind}, not of a {kind}")
    return problems


def _why(v: Variable, stored: Stored) -> str:
    """What a norm over groups would have to have, if that is why an array does not fit."""
    if v.per_group and not stored.per_group:
        return (
            ": this norm has one number for each group of channels, so all of a group must be equal"
        )
    return ""


def differ(wanted: str | None, given: str | None, backend: Backend) -> bool:
    """Whether this library knows both kinds: any other is the name of some class."""
    known = backend.kinds.values()
    return wanted in known and given in known and given != wanted


def _uneven(chosen: Iterable[tuple[Variable, Stored]]) -> list[str]:
    """Of a normalisation whose size is unknown: the arrays whose size is not that of its first."""
    first: dict[int, Stored] = {}
    problems = []
    for v, stored in chosen:
        if v.shape and set(v.shape) == {None}:
            other = first.setdefault(id(v.owner), stored)
            if stored.shape != other.shape:
                name = other.name.rpartition(".")[2]
                problems.append(f"{v.name} of shape {stored.shape}, where {name} has {other.shape}")
    return problems


def fits(shape: tuple[int, ...], wanted: Shape | None) -> bool:
    """Whether an array of this shape fits, as far as the sizes are known."""
    if wanted is None:
        return True
    return len(shape) == len(wanted) and all(
        size in (None, given) for size, given in zip(wanted, shape, strict=True)
    )


def shown(shape: Shape | None) -> str:
    """A shape in words: `"(5, any)"`."""
    sizes = ["any" if size is None else str(size) for size in shape or ()]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
