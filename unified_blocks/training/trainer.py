"""`Trainer`: one training step, with each framework's own optimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from unified_blocks.backend import (
    Clip,
    Loss,
    Optimizer,
    ParameterGroup,
    StepOptions,
    TrainingStep,
    Variable,
)
from unified_blocks.backend.tensors import backend_of
from unified_blocks.errors import StateMismatchError, UnsupportedError
from unified_blocks.formats.stored import Stored
from unified_blocks.models.state import Stateful
from unified_blocks.models.variables import (
    all_built,
    all_variables,
    device_of_variables,
    foreign_in,
    shortened,
)
from unified_blocks.training.building import infer
from unified_blocks.training.data.arrays import check_samples
from unified_blocks.training.data.batches import first_of, mapped
from unified_blocks.training.data.source import announce
from unified_blocks.training.data.weights import checked_weights
from unified_blocks.training.gradients import native_batch
from unified_blocks.training.losses import check_targets
from unified_blocks.training.watching.metrics import Metric
from unified_blocks.training.words import loss_meant, must_be_left_out, optimizer_meant
from unified_blocks.training.workers.join import Distributed, group_of
from unified_blocks.types import Array, State

STEP = "optimizer.step"


class Trainer(Stateful):
    """Updates the parameters of a model, a batch at a time.

    The framework's own optimizer does the work, with the hyper-parameters rounded to float32 and
    the formula of `ub.SGD`, `ub.Adam`, … on every backend, so that training takes the same path on
    all of them.

    Args:
        net: a model of any framework, on the device to train on. What of it does not exist yet is
            made by one inference call on the first batch.
        optimizer: `ub.SGD(…)`, `ub.Adam(…)`, `ub.AdamW(…)`, `ub.RMSprop(…)` or `ub.Adagrad(…)`.
        loss: as `value_and_grad` takes it.
        metrics, schedule, clip, accumulate, groups, precision, average, distributed: as `fit` takes
            them; they must be left out in this version.

    Raises:
        NotBuiltError: when something else than `step` and `epoch` needs a parameter that does not
            exist yet.
        TypeError: another optimizer.
        ValueError: an unknown loss, or a model without a parameter to train.
        UnsupportedError: (a `TypeError`) an argument that this version has no rule for.

    Example::

        trainer = ub.Trainer(net, ub.SGD(0.125, momentum=0.875), "cross_entropy")
        for x, y in batches:
            loss = trainer.step(x, y)

    `ub.load_state(trainer, ub.state(other))` copies the optimizer's state from another trainer, of
    any backend.
    """

    def __init__(
        self,
        net: Any,
        optimizer: Optimizer | str,
        loss: Loss,
        *,
        metrics: Sequence[str | Metric | Callable[..., Any]] = (),
        schedule: Callable[[int], float] | None = None,
        clip: Clip | None = None,
        accumulate: int = 1,
        groups: Sequence[ParameterGroup] = (),
        precision: str | None = None,
        average: float | None = None,
        distributed: Distributed = "auto",
    ) -> None:
        must_be_left_out(
            "Trainer",
            metrics=(metrics, (), []),
            schedule=(schedule, None),
            clip=(clip, None),
            accumulate=(accumulate, 1),
            groups=(groups, (), []),
            precision=(precision, None),
            average=(average, None),
        )
        optimizer, loss = optimizer_meant(optimizer), loss_meant(loss)
        variables = all_variables(net, "Trainer")
        self.net, self.optimizer, self.loss = net, optimizer, loss
        self.backend, self.device = backend_of(net), device_of_variables(variables)
        if all(v.is_built for v in variables):
            self._check_trainable(variables)
            options = self.options()
            self.training_step = self.backend.training_step(net, optimizer, loss, options)

    @cached_property
    def training_step(self) -> TrainingStep:
        """The framework's own step, made when the parameters exist.

        Raises:
            NotBuiltError: when one does not yet.
        """
        variables = all_built(self.net, "Trainer")
        self._check_trainable(variables)
        self.device = device_of_variables(variables)
        options = self.options()
        return self.backend.training_step(self.net, self.optimizer, self.loss, options)

    def _check_trainable(self, variables: Sequence[Variable]) -> None:
        if not any(v.trainable for v in variables):
            raise ValueError(
                "Trainer: a model must have a parameter to train; got a "
                f"{type(self.net).__name__} with none, or with none that is not frozen"
            )
        self._left_out = foreign_in(variables)

    @property
    def learning_rate(self) -> float:
        """The learning rate in force. Setting it leaves `v` of SGD as it is, on every backend."""
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer = replace(self.optimizer, learning_rate=value)
        if "training_step" in self.__dict__:
            self.training_step.set_learning_rate(self.optimizer.rounded().learning_rate)

    def step(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Update the parameters once, in training mode.

        Args:
            x: a batch of inputs, a tensor of the framework or a NumPy array; of a model that takes
                several a tuple of them, or a dict by the names of its arguments.
            y: the targets, when the loss takes any.
            sample_weight: a weight for each sample, `(n,)`, none below 0; the loss is then
                `Σ wᵢ lᵢ / Σ wᵢ`.

        Returns:
            The loss before the update: a tensor of the framework, not yet fetched.
        """
        check_targets(self.loss, y)
        x, y = self._native(x), self._native(y)
        if "training_step" not in self.__dict__:
            infer(self.net, x)
        return self.training_step(x, y, *self._weights("step", x, sample_weight))

    def _weights(self, where: str, x: Any, given: Any) -> tuple[Any, ...]:
        """The weights of these samples, if there are any: of a trainer that had some always."""
        if given is None:
            if not self.training_step.options.weighted:
                return ()
            given = np.ones(len(first_of(x)))
        weights = self._native(checked_weights(where, given, len(first_of(x))))
        announce(self.training_step, weights)
        return (weights,)

    def _native(self, batch: Any) -> Any:
        """A tensor of the framework, or the structure of them, for what `step` is given."""
        if batch is None or isinstance(batch, (tuple, list, dict)):
            return mapped(lambda part: native_batch(self.backend, part, self.device), batch)
        return native_batch(self.backend, batch, self.device)

    def epoch(
        self, x: Any, y: Any, order: Array, batch_size: int, sample_weight: Any = None
    ) -> Array:
        """Update the parameters once for each batch of some samples, as `step` does.

        It costs less than a loop over `step`: the mode changes once, and the losses are fetched
        once.

        Args:
            x, y: inputs and targets, tensors of the framework or NumPy arrays, samples first.
            order: which samples to use, in this order, `(n,)` whole numbers.
            batch_size: how many of them to a step; the last step takes what is left.
            sample_weight: a weight for each sample of `x`, as of `step`.

        Returns:
            The loss of each step before its update, `(steps,)` in float64.

        Raises:
            TypeError, ValueError: as `step`.
        """
        check_targets(self.loss, y)
        if batch_size < 1:
            raise ValueError(f"epoch: batch_size must be at least 1; got batch_size={batch_size}")
        order = np.array(order)
        if order.ndim != 1 or (order.size and order.dtype.kind not in "iu"):
            raise ValueError(
                "epoch: order must be whole numbers (n,); got shape "
                f"{order.shape} and dtype {order.dtype}"
            )
        samples = check_samples("epoch", x, y)
        if not order.size:
            return np.zeros(0)
        if order.min() < 0 or order.max() >= samples:
            raise ValueError(
                f"epoch: order must be of samples from 0 to {samples - 1}; got some from "
                f"{order.min()} to {order.max()}"
            )
        x, y, order = self._native(x), self._native(y), order.astype("int64")
        if "training_step" not in self.__dict__:
            infer(self.net, mapped(lambda part: part[:batch_size], x))
        weights = self._weights("epoch", x, sample_weight)
        return self.training_step.epoch(x, y, order, batch_size, *weights)

    def averaged(self) -> AbstractContextManager[Any]:
        """Inside the `with` the model has the running averages of its parameters.

        Raises:
            ValueError: for a trainer that keeps none, made without `average`.
        """
        return self.training_step.averaged()

    def _check_known(self) -> None:
        if self._left_out:
            raise UnsupportedError(
                "Trainer: for its state, each layer must be of a kind that this library knows; got "
                f"{shortened(self._left_out)} of {type(self.net).__name__}: use the files of the "
                "framework itself"
            )

    def state(self) -> State:
        """See `ub.state`."""
        self._check_known()
        slots = {f"optimizer.{slot.name}": slot.read() for slot in self.training_step.slots()}
        return {**slots, STEP: np.array(self.training_step.count, "int64")}

    def load(self, tensors: Mapping[str, Stored]) -> None:
        """See `ub.load_state`."""
        self._check_known()
        slots = {f"optimizer.{slot.name}": slot for slot in self.training_step.slots()}
        wanted = {name: (slot.shape, slot.dtype) for name, slot in slots.items()}
        wanted[STEP] = ((), "int64")
        given = {name: (stored.shape, stored.dtype) for name, stored in tensors.items()}
        problems = [f"no {name}" for name in wanted if name not in given]
        problems += [f"an unknown {name}" for name in given if name not in wanted]
        problems += [
            f"{name} of shape {given[name][0]} and dtype {given[name][1]}, not {shape} and {dtype}"
            for name, (shape, dtype) in wanted.items()
            if given.get(name, (shape, dtype)) != (shape, dtype)
        ]
        if not problems and int(tensors[STEP].read()) < 0:
            problems.append(f"{STEP} below 0")
        if problems:
            raise StateMismatchError(
                f"load_state: the state must fit a Trainer with {self.optimizer!r} for "
                f"{type(self.net).__name__}, and nothing was loaded; got " + "; ".join(problems)
            )
        arrays = {name: tensors[name].read() for name in slots}
        self.training_step.restart_at(int(tensors[STEP].read()))
        for slot in self.training_step.slots():
            slot.write(arrays[f"optimizer.{slot.name}"])
