"""What importing costs: no framework, no output, no time; and one framework only."""

import ast
import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import unified_blocks as ub
from benchmarks.imports import FIRST
from testbed.common import BACKENDS

FRAMEWORKS = {"torch", "tensorflow", "keras", "mxnet"}


def imported(code, **environment):
    """The frameworks that a fresh interpreter has imported after `code`, and what it printed."""
    tail = "; import sys; print('\\n' + ' '.join(m for m in sys.modules if '.' not in m))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code + tail],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    *printed, modules = done.stdout.splitlines()
    return FRAMEWORKS & set(modules.split()), "".join(printed), done.stderr


def test_importing_the_package_imports_no_framework_and_says_nothing():
    for code in (
        "import unified_blocks",
        "import unified_blocks.cli, unified_blocks.cli.diagnosis",
    ):
        assert imported(code) == (set(), "", "")


def test_asking_what_there_is_imports_no_framework():
    code = "import unified_blocks as ub; ub.available_backends(); ub.MLP; ub.Dense; ub.SGD(0.1)"
    assert imported(code)[0] == set()


def test_the_check_sees_a_framework(backend_name):
    """The check above can fail: it finds the framework where one is imported."""
    code = f"import {backend_name}" if backend_name != "mxnet" else "import unified_blocks_mxnet"
    assert backend_name in imported(code)[0]


def test_using_one_framework_imports_no_other(backend_name):
    code = "import unified_blocks as ub; net = ub.MLP(); ub.build(net, (2, 20)); ub.state(net)"
    found, _, _ = imported(code, UNIFIED_BLOCKS_BACKEND=backend_name)
    assert backend_name in found
    assert found <= {backend_name, "keras"}
    assert ("keras" in found) == (backend_name == "tensorflow")


def added_modules(code, before="import numpy"):
    """The modules that `code` imports beyond those that `before` does."""
    script = f"{before}; import sys; before = set(sys.modules); {code}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{script}; print(*set(sys.modules) - before)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def parts(modules):
    """The rooms of `unified_blocks`, and the modules of its hall."""
    return {name.split(".")[1] for name in modules if name.startswith("unified_blocks.")}


NEEDED = {
    *("backend", "block", "blocks", "dtypes", "errors", "layers", "layouts", "ops", "reference"),
    *("types", "version"),
}
"""The rooms that defining a block takes."""
NEEDED_BY_ADAPTERS = {"training"}
FORMULAS = {"reference.gradients", "reference.numpy_ops"}
"""What blocks have of `reference`: what their NumPy references are written in."""
STEPS = {
    *("training.data", "training.data.batches", "training.workers", "training.workers.shares"),
    *("training.learning", "training.learning.accumulation", "training.learning.averaging"),
    "training.learning.groups",
}
"""What adapters have of `training`: what their steps are written with."""
SLOW = {"concurrent.futures", "difflib", "email", "importlib.metadata", "json", "tempfile"}


def later(modules):
    """The modules in rooms that blocks need in part which are not for every import."""
    packages = ("reference.", "training.")
    names = {name.removeprefix("unified_blocks.") for name in modules}
    found = {name for name in names if name.startswith(packages)}
    return found - FORMULAS - {"training.losses", "training.optimizers"}


def test_importing_is_quick():
    """Modules are looked at, not milliseconds: nothing comes with it that blocks do not need."""
    added = added_modules("import unified_blocks")
    roots = {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    assert roots <= {"unified_blocks", "numpy"}
    assert parts(added) == NEEDED
    assert later(added) == set()
    assert added & SLOW == set()


def test_importing_an_adapter_is_quick(backend_name):
    adapter = f"unified_blocks_{backend_name}"
    added = added_modules(f"import {adapter}", FIRST[backend_name])
    roots = {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    assert roots <= {"unified_blocks", adapter, "numpy"}
    assert parts(added) <= NEEDED | NEEDED_BY_ADAPTERS
    assert later(added) <= STEPS


def test_the_checks_see_what_is_slow():
    added = added_modules("import unified_blocks; unified_blocks.compare, unified_blocks.save")
    assert {"files", "formats", "equivalence"} <= parts(added)
    assert "training.trainer" in later(added)
    assert "json" in added


@pytest.mark.parametrize("name", BACKENDS)
def test_an_adapter_is_found_without_importing_its_framework(name):
    assert (
        imported(f"import importlib.util as u; assert u.find_spec('unified_blocks_{name}')")[0]
        == set()
    )


def test_public_names_are_there():
    for name in ub.__all__:
        assert getattr(ub, name) is not None
    assert sorted(ub.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n)) == ub.__all__
    assert set(ub.__all__) <= set(dir(ub))


def test_a_name_that_is_not_public_is_an_error():
    with pytest.raises(AttributeError, match="'unified_blocks' has no attribute 'nothing'"):
        ub.nothing  # noqa: B018


LATER = [(name, module) for name, module in ub._LATER.items()]


def test_type_checkers_see_what_is_imported_later():
    tree = ast.parse(Path(ub.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if ast.unparse(node).startswith("if TYPE_CHECKING:"))
    seen = [(alias.name, node.module) for node in block.body for alias in node.names]
    rooms = [(name, "unified_blocks") for name in ub._ROOMS]
    assert sorted(seen) == sorted([*rooms, *((n, f"unified_blocks.{m}") for n, m in LATER)])


@pytest.mark.parametrize(("name", "module"), LATER)
def test_what_is_imported_later_is_the_same_whatever_was_imported_before(name, module):
    """Importing a module makes it an attribute of its package: no module has such a name."""
    assert importlib.util.find_spec(f"unified_blocks.{name}") is None
    found = importlib.import_module(f"unified_blocks.{module}")
    assert getattr(ub, name) is getattr(found, name)
