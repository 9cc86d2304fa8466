"""Statements laid out in lines, as ruff does."""

from __future__ import annotations

import textwrap
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
        keyword, value = text
        return keyword + flat(value)
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
        keyword, value = text
        return laid(value, indent, before + keyword, after)
    whole = margin + before + flat(text) + after
    if len(whole) <= WIDTH or isinstance(text, str):
        return [whole]
    opening, closing = text.brackets[0], text.brackets[1]
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
    lines = [laid(each, indent, after=",") for each in text.items]
    return [line for each in lines for line in each]


def wrapped(words: str) -> list[str]:
    """Prose in lines."""
    return textwrap.wrap(words, WIDTH)
