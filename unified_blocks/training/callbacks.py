"""`Callback`: what is called while a network trains. `Run`: what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unified_blocks.training.history import History
from unified_blocks.types import Array


class Run:
    """A training that is going on, as callbacks see it.

    Attributes:
        net: the network that trains.
        trainer: its `ub.Trainer`; `run.trainer.learning_rate` can be set.
        history: the `ub.History` so far; in `Callback.epoch` it has the epoch that has ended.
        epochs: how many epochs were asked for.
        steps_per_epoch: how many updates an epoch has; None when the data does not say.
        epoch: the epoch that is going on, from 1.
        updates: how many updates were done, from the first epoch on.
        is_writer: whether this process writes files and draws; one of a group of processes does.
        stopped: why it will stop, in words; None when it will not.
        names: those of the metrics.
        masses: what each update of the epoch that is going on counts in its means: how many samples
            it had or, with weights, their sum. Between two epochs there are none.

    Example::

        class Halving(ub.Callback):
            def epoch(self, run: ub.Run):
                run.trainer.learning_rate /= 2

        x = np.linspace(-1, 1, 64, dtype="float32").reshape(64, 1)
        options = {"loss": "mse", "optimizer": ub.SGD(0.5), "callbacks": [Halving()]}
        history = ub.fit(ub.MLP(16, 1), x, x, epochs=2, **options)
        history.learning_rate  # [0.5, 0.25]
    """

    def __init__(
        self,
        trainer: Any,
        history: History,
        *,
        epochs: int,
        steps_per_epoch: int | None,
        metrics: Sequence[str] = (),
        is_writer: bool = True,
        fetch: Callable[[list[Any]], Array] = np.array,
        seed: int = 0,
        sow: Callable[[int | None], None] = lambda updates: None,
        capture: Callable[[], Any] = dict,
        restore: Callable[[Any], None] = lambda captured: None,
    ) -> None:
        self.trainer, self.history = trainer, history
        self.epochs, self.steps_per_epoch = epochs, steps_per_epoch
        self.is_writer = is_writer
        self.epoch, self.updates = 0, 0
        self.seed, self.sow = seed, sow
        self.capture, self.restore = capture, restore
        self.names = tuple(metrics)
        self._read: Callable[[], Array] | None = None
        self._fetch = fetch
        self.forget()

    @property
    def net(self) -> Any:
        return self.trainer.net

    @property
    def stopped(self) -> str | None:
        return self.history.stopped

    def stop(self, reason: str) -> None:
        """Stop after the call that is going on: in `Callback.step` the epoch ends with this update.

        What belongs to the end of an epoch is done: its validation, and the `epoch` of each
        callback. The history has the reason, the first one that was given.
        """
        if self.history.stopped is None:
            self.history.stopped = reason

    def see(self, read: Callable[[], Array]) -> None:
        """Let `loss` and `metrics` be what `read` gives, `(1 + metrics,)`, when they are asked."""
        self._read = read

    # what the updates of an epoch gave

    def forget(self) -> None:
        """An epoch has ended."""
        self.masses: list[float] = []
        self._fetched: list[Array] = []
        self._waiting: list[Any] = []

    def add_one(self, value: Any, mass: float) -> None:
        """An update was done, which gave this tensor."""
        self._waiting.append(value)
        self.masses.append(mass)
        self.updates += 1
        self._read = None

    def add(self, values: Array, masses: Array | Sequence[float]) -> None:
        """Several updates were done, of which these numbers were fetched."""
        self._fetched.append(values)
        self.masses += masses
        self.updates += len(masses)

    def so_far(self) -> tuple[Array, list[float]]:
        """The losses of each update of the epoch that is going on, and their masses.

        With metrics the losses are `(updates, 1 + metrics)`, else `(updates,)`, in float64. It
        waits for the device.
        """
        if self._waiting:
            values = self._fetch(self._waiting)
            self._fetched.append(values)
            self._waiting = []
            self.see(lambda: values[-1])
        self._fetched = [np.concatenate(self._fetched)] if self._fetched else []
        return self._fetched[0] if self._fetched else np.zeros(0), self.masses

    def go_on(
        self, epoch: int, updates: int, values: Array, masses: Array | Sequence[float]
    ) -> None:
        """Go on after so many updates in all, those of the epoch so far having given `values`.

        Without any the epoch has ended, and the next one is the next.
        """
        self.forget()
        if len(masses):
            self._fetched.append(values)
            self.masses += masses
        self.epoch, self.updates = epoch, updates

    def _values(self) -> Array:
        if self._read is None:
            if not self._waiting:
                return np.full(1 + len(self.names), np.nan)
            values: Array = np.atleast_1d(self._fetch(self._waiting[-1:])[0])
        else:
            values = np.atleast_1d(self._read())
        self._read = lambda: values
        return values

    @property
    def loss(self) -> float:
        """In `Callback.step` the loss of the last update, in `Callback.epoch` that of the epoch.

        Before the first update it is nan. READING IT WAITS FOR THE DEVICE: once for an update,
        whatever number of callbacks reads it, and not at all when none does.
        """
        return float(self._values()[0])

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics by name, of what `loss` is of, and read with it."""
        return dict(zip(self.names, map(float, self._values()[1:]), strict=True))


class Callback:
    """What is called while a network trains: `ub.fit(…, callbacks=[it])`.

    Each method does nothing; a subclass has those that it wants. With none that has `step`, an
    epoch is one call of the framework's loop; with one, the epoch is cut into pieces of `every`
    updates.

    Attributes:
        every: `step` is called after each update whose number, from 1, this divides. It may be
            changed while it runs; `"epoch"`, as it is when an epoch begins, is for no such calls.

    Example::

        class Told(ub.Callback):
            def epoch(self, run):
                print(run.epoch, run.history.loss[-1])
                if run.history.loss[-1] < 1:
                    run.stop("good enough")

        x = np.linspace(-1, 1, 64, dtype="float32").reshape(64, 1)
        told = [Told()]
        history = ub.fit(
            ub.MLP(16, 1), x, x, loss="mse", optimizer="adam", epochs=9, callbacks=told
        )
        history.stopped  # 'good enough'
    """

    every: int | str = 1

    def begin(self, run: Run) -> None:
        """Before the first update; after a checkpoint was loaded, if there was one."""

    def step(self, run: Run) -> None:
        """After `every` updates, with the model in training mode."""

    def epoch(self, run: Run) -> None:
        """After an epoch and its validation."""

    def end(self, run: Run) -> None:
        """After the last epoch; also when it was stopped, but not after an error."""

    def close(self) -> None:
        """Let go of what was opened: last of all, also after an error, be it in `begin`."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint is to keep of it: numbers, strings and arrays by name."""
        return {}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
