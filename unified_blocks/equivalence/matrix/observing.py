"""What a case gives on one backend, mode by mode, and what it must give: the way to a record."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.backend.registry import use_backend
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.block import Block
from unified_blocks.equivalence.layouts import declared
from unified_blocks.equivalence.matrix.cases import CASES, Case
from unified_blocks.equivalence.matrix.records import Entry, Key, Record, source_of
from unified_blocks.equivalence.matrix.subject import Subject
from unified_blocks.equivalence.modes import MODES, Mode
from unified_blocks.equivalence.watching import watched, without_blocks
from unified_blocks.errors import UnsupportedError
from unified_blocks.files.checkpoint import load, save
from unified_blocks.files.state_files import read_state, write_state
from unified_blocks.models.initialization import initialize
from unified_blocks.models.outputs import Leaf, in_numpy, output_of, shown
from unified_blocks.models.state import load_state
from unified_blocks.reference.gradients import reference_gradients, reference_output
from unified_blocks.training.gradients import value_and_grad
from unified_blocks.training.optimizers import SGD
from unified_blocks.training.trainer import Trainer
from unified_blocks.types import Array, State
from unified_blocks.version import __version__

DTYPES = ("float64", "float32")
STEPS = 5
OPTIMIZER = SGD(0.125, momentum=0.875)
DIFFERENTIATED = 10_000
"""The most numbers of a model whose gradients are compared with the reference's, one by one."""

OTHER_IN_TRAINING = {"BatchNorm", "Dropout"}
"""Layers that compute something else in training mode than their reference says."""

AGAIN = 4
"""How often a model is called again in training mode, to see whether it draws numbers."""

REASON = 1000
"""The most characters of an error that are kept."""


def make_record(
    backend: str,
    device: str = "cpu",
    cases: Sequence[Case] = CASES,
    dtypes: Sequence[str] = DTYPES,
    modes: Sequence[Mode] = MODES,
    tell: Callable[[Key, Entry], None] = lambda key, entry: None,
    layouts: tuple[str, str] | None = None,
) -> Record:
    """What a backend gives for cases × dtypes × modes; a case that raises stops nothing.

    Args:
        tell: called after each entry.
        layouts: that of the inputs of the cases, and that of what this backend takes and gives.

    Raises:
        ValueError: when the framework does not have the device, or for other layouts.
    """
    with use_backend(backend) as framework:
        if device not in framework.devices():
            raise framework.unknown_device(device)
        found = Record(
            framework.name,
            device,
            framework.version,
            __version__,
            source_of(framework.name),
            platform.platform(),
            platform.python_version(),
            np.__version__,
            {case.name: case.digest for case in cases},
            {case.name: case.seed for case in cases},
            layouts=layouts,
        )
        laid_out = declared(layouts)
        for case in cases:
            for dtype in dtypes:
                for mode in modes:
                    key = (case.name, dtype, mode)
                    subject = Subject(case, framework, device, dtype, laid_out)
                    found.entries[key] = observed(subject, mode)
                    tell(key, found.entries[key])
    return found


def observed(subject: Subject, mode: Mode) -> Entry:
    """What the subject gives in that mode."""
    try:
        subject.check_dtype()
        entry = OBSERVERS[mode](subject)
        subject.backend.finish()  # what fails later must not fail in the next entry
        return entry
    except UnsupportedError as error:
        return Entry("unsupported", str(error)[:REASON])
    except Exception as error:  # whatever a framework or a user's block raises, it is the finding
        with suppress(Exception):  # the rest of what failed
            subject.backend.finish()
        return Entry("error", f"{type(error).__name__}: {error}"[:REASON])


def forward(subject: Subject) -> Entry:
    net, tensors = subject.made(), subject.tensors()
    numbers = subject.numbers(net)
    output, calls = watched(net, tensors)
    entry = Entry(calls=without_blocks(calls))
    put_state(entry, subject, net)
    put_output(entry, output.leaves)
    expect(entry, "output", expected_output(subject, net, numbers))
    seen, dtypes = in_numpy(subject.backend, tensors)  # the call must leave its inputs as they were
    put(entry, "input", seen, dtypes)
    expect(entry, "input", subject.arrays)
    return entry


