"""A fourth framework is one folder with one entry point: no edit anywhere else."""

import ast
import io
import os
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import unified_blocks as ub
from testbed.where import TESTS


def test_it_runs_the_blocks_and_a_portable_one():
    path = os.pathsep.join(filter(None, [str(TESTS / "toy"), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-W", "ignore", TESTS / "toy" / "try_toyframe.py"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [
        "MLP toyframe",
        "NestMLP toyframe",
        "FixedHiddenMLP toyframe",
        "Residual toyframe",
        "Toyframe has no ops.gelu: nobody has written it",
        "nobody has written it",
    ]


def test_the_core_asks_no_backend_for_its_name():
    """`if backend == …` is nowhere: what differs is a method of the backend."""
    core = Path(__import__("unified_blocks").__file__).parent
    names = ('"torch"', '"tensorflow"', '"mxnet"', "'torch'", "'tensorflow'", "'mxnet'")
    for path in core.rglob("*.py"):
        for line in path.read_text().splitlines():
            code = line.split("#")[0]
            if any(f"== {name}" in code or f"{name} ==" in code for name in names):
                raise AssertionError(f"{path}: {line}")


PUBLIC = {
    *("torch_default", "keras_default", "gluon_default"),
    *("keras-files", "`.keras` files", "Gluon's `export` and `SymbolBlock.imports`"),
    ".keras",
}
"""What the core says of frameworks in its code: schemes, capabilities and the end of a name."""
TEXTS = (tokenize.NAME, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
FRAMEWORK = re.compile("torch|tensorflow|keras|mxnet|gluon|nvidia|jax", re.IGNORECASE)


def words_of(path):
    """The names and texts in the code of a module, without comments and docstrings."""
    source = path.read_text(encoding="utf-8")
    said = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in TEXTS and token.start[0] not in said:
            yield token.string.strip("f\"'")


def test_the_core_names_no_framework():
    """But for its files, which `formats` and `porting` know, what is called so in public, and the
    examples of commands.
    """
    core = Path(ub.__file__).parent
    found = {
        f"{path.relative_to(core)}: {word}"
        for path in core.rglob("*.py")
        if path.relative_to(core).parts[0] not in ("formats", "porting")
        and path.relative_to(core).parts not in {("cli", "port.py"), ("cli", "graphs.py")}
        for word in words_of(path)
        if FRAMEWORK.search(word) and word not in PUBLIC and not word.startswith("Example: ")
    }
    assert found <= {
        "cli/files.py: KERAS",
        "cli/files.py: Kind of a layer that a Keras file does not tell: --kind conv=Conv2D. "
        "Repeatable.",
        "models/differences.py: pytorch",  # formats.pytorch
        "models/loading.py: pytorch",
        "models/transfer.py: pytorch",
        "models/variables.py: pytorch",
    }


def test_the_check_sees_a_framework(tmp_path):
    module = tmp_path / "module.py"
    module.write_text('"""Of torch."""\nx = 1  # of torch\nimport torch\ny = f"of MXNet {x}"\n')
    found = [word for word in words_of(module) if FRAMEWORK.search(word)]
    assert found[0] == "torch"
    assert "MXNet" in found[1]
