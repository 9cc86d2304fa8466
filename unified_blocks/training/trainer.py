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
    Slot,
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
    in_numpy,
    shortened,
)
from unified_blocks.training.building import infer
from unified_blocks.training.data.arrays import check_arrays, check_samples
from unified_blocks.training.data.batches import first_of, mapped
from unified_blocks.training.data.source import announce
from unified_blocks.training.data.weights import checked_weights
from unified_blocks.training.gradients import native_batch
from unified_blocks.training.learning.schedules import rates, schedule_meant
from unified_blocks.training.losses import check_targets
from unified_blocks.training.watching.metrics import Metric, metrics_meant
from unified_blocks.training.words import check_count, loss_meant, optimizer_meant, shown
from unified_blocks.training.workers.join import Distributed, group_of
from unified_blocks.types import Array, State

STEP, UPDATES = "optimizer.step", "schedule.step"
"""In a state, how many steps the optimizer has done, and how many updates a schedule counts."""


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
        metrics: what is measured of each batch besides the loss: `"accuracy"`, `"top_k"`, `"mae"`,
            `"mse"`, a `ub.Metric`, or a function `(output, y)` of tensors.
        schedule: a factor on the learning rate of each update, `ub.CosineDecay(…)`, `ub.WarmUp(…)`,
            `ub.StepDecay(…)` or a function of the number of updates that were done.
        clip: `ub.Clip(…)`: how gradients are kept small before each update.
        accumulate: in how many parts, one after the other, the batch of an update is computed, so
            that it needs the memory of one. For `fit` and `epoch`, how many batches there are to an
            update.
        groups: `ub.ParameterGroup(…)`s: parameters that are updated in another way.
        precision: `"bfloat16"` or `"float16"`: what layers compute in, from parameters that stay
            float32. By each framework's own means: `torch.autocast`; Keras' policies, which the
            layers must have been made with, `dtype="mixed_bfloat16"`. In float16 the loss is
            scaled, and an update whose gradients are not finite is left out.
        average: d of the running average `e = d e + (1 - d) w` of the parameters after each update,
            0.999 being usual. See `averaged`.
        distributed: who trains along; as `fit` takes it.

    Raises:
        NotBuiltError: when something else than `step` and `epoch` needs a parameter that does not
            exist yet.
        TypeError: another optimizer, or an argument of another type.
        ValueError: an unknown loss, a number outside its range, a group that fits no parameter, or
            a model without a parameter to train.
        UnsupportedError: (a `TypeError`) what the framework does not have.

    Example::

        net = ub.initialize(ub.build(ub.MLP(256, 10), (2, 20)))
        trainer = ub.Trainer(net, ub.SGD(0.125, momentum=0.875), "cross_entropy")
        x, y = np.ones((2, 20), "float32"), np.array([3, 7])
        first, *_, last = [float(ub.to_numpy(trainer.step(x, y))) for _ in range(20)]
        last < first  # True

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
        accumulate = check_count("Trainer", "accumulate", accumulate)
        _check_kind("clip", clip, Clip, "ub.Clip(global_norm=1.0)")
        for group in groups:
            _check_kind("groups", group, ParameterGroup, '[ub.ParameterGroup("*.bias")]')
        self.schedule = schedule
        schedule_meant(schedule, 1)  # in epochs it is for `fit`, which knows how long they are
        self._options = StepOptions(
            watched=tuple(metrics_meant(metrics)),
            clip=clip,
            groups=tuple(groups),
            accumulate=accumulate,
            average=average,
            precision=precision,
            scheduled=schedule is not None,
        )
        self._distributed, self.updates = distributed, 0
        self._left_out: list[str] = []
        optimizer, loss = optimizer_meant(optimizer), loss_meant(loss)
        variables = all_variables(net, "Trainer")
        self.net, self.optimizer, self.loss = net, optimizer, loss
        self.backend, self.device = backend_of(net), device_of_variables(variables)
        if all(v.is_built for v in variables):
            self.training_step = self._make(variables)

    @cached_property
    def training_step(self) -> TrainingStep:
        """The framework's own step, made when the parameters exist.

        Raises:
            NotBuiltError: when one does not yet.
        """
        return self._make(all_built(self.net, "Trainer"))

    def _make(self, variables: Sequence[Variable]) -> TrainingStep:
        self._check_trainable(variables)
        group = group_of(self.backend, self.net, self._distributed)
        self.device = device_of_variables(variables)  # the group may have moved them
        options = replace(self._options, group=group)
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
            The loss before the update: a tensor of the framework, not yet fetched. With metrics a
            vector of it and of them, `(1 + metrics,)`.
        """
        if not (hasattr(x, "shape") and (y is None or hasattr(y, "shape"))):
            check_arrays("step", x, y)
        check_targets(self.loss, y)
        x, y = self._native(x), self._native(y)
        if "training_step" not in self.__dict__:
            infer(self.net, x)
        weights = self._weights("step", x, sample_weight)
        if self.schedule is None:
            return self.training_step(x, y, *weights)
        (rate,) = self._rates(1).tolist()
        (w,) = weights or (None,)
        found = self.training_step(x, y, w, rate)
        self.updates += 1
        return found

    def _rates(self, count: int) -> Array:
        """The learning rates of the next updates, of a trainer with a schedule."""
        schedule: Any = schedule_meant(self.schedule, None)
        return rates(schedule, self.learning_rate, self.updates, count)

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
            batch_size: how many of them to a step, or with `accumulate` to a part of one; the last
                step takes what is left.
            sample_weight: a weight for each sample of `x`, as of `step`.

        Returns:
            The loss of each step before its update, `(steps,)` in float64; with metrics it and
            them, `(steps, 1 + metrics)`.

        Raises:
            TypeError, ValueError: as `step`.
        """
        check_arrays("epoch", x, y)
        check_targets(self.loss, y)
        batch_size = check_count("epoch", "batch_size", batch_size)
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
        step = self.training_step
        if self.schedule is None:
            return step.epoch(x, y, order, batch_size, *weights)
        updates = -(-len(order) // (batch_size * self._options.accumulate))
        (w,) = weights or (None,)
        try:
            found = step.epoch(x, y, order, batch_size, w, self._rates(updates))
        except Exception:
            self.updates = max(self.updates, step.count)  # some may have been done
            raise
        self.updates += updates
        return found

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
        slots = self._slots()
        in_numpy(list(slots.values()), "state")
        kept = {name: slot.read() for name, slot in slots.items()}
        count = self.training_step.count
        kept[STEP] = np.array(count, "int64")
        if self.schedule is not None:  # it counts those, too, that float16 has left out
            kept[UPDATES] = np.array(max(self.updates, count), "int64")
        return kept

    def _slots(self) -> dict[str, Slot]:
        """What the optimizer keeps and the averages, by their names in a state."""
        step = self.training_step
        kept = {"optimizer": step.slots(), "average": step.averages()}
        return {f"{kind}.{slot.name}": slot for kind, slots in kept.items() for slot in slots}

    def load(self, tensors: Mapping[str, Stored]) -> None:
        """See `ub.load_state`."""
        self._check_known()
        slots = self._slots()
        wanted = {name: (slot.shape, slot.dtype) for name, slot in slots.items()}
        wanted[STEP] = ((), "int64")
        if UPDATES in tensors:  # a trainer without a schedule keeps none
            wanted[UPDATES] = ((), "int64")
        given = {name: (stored.shape, stored.dtype) for name, stored in tensors.items()}
        problems = [f"no {name}" for name in wanted if name not in given]
        problems += [f"an unknown {name}" for name in given if name not in wanted]
        problems += [
            f"{name} of shape {given[name][0]} and dtype {given[name][1]}, not {shape} and {dtype}"
            for name, (shape, dtype) in wanted.items()
            if given.get(name, (shape, dtype)) != (shape, dtype)
        ]
        counts = (
            {} if problems else {n: int(tensors[n].read()) for n in (STEP, UPDATES) if n in wanted}
        )
        problems += [f"{name} below 0" for name, count in counts.items() if count < 0]
        if problems:
            raise StateMismatchError(
                f"load_state: the state must fit a Trainer with {self.optimizer!r} for "
                f"{type(self.net).__name__}, and nothing was loaded; got " + "; ".join(problems)
            )
        arrays = {name: tensors[name].read() for name in slots}
        self.updates = counts.get(UPDATES, counts[STEP])
        self.training_step.restart_at(counts[STEP])
        for name, slot in self._slots().items():
            slot.write(arrays[name])


def _check_kind(name: str, given: Any, kind: type[Any], remedy: str) -> None:
    """Check that an argument is None or of its class.

    Raises:
        TypeError: when it is not.
    """
    if given is not None and not isinstance(given, kind):
        raise TypeError(
            f"Trainer: {name} must be of ub.{kind.__name__}; got {shown(given)}: write "
            f"{name}={remedy}"
        )
