"""`Trainer`: one training step, with each framework's own optimizer."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Loss
from unified_blocks.gradients import native_batch
from unified_blocks.state import built_variables, device_of_variables
from unified_blocks.tensors import backend_of
from unified_blocks.training.losses import check_loss, check_targets
from unified_blocks.training.optimizers import Optimizer


class Trainer:
    """Updates the parameters of a model, a batch at a time.

    The framework's own optimizer does the work, with the hyper-parameters rounded to float32 and
    the conventions of `ub.SGD` and `ub.Adam` on every backend, so that training takes the same
    path on all of them.

    Args:
        net: a built model of any framework, on the device that it is to be trained on.
        optimizer: `ub.SGD(…)` or `ub.Adam(…)`.
        loss: as `value_and_grad` takes it.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another optimizer.
        ValueError: an unknown loss, or a model without a parameter to train.

    Example::

        trainer = ub.Trainer(net, ub.SGD(0.125, momentum=0.875), "cross_entropy")
        for x, y in batches:
            loss = trainer.step(x, y)
    """

    def __init__(self, net: Any, optimizer: Optimizer, loss: Loss) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer must be ub.SGD(…) or ub.Adam(…); got {optimizer!r}")
        if not callable(loss):
            check_loss(loss)
        variables = built_variables(net, "Trainer")
        self.net, self.optimizer, self.loss = net, optimizer, loss
        if not any(v.trainable for v in variables):
            raise ValueError(
                "Trainer: a model must have a parameter to train; got a "
                f"{type(net).__name__} with none, or with none that is not frozen"
            )
        self.backend, self.device = backend_of(net), device_of_variables(variables)
        self._step = self.backend.training_step(net, optimizer, loss)

    def step(self, x: Any, y: Any = None) -> Any:
        """Update the parameters once, in training mode.

        Args:
            x: a batch of inputs, a tensor of the framework or a NumPy array.
            y: the targets, when the loss takes any.

        Returns:
            The loss before the update: a tensor of the framework, not yet fetched.
        """
        check_targets(self.loss, y)
        y = None if y is None else native_batch(self.backend, y, self.device)
        return self._step(native_batch(self.backend, x, self.device), y)
