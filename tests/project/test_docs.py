"""The Python in the documentation runs, each page as one program."""

import re
import subprocess
import sys

import pytest

import unified_blocks as ub
from testbed.where import ROOT
from unified_blocks.equivalence.causes.table import CAUSES, sentence


@pytest.mark.parametrize("page", ["README.md", "docs/equivalence.md", "docs/tensors.md"])
def test_its_python_runs(page, tmp_path):
    if len(ub.available_backends()) < 3:
        pytest.skip("it uses all three frameworks")
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) > 1
    program = tmp_path / "page.py"
    program.write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_every_cause_is_in_the_documentation():
    text = (ROOT / "docs" / "equivalence.md").read_text(encoding="utf-8")
    table = text.partition("## Causes")[2]
    listed = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.M)
    assert listed == [(name, sentence(name)) for name in CAUSES]
