"""`Watch`: tells the workers of a training when one of them has ended."""

from __future__ import annotations

import atexit
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from unified_blocks.backend.group import Group
from unified_blocks.errors import WorkerLostError

ALIVE, GOODBYE, LOST = "alive", "goodbye", "lost"
EX_SOFTWARE = 70
"""The exit status of a process that could not go on without another one."""


def address_towards(host: str) -> str:
    """The address of this machine that others see when it talks to `host`; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))
        name: str = probe.getsockname()[0]
    return name


class Line:
    """A connection on which short texts go back and forth, one on a line.

    Attributes:
        who: the worker at the other end, in words; `""` before it has said so.
        heard: when it last said anything.
        left: whether it has said goodbye. It may still hear.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.who, self.heard = connection, "", time.monotonic()
        self.buffer, self.left = b"", False

    def say(self, *words: str) -> None:
        """One that has gone already hears nothing: its end is noticed where lines are read."""
        with suppress(OSError):
            self.connection.sendall((" ".join(words) + "\n").encode())

    def hear(self) -> list[str] | None:
        """What has come; None when the other end has closed."""
        try:
            received = self.connection.recv(4096)
        except OSError:
            received = b""
        if not received:
            return None
        self.heard = time.monotonic()
        *lines, self.buffer = (self.buffer + received).split(b"\n")
        return [line.decode() for line in lines]


