"""The page of the commands: what each takes, from its own help, and its example, which runs."""

import importlib
import pkgutil
import re

import typer

from unified_blocks import cli
from unified_blocks.cli.terminal import app

HEAD = """\
---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---

# Commands

`unified-blocks` has these commands. `unified-blocks --help` lists them, and each has a `--help` of
its own. They need the extra `cli`. An error goes to the standard error, and the status is 2.

The examples use these files: a block, and a network as MXNet exports it.

```{code-cell} python
:tags: [remove-cell]

import os

os.environ["COLUMNS"] = "90"
```

```{code-cell} python
import unified_blocks as ub
import unified_blocks_mxnet  # lets MXNet be imported on newer Pythons, too
from mxnet import gluon, nd

ub.save(ub.build(ub.MLP(256, 10), (2, 20)), "net.safetensors")

net = gluon.nn.HybridSequential()
net.add(gluon.nn.Conv2D(4, 3), gluon.nn.BatchNorm(), gluon.nn.Flatten(), gluon.nn.Dense(5))
net.initialize()
net.hybridize()
net(nd.ones((1, 3, 8, 8)))
net.export("net")
```
"""
IN_ORDER = ("inspect", "convert", "diff", "record", "compare", "port", "capabilities", "doctor")
"""Those that others follow, as an example reads what another wrote; the rest comes after them."""
LONG = {
    "capabilities": ("head -n 5", "[All of it](../capabilities.md) is a page of this reference."),
    "demo": (
        "tail -n 27",
        "[What the demo shows](../../start/demo.md) tells what it prints above.",
    ),
}
"""Commands that print much: what cuts it, and where the rest is."""


def commands() -> dict[str, typer.core.TyperCommand]:
    """Every command by its name."""
    for module in pkgutil.iter_modules(cli.__path__, f"{cli.__name__}."):
        importlib.import_module(module.name)  # which adds its own
    found = dict(typer.main.get_command(app).commands)
    return {name: found[name] for name in sorted(found, key=lambda name: (place(name), name))}


def place(name: str) -> int:
    return IN_ORDER.index(name) if name in IN_ORDER else len(IN_ORDER)


def parameters(command: typer.core.TyperCommand) -> str:
    """A table of what a command takes."""
    rows = [row(parameter) for parameter in command.params]
    return "\n".join(["| parameter | what it is |", "|---|---|", *rows]) if rows else ""


def row(parameter: typer.core.TyperArgument | typer.core.TyperOption) -> str:
    """One of them."""
    is_option = parameter.param_type_name == "option"
    names = [*parameter.opts, *parameter.secondary_opts] if is_option else [parameter.metavar]
    takes = is_option and not parameter.is_flag
    value = f" {parameter.metavar}" if takes else ""
    written = ", ".join(f"`{name}{value}`" for name in names)
    said = [as_markdown(parameter.help)]
    if parameter.required:
        said.append("Required.")
    elif parameter.default is not None and not isinstance(parameter.default, bool):
        said.append(f"By default `{parameter.default}`.")
    return f"| {written} | {' '.join(said)} |"


def as_markdown(text: str) -> str:
    """Help, with the names of options and files as code."""
    text = re.sub(r"(?<![\w`])(--[a-z]+(?: \w+=\w+)?|(?:[\w-]+)?\.[a-z][\w.]+\b)", r"`\1`", text)
    return text.replace("|", r"\|")


def section(name: str, command: typer.core.TyperCommand) -> str:
    """What the page says of a command."""
    example = (command.epilog or "").removeprefix("Example: ")
    cut, rest = LONG.get(name, ("", ""))
    run = f"{example} > {name}.txt && {cut} {name}.txt" if cut else example
    parts = [
        f"## {name}",
        as_markdown(command.help.strip()),
        parameters(command),
        f"```{{code-cell}} python\n%%bash\n{run}\n```",
        rest,
    ]
    return "\n\n".join(filter(None, parts))


def page() -> str:
    """The whole page."""
    return "\n\n".join([HEAD.strip(), *(section(*each) for each in commands().items())]) + "\n"
