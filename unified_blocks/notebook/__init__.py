"""Notebooks that have a cell for each framework.

After `%load_ext unified_blocks.notebook`, a cell whose first line is `# on torch`, or `# on` and
another name of a backend, runs apart:

- Its backend is the default while it runs.
- It sees the names of ordinary cells, and those of earlier cells on the same backend. What it
  defines stays with that backend, so `net` may be another model on each. Ordinary cells do not see
  it.
- Where the framework is missing, the cell prints what it printed where these notebooks were
  recorded, and says so.

Needs IPython, which every notebook has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from unified_blocks.backend.registry import aliases, registered_backends

if TYPE_CHECKING:
    from unified_blocks.notebook.cells import Cells

FIRST_LINE = re.compile(r"# on (\w+)\s*")


def load_ipython_extension(shell: Any) -> Cells:
    """What IPython calls at `%load_ext unified_blocks.notebook`."""
    from IPython.display import display  # pyright: ignore[reportMissingImports]

    from unified_blocks.notebook.cells import Cells

    cells = Cells(shell, display)
    shell.register_magic_function(cells.run, "cell", "on")
    if as_magic not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(as_magic)
    return cells


def as_magic(lines: list[str]) -> list[str]:
    """The lines of a cell; a first line `# on torch` becomes `%%on torch`."""
    found = FIRST_LINE.fullmatch(lines[0]) if lines else None
    is_cell = found and found[1].lower() in {*registered_backends(), *aliases()}
    return [f"%%on {found[1]}\n", *lines[1:]] if found and is_cell else lines
