"""The example project, installed and tested as a stranger would, and a copy with a mistake."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import unified_blocks as ub
from testbed.where import ROOT

PROJECT = ROOT / "examples" / "own_blocks"
BLOCK = Path("src/own_blocks/__init__.py")
MISTAKES = {
    "a forward that differs on one framework": (
        "return self.scale * self.gate(X)",
        'return (1 if ub.backend_of(self).name == "{name}" else self.scale) * self.gate(X)',
    ),
    "an activation that is missing": (
        'self.body = ub.Dense(units, activation="tanh")',
        "self.body = ub.Dense(units)",
    ),
}


@pytest.fixture
def project(tmp_path):
    """A copy of the project, away from this repository."""
    return Path(
        shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    )


def install_and_test(project, name):
    """Install the project into a folder, without a network, and run its tests on one framework."""
    pytest.importorskip("hatchling", reason="what builds the project is not installed")
    site = project.parent / "site"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet"]
    pip += ["--no-index", "--disable-pip-version-check", "--target", site, project]
    subprocess.run(pip, check=True, capture_output=True)
    shutil.rmtree(project / "src")
    path = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A checkout has no entry point.
    found = "pytest_unified_blocks.plugin" in entry_points(group="pytest11").names
    plugin = [] if found else ["-p", "pytest_unified_blocks.plugin"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", *plugin, "-q", "-W", "ignore", f"--backend={name}"]
    return subprocess.run(
        [*command, "--device=cpu", "-x"],
        cwd=project,
        env={**environment, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def counted(done, word):
    found = re.search(rf"(\d+) {word}", done.stdout)
    return int(found[1]) if found else 0


@pytest.fixture
def name():
    """One framework: the environments of tox that have a single one are there for the others."""
    if not ub.available_backends():
        pytest.skip("no framework is installed")
    return ub.available_backends()[-1]


def test_it_passes(name, project):
    done = install_and_test(project, name)
    assert done.returncode == 0, done.stdout[-3000:]
    assert counted(done, "passed") >= 20


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_copy_with_a_mistake_fails(name, project, mistake):
    right, wrong = MISTAKES[mistake]
    source = (project / BLOCK).read_text()
    assert right in source
    (project / BLOCK).write_text(source.replace(right, wrong.format(name=name)))
    done = install_and_test(project, name)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_forward_is_the_reference" in done.stdout
    assert counted(done, "passed") > 0
