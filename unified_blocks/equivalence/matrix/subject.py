"""A case on one backend, to be observed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.block import Block
from unified_blocks.dtypes import use_dtype
from unified_blocks.equivalence.layouts import Layouts, brought, taken
from unified_blocks.equivalence.matrix.cases import Case
from unified_blocks.errors import UnsupportedError
from unified_blocks.models.initialization import initialize
from unified_blocks.models.outputs import in_numpy
from unified_blocks.models.state import build
from unified_blocks.types import Array, State


@dataclass
class Subject:
    """A case on one backend and device, in one dtype.

    Attributes:
        layouts: how the inputs of the case are laid out for the network on this backend.
    """

    case: Case
    backend: Backend
    device: str
    dtype: str
    layouts: Layouts

    def made(self) -> Any:
        """The network, built, with its initial numbers.

        Every parameter is random, biases too, and drawn anew on each backend from one seed.
        """
        dtype = "float32" if self.dtype == "bfloat16" else self.dtype  # as long as NumPy draws
        with use_dtype(dtype), self.backend.native_dtype(dtype):
            net = self.case.make()
            shapes = [array.shape for array in self.inputs()]
            build(net, shapes if len(shapes) > 1 else shapes[0])
        dtypes = {variable.dtype for variable in self.backend.variables(net)}
        if dtypes != {dtype} and not isinstance(net, Block):  # a block was told its dtype
            net = self.backend.cast(net, dtype)
        initialize(net, self.case.seed, scheme="torch_default")
        if dtype != self.dtype:
            net = self.backend.cast(net, self.dtype)
        return self.placed(net)

    def placed(self, net: Any) -> Any:
        """The network on the device: as it is, where it is there."""
        there = all(variable.device == self.device for variable in self.backend.variables(net))
        return net if there else self.backend.to_device(net, self.device)

    def numbers(self, net: Any) -> State:
        """All numbers of the network; in float32, those of bfloat16."""
        return {v.name: v.read() for v in self.backend.variables(net)}

    def inputs(self) -> list[Array]:
        """Those of the case, as this network takes them."""
        return self.layouts.second(self.case.inputs())

    def tensor(self, array: Array) -> Any:
        """A tensor of these numbers in the dtype."""
        return self.backend.from_numpy(array, self.device, self.dtype)

    def tensors(self) -> list[Any]:
        """The inputs, anew."""
        return [self.tensor(array) for array in self.inputs()]

    @cached_property
    def arrays(self) -> list[Array]:
        """The numbers of the inputs; in float32, those of bfloat16."""
        return [numbers_of(self.backend, tensor)[0] for tensor in self.tensors()]

    def check_dtype(self) -> None:
        """Raise `UnsupportedError` for a dtype that the framework lacks."""
        if why := self.backend.lacks.get(self.dtype):
            raise UnsupportedError(
                f"{self.backend.title} has no blocks in {self.dtype}: {why}: use float32"
            )

    def check_numpy(self, what: str) -> None:
        """Raise `UnsupportedError` for a dtype that NumPy lacks."""
        if self.dtype == "bfloat16":
            raise UnsupportedError(f"{what} in bfloat16 cannot be compared: NumPy has no bfloat16")

    def batch(self, net: Any, doing: str) -> tuple[Any, Any]:
        """The input and a target, for a loss: tensors.

        Raises:
            UnsupportedError: for a model that no loss here takes.
        """
        if len(self.arrays) != 1:
            raise UnsupportedError(f"{doing} is of a model with one input; got {len(self.arrays)}")
        shape = self.case.output_shape
        if shape is None:
            outputs, _ = in_numpy(self.backend, self.backend.run(net, self.tensors()))
            if len(outputs) != 1:
                raise UnsupportedError(f"{doing} is of a model with one output; got {len(outputs)}")
            shape = outputs[0].shape
        return self.tensors()[0], self.tensor(self.target(shape))

    def target(self, shape: tuple[int, ...]) -> Array:
        """A target for an output of this shape: for an image the same in each layout."""
        output = np.broadcast_to(0.0, shape)
        move = self.layouts.of(output)
        return np.asarray(taken(self.case.target(brought(output, move).shape), move), order="C")
