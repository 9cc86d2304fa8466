"""How the documentation becomes a site: `tox run -e docs`."""

import hashlib
import os
import re
import sys
from importlib import metadata
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS / "_ext"))

project = "Unified Blocks"
author = "the authors of Unified Blocks"
html_title = project
language = "en"

extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "beforehand",
    "downloads",
    "reference",
    "tabs",
]
exclude_patterns = ["listings", "records", "_*"]
default_role = "code"
napoleon_custom_sections = ["Shape", "Canonical weights", "Properties", "Source"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4  # links to headings are checked

# The look: no font, no script and no picture comes from elsewhere.
html_theme = "furo"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
templates_path = ["_templates"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_show_search_summary = False  # it would fetch pages, which browsers refuse from a disk

# The cells run when the site is built, and an error in one ends the build.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 600
nb_execution_in_temp = True  # what cells write is no part of the site
nb_merge_streams = True
nb_output_stderr = "remove"
nb_render_markdown_format = "myst"  # tables that cells make

os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "TF_CPP_MIN_LOG_LEVEL": "2"}
os.environ["UNIFIED_BLOCKS_EXAMPLES"] = str(ROOT / "examples")  # which cells run, too
WEIGHTS = DOCS / "_ext" / "weights.py"  # which a cell runs
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [os.environ.get("PYTHONPATH"), str(WEIGHTS.parent)])
)


def what_cells_depend_on() -> str:
    """The package, its examples and the frameworks, as one short hash: what a cache is good for.

    Not the records of what cells print where a framework is missing: none is, where this runs.
    """
    found = hashlib.sha256()
    found.update(WEIGHTS.read_bytes())
    for folder in ("unified_blocks", "backends", "examples", "docs/records"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".json", ".toml"} and path.name != "records.json":
                found.update(path.relative_to(ROOT).as_posix().encode())
                found.update(path.read_bytes())
    for package in ("torch", "tensorflow", "tensorflow-cpu", "keras", "mxnet", "numpy"):
        try:
            found.update(f"{package} {metadata.version(package)}".encode())
        except metadata.PackageNotFoundError:
            continue
    return found.hexdigest()[:16]


CACHE = Path(os.environ.get("UNIFIED_BLOCKS_DOCS_CACHE", ROOT / ".tox" / "docs-cache"))
nb_execution_cache_path = str(CACHE / what_cells_depend_on())


def last_changes(app, page, template, context, doctree):
    """Pages of `capitulo/` are in Portuguese; an empty corner of a table is no heading."""
    if page.startswith("capitulo/"):
        context["language"] = "pt-BR"
    if "body" in context:
        corner = r'<th class="head[^"]*"><p></p></th>'
        context["body"] = re.sub(corner, "<td></td>", context["body"])


def setup(app):
    app.connect("html-page-context", last_changes)
