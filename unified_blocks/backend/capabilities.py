"""What a backend may lack: one list, by which tests are skipped and which the documentation shows.

A backend says what it lacks, and why, in `Backend.lacks`; `Backend.remarks` holds notes on what it
has. `unified-blocks capabilities` prints the table in `docs/reference/capabilities.md`.
"""

from __future__ import annotations

from collections.abc import Sequence

from unified_blocks.backend.backend import Backend

CAPABILITIES = {
    "gradients": "gradients and training",
    "cast": "`ub.cast` to another floating-point type",
    "copies": "`copy.deepcopy` and pickles of blocks",
    "files": "blocks in files, by `ub.save`",
    "layers": "the layers other than `Dense`",
    "graphs": "blocks compiled to graphs",
    "add-after-call": "`.add` to a container after its first call",
    "assign-after-call": "a block put into a list or attribute after the first call",
    "forget-deleted": "`del net.part` forgets the part",
    "inputs-by-name": "inputs by name, `net(x, mask=m)`",
    "array-inputs": "NumPy arrays as input of a call",
    "cast-inputs": "input of another floating-point type",
    "move-in-place": "`to_device` and `cast` change the model itself",
    "move-unbuilt": "moving an unbuilt block",
    "loops-in-graphs": "`while` and `if` on tensors, compiled",
    "while-loop-in-graphs": "`ops.while_loop` and `ops.cond` in one graph",
    "lengths-in-graphs": "lengths of a recurrent layer in a graph",
    "whole-numbers-in-graphs": "integer operations give the same in graphs as eagerly",
    "empty-batches": "layers take a batch of no samples",
    "index-errors": "an out-of-range index of `Embedding` or `ops.take` raises an error",
    "label-errors": "a label outside the classes raises an error",
    "nan-in-relu": "layers (`ReLU`, `Dense`, …) propagate nan through relu",
    "float16": "dense layers and `ops.matmul` in float16",
    "bfloat16": "blocks in bfloat16",
    "mixed-precision": "blocks that compute in half precision and keep float32 parameters, "
    '`dtype="mixed_bfloat16"`',
    "held-gradients": "gradients that stay with the parameters after a backward pass",
    "keras-files": "`.keras` files",
    "symbol-files": "Gluon's `export` and `SymbolBlock.imports`",
    "xla": "graphs compiled by XLA",
    "loaders": "`ub.fit` on the framework's own loaders of data",
    "mixed-precision-training": "`ub.fit(…, precision=…)`",
    "event-files": "`ub.TensorBoard`, by the framework's own writer",
    "processes": "`ub.fit` in several processes at once",
    "sharded-parameters": "parameters of which each process holds a part",
    "devices-of-one-process": "`ub.fit` on several devices of one process",
}
"""What each capability is, by name."""


def why_lacking(backend: Backend, name: str) -> str | None:
    """Why the backend lacks the capability `name`; None when it has it.

    Raises:
        ValueError: for a name that is not in `CAPABILITIES`.
    """
    if name not in CAPABILITIES:
        raise ValueError(f"a capability must be one of {', '.join(CAPABILITIES)}; got {name!r}")
    return backend.lacks.get(name)


def table(backends: Sequence[Backend]) -> str:
    """A Markdown table of the capabilities that one of these backends lacks or remarks on."""
    lines = [
        f"| capability | what | {' | '.join(backend.title for backend in backends)} |",
        "|---|---|" + "---|" * len(backends),
    ]
    for name, what in CAPABILITIES.items():
        cells = [_cell(backend, name) for backend in backends]
        if set(cells) != {"yes"}:
            lines.append(f"| `{name}` | {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(backend: Backend, name: str) -> str:
    if name in backend.lacks:
        return f"no: {backend.lacks[name]}"
    return f"yes: {backend.remarks[name]}" if name in backend.remarks else "yes"
