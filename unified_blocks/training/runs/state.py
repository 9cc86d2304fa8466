"""What a training holds: taken for a file, and put back to the last bit.

A training that goes on elsewhere computes the same numbers when the model, what the optimizer keeps
of it, the averages, the place in the order of the batches, and what the callbacks keep are the
same. What the optimizer holds is taken as it is held: Keras and MXNet hold `-lr v`, and dividing by
`-lr` would round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from unified_blocks.backend import Slot
from unified_blocks.backend.tensors import backend_of
from unified_blocks.errors import StateMismatchError, UnsupportedError
from unified_blocks.formats.stored import Stored
from unified_blocks.models.loading import (
    choose,
    load_stored,
    misfits,
    under_every_name,
    variables_to_load,
)
from unified_blocks.models.variables import shortened, stored_of
from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.data.source import Source
from unified_blocks.training.history import History
from unified_blocks.training.runs.packing import packed, unpacked
from unified_blocks.types import Array

WHAT = "fit"
"""The operation, for messages."""
ROLE = "optimizer"
"""Of all arrays that are not the model's: `ub.load_state` of a model passes over them."""
STEP = "optimizer.step"
LOSSES = "run.losses"
VERSION = 1
"""Of what is kept of a training, by which a later version of this library tells it apart."""


@dataclass
class Captured:
    """All of a training.

    Attributes:
        arrays: by name: the network's in canonical names, `optimizer.*`, `average.*`,
            `run.losses`, `callback.<i>.*`; not read yet.
        metadata: all else, for JSON.
        parts: the folder with those arrays of which each process held a part; None without.
    """

    arrays: dict[str, Stored] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    parts: str | None = None

    def add(self, stored: Stored) -> None:
        """Add an array.

        Raises:
            UnsupportedError: when the model has one of that name.
        """
        if stored.name in self.arrays:
            raise UnsupportedError(
                "Checkpoint: the names in a model must not be those of what is kept beside it; got "
                f"{stored.name} of both: give that layer another name"
            )
        self.arrays[stored.name] = stored

    def read(self, name: str) -> Array:
        """A copy of an array, which does not depend on a file."""
        return np.array(self.arrays[name].read())


def capture(
    trainer: Any, source: Source, callbacks: Sequence[Callback], history: History, run: Run
) -> Captured:
    """All of a training, as it is now. It waits for the device.

    Raises:
        UnsupportedError: for a layer of an unknown kind, a dtype that NumPy lacks, what a callback
            keeps and a file cannot, or names that clash.
    """
    values, masses = run.so_far()
    found = Captured(dict(stored_of(trainer.net, WHAT)))
    scales = {}
    for name, slot in _slots(trainer).items():
        found.add(Stored(name, slot.shape, slot.dtype, slot.held, ROLE))
        scales[name] = slot.scale
    found.add(_stored(STEP, np.array(trainer.training_step.count, "int64")))
    rows = np.reshape(np.asarray(values, "float64"), (len(masses), 1 + len(run.names)))
    found.add(_stored(LOSSES, np.column_stack([rows, np.asarray(masses, "float64")])))
    states, arrays = [], dict[str, Array]()
    for i, callback in enumerate(callbacks):
        if state := callback.state():
            kept = packed(state, f"callback.{i}", arrays)
            states.append({"class": type(callback).__qualname__, "state": kept})
    for name, array in arrays.items():
        found.add(_stored(name, array))
    found.metadata = {
        "version": VERSION,
        "epoch": run.epoch,
        "updates": run.updates,
        "update_in_epoch": len(masses),
        "order": source.state(),
        "settings": settings_of(trainer, source, run),
        "learning_rate": trainer.learning_rate,
        "scales": scales,
        "history": asdict(history),
        "callbacks": states,
    }
    return found


