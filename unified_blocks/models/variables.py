"""The variables of a model, and what it, a file or a state holds, not read yet."""

from __future__ import annotations

import os
import sys
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from unified_blocks.backend import Backend, Slot, Variable
from unified_blocks.backend.tensors import backend_of
from unified_blocks.errors import NotBuiltError, UnsupportedError
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
BFLOAT16 = "bfloat16"
"""What `Variable.view` and files give in float32."""
Held = TypeVar("Held", Variable, Slot)


def all_variables(net: Any, what: str) -> list[Variable]:
    """The variables of `net`, those of unknown layers too; `what` names the operation.

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


def variables_of(net: Any, what: str, strict: bool = True) -> list[Variable]:
    """The variables of `net` that have canonical names, whether they exist or not.

    Args:
        net: a model.
        what: the operation, for messages.
        strict: whether a layer of an unknown kind is an error; else a warning names what is left
            out.

    Raises:
        UnsupportedError: for such a layer, or when two variables have one name.
    """
    variables = all_variables(net, what)
    foreign = foreign_in(variables)
    if foreign and strict:
        raise UnsupportedError(
            f"{what}: each layer must be of a kind that this library knows; got "
            f"{shortened(foreign)} of {type(net).__name__}: ub.{STRICT.get(what, 'state')}"
            "(…, strict=False) leaves them out"
        )
    if foreign:
        warn(
            f"{what}: left out of {type(net).__name__}: {shortened(foreign)}, of layers of a kind "
            "that this library does not know"
        )
    return [v for v in variables if not v.foreign]


STRICT = {
    name: name for name in ("state", "load_state", "transfer", "diff_state", "value_and_grad")
}
"""The operations that take `strict`."""


def warn(message: str) -> None:
    """Warn, at the line outside of this library that led here."""
    frame, level = sys._getframe(), 1
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith("unified_blocks."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def foreign_in(variables: Sequence[Variable]) -> list[str]:
    """What layers of unknown kinds hold, in words."""
    return [f"{v.name} of a {type(v.owner).__name__}{v.reason}" for v in variables if v.foreign]


def shortened(words: Sequence[str], most: int = 10) -> str:
    """A list in words, of at most so many."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def all_built(net: Any, what: str) -> list[Variable]:
    """`all_variables`, all of which exist.

    Raises:
        NotBuiltError: when one does not.
        UnsupportedError: as `all_variables`.
    """
    return _built(all_variables(net, what), net, what)


def built_variables(net: Any, what: str, strict: bool = True) -> list[Variable]:
    """`variables_of`, all of which exist.

    Raises:
        NotBuiltError: when one does not; `what` is the operation that needed it.
        UnsupportedError: as `variables_of`.
    """
    return _built(variables_of(net, what, strict), net, what)


def _built(variables: list[Variable], net: Any, what: str) -> list[Variable]:
    missing = [v.name for v in variables if not v.is_built]
    if missing:
        raise NotBuiltError(
            f"{what}: the parameters of {type(net).__name__} must exist, and its input width is "
            f"not known yet; got no {', '.join(missing)}: call ub.build(net, input_shape) first"
        )
    return variables


def readable_variables(net: Any, what: str, strict: bool = True) -> list[Variable]:
    """`built_variables`, all of which fit into NumPy.

    Raises:
        NotBuiltError, UnsupportedError: as `built_variables`; the latter for a dtype too.
    """
    return in_numpy(built_variables(net, what, strict), what)


def in_numpy(variables: list[Held], what: str, cast: bool = False) -> list[Held]:
    """Variables, or slots of an optimizer, whose dtypes NumPy has.

    If they are cast, bfloat16 need not be one.

    Raises:
        UnsupportedError: for another dtype.
    """
    allowed = NUMPY_DTYPES | ({BFLOAT16} if cast else frozenset())
    other = [f"{v.name} of {v.dtype}" for v in variables if v.dtype not in allowed]
    if other:
        lacking = sorted({v.dtype for v in variables if v.dtype not in allowed})
        remedy = " (or ub.transfer(…, cast=True))" if what == "transfer" and not cast else ""
        raise UnsupportedError(
            f"{what}: NumPy has no dtype {', '.join(lacking)}, and each variable must have a NumPy "
            f'dtype; got {", ".join(other)}: cast the model first, ub.cast(net, "float32"){remedy}'
        )
    return variables


def device_of_variables(variables: Sequence[Variable]) -> str | None:
    """The device of a model with these variables; None when none of them exists."""
    return next((v.device for v in variables if v.device), None)


def stored_of(
    source: Any, what: str = "state", strict: bool = True, cast: bool = False
) -> Mapping[str, Stored]:
    """The arrays of a model, of a file, or of a state, none of them read yet.

    Args:
        source: any of them.
        what, strict: as `variables_of` takes them, for a model.
        cast: whether those of bfloat16 may be given in float32.

    Raises:
        NotBuiltError, UnsupportedError: of a model, as `readable_variables`.
    """
    if isinstance(source, StateFile):
        return source.tensors
    if isinstance(source, Mapping):
        arrays = {name: np.asarray(array) for name, array in source.items()}
        return {name: _stored_array(name, array, cast) for name, array in arrays.items()}
    if isinstance(source, str | os.PathLike):
        raise TypeError(
            f"{what}: numbers must come from a model, a state or an opened file; got the path "
            f"{os.fspath(source)!r}: open it with ub.read_state"
        )
    backend = backend_of(source)
    variables = in_numpy(built_variables(source, what, strict), what, cast)
    return {v.name: _stored(v, backend) for v in variables}


def _stored_array(name: str, array: Array, cast: bool) -> Stored:
    narrow = cast and str(array.dtype) == BFLOAT16  # NumPy has it when TensorFlow is there
    array = array.astype("float32") if narrow else array
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
        "float32" if v.dtype == BFLOAT16 else v.dtype,
        v.view,
        v.role,
        known_kind_of(v, backend) or _class_of(v.owner, backend),
        stored_name=v.stored_name,
        aliases=v.aliases,
        is_tied=v.is_tied,
        optional=v.optional or is_count(v.name),
        per_group=v.per_group,
        unsettled=v.unsettled,
    )


def _class_of(layer: Any, backend: Backend) -> str | None:
    """The name of a layer's class, unless a kind has that name, which it is not."""
    name = type(layer).__name__
    return None if name in backend.kinds.values() else name


def known_kind_of(v: Variable, backend: Backend) -> str | None:
    """What holds `v`, if this library knows it; differing names are of differing kinds only if
    both are among `Backend.kinds`.
    """
    return v.kind or backend.known_kind_of(v.owner)
