"""Lines of Python as a formatter breaks them: at brackets, one argument a line where many.

Source is first written flat, a statement a line; a comment that belongs to an argument stands
behind it in `marked`.
"""

from __future__ import annotations

from collections.abc import Iterator

WIDTH = 88
BEGIN, END = "\x02", "\x03"
"""Around the comment of an argument, in what is not laid out yet."""
OPEN, CLOSE = "([{", ")]}"


def marked(comment: str) -> str:
    """A comment for behind an argument; nothing of an empty one."""
    return f"{BEGIN}{comment}{END}" if comment else ""


def laid_out(statement: str, indent: int = 0, width: int = WIDTH) -> list[str]:
    """A flat statement, as lines that are as short as they must be.

    Args:
        statement: on one line, with marked comments.
        indent: how many columns it is moved.
        width: of the longest line.
    """
    text, comment = _split(statement)
    return _broken(" " * indent, text, "", comment, width)


def _split(text: str) -> tuple[str, str]:
    """A text without the marked comment at its end, and that comment."""
    if not text.endswith(END):
        return text, ""
    start = text.rindex(BEGIN)
    return text[:start], text[start + 1 : -1]


def _broken(pad: str, text: str, tail: str, comment: str, width: int) -> list[str]:
    """One expression with what follows it (`tail`), broken where it has to be."""
    note = f"  # {comment}" if comment else ""
    line = f"{pad}{text}{tail}{note}"
    if BEGIN not in text and len(line) <= width:
        return [line]
    if comment and BEGIN not in text and len(pad + text + tail) <= width:
        return [pad + text + tail]  # what is said is not worth more lines
    start, end = _brackets(text)
    if start < 0:
        return [f"{pad}{text}{tail}"] if len(line) > width else [line]
    head, inner, rest = text[: start + 1], text[start + 1 : end], text[end:]
    parts = list(_arguments(inner))
    if _is_loop(inner):
        return [f"{pad}{head}", *_loop(pad + "    ", inner, width), f"{pad}{rest}{tail}{note}"]
    lines = [pad + head]
    joined = f"{pad}    {inner}"
    if BEGIN not in inner and len(joined) <= width and not _is_container(head, parts):
        lines.append(joined)
    else:
        for part in parts:
            plain, own = _split(part)
            lines += _broken(pad + "    ", plain, ",", own, width)
    if (last := f"{pad}{rest}{tail}{note}") and len(last) > width and comment:
        return [*lines, f"{pad}{rest}{tail}"]
    return [*lines, last]


def _is_container(head: str, parts: list[str]) -> bool:
    """Whether each argument has a line of its own, as the layers of a sequence have."""
    return len(parts) > 1 and any("(" in part for part in parts) and not head.startswith("return ")


def _is_loop(inner: str) -> bool:
    """Whether a bracket holds a loop, behind which no comma may stand."""
    return any(word == "for" for word in _words(inner))


def _loop(pad: str, inner: str, width: int) -> list[str]:
    if BEGIN not in inner and len(pad + inner) <= width:
        return [pad + inner]
    cut = next(place for word, place in _placed(inner) if word == "for")
    body, ranges = inner[:cut].rstrip(), inner[cut:]
    return [*_broken(pad, body, "", "", width), pad + ranges]


def _words(text: str) -> Iterator[str]:
    return (word for word, _ in _placed(text))


def _placed(text: str) -> Iterator[tuple[str, int]]:
    """The words of a text that are in no bracket and no string, and where they begin."""
    start = None
    for place, character, depth in _scanned(text + " "):
        if depth == 0 and character.isidentifier():
            start = place if start is None else start
        elif start is not None:
            yield text[start:place], start
            start = None


def _scanned(text: str) -> Iterator[tuple[int, str, int]]:
    """Each character that is in no string or comment, and how many brackets are around it."""
    depth, quote, escaped, noted = 0, "", False, False
    for place, character in enumerate(text):
        if noted:
            noted = character != END
        elif quote:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == quote:
                quote = ""
        elif character == BEGIN:
            noted = True
        elif character in "\"'":
            quote = character
        else:
            if character in CLOSE:
                depth -= 1
            yield place, character, depth
            if character in OPEN:
                depth += 1


def _brackets(text: str) -> tuple[int, int]:
    """The last pair of brackets that holds something, where a line is broken first."""
    pairs, start = [], -1
    for place, character, depth in _scanned(text):
        if depth == 0 and character in OPEN:
            start = place
        elif depth == 0 and character in CLOSE and place > start + 1:
            pairs.append((start, place))
    return pairs[-1] if pairs else (-1, -1)


def _arguments(inner: str) -> Iterator[str]:
    """What commas divide, each with its marked comment."""
    start = 0
    for place, character, depth in _scanned(inner):
        if depth == 0 and character == ",":
            yield inner[start:place].strip()
            start = place + 1
    if inner[start:].strip():
        yield inner[start:].strip()
