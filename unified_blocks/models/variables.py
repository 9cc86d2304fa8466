"""The variables of a model, and how numbers from elsewhere get into them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from unified_blocks.backend import Backend, Shape, Variable
from unified_blocks.backend.tensors import backend_of
from unified_blocks.errors import NotBuiltError, StateMismatchError, UnsupportedError
from unified_blocks.formats.pytorch.counts import is_count
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.types import Array

NUMPY_DTYPES = frozenset(
    (
        *("bool", "float16", "float32", "float64", "complex64", "complex128"),
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    )
)
"""Those that NumPy defines itself: TensorFlow adds bfloat16 and others to the process."""


def variables_of(net: Any, what: str) -> list[Variable]:
    """The variables of `net`; `what` names the operation for messages.

    Raises:
        UnsupportedError: when two of them have one name.
    """
    variables = backend_of(net).variables(net)
    names = Counter(name for v in variables for name in {v.name, *v.aliases})
    repeated = [name for name, count in names.items() if count > 1]
    if repeated:
        raise UnsupportedError(
            f"{what}: the name of each variable of {type(net).__name__} must be unique; got "
            f"{', '.join(sorted(repeated))} of more than one: give one of the layers another name"
        )
    return variables


def built_variables(net: Any, what: str) -> list[Variable]:
    """The variables of `net`, all of which exist.

    Raises:
        NotBuiltError: when one does not; `what` is the operation that needed it.
        UnsupportedError: as `variables_of`.
    """
    variables = variables_of(net, what)
    missing = [v.name for v in variables if not v.is_built]
    if missing:
        raise NotBuiltError(
            f"{what}: the parameters of {type(net).__name__} must exist, and its input width is "
            f"not known yet; got no {', '.join(missing)}: call ub.build(net, input_shape) first"
        )
    return variables


def readable_variables(net: Any, what: str) -> list[Variable]:
    """The variables of `net`, all of which exist and fit into NumPy.

    Raises:
        NotBuiltError, UnsupportedError: as `built_variables`; the latter for a dtype too.
    """
    return _in_numpy(built_variables(net, what), what)


def _in_numpy(variables: list[Variable], what: str) -> list[Variable]:
    other = [f"{v.name} of {v.dtype}" for v in variables if v.dtype not in NUMPY_DTYPES]
    if other:
        lacking = sorted({v.dtype for v in variables if v.dtype not in NUMPY_DTYPES})
        raise UnsupportedError(
            f"{what}: NumPy has no dtype {', '.join(lacking)}, and each variable must have a NumPy "
            f'dtype; got {", ".join(other)}: cast the model first, ub.cast(net, "float32")'
        )
    return variables


def device_of_variables(variables: Sequence[Variable]) -> str | None:
    """The device of a model with these variables; None when none of them exists."""
    return next((v.device for v in variables if v.device), None)


def stored_of(source: Any, what: str = "state") -> Mapping[str, Stored]:
    """The arrays of a model, of a file, or of a state, none of them read yet.

    Raises:
        NotBuiltError, UnsupportedError: of a model, as `readable_variables`.
    """
    if isinstance(source, StateFile):
        return source.tensors
    if isinstance(source, Mapping):
        return {name: _stored_array(name, np.asarray(array)) for name, array in source.items()}
    if isinstance(source, str | os.PathLike):
        raise TypeError(
            f"{what}: numbers must come from a model, a state or an opened file; got the path "
            f"{os.fspath(source)!r}: open it with ub.read_state"
        )
    backend = backend_of(source)
    return {v.name: _stored(v, backend) for v in readable_variables(source, what)}


def _stored_array(name: str, array: Array) -> Stored:
    return Stored(
        name,
        array.shape,
        str(array.dtype),
        lambda: np.asarray(array, order="C"),
        optional=is_count(name),
    )


def _stored(v: Variable, backend: Backend) -> Stored:
    return Stored(
        v.name,
        tuple(size for size in v.shape or () if size is not None),
        v.dtype,
        v.view,
        v.role,
        backend.kind_of(v.owner),
        aliases=v.aliases,
        is_tied=v.is_tied,
        optional=v.optional or is_count(v.name),
    )


def load_stored(net: Any, tensors: Mapping[str, Stored], what: str) -> None:
    """Replace the numbers of `net`, if all fit; `what` is the operation that does so.

    Raises:
        as `load_into`.
        UnsupportedError: as `readable_variables`.
    """
    load_into(net, variables_to_load(net, what), tensors, what)


def variables_to_load(net: Any, what: str) -> list[Variable]:
    """The variables of `net`, all of which fit into NumPy, whether they exist or not.

    Raises:
        UnsupportedError: as `readable_variables`.
    """
    return _in_numpy(variables_of(net, what), what)


def load_into(
    net: Any, variables: Sequence[Variable], tensors: Mapping[str, Stored], what: str
) -> None:
    """Replace the numbers of `net`, which has these variables, if all fit.

    Arrays with the role `"optimizer"` are skipped: they belong to a `ub.Trainer`.

    Raises:
        StateMismatchError: as `load_state`.
        FileFormatError: when a file turns out to be damaged; nothing is loaded then.
    """
    backend = backend_of(net)
    kinds = {v.name: backend.known_kind_of(v.owner) for v in variables}
    tensors = {name: stored for name, stored in tensors.items() if stored.role != "optimizer"}
    chosen, problems = _choose(variables, tensors)
    for v, stored in chosen:
        problems += _misfits(v, stored)
        tied = v.is_tied or stored.is_tied
        if not tied and _differ(kinds[v.name], stored.kind, backend):
            problems.append(f"{v.name} of a {stored.kind}, not of a {kinds[v.name]}")
    problems += _uneven((v, stored) for v, stored in chosen if kinds[v.name] is not None)
    _raise(problems, what, net, _remedy(variables, tensors))
    _verify([s.verify for _, s in chosen if s.verify is not None])
    objections = ((v.name, v.objection(stored.read)) for v, stored in chosen)
    _raise([f"{name}: {why}" for name, why in objections if why is not None], what, net)
    for variable, stored in chosen:
        variable.write(stored.read())


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
    names = {name for v in variables for name in (v.name, *v.aliases)}
    missing = [v for v in variables if v.name not in tensors and not v.optional]
    unknown = [s for n, s in tensors.items() if n not in names and not s.optional]
    if len(missing) != len(unknown) or not missing:
        return ""
    first = unknown[0].name
    if first.endswith(f".{missing[0].name}"):
        prefix = first.removesuffix(missing[0].name)
        return (
            f"; the names begin with {prefix!r}: ub.transfer(source, target, rename=lambda name: "
            f"name.removeprefix({prefix!r}))"
        )
    if all(fits(s.shape, v.shape) for s, v in zip(unknown, missing, strict=True)):
        return (
            '; if only the names differ: ub.transfer(source, target, match="order"), or '
            "rename={name in the source: name in the target}"
        )
    return ""


def _choose(
    variables: Sequence[Variable], tensors: Mapping[str, Stored]
) -> tuple[list[tuple[Variable, Stored]], list[str]]:
    """Each variable with the array for it; and what is missing or left over."""
    chosen: list[tuple[Variable, Stored]] = []
    problems: list[str] = []
    used: set[str] = set()
    for v in variables:
        given = [tensors[name] for name in (v.name, *v.aliases) if name in tensors]
        used.update((v.name, *v.aliases))
        if given:
            chosen.append((v, given[0]))
        elif not v.optional:
            problems.append(f"no {v.name}")
        differing = [s.name for s in given[1:] if not _same(s, given[0])]
        if differing:
            problems.append(
                f"other numbers for {', '.join(differing)} than for {given[0].name}, which are one "
                "array in the model"
            )
    problems += [
        f"an unknown {name}"
        for name, stored in tensors.items()
        if name not in used and not stored.optional
    ]
    return chosen, problems


def _same(a: Stored, b: Stored) -> bool:
    if a is b:
        return True
    alike = (a.shape, a.dtype) == (b.shape, b.dtype)
    return alike and np.array_equal(a.read(), b.read(), equal_nan=True)


def _misfits(v: Variable, stored: Stored) -> list[str]:
    problems = []
    if v.obstacle is not None and not v.is_built:
        problems.append(f"{v.name}, which does not exist yet: {v.obstacle}")
    if not fits(stored.shape, v.shape):
        problems.append(f"{v.name} of shape {stored.shape}, not {shown(v.shape)}")
    if stored.dtype != v.dtype:
        problems.append(f"{v.name} of dtype {stored.dtype}, not {v.dtype}")
    return problems


def _differ(wanted: str | None, given: str | None, backend: Backend) -> bool:
    """Whether this library knows both kinds: any other is the name of some class."""
    return wanted is not None and given in backend.kinds.values() and given != wanted


def _uneven(chosen: Iterable[tuple[Variable, Stored]]) -> list[str]:
    """Of a normalisation whose size is unknown: the arrays whose size is not that of its first."""
    first: dict[int, Stored] = {}
    problems = []
    for v, stored in chosen:
        if v.shape == (None,):
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
