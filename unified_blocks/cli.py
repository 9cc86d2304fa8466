"""The console script `unified-blocks`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        from unified_blocks import commands, file_commands  # noqa: F401  # they add to it
        from unified_blocks.terminal import app
    except ImportError as error:
        sys.exit(
            f"unified-blocks: the command line needs Typer and Rich ({error}); "
            'run: pip install "unified-blocks[cli]"'
        )
    app()
