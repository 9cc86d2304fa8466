"""Cells that run on one backend, each backend's among names of their own."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType
from typing import Any

from unified_blocks.backend.registry import load_backend, resolve_name, use_backend
from unified_blocks.errors import BackendImportError
from unified_blocks.notebook.records import shown_without


class Cells:
    """The cells of one notebook that name their backend.

    Args:
        shell: IPython's, of which `user_ns` and `user_ns_hidden` are read.
        display: shows a value.
    """

    def __init__(self, shell: Any, display: Callable[[Any], object]) -> None:
        self.shell = shell
        self.display = display
        self.spaces: dict[str, Space] = {}

    def run(self, line: str, cell: str) -> None:
        """Run a cell on the backend that `line` names, and show its last value.

        Raises:
            UnknownBackendError: no backend has this name.
        """
        name = resolve_name(line.strip())
        try:
            load_backend(name)
        except BackendImportError as error:
            print(shown_without(name, cell, error))
            return
        space = self.spaces.setdefault(name, Space(name))
        space.see(self.common())
        with use_backend(name):
            value = space.run(f"# on {name}\n{cell}")
        if value is not None:
            self.display(value)

    def common(self) -> dict[str, Any]:
        """The names that ordinary cells have defined."""
        names, hidden = self.shell.user_ns, self.shell.user_ns_hidden
        return {
            name: value
            for name, value in names.items()
            if not name.startswith("_") and name not in hidden
        }


class Space:
    """The names of one backend's cells: a module, so that classes made here can be pickled."""

    def __init__(self, name: str) -> None:
        self.module = ModuleType(f"on_{name}")
        self.names = vars(self.module)
        self.own: set[str] = set()
        self.count = 0
        sys.modules[self.module.__name__] = self.module

    def see(self, common: Mapping[str, Any]) -> None:
        """Take over the names of ordinary cells, but for those that a cell here has set itself."""
        self.names.update({name: common[name] for name in common.keys() - self.own})

    def run(self, source: str) -> Any:
        """Run a cell; the value of its last line, None if that has none or ends in `;`."""
        self.count += 1
        file = f"<{self.module.__name__} {self.count}>"
        # So that tracebacks, `inspect` and AutoGraph find the source; no time, so that it stays.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        body, last = compiled(source, file)
        before = dict(self.names)
        try:
            exec(body, self.names)
            return eval(last, self.names) if last else None
        finally:
            self.own |= {
                name
                for name, value in self.names.items()
                if name not in before or before[name] is not value
            }


def compiled(source: str, file: str) -> tuple[CodeType, CodeType | None]:
    """The code of a cell, and that of the expression at its end, if its value is to be shown."""
    tree = ast.parse(source, file)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or source.rstrip().endswith(";"):
        return compile(tree, file, "exec"), None
    tree.body.pop()
    return compile(tree, file, "exec"), compile(ast.Expression(last.value), file, "eval")
