"""`Record`: the results of one backend, in a file that is compared without any framework."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from unified_blocks.backend import Channels
from unified_blocks.backend.registry import registered_backends
from unified_blocks.equivalence.layouts import declared
from unified_blocks.equivalence.modes import MODES
from unified_blocks.equivalence.watching import Call
from unified_blocks.errors import FileFormatError
from unified_blocks.files import checkpoint
from unified_blocks.formats import safetensors
from unified_blocks.formats.stored import Stored
from unified_blocks.reference.policy import TOLERANCES
from unified_blocks.types import State

VERSION = 2
"""The version of the format of a record."""

Status = Literal["done", "unsupported", "error"]
Key = tuple[str, str, str]
"""Case, dtype and mode."""

EXPECTED = "expected/"
CALL_TEXTS = ("name", "path", "kind")
CALL_NUMBERS = ("changed", "depth", "start", "end")
CALL_ARRAYS = {"inputs": "input_dtypes", "outputs": "dtypes"}
"""Of a call, with where their dtypes are."""
TEXTS = ("backend", "device", "framework", "library", "source", "platform", "python", "numpy")


@dataclass
class Entry:
    """The results of one case in one dtype and one mode.

    Attributes:
        status: `"unsupported"` when the framework, or this library, cannot do it; `"error"` when it
            should and did not.
        reason: why it is not `"done"`.
        arrays: its results by name: `output`, `state/hidden.weight`, `gradient/hidden.weight`,
            `loss`, …
        expected: the values that some of them must have: those of the float64 reference; in the
            mode `compiled` those without compilation, in `saved` those that were saved.
        dtypes: of the arrays that NumPy holds in another dtype: `{"output": "bfloat16"}`.
        calls: of the model and of the blocks inside, without the `block` of each.
    """

    status: Status = "done"
    reason: str = ""
    arrays: State = field(default_factory=dict)
    expected: State = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def dtype_of(self, name: str) -> str:
        """The dtype of an array in the framework."""
        return self.dtypes.get(name) or str(self.arrays[name].dtype)


@dataclass
class Record:
    """The results of one backend on one device, for cases × dtypes × modes.

    Attributes:
        framework: its version.
        library: the version of this library, and `source` the SHA-256 of its code.
        cases: the SHA-256 of the definition and the inputs of each case.
        seeds: what the numbers and the inputs of each case were drawn from, by PCG64.
        layouts: where images have the channels in the inputs of the cases, and where in what this
            backend took and gave; None where nothing was said of it.
        entries: by case, dtype and mode.
    """

    backend: str
    device: str
    framework: str
    library: str
    source: str
    platform: str
    python: str
    numpy: str
    cases: dict[str, str] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    entries: dict[Key, Entry] = field(default_factory=dict)
    layouts: tuple[str, str] | None = None


def write_record(record: Record, path: str | os.PathLike[str]) -> None:
    """Write a record to a safetensors file, with the SHA-256 of each array and of the rest.

    Raises:
        OSError: when the file cannot be written; an old one is then as it was.
    """
    tensors = []
    for key, entry in record.entries.items():
        prefix = "/".join(key)
        named = [(name, array) for name, array in entry.arrays.items()]
        named += [(EXPECTED + name, array) for name, array in entry.expected.items()]
        for i, call in enumerate(entry.calls):
            for what in CALL_ARRAYS:
                arrays = getattr(call, what)
                named += [(f"call/{i}/{what}/{j}", array) for j, array in enumerate(arrays)]
        for name, array in named:
            kept = np.asarray(array)
            read = lambda kept=kept: kept  # noqa: E731
            tensors.append(Stored(f"{prefix}/{name}", kept.shape, str(kept.dtype), read))
    entries = [
        {
            "key": key,
            "status": entry.status,
            "reason": entry.reason,
            "dtypes": entry.dtypes,
            "calls": [
                {
                    name: getattr(call, name)
                    for name in (*CALL_TEXTS, *CALL_NUMBERS, *CALL_ARRAYS.values(), "channels")
                }
                for call in entry.calls
            ],
        }
        for key, entry in record.entries.items()
    ]
    about = {name: getattr(record, name) for name in TEXTS}
    metadata = {
        "format": checkpoint.VERSION,
        "library": record.library,
        "record": {
            "version": VERSION,
            **about,
            "cases": record.cases,
            "seeds": record.seeds,
            "layouts": record.layouts,
            "entries": entries,
        },
    }
    safetensors.write(Path(path), tensors, metadata)


def read_record(path: str | os.PathLike[str]) -> Record:
    """The record in a file, every array compared with its SHA-256.

    Raises:
        FileFormatError: when it is damaged, not a record, or one of a later version.
        OSError: when it cannot be read.
    """
    path = Path(path)
    with path.open("rb") as opened:
        head = opened.read(16)
    if not safetensors.recognises(head, path):
        raise _no_record(path, "a file of another format")
    file = safetensors.read(path)
    checkpoint.check_version(path, file.own)
    content = file.own.get("record")
    if not isinstance(content, dict):
        raise _no_record(path, "a safetensors file of another kind")
    if content.get("version") != VERSION:
        raise FileFormatError(
            f"{path}: the version of a record must be {VERSION}; got {content.get('version')!r}, "
            f"written by unified-blocks {file.own.get('library')}: record it again with this one"
        )
    try:
        record = _parsed(content)
        for name in file:
            case, dtype, mode, inner = name.split("/", 3)
            entry, array = record.entries[case, dtype, mode], np.array(file[name])
            if inner.startswith("call/"):
                _, at, what, place = inner.split("/")
                call = entry.calls[int(at)]
                arrays = {"inputs": call.inputs, "outputs": call.outputs}[what]
                if int(place) != len(arrays):
                    raise ValueError(f"{name} is not the next one")
                arrays.append(array)
            elif inner.startswith(EXPECTED):
                entry.expected[inner.removeprefix(EXPECTED)] = array
            else:
                entry.arrays[inner] = array
        for entry in record.entries.values():
            _check(entry)
    except FileFormatError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            f"{path}: a record must hold what `unified-blocks record` writes; got something else "
            f"({error!r}): record it again"
        ) from error
    return record


def _no_record(path: Path, found: str) -> FileFormatError:
    return FileFormatError(
        f"{path} must be a file that `unified-blocks record` wrote; got {found}: write one with "
        f"unified-blocks record --backend NAME -o {path.name}"
    )


def _parsed(content: Mapping[str, Any]) -> Record:
    """The record without its arrays; `TypeError` or another error for a value of another type."""
    record = Record(
        **{name: _text(content[name]) for name in TEXTS},
        cases={},
        seeds={},
        entries={},
        layouts=None,
    )
    if (layouts := content["layouts"]) is not None:
        given, own = map(_text, layouts)
        declared((given, own))
        record.layouts = (given, own)
    for case, digest in content["cases"].items():
        record.cases[case] = _text(digest)
        record.seeds[case] = int(content["seeds"][case])
    for item in content["entries"]:
        case, dtype, mode = item["key"]
        if case not in record.cases or dtype not in TOLERANCES or mode not in MODES:
            raise ValueError(f"{item['key']} is not a case, dtype and mode")
        if item["status"] not in get_args(Status):
            raise ValueError(f"{item['status']!r} is not a status")
        dtypes = {name: _text(name_of) for name, name_of in item["dtypes"].items()}
        if not dtypes.items() <= {(name, "bfloat16") for name in dtypes}:
            raise ValueError("only bfloat16 may be stored in another dtype")
        entry = Entry(item["status"], _text(item["reason"]), dtypes=dtypes)
        entry.calls = [_call(content) for content in item["calls"]]
        record.entries[case, dtype, mode] = entry
    return record


def _call(content: Mapping[str, Any]) -> Call:
    name, path, kind = (_text(content[key]) for key in CALL_TEXTS)
    changed, depth, start, end = (int(content[key]) for key in CALL_NUMBERS)
    dtypes, taken = ([_text(dtype) for dtype in content[key]] for key in ("dtypes", "input_dtypes"))
    channels = content["channels"]
    if channels not in (None, *get_args(Channels)):
        raise ValueError(f"{channels!r} is not where channels are")
    call = Call(name, path, None, kind, [], [], dtypes, bool(changed), depth, start, end, taken)
    call.channels = channels
    return call


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _check(entry: Entry) -> None:
    if (entry.status == "done") != bool(entry.arrays):
        raise ValueError("an entry must have arrays if it is done, and only then")
    if not entry.expected.keys() | entry.dtypes.keys() <= entry.arrays.keys():
        raise ValueError("an entry lacks an array that it names")
    for call in entry.calls:
        for arrays, dtypes in CALL_ARRAYS.items():
            if len(getattr(call, arrays)) != len(getattr(call, dtypes)):
                raise ValueError("a call must have a dtype for each array")


def source_of(backend: str) -> str:
    """The SHA-256 of the code of this library and of the adapter of a backend; imports neither.

    Empty when this environment has no such adapter.
    """
    entry = registered_backends().get(backend)
    found = hashlib.sha256()
    for name in ("unified_blocks", entry.module.partition(".")[0] if entry else ""):
        spec = importlib.util.find_spec(name) if name else None
        if spec is None or not spec.submodule_search_locations:
            return ""
        folder = Path(next(iter(spec.submodule_search_locations)))
        for path in sorted(folder.rglob("*.py"), key=lambda path: path.parts):
            found.update(f"{name}/{path.relative_to(folder).as_posix()}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
