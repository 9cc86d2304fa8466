"""Names for what is written: of classes, arguments and variables."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

GENERIC = {"", "Sequential", "HybridSequential", "Concurrent", "HybridConcurrent", "HybridBlock"}
"""Kinds of blocks that say nothing of what is in them."""


def camel(name: str) -> str:
    """A name as classes have it: `resnet18_v1` is `Resnet18V1`; one that is so stays.

    Numbers stay apart: `mobilenet1.0` is `Mobilenet1_0`.
    """
    apart = re.sub(r"(?<=\d)[^0-9A-Za-z]+(?=\d)", "_", name)
    words = [word for word in re.split(r"(?<!\d)_|_(?!\d)|[^0-9A-Za-z_]+", apart) if word]
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return f"Net{joined}" if not joined or joined[0].isdigit() else joined


def network_name(name: str) -> str:
    """What a network is called: one whose class says nothing of it is a `Net`."""
    return "Net" if name in GENERIC else name


def snake(name: str) -> str:
    """A name as variables have it."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    plain = re.sub(r"[^0-9a-zA-Z]+", "_", spaced).strip("_").lower()
    plain = f"x{plain}" if not plain or plain[0].isdigit() else plain
    return f"{plain}_" if keyword.iskeyword(plain) or plain == "self" else plain


def is_name(name: str) -> bool:
    """Whether it can be an attribute as it is."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")


def distinct(name: str, taken: Iterable[str]) -> str:
    """A name that is not taken: with a number behind it where it must be."""
    used = set(taken)
    number, found = 2, name
    while found in used:
        joint = "_" if name[-1:].isdigit() else ""
        found, number = f"{name}{joint}{number}", number + 1
    return found
