"""The command `doctor`."""

from __future__ import annotations

import typer

from unified_blocks.backend.registry import load_backend
from unified_blocks.cli.diagnosis import default_backend, diagnose_all, system
from unified_blocks.cli.tables import backends_table
from unified_blocks.cli.terminal import app, make_console
from unified_blocks.cli.threads import advice


@app.command(epilog="Example: unified-blocks doctor")
def doctor() -> None:
    """Show which frameworks work here, their known problems, and what their threads cost."""
    console = make_console()
    diagnoses = diagnose_all()
    console.print(backends_table(diagnoses))
    for name, version in system().items():
        console.print(f"{name}: {version}")
    console.print(f"default backend: {default_backend()}")
    for diagnosis in diagnoses:
        if diagnosis.note:
            console.print(f"\n{diagnosis.title}: {diagnosis.note}")
        if diagnosis.ok and (told := advice(load_backend(diagnosis.name))):
            console.print(f"\n{diagnosis.title}: {told}")
    if not any(diagnosis.ok for diagnosis in diagnoses):
        raise typer.Exit(1)
