"""What a network can be ported to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from unified_blocks.backend.backend import Backend
from unified_blocks.backend.registry import aliases, get_backend
from unified_blocks.errors import InputError
from unified_blocks.porting.graph import Graph
from unified_blocks.porting.structure import divided
from unified_blocks.porting.writing.written import Written

LAYOUTS = ("channels_last", "channels_first")


@dataclass(frozen=True)
class Target:
    """A framework, or this library, as source code is written for it.

    Attributes:
        name: what its user calls it.
        title: what is written for it, in words.
        module: what writes it.
        backend: whose nets it gives; None for the default one.
        layouts: whether there is a choice of where channels are.
        loose: how far the operations, or functions, of these names may be from exact numbers,
            relative to their largest: those that the framework computes, or holds numbers of, in
            float32 whatever it is given.
    """

    name: str
    title: str
    module: str
    backend: str | None
    layouts: bool = False
    loose: Mapping[str, float] = field(default_factory=dict)

    def options(self, layout: str | None) -> dict[str, str]:
        """The options of what writes it.

        Raises:
            InputError: for a layout that there is not.
        """
        if layout is None:
            return {}
        if not self.layouts:
            raise InputError(
                f"port: a layout must be given only where there is a choice; got layout={layout!r} "
                f"for {self.name!r}, which has channels first: leave it out"
            )
        if layout not in LAYOUTS:
            raise InputError(
                f"port: layout must be one of {', '.join(LAYOUTS)}; got {layout!r}: correct it"
            )
        return {"layout": layout}

    def write(self, graph: Graph, name: str, **options: Any) -> Written:
        """The source of a graph.

        Raises:
            UnsupportedError: for operations that have no words here.
        """
        module = import_module(f"unified_blocks.porting.writing.{self.module}")
        written: Written = module.write(graph, divided(graph), name=name, **options)
        return written

    def load_backend(self) -> Backend:
        """The backend of its nets.

        Raises:
            BackendImportError: when its framework is not installed.
        """
        return get_backend(self.backend)


KERAS = {
    "Resize": 1e-6,
    "gelu": 1e-7,  # the root of 2 is in float32
    "LeakyRelu": 1e-7,  # its slope is held in float32
    "Recurrent": 1e-6,  # one bias where others have two, whose sum is in the dtype of the file
}
TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("torch", "PyTorch modules", "pytorch", "torch"),
        Target("tensorflow", "a functional Keras model", "keras", "tensorflow", True, KERAS),
        Target("unified_blocks", "portable blocks", "portable", None),
    )
}


def target_of(name: Any) -> Target:
    """The target of a name, or another name of its backend.

    Raises:
        InputError: for any other, with the names.
    """
    lowered = name.lower() if isinstance(name, str) else ""
    others = {other: known for other, known in aliases().items() if known in TARGETS}
    target = TARGETS.get(others.get(lowered, lowered))
    if target is None:
        raise InputError(
            f"port: to must be one of {', '.join(TARGETS)} (or {', '.join(others)}); got {name!r}: "
            "correct it"
        )
    return target
