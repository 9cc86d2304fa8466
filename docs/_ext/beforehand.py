"""The cells of all pages run before the pages are read, several notebooks at a time.

What they print goes to the cache that MyST-NB looks into. A notebook that fails is not in it, so
that MyST-NB runs it again, and tells what went wrong. Pages whose cells are the same, in two
languages, run once.
"""

import os
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
        return single_nb_execution(notebook, folder, timeout, allow_errors=False)


def run_all(app, env, pages: list[str]) -> None:
    """Run what the cache does not have."""
    cache = get_cache(app.config.nb_execution_cache_path)
    waiting = {}
    for page in pages:
        notebook = notebook_of(env, page)
        if notebook is not None and not is_cached(cache, notebook):
            code = tuple(cell.source for cell in notebook.cells if cell.cell_type == "code")
            waiting.setdefault(code, (page, notebook))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {
            page: pool.submit(executed, notebook, app.config.nb_execution_timeout)
            for page, notebook in waiting.values()
        }
        for page, result in ((page, future.result()) for page, future in running.items()):
            logger.info("%s: ran in %.1f s", page, result.time)
            if result.err is None:
                data = {"execution_seconds": result.time}
                bundle = CacheBundleIn(result.nb, env.doc2path(page), data=data)
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app):
    app.connect("env-before-read-docs", run_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
