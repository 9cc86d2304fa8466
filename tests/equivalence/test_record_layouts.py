"""Records of models that have the channels of images elsewhere."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.hand_records import record_of
from unified_blocks import ops
from unified_blocks.equivalence.matrix.cases import Case
from unified_blocks.equivalence.matrix.cells import cells
from unified_blocks.equivalence.matrix.observing import make_record
from unified_blocks.equivalence.matrix.records import read_record, write_record
from unified_blocks.equivalence.modes import MODES
from unified_blocks.errors import DifferentCasesError

MODES_OF_NUMBERS = [mode for mode in MODES if mode != "compiled"]
AXES = {"NCHW": ((0, 2, 3, 1), (0, 3, 1, 2)), "NHWC": ((0, 1, 2, 3), (0, 1, 2, 3))}


class Mixed(ub.Block):
    """Mixes the channels of each pixel."""

    def __init__(self, layout, order=(0, 1, 2, 3)):
        super().__init__()
        self.inner, self.outer = ub.Dense(6, activation="tanh"), ub.Dense(5)
        self.layout, self.order = layout, order

    def forward(self, X):
        before, after = AXES[self.layout]
        Y = self.outer(self.inner(ops.permute_dims(X, before)))
        return ops.permute_dims(ops.permute_dims(Y, self.order), after)


def record(backend, layout, layouts, modes=MODES_OF_NUMBERS, **options):
    case = Case("mixed", lambda: Mixed(layout, **options), ((2, 3, 4, 4),))
    made = make_record(backend, "cpu", [case], ["float64"], modes, layouts=layouts)
    assert {entry.status for entry in made.entries.values()} == {"done"}, made.entries
    return made


def named(made, name):
    made.backend = name
    return made


@pytest.mark.parametrize("said", [None, ("NCHW", "NCHW"), ("channels_first", "channels_first")])
def test_what_is_the_same_in_another_layout_is_the_same(backend_name, said):
    a = record(backend_name, "NCHW", said)
    words = said is None or said[0] == "NCHW"
    second = ("NCHW", "NHWC") if words else ("channels_first", "channels_last")
    b = named(record(backend_name, "NHWC", second), "other")
    for pair in ([a, b], [b, a]):
        found = cells(pair)
        assert [cell.status for cell in found] == ["ok"] * 2 * len(MODES_OF_NUMBERS)
    rows = [row for cell in found if cell.mode == "gradient" for row in cell.rows]
    moved = [row.name for row in rows if row.layout]
    assert set(moved) == {"gradient/x"}


def test_rows_and_columns_that_are_exchanged_are_a_difference(backend_name):
    a = record(backend_name, "NCHW", None, ["forward"])
    b = record(backend_name, "NHWC", ("NCHW", "NHWC"), ["forward"], order=(0, 2, 1, 3))
    found = cells([a, named(b, "other")])
    assert {cell.status for cell in found} == {"differs"}
    assert {cell.where for cell in found} == {"output"}


def test_nothing_is_moved_where_no_layout_was_said(backend_name):
    a = record(backend_name, "NCHW", None, ["forward"])
    b = record(backend_name, "NHWC", ("NCHW", "NHWC"), ["forward"])
    b.layouts = None
    assert {cell.status for cell in cells([a, named(b, "other")])} == {"differs"}


def test_inputs_in_two_layouts_are_refused(backend_name):
    a = record(backend_name, "NCHW", ("NCHW", "NCHW"), ["forward"])
    b = record(backend_name, "NHWC", ("channels_first", "channels_last"), ["forward"])
    with pytest.raises(DifferentCasesError, match=r"inputs in NCHW from .* in channels_first"):
        cells([a, named(b, "other")])


def test_layouts_and_channels_come_back_from_a_file(tmp_path):
    made = record_of()
    made.layouts = ("NCHW", "NHWC")
    calls = made.entries["A", "float64", "forward"].calls
    calls[0].channels, calls[1].channels = "first", "last"
    write_record(made, tmp_path / "a.rec.safetensors")
    read = read_record(tmp_path / "a.rec.safetensors")
    assert read.layouts == ("NCHW", "NHWC")
    found = [call.channels for call in read.entries["A", "float64", "forward"].calls]
    assert found == ["first", "last", None, None]
    assert np.array_equal(
        calls[0].inputs[0], read.entries["A", "float64", "forward"].calls[0].inputs[0]
    )
