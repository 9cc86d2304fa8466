"""Records: what is in them, what a backend puts there, and files of them."""

import importlib
import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed import lab_models
from testbed.hand_records import record_of
from unified_blocks.equivalence.matrix import observing, records
from unified_blocks.equivalence.matrix.cases import ALL_CASES, CASES, Case
from unified_blocks.equivalence.matrix.cells import cells
from unified_blocks.equivalence.matrix.observing import make_record
from unified_blocks.equivalence.matrix.records import Entry, read_record, source_of, write_record
from unified_blocks.equivalence.modes import MODES
from unified_blocks.formats import safetensors

BY_NAME = {case.name: case for case in ALL_CASES}
SMALL = Case("small", lambda: ub.Dense(3, activation="tanh"), (2, 4), (2, 3))


def statuses(record):
    return {mode: entry.status for (_, _, mode), entry in record.entries.items()}


def one(backend, mode, case=SMALL, dtype="float64"):
    """The only entry, and its cell, of a record of that mode."""
    record = make_record(backend, "cpu", [case], [dtype], [mode])
    (entry,), (cell,) = record.entries.values(), cells([record])
    return entry, cell


# files


def test_a_record_comes_back_from_its_file_as_it_was(tmp_path):
    record = record_of()
    record.entries["A", "float64", "forward"].arrays["output"] = np.array(2.5)  # without axes
    record.entries["A", "float32", "forward"].dtypes = {"output": "bfloat16"}
    record.entries["A", "float32", "saved"] = Entry("unsupported", "because")
    write_record(record, tmp_path / "a.rec.safetensors")
    found = read_record(tmp_path / "a.rec.safetensors")
    assert (found.cases, list(found.entries)) == (record.cases, list(record.entries))
    assert found.seeds == record.seeds
    for name in records.TEXTS:
        assert getattr(found, name) == getattr(record, name)
    for key, entry in record.entries.items():
        read = found.entries[key]
        about = (entry.status, entry.reason, entry.dtypes)
        assert (read.status, read.reason, read.dtypes) == about
        for arrays, expected in ((read.arrays, entry.arrays), (read.expected, entry.expected)):
            assert list(arrays) == list(expected)
            for name, array in expected.items():
                assert arrays[name].dtype == array.dtype
                np.testing.assert_array_equal(arrays[name], array)
        for call, other in zip(read.calls, entry.calls, strict=True):
            fields = [{**vars(c), "inputs": 0, "outputs": 0} for c in (call, other)]
            assert fields[0] == fields[1]
            np.testing.assert_array_equal(call.inputs + call.outputs, other.inputs + other.outputs)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9, 0.999])
def test_a_damaged_record_is_refused(tmp_path, place):
    path = tmp_path / "a.rec.safetensors"
    write_record(record_of(), path)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(ub.FileFormatError, match=r"SHA-256|damaged"):
        read_record(path)


def test_a_record_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "a.rec.safetensors"
    write_record(record_of(), path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ub.FileFormatError):
        read_record(path)


@pytest.mark.parametrize("name", ["a.safetensors", "a.pt", "a.params"])
def test_a_file_of_another_kind_is_refused(tmp_path, name):
    ub.write_state({"a.weight": np.zeros((2, 3), "float32")}, tmp_path / name)
    with pytest.raises(ub.FileFormatError, match="that `unified-blocks record` wrote; got a"):
        read_record(tmp_path / name)


