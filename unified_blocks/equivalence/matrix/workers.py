"""Recording in processes of their own, one for each backend: frameworks apart, cores in parallel.

`python -m unified_blocks.equivalence.workers` is such a process. It takes a task in JSON, tells of
each entry in a line of JSON, and leaves a record of each device in a folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from unified_blocks.backend.registry import begin_command, get_backend
from unified_blocks.equivalence.matrix.cases import ALL_CASES, Case, case_of_model
from unified_blocks.equivalence.matrix.observing import DTYPES, make_record
from unified_blocks.equivalence.matrix.records import (
    Entry,
    Record,
    read_record,
    source_of,
    write_record,
)
from unified_blocks.equivalence.modes import MODES, Mode
from unified_blocks.version import __version__


@dataclass(frozen=True)
class Task:
    """What is to be recorded.

    Attributes:
        cases: the names of those of this library; none, for all of them.
        model, inputs: instead, the user's own model and the shapes of its inputs.
        devices: none, for all that the framework sees.
        layouts: of the inputs, and of the model on each backend; none where nothing is said of it.
    """

    cases: Sequence[str] = ()
    model: str = ""
    inputs: Sequence[tuple[int, ...]] = ()
    devices: Sequence[str] = ()
    dtypes: Sequence[str] = DTYPES
    modes: Sequence[Mode] = MODES
    layouts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def chosen(self) -> list[Case]:
        """The cases.

        Raises:
            ValueError: when the user's model cannot be imported.
        """
        if self.model:
            return [case_of_model(self.model, [tuple(shape) for shape in self.inputs])]
        return [case for case in ALL_CASES if not self.cases or case.name in self.cases]

    def layouts_of(self, backend: str) -> tuple[str, str] | None:
        given = self.layouts.get(backend)
        return None if given is None else (given[0], given[1])  # JSON has no tuples


def make_records(
    task: Task, backends: Sequence[str], tell: Callable[[str, int], None]
) -> list[Record]:
    """The records of these backends, each on each of its devices, in the order of `backends`.

    Where a process ends before it has written them, everything of its backend is in error.

    Args:
        tell: called with a backend's name and how many entries it will have, or has one more: 0.

    Raises:
        ValueError: for a task that cannot be begun.
    """
    workers = min(len(backends), os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(_one, task, name, Path(folder, name), tell) for name in backends]
        return [record for job in jobs for record in job.result()]


def _one(task: Task, backend: str, folder: Path, tell: Callable[[str, int], None]) -> list[Record]:
    folder.mkdir()
    order = {"backend": backend, "folder": str(folder), "task": asdict(task), "path": sys.path}
    current = "before the first case"
    with (
        tempfile.TemporaryFile("w+", errors="replace") as chatter,
        subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=chatter,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order))
        process.stdin.close()
        for line in process.stdout:
            event = json.loads(line)
            if "refused" in event:
                raise ValueError(event["refused"])
            if "entries" in event:
                tell(backend, event["entries"])
            else:
                current = "after {} of {} in {}".format(*reversed(event["done"]))
                tell(backend, 0)
        status = process.wait()
        chatter.seek(0)
        said = " ".join(chatter.read()[-500:].split())
    if status == 0:
        return [read_record(path) for path in sorted(folder.iterdir())]
    reason = f"the process of {backend} ended with status {status} {current}; it said: {said}"
    return [_failed(task, backend, reason)]


def _failed(task: Task, backend: str, reason: str) -> Record:
    cases = [Case(task.model, lambda: None, tuple(task.inputs))] if task.model else task.chosen()
    record = Record(backend, "cpu", "", __version__, source_of(backend), "", "", "")
    record.cases = {case.name: case.digest for case in cases}
    record.seeds = {case.name: case.seed for case in cases}
    record.layouts = task.layouts_of(backend)
    for case in record.cases:
        for dtype in task.dtypes:
            for mode in task.modes:
                record.entries[case, dtype, mode] = Entry("error", reason)
    return record


def main() -> None:
    """Do the task that standard input gives."""
    begin_command()
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what frameworks print is not ours
    order: dict[str, Any] = json.load(sys.stdin)
    sys.path[:] = order["path"]
    task = Task(**order["task"])

    def tell(event: str, content: Any) -> None:
        print(json.dumps({event: content}), file=events)

    try:
        cases = task.chosen()
    except ValueError as error:
        tell("refused", str(error))
        return
    backend = get_backend(order["backend"])
    backend.exact_products()
    seen = backend.devices()
    devices = task.devices or seen
    if unknown := [device for device in devices if device not in seen]:
        tell("refused", str(backend.unknown_device(unknown[0])))
        return
    tell("entries", len(devices) * len(cases) * len(task.dtypes) * len(task.modes))
    for number, device in enumerate(devices):
        record = make_record(
            backend.name,
            device,
            cases,
            task.dtypes,
            task.modes,
            lambda key, entry: tell("done", key),
            task.layouts_of(backend.name),
        )
        write_record(record, Path(order["folder"], f"{number}.rec.safetensors"))


if __name__ == "__main__":
    main()
