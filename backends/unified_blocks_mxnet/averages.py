"""Running averages of the parameters of Gluon's blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unified_blocks.backend import Slot
from unified_blocks.training.learning.averaging import wide
from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.variables import MXNetVariable


class Averages:
    """`e = d e + (1 - d) w` after each update, e being w at first. Of half precision in float32.

    Args:
        variables: whose parameters they are of.
        decay: d.
    """

    def __init__(self, variables: list[MXNetVariable], decay: float) -> None:
        self.variables, self.decay = variables, decay
        with numpy_semantics():
            # A copy: `astype` gives the array itself when it has that dtype already.
            self.held = [
                now.copy().astype(wide(v.dtype))
                for v, now in zip(variables, self.now(), strict=True)
            ]

    def now(self) -> list[Any]:
        """The parameters: the memory of the model, not copies."""
        return [v.parameter.list_data()[0].as_np_ndarray() for v in self.variables]

    def update(self) -> None:
        for now, e in zip(self.now(), self.held, strict=True):
            e[...] = e * self.decay + now.astype(e.dtype) * (1 - self.decay)

    def slots(self) -> list[Slot]:
        def slot(v, e):
            def read():
                return e.asnumpy()

            def write(array):
                with numpy_semantics():
                    e[...] = mx.np.array(array, dtype=e.dtype, ctx=e.ctx)

            return Slot(v.name, v.shape, wide(v.dtype), read, write)

        return [slot(v, e) for v, e in zip(self.variables, self.held, strict=True)]

    def take(self) -> None:
        """Let the model have them for parameters from now on."""
        self.give(self.held)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside the `with` the model has them for parameters."""
        with numpy_semantics():
            before = [now.copy() for now in self.now()]
        self.give(self.held)
        try:
            yield
        finally:
            self.give(before)

    def give(self, numbers: list[Any]) -> None:
        with numpy_semantics():
            for v, number in zip(self.variables, numbers, strict=True):
                for copy in v.parameter.list_data():
                    copy.as_np_ndarray()[...] = number.astype(copy.dtype).as_in_ctx(copy.ctx)
