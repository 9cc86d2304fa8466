"""Names of one model turned into those of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from unified_blocks.models.transfer import Rename


def renaming(rename: Rename | None, names: Sequence[str]) -> Callable[[str], str]:
    """A function that turns a path or name of `b` into that of `a`, whose names are `names`."""
    if rename is None:
        return lambda name: name
    # As of a transfer from `a` to `b`: what is renamed are names in `a`.
    if isinstance(rename, Mapping):
        back = {new: old for old, new in rename.items()}
    else:
        back = {new: old for old in names if (new := rename(old)) is not None}
    for new, old in list(back.items()):
        while new and old.rpartition(".")[2] == new.rpartition(".")[2]:  # of a layer's array
            new, old = new.rpartition(".")[0], old.rpartition(".")[0]
            if new and old:
                back.setdefault(new, old)

    def renamed(name: str) -> str:
        below = [new for new in back if name == new or name.startswith(f"{new}.")]
        longest = max(below, key=len, default=None)
        return name if longest is None else back[longest] + name[len(longest) :]

    return renamed
