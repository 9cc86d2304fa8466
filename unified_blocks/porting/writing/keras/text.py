"""Statements laid out in lines, as ruff does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 88


@dataclass(frozen=True)
class Bracketed:
    """What stands before a bracket, in it, and its two signs."""

    before: Text
    items: tuple[Text, ...]
    brackets: str = "()"


Text: TypeAlias = "str | Bracketed | tuple[str, Bracketed]"
"""A pair is a keyword, and what it is."""


def flat(text: Text) -> str:
    """In one line."""
    if isinstance(text, str):
        return text
    if isinstance(text, tuple):
        return text[0] + flat(text[1])
    inner = ", ".join(map(flat, text.items))
    if text.brackets == "()" and text.before == "" and len(text.items) == 1:
        inner += ","
    return flat(text.before) + text.brackets[0] + inner + text.brackets[1]


def laid(text: Text, indent: int, before: str = "", after: str = "") -> list[str]:
    """The lines of a statement.

    Args:
        text: what may be divided.
        indent: how far in it stands.
        before, after: what stands before and after it in the statement.
    """
    margin = " " * indent
    if isinstance(text, tuple):
        return laid(text[1], indent, before + text[0], after)
    whole = margin + before + flat(text) + after
    if len(whole) <= WIDTH or isinstance(text, str):
        return [whole]
    opening, closing = text.brackets
    head = margin + before + flat(text.before) + opening
    if isinstance(text.before, Bracketed) and (len(head) > WIDTH or not text.items):
        call = opening + ", ".join(map(flat, text.items)) + closing
        return laid(text.before, indent, before, call + after)
    if not text.items:
        return [whole]
    return [head, *_inner(text, indent + 4), margin + closing + after]


def _inner(text: Bracketed, indent: int) -> list[str]:
    alone = text.brackets == "()" and text.before == "" and len(text.items) == 1
    together = " " * indent + ", ".join(map(flat, text.items)) + ("," if alone else "")
    if len(together) <= WIDTH:
        return [together]
    if len(text.items) == 1:
        return laid(text.items[0], indent, after="," if alone else "")
    return [line for each in text.items for line in laid(each, indent, after=",")]


def wrapped(words: str, first: int = 0, width: int = WIDTH) -> list[str]:
    """Prose in lines; `first` characters of the first line are taken."""
    lines, room = [""], width - first
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
            room = width
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def block(lines: Sequence[str], indent: int = 4) -> list[str]:
    """Lines further in."""
    return [" " * indent + line if line else "" for line in lines]
