"""The examples run as they say, and give the same losses on every engine."""

import re
import subprocess

import pytest

from testbed.common import HERE
from testbed.launching import ENGINES, IN_ONE_PROCESS, Started, free_ports
from testbed.where import ROOT

FOLDER = ROOT / "examples" / "distributed"
FILES = {
    "ddp": "torch",
    "fsdp": "torch",
    "mirrored": "mirrored",
    "workers": "workers",
    "mxnet_dist": "mxnet",
    "contexts": "contexts",
}
LOSSES = [0.972959, 0.842594, 0.739753]
"""Of each epoch, as one process has them too."""


def command_of(text):
    """The lines of a docstring that are a shell's, with ports that are free now."""
    lines = re.findall(r"^    (.*)$", text.split('"""')[1], re.MULTILINE)
    command = "\n".join(lines)
    ports = sorted(set(re.findall(r"296\d\d", command)))
    for port, free in zip(ports, free_ports(len(ports)), strict=True):
        command = command.replace(port, str(free))
    return command


@pytest.mark.parametrize("name", FILES)
def test_an_example_runs_as_printed(name):
    if ENGINES[FILES[name]] not in HERE:
        pytest.skip(f"{ENGINES[FILES[name]]} is not installed")
    text = (FOLDER / f"{name}.py").read_text()
    started = Started(["bash", "-c", command_of(text)], {"PWD": str(ROOT)}, ROOT)
    try:
        started.process.wait(150)
        for reader in started.readers:
            reader.join(10)
    except subprocess.TimeoutExpired:
        started.kill()
        pytest.fail(f"not ended in time\n{started.out}\n{started.err}")
    finally:
        started.kill()
    found = re.findall(r"worker (\d) of (\d): ([\d.]+, [\d.]+, \d\.\d{6})", started.out)
    assert len(found) == (1 if FILES[name] in IN_ONE_PROCESS else 2), started.out + started.err
    assert {losses for *_, losses in found} == {found[0][2]}
    losses = [float(loss) for loss in found[0][2].split(", ")]
    assert losses == pytest.approx(LOSSES, abs=1e-5)


def test_each_engine_has_an_example():
    assert {f"{name}.py" for name in FILES} == {each.name for each in FOLDER.glob("*.py")}
