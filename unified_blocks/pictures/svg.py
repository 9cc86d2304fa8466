"""How a picture is drawn: boxes from top to bottom, lines between them, as SVG in one colour.

The colour is that of the text around it (`currentColor`), so a picture is right on a light and on a
dark page. Each item is placed in a column, under what it takes; lines that are not straight run in
lanes on the right of the column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape

from unified_blocks.pictures.wiring import Item

BOX, ROW, GAP, LANE, PAD, HEAD = 380, 28, 16, 14, 12, 24
RING = 9
BOLD = 14.5
"""The size of a font that is as wide as the bold one of size 13."""
SHAPE_END, COUNT_END = BOX - 88, BOX - 10

STYLE = (
    "<style>svg { color: #1f2328 } "
    "@media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }</style>"
)
"""The colours of a file, which has no text around it."""

WIDTHS = {
    **dict.fromkeys("fijltrI|!.,:;'()[] ·", 0.32),
    **dict.fromkeys("mwMW@%—", 0.9),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&", 0.69),
}
"""Of characters in the fonts of systems, in parts of the font's size; of all others 0.58."""

ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What cannot be in XML, not even escaped."""


def clean(text: str) -> str:
    return escape(ILLEGAL.sub("\ufffd", text))


def wide(text: str, size: float) -> float:
    return size * sum(WIDTHS.get(character, 0.58) for character in text)


def cut(text: str, size: float, room: float) -> str:
    """`text`, or as much of it as there is room for."""
    if wide(text, size) <= room:
        return text
    while text and wide(text, size) + size > room:
        text = text[:-1]
    return f"{text}…"


def shape_words(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(str(shape) for shape in shapes)


def count_words(item: Item) -> str:
    """How many parameters a call has: `""` when none."""
    node = item.node
    if node is None or not node.shapes:
        return ""
    if node.is_shared:
        return "shared"
    return f"{item.times} × {node.count:,}" if item.times > 1 else f"{node.count:,}"


def kind_words(item: Item) -> str:
    node = item.node
    return "" if node is None else node.kind + (f" × {item.times}" if item.times > 1 else "")


def path_words(item: Item, parent: str) -> str:
    """The path of a call, as it is called in the block around it."""
    node = item.node
    if node is None:
        return ""
    path = node.path.removeprefix(f"{parent}." if parent else "")
    if item.times > 1 and item.last != node.path:
        path += f" … {item.last.removeprefix(f'{parent}.' if parent else '')}"
    if item.is_beside:
        path += ", side by side"
    return f"{path}, like {item.like}" if item.like else path


def described(item: Item, parent: str = "") -> Iterator[str]:
    """What is in the picture, in words."""
    for each in item.inside:
        if each.node is None:
            if each.role in ("entry", "exit"):
                if not parent:
                    yield f"{each.label} {shape_words(each.shapes)}"
            else:
                yield f"{each.label} gives {shape_words(each.shapes)}"
            continue
        about = f"{kind_words(each)} {path_words(each, '')}".strip()
        about += f" gives {shape_words(each.shapes)}"
        count = count_words(each)
        yield about + (f", {count} parameters" if count not in ("", "shared") else "")
        if each.inside:
            inside = "; ".join(described(each, each.node.path or "."))
            yield f"inside it: {inside}; so much for {each.node.path or each.node.kind}"


def svg(root: Item, title: str) -> str:
    """The picture of a model.

    Args:
        root: a call with items inside it.
    """
    frame = _Frame(root, title)
    width, height = frame.width + 2, frame.height + 2
    frame.place(1, 1)
    drawn = "\n".join([*frame.shapes(), *frame.lines()])
    words = clean(f"{title}: {'; '.join(described(root))}.")
    mark = "ub" + sha256(f"{title}{drawn}".encode(errors="replace")).hexdigest()[:12]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" style="max-width:100%;height:auto" role="img" '
        f'aria-labelledby="{mark}t {mark}d" fill="currentColor" '
        'font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif">\n'
        f'<title id="{mark}t">{clean(title)}</title>\n<desc id="{mark}d">{words}</desc>\n'
        f"{drawn}\n</svg>\n"
    )


def in_file(text: str) -> str:
    """A picture with colours of its own, for light and for dark pages that show it as an image."""
    return text.replace("</desc>\n", f"</desc>\n{STYLE}\n", 1)


def _text(
    x: float,
    y: float,
    text: str,
    size: float,
    anchor: str = "start",
    faint: bool = False,
) -> str:
    about = f' text-anchor="{anchor}"' if anchor != "start" else ""
    about += ' fill-opacity="0.72"' if faint else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}"{about}>{clean(text)}</text>'


def _name(x: float, y: float, kind: str, path: str, room: float) -> str:
    """The kind of a call and its path, one behind the other in any font."""
    kind = cut(kind, BOLD, room)
    room -= wide(kind, BOLD) + 8
    text = f'<text x="{x:g}" y="{y:g}" font-size="13" font-weight="600">{clean(kind)}'
    if path and room > 20:
        text += (
            '<tspan dx="8" font-size="11" font-weight="400" fill-opacity="0.72">'
            f"{clean(cut(path, 11, room))}</tspan>"
        )
    return f"{text}</text>"


def _rect(x: float, y: float, width: float, height: float, radius: float, fill: float) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" '
        f'fill-opacity="{fill:g}" stroke="currentColor" stroke-opacity="0.45"/>'
    )


def _behind(x: float, y: float, width: float, height: float) -> str:
    """The edge of another box behind this one."""
    path = f"M{x + 8:g} {y + height + 4:g}H{x + width:g}q4 0 4 -4V{y + 8:g}"
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.45"/>'


def _line(path: str, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="3 3"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.75"{dash}/>'


def _arrow(x: float, y: float, down: bool) -> str:
    """The head of an arrow that ends here, and comes from above or from the right."""
    a, b = ((-3.5, -6), (3.5, -6)) if down else ((6, -3.5), (6, 3.5))
    return f'<path d="M{x:g} {y:g}l{a[0]:g} {a[1]:g}L{x + b[0]:g} {y + b[1]:g}Z"/>'


@dataclass(eq=False)
class _Part:
    """An item at its place.

    Attributes:
        x, y: of its left upper corner.
        centre: of the column that it is in, in which lines run down.
    """

    item: Item
    width: float
    height: float
    frame: _Frame | None = None
    x: float = 0
    y: float = 0
    centre: float = 0

    @property
    def left(self) -> float:
        """How far it reaches to the left of the centre."""
        return self.frame.left if self.frame else self.width / 2

    def place(self, centre: float, y: float) -> None:
        self.x, self.y, self.centre = centre - self.left, y, centre
        if self.frame:
            self.frame.place(self.x, y)

    def shapes(self, parent: str) -> Iterator[str]:
        item, x, y = self.item, self.x, self.y
        words = cut(shape_words(item.shapes), 12, BOX / 2)
        if item.node is not None:
            yield from self.box(parent, words)
        elif self.width == 0:
            if item.role == "entry":
                yield f'<circle cx="{self.centre:g}" cy="{y:g}" r="2.5"/>'
        elif item.role == "computed":
            yield from self.ring(words)
        else:
            yield _rect(x, y, self.width, self.height, self.height / 2, 0)
            yield _text(self.centre, y + 15, f"{item.label}  {words}", 12, "middle")

    def box(self, parent: str, words: str) -> Iterator[str]:
        item, x, y = self.item, self.x, self.y
        assert item.node is not None
        kind, path = kind_words(item), path_words(item, parent)
        about = [f"{item.node.kind} {item.node.path}".strip(), words]
        about += [f"{name} {shape}" for name, shape in item.node.shapes.items()]
        told = clean("\n".join(about))
        yield f"<g><title>{told}</title>"
        if item.times > 1:
            yield _behind(x, y, self.width, self.height)
        yield _rect(x, y, self.width, self.height, 5, 0.09)
        count = count_words(item)
        end = min(SHAPE_END, COUNT_END - wide(count, 12.5) - 14)
        yield _name(x + 10, y + 18.5, kind, path, end - 32 - wide(words, 12))
        yield _text(x + end, y + 18.5, words, 12, "end")
        yield _text(x + COUNT_END, y + 18.5, count, 12, "end", faint=True)
        yield "</g>"

    def ring(self, words: str) -> Iterator[str]:
        item, y = self.item, self.y + RING
        sign, _, more = item.label.partition(" ")
        is_sign = sign in ("+", "×")
        yield (
            f'<circle cx="{self.centre:g}" cy="{y:g}" r="{RING}" fill-opacity="0.09" '
            'stroke="currentColor" stroke-opacity="0.75"/>'
        )
        if is_sign:
            yield _text(self.centre, y + 5, sign, 15, "middle")
        label = f"{more}  {words}" if is_sign else f"{item.label}  {words}"
        room = self.centre - self.x - RING - 8
        yield _text(
            self.centre - RING - 8, y + 4, cut(label.strip(), 12, room), 12, "end", faint=True
        )


@dataclass
class _Frame:
    """A call with what is inside it, drawn as a frame around that."""

    item: Item
    title: str | None = None
    parent: str = ""
    parts: list[_Part] = field(default_factory=list)
    x: float = 0
    y: float = 0

    def __post_init__(self) -> None:
        node = self.item.node
        self.path = node.path if node is not None else ""
        for each in self.item.inside:
            self.parts.append(self.part(each))
        self.left = PAD + max(part.left for part in self.parts)
        self.right = max(part.width - part.left for part in self.parts)
        self.routes = self.lanes()
        lanes = max((lane for lane, _, _ in self.routes), default=-1) + 1
        self.width = self.left + self.right + PAD + (lanes * LANE + 6 if lanes else 0)
        heights = sum(part.height for part in self.parts) + GAP * (len(self.parts) - 1)
        self.height = HEAD + heights + (0 if self.title is None else PAD)

    def part(self, item: Item) -> _Part:
        if item.inside:
            frame = _Frame(item, parent=self.path)
            return _Part(item, frame.width, frame.height, frame=frame)
        if item.node is not None:
            return _Part(item, BOX, ROW)
        if item.role == "computed":
            return _Part(item, BOX, 2 * RING)
        if self.title is None and (item.role == "exit" or item.is_only_entry):
            return _Part(item, 0, 0)
        words = wide(f"{item.label}  {shape_words(item.shapes)}", 12.5)
        return _Part(item, min(words + 24, BOX), 22)

    def lanes(self) -> list[tuple[int, int, list[int]]]:
        """The lines that are not straight: a lane, where it starts and where it ends."""
        index = {id(part.item): i for i, part in enumerate(self.parts)}
        ends: dict[int, list[int]] = {}
        for i, part in enumerate(self.parts):
            for source in part.item.sources:
                if index[id(source)] != i - 1:
                    ends.setdefault(index[id(source)], []).append(i)
        taken: list[list[tuple[int, int]]] = []
        found = []
        for start, targets in sorted(ends.items(), key=lambda each: max(each[1]) - each[0]):
            low, high = min(start, *targets), max(start, *targets)
            lane = 0
            while lane < len(taken) and any(a <= high and low <= b for a, b in taken[lane]):
                lane += 1
            if lane == len(taken):
                taken.append([])
            taken[lane].append((low, high))
            found.append((lane, start, targets))
        return found

    def place(self, x: float, y: float) -> None:
        self.x, self.y = x, y
        top = y + HEAD
        for part in self.parts:
            part.place(x + self.left, top)
            top += part.height + GAP

    def shapes(self) -> Iterator[str]:
        item, right = self.item, self.x + self.width - 10
        if item.times > 1:
            yield _behind(self.x, self.y, self.width, self.height)
        yield _rect(self.x, self.y, self.width, self.height, 7, 0.035)
        count = count_words(item)
        if self.title is not None:
            count = f"{item.node.count if item.node else 0:,} parameters"
        path = path_words(item, self.parent) if self.title is None else ""
        kind = kind_words(item) if self.title is None else self.title
        room = self.width - 36 - wide(count, 12)
        yield _name(self.x + 10, self.y + 17, kind, path, room)
        yield _text(right, self.y + 17, count, 12, "end", faint=True)
        for part in self.parts:
            yield from part.frame.shapes() if part.frame else part.shapes(self.path)

    def lines(self) -> Iterator[str]:
        for above, part in zip(self.parts, self.parts[1:], strict=False):
            if above.item in part.item.sources:
                centre, end = part.centre, part.y
                dashed = part.item.deduced
                yield _line(f"M{centre:g} {above.y + above.height:g}V{end:g}", dashed)
                if part.width:
                    yield _arrow(centre, end, down=True)
        for lane, start, targets in self.routes:
            yield from self.route(lane, self.parts[start], [self.parts[i] for i in targets])
        for part in self.parts:
            if part.frame:
                yield from part.frame.lines()

    def route(self, lane: int, start: _Part, targets: Sequence[_Part]) -> Iterator[str]:
        """A line from an item to others further down, through a lane."""
        x = self.x + self.left + self.right + 6 + lane * LANE + LANE / 2
        y, last = _out(start), max(_in(part) for part in targets)
        dashed = all(part.item.deduced for part in targets)
        yield _line(f"M{_edge(start):g} {y:g}H{x:g}V{last:g}", dashed)
        for part in targets:
            end, to = _in(part), _edge(part)
            yield _line(f"M{x:g} {end:g}H{to:g}", part.item.deduced)
            if part.width:
                yield _arrow(to, end, down=False)


def _edge(part: _Part) -> float:
    """Where lines from the right end."""
    if part.item.role == "computed":
        return part.centre + RING
    return part.x + part.width


def _out(part: _Part) -> float:
    if part.item.role == "computed" or part.item.node is None:
        return part.y + part.height / 2
    return part.y + part.height - 8


def _in(part: _Part) -> float:
    return part.y + (part.height / 2 if part.item.node is None else 9)