class Watch:
    """Connections between the workers of a group, which break when one of them ends.

    All workers have one with the first, which tells the others who it was. A process that has
    ended closes its connection at once; a machine that is gone is silent. One that ends of itself
    says how much it has done with the others: by `sys.exit` it can be less than they need.

    Args:
        group: the workers. Each makes its watch at the same time.
        silence: after how many seconds without a word a worker is lost.
        grace: how many seconds the framework has to raise its own error before the process ends.
        pulse: how many seconds lie between two words.
    """

    def __init__(
        self, group: Group, *, silence: float = 20.0, grace: float = 10.0, pulse: float = 5.0
    ) -> None:
        self.group, self.silence, self.grace, self.pulse = group, silence, grace, pulse
        self.inside, self.done, self.closed = 0, 0, threading.Event()
        self.left: tuple[int, str] | None = None  # how much it had done, and who
        self.noticed = threading.Event()
        self.reason: str | None = None
        self.status: int | None = None  # of a sys.exit in what all do together
        self.me = f"worker {group.rank} of {group.processes} ({group.host}, process {os.getpid()})"
        self.lines: list[Line] = []
        self.selector = selectors.DefaultSelector()
        self.meet()
        self.thread = threading.Thread(target=self.listen, name="unified-blocks-watch", daemon=True)
        self.thread.start()
        atexit.register(self.at_exit)

    def meet(self) -> None:
        """Connect each worker with the first."""
        server, place = None, np.zeros(5)
        if self.group.rank == 0:
            server = socket.create_server(("", 0), backlog=self.group.processes)
            parts = address_towards(self.group.meeting).split(".")
            place[:] = [*map(int, parts), server.getsockname()[1]]
        place = self.group.sum(place)
        if server is not None:
            server.settimeout(self.silence)
            with server:
                for _ in range(self.group.processes - 1):
                    self.take(server.accept()[0])
        else:
            *numbers, port = map(int, place.tolist())
            address = ".".join(map(str, numbers))
            self.take(socket.create_connection((address, port), timeout=self.silence))
            self.lines[0].who = "worker 0"
        for line in self.lines:
            line.say(self.me)

    def take(self, connection: socket.socket) -> None:
        connection.settimeout(self.silence)
        line = Line(connection)
        self.lines.append(line)
        self.selector.register(connection, selectors.EVENT_READ, line)

    def listen(self) -> None:
        """Hear all lines, until one has ended or this worker has."""
        said = 0.0
        while not self.closed.is_set() and self.reason is None and self.lines:
            for key, _ in self.selector.select(timeout=min(0.5, self.pulse)):
                self.hear(key.data)
            now = time.monotonic()
            if now - said >= self.pulse:
                said = now
                for line in self.lines:
                    line.say(ALIVE)
            for line in list(self.lines):
                if now - line.heard > self.silence and not line.left:
                    self.lose(line.who, f"has been silent for {self.silence:g} s")
        if self.reason is not None:
            self.end_late()

    def hear(self, line: Line) -> None:
        for words in ("",) if (heard := line.hear()) is None else heard:
            kind, _, rest = words.partition(" ")
            if not words:
                self.forget(line)
                if not line.left:
                    self.lose(line.who, "has ended")
            elif kind == GOODBYE:
                line.left = True
                left = int(rest), line.who
                self.left = left if self.left is None else min(left, self.left)
                self.miss()
            elif kind == LOST:
                self.lose(rest, "")
            elif kind != ALIVE:
                line.who = words

    def forget(self, line: Line) -> None:
        self.lines.remove(line)
        self.selector.unregister(line.connection)
        line.connection.close()

    def miss(self) -> None:
        """Lose who has left, if this worker is in what that one has not done."""
        if self.inside and self.left is not None and self.left[0] <= self.done:
            self.lose(self.left[1], "has ended")

    def lose(self, who: str, how: str) -> None:
        """Note who is lost, and tell all others."""
        if self.closed.is_set() or self.reason is not None:
            return
        self.reason = f"{who} {how}".strip()
        for line in self.lines:
            line.say(LOST, self.reason)
        print(f"{self.me}: {self.reason}", file=sys.stderr, flush=True)
        self.noticed.set()

    def end_late(self) -> None:
        """End the process when a call of the framework does not come back by itself."""
        pause = self.grace
        while not self.closed.wait(pause):
            if self.inside:
                print(f"{self.me}: {self.error()}", file=sys.stderr, flush=True)
                os._exit(EX_SOFTWARE)
            pause = 0.2

    def at_exit(self) -> None:
        """Frameworks wait for the lost worker once more when the process ends: it does not.

        One that ends with an error does not say goodbye: the others wait for it.
        """
        if self.status is not None:
            self.say_goodbye()
            until = time.monotonic() + self.silence
            while self.reason is None and time.monotonic() < until:
                if all(line.left for line in list(self.lines)):
                    break  # all leave together
                time.sleep(0.02)
        if self.reason is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(EX_SOFTWARE if self.status is None else self.status)
        if getattr(sys, "last_value", None) is None:
            self.close()

    def lost(self) -> str | None:
        """Which worker has ended, in words; None while all are there."""
        return self.reason

    def error(self) -> WorkerLostError:
        return WorkerLostError(
            f"all workers must stay until the training ends; got {self.reason}: start all again, "
            "in any number, and with checkpoint= the training goes on from its last state"
        )

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Around what needs the other workers.

        Raises:
            WorkerLostError: when one of them has ended, before or meanwhile; the error that the
                framework raised of it is its cause.
        """
        if self.reason is not None:
            raise self.error()
        self.inside += 1
        try:
            self.miss()
            if self.reason is not None:
                raise self.error()
            yield
            self.done += self.inside == 1
        except WorkerLostError:
            raise
        except SystemExit as error:
            code = 0 if error.code is None else error.code
            self.status = code if isinstance(code, int) else 1
            raise
        except Exception as error:
            # It may be that of the framework, which can be earlier than the end of a connection.
            if self.noticed.wait(timeout=3.0 if self.lines else 0.0):
                raise self.error() from error
            raise
        finally:
            self.inside -= 1

    def say_goodbye(self) -> None:
        for line in list(self.lines):
            line.say(GOODBYE, str(self.done))

    def close(self) -> None:
        """Say goodbye: this worker has finished."""
        if self.closed.is_set():
            return
        self.closed.set()
        lines = list(self.lines)
        self.say_goodbye()
        for line in lines:
            with suppress(OSError):
                line.connection.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self.thread.join()
        for line in lines:
            line.connection.close()
        self.selector.close()
        atexit.unregister(self.at_exit)


def watching(group: Group) -> None:
    """Let a group of several processes have a watch, if it has none."""
    if group.processes > 1 and group.watch is None:
        group.watch = Watch(group)
