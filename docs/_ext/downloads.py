"""Pages that run as notebooks: each can be downloaded, and stands alone.

A downloaded notebook begins with a cell that installs what it needs on a bare machine. The wheel of
this library, which is built with the site, lies beside it.
"""

import posixpath
import re
import subprocess
import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from myst_nb.sphinx_ext import OUTPUT_FOLDER

SECTIONS = ("start", "chapter", "capitulo", "gallery")
FOLDER = "notebooks"
TWINS = {"chapter": ("capitulo", "pt-BR", "Português"), "capitulo": ("chapter", "en", "English")}
WHEEL = re.compile(r"unified_blocks-.*\.whl")
INSTALL = """\
%pip install -q --find-links . "unified-blocks[torch,tensorflow,demo,notebook]"
%pip install -q --no-deps mxnet==1.9.1
%pip install -q requests "graphviz<0.9" setuptools
import setuptools  # MXNet imports distutils, which newer Pythons have from it"""
ABOUT = {
    "en": "The next cell installs what this notebook needs, on Python 3.11 to 3.13. Put `{wheel}`, "
    "which lies beside this notebook, into the same folder.",
    "pt-BR": "A próxima célula instala o que este notebook precisa, em Python 3.11 a 3.13. Ponha "
    "`{wheel}`, que está ao lado deste notebook, na mesma pasta.",
}
LINK = re.compile(r"(\]\()(?!https?:|#)([^)\s]+?)\.md((?:#[^)\s]*)?\))")


def is_notebook(env, page: str) -> bool:
    return page in env.metadata and "kernelspec" in env.metadata[page]


def offered(env) -> list[str]:
    """The pages that can be downloaded."""
    pages = sorted(env.found_docs)
    return [page for page in pages if page.split("/")[0] in SECTIONS and is_notebook(env, page)]


def about_the_page(app, page, template, context, doctree) -> None:
    """Tells the template where the page's notebook is, and the page in the other language."""
    section, _, rest = page.partition("/")
    if page in offered(app.env):
        context["notebook"] = f"{FOLDER}/{page.replace('/', '-')}.ipynb"
    if section in TWINS:
        other, language, name = TWINS[section]
        if f"{other}/{rest}" in app.env.found_docs:
            context |= {"twin": f"{other}/{rest}", "twin_language": language, "twin_name": name}


def within(section: str):
    """How a link of a page becomes one from the notebook's folder to a page of the site."""
    return lambda found: (
        f"{found[1]}{posixpath.normpath(f'../{section}/{found[2]}')}.html{found[3]}"
    )


def shown(outputs: list) -> list:
    """What a page shows of a cell's outputs: all that was printed, as one; no warnings."""
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    stream = [nbformat.v4.new_output("stream", text=printed)] if printed else []
    return stream + [
        output
        for output in outputs
        if output.output_type == "error" or output.get("data", {}).get("text/plain")
    ]


def standing_alone(notebook, page: str, wheel: str):
    """The notebook that a reader gets."""
    section = page.split("/")[0]
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cells.append(nbformat.v4.new_code_cell(cell.source, outputs=shown(cell.outputs)))
        elif text := cell.source.strip():
            cells.append(nbformat.v4.new_markdown_cell(LINK.sub(within(section), text)))
    about = ABOUT["pt-BR" if section == "capitulo" else "en"].format(wheel=wheel)
    first = [nbformat.v4.new_markdown_cell(about), nbformat.v4.new_code_cell(INSTALL)]
    metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    at = next(n for n, cell in enumerate(cells) if cell.cell_type == "code")
    alone = nbformat.v4.new_notebook(cells=[*cells[:at], *first, *cells[at:]], metadata=metadata)
    for n, cell in enumerate(alone.cells):
        cell["id"] = f"cell-{n}"  # the same in each build
    return alone


def build_the_wheel(folder: Path) -> str:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = (path.name for path in folder.iterdir() if WHEEL.fullmatch(path.name))
    return wheel


def write(app, exception) -> None:
    """Writes the notebooks into the site."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    wheel = build_the_wheel(folder)
    read = Path(app.outdir).parent / OUTPUT_FOLDER
    cache = get_cache(app.config.nb_execution_cache_path)
    for page in offered(app.env):
        notebook = nbformat.read(read / f"{page}.ipynb", as_version=4)
        _, notebook = cache.merge_match_into_notebook(notebook)  # what it printed is there
        alone = standing_alone(notebook, page, wheel)
        nbformat.validate(alone)
        nbformat.write(alone, folder / f"{page.replace('/', '-')}.ipynb")


def setup(app):
    app.connect("html-page-context", about_the_page)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
