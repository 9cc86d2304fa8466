"""The command `capabilities`."""

from __future__ import annotations

from unified_blocks.backend.capabilities import table
from unified_blocks.backend.registry import available_backends, load_backend
from unified_blocks.cli.terminal import app


@app.command(epilog="Example: unified-blocks capabilities")
def capabilities() -> None:
    """Print a Markdown table of the capabilities that an installed framework lacks or limits."""
    print(table([load_backend(name) for name in available_backends()]))
