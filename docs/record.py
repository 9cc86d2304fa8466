"""Write what the cells of the site print to `unified_blocks/notebook/records.json`.

    python docs/record.py                  of all pages; needs all the frameworks
    python docs/record.py chapter/blocks   shows what one page prints, and writes nothing

A notebook shows these records where a framework is missing. Needs MyST-NB, nbclient and ipykernel.
`tests/docs/test_listings.py` compares the records with what the build of the site printed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import unified_blocks as ub
from unified_blocks.backend.registry import resolve_name
from unified_blocks.notebook import FIRST_LINE, records

DOCS = Path(__file__).parent
FILE = Path(records.__file__).with_name(records.FILE)
TWICE = "capitulo"  # the same cells as those of `chapter`


def pages() -> list[str]:
    """The pages that have a cell for a framework, each without its `.md`."""
    texts = {page: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*/*.md"))}
    return [
        page.relative_to(DOCS).with_suffix("").as_posix()
        for page, text in texts.items()
        if page.parent.name != TWICE and re.search(r"^(:load: .*listings/|# on \w+$)", text, re.M)
    ]


def notebook(page: str) -> Any:
    """A page as a notebook that was not run."""
    from myst_nb.core.read import read_myst_markdown_notebook

    path = DOCS / f"{page}.md"
    return read_myst_markdown_notebook(path.read_text(encoding="utf-8"), path=path)


def executed(page: str, *, to_the_end: bool = False) -> Any:
    """A page as a notebook that was run, in a kernel of its own; `to_the_end` despite errors."""
    from nbclient import NotebookClient

    made = notebook(page)
    where = {"metadata": {"path": str(DOCS / page.partition("/")[0])}}
    options = {"timeout": 600, "kernel_name": "python3", "allow_errors": to_the_end}
    NotebookClient(made, resources=where, **options).execute()
    return made


def printed(cell: Any) -> str:
    """What a cell printed and showed, as text; nothing of warnings."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            parts.append(output.text)
        elif output.output_type in ("display_data", "execute_result"):
            parts.append(output.data["text/plain"] + "\n")
        elif output.output_type == "error":
            parts.append(f"{output.ename}: {output.evalue}\n")
    return "".join(parts).rstrip()


def recorded(book: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """The records of the cells of a notebook that was run: `(key, record)`."""
    for cell in book.cells:
        first, _, rest = cell.source.partition("\n")
        found = FIRST_LINE.fullmatch(first)
        if cell.cell_type == "code" and found:
            backend = ub.get_backend(resolve_name(found[1]))
            framework = f"{backend.title} {backend.version.partition('+')[0]}"
            record = {"framework": framework, "text": printed(cell)}
            yield records.key(backend.name, rest), record


def joined(all_pages: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The records of several notebooks.

    Raises:
        ValueError: two cells of one text printed different things.
    """
    found: dict[str, dict[str, str]] = {}
    for page, book in all_pages.items():
        for key, record in recorded(book):
            if found.setdefault(key, record) != record:
                raise ValueError(
                    f"{page}: a cell's text must tell what it prints; got two records of one: "
                    f"{found[key]['text']!r} and {record['text']!r}: write one of them otherwise"
                )
    return dict(sorted(found.items()))


def show(page: str) -> None:
    """Print the code cells of a page, and what they print."""
    for cell in executed(page, to_the_end=True).cells:
        if cell.cell_type == "code":
            print(cell.source.strip(), printed(cell), sep="\n→ ", end="\n\n")


def main() -> None:
    if sys.argv[1:]:
        for page in sys.argv[1:]:
            show(page)
        return
    found = joined({page: executed(page) for page in pages()})
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(found)} records in {FILE}")


if __name__ == "__main__":
    main()