def train(subject: Subject) -> Entry:
    net = subject.made()
    numbers = subject.numbers(net)
    output, calls = watched(net, subject.tensors(), train=True)
    check_not_random(subject, net, [leaf.array for leaf in output.leaves])
    entry = Entry(calls=without_blocks(calls))
    put_output(entry, output.leaves)
    if same_in_training(subject, net):
        expect(entry, "output", expected_output(subject, net, numbers))
    return entry


def gradient(subject: Subject) -> Entry:
    subject.check_numpy("gradients")
    net = subject.made()
    x, y = subject.batch(net, "a gradient")
    numbers = subject.numbers(net)
    _, gradients = value_and_grad(net, x, y, loss="mse", wrt="both")
    entry = Entry()
    put(entry, "gradient", gradients)
    if has_reference(subject, net, numbers):
        names = [name for name in gradients if name != "x"]
        wide = numbers_of(subject.backend, y)[0].astype(np.float64)
        expected = reference_gradients(net, numbers, subject.arrays[0], wide, names)
        expect(entry, "gradient", expected)
    return entry


def training(subject: Subject) -> Entry:
    net = subject.made()
    x, y = subject.batch(net, "training")
    outputs, _ = in_numpy(subject.backend, subject.backend.run(net, subject.tensors(), train=True))
    check_not_random(subject, net, outputs)
    net = subject.made()  # that call may have moved running statistics
    numbers = subject.numbers(net)
    trainer = Trainer(net, OPTIMIZER, "mse")
    losses = [numbers_of(subject.backend, trainer.step(x, y)) for _ in range(STEPS)]
    entry = Entry()
    curve = np.array([loss for loss, _ in losses]).reshape(STEPS)
    put(entry, "loss", [curve], [dtype for _, dtype in losses[:1]])
    put_state(entry, subject, net)
    if has_reference(subject, net, numbers) and same_in_training(subject, net):
        names = [v.name for v in subject.backend.variables(net) if v.trainable]
        wide = numbers_of(subject.backend, y)[0].astype(np.float64)
        expected, final = reference_training(net, numbers, subject.arrays[0], wide, names)
        expect(entry, "loss", [expected])
        expect(entry, "state", final)
    return entry


def compiled(subject: Subject) -> Entry:
    net, backend = subject.made(), subject.backend
    eager = output_of(backend, backend.run(net, subject.tensors()), net)
    with backend.compiled(net) as function:
        output = output_of(backend, function(*subject.tensors()), net)
    entry = Entry()
    put_output(entry, output.leaves)
    expect(entry, "output", by_place(eager.leaves))
    return entry


def saved(subject: Subject) -> Entry:
    subject.check_numpy("files")
    net, backend = subject.made(), subject.backend
    numbers = subject.numbers(net)
    before = output_of(backend, backend.run(net, subject.tensors()), net)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        if isinstance(net, Block):
            save(net, path)
            loaded = subject.placed(load(path, backend.name))
        else:  # which no file makes again
            write_state(net, path)
            loaded = subject.made()
            initialize(loaded, subject.case.seed + 1)
            load_state(loaded, read_state(path))
        found = subject.numbers(loaded)
        output = output_of(backend, backend.run(loaded, subject.tensors()), loaded)
    entry = Entry()
    put(entry, "state", found)
    expect(entry, "state", numbers)
    put_output(entry, output.leaves)
    expect(entry, "output", by_place(before.leaves))
    return entry


OBSERVERS: dict[Mode, Callable[[Subject], Entry]] = {
    "forward": forward,
    "train": train,
    "gradient": gradient,
    "training": training,
    "compiled": compiled,
    "saved": saved,
}


