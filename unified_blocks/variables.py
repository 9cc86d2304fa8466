"""The variables of a model, and how numbers from elsewhere get into them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from unified_blocks.backend import Shape, Variable
from unified_blocks.errors import NotBuiltError, StateMismatchError
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.tensors import backend_of
from unified_blocks.types import Array

COUNT = "num_batches_tracked"
"""PyTorch's batch norms count their batches under this name; no other framework does."""


def built_variables(net: Any, what: str) -> list[Variable]:
    """The variables of `net`, all of which exist.

    Raises:
        NotBuiltError: when one does not; `what` is the operation that needed it.
    """
    variables = backend_of(net).variables(net)
    missing = [v.name for v in variables if not v.is_built]
    if missing:
        raise NotBuiltError(
            f"{what}: the parameters of {type(net).__name__} must exist, and its input width is "
            f"not known yet; got no {', '.join(missing)}: call ub.build(net, input_shape) first"
        )
    return variables


def device_of_variables(variables: Sequence[Variable]) -> str | None:
    """The device of a model with these variables; None when it has none that exist."""
    return next((v.device for v in variables if v.device), None)


def stored_of(source: Any) -> Mapping[str, Stored]:
    """The arrays of a model, of a file, or of a state, none of them read yet.

    Raises:
        NotBuiltError: when a parameter of a model does not exist yet.
    """
    if isinstance(source, StateFile):
        return source.tensors
    if isinstance(source, Mapping):
        return {name: _stored_array(name, np.asarray(array)) for name, array in source.items()}
    backend = backend_of(source)
    return {
        v.name: Stored(
            v.name,
            tuple(size for size in v.shape or () if size is not None),
            v.dtype,
            v.view,
            v.role,
            backend.kind_of(v.owner),
        )
        for v in built_variables(source, "state")
    }


def _stored_array(name: str, array: Array) -> Stored:
    return Stored(name, array.shape, str(array.dtype), lambda: np.asarray(array, order="C"))


def load_stored(net: Any, tensors: Mapping[str, Stored], what: str) -> None:
    """Replace the numbers of `net`, if all fit; `what` is the operation that does so.

    Raises:
        StateMismatchError: as `load_state`.
        FileFormatError: when a file turns out to be damaged; nothing is loaded then.
    """
    write_stored(backend_of(net).variables(net), tensors, what, type(net).__name__)


def write_stored(
    variables: Sequence[Variable], tensors: Mapping[str, Stored], what: str, whose: str
) -> None:
    """Replace the numbers of some variables, if all fit."""
    chosen, problems = _choose(variables, tensors)
    problems += _misfits(chosen)
    if problems:
        raise StateMismatchError(
            f"{what}: the state must fit {whose}, and nothing was loaded; got "
            + "; ".join(problems)
        )
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        checks = [pool.submit(s.verify) for _, s in chosen if s.verify is not None]
        for check in checks:
            check.result()
    for variable, stored in chosen:
        variable.write(stored.read())


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
        for name in tensors
        if name not in used and name.rpartition(".")[2] != COUNT
    ]
    return chosen, problems


def _same(a: Stored, b: Stored) -> bool:
    alike = (a.shape, a.dtype) == (b.shape, b.dtype)
    return alike and np.array_equal(a.read(), b.read(), equal_nan=True)


def _misfits(chosen: Iterable[tuple[Variable, Stored]]) -> list[str]:
    problems = []
    for v, stored in chosen:
        if v.obstacle is not None and not v.is_built:
            problems.append(f"{v.name}, which does not exist yet: {v.obstacle}")
        if not _fits(stored.shape, v.shape):
            problems.append(f"{v.name} of shape {stored.shape}, not {_shown(v.shape)}")
        if stored.dtype != v.dtype:
            problems.append(f"{v.name} of dtype {stored.dtype}, not {v.dtype}")
    return problems


def _fits(shape: tuple[int, ...], wanted: Shape | None) -> bool:
    if wanted is None:
        return True
    return len(shape) == len(wanted) and all(
        size in (None, given) for size, given in zip(wanted, shape, strict=True)
    )


def _shown(shape: Shape | None) -> str:
    sizes = ["any" if size is None else str(size) for size in shape or ()]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
