"""The networks that the frameworks are compared on."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unified_blocks.backend.registry import default_name
from unified_blocks.blocks import MLP, FixedHiddenMLP, MySequential, NestMLP, Parallel
from unified_blocks.layers import BatchNorm, Dense, Dropout, LayerNorm, ReLU, Softmax, Tanh
from unified_blocks.types import Array


@dataclass(frozen=True)
class Case:
    """A network, an input for it, and the shapes that it must have.

    Attributes:
        make: makes the network on the default backend, in the default dtype.
        input_shape: of its input; of each, when there are several.
        output_shape: of its output; None when it is not known.
        variables: name and shape of each of its variables, in definition order, if known.
        constants: those of them that are not trained.
    """

    name: str
    make: Callable[[], Any]
    input_shape: tuple[Any, ...]
    output_shape: tuple[int, ...] | None = None
    variables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    constants: tuple[str, ...] = ()
    seed: int = 1

    @property
    def parameters(self) -> list[str]:
        return [name for name in self.variables if name not in self.constants]

    def batch(self, dtype: str) -> tuple[Array, Array]:
        """An input and a target for it, of a case with one input and a known output."""
        assert self.output_shape is not None
        inputs, generator = self._drawn()
        target = np.asarray(generator.normal(size=self.output_shape))
        return inputs[0].astype(dtype), target.astype(dtype)

    def inputs(self) -> list[Array]:
        """The inputs, in float64."""
        return self._drawn()[0]

    def target(self, shape: tuple[int, ...]) -> Array:
        """A target of the output's shape, in float64."""
        _, generator = self._drawn()
        return np.asarray(generator.normal(size=shape))

    def _drawn(self) -> tuple[list[Array], Any]:
        generator = np.random.Generator(np.random.PCG64(self.seed))
        several = bool(self.input_shape) and not isinstance(self.input_shape[0], int)
        shapes: Any = self.input_shape if several else [self.input_shape]
        return [np.asarray(generator.normal(size=shape)) for shape in shapes], generator

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that defines the case except the code of its network."""
        shapes = (self.input_shape, self.output_shape, self.variables, self.constants)
        found = hashlib.sha256(json.dumps([self.name, *shapes, self.seed]).encode())
        for array in self.inputs():
            found.update(np.ascontiguousarray(array, "<f8").tobytes())
        return found.hexdigest()


def case_of_model(model: str, input_shapes: Sequence[tuple[int, ...]]) -> Case:
    """The case of a user's own model.

    Args:
        model: `"module:factory"`. A factory that can be called without arguments makes a block on
            the default backend; one with a parameter gets the backend's name, and can make a native
            model.

    Raises:
        ValueError: when there is no such factory, or it needs other arguments.
    """
    module, colon, name = model.partition(":")
    if not (module and colon and name) or "/" in model:
        raise ValueError(
            f"a model must be named module:factory; got {model}: name a function or class, "
            "mypackage.models:make"
        )
    try:
        factory = getattr(importlib.import_module(module), name)
        parameters = inspect.signature(factory).parameters.values()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"a model must be module:factory, something to import and to call; got {model} "
            f"({type(error).__name__}: {error})"
        ) from error
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    wanted = [p for p in parameters if p.default is p.empty and p.kind not in kinds]
    if len(wanted) > 1:
        raise ValueError(
            "a factory of models must take nothing, or the name of a backend; got "
            f"{model}, which needs {', '.join(p.name for p in wanted)}: wrap it in a function"
        )

    def make() -> Any:
        return factory(default_name()) if wanted else factory()

    return Case(model, make, tuple(input_shapes))


def chimera() -> Any:
    """The book's mix of blocks within blocks."""
    return MySequential(NestMLP(), Dense(20), FixedHiddenMLP())


NEST = {
    "net.0.weight": (64, 20),
    "net.0.bias": (64,),
    "net.1.weight": (32, 64),
    "net.1.bias": (32,),
    "dense.weight": (16, 32),
    "dense.bias": (16,),
}
FIXED = {"rand_weight": (20, 20), "dense.weight": (20, 20), "dense.bias": (20,)}

CASES = (
    Case(
        "MLP",
        lambda: MLP(48, 7),
        (3, 20),
        (3, 7),
        {
            "hidden.weight": (48, 20),
            "hidden.bias": (48,),
            "out.weight": (7, 48),
            "out.bias": (7,),
        },
    ),
    Case(
        "MySequential",
        lambda: MySequential(Dense(24), ReLU(), Dense(9, activation="tanh")),
        (3, 20),
        (3, 9),
        {"0.weight": (24, 20), "0.bias": (24,), "2.weight": (9, 24), "2.bias": (9,)},
    ),
    Case("FixedHiddenMLP", FixedHiddenMLP, (3, 20), (), FIXED, ("rand_weight",)),
    Case("NestMLP", NestMLP, (3, 20), (3, 16), NEST),
    Case(
        "chimera",
        chimera,
        (3, 20),
        (),
        {
            **{f"0.{name}": shape for name, shape in NEST.items()},
            "1.weight": (20, 16),
            "1.bias": (20,),
            **{f"2.{name}": shape for name, shape in FIXED.items()},
        },
        ("2.rand_weight",),
    ),
)

MORE_CASES = (
    Case(
        "norms",
        lambda: MySequential(
            Dense(12, activation="gelu"), BatchNorm(), Dense(9), LayerNorm(), Tanh(), Dense(5)
        ),
        (8, 20),
        (8, 5),
    ),
    Case(
        "parallel",
        lambda: MySequential(
            Parallel(
                Dense(6, activation="softplus"),
                MySequential(Dense(8, activation="silu"), Dropout(0.5), Dense(4)),
            ),
            Softmax(),
            Dense(3, use_bias=False),
        ),
        (4, 20),
        (4, 3),
    ),
)
"""What the book's blocks lack: statistics of a batch, branches, numbers drawn in training."""

ALL_CASES = (*CASES, *MORE_CASES)
