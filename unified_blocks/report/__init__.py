"""The equivalence of models as a page: one HTML file that needs no network and no server.

    Path("matrix.html").write_text(matrix_page(cells(records), records), encoding="utf-8")

Needs Jinja2 and Plotly: `pip install "unified-blocks[report]"`.
"""

try:
    import jinja2  # noqa: F401  # said here once, for all who import a page
    import plotly  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"a report must have Jinja2 and Plotly to be made with; got: {error}; "
        'run: pip install "unified-blocks[report]"'
    ) from error

from unified_blocks.report.pages import comparison_page, matrix_page

__all__ = ["comparison_page", "matrix_page"]
