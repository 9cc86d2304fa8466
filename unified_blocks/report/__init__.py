"""Pages of reports: each is one file of HTML that needs neither a network nor a server.

Needs Jinja2 and Plotly: `pip install "unified-blocks[report]"`.
"""

try:
    import jinja2  # noqa: F401  # checked here, for every page
    import plotly  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"a report needs Jinja2 and Plotly, which cannot be imported ({error}); "
        'run: pip install "unified-blocks[report]"'
    ) from error