def put(
    entry: Entry, name: str, arrays: Sequence[Array] | State, dtypes: Sequence[str] = ()
) -> None:
    """Add arrays under a name, with their dtypes in the framework."""
    named = entry_names(name, arrays)
    entry.arrays.update(named)
    for key, dtype in zip(named, dtypes, strict=False):
        if dtype != str(named[key].dtype):
            entry.dtypes[key] = dtype


def put_output(entry: Entry, leaves: Sequence[Leaf]) -> None:
    """Add what a network gave, what is in a dict by its key."""
    put(entry, "output", by_place(leaves), [leaf.dtype for leaf in leaves])


def by_place(leaves: Sequence[Leaf]) -> list[Array] | State:
    """The arrays by their places; as a list, where these are positions alone."""
    if not any(isinstance(key, str) for leaf in leaves for key in leaf.place):
        return [leaf.array for leaf in leaves]
    return {shown(leaf.place).lstrip("."): leaf.array for leaf in leaves}


def put_state(entry: Entry, subject: Subject, net: Any) -> None:
    """Add the numbers of a network."""
    dtypes = [variable.dtype for variable in subject.backend.variables(net)]
    put(entry, "state", subject.numbers(net), dtypes)


def expect(entry: Entry, name: str, arrays: Sequence[Array] | State | None) -> None:
    """Add what the arrays under a name must be, if that is known."""
    if arrays is not None:
        entry.expected.update(entry_names(name, arrays))


def entry_names(name: str, arrays: Sequence[Array] | State) -> State:
    """The arrays by their names in an entry; one that is alone has the name itself."""
    if isinstance(arrays, Mapping):
        return {f"{name}/{key}": array for key, array in arrays.items()}
    if len(arrays) == 1:
        return {name: arrays[0]}
    return {f"{name}/{i}": array for i, array in enumerate(arrays)}


def expected_output(subject: Subject, net: Any, numbers: State) -> list[Array] | None:
    """What the reference gives, if there is one, and it takes the inputs."""
    if len(subject.arrays) != 1 or not isinstance(net, Block):
        return None
    try:
        return [reference_output(net, numbers, subject.arrays[0])]
    except UnsupportedError:
        return None


def has_reference(subject: Subject, net: Any, numbers: State) -> bool:
    """Whether the reference gives the gradients of the model, in a reasonable time."""
    size = sum(array.size for array in (*numbers.values(), *subject.arrays))
    return size <= DIFFERENTIATED and expected_output(subject, net, numbers) is not None


def same_in_training(subject: Subject, net: Any) -> bool:
    """Whether no layer of the model computes something else in training."""
    kinds = {subject.backend.kind_of(layer) for _, layer in subject.backend.layers(net)}
    return not kinds & OTHER_IN_TRAINING


def check_not_random(subject: Subject, net: Any, outputs: list[Array]) -> None:
    """Compare with the outputs of other calls in training mode.

    Raises:
        UnsupportedError: when they are others: no two frameworks draw the same.
    """
    for _ in range(AGAIN):
        run = subject.backend.run(net, subject.tensors(), train=True)
        for first, second in zip(outputs, in_numpy(subject.backend, run)[0], strict=True):
            if not np.allclose(first, second, rtol=1e-3, atol=1e-3 * np.abs(first).max(initial=0)):
                raise UnsupportedError(
                    "a model that is random in training cannot be compared there: each framework "
                    "draws by itself"
                )


def reference_training(
    net: Any, numbers: State, x: Array, y: Array, names: list[str]
) -> tuple[Array, State]:
    """The losses and the final state of `STEPS` steps of `OPTIMIZER` with the reference."""
    rounded = OPTIMIZER.rounded()
    now = {name: array.astype(np.float64) for name, array in numbers.items()}
    velocity = {name: np.zeros_like(now[name]) for name in names}
    losses = []
    for _ in range(STEPS):
        losses.append(float(np.mean((reference_output(net, now, x) - y) ** 2)))
        gradients = reference_gradients(net, now, x, y, names)
        for name in names:
            velocity[name] = rounded.momentum * velocity[name] + gradients[name]
            now[name] = now[name] - rounded.learning_rate * velocity[name]
    return np.array(losses), now