def restore(
    captured: Captured,
    trainer: Any,
    source: Source,
    callbacks: Sequence[Callback],
    history: History,
    run: Run,
) -> None:
    """Put it back.

    Raises:
        StateMismatchError: when it is of another training, with all in which it differs; nothing
            is changed then.
        FileFormatError: when the file turns out to be damaged; nothing is changed then.
    """
    kept = captured.metadata
    loads, left = _matched(kept["callbacks"], callbacks)
    own = {name: stored for name, stored in captured.arrays.items() if stored.role != ROLE}
    problems = [
        *_unlike(kept["settings"], settings_of(trainer, source, run)),
        *_misfits(trainer.net, own),
        *_misfits_of_slots(captured, _slots(trainer)),
        *(f"what a {name} keeps, and no such callback" for name in left),
    ]
    if problems:
        raise StateMismatchError(
            "fit: a training must go on as it began, and nothing was loaded; in the checkpoint is "
            f"{shortened(problems)}: give another folder to begin anew"
        )
    for stored in captured.arrays.values():
        if stored.verify is not None:
            stored.verify()
    step = trainer.training_step
    group = step.options.group
    in_parts = captured.parts is not None and group is not None and group.sharded
    if not in_parts:
        load_stored(trainer.net, own, WHAT)
    # The rate that was in force, unless another one than at the beginning is asked for now.
    if trainer.learning_rate == kept["given_rate"] != kept["learning_rate"]:
        trainer.learning_rate = kept["learning_rate"]
    step.restart_at(int(captured.read(STEP)))
    loaded: frozenset[str] = frozenset()
    if in_parts:
        loaded = step.read_parts(captured.parts)
        _load_others(trainer.net, own, loaded)
    for name, slot in _slots(trainer).items():
        if name in loaded:
            continue
        array, scale = captured.read(name), kept["scales"][name]
        if slot.scale == scale:
            slot.hold(array)
        else:
            slot.write(array / scale)
    losses = captured.read(LOSSES)
    values, masses = losses[:, :-1], losses[:, -1].tolist()
    run.go_on(kept["epoch"], kept["updates"], values if run.names else values[:, 0], masses)
    source.load(kept["order"])
    if kept["order"] and not masses:  # that of the epoch that has ended: the next one is wanted
        source.begin(run.epoch)
    for each in fields(history):
        setattr(history, each.name, kept["history"][each.name])
    for callback, state in loads:
        callback.load(unpacked(state, captured.read))


def settings_of(trainer: Any, source: Source, run: Run) -> dict[str, Any]:
    """What must be the same when a training goes on."""
    optimizer = asdict(trainer.optimizer)
    del optimizer["learning_rate"]
    return {
        "optimizer": type(trainer.optimizer).__name__,
        **optimizer,
        "loss": getattr(trainer.loss, "__qualname__", str(trainer.loss)),
        "metrics": list(run.names),
        "samples": source.samples,
        "batch_size": getattr(source, "batch_size", None),
        "accumulate": trainer.training_step.options.accumulate,
        "seed": run.seed,
        "average": trainer.training_step.options.average,
        "frozen": frozen_of(trainer.net),
    }


def frozen_of(net: Any) -> list[str]:
    """The names of the parameters that are not trained."""
    variables = backend_of(net).variables(net)
    return [v.name for v in variables if v.role == "parameter" and not v.trainable]


def _slots(trainer: Any) -> dict[str, Slot]:
    """What the optimizer keeps, and the averages, by their names in a file."""
    step = trainer.training_step
    kept = {"optimizer": step.slots(), "average": step.averages()}
    return {f"{kind}.{slot.name}": slot for kind, slots in kept.items() for slot in slots}


def _stored(name: str, array: Array) -> Stored:
    return Stored(name, array.shape, str(array.dtype), lambda: array, ROLE)


def _unlike(kept: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The settings that differ, in words."""
    for name in {**kept, **now}:
        if kept.get(name) != now.get(name):
            yield f"{name} {kept.get(name)}, not {now.get(name)}"


def _misfits(net: Any, tensors: Mapping[str, Stored]) -> list[str]:
    """What of the model does not fit, in words."""
    backend, variables = backend_of(net), variables_to_load(net, WHAT)
    chosen, problems = choose(variables, under_every_name(tensors))
    for v, stored in chosen:
        problems += misfits(v, stored, backend)
        if stored.dtype != v.dtype:
            problems.append(f"{v.name} of dtype {stored.dtype}, not {v.dtype}")
    return problems


def _load_others(net: Any, tensors: Mapping[str, Stored], loaded: frozenset[str]) -> None:
    """Replace those numbers of a model that were not read in parts."""
    chosen, _ = choose(variables_to_load(net, WHAT), under_every_name(tensors))
    for v, stored in chosen:
        if v.name not in loaded:
            v.write(stored.read())


def _misfits_of_slots(captured: Captured, slots: Mapping[str, Slot]) -> Iterator[str]:
    """What of the optimizer and of the averages does not fit, in words."""
    kept = {
        name: stored
        for name, stored in captured.arrays.items()
        if name in captured.metadata["scales"]
    }
    for name, slot in slots.items():
        if name not in kept:
            yield f"no {name}"
        elif (kept[name].shape, kept[name].dtype) != (slot.shape, slot.dtype):
            yield f"{name} of shape {kept[name].shape} and dtype {kept[name].dtype}"
    yield from (f"an unknown {name}" for name in kept if name not in slots)


def _matched(
    states: Sequence[Mapping[str, Any]], callbacks: Sequence[Callback]
) -> tuple[list[tuple[Callback, Any]], list[str]]:
    """Each callback that is to load a state, found by its class; and the classes of which there
    is none.
    """
    waiting, loads, left = list(callbacks), [], []
    for state in states:
        found = [c for c in waiting if type(c).__qualname__ == state["class"]]
        if found:
            waiting.remove(found[0])
            loads.append((found[0], state["state"]))
        else:
            left.append(state["class"])
    return loads, left
