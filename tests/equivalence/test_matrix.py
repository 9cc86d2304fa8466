"""The matrix from records, without any framework: a cell is red exactly when it is to be."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.hand_records import NAMES, record_of, three
from unified_blocks.equivalence.matrix.cases import CASES
from unified_blocks.equivalence.matrix.cells import cells
from unified_blocks.equivalence.matrix.observing import make_record
from unified_blocks.equivalence.matrix.records import Entry
from unified_blocks.equivalence.modes import MODES
from unified_blocks.errors import DifferentCasesError


def red(records):
    return [cell for cell in cells(records) if not cell.ok]


def test_backends_that_agree_have_a_cell_for_each_mode_and_dtype_and_all_are_ok():
    found = cells(three())
    assert len(found) == 3 * 2 * 2 * len(MODES)
    assert {cell.status for cell in found} == {"ok"}
    assert all(cell.share == cell.absolute == 0 for cell in found)


@pytest.mark.parametrize(("mode", "name"), [(m, name) for m in MODES for name in NAMES[m]])
def test_a_spoilt_array_turns_exactly_its_cell_red(mode, name, dtype):
    records = three()
    records[1].entries["BB", dtype, mode].arrays[name][1, 2] += 1e-2
    (cell,) = red(records)
    assert (cell.case, cell.backend, cell.dtype, cell.mode) == ("BB", "two", dtype, mode)
    assert (cell.status, cell.where) == ("differs", name)
    assert cell.share > 1
    assert cell.absolute == pytest.approx(1e-2, rel=1e-3)
    assert [row.at for row in cell.rows if not row.ok] == [(1, 2)]


SPOILERS = {
    "another shape": lambda a: a.reshape(4, 3),
    "another dtype": lambda a: a.astype("float16"),
    "not a number": lambda a: a * np.nan,
    "infinite": lambda a: a + np.inf,
}


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_an_output_of_another_kind_is_red(spoiler):
    records = three()
    arrays = records[0].entries["A", "float32", "forward"].arrays
    arrays["output"] = SPOILERS[spoiler](arrays["output"])
    (cell,) = red(records)
    assert (cell.backend, cell.where, cell.share) == ("one", "output", np.inf)


@pytest.mark.parametrize("name", ["state/a.weight", "gradient/more"])
def test_a_number_that_only_one_backend_has_is_red(name):
    records = three()
    mode = "training" if name.startswith("state") else "gradient"
    entry = records[2].entries["A", "float64", mode]
    entry.arrays[name] = np.zeros(3)
    entry.expected.pop(name, None)
    (cell,) = red(records)
    assert (cell.backend, cell.mode, cell.where) == ("three", mode, name)


def spoil_call(record, mode, at):
    """Another result of a call, and of the model."""
    entry = record.entries["A", "float64", mode]
    for array in (entry.calls[at].outputs[0], entry.calls[-1].outputs[0], entry.arrays["output"]):
        array[1, 2] += 1e-3


@pytest.mark.parametrize(
    ("mode", "at", "name"), [("forward", 0, "a"), ("forward", 2, "b#2"), ("train", 0, "a")]
)
def test_the_call_that_began_it_is_named(mode, at, name):
    records = three()
    spoil_call(records[1], mode, at)
    (cell,) = red(records)
    assert (cell.backend, cell.mode, cell.where) == ("two", mode, f"call/{name}")
    assert cell.against in ("one", "three")


def test_a_way_of_its_own_to_the_same_result_is_no_difference():
    records = three()
    calls = records[0].entries["A", "float64", "forward"].calls
    calls[0].outputs[0] += 1
    calls.pop(1)
    assert not red(records)


def test_an_activation_inside_a_layer_here_and_after_it_there_is_not_what_began_it():
    records = three()
    for record in records:
        inner, _, after, _ = record.entries["A", "float64", "forward"].calls
        after.inputs = [np.tanh(inner.outputs[0])]
    inner.outputs = after.inputs
    spoil_call(records[2], "forward", 2)
    (cell,) = red(records)
    assert cell.where == "call/b#2"


def test_the_first_array_that_differs_is_named_not_the_worst():
    records = three()
    arrays = records[0].entries["A", "float64", "training"].arrays
    arrays["loss"] += 1e-3
    arrays["state/a.weight"] += 1
    (cell,) = red(records)
    assert (cell.where, cell.against) == ("loss", "reference")
    assert cell.absolute == pytest.approx(1)


def without_expectations(records):
    for record in records:
        for entry in record.entries.values():
            entry.expected.clear()
    return records


def spoil(record):
    record.entries["A", "float64", "forward"].arrays["output"] += 1


def test_without_a_reference_the_one_that_is_alone_is_blamed():
    records = without_expectations(three())
    spoil(records[2])
    assert [cell.backend for cell in red(records)] == ["three"]


def test_without_a_reference_two_that_differ_are_both_red():
    records = without_expectations(three()[:2])
    spoil(records[0])
    assert [(cell.backend, cell.against) for cell in red(records)] == [
        ("one", "two"),
        ("two", "one"),
    ]


def test_a_mistake_that_all_backends_share_is_seen_by_the_reference():
    records = three()
    for record in records:
        spoil(record)
    assert [(cell.backend, cell.against) for cell in red(records)] == [
        (name, "reference") for name in ("one", "two", "three")
    ]


def test_two_that_are_within_tolerance_of_the_reference_and_not_of_each_other_are_red():
    records = three()[:2]
    for record, sign in zip(records, (1, -1), strict=True):
        record.entries["A", "float32", "train"].arrays["output"] += sign * 1.2e-4
    assert {(cell.backend, cell.against) for cell in red(records)} == {
        ("one", "two"),
        ("two", "one"),
    }


def test_one_that_nothing_is_compared_with_is_not_called_ok():
    found = cells(without_expectations([record_of()]))
    assert {(cell.status, cell.reason) for cell in found} == {
        ("unsupported", "there is nothing to compare with")
    }


@pytest.mark.parametrize(("status", "ok"), [("unsupported", True), ("error", False)])
def test_what_was_not_done_says_why_and_stops_nothing(status, ok):
    records = three()
    records[1].entries["A", "float64", "compiled"] = Entry(status, "no compiler")
    found = cells(records)
    (cell,) = (cell for cell in found if cell.status != "ok")
    assert (cell.backend, cell.mode, cell.status, cell.reason, cell.ok) == (
        *("two", "compiled", status, "no compiler"),
        ok,
    )


def test_bfloat16_is_compared_as_such():
    records = [record_of(name, dtypes=["float32"], modes=["forward"]) for name in ("one", "two")]
    for record in records:
        (entry, *_) = record.entries.values()
        entry = Entry(arrays={"output": entry.arrays["output"]}, dtypes={"output": "bfloat16"})
        record.entries = {("A", "bfloat16", "forward"): entry}
        record.cases = {"A": "digest"}
    records[1].entries["A", "bfloat16", "forward"].arrays["output"] += 4e-3
    assert not red(records)
    records[1].entries["A", "bfloat16", "forward"].dtypes.clear()
    assert len(red(records)) == 2


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (record_of("two", cases=["A"]), "no BB from two 1.0 on cpu"),
        (record_of("two", cases=["A", "BB", "C"]), "no C from one 1.0 on cpu"),
        (record_of("two", dtypes=["float64"]), "no forward of A in float32 from two 1.0 on cpu"),
        (record_of("two", modes=["forward"]), "no train of A in float64 from two 1.0 on cpu"),
        (record_of("one"), "two of one 1.0 on cpu"),
    ],
)
def test_records_that_cannot_be_compared_are_refused(other, problem):
    with pytest.raises(DifferentCasesError, match=problem):
        cells([record_of("one"), other])


def test_records_of_another_case_of_the_same_name_are_refused():
    other = record_of("two")
    other.cases["BB"] = "another digest"
    with pytest.raises(DifferentCasesError, match=r"another BB from one 1\.0 on cpu than from two"):
        cells([record_of("one"), other])


@pytest.mark.parametrize(
    ("about", "names"),
    [
        ({"device": "gpu:0"}, {"one cpu", "one gpu:0"}),
        ({"framework": "2.0"}, {"one 1.0", "one 2.0"}),
    ],
)
def test_records_of_one_backend_are_told_apart(about, names):
    found = cells([record_of("one"), record_of("one", **about)])
    assert {cell.backend for cell in found} == names


def test_the_matrix_of_the_installed_frameworks_is_within_tolerance():
    installed = ub.available_backends()
    if not installed:
        pytest.skip("no framework is installed")
    modes = ("forward", "train", "gradient", "saved")
    found = cells([make_record(name, dtypes=["float64"], modes=modes) for name in installed])
    assert len(found) == len(CASES) * len(installed) * len(modes)
    assert {cell.status for cell in found} == {"ok"}, [cell for cell in found if not cell.ok]
