"""The reference of every public name, from its docstring: pages in `docs/reference/generated/`."""

import inspect
import re
from pathlib import Path

import commands
from sphinx.errors import ExtensionError

import unified_blocks as ub
from unified_blocks import errors, layers, ops

FOLDER = Path(__file__).parents[1] / "reference" / "generated"
PAGES = {
    "blocks": ("Names: blocks", ("block", "blocks")),
    "layers": ("Names: layers", ("layers",)),
    "operations": ("Names: operations", ("ops",)),
    "models": ("Names: models", ("models", "dtypes", "layouts")),
    "files": ("Names: files", ("files",)),
    "training": ("Names: training", ("training",)),
    "compiling": ("Names: compiling", ("compiling",)),
    "comparing": ("Names: comparing and drawing", ("equivalence", "pictures")),
    "porting": ("Names: leaving MXNet", ("porting",)),
    "backends": ("Names: backends and tensors", ("backend",)),
    "errors": ("Names: errors", ("errors",)),
}
"""Each page: its title, and the rooms whose names it has."""
WITH_MEMBERS = PAGES.keys() - {"layers", "errors"}
"""Pages whose classes are used by their methods; a layer is called."""
IN_ITS_MODULE = {"KEEP"}
"""Constants, which have no docstring; their room's says what they are."""


def entry(path: str, thing: object, members: bool) -> str:
    """What makes autodoc write about a name, and about the methods of a class."""
    if inspect.isclass(thing):
        kind = "autoexception" if issubclass(thing, BaseException) else "autoclass"
        options = "   :members:\n" if members else ""
    else:
        kind, options = "autofunction", ""
    return f"```{{eval-rst}}\n.. {kind}:: {path}\n{options}```\n"


def public() -> dict[str, object]:
    """All public names, by the path that a reader imports them from."""
    found = {f"unified_blocks.{name}": getattr(ub, name) for name in ub.__all__}
    for module in (layers, ops, ub.porting):
        for name in module.__all__:
            if f"unified_blocks.{name}" not in found or module is ops:
                found[f"{module.__name__}.{name}"] = getattr(module, name)
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if error.__module__ == errors.__name__ and name not in ub.__all__:
            found[f"{errors.__name__}.{name}"] = error
    return {
        path: thing
        for path, thing in found.items()
        if not inspect.ismodule(thing) and path.rpartition(".")[2] not in IN_ITS_MODULE
    }


def pages() -> dict[str, str]:
    """The text of each page."""
    entries: dict[str, dict[str, list[str]]] = {page: {} for page in PAGES}
    of_room = {room: page for page, (_, rooms) in PAGES.items() for room in rooms}
    for path, thing in public().items():
        _, room, *family = thing.__module__.split(".")
        if room not in of_room:
            raise ExtensionError(
                f"reference: every public name needs a page; got {path} of {room!r}; add this room "
                f"to PAGES in {__file__}"
            )
        page = of_room[room]
        title = family[0].replace("_", " ").capitalize() if page in {"layers", "operations"} else ""
        entries[page].setdefault(title, []).append(entry(path, thing, page in WITH_MEMBERS))
    return {
        page: "\n".join(
            [f"# {PAGES[page][0]}\n"]
            + [
                "\n".join([f"## {title}\n"] * bool(title) + found)
                for title, found in sorted(families.items())
            ]
        )
        for page, families in entries.items()
    }


def write(app, config) -> None:
    """Writes the pages that have changed, and removes those that are no more."""
    FOLDER.mkdir(exist_ok=True)
    every = {**pages(), "commands": commands.page()}
    texts = {FOLDER / f"{page}.md": text for page, text in every.items()}
    for path in set(FOLDER.iterdir()) - texts.keys():
        path.unlink()
    for path, text in texts.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def as_rest(app, what, name, thing, options, lines: list[str]) -> None:
    """Our docstrings as napoleon reads them: their code and tables are written as in Markdown."""
    text = "\n".join(lines)
    text = re.sub(r"(?<!`)`([^`\n]+)`(?!`)", r"``\1``\\ ", text)  # a letter may follow: `Block`s
    text = re.sub(r"(``)\\ (?=[\s.,:;)\]|]|$)", r"\1", text, flags=re.M)
    text = re.sub(r"^Parameters(?: \(([^)]+)\))?:$", weights, text, flags=re.M)
    text = re.sub(r"^Attributes:\n(?! +\w+(?: \(.*\))?: )", "Properties:\n", text, flags=re.M)
    text = re.sub(r"^(    [\w*, ]+,)\n +", r"\1 ", text, flags=re.M)  # names over two lines
    text = re.sub(r"(?:^\|.*\|$\n?)+", table, text, flags=re.M)
    lines[:] = text.split("\n")


def weights(found: re.Match[str]) -> str:
    """The heading of a layer's parameters; napoleon takes their word for arguments."""
    said = found[1]
    return "Canonical weights:" + (f"\n    {said[0].upper()}{said[1:]}.\n" if said else "")


def table(found: re.Match[str]) -> str:
    """A table of Markdown in reStructuredText."""
    rows = [re.split(r" *\| *", line.strip("| ")) for line in found[0].strip().split("\n")]
    del rows[1]  # the line under the heading
    cells = (f"   {'  ' if n else '* '}- {cell}" for row in rows for n, cell in enumerate(row))
    return "\n".join([".. list-table::", "   :header-rows: 1", "", *cells, ""])


def setup(app):
    app.connect("config-inited", write)
    app.connect("autodoc-process-docstring", as_rest, priority=100)  # before napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
