"""How a page is drawn: one file of HTML that needs no network and no server.

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
