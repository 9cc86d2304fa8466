"""What the page that compares other tools says of PyTorch and of us. No other tool is installed."""

import json
import subprocess
import sys

import pytest

import unified_blocks as ub
from benchmarks.rivals import others, trials
from testbed.where import ROOT

FOLDER = ROOT / "benchmarks" / "rivals"
RIGHT, HALVINGS = trials.meaning(trials.asked())
SHOWN = trials.meaning(trials.example())[1]


def findings(expression):
    """What trials find in a process of their own, where tools may warn."""
    program = f"import json, sys; import trials; print(json.dumps({expression}))"
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_two_inputs_are_halved_differently():
    assert (SHOWN, HALVINGS) == (7, 13)


def test_a_trace_of_pytorch_has_the_loop_of_the_example():
    if "torch" not in ub.available_backends():
        pytest.skip("it needs PyTorch")
    found = findings("next(trials.by_torch())")
    assert found["way"] == "torch.jit.trace"
    assert found["number"] == pytest.approx(RIGHT * 2 ** (HALVINGS - SHOWN), rel=1e-4)


def test_ours_has_the_loop_itself():
    if not ub.available_backends():
        pytest.skip("it needs a framework")
    found = findings("[*trials.by_ours()]")
    assert len(found) == 2 * len(ub.available_backends())
    assert [each["number"] for each in found] == pytest.approx([RIGHT] * len(found), rel=1e-4)


def test_a_row_says_what_is_wrong_and_who_refuses():
    trial = others.Trial(others.NOBUCO, "by_nobuco")
    wrong = others.row(trial, "1.0", {"way": "it", "number": 51.0}, 0.8)
    assert wrong == "| nobuco | 1.0 | `it` | **51.0000**, wrong |"
    assert others.row(trial, "1.0", {"way": "it", "number": 0.8}, 0.8).endswith("| 0.8000 |")
    refused = others.row(trial, "1.0", {"way": "it", "error": "ValueError: a|b"}, 0.8)
    assert refused.endswith("| refuses: ValueError: a/b |")


@pytest.mark.parametrize(
    "trial",
    [*others.LOOP, *others.MISTAKE, *others.SEED],
    ids=lambda t: "-".join((t.name, *t.given)),
)
def test_each_trial_is_there(trial):
    assert callable(getattr(trials, trial.name))
