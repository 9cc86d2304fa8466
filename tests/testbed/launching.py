"""Starts programs that train together, on 127.0.0.1, and ends them: none is left behind.

`launch("torch", 2, "distributed_program.py", …)` starts two workers as `torchrun` would, and so
does `"fsdp"`; of `"mxnet"` a scheduler and a server too; of `"workers"` one process for each worker
of `MultiWorkerMirroredStrategy`; of `"mirrored"` and of `"contexts"` of MXNet one process, whatever
the number of its devices; of `"alone"` one, by itself.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from testbed.where import TESTBED

ENGINES = {
    "torch": "torch",
    "fsdp": "torch",
    "mirrored": "tensorflow",
    "workers": "tensorflow",
    "mxnet": "mxnet",
    "contexts": "mxnet",
}
"""What starts workers, and the backend that it is of."""
IN_ONE_PROCESS = ("mirrored", "contexts")
"""The engines whose workers are devices."""
SERVE = "import unified_blocks_mxnet"
"""MXNet's scheduler and server serve while they import it, and then exit."""


def free_ports(count):
    """Some ports of this machine that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def environments(engine, workers):
    """What the starter of an engine sets: for the helpers, and for each worker."""
    if engine in ("torch", "fsdp"):
        (port,) = free_ports(1)
        all_of = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(workers)}
        return {}, [{**all_of, "RANK": str(i), "LOCAL_RANK": str(i)} for i in range(workers)]
    if engine == "workers":
        cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(workers)]}
        tasks = [{"type": "worker", "index": i} for i in range(workers)]
        return {}, [{"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks]
    if engine == "mxnet":
        (port,) = free_ports(1)
        all_of = {
            "DMLC_PS_ROOT_URI": "127.0.0.1",
            "DMLC_PS_ROOT_PORT": str(port),
            "DMLC_NODE_HOST": "127.0.0.1",
            "DMLC_NUM_SERVER": "1",
            "DMLC_NUM_WORKER": str(workers),
        }
        helpers = {role: {**all_of, "DMLC_ROLE": role} for role in ("scheduler", "server")}
        return helpers, [{**all_of, "DMLC_ROLE": "worker"} for _ in range(workers)]
    return {}, [{"DEVICES": str(workers)} if engine in IN_ONE_PROCESS else {}]


@dataclass
class Result:
    """How a worker ended: what it printed, and its exit status."""

    code: int
    out: str
    err: str


class Started:
    """A process in a session of its own, and all that it has printed so far."""

    def __init__(self, command, environment, folder=None):
        kept = {name: v for name, v in os.environ.items() if not name.startswith("DMLC_")}
        for name in ("TF_CONFIG", "WORLD_SIZE", "RANK", "LOCAL_RANK"):
            kept.pop(name, None)
        paths = [str(TESTBED.parent), os.environ.get("PYTHONPATH", "")]
        quiet = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""}
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env={
                **kept,
                **quiet,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                **environment,
            },
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pid = self.process.pid
        self.lines = {"stdout": [], "stderr": []}
        self.readers = [threading.Thread(target=self.read, args=(name,)) for name in self.lines]
        for reader in self.readers:
            reader.start()

    def read(self, name):
        for line in getattr(self.process, name):
            self.lines[name].append(line)

    @property
    def out(self):
        return "".join(self.lines["stdout"])

    @property
    def err(self):
        return "".join(self.lines["stderr"])

    def kill(self):
        """End it, and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Launched:
    """Workers that run, inside a `with`; after it none of their processes is there.

    Args:
        engine: one of `ENGINES`.
        workers: how many.
        program: a file of this folder, or a path.
        arguments: of the program.
        timeout: after how many seconds they are ended.
    """

    def __init__(self, engine, workers, program, *arguments, timeout=90):
        self.until = time.monotonic() + timeout
        helpers, environments_of_workers = environments(engine, workers)
        command = [sys.executable, "-W", "ignore", Path(TESTBED) / program, *arguments]
        self.helpers, self.workers = [], []
        try:
            for environment in helpers.values():
                self.helpers.append(Started([sys.executable, "-c", SERVE], environment))
            for environment in environments_of_workers:
                self.workers.append(Started(command, environment))
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.end()

    def end(self):
        """Kill what is left; fails when something outlives that."""
        for each in (*self.workers, *self.helpers):
            each.kill()
        for each in (*self.workers, *self.helpers):
            try:
                os.killpg(each.pid, 0)
            except ProcessLookupError:
                continue
            raise AssertionError(f"process group {each.pid} is still there")

    def wait_for(self, words, worker=0):
        """Wait until a worker has printed some words."""
        started = self.workers[worker]
        while words not in started.out:
            ended = started.process.poll() is not None
            if ended or time.monotonic() > self.until:
                how = "ended" if ended else "said nothing of it in time"
                raise AssertionError(f"no {words!r}: worker {worker} {how}\n{self.told()}")
            time.sleep(0.02)

    def results(self):
        """How each worker ended, when all have."""
        for each in self.workers:
            try:
                each.process.wait(max(0.1, self.until - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise AssertionError(f"not ended in time\n{self.told()}") from None
        for each in self.workers:
            for reader in each.readers:
                reader.join(10)
        return [Result(each.process.returncode, each.out, each.err) for each in self.workers]

    def told(self):
        """What all have printed, for a failure."""
        return "\n".join(
            f"--- {each.pid} {each.process.poll()}\n{each.out[-2000:]}\n{each.err[-4000:]}"
            for each in (*self.helpers, *self.workers)
        )


def launch(engine, workers, program, *arguments, timeout=90):
    """Run a program in workers until all have ended well; what each printed."""
    with Launched(engine, workers, program, *arguments, timeout=timeout) as launched:
        results = launched.results()
        assert all(result.code == 0 for result in results), launched.told()
    return results
