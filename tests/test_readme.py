"""The README's Python runs, from the first line to the last, as one program."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import unified_blocks as ub

README = Path(__file__).parent.parent / "README.md"


def test_its_python_runs(tmp_path):
    if len(ub.available_backends()) < 3:
        pytest.skip("it uses all three frameworks")
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) > 5
    program = tmp_path / "readme.py"
    program.write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
