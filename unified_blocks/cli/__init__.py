"""The command line: the console script `unified-blocks`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or name the packages that it needs."""
    try:
        import unified_blocks.cli.capabilities
        import unified_blocks.cli.demo
        import unified_blocks.cli.doctor
        import unified_blocks.cli.files
        import unified_blocks.cli.lab
        import unified_blocks.cli.port  # noqa: F401  # each adds its commands to the app
        from unified_blocks.backend.registry import begin_command
        from unified_blocks.cli.terminal import app
    except ImportError as error:
        sys.exit(
            f"unified-blocks: the command line needs Typer and Rich ({error}); "
            'run: pip install "unified-blocks[cli]"'
        )
    begin_command()
    app()
