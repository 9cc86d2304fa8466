"""What other tools make of a loop on numbers, of a mistaken port, and of one seed.

Each tool is installed with pip in an environment of its own, with versions that it works with, and
runs `trials.py` there. Run it with `python -m benchmarks.rivals.others` where this library and its
three frameworks are; it needs Python 3.11, downloads some gigabytes and takes 20 minutes.
`--environments FOLDER` keeps what was installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.rivals.leaving_mxnet import SECONDS, Tool, environment
from benchmarks.rivals.trials import asked, example, meaning

TRIALS = Path(__file__).with_name("trials.py").resolve()
ONNX = ("onnx", "onnxruntime", "onnxscript")
TENSORFLOW = "tensorflow-cpu"
VERSIONS = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"


def tool(name: str, packages: Sequence[str], *shown: str) -> Tool:
    return Tool(name, "", (("torch==2.13.0", *packages),), (*shown, "torch"))


PYTORCH = tool("PyTorch", ONNX, "onnxruntime")
OLD = (f"{TENSORFLOW}==2.15.1", "numpy<2", "setuptools<81")  # with Keras 2, which nobuco needs
NOBUCO = tool("nobuco", ("nobuco", "torchvision", *OLD), "nobuco", TENSORFLOW)
ONNX2TF = tool("onnx2tf", ("onnx2tf", *ONNX), "onnx2tf", "tensorflow")
IVY = tool("ivy", ("ivy", TENSORFLOW), "ivy", TENSORFLOW)
KERAS = tool("Keras 3", ("keras", TENSORFLOW, "jax"), "keras", "jax", TENSORFLOW)
THINC = tool("thinc", ("thinc",), "thinc")
POLYGRAPHY = tool("Polygraphy", ("polygraphy", *ONNX), "polygraphy", "onnxruntime")
PADIFF = tool("PaDiff", ("padiff", "paddlepaddle", "setuptools<81"), "padiff", "paddlepaddle")


@dataclass(frozen=True)
class Trial:
    """A function of `trials.py`, and what it is given.

    Attributes:
        tool: whose environment it runs in; None for this one.
    """

    tool: Tool | None
    name: str
    given: tuple[str, ...] = ()


BACKENDS = ("torch", "tensorflow", "jax")
LOOP = (
    Trial(PYTORCH, "by_torch"),
    Trial(NOBUCO, "by_nobuco"),
    Trial(ONNX2TF, "by_onnx2tf"),
    Trial(IVY, "by_ivy"),
    *(Trial(KERAS, "by_keras", (backend,)) for backend in BACKENDS),
    Trial(THINC, "by_thinc"),
    Trial(None, "by_ours"),
)
MISTAKE = (
    Trial(POLYGRAPHY, "mistake_by_polygraphy"),
    Trial(PADIFF, "mistake_by_padiff"),
    Trial(None, "mistake_by_ours"),
)
SEED = (
    *(Trial(KERAS, "seed_by_keras", (backend,)) for backend in BACKENDS),
    Trial(None, "seed_by_ours"),
)


def run(trial: Trial, folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """The versions that a trial ran with, and its findings."""
    if trial.tool is None:
        python, told = Path(sys.executable), f"{version('unified-blocks')}"
    else:
        python, problem = environment(trial.tool, folder)
        if problem:
            return "", [{"way": trial.tool.name, "error": f"is not installed: {problem}"}]
        done = _run([str(python), "-c", VERSIONS, *trial.tool.shown])
        pairs = zip(trial.tool.shown, done.stdout.split(), strict=True)
        told = ", ".join(f"{name} {found}" for name, found in pairs)
    with tempfile.TemporaryDirectory() as place:
        command = [str(python), "-W", "ignore", str(TRIALS), trial.name, *trial.given]
        try:
            done = _run(command, place, trial.tool is not None)
        except subprocess.TimeoutExpired:
            return told, [{"way": trial.name, "error": f"it had not ended after {SECONDS} seconds"}]
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        return told, [{"way": trial.name, "error": lines[-1]}]
    return told, json.loads(done.stdout.splitlines()[-1])


def _run(
    command: list[str], place: str | None = None, alone: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a Python, with the programs that were installed beside it.

    Args:
        alone: without the folders of packages that this process was told of.
    """
    around = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    around["PATH"] = f"{Path(command[0]).parent}{os.pathsep}{around['PATH']}"
    if alone:
        around.pop("PYTHONPATH", None)
    return subprocess.run(
        command, cwd=place, env=around, capture_output=True, text=True, timeout=SECONDS
    )


def name_of(trial: Trial) -> str:
    return trial.tool.name if trial.tool else "Unified Blocks"


def row(trial: Trial, told: str, finding: dict[str, Any], right: float) -> str:
    """A line of a table."""
    name = name_of(trial)
    if "error" in finding:
        said = f"refuses: {finding['error'][:150]}".replace("|", "/")
    elif "words" in finding:
        said = finding["words"]
    else:
        said = f"{finding['number']:.4f}"
        if abs(finding["number"] - right) > 1e-3:
            said = f"**{said}**, wrong"
    return f"| {name} | {told} | `{finding['way']}` | {said} |"


def table(
    title: str,
    trials: Sequence[Trial],
    folder: Path,
    say: Callable[[str], None],
    right: float,
) -> None:
    say(f"\n{title}\n\n| tool | versions | way | it gives |\n|---|---|---|---|")
    for trial in trials:
        told, findings = run(trial, folder)
        for finding in findings:
            say(row(trial, told, finding, right))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, help="a folder to keep all in, for next time")
    parser.add_argument("--tool", action="append", help="default: all of them; repeatable")
    options = parser.parse_args()
    shown, wanted = meaning(example()), meaning(asked())

    def say(line: str) -> None:
        print(line, flush=True)

    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.environments or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        about = (
            f"FixedHiddenMLP, shown an input that it halves {shown[1]} times, then asked for one "
            f"that it halves {wanted[1]} times. NumPy gives {wanted[0]:.4f}."
        )
        tables = {
            about: LOOP,
            "Two networks that differ in the epsilon of a layer norm.": MISTAKE,
            "The first numbers of a dense layer, with seed 0.": SEED,
        }
        for title, trials in tables.items():
            chosen = [t for t in trials if not options.tool or name_of(t) in options.tool]
            if chosen:
                table(title, chosen, folder, say, wanted[0])


if __name__ == "__main__":
    main()
