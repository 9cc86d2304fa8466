"""A page, made from its template, its figures and its content."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from unified_blocks.reference.rows import either
from unified_blocks.report.figures import SYMBOLS, Figure
from unified_blocks.report.words import number


def page(template: str, drawn: dict[str, Figure], **content: Any) -> str:
    """The HTML of a page.

    Args:
        template: its name in the folder `templates`.
        drawn: the figures, by the id of the element that shows each.
        content: the variables of the template.
    """
    environment = Environment(
        loader=PackageLoader("unified_blocks.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    environment.filters |= {"number": number, "either": either}
    environment.globals |= {"symbols": SYMBOLS, "zip": zip}
    return environment.get_template(template).render(
        plotly=get_plotlyjs(), figures=drawn, **content
    )
