"""What a comparison of two models found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from unified_blocks.equivalence.causes.table import sentence
from unified_blocks.errors import NotEquivalentError
from unified_blocks.reference.policy import Deviation
from unified_blocks.reference.rows import Row, either


@dataclass(frozen=True)
class FirstDifference:
    """Where two models differ first.

    Attributes:
        name: of the parameter or the call at fault, `"dense#2"`; `"(model)"` for the model's own
            forward.
        what: `"parameter"`, `"call"`, `"output"`, `"gradient"`, `"statistic"` or `"loss"`.
        row: what differs there.
        cause: its identifier in `unified_blocks.equivalence.causes.table`, or `"unknown"`.
        after: the last call inside the block at fault that agreed: the fault lies after it.
        detail: what the numbers say beyond the cause: whose they are.
    """

    name: str
    what: str
    row: Row
    cause: str
    after: str | None = None
    detail: str | None = None

    def __str__(self) -> str:
        place = f"{self.what} {self.name}"
        if self.after is not None:
            place += f", after {self.after}"
        return f"{place}: {self.cause}. {self.detail or sentence(self.cause)}"


@dataclass(frozen=True)
class Comparison:
    """What `ub.compare` found; true when the two models are equivalent.

    Attributes:
        a, b: the models in words.
        mode: how they were compared.
        rows: parameters, then calls in execution order, then what the mode adds.
        first_difference: None when they are equivalent.
        notes: what was not compared, and why.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        found = ub.compare(net, net, np.ones((2, 20), "float32"), mode="saved")
        found.ok  # True
        [row.name for row in found.rows]
    """

    a: str
    b: str
    mode: str
    rows: Sequence[Row]
    first_difference: FirstDifference | None = None
    notes: Sequence[str] = field(default=())

    @property
    def ok(self) -> bool:
        return self.first_difference is None

    def __bool__(self) -> bool:
        return self.ok

    @property
    def cause(self) -> str | None:
        """The cause of the first difference, if there is one."""
        return self.first_difference.cause if self.first_difference else None

    @property
    def deviation(self) -> Deviation:
        """The worst of all rows."""
        return Deviation(
            max((row.share for row in self.rows), default=0.0),
            max((row.absolute for row in self.rows), default=0.0),
        )

    def raise_if_different(self) -> None:
        """Raise `NotEquivalentError`, with the table as its text, unless they are equivalent."""
        if not self.ok:
            error = NotEquivalentError(f"the models must be equivalent; got\n{self}")
            error.deviation, error.comparison = self.deviation, self
            raise error

    def to_html(self) -> str:
        """A page with the verdict, a picture and a table of all rows, in one file of HTML.

        Raises:
            ImportError: without Jinja2 and Plotly, the extra `report`.

        Example::

            from pathlib import Path
            net, x = ub.build(ub.MLP(256, 10), (2, 20)), np.ones((2, 20), "float32")
            page = ub.compare(net, net, x).to_html()
            Path("comparison.html").write_text(page, encoding="utf-8")
        """
        from unified_blocks.equivalence.page import comparison_page

        return comparison_page(self)

    def __str__(self) -> str:
        """A table of all that was compared; the first difference is marked."""
        head = (
            "",
            "what",
            "name",
            "shape",
            "dtype",
            "absolute",
            "relative",
            "ulp",
            "of allowed",
            "",
        )
        first = self.first_difference
        lines: list[tuple[str, ...]] = [head]
        for row in self.rows:
            mark = ">" if first is not None and row is first.row else "!" if not row.ok else ""
            lines.append((mark, row.what, row.name, *_cells(row)))
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        table = [
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        verdict = "equivalent" if first is None else f"different, first in {first}"
        return "\n".join([f"{self.a} and {self.b}, {self.mode}: {verdict}", *self.notes, *table])


def _cells(row: Row) -> tuple[str, ...]:
    return (
        either(row.shapes),
        either(row.dtypes),
        f"{row.absolute:.2e}",
        f"{row.relative:.2e}",
        f"{row.ulp:.3g}",
        f"{row.share:.2e}" + (f" at {list(row.at)}" if row.at and not row.ok else ""),
        row.remark,
    )
