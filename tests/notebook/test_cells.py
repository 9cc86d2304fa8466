"""Cells that name their backend: names of their own, the default backend, records."""

import inspect
import pickle
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

import unified_blocks as ub
from unified_blocks.backend import registry
from unified_blocks.notebook import as_magic, records
from unified_blocks.notebook.cells import Cells
from unified_blocks.notebook.records import key


@pytest.fixture
def fake(monkeypatch):
    """Two backends of frameworks that do not exist, one that is missing, one that is broken."""
    where = {
        **{name: f"testbed.fake_backends:{name[5:].upper()}" for name in ("fake_one", "fake_two")},
        "fake_missing": "testbed.fake_missing:BACKEND",
        "fake_broken": "testbed.fake_broken:BACKEND",
    }
    group = "unified_blocks.backends"
    entries = {name: EntryPoint(name, value, group) for name, value in where.items()}
    for name in entries.keys() - {"fake_missing"}:
        monkeypatch.setitem(sys.modules, name, type(sys)(name))
    monkeypatch.setattr(registry, "registered_backends", lambda: entries)


@pytest.fixture
def cells(fake):
    """Cells of a notebook; the values that they show are in `cells.shown`."""
    shell, shown = SimpleNamespace(user_ns={}, user_ns_hidden={"In": []}), []
    made = Cells(shell, shown.append)
    made.shown, made.names = shown, shell.user_ns
    yield made
    for name in ("on_fake_one", "on_fake_two"):
        sys.modules.pop(name, None)


def test_the_first_line_names_the_backend():
    assert as_magic(["# on torch\n", "net\n"]) == ["%%on torch\n", "net\n"]
    for lines in (
        [],
        ["net\n"],
        ["# on the whole\n"],
        ["# on reflection\n"],
        ["x = 1\n", "# on torch\n"],
    ):
        assert as_magic(lines) == lines


def test_the_last_value_is_shown(cells):
    cells.run("fake_one", "x = 3\nx + 1\n")
    cells.run("fake_one", "x + 2;")
    cells.run("fake_one", "x = 5")
    cells.run("fake_one", "None")
    cells.run("fake_one", "")
    assert cells.shown == [4]


def test_each_backend_has_names_of_its_own(cells):
    cells.run("fake_one", "net = 'first'")
    cells.run("fake_two", "net = 'second'")
    cells.run("fake_one", "net")
    cells.run("fake_two", "net")
    assert cells.shown == ["first", "second"]
    assert "net" not in cells.names


def test_names_of_ordinary_cells_are_seen_and_stay_as_they_are(cells):
    cells.names.update(x=1, _private=2, In=3)
    cells.run("fake_one", "x")
    cells.names["x"] = 10
    cells.run("fake_one", "x")
    cells.run("fake_one", "x = 20")
    cells.names["x"] = 30
    cells.run("fake_one", "x, '_private' in globals(), 'In' in globals()")
    cells.run("fake_two", "x")
    assert cells.shown == [1, 10, (20, False, False), 30]
    assert cells.names["x"] == 30


def test_what_a_cell_set_before_it_failed_is_its_own(cells):
    cells.names["x"] = 1
    with pytest.raises(ZeroDivisionError):
        cells.run("fake_one", "x = 2\n1 / 0")
    cells.run("fake_one", "x")
    assert cells.shown == [2]


def test_its_backend_is_the_default(cells):
    cells.names["default"] = registry.default_backend.get
    cells.run("fake_two", "default()")
    assert cells.shown == ["fake_two"]
    assert registry.default_backend.get() is None


def test_the_source_of_a_method_is_found(cells):
    cells.run(
        "fake_one", "class Net:\n    def forward(self, X):\n        return X + 1\n\nNet.forward"
    )
    cells.run("fake_one", "1")  # and other cells do not take its place
    assert inspect.getsource(cells.shown[0]).strip().startswith("def forward(self, X):")


def test_a_class_can_be_pickled(cells):
    cells.run("fake_one", "class Net: pass\nNet()")
    copied = pickle.loads(pickle.dumps(cells.shown[0]))
    assert type(copied) is type(cells.shown[0])


def test_an_unknown_name_is_an_error(cells):
    with pytest.raises(ub.UnknownBackendError, match="fake_one"):
        cells.run("fake_on", "1")


CELL = "\nprint('seen')\n"


@pytest.fixture
def recorded(monkeypatch):
    monkeypatch.setattr(
        records,
        "records",
        lambda: {
            key("fake_missing", CELL): {"framework": "Fake 1.2", "text": "seen"},
            key("fake_missing", "x = 1"): {"framework": "Fake 1.2", "text": ""},
            key("fake_broken", CELL): {"framework": "Broken 3", "text": "seen"},
        },
    )


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("fake_missing", CELL, "Fake is not installed here. Recorded with Fake 1.2:\nseen\n"),
        (
            "fake_missing",
            CELL.strip(),
            "Fake is not installed here. Recorded with Fake 1.2:\nseen\n",
        ),
        (
            "fake_missing",
            "x = 1\n",
            "Fake is not installed here. With Fake 1.2 this cell prints nothing.\n",
        ),
        ("fake_broken", CELL, "Broken cannot be imported here. Recorded with Broken 3:\nseen\n"),
    ],
)
def test_without_the_framework_the_record_is_shown(cells, recorded, capsys, name, cell, expected):
    cells.run(name, cell)
    assert capsys.readouterr().out == expected
    assert cells.shown == []


def test_without_a_record_it_says_what_to_install(cells, recorded, capsys):
    cells.run("fake_missing", "print('another')")
    assert capsys.readouterr().out.startswith(
        "Not run, and no record of this cell exists: backend 'fake_missing' needs its framework, "
        "which is not installed; run: pip install"
    )


def test_records_are_of_a_text_and_a_backend():
    assert key("one", "x") != key("two", "x")
    assert key("one", "x") != key("one", "y")
    for found in records.records().values():
        assert set(found) == {"framework", "text"}
