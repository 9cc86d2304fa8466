"""What runs the notebooks before the pages are read."""

import importlib

import pytest

from testbed.where import ROOT

for package in ("sphinx", "myst_nb", "jupyter_cache"):
    pytest.importorskip(package, reason="what builds the site is not installed")

from nbformat.v4 import new_output


@pytest.fixture
def beforehand(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs" / "_ext")
    return importlib.import_module("beforehand")


def test_pieces_of_what_was_printed_become_one_text_without_colours(beforehand):
    outputs = [
        new_output("stream", name="stdout", text="a wo"),
        new_output("stream", name="stderr", text="a war"),
        new_output("stream", name="stdout", text="rd \x1b[1"),
        new_output("execute_result", data={"text/plain": "3"}),
        new_output("stream", name="stdout", text="mbold\x1b[0m\n"),
        new_output("stream", name="stderr", text="ning\n"),
    ]
    printed, warned, value = beforehand.joined(outputs)
    assert (printed.text, warned.text) == ("a word bold\n", "a warning\n")
    assert value.data == {"text/plain": "3"}


def test_each_notebook_is_run_once_and_not_again(beforehand, monkeypatch, tmp_path):
    """Two pages with the same cells are one notebook; what fails is not kept."""
    pages = {"en/a": "1 + 1", "pt/a": "1 + 1", "en/b": "1 / 0", "en/c": None}
    ran = []

    def executed(notebook, timeout):
        source = notebook.cells[1].source
        ran.append(source)
        error = ZeroDivisionError() if source == "1 / 0" else None
        return beforehand.ExecutionResult(notebook, None, 0.1, err=error)

    monkeypatch.setattr(beforehand, "executed", executed)
    site = Site(tmp_path, pages)
    assert beforehand.not_run(site, site, set(), {"en/a"}, set()) == ["en/b", "pt/a"]
    beforehand.run_all(site, site, list(pages))
    assert sorted(ran) == ["1 + 1", "1 / 0"]
    assert beforehand.not_run(site, site, set(), set(), set()) == ["en/b"]
    beforehand.run_all(site, site, list(pages))
    assert sorted(ran) == ["1 + 1", "1 / 0", "1 / 0"]


class Site:
    """As much of a Sphinx application, and of its environment, as is asked for."""

    def __init__(self, folder, pages):
        from myst_nb.core.config import NbParserConfig
        from myst_parser.config.main import MdParserConfig

        self.config = self
        self.nb_execution_cache_path, self.nb_execution_timeout = str(folder / "cache"), 60
        self.myst_config, self.mystnb_config = MdParserConfig(), NbParserConfig()
        self.folder, self.found_docs = folder, {*pages}
        for page, code in pages.items():
            path = folder / f"{page}.md"
            path.parent.mkdir(exist_ok=True)
            head = "---\nfile_format: mystnb\nkernelspec: {name: python3, display_name: P}\n---\n\n"
            cell = f"\n```{{code-cell}} python\n{code}\n```\n"
            path.write_text(f"{head}# {page}\n{cell}" if code else f"# {page}\n")

    def doc2path(self, page):
        return str(self.folder / f"{page}.md")
