"""The cells of all pages run before the pages are read, several notebooks at a time.

What they print goes to the cache that MyST-NB looks into. A notebook that fails is not in it, so
that MyST-NB runs it again, and tells what went wrong. Pages whose cells are the same, in two
languages, run once.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from sphinx.util import logging

AT_ONCE = min(4, os.cpu_count() or 1)
"""A notebook computes in one thread, and needs 2 GB with all frameworks."""
COLOURS = re.compile(r"\x1b\[[\d;]*m")
logger = logging.getLogger(__name__)


def notebook_of(env, page: str):
    """A page as a notebook; None when it has no cells that run."""
    path = env.doc2path(page)
    text = Path(path).read_text(encoding="utf-8")
    reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)
    return None if reader is None else reader.read(text)


def is_cached(cache, notebook) -> bool:
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def executed(notebook, timeout: int) -> ExecutionResult:
    """What came of running a notebook in a folder and a kernel of its own."""
    with TemporaryDirectory() as folder:
        result = single_nb_execution(notebook, folder, timeout, allow_errors=False)
    for cell in result.nb.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    return result


def joined(outputs: list) -> list:
    """Outputs, with what was printed piece by piece as one text: MyST-NB would begin new lines.

    Without colours, which are for a terminal.
    """
    found, streams = [], {}
    for output in outputs:
        if output.output_type == "stream" and output.name in streams:
            streams[output.name].text += output.text
            continue
        if output.output_type == "stream":
            streams[output.name] = output
        found.append(output)
    for output in streams.values():
        output.text = COLOURS.sub("", output.text)
    return found


def programs(code: tuple[str, ...]) -> int:
    """How many cells start programs, which is what takes long."""
    return sum(cell.startswith("%%bash") for cell in code)


def not_run(app, env, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Pages that did not change, but that the cache lacks."""
    cache = get_cache(app.config.nb_execution_cache_path)
    same = env.found_docs - added - changed
    books = {page: notebook_of(env, page) for page in sorted(same)}
    return [page for page, book in books.items() if book is not None and not is_cached(cache, book)]


def run_all(app, env, pages: list[str]) -> None:
    """Run what the cache does not have."""
    cache = get_cache(app.config.nb_execution_cache_path)
    waiting = {}
    for page in pages:
        notebook = notebook_of(env, page)
        if notebook is not None and not is_cached(cache, notebook):
            code = tuple(cell.source for cell in notebook.cells if cell.cell_type == "code")
            waiting.setdefault(code, (page, notebook))
    longest_first = sorted(waiting, key=programs, reverse=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {
            page: pool.submit(executed, notebook, app.config.nb_execution_timeout)
            for page, notebook in map(waiting.get, longest_first)
        }
        for page, result in ((page, future.result()) for page, future in running.items()):
            logger.info("%s: ran in %.1f s", page, result.time)
            if result.err is None:
                data = {"execution_seconds": result.time}
                bundle = CacheBundleIn(result.nb, env.doc2path(page), data=data)
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app):
    app.connect("env-get-outdated", not_run)
    app.connect("env-before-read-docs", run_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
