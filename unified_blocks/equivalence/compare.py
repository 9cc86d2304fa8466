"""`compare`: whether two models are the same, and if not, where they part and why."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.backend import Backend, Loss, Variable
from unified_blocks.checkpoint import load, save
from unified_blocks.equivalence.alignment import Fault, Pair, after, align, first_fault, rows_of
from unified_blocks.equivalence.causes import Evidence, explain
from unified_blocks.equivalence.comparison import Comparison, FirstDifference
from unified_blocks.equivalence.policy import TOLERANCES, Kind
from unified_blocks.equivalence.recording import WHOLE, Call, in_numpy, record
from unified_blocks.equivalence.rows import Row, compared
from unified_blocks.errors import UnsupportedError
from unified_blocks.gradients import value_and_grad
from unified_blocks.tensors import backend_of, to_numpy
from unified_blocks.training.optimizers import SGD, Optimizer
from unified_blocks.training.trainer import Trainer
from unified_blocks.transfers import Rename
from unified_blocks.types import Array, State
from unified_blocks.variables import built_variables, device_of_variables

MODES = ("forward", "train", "gradient", "training", "compiled", "saved")


def compare(
    a: Any,
    b: Any,
    inputs: Any,
    *,
    mode: str = "forward",
    targets: Any = None,
    loss: Loss | None = None,
    steps: int = 5,
    optimizer: Optimizer | None = None,
    rename: Rename | None = None,
) -> Comparison:
    """Find the first place where two models part, and if it is known, why.

    Of any two frameworks, made by this library or not. Parameters are compared first, then every
    call of every block inside, in execution order, by canonical name; a block used twice has the
    calls `dense#1` and `dense#2`. The numbers and the mode of both models stay as they are.

    Args:
        a: the model that is right.
        b: the model that is compared with it. It may be the same object, where `mode` says what is
            done to it.
        inputs: NumPy arrays or tensors; a tuple for a model of several inputs. Floating-point ones
            get the dtype of each model.
        mode: `"forward"`, in inference; `"train"`, one pass in training mode, after which running
            statistics are compared too; `"gradient"`, also every parameter's gradient and the
            input's; `"training"`, also the losses and the numbers of `steps` steps of training;
            `"compiled"`, `b` as its framework's graph (`torch.compile`, `tf.function`,
            `hybridize`); `"saved"`, `b` saved by `ub.save` and loaded anew.
        targets: for the loss; of `"gradient"` and `"training"`.
        loss: as `value_and_grad` takes it; left out, `"mse"` when there are targets, else the sum
            of the output times fixed random numbers, which no gradient escapes.
        steps: of training.
        optimizer: left out, `ub.SGD(0.125, momentum=0.875)`.
        rename: `{name in a: name in b}` where they differ, of an array or of all below a path, or
            a function of a name in `a`: as `ub.transfer(a, b)` takes it.

    Returns:
        A `Comparison`: print it, ask `.ok`, `.first_difference`, or `.raise_if_different()`.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        UnsupportedError: for what a framework cannot do: gradients of several inputs, a graph of a
            model that has none, a file of a model that this library did not make.
        ValueError: for another mode.

    Example::

        print(ub.compare(gluon_net, torch_net, x))
    """
    if mode not in MODES:
        raise ValueError(f"compare: mode must be one of {', '.join(MODES)}; got mode={mode!r}")
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    arrays = [np.asarray(to_numpy(x, copy=True)) for x in given]
    if mode == "saved":
        with _saved(b) as loaded:
            return _Comparing(a, loaded, arrays, mode, rename).forward()
    comparing = _Comparing(a, b, arrays, mode, rename)
    if mode in ("forward", "train"):
        return comparing.forward()
    if mode == "compiled":
        return comparing.compiled()
    wanted = None if targets is None else np.asarray(to_numpy(targets, copy=True))
    return comparing.learning(wanted, loss, steps, optimizer or SGD(0.125, momentum=0.875))


def assert_equivalent(a: Any, b: Any, inputs: Any, **options: Any) -> None:
    """Raise unless two models are equivalent; for tests.

    Args:
        a, b, inputs, options: as `compare` takes them.

    Raises:
        NotEquivalentError: (an `AssertionError`) with the table of all that was compared.
    """
    compare(a, b, inputs, **options).raise_if_different()


def _renaming(rename: Rename | None, names: Sequence[str]) -> Callable[[str], str]:
    """A function that gives a path or name of `b` its name in `a`, of which these are `names`."""
    if rename is None:
        return lambda name: name
    # As of a transfer from `a` to `b`: what is renamed are names in `a`.
    if isinstance(rename, Mapping):
        back = {new: old for old, new in rename.items()}
    else:
        back = {new: old for old in names if (new := rename(old)) is not None}
    for new, old in list(back.items()):
        while new and old.rpartition(".")[2] == new.rpartition(".")[2]:  # of a layer's array
            new, old = new.rpartition(".")[0], old.rpartition(".")[0]
            if new and old:
                back.setdefault(new, old)

    def renamed(name: str) -> str:
        below = [new for new in back if name == new or name.startswith(f"{new}.")]
        longest = max(below, key=len, default=None)
        return name if longest is None else back[longest] + name[len(longest) :]

    return renamed


@contextmanager
def _saved(net: Any) -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        save(net, path)
        yield load(path, backend_of(net).name)


@dataclass
class _Model:
    """One of the two, with what is asked of it again and again."""

    net: Any

    def __post_init__(self) -> None:
        self.backend: Backend = backend_of(self.net)
        self.variables = built_variables(self.net, "compare")
        self.device = device_of_variables(self.variables)
        floats = (v.dtype for v in self.variables if v.dtype in TOLERANCES)
        self.dtype = next(floats, None)
        self.runs: list[Call] = []

    @property
    def title(self) -> str:
        return f"{type(self.net).__name__} on {self.backend.title}"

    def tensors(self, arrays: Sequence[Array]) -> list[Any]:
        """The inputs as tensors of this framework, floats in the dtype of the model."""
        return [
            self.backend.narrowed(array, self.dtype, self.device)
            if array.dtype.kind == "f" and self.dtype
            else self.backend.from_numpy(np.asarray(array, order="C"), self.device)
            for array in arrays
        ]

    def names(self) -> list[str]:
        return [name for v in self.variables for name in (v.name, *v.aliases)]

    def numbers(self) -> dict[str, Array]:
        return {name: v.read() for v in self.variables for name in (v.name, *v.aliases)}

    def restore(self, numbers: Mapping[str, Array]) -> None:
        for v in self.variables:
            v.write(numbers[v.name])


class _Comparing:
    """The steps of a comparison; each stops at the first difference."""

    def __init__(
        self,
        a: Any,
        b: Any,
        arrays: Sequence[Array],
        mode: str,
        rename: Rename | None,
    ) -> None:
        self.a, self.b, self.arrays, self.mode = _Model(a), _Model(b), arrays, mode
        paths = [path for path, _ in self.a.backend.layers(a)]
        self.rename = _renaming(rename, [*self.a.names(), *paths])
        self.train = mode == "train"
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self.first: FirstDifference | None = None
        self.pairs: list[Pair] = []
        self.numbers = self.a.numbers()

    def result(self) -> Comparison:
        title = self.mode if self.mode != "forward" else "in inference"
        return Comparison(
            self.a.title, self.b.title, title, tuple(self.rows), self.first, tuple(self.notes)
        )

    def differs(
        self, name: str, what: str, row: Row, evidence: Evidence, after: str | None = None
    ) -> None:
        if self.first is None:
            self.first = FirstDifference(name, what, row, explain(evidence), after)

    # parameters

    def parameters(self) -> bool:
        """Every number that the models hold; whether they are alike enough to be run."""
        kind: Kind = "copied" if self.mode == "saved" else "summed"
        mine, theirs = (
            _by_name(m.variables, to) for m, to in ((self.a, str), (self.b, self.rename))
        )
        place = next((v.device for v in self.b.variables if v.role == "parameter"), None)
        alike = True
        for name in dict.fromkeys([*mine, *theirs]):
            (a, names_a), (b, names_b) = mine.get(name, ABSENT), theirs.get(name, ABSENT)
            if name != min(names_a | names_b) and names_a == names_b:
                continue  # shared alike, and compared under another name
            held = a or b
            if held is None or (None in (a, b) and held.optional):
                continue
            moved = b is None or place is None or b.device == place
            # On PyTorch's device without numbers, "meta", there is nothing to read.
            arrays = [None if v is None or not moved else v.read() for v in (a, b)]
            dtypes = (a.dtype if a else None, b.dtype if b else None)
            row = compared(name, "parameter", arrays[0], arrays[1], kind, dtypes)
            self.rows.append(row)
            alike &= row.shapes[0] == row.shapes[1] and moved
            evidence = Evidence(
                "parameter",
                name,
                (self.a if a else self.b).backend.kind_of(held.owner),
                arrays[0],
                arrays[1],
                names=(names_a, names_b),
                roles=(a.role if a else None, b.role if b else None),
                moved=moved,
                mode=self.mode,
            )
            free = any(v is not None and v.optional for v in (a, b))
            if not row.ok or (evidence.is_held_otherwise and not free):
                self.differs(name, "parameter", row, evidence)
        if not alike:
            self.notes.append("parameters only: the models do not hold the same ones in one place")
        return alike

    # calls

    def forward(self) -> Comparison:
        """Parameters, every call, the output; in `"train"`, the running statistics after it."""
        if self.parameters():
            self.calls()
        if self.mode == "train" and self.first is None:
            self.statistics()
        return self.result()

    def calls(self) -> None:
        outputs = []
        for model in (self.a, self.b):
            with _unchanged(model, self.train):
                arrays, dtypes, model.runs = record(
                    model.net, model.tensors(self.arrays), self.train
                )
            outputs.append((arrays, dtypes))
            if model.dtype is None:  # it has no numbers of its own
                model.dtype = next((name for name in dtypes if name in TOLERANCES), None)
            if len(model.runs) <= 1 < len(list(model.backend.layers(model.net))):
                self.notes.append(
                    f"outputs only of {model.title}: it runs as one graph, which tells of no call "
                    "inside"
                )
        self.pairs = align(self.a.runs, self.b.runs, self.rename)
        for pair in self.pairs:
            if pair.left_out is None:
                self.rows += pair.outputs
            else:
                self.notes.append(f"{pair.name} is not compared: {pair.left_out}")
        (found, found_types), (wanted, wanted_types) = outputs
        rows = rows_of("output", "output", found, wanted, (found_types, wanted_types))
        self.rows += rows
        fault = first_fault(self.pairs, self.a.runs, self.b.runs)
        if fault is not None:
            self.differs(fault.name, "call", fault.row, self.evidence_of(fault), fault.after)
        for pair in self.pairs:
            if pair.b.changed and not pair.a.changed:
                evidence = Evidence("call", pair.name, changed=True)
                self.differs(pair.name, "call", pair.outputs[0], evidence)
        for i, row in enumerate(rows):
            if not row.ok:
                a, b = (each[i] if i < len(each) else None for each in (found, wanted))
                self.differs(WHOLE, "output", row, Evidence("call", WHOLE, a=a, b=b))

    def evidence_of(self, fault: Fault) -> Evidence:
        pair = fault.pair
        if pair is None:
            return Evidence("call", fault.name, only_in=fault.only_in)
        start = f"{pair.a.path}." if pair.a.path else ""
        numbers = {
            name.removeprefix(start): array
            for name, array in self.numbers.items()
            if name.startswith(start) and "." not in name.removeprefix(start)
        }
        return Evidence(
            "call",
            fault.name,
            pair.a.kind,
            fault.a,
            fault.b,
            fault.x,
            numbers,
            self.train,
            pair.b.changed and not pair.a.changed,
            later=(after(pair.a, self.a.runs), after(pair.b, self.b.runs)),
            dtype=fault.dtype,
            mode=self.mode,
        )

    def statistics(self) -> None:
        """What a pass in training mode makes of the running statistics."""
        constants = [v.name for v in self.a.variables if v.role == "constant" and not v.optional]
        if not constants:
            return
        after = []
        for model in (self.a, self.b):
            with _unchanged(model, True):  # MXNet moves them in the backward pass
                value_and_grad(
                    model.net,
                    self._only_input(model),
                    loss=_weighted,
                    train=True,
                    y=self._weights(model),
                )
                after.append(model.numbers())
        taken = {pair.a.path: pair.a.inputs for pair in self.pairs}
        for name in constants:
            other = {self.rename(n): array for n, array in after[1].items()}
            if name not in other:
                continue
            row = compared(name, "statistic", after[0][name], other[name])  # type: ignore[arg-type]
            self.rows.append(row)
            if not row.ok:
                path = name.rpartition(".")[0]
                inputs = taken.get(path, [])
                evidence = Evidence(
                    "statistic",
                    name,
                    a=after[0][name],
                    b=other[name],
                    x=inputs[0] if len(inputs) == 1 else None,
                    before=self.numbers[name],
                )
                self.differs(name, "statistic", row, evidence)

    # compiled

    def compiled(self) -> Comparison:
        """The output of `b` as a graph against that of `a`."""
        if not self.parameters():
            return self.result()
        self.notes.append(f"outputs only of {self.b.title}: it runs as one graph")
        wanted, types, _ = record(self.a.net, self.a.tensors(self.arrays))
        with self.b.backend.compiled(self.b.net) as function:
            found, found_types = in_numpy(self.b.backend, function(*self.b.tensors(self.arrays)))
        rows = rows_of("output", "output", wanted, found, (types, found_types))
        self.rows += rows
        for i, row in enumerate(rows):
            if not row.ok:
                a, b = (each[i] if i < len(each) else None for each in (wanted, found))
                self.differs(
                    WHOLE, "output", row, Evidence("call", WHOLE, a=a, b=b, mode=self.mode)
                )
        return self.result()

    # learning

    def learning(
        self, targets: Array | None, loss: Loss | None, steps: int, optimizer: Optimizer
    ) -> Comparison:
        """Gradients, and in `"training"` the path that training takes."""
        if self.parameters():
            self.calls()
        if self.first is None:
            self.gradients(targets, loss)
        if self.first is None and self.mode == "training":
            self.training(targets, loss, steps, optimizer)
        return self.result()

    def _chosen(self, model: _Model, targets: Array | None, loss: Loss | None) -> tuple[Any, Loss]:
        if targets is not None:
            if targets.dtype.kind == "f" and model.dtype:
                return model.backend.narrowed(targets, model.dtype, model.device), loss or "mse"
            return targets, loss or "mse"
        if loss is not None:
            return None, loss
        return self._weights(model), _weighted

    def _weights(self, model: _Model) -> Any:
        """Fixed random numbers, as many as the output has."""
        whole = next(call for call in self.a.runs if not call.path)
        if len(whole.outputs) != 1:
            raise UnsupportedError(
                f"compare: gradients are taken of one output; got {len(whole.outputs)} of "
                f"{self.a.title}: give a loss that makes one number of them"
            )
        generator = np.random.default_rng(0)
        weights = generator.normal(size=whole.outputs[0].shape)
        return model.backend.narrowed(np.asarray(weights), model.dtype, model.device)

    def _only_input(self, model: _Model) -> Any:
        if len(self.arrays) != 1:
            raise UnsupportedError(
                "compare: gradients are taken of models of one input; got "
                f"{len(self.arrays)}: compare with mode='forward'"
            )
        return model.tensors(self.arrays)[0]

    def gradients(self, targets: Array | None, loss: Loss | None) -> None:
        """Every parameter's gradient, and the input's, in inference mode.

        In the order of the backward pass: the first that departs is nearest to the output.
        """
        found: list[State] = []
        values = []
        whole_numbers = self.arrays[0].dtype.kind != "f"
        for model in (self.a, self.b):
            y, chosen = self._chosen(model, targets, loss)
            value, gradients = value_and_grad(
                model.net,
                self._only_input(model),
                y,
                loss=chosen,
                wrt="parameters" if whole_numbers else "both",
            )
            values.append(np.asarray(value, model.dtype))
            found.append(gradients)
        theirs = {self.rename(name): array for name, array in found[1].items()}
        outputs = next(call.outputs for call in self.a.runs if not call.path)
        counts = [n for array in outputs for n in (array.size, *array.shape[:1])]
        row = compared("loss", "loss", values[0], values[1])
        self.rows.append(row)
        if not row.ok:
            evidence = Evidence("loss", "loss", a=values[0], b=values[1], counts=counts)
            self.differs("loss", "loss", row, evidence)
        rows = []
        names = dict.fromkeys(name for name in (*found[0], *theirs) if name != "x")
        for name in [*reversed(names), *([] if whole_numbers else ["x"])]:
            x, y = found[0].get(name), theirs.get(name)
            row = compared(name, "gradient", x, y)
            rows.append(row)
            if not row.ok:
                evidence = Evidence("gradient", name, a=x, b=y, counts=counts)
                self.differs(name, "gradient", row, evidence)
        self.rows += rows

    def training(
        self, targets: Array | None, loss: Loss | None, steps: int, optimizer: Optimizer
    ) -> None:
        """The loss of each step, and every number after the last."""
        curves, after = [], []
        for model in (self.a, self.b):
            y, chosen = self._chosen(model, targets, loss)
            with _unchanged(model, True):
                trainer = Trainer(model.net, optimizer, chosen)
                x = self._only_input(model)
                curves.append([to_numpy(trainer.step(x, y), copy=True) for _ in range(steps)])
                after.append(model.numbers())
        for i, (x, y) in enumerate(zip(*curves, strict=True)):
            row = compared(f"step {i + 1}", "loss", x, y, "trained")
            self.rows.append(row)
            if not row.ok:
                self.differs(f"step {i + 1}", "loss", row, Evidence("loss", "loss", a=x, b=y))
        theirs = {self.rename(name): array for name, array in after[1].items()}
        for v in self.a.variables:
            if v.optional or v.name not in theirs:
                continue
            what = "statistic" if v.role == "constant" else "parameter"
            a, b = after[0][v.name], theirs[v.name]
            row = compared(f"{v.name}, trained", what, a, b, "trained")  # type: ignore[arg-type]
            self.rows.append(row)
            if not row.ok:
                evidence = Evidence(what, v.name, a=a, b=b, before=self.numbers[v.name])
                self.differs(f"{v.name}, trained", what, row, evidence)


def _weighted(output: Any, weights: Any) -> Any:
    return ops.sum(output * weights)


ABSENT: tuple[Variable | None, frozenset[str]] = (None, frozenset())


def _by_name(
    variables: Sequence[Variable], rename: Callable[[str], str]
) -> dict[str, tuple[Variable | None, frozenset[str]]]:
    """The variables under each of their names, with all names of each."""
    found: dict[str, tuple[Variable | None, frozenset[str]]] = {}
    for v in variables:
        names = [rename(name) for name in (v.name, *v.aliases)]
        found.update(dict.fromkeys(names, (v, frozenset(names))))
    return found


@contextmanager
def _unchanged(model: _Model, trains: bool) -> Iterator[None]:
    """Give the model its numbers back afterwards, if what is done inside changes them."""
    before = model.numbers() if trains else None
    try:
        yield
    finally:
        if before is not None:
            model.restore(before)
