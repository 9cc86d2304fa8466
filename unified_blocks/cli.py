"""The console script `unified-blocks`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        import unified_blocks.commands
        import unified_blocks.file_commands
        import unified_blocks.lab_commands  # noqa: F401  # all add to the app
        from unified_blocks.terminal import app
    except ImportError as error:
        sys.exit(
            f"unified-blocks: the command line needs Typer and Rich ({error}); "
            'run: pip install "unified-blocks[cli]"'
        )
    app()
