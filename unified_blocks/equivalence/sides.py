"""The two models of a comparison, and the arrays that they hold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.backend import Backend, Variable
from unified_blocks.backend.tensors import backend_of
from unified_blocks.block import Block
from unified_blocks.equivalence.inputs import Form
from unified_blocks.equivalence.layouts import Layouts, misread, moved_to
from unified_blocks.equivalence.watching import Call
from unified_blocks.errors import InputError, UnsupportedError
from unified_blocks.files.checkpoint import load, save
from unified_blocks.models.outputs import Leaf, Output
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

    Attributes:
        inputs: the arrays that it is given.
        form: how; None when it is not to be called.
        source: of the inputs: see `misread`.
    """

    net: Any
    inputs: Sequence[Array]
    form: Form | None
    source: str | Layouts

    def __post_init__(self) -> None:
        self.backend: Backend = backend_of(self.net)
        self.variables = self.backend.variables(self.net)
        self.device = device_of_variables(self.variables)
        floats = (v.dtype for v in self.variables if v.dtype in TOLERANCES)
        self.dtype = next(floats, None)
        self.runs: list[Call] = []
        self.output: Output | None = None
        native = not isinstance(self.net, Block)
        if native and self.form is not None and not all(v.is_built for v in self.variables):
            with self.told():
                self.backend.run(self.net, self.arguments())
        self.held = all_built(self.net, "compare")
        self.variables = [v for v in self.held if not v.foreign]
        self.left_out = foreign_in(self.held)
        self.terms: dict[str, Variable] = {}

    @property
    def leaves(self) -> list[Leaf]:
        """What it gave when it was watched."""
        return [] if self.output is None else self.output.leaves

    @property
    def title(self) -> str:
        return f"{type(self.net).__name__} on {self.backend.title}"

    def arguments(self, inputs: Sequence[Array] | None = None) -> list[Any]:
        """The inputs, or others, as this model takes them."""
        form = self.form or Form(tuple(range(len(self.inputs))))
        return form.arguments(self.backend, self.net, self.tensors(inputs))

    def only_tensors(self, what: str) -> list[Any]:
        """The inputs, none of which is a dict.

        Raises:
            UnsupportedError: when one is; `what` takes none.
        """
        arguments = self.arguments()
        if not all(self.backend.is_tensor(argument) for argument in arguments):
            raise UnsupportedError(
                f"compare: {what} must be of a model that is given tensors; got a dict for "
                f"{self.title}: compare with mode='forward'"
            )
        return arguments

    def only_input(self) -> Any:
        """The input of a model that has one.

        Raises:
            UnsupportedError: for one of several, or of a dict.
        """
        if len(self.inputs) != 1:
            raise UnsupportedError(
                "compare: gradients are taken of models of one input; got "
                f"{len(self.inputs)}: compare with mode='forward'"
            )
        return self.only_tensors("gradients")[0]

    def tensors(self, inputs: Sequence[Array] | None = None) -> list[Any]:
        """The inputs as tensors of this framework, floats in the dtype of the model."""
        return [
            self.backend.from_numpy(array, self.device, self.dtype)
            if array.dtype.kind == "f" and self.dtype
            else self.backend.from_numpy(np.asarray(array, order="C"), self.device)
            for array in (self.inputs if inputs is None else inputs)
        ]

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """What is raised for inputs that the model cannot take."""
        return (*self.backend.call_errors, InputError)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Inside the `with`, an error for images in the other layout says so."""
        try:
            yield
        except self.refusals as error:
            for place in ("last", "first"):
                inputs = [moved_to(place, x) for x in self.inputs]
                moved = [x.shape for x in inputs] != [x.shape for x in self.inputs]
                if moved and self.takes(inputs):
                    raise misread(self.title, place, self.inputs, self.source) from error
            raise

    def takes(self, inputs: Sequence[Array]) -> bool:
        """Whether the model can be called with these."""
        try:
            self.backend.run(self.net, self.arguments(inputs))
        except self.refusals:
            return False
        return True

    def has_in_place(self, variable: Variable | None) -> bool:
        """Whether a variable of the model, if it has it, is where its parameters are."""
        place = next((v.device for v in self.variables if v.role == "parameter"), None)
        return variable is None or place is None or variable.device == place

    def paths(self) -> list[str]:
        """Of the model, and of each layer inside it."""
        return [path for path, _ in self.backend.layers(self.net)]

    def names(self) -> list[str]:
        return [name for v in self.variables for name in (v.name, *v.aliases)]

    def numbers(self) -> dict[str, Array]:
        return {name: v.read() for v in self.held for name in (v.name, *v.aliases)}

    def read(self, v: Variable) -> Array:
        """The numbers of a variable, with those of the one that it is compared in a sum with."""
        term = self.terms.get(v.name)
        return v.read() if term is None else np.asarray(v.read() + term.read())

    def sums(self) -> dict[str, Array]:
        """As `numbers`, each in its sum."""
        return self.numbers() | {v.name: self.read(v) for v in self.held if v.name in self.terms}

    def restore(self, numbers: Mapping[str, Array]) -> None:
        for v in self.held:
            v.write(numbers[v.name])


def add_up(a: Model, b: Model, rename: Callable[[str], str]) -> None:
    """Compare the sums of the arrays of which one of the models holds the sum only.

    Args:
        rename: turns a name of `b` into that of `a`.
    """
    sides: list[tuple[Model, dict[str, Variable], Callable[[str], str]]] = [
        (a, {v.name: v for v in a.variables}, str),
        (b, {rename(v.name): v for v in b.variables}, rename),
    ]
    sums = {
        name: to_mine(v.sum_with)
        for _, held, to_mine in sides
        for name, v in held.items()
        if v.sum_with is not None
    }
    for model, held, _ in sides:
        for name, other in sums.items():
            if name in held and other in held:
                model.terms[held[other].name] = held[name]
                model.variables.remove(held[name])


@dataclass(frozen=True)
class Partners:
    """The variables of the two models that are one array, under the name that both know."""

    name: str
    a: Variable
    b: Variable

    @property
    def path(self) -> str:
        """The layer that holds it."""
        return self.name.rpartition(".")[0]


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

    @property
    def partners(self) -> Partners | None:
        """The variables of both; None when one model lacks it, or holds it in another shape."""
        if self.a is None or self.b is None or self.a.shape != self.b.shape:
            return None
        return Partners(self.name, self.a, self.b)

    @property
    def path(self) -> str:
        """The layer that holds it."""
        return self.name.rpartition(".")[0]


def held_by(a: Model, b: Model, rename: Callable[[str], str]) -> Iterator[Held]:
    """The variables of the two models, without optional ones that one of them lacks.

    One that is shared in a model is known by the names that the other model has, too: by one of
    them, if it is shared alike in both.

    Args:
        rename: turns a name of `b` into that of `a`.
    """
    mine, theirs = by_name(a.variables, str), by_name(b.variables, rename)
    both = mine.keys() & theirs.keys()
    for name in dict.fromkeys([*mine, *theirs]):
        (v, all_a), (w, all_b) = mine.get(name, ABSENT), theirs.get(name, ABSENT)
        names = (all_a & both, all_b & both)
        if name not in both:
            if names[0] or names[1] or name != min(all_a or all_b):
                continue  # it is compared, or told of, under another name
            names = (all_a, all_b)
        elif names[0] == names[1] and name != min(names[0]):
            continue  # shared alike, and compared under another name
        held = Held(name, v, w, names)
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
