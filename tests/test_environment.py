"""The environment is the one asked for, and the package under test is the installed one."""

import os
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

import unified_blocks as ub
from conftest import BACKENDS, PROMISE, PROMISED_BACKENDS


@pytest.mark.skipif(PROMISE is None, reason="nothing was promised")
def test_the_frameworks_here_are_exactly_the_promised_ones():
    assert ub.available_backends() == [name for name in BACKENDS if name in PROMISED_BACKENDS]
    for name in PROMISED_BACKENDS:
        assert ub.get_backend(name).version


@pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="not run by tox")
def test_the_package_under_test_is_the_installed_one():
    site = Path(sysconfig.get_path("purelib"))
    for module in [
        m for n, m in sys.modules.items() if n.split(".")[0].startswith("unified_blocks")
    ]:
        assert Path(module.__file__).is_relative_to(site), module
    assert ub.__version__ == version("unified-blocks")
