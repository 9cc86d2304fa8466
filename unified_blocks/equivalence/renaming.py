"""Names of one model turned into those of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from unified_blocks.models.transfer import Rename

APART = "(second) "
"""Before the name of what has no partner in the first model, though that has something so named."""


def renaming(
    rename: Rename | Mapping[str, str | None] | None,
    arrays: Sequence[str],
    paths: Sequence[str],
    theirs: Sequence[str],
) -> Callable[[str], str]:
    """A function that turns a path or name of `b` into that of `a`.

    What is renamed away keeps its old name for no one: a path of `b` that nothing maps to, and
    that `a` uses for something else, gets a name of its own.

    Args:
        rename: as of a transfer from `a` to `b`: what is renamed are names in `a`; None for what
            has no partner.
        arrays, paths: the names of the arrays, and of the layers, of `a`.
        theirs: all names of `b`.

    Raises:
        ValueError: for a name that the model does not have.
    """
    if rename is None:
        return lambda name: name
    if isinstance(rename, Mapping):
        _check(rename, (*arrays, *paths), "left", "first")
        _check([new for new in rename.values() if new is not None], theirs, "right", "second")
        new_names: dict[str, str | None] = dict(rename)
    else:
        new_names = {old: rename(old) for old in (*arrays, *paths)}
        for path in paths:  # a function of arrays' names may know nothing of a layer
            if new_names[path] is None:
                del new_names[path]
    back = {new: old for old, new in new_names.items() if new is not None}
    for new, old in list(back.items()):
        while new and old.rpartition(".")[2] == new.rpartition(".")[2]:  # of a layer's array
            new, old = new.rpartition(".")[0], old.rpartition(".")[0]
            if new and old:
                back.setdefault(new, old)
    away: dict[str, set[str]] = {old: set() for old in new_names}
    for new, old in back.items():
        away.setdefault(old, set()).add(new)

    return lambda name: _renamed(name, back, away)


def _renamed(name: str, back: Mapping[str, str], away: Mapping[str, set[str]]) -> str:
    """The name in `a` of a name of `b`, if what has that name in `a` is to have this one in `b`."""
    new = _longest(name, back)
    old = name if new is None else back[new] + name[len(new) :]
    moved = _longest(old, away)
    if moved is not None and name not in {to + old[len(moved) :] for to in away[moved]}:
        return f"{APART}{name}"
    return old


def _longest(name: str, paths: Iterable[str]) -> str | None:
    """The longest of the paths that `name` is, or is below."""
    return max((path for path in paths if is_below(name, path)), key=len, default=None)


def is_below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


def _check(keys: Iterable[str], names: Sequence[str], side: str, model: str) -> None:
    unknown = [key for key in keys if not any(is_below(name, key) for name in names)]
    if unknown:
        raise ValueError(
            "compare: rename must be {name in the first model: name in the second}, of arrays or "
            f"layers; got {', '.join(unknown)} on the {side}, of which the {model} model has none: "
            "ub.state(model) shows the names of its arrays"
        )
