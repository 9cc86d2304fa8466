"""Write what the cells of the built site printed to `unified_blocks/notebook/records.json`.

    python docs/record.py .tox/site/html   what `tox run -e docs` has built, on all frameworks
    python docs/record.py chapter/blocks   runs one page, shows what its cells print, writes nothing

A notebook shows these records where a framework is missing. A page is run by nbclient, in a kernel
of ipykernel, and read by MyST-NB.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import unified_blocks as ub
from unified_blocks.backend.registry import resolve_name
from unified_blocks.notebook import FIRST_LINE, records

DOCS = Path(__file__).parent
FILE = DOCS.parent / "unified_blocks" / "notebook" / records.FILE  # not that of an installed copy


def notebook(page: str) -> Any:
    """A page as a notebook that was not run."""
    from myst_nb.core.read import read_myst_markdown_notebook

    path = DOCS / f"{page}.md"
    return read_myst_markdown_notebook(path.read_text(encoding="utf-8"), path=path)


def executed(page: str) -> Any:
    """A page as a notebook that was run to its end, in a kernel of its own, errors or not."""
    from nbclient import NotebookClient

    made = notebook(page)
    NotebookClient(made, timeout=600, kernel_name="python3", allow_errors=True).execute()
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


def joined(site: Path) -> dict[str, dict[str, str]]:
    """The records of all notebooks of a site.

    Raises:
        ValueError: two cells of one text printed different things.
    """
    import nbformat

    found: dict[str, dict[str, str]] = {}
    for path in sorted(site.glob("notebooks/*.ipynb")):
        for key, record in recorded(nbformat.read(path, as_version=4)):
            if found.setdefault(key, record) != record:
                raise ValueError(
                    f"{path.name}: a cell's text must tell what it prints; got two records of "
                    f"one: {found[key]['text']!r} and {record['text']!r}: change one of the cells"
                )
    return dict(sorted(found.items()))


def show(page: str) -> None:
    """Print the code cells of a page, and what they print."""
    for cell in executed(page).cells:
        if cell.cell_type == "code":
            print(cell.source.strip(), printed(cell), sep="\n→ ", end="\n\n")


def main() -> None:
    (argument,) = sys.argv[1:]
    if (DOCS / f"{argument}.md").is_file():
        show(argument)
        return
    found = joined(Path(argument))
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(found)} records in {FILE}")


if __name__ == "__main__":
    main()
