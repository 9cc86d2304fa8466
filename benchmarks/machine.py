"""The properties of the machine and the process on which a measured number depends."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "torch", "tensorflow", "tensorflow-cpu", "keras", "mxnet", "thinc")


def machine() -> dict[str, Any]:
    """The processor, the cores that this process may use, the system, the versions."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": dict(installed()),
    }


def installed() -> list[tuple[str, str]]:
    found = []
    for name in ("unified-blocks", *PACKAGES):
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Its name according to Linux, or according to Python."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def this_process() -> dict[str, Any]:
    """How many threads the frameworks that are imported here use, and where the library is."""
    found: dict[str, Any] = {}
    if "unified_blocks" in sys.modules:
        found["unified_blocks"] = str(Path(sys.modules["unified_blocks"].__file__ or "").parent)
    if "torch" in sys.modules:
        found["torch threads"] = sys.modules["torch"].get_num_threads()
    if "tensorflow" in sys.modules:
        threading = sys.modules["tensorflow"].config.threading
        # 0 is TensorFlow's word for "one for each core"
        found["tensorflow threads within an operation"] = (
            threading.get_intra_op_parallelism_threads()
        )
        found["tensorflow threads between operations"] = (
            threading.get_inter_op_parallelism_threads()
        )
    for name in ("OMP_NUM_THREADS", "MXNET_CPU_WORKER_NTHREADS", "MXNET_ENGINE_TYPE"):
        if name in os.environ:
            found[name] = os.environ[name]
    return found
