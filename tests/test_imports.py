"""What importing costs: no framework, no output, no time; and one framework only."""

import os
import subprocess
import sys

import pytest

import unified_blocks as ub
from conftest import BACKENDS

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
    for code in ("import unified_blocks", "import unified_blocks.cli, unified_blocks.doctor"):
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


def added_modules(code):
    """What `code` imports, from outside the standard library, that NumPy alone does not."""
    script = (
        f"import numpy, sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    roots = {name.partition(".")[0] for name in done.stdout.split()}
    return roots - sys.stdlib_module_names - {"numpy"}


def test_importing_is_quick():
    """Modules are looked at, not milliseconds: nothing but this package comes with it."""
    assert added_modules("import unified_blocks") == {"unified_blocks"}


def test_the_check_sees_what_is_slow():
    pytest.importorskip("rich", reason="the command line's extra is not installed")
    assert "rich" in added_modules("import unified_blocks, rich.console")


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
