"""Every command has an example below its help, which runs."""

import shlex

import pytest

import unified_blocks as ub
from testbed import exported
from testbed.ports import target

typer = pytest.importorskip("typer", reason="the command line's extra is not installed")
pytest.importorskip("rich", reason="the command line's extra is not installed")

from typer.testing import CliRunner

from unified_blocks.cli import capabilities, demo, doctor, files, lab, port  # noqa: F401  # add them
from unified_blocks.cli.terminal import app

EXAMPLES = {
    command.callback.__name__: (command.epilog or "").removeprefix("Example: unified-blocks ")
    for command in app.registered_commands
}
IN_ORDER = ("record", "compare", "inspect", "convert", "diff", "port", "capabilities", "doctor")
PARSED = ("demo",)  # it trains for a minute, and tests/cli runs it


def test_each_command_is_here():
    assert sorted(EXAMPLES) == sorted((*IN_ORDER, *PARSED))


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_help_ends_with_an_example(name):
    assert EXAMPLES[name].split()[0] == name
    shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
    assert f"Example: unified-blocks {EXAMPLES[name]}" in shown


def arguments_of(name, backend_name):
    """The arguments in an example, for this backend."""
    words = shlex.split(EXAMPLES[name])
    for option, here in (("--backend", backend_name), ("--to", target(backend_name))):
        if option in words:
            words[words.index(option) + 1] = here
    return words


def test_they_run_one_after_the_other(backend_name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ub.save(ub.build(ub.MLP(256, 10), (2, 20)), "net.safetensors")
    exported.save(tmp_path, name="net")
    for name in IN_ORDER:
        done = CliRunner().invoke(app, arguments_of(name, backend_name))
        assert done.exit_code == 0, (name, done.output, done.exception)
        assert done.output.strip(), name


@pytest.mark.parametrize("name", PARSED)
def test_its_arguments_are_known(name, backend_name):
    command = typer.main.get_command(app).commands[name]
    context = command.make_context(name, arguments_of(name, backend_name)[1:])
    assert context.params["backend"] == [backend_name]
