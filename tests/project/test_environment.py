"""The environment is the one asked for, and the package under test is the installed one."""

import os
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

import unified_blocks as ub
from pytest_unified_blocks.plugin import named
from testbed.common import BACKENDS

in_tox = pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="not run by tox")


@in_tox
def test_the_frameworks_here_are_exactly_the_promised_ones(pytestconfig):
    promised = named(pytestconfig, "backend")
    assert promised is not None, "tox.ini must say --backend"
    assert ub.available_backends() == [name for name in BACKENDS if name in promised]
    for name in promised:
        assert ub.get_backend(name).version


@in_tox
def test_the_package_under_test_is_the_installed_one():
    site = Path(sysconfig.get_path("purelib"))
    for module in [m for n, m in sys.modules.items() if "unified_blocks" in n.split(".")[0]]:
        assert Path(module.__file__).is_relative_to(site), module
    assert ub.__version__ == version("unified-blocks")
