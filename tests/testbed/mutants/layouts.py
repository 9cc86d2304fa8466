"""What the suite holds the comparison of models with channels on different axes to."""

import tempfile
from pathlib import Path

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.checks import copied, numbered
from unified_blocks import ops
from unified_blocks.equivalence.matrix.cases import Case
from unified_blocks.equivalence.matrix.cells import cells
from unified_blocks.equivalence.matrix.observing import make_record
from unified_blocks.equivalence.matrix.records import read_record, write_record

TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
NAMED = {"layouts": ("NCHW", "NHWC")}
X = normal(2, 3, 3, 3, dtype="float64")
"""Of equal sizes: only the numbers tell the axes apart."""


class First(ub.Block):
    """A network for images with the channels first."""

    def __init__(self, flat=True):
        super().__init__()
        self.norm, self.act = ub.BatchNorm(), ub.Tanh()
        self.flat, self.out = (ub.Flatten(), ub.Dense(4)) if flat else (None, None)

    def forward(self, X):
        H = self.act(self.norm(X))
        return H if self.flat is None else self.out(self.flat(H))


class Last(First):
    """The same one with the channels last, where no layer needs them first."""

    def forward(self, X):
        H = ops.permute_dims(self.norm(ops.permute_dims(X, TO_FIRST)), TO_LAST)
        H = self.act(H)
        return H if self.flat is None else self.out(self.flat(ops.permute_dims(H, TO_FIRST)))


def both(flat=True):
    with ub.use_dtype("float64"):
        a = numbered(ub.build(First(flat), X.shape))
        return a, copied(a, ub.build(Last(flat), np.moveaxis(X, 1, -1).shape))


def a_port_has_every_row_aligned(backend_name):
    found = ub.compare(*both(), X, **NAMED)
    said = {row.name: row.remark for row in found.rows if row.what == "call" and row.ok}
    assert said.get("act") == "the same, channels last", str(found)


def outputs_and_gradients_are_aligned(backend_name):
    found = ub.compare(*both(flat=False), X, mode="gradient", **NAMED)
    assert found, str(found)


def from_outside_nothing_is_moved(backend_name):
    a, b = both(flat=False)
    assert not ub.compare(a, b, X, inputs_b=2 * np.moveaxis(X, 1, -1))
    assert ub.compare(a, b, X, inputs_b=np.moveaxis(X, 1, -1))


def rows_and_columns_are_not_exchanged(backend_name):
    a, b = both(flat=False)
    found = ub.compare(a, b, X, inputs_b=X.transpose(0, 3, 2, 1), **NAMED)
    assert not found, str(found)


def a_weight_in_another_order_is_named(backend_name):
    a, _ = both()
    numbers = ub.state(a)
    weight = numbers["out.weight"]
    numbers["out.weight"] = weight.reshape(4, 3, 9).swapaxes(1, 2).reshape(4, 27).copy()
    b = ub.load_state(both()[0], numbers)
    found = ub.compare(a, b, X)
    assert (found.first_difference.name, found.cause) == ("out.weight", "flatten_order"), str(found)


def keras_says_where_it_takes_channels(backend_name):
    """A norm that gets images as the other one takes them."""
    import keras

    def made(axis):
        norm = keras.layers.BatchNormalization(axis, epsilon=1e-5, dtype="float64")
        net = keras.Sequential([norm], name=f"of_{axis % 4}")
        net(X)
        return numbered(net)

    a = made(1)
    assert ub.compare(a, copied(a, made(-1)), X, **NAMED)
    found = ub.compare(a, copied(a, made(-1)), X)
    assert found.cause == "another_layout", str(found)


def records(backend_name, modes, kinds, change=lambda record: None):
    """What the records of two models say of each other, each read from its file."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, own in zip(kinds, ("one", "two"), strict=True):
            case = Case("images", lambda kind=kind: kind(flat=False), (X.shape,))
            layouts = ("NCHW", "NHWC" if kind is Last else "NCHW")
            record = make_record(backend_name, "cpu", [case], ["float64"], modes, layouts=layouts)
            record.backend = own
            change(record)
            path = Path(folder) / f"{own}.rec.safetensors"
            write_record(record, path)
            made.append(read_record(path))
    return cells(made)


def records_are_aligned(backend_name):
    for cell in records(backend_name, ["forward", "gradient"], (First, Last)):
        assert cell.status == "ok", f"{cell.mode}: {cell.where} {cell.reason}"


def calls_of_records_are_aligned(backend_name):
    """That a norm takes the channels last is told by the layer alone."""

    def mark(record):
        if record.backend == "two":
            entry = record.entries["images", "float64", "forward"]
            entry.arrays["output"] = entry.arrays["output"] + 1
            for call in entry.calls:
                if call.path == "norm":
                    call.channels = "last"
                    call.inputs = [np.moveaxis(x, 1, -1).copy() for x in call.inputs]
                    call.outputs = [np.moveaxis(x, 1, -1).copy() for x in call.outputs]
                if not call.path:
                    call.outputs = [y + 1 for y in call.outputs]

    found = records(backend_name, ["forward"], (First, First), mark)
    rows = {row.name: row for cell in found for row in cell.rows}
    assert rows["call/norm"].remark.startswith("the same, channels"), rows
    assert not rows["output"].ok
