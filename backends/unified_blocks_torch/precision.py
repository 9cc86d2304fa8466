"""Training in mixed precision, by PyTorch's own means."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch

from unified_blocks.backend import Slot
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.data.batches import mapped

HALF = (torch.bfloat16, torch.float16)
FIRST = 2.0**15
"""The first factor of a loss, as Keras has it; PyTorch would begin with twice that."""


class Precision:
    """Layers compute in half precision, from parameters in float32: `torch.autocast`.

    In float16 the loss is scaled, so that small gradients do not vanish:
    `torch.amp.GradScaler`. An update whose gradients are not finite is left out.

    Args:
        precision: `"bfloat16"`, `"float16"`, or None: all as it comes.
        tensors: the parameters.
        native: PyTorch's optimizer.

    Raises:
        UnsupportedError: parameters of another dtype, which autocast leaves as they are.
    """

    def __init__(
        self,
        precision: str | None,
        tensors: Sequence[torch.Tensor],
        native: torch.optim.Optimizer,
    ) -> None:
        found = {str(t.dtype).removeprefix("torch.") for t in tensors if t.is_floating_point()}
        if precision is not None and found != {"float32"}:
            raise UnsupportedError(
                "Trainer: to compute in half precision, the parameters must be float32; got "
                f"precision={precision!r} and {' and '.join(sorted(found))}: use "
                'ub.cast(net, "float32")'
            )
        self.native, self.device, self.precision = native, tensors[0].device.type, precision
        self.scaler: Any = None
        self.done = True
        if precision == "float16":
            self.scaler = torch.amp.GradScaler(self.device, init_scale=FIRST)
            native.register_step_post_hook(self.see)

    def see(self, *_: Any) -> None:
        """PyTorch's optimizer has done a step: the scaler has not left it out."""
        self.done = True

    def around(self) -> AbstractContextManager[Any]:
        """Around a call of the model."""
        if self.precision is None:
            return nullcontext()
        return torch.autocast(self.device, getattr(torch, self.precision))

    def widened(self, output: Any) -> Any:
        """What a model that computes in half gives, for a loss: in float32."""
        if self.precision is None:
            return output
        return mapped(lambda y: y.float() if y.dtype in HALF else y, output)

    def backward(self, value: torch.Tensor) -> None:
        (value if self.scaler is None else self.scaler.scale(value)).backward()

    def unscale(self) -> None:
        """Let the gradients be those of the loss itself."""
        if self.scaler is not None:
            self.scaler.unscale_(self.native)

    def step(self) -> bool:
        """Update the parameters; whether that was done, and not left out."""
        if self.scaler is None:
            self.native.step()
            return True
        self.done = False
        self.scaler.step(self.native)
        self.scaler.update()
        return self.done

    def slots(self) -> list[Slot]:
        """The factor of the loss, and for how many updates in a row it has been good."""
        if self.scaler is None:
            return []

        def slot(name, key, dtype, kind):
            def read():
                return np.array(self.scaler.state_dict()[key], dtype)

            def write(array):
                self.scaler.load_state_dict({**self.scaler.state_dict(), key: kind(array)})

            return Slot(name, (), dtype, read, write)

        return [
            slot("loss_scale", "scale", "float32", float),
            slot("loss_scale_steps", "_growth_tracker", "int32", int),
        ]