LIES = {
    "no texts": lambda r: r.update(backend=5),
    "no cases": lambda r: r.update(cases=["A"]),
    "no digests": lambda r: r.update(cases={"A": 1, "BB": 2}),
    "no seeds": lambda r: r.pop("seeds"),
    "another seed": lambda r: r.update(seeds={"A": "x", "BB": 1}),
    "no entries": lambda r: r.pop("entries"),
    "a number of entries": lambda r: r.update(entries=5),
    "fewer entries": lambda r: r["entries"].pop(),
    "another mode": lambda r: r["entries"][0].update(key=["A", "float64", "sideways"]),
    "another dtype": lambda r: r["entries"][0].update(key=["A", "int8", "forward"]),
    "another case": lambda r: r["entries"][0].update(key=["C", "float64", "forward"]),
    "half a key": lambda r: r["entries"][0].update(key=["A"]),
    "another status": lambda r: r["entries"][0].update(status="fine"),
    "done in error": lambda r: r["entries"][0].update(status="error"),
    "a reason that is none": lambda r: r["entries"][0].update(reason=None),
    "dtypes of others": lambda r: r["entries"][0].update(dtypes={"nothing": "bfloat16"}),
    "another dtype than NumPy lacks": lambda r: r["entries"][0].update(dtypes={"output": "int4"}),
    "fewer calls": lambda r: r["entries"][0]["calls"].pop(),
    "more calls": lambda r: r["entries"][0]["calls"].append(r["entries"][0]["calls"][0]),
    "a call without a name": lambda r: r["entries"][0]["calls"][0].pop("name"),
    "a call with another number of outputs": lambda r: r["entries"][0]["calls"][0].update(
        dtypes=[]
    ),
    "channels that are nowhere": lambda r: r["entries"][0]["calls"][0].update(channels="middle"),
    "one layout": lambda r: r.update(layouts=["NCHW"]),
    "layouts of other axes": lambda r: r.update(layouts=["NCHW", "NWC"]),
    "layouts that are none": lambda r: r.update(layouts=[1, 2]),
    "a later version": lambda r: r.update(version=3),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_record_that_contradicts_itself_is_refused(tmp_path, monkeypatch, lie):
    honest = safetensors.write

    def write(path, tensors, metadata):
        content = json.loads(json.dumps(metadata))
        LIES[lie](content["record"])
        honest(path, tensors, content)

    monkeypatch.setattr(safetensors, "write", write)
    write_record(record_of(), tmp_path / "a.rec.safetensors")
    with pytest.raises(ub.FileFormatError, match=r"a record must|version of a record must be 2"):
        read_record(tmp_path / "a.rec.safetensors")


def test_what_is_expected_of_nothing_is_refused(tmp_path):
    record = record_of()
    record.entries["A", "float64", "forward"].expected["more"] = np.zeros(3)
    write_record(record, tmp_path / "a.rec.safetensors")
    with pytest.raises(ub.FileFormatError, match="an entry lacks an array that it names"):
        read_record(tmp_path / "a.rec.safetensors")


# cases and code


@pytest.mark.parametrize(
    "other",
    [
        Case("tiny", SMALL.make, (2, 4), (2, 3)),
        Case("small", SMALL.make, (2, 5), (2, 3)),
        Case("small", SMALL.make, (2, 4), (2, 4)),
        Case("small", SMALL.make, (2, 4), (2, 3), {"weight": (3, 4)}),
        Case("small", SMALL.make, (2, 4), (2, 3), seed=2),
    ],
)
def test_another_case_has_another_digest(other):
    assert other.digest != SMALL.digest


def test_the_digests_are_those_of_every_platform():
    assert SMALL.digest == "e8e7f95b567c08319931eaa59f4178e8ffd4e744fa76d11a184f67b685dfa537"
    assert len({case.digest for case in ALL_CASES}) == len(ALL_CASES)


def test_a_change_of_code_changes_its_hash(monkeypatch, tmp_path):
    class Entry:
        module = "adapter_for_a_hash.backend"

    (tmp_path / "adapter_for_a_hash").mkdir()
    code = tmp_path / "adapter_for_a_hash" / "__init__.py"
    code.write_text("raise ImportError('nobody is to import this')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(records, "registered_backends", lambda: {"x": Entry})
    importlib.invalidate_caches()
    before = source_of("x")
    assert source_of("x") == before
    code.write_text("# changed")
    assert source_of("x") != before
    assert source_of("nothing") == ""


# what a backend gives


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # PyTorch's own, in Inductor
def test_every_mode_is_recorded_and_agrees_with_the_reference(backend_name):
    record = make_record(backend_name, "cpu", [SMALL], ["float64"])
    assert [entry.reason for entry in record.entries.values() if entry.reason] == []
    assert [cell.status for cell in cells([record])] == ["ok"] * len(MODES)
    names = {mode: list(entry.arrays) for (_, _, mode), entry in record.entries.items()}
    assert names["forward"] == ["state/weight", "state/bias", "output", "input"]
    assert names["gradient"] == ["gradient/weight", "gradient/bias", "gradient/x"]
    assert names["training"] == ["loss", "state/weight", "state/bias"]
    for key, entry in record.entries.items():
        unknown = entry.arrays.keys() - entry.expected.keys()
        assert unknown == ({"state/weight", "state/bias"} if key[2] == "forward" else set())


def test_the_calls_inside_are_recorded_in_their_order(backend_name):
    class Twice(ub.Block):
        def __init__(self):
            super().__init__()
            self.first, self.again = ub.Dense(4), ub.Dense(4)

        def forward(self, X):
            return self.again(self.first(self.again(X)))

    entry, _ = one(backend_name, "forward", Case("twice", Twice, (2, 4)))
    names = [call.name for call in entry.calls if call.depth == 1]
    assert names == ["again#1", "first", "again#2"]
    assert [call.path for call in entry.calls][-1] == ""


def test_statistics_of_a_batch_agree_across_backends():
    installed = ub.available_backends()
    if len(installed) < 2:
        pytest.skip("fewer than two frameworks are installed")
    modes = ("forward", "train", "training", "saved")
    cases = [BY_NAME["norms"]]
    made = [make_record(name, "cpu", cases, ["float64"], modes) for name in installed]
    found = cells(made)
    assert {cell.status for cell in found} == {"ok"}, [cell for cell in found if not cell.ok]
    final = made[0].entries["norms", "float64", "training"].arrays
    assert np.abs(final["state/1.running_mean"]).max() > 0.01


@pytest.mark.parametrize("mode", ["train", "training"])
def test_what_is_random_in_training_is_not_compared_there(backend_name, mode):
    entry, _ = one(backend_name, mode, BY_NAME["parallel"])
    assert entry.status == "unsupported"
    assert "random in training" in entry.reason


class Biased(ub.Block):
    """What it computes is not what its reference says."""

    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(3)

    def forward(self, X):
        return self.dense(X) * 1.0001

    def reference(self, state, X):
        return X @ state["dense.weight"].T + state["dense.bias"]


@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training"])
def test_a_wrong_block_is_seen_in_every_mode_with_a_reference(backend_name, mode):
    _, cell = one(backend_name, mode, Case("biased", Biased, (2, 4), (2, 3)))
    assert (cell.status, cell.against) == ("differs", "reference")


def test_a_graph_that_computes_something_else_is_seen(backend_name, monkeypatch):
    backend = ub.get_backend(backend_name)

    class Wrong:
        def __init__(self, net):
            self.net = net

        def __enter__(self):
            return lambda *inputs: backend.run(self.net, inputs) * 1.0001

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(backend, "compiled", Wrong)
    _, cell = one(backend_name, "compiled")
    assert (cell.status, cell.against, cell.where) == ("differs", "eager", "output")


def test_a_file_that_gives_other_numbers_is_seen(backend_name, monkeypatch):
    honest = observing.load

    def load(path, name):
        net = honest(path, name)
        numbers = ub.state(net)
        numbers["bias"][1] = np.nextafter(numbers["bias"][1], 1)
        return ub.load_state(net, numbers)

    monkeypatch.setattr(observing, "load", load)
    _, cell = one(backend_name, "saved")
    assert (cell.status, cell.against, cell.where) == ("differs", "saved", "state/bias")


class InPlace(ub.Block):
    """Where tensors can change, it changes its caller's."""

    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(3)

    def forward(self, X):
        X += 1
        return self.dense(X)

    def reference(self, state, X):
        return (X + 1) @ state["dense.weight"].T + state["dense.bias"]


def test_a_change_of_the_callers_input_is_seen(backend_name):
    _, cell = one(backend_name, "forward", Case("in place", InPlace, (2, 4), (2, 3)))
    immutable = "array-inputs" not in ub.get_backend(backend_name).lacks
    assert (cell.status, cell.where) == (("ok", "output") if immutable else ("differs", "input"))


def test_a_case_that_raises_stops_nothing(backend_name):
    def broken():
        raise ZeroDivisionError("by nothing")

    cases = [Case("broken", broken, (2, 4)), SMALL]
    told = []
    record = make_record(
        backend_name, "cpu", cases, ["float64"], ["forward", "saved"], lambda k, e: told.append(k)
    )
    assert told == list(record.entries)
    by_case = {key[0]: entry for key, entry in record.entries.items()}
    assert (by_case["broken"].status, by_case["broken"].reason) == (
        "error",
        "ZeroDivisionError: by nothing",
    )
    assert by_case["small"].status == "done"
    assert [cell.ok for cell in cells([record])] == [False, False, True, True]


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_is_recorded_where_the_framework_has_it(backend_name, half):
    modes = ("forward", "train", "gradient", "training", "saved")
    record = make_record(backend_name, "cpu", [CASES[0], CASES[2]], [half], modes)
    if backend_name == "mxnet":
        assert set(statuses(record).values()) == {"unsupported"}
        assert all("use float32" in entry.reason for entry in record.entries.values())
        return
    lacking = {"gradient", "saved"} if half == "bfloat16" else set()
    assert {mode for mode, status in statuses(record).items() if status != "done"} == lacking
    entry = record.entries["MLP", half, "forward"]
    assert entry.dtype_of("output") == entry.dtype_of("input") == half
    found = cells([record])
    assert all(cell.ok for cell in found), [cell for cell in found if not cell.ok]
    assert max(cell.absolute for cell in found) > 1e-4  # it was not computed in float32


def test_mxnet_really_has_no_float16_on_the_cpu(backend_name, monkeypatch):
    if backend_name != "mxnet":
        pytest.skip("about MXNet only")
    backend = ub.get_backend("mxnet")
    lacks = {name: why for name, why in backend.lacks.items() if name != "float16"}
    monkeypatch.setattr(backend, "lacks", lacks)
    entry, _ = one("mxnet", "forward", dtype="float16")
    assert entry.status == "error"
    assert "float16 fully connected layer" in entry.reason


def test_a_device_that_is_not_there_is_refused(backend_name):
    with pytest.raises(ValueError, match="a device must be one of cpu"):
        make_record(backend_name, "gpu:99", [SMALL])


def test_a_native_model_is_made_and_compared_in_the_dtype(backend_name):
    if backend_name == "mxnet":
        pytest.skip("a native Gluon model needs npx.set_np(), which lasts for the whole process")
    case = Case("native", lambda: lab_models.native(backend_name), (2, 4))
    entry, cell = one(backend_name, "saved", case)
    assert (entry.status, entry.reason, cell.status) == ("done", "", "ok")
    assert {entry.dtype_of(name) for name in entry.arrays} == {"float64"}
    numbers = entry.arrays["state/first.weight"]
    assert (numbers != numbers.astype("float32")).any()  # drawn in float64, not cast to it
