"""Files under other names, and without what the other side lacks: for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from unified_blocks.errors import StateMismatchError
from unified_blocks.formats import format_to_write
from unified_blocks.formats.stored import StateFile, Stored


def renamed(file: StateFile, rename: Mapping[str, str]) -> StateFile:
    """`file` under other names: of arrays, or of all below a path. The longest path counts.

    An array that is renamed is written under its new name, wherever it was in the file.

    Raises:
        StateMismatchError: when nothing has one of the old names, or two arrays get one name.
    """
    used: set[str] = set()
    found: dict[str, Stored] = {}
    for name, stored in file.tensors.items():
        called = [(n, path) for n in (name, *stored.aliases) for path in rename if _below(n, path)]
        used.update(path for _, path in called)
        old, path = max(called, key=lambda pair: len(pair[1]), default=(name, ""))
        new = rename[path] + old[len(path) :] if called else name
        if new in found:
            raise StateMismatchError(
                f"{file.path}: renaming must keep names apart; got {new} twice: give one another"
            )
        changed = replace(stored, name=new, aliases=(), stored_name=None)
        found[new] = stored if new == name else changed
    if unused := rename.keys() - used:
        raise StateMismatchError(
            f"{file.path}: what is renamed must be arrays or layers of the file; got "
            f"{', '.join(sorted(unused))}, where it has {', '.join(file.tensors)[:200]}: correct it"
        )
    own = {} if used else file.own  # it describes arrays and a block of the old names
    return replace(file, tensors=found, own=own)


def _below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


def writable(file: StateFile, path: Path) -> tuple[StateFile, list[str]]:
    """`file` without the layers that the format of `path` cannot hold, and these, with reasons."""
    module = format_to_write(path)
    if not hasattr(module, "unwritable"):
        return file, []
    wrong: Mapping[str, str] = module.unwritable(file.tensors.values())
    kept = {n: s for n, s in file.tensors.items() if n.rpartition(".")[0] not in wrong}
    return replace(file, tensors=kept), list(wrong.values())


def in_both(a: StateFile, b: StateFile) -> tuple[StateFile, StateFile, list[str]]:
    """Two files without the arrays that only one has, and the names of these.

    Raises:
        StateMismatchError: when they have none in common.
    """
    only = [name for name in dict.fromkeys((*a, *b)) if name not in a or name not in b]
    if len(only) == len({*a, *b}):
        raise StateMismatchError(
            f"{a.path} and {b.path} must have an array of one name; got {', '.join(a)[:200]} and "
            f"{', '.join(b)[:200]}: give --rename old=new"
        )
    first, second = (
        replace(file, tensors={n: s for n, s in file.tensors.items() if n not in only})
        for file in (a, b)
    )
    return first, second, only
