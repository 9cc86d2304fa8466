"""The equivalence matrix: cases × backends × dtypes × modes, each cell from records.

It needs only NumPy: the records hold the results of the frameworks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from unified_blocks.equivalence.alignment import align, encloses
from unified_blocks.equivalence.layouts import Layouts, Move, brought, chosen_move, declared, told
from unified_blocks.equivalence.matrix.records import Entry, Key, Record
from unified_blocks.equivalence.watching import WHOLE
from unified_blocks.errors import DifferentCasesError
from unified_blocks.reference.policy import Kind
from unified_blocks.reference.rows import Row, What, compared
from unified_blocks.types import Array

CellStatus = Literal["ok", "differs", "unsupported", "error"]
REFERENCES = {"compiled": "eager", "saved": "saved"}
"""What a mode is compared with, when it is not the reference."""

WHATS: dict[str, What] = {
    "state": "parameter",
    "input": "input",
    "output": "output",
    "gradient": "gradient",
    "loss": "loss",
}


@dataclass(frozen=True)
class Cell:
    """How far one backend is from the expected result and from the other backends, in one mode.

    Attributes:
        backend: its name, with the version of its framework if another record has the same name.
        status: `"differs"` when it is out of the policy of `unified_blocks.reference.policy`.
        share: the worst difference as a share of what is allowed there; above 1 is too much.
        absolute: the worst absolute difference.
        where: the first array that is out of the policy, in the order of computation; when none
            is, the worst.
        against: what it was compared with: `"reference"`, `"eager"`, `"saved"`, or the name of
            another backend; empty when there was nothing to compare with.
        reason: why there was nothing to compare with.
        rows: each array, compared with the result that it is furthest from.
    """

    case: str
    backend: str
    device: str
    dtype: str
    mode: str
    status: CellStatus
    share: float = 0.0
    absolute: float = 0.0
    against: str = ""
    where: str = ""
    reason: str = ""
    rows: list[Row] = field(default_factory=list, repr=False)

    @property
    def ok(self) -> bool:
        return self.status in ("ok", "unsupported")


def cells(records: Sequence[Record]) -> list[Cell]:
    """Every cell of the matrix.

    A backend is compared with the expected result and with every other backend, because two
    frameworks can share a mistake. One that is wrong must not count against the others: each is
    compared with the backends that agree with the expected result or, where there is none, with the
    largest group that agrees.

    Raises:
        DifferentCasesError: (a `ValueError`) for records of other cases, or the same backend twice.
    """
    check_comparable(records)
    named = by_distinct_name(records)
    found = []
    for key in records[0].entries if records else ():
        done = {n: r.entries[key] for n, r in named.items() if r.entries[key].status == "done"}
        apart = {
            (name, other): between(
                key, done[other], done[name], layouts_of(named[other], named[name])
            )
            for name in done
            for other in done
            if other != name
        }
        expected = {name: against_expected(key, entry) for name, entry in done.items()}
        sound = sound_ones(apart, expected)
        for name, record in named.items():
            comparisons = {other: rows for (n, other), rows in apart.items() if n == name}
            comparisons = {other: rows for other, rows in comparisons.items() if other in sound}
            if expected.get(name):
                comparisons[REFERENCES.get(key[2], "reference")] = expected[name]
            found.append(_cell(key, name, record, comparisons))
    return found


def check_comparable(records: Sequence[Record]) -> None:
    """Raise `DifferentCasesError` unless all records are of the same cases, dtypes and modes."""
    for record in records[1:]:
        first = records[0]
        for case in {**first.cases, **record.cases}:
            if first.cases.get(case) != record.cases.get(case):
                missing = [r for r in (first, record) if case not in r.cases]
                problem = (
                    f"no {case} from {title(missing[0])}"
                    if missing
                    else f"another {case} from {title(first)} than from {title(record)}"
                )
                raise _different(problem)
        for a, b in ((first, record), (record, first)):
            if lacking := [key for key in a.entries if key not in b.entries]:
                case, dtype, mode = lacking[0]
                raise _different(f"no {mode} of {case} in {dtype} from {title(b)}")
    said = [(record, record.layouts[0]) for record in records if record.layouts is not None]
    for record, layout in said[1:]:
        if layout != said[0][1]:
            raise _different(
                f"inputs in {said[0][1]} from {title(said[0][0])}, and in {layout} from "
                f"{title(record)}"
            )


def _different(problem: str) -> DifferentCasesError:
    return DifferentCasesError(
        f"records that are compared must be of the same cases, dtypes and modes; got {problem}: "
        "record again with the same version of unified-blocks and the same options"
    )


def title(record: Record) -> str:
    """The backend, framework and device of a record, in words."""
    return f"{record.backend} {record.framework} on {record.device}"


def by_distinct_name(records: Sequence[Record]) -> dict[str, Record]:
    """The records by unique names: backend, with device and version if needed."""
    fields: list[Callable[[Record], str]] = [
        lambda r: r.backend,
        lambda r: f"{r.backend} {r.device}",
        lambda r: f"{r.backend} {r.framework}",
        title,
    ]
    for name in fields:
        named = {name(record): record for record in records}
        if len(named) == len(records):
            return named
    twice = next(title(r) for i, r in enumerate(records) if title(r) in map(title, records[:i]))
    raise DifferentCasesError(
        f"records that are compared must be of different backends, versions or devices; got two of "
        f"{twice}: leave one out"
    )


def sound_ones(apart: dict[tuple[str, str], list[Row]], expected: dict[str, list[Row]]) -> set[str]:
    """The backends that others are compared with: those that agree with most.

    The expected result counts for more than all backends together.
    """
    counts = {
        name: len(expected) * bool(rows and all(row.ok for row in rows))
        for name, rows in expected.items()
    }
    for (name, _), rows in apart.items():
        counts[name] += all(row.ok for row in rows)
    return {name for name, count in counts.items() if count == max(counts.values())}


def _cell(key: Key, name: str, record: Record, comparisons: dict[str, list[Row]]) -> Cell:
    case, dtype, mode = key
    about = (case, name, record.device, dtype, mode)
    entry = record.entries[key]
    if entry.status != "done":
        return Cell(*about, entry.status, reason=entry.reason)
    if len(comparisons) == bool(entry.expected) and not is_known(entry):
        return Cell(*about, "unsupported", reason="there is nothing to compare with")
    worst: dict[str, tuple[Row, str]] = {}
    for against, compared_rows in comparisons.items():
        for row in compared_rows:
            if row.name not in worst or _size(row) >= _size(worst[row.name][0]):
                worst[row.name] = (row, against)
    found = list(worst.values())
    largest = max(found, key=lambda pair: _size(pair[0]))
    where, against = next((pair for pair in found if not pair[0].ok), largest)
    return Cell(
        *about,
        "ok" if largest[0].ok else "differs",
        largest[0].share,
        max(row.absolute for row, _ in found),
        against,
        where.name,
        rows=[row for row, _ in found],
    )


def _size(row: Row) -> tuple[float, float]:
    return (row.share, row.absolute)


def is_known(entry: Entry) -> bool:
    """Whether all results are expected: not those inside, and not what they were made from."""
    results = {n for n in entry.arrays if n.partition("/")[0] not in ("state", "input")}
    return results <= entry.expected.keys()


def against_expected(key: Key, entry: Entry) -> list[Row]:
    """The arrays of an entry, compared with what is expected."""
    _, dtype, mode = key
    rows = []
    for name, expected in entry.expected.items():
        right = entry.dtype_of(name) if name == "input" else dtype
        rows.append(_row(mode, name, entry, entry.arrays[name], expected, right))
    return rows


def layouts_of(a: Record, b: Record) -> Layouts:
    """The layouts in which the models of two records took and gave images."""
    given = next((record.layouts[0] for record in (a, b) if record.layouts), None)
    if given is None:
        return Layouts()
    return declared([record.layouts[1] if record.layouts else given for record in (a, b)])


def between(key: Key, a: Entry, b: Entry, layouts: Layouts) -> list[Row]:
    """The arrays and calls of two entries, compared, `a` having those expected."""
    rows: list[Row] = []
    names = list(dict.fromkeys((*b.arrays, *a.arrays)))
    first = next((name for name in names if what_of(name) == "output"), None)
    for name in names:
        if name == first:  # calls come after the state, and before what they give
            rows += calls_between(a, b, layouts)
        if name in a.arrays and name in b.arrays:
            rows.append(row_between(key[2], name, a, b, layouts))
        else:
            rows.append(compared(name, what_of(name), a.arrays.get(name), b.arrays.get(name)))
    return rows


def row_between(mode: str, name: str, a: Entry, b: Entry, layouts: Layouts) -> Row:
    """An array of two entries; one of the models' own images is brought to the layout of `a`."""
    x, y, dtype = a.arrays[name], b.arrays[name], a.dtype_of(name)
    of_images = what_of(name) in ("input", "output") or name == "gradient/x"
    moves: list[Move] = [None, layouts.move] if of_images and layouts.move else [None]
    move = chosen_move(x, y, dtype, moves)
    found = brought(y, move)
    row = _row(mode, name, b, found, x, dtype)
    return row if found is y else told(row, y, move)


def calls_between(a: Entry, b: Entry, layouts: Layouts) -> list[Row]:
    """The calls that both entries have, compared.

    A block may compute a result in any way: calls inside it are compared only where the results
    differ.
    """
    pairs = align(a.calls, b.calls, str, layouts)
    same = [pair.a for pair in pairs if pair.gives_the_same]
    return [
        replace(row, name=f"call/{row.name}")
        for pair in pairs
        if pair.left_out is None and pair.name != WHOLE
        if not any(encloses(call, pair.a) for call in same)
        for row in pair.outputs
    ]


def _row(mode: str, name: str, entry: Entry, found: Array, expected: Array, dtype: str) -> Row:
    dtypes = (dtype, entry.dtype_of(name))
    return compared(name, what_of(name), expected, found, kind_of(mode, name), dtypes)


def what_of(name: str) -> What:
    """The kind of an array, from its name."""
    return WHATS[name.partition("/")[0]]


def kind_of(mode: str, name: str) -> Kind:
    """How the numbers of an array were computed, from its name."""
    if mode == "training":
        return "trained"
    return "copied" if what_of(name) in ("parameter", "input") else "summed"
