"""What becomes of networks of Gluon's model zoo on the ways that others made to leave MXNet.

The networks have random numbers, and gammas that are not 1, those too that their graph ignores.
Each tool is installed with pip in an environment of its own, with the versions that it still works
with; it converts what MXNet exported, and its PyTorch module computes on the input that MXNet had.
Run it with `python -m benchmarks.rivals.leaving_mxnet`; it needs Python 3.11, for the wheels of
MXNet and its neighbours, and takes 10 minutes.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

NETWORKS = (
    *("resnet18_v1", "resnet18_v2", "squeezenet1.0", "densenet121", "mobilenetv2_1.0"),
    "inceptionv3",
)
MXNET = ("mxnet==1.9.1", "numpy<1.24", "setuptools<81")
SECONDS = 1200
"""The longest that pip, or a conversion, may take."""


@dataclass(frozen=True)
class Tool:
    """A way out of MXNet.

    Attributes:
        name: what it is called.
        worker: the function below that takes it.
        installs: what pip is given, one call after the other.
        shown: packages whose versions are told.
    """

    name: str
    worker: str
    installs: tuple[tuple[str, ...], ...]
    shown: tuple[str, ...]


TOOLS = (
    Tool("mx.onnx, with the newest onnx", "by_onnx", ((*MXNET, "onnx"),), ("onnx",)),
    Tool(
        "mx.onnx and onnx2torch",
        "by_onnx",
        ((*MXNET, "onnx==1.14.1", "onnx2torch", "torch", "torchvision"),),
        ("onnx", "onnx2torch"),
    ),
    Tool(
        "gluon2pytorch",
        "by_gluon2pytorch",
        (  # its setup.py needs a pip of its time
            ("pip==20.0.2", "setuptools<58", "wheel"),
            ("--no-deps", "--no-build-isolation", "gluon2pytorch"),
            ("--upgrade", "pip", *MXNET, "torch"),
        ),
        ("gluon2pytorch",),
    ),
    Tool("MMdnn", "by_mmdnn", ((*MXNET, "mmdnn", "protobuf<3.21", "torch"),), ("mmdnn",)),
)


# What runs in the environment of a tool, in a folder with net-symbol.json, net-0000.params, and the
# input and output of the network in x.npy and y.npy.


def export(name: str) -> None:
    """Write a network of the zoo, an input, and what MXNet gives for it."""
    import numpy as np

    mx: Any = import_module("mxnet")
    mx.random.seed(0)
    net = import_module("mxnet.gluon.model_zoo.vision").get_model(name)
    net.initialize(mx.init.MSRAPrelu())
    net.hybridize()
    size = 299 if name == "inceptionv3" else 224
    x = mx.nd.random.normal(shape=(1, 3, size, size))
    net(x)
    for each in net.collect_params().values():
        if each.name.endswith(("gamma", "running_var")):
            each.set_data(mx.nd.random.uniform(0.5, 1.5, each.shape))
        elif each.name.endswith(("beta", "bias", "running_mean")):
            each.set_data(mx.nd.random.normal(0, 0.1, each.shape))
    net.export("net")
    again = mx.gluon.SymbolBlock.imports("net-symbol.json", ["data"], "net-0000.params")
    np.save("x.npy", x.asnumpy())
    np.save("y.npy", again(x).asnumpy())


def by_onnx() -> Any:
    import numpy as np

    mx: Any = import_module("mxnet")
    shape = np.load("x.npy").shape
    mx.onnx.export_model("net-symbol.json", "net-0000.params", [shape], [np.float32], "net.onnx")
    return import_module("onnx2torch").convert("net.onnx")


def by_gluon2pytorch() -> Any:
    import numpy as np

    mx: Any = import_module("mxnet")
    convert = import_module("gluon2pytorch").gluon2pytorch
    net = mx.gluon.SymbolBlock.imports("net-symbol.json", ["data"], "net-0000.params")
    return convert(net, [np.load("x.npy").shape], None, "Net", debug=False)


def by_mmdnn() -> Any:
    import numpy as np
    import torch

    shape = ",".join(map(str, np.load("x.npy").shape[1:]))
    command = Path(sys.executable).with_name("mmconvert")
    files = ("-in", "net-symbol.json", "-iw", "net-0000.params", "-om", "net.pth")
    options = ("-sf", "mxnet", *files, "-df", "pytorch", "--inputShape", shape)
    done = subprocess.run([sys.executable, command, *options], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return torch.load("net.pth", weights_only=False)


def by_port() -> Any:
    import numpy as np

    ub: Any = import_module("unified_blocks")
    x = np.load("x.npy")
    return ub.port("net-symbol.json", "torch", params="net-0000.params", example=x).net


def converted(worker: str) -> dict[str, Any]:
    """How far the PyTorch module that a worker gives is off, and what it calls its numbers."""
    try:
        net = globals()[worker]()
        import numpy as np
        import torch

        x, y = np.load("x.npy"), np.load("y.npy")
        with torch.no_grad():
            found = net.eval()(torch.from_numpy(x)).numpy()
        largest = float(np.abs(y).max())
        return {
            "off": float(np.abs(found - y).max()),
            "of": largest,
            "name": next(name for name, _ in net.named_parameters()),
        }
    except Exception as error:  # whatever a tool raises is what there is to tell
        cause = error.__context__ if isinstance(error.__context__, ImportError) else error
        said = re.sub(r" \(/.*\)", "", " ".join(str(cause).split()))  # without the file
        return {"error": f"{type(cause).__name__}: {said}"}


# What runs here


def environment(tool: Tool, folder: Path) -> tuple[Path, str]:
    """The Python of a new environment with a tool, and why it could not be made, if so."""
    place = folder / tool.name.replace(" ", "-").replace(",", "")
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if (place / "made").exists():
        return python, ""
    venv.create(place, clear=True, with_pip=True)
    for packages in tool.installs:
        done = _run(python, "-m", "pip", "install", "--quiet", *packages)
        if done.returncode:
            return python, (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    (place / "made").touch()
    return python, ""


def _run(python: Path | str, *arguments: str, cwd: Path | None = None) -> Any:
    command = [str(python), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS)


def work(python: Path | str, folder: Path, *arguments: str) -> Any:
    """What this file prints when it is run by a Python in a folder."""
    done = _run(python, str(Path(__file__).resolve()), "--work", *arguments, cwd=folder)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"status {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def lines(name: str, versions: str, found: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """The lines of the table for a tool: one for each network, and for each error."""
    errors: dict[str, list[str]] = {}
    for network, each in found.items():
        if "error" in each:
            errors.setdefault(each["error"], []).append(network)
            continue
        happened = f"converts; its first parameter is `{each['name']}`"
        off = f"{each['off']:.2g} of {each['of']:.3g}"
        yield f"| {name} | {versions} | {network} | {happened} | {off} |"
    for error, networks in errors.items():
        said = error[:120].replace("|", "/")
        yield f"| {name} | {versions} | {', '.join(networks)} | {said} | |"


def rows(networks: Iterable[str], folder: Path, say: Callable[[str], None]) -> None:
    """Say a line for each tool and network."""
    pythons = {tool: environment(tool, folder) for tool in TOOLS}
    places = {network: folder / "networks" / network for network in networks}
    for network, place in places.items():
        place.mkdir(parents=True, exist_ok=True)
        if "error" in (made := work(pythons[TOOLS[0]][0], place, "export", network)):
            raise RuntimeError(f"{network} was not exported: {made['error']}")
    say("| tool | version | network | what happened | off by, of the largest output |")
    say("|---|---|---|---|---|")
    for tool, (python, problem) in pythons.items():
        found, versions = {"all": {"error": f"is not installed: {problem}"}}, ""
        if not problem:
            versions = ", ".join(work(python, folder, "versions", *tool.shown))
            found = {name: work(python, place, tool.worker) for name, place in places.items()}
        for line in lines(tool.name, versions, found):
            say(line)
    if hasattr(import_module("unified_blocks"), "port"):
        found = {name: work(sys.executable, place, "by_port") for name, place in places.items()}
        for line in lines("ub.port", version("unified-blocks"), found):
            say(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", action="append", help="of the zoo; default: six of them")
    parser.add_argument("--environments", type=Path, help="a folder to keep all in, for next time")
    parser.add_argument("--work", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        worker, *given = options.work
        found: Any = {}
        if worker == "export":
            export(*given)
        elif worker == "versions":
            found = [f"{name} {version(name)}" for name in given]
        else:
            found = converted(worker)
        print("\n" + json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.environments or Path(temporary)).resolve()
        rows(options.network or NETWORKS, folder, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
