"""The two models of a comparison, and the arrays that they hold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.backend import Backend, Variable
from unified_blocks.backend.tensors import backend_of
from unified_blocks.block import Block
from unified_blocks.equivalence.watching import Call
from unified_blocks.files.checkpoint import load, save
from unified_blocks.models.variables import all_built, device_of_variables, foreign_in
from unified_blocks.reference.policy import TOLERANCES
from unified_blocks.types import Array


@contextmanager
def saved_and_loaded(net: Any) -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        save(net, path)
        yield load(path, backend_of(net).name)


@dataclass
class Model:
    """One of the two models, with the properties that the steps of a comparison use.

    A native one that makes its parameters when it is first called is called once.
    """

    net: Any
    inputs: InitVar[Sequence[Array]]

    def __post_init__(self, inputs: Sequence[Array]) -> None:
        self.backend: Backend = backend_of(self.net)
        self.variables = self.backend.variables(self.net)
        self.device = device_of_variables(self.variables)
        floats = (v.dtype for v in self.variables if v.dtype in TOLERANCES)
        self.dtype = next(floats, None)
        self.runs: list[Call] = []
        if not isinstance(self.net, Block) and not all(v.is_built for v in self.variables):
            self.backend.run(self.net, self.tensors(inputs))
        self.held = all_built(self.net, "compare")
        self.variables = [v for v in self.held if not v.foreign]
        self.left_out = foreign_in(self.held)

    @property
    def title(self) -> str:
        return f"{type(self.net).__name__} on {self.backend.title}"

    def tensors(self, arrays: Sequence[Array]) -> list[Any]:
        """The inputs as tensors of this framework, floats in the dtype of the model."""
        return [
            self.backend.from_numpy(array, self.device, self.dtype)
            if array.dtype.kind == "f" and self.dtype
            else self.backend.from_numpy(np.asarray(array, order="C"), self.device)
            for array in arrays
        ]

    def has_in_place(self, variable: Variable | None) -> bool:
        """Whether a variable of the model, if it has it, is where its parameters are."""
        place = next((v.device for v in self.variables if v.role == "parameter"), None)
        return variable is None or place is None or variable.device == place

    def names(self) -> list[str]:
        return [name for v in self.variables for name in (v.name, *v.aliases)]

    def numbers(self) -> dict[str, Array]:
        return {name: v.read() for v in self.held for name in (v.name, *v.aliases)}

    def restore(self, numbers: Mapping[str, Array]) -> None:
        for v in self.held:
            v.write(numbers[v.name])


@dataclass(frozen=True)
class Held:
    """The variables of the two models under one name, that of the first.

    Attributes:
        a, b: the variable of each; None where it is missing.
        names: all names of the variable in each model: several when it is shared.
    """

    name: str
    a: Variable | None
    b: Variable | None
    names: tuple[frozenset[str], frozenset[str]]

    @property
    def dtypes(self) -> tuple[str | None, str | None]:
        return (self.a.dtype if self.a else None, self.b.dtype if self.b else None)

    @property
    def roles(self) -> tuple[str | None, str | None]:
        return (self.a.role if self.a else None, self.b.role if self.b else None)

    @property
    def optional(self) -> bool:
        """Whether one of the models computes the same without it."""
        return any(v is not None and v.optional for v in (self.a, self.b))


def held_by(a: Model, b: Model, rename: Callable[[str], str]) -> Iterator[Held]:
    """The variables of the two models, without optional ones that one of them lacks.

    Args:
        rename: turns a name of `b` into that of `a`.
    """
    mine, theirs = by_name(a.variables, str), by_name(b.variables, rename)
    for name in dict.fromkeys([*mine, *theirs]):
        (v, names_a), (w, names_b) = mine.get(name, ABSENT), theirs.get(name, ABSENT)
        if names_a == names_b and name != min(names_a):
            continue  # shared alike, and compared under another name
        held = Held(name, v, w, (names_a, names_b))
        if not (held.optional and None in (v, w)):
            yield held


ABSENT: tuple[Variable | None, frozenset[str]] = (None, frozenset())


def by_name(
    variables: Sequence[Variable], rename: Callable[[str], str]
) -> dict[str, tuple[Variable | None, frozenset[str]]]:
    """The variables under each of their names, with all names of each."""
    found: dict[str, tuple[Variable | None, frozenset[str]]] = {}
    for v in variables:
        names = [rename(name) for name in (v.name, *v.aliases)]
        found.update(dict.fromkeys(names, (v, frozenset(names))))
    return found


@contextmanager
def unchanged(model: Model, trains: bool) -> Iterator[None]:
    """Restore the numbers of the model afterwards, if the code inside changes them."""
    before = model.numbers() if trains else None
    try:
        yield
    finally:
        if before is not None:
            model.restore(before)
