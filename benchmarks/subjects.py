"""The subjects: blocks of the library, each with its counterpart written by hand."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks import ROOT
from benchmarks.native import by_hand
from unified_blocks.reference.policy import deviation
from unified_blocks.types import Array

NATIVE, PORTABLE = 1.02, 1.05
"""The most that a block may cost over one written by hand: a native and a portable block."""


@dataclass(frozen=True)
class Subject:
    """A block.

    Attributes:
        block: its class here, and in the modules of `benchmarks.native`.
        arguments: of the constructor of the one that is written by hand.
        shape: of its input, without the batch.
        target: the most that it may cost over that one.
        example: the module of `examples/` that it is in.
        portable: whether to take the portable version of a block that has a native one.
    """

    block: str
    arguments: Mapping[str, int]
    shape: tuple[int, ...] = (20,)
    target: float = NATIVE
    example: str | None = None
    portable: bool = False

    @property
    def name(self) -> str:
        return f"portable {self.block}" if self.portable else self.block

    def ours(self, framework: str) -> Any:
        if self.block == "MySequential":
            return in_sequence(framework, **self.arguments)
        cls = getattr(example(self.example) if self.example else ub, self.block)
        arguments = dict(self.arguments)
        if self.block == "DeepSets":
            del arguments["in_units"]
        return cls.on(framework, portable=self.portable)(**arguments)


SUBJECTS = (
    Subject("MLP", {"hidden_units": 256, "out_units": 10, "in_units": 20}),
    Subject("MySequential", {"hidden_units": 256, "out_units": 10, "in_units": 20}),
    Subject("FixedHiddenMLP", {"units": 20}),
    Subject("NestMLP", {"in_units": 20}),
    Subject(
        "MLP", {"hidden_units": 256, "out_units": 10, "in_units": 20}, (20,), PORTABLE, None, True
    ),
    Subject("MixerBlock", {"tokens": 8, "channels": 16, "hidden": 32}, (8, 16), PORTABLE, "mixer"),
    Subject("Highway", {"units": 20, "depth": 3}, (20,), PORTABLE, "highway"),
    Subject("DeepSets", {"units": 4, "hidden": 24, "in_units": 3}, (8, 3), PORTABLE, "deep_sets"),
)


def example(name: str) -> Any:
    """A module of the folder of examples: `"mixer"`, `"book/resnet"`."""
    full = f"examples_{name.replace('/', '_')}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, ROOT / "examples" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


def in_sequence(framework: str, hidden_units: int, out_units: int, in_units: int) -> Any:
    Dense = ub.Dense.on(framework)
    return ub.MySequential.on(framework)(
        Dense(hidden_units, in_units=in_units, activation="relu"), Dense(out_units)
    )


def dense_stack(framework: str, depth: int, units: int = 20) -> tuple[Any, Any, Any]:
    """Dense layers, one after the other: ours, and two by hand."""
    Dense, native = ub.Dense.on(framework), by_hand(framework)
    return stacked(
        framework,
        depth,
        lambda: Dense(units, in_units=units),
        lambda: native.layer(units, units),
    )


def nested_stack(framework: str, depth: int, units: int = 20) -> tuple[Any, Any, Any]:
    """Blocks of two layers, one after the other: ours, and two by hand."""
    MLP, native = ub.MLP.on(framework), by_hand(framework)
    return stacked(
        framework,
        depth,
        lambda: MLP(units, units, in_units=units),
        lambda: native.MLP(units, units, units),
    )


def stacked(
    framework: str, depth: int, ours: Callable[[], Any], native: Callable[[], Any]
) -> tuple[Any, Any, Any]:
    """What these make, in a row; made in turn, so that all three have similar memory layouts."""
    made = [(ours(), native(), native()) for _ in range(depth)]
    blocks, *layers = zip(*made, strict=True)
    first, second = (by_hand(framework).stack(list(each)) for each in layers)
    return ub.MySequential.on(framework)(*blocks), first, second


def array(*shape: int) -> Array:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def alike(net: Any, others: list[Any], x: Array) -> Any:
    """Give all the numbers of `net`, and assert that they compute what it computes.

    Returns:
        `x` as a tensor.
    """
    backend = ub.backend_of(net)
    ub.initialize(ub.build(net, x.shape), 0, "torch_default")
    tensor = backend.from_numpy(x)
    for model in (net, *others) if backend.name == "torch" else ():
        model.eval()  # the others infer unless they are told to train
    for other in others:
        backend.run(other, [tensor])  # makes what was deferred
        ub.transfer(net, other, match="order")
    outputs = [backend.to_numpy(backend.run(model, [tensor])) for model in (net, *others)]
    agree(outputs, type(net).__name__)
    return tensor


def agree(found: list[Array], what: str) -> None:
    """Assert that what several nets computed is the same, as far as float32 can show.

    Raises:
        AssertionError: when it is not: timing them side by side would be meaningless.
    """
    for other in found[1:]:
        apart = deviation(other, found[0], "float32")
        if not apart.ok:
            raise AssertionError(f"{what}: they differ by {apart.absolute:.2g}")
