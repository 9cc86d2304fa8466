"""The first page, downloaded to a machine that has Python 3.13 and nothing else.

`UNIFIED_BLOCKS_SOAK=1` runs it, since it installs two frameworks. PyTorch is left out, so that the
page must show the record of its cell.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SITE = Path(os.environ.get("UNIFIED_BLOCKS_SITE", "nowhere")).absolute()
PYTHON = shutil.which("python3.13")
WORKS = PYTHON and subprocess.run([PYTHON, "-c", "pass"], capture_output=True).returncode == 0
"""Where pyenv stands in the way, the command may be there, and no Python behind it."""
RUN = """
import nbformat, sys
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
for cell in notebook.cells:
    cell.pop("outputs", None) if cell.cell_type == "markdown" else cell.update(outputs=[])
    cell.source = cell.source.replace("[torch,", "[")
NotebookClient(notebook, timeout=1200, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""

pytestmark = [
    pytest.mark.skipif(not SITE.exists(), reason="no site at UNIFIED_BLOCKS_SITE"),
    pytest.mark.skipif(
        os.environ.get("UNIFIED_BLOCKS_SOAK") != "1", reason="UNIFIED_BLOCKS_SOAK=1 installs it"
    ),
    pytest.mark.skipif(not WORKS, reason="no Python 3.13"),
]


def outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = {}
    for cell in cells:
        printed = [part for part in cell.get("outputs", []) if part.get("name") == "stdout"]
        found["".join(cell["source"])] = "".join("".join(part["text"]) for part in printed)
    return found


def test_the_first_page_installs_what_it_needs_and_runs(tmp_path):
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "VIRTUAL_ENV"} and not name.startswith("PIP_CONSTRAINT")
    }
    folder, python = tmp_path / "notebooks", tmp_path / "venv" / "bin" / "python"
    shutil.copytree(SITE / "notebooks", folder)
    page = folder / "start-first-block.ipynb"
    before = outputs(page)
    for command in (
        [PYTHON, "-m", "venv", tmp_path / "venv"],
        [python, "-m", "pip", "install", "-q", "ipykernel", "nbclient"],
        [python, "-c", RUN, page],
    ):
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
    after = outputs(page)
    compared = 0
    for source, text in before.items():
        if source.startswith("# on torch"):
            assert after[source].startswith("PyTorch is not installed here. Recorded with ")
            assert text.strip() in after[source]
        elif source.startswith("# on "):
            assert after[source] == text
            compared += 1
    assert compared == 2
