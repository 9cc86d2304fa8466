"""What cells printed where these notebooks were recorded, for where a framework is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from unified_blocks.backend.registry import available_backends
from unified_blocks.errors import BackendImportError

FILE = "records.json"


def key(name: str, cell: str) -> str:
    """What the record of a cell on a backend is called: it belongs to this text only."""
    return hashlib.sha256(f"# on {name}\n{cell.strip()}".encode()).hexdigest()[:16]


@cache
def records() -> Mapping[str, Mapping[str, str]]:
    """`{key: {"framework": …, "text": …}}`, as `docs/record.py` wrote it."""
    found: dict[str, dict[str, str]] = json.loads(
        files("unified_blocks.notebook").joinpath(FILE).read_text(encoding="utf-8")
    )
    return found


def shown_without(name: str, cell: str, error: BackendImportError) -> str:
    """What to print for a cell whose framework cannot be imported."""
    record = records().get(key(name, cell))
    if record is None:
        return f"Not run, and no record of this cell exists: {error}"
    framework = record["framework"].split()[0]
    missing = "cannot be imported" if name in available_backends() else "is not installed"
    if not record["text"]:
        return f"{framework} {missing} here. With {record['framework']} this cell prints nothing."
    return f"{framework} {missing} here. Recorded with {record['framework']}:\n{record['text']}"
