"""The inputs of a comparison: arrays, and how each model takes them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.errors import InputError
from unified_blocks.types import Array

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Form:
    """How arrays are given to a model.

    Attributes:
        given: the arguments, a tuple; or a dict of those that are given by name. In the place of
            each array stands its number.
        what: the operation that gives them, for messages.
    """

    given: Any
    what: str = "compare"

    def arguments(self, backend: Backend, net: Any, tensors: Sequence[Any]) -> list[Any]:
        """The arguments of a call, from tensors of the framework.

        Inputs by name are the arguments of these names or, if the model has none so named, a dict
        that it takes as one.

        Raises:
            InputError: when it can take them neither way.
        """
        given = _filled(self.given, tensors)
        if not isinstance(given, dict):
            return list(given)
        parameters = inspect.signature(backend.forward_of(net)).parameters
        if not parameters.keys() & given.keys() and _takes_one(parameters.values()):
            return [given]
        title = f"{type(net).__name__} on {backend.title}"
        return _in_order(given, parameters, title, self.what)


def _filled(given: Any, tensors: Sequence[Any]) -> Any:
    if isinstance(given, dict):
        return {name: _filled(item, tensors) for name, item in given.items()}
    if isinstance(given, tuple):
        return tuple(_filled(item, tensors) for item in given)
    return None if given is None else tensors[given]


def _takes_one(parameters: Any) -> bool:
    positional = [p for p in parameters if p.kind in POSITIONAL]
    needed = [p for p in positional if p.default is p.empty]
    several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return len(needed) <= 1 and (bool(positional) or several)


def _in_order(
    given: Mapping[str, Any], parameters: Mapping[str, inspect.Parameter], title: str, what: str
) -> list[Any]:
    """Arguments by position, of those given by name: Gluon knows no others."""
    positional = {name: p for name, p in parameters.items() if p.kind in POSITIONAL}
    last = max((i for i, name in enumerate(positional) if name in given), default=-1)
    values = {name: given.get(name, p.default) for name, p in positional.items()}
    lacking = [name for name, value in values.items() if value is inspect.Parameter.empty]
    unknown = [name for name in given if name not in positional]
    if unknown or lacking:
        raise InputError(
            f"{what}: inputs by name must be those of {title}, {', '.join(positional)}; got "
            f"{', '.join(given)}: give a tuple of inputs in their order, where the names differ"
        )
    return list(values.values())[: last + 1]


def in_arrays(inputs: Any, what: str = "compare") -> tuple[list[Array], Form]:
    """The arrays in the inputs of a comparison, or of another operation, and their form."""
    arrays: list[Array] = []

    def numbered(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: numbered(item) for name, item in value.items()}
        if value is None:
            return None
        arrays.append(np.asarray(to_numpy(value, copy=True)))
        return len(arrays) - 1

    given = inputs if isinstance(inputs, tuple | Mapping) else (inputs,)
    return arrays, Form(
        numbered(given) if isinstance(given, Mapping) else tuple(numbered(item) for item in given),
        what,
    )
