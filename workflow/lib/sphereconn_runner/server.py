"""An interpreter that runs scripts in forks of itself. Snakemake gives each script a socket of its own to it.

Only this server and the fork hold the far end of that socket. So Snakemake's wait ends, by the kernel's doing, when the
status has come or when nobody lives that could still send it; no list of what runs has to be right for that.

It must never have a second thread, and imports nothing of this project by itself: it starts from its file alone.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterable
from typing import Any, NoReturn

LONGEST_IMPORT = 600  # seconds; then something is wrong with the disk, and the server ends itself
END_OF_PREAMBLE = b"snakemake preamble end"  # in what Snakemake puts before a script
PATIENCE = 60.0  # seconds without a process to be had, nor one of ours that could end
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl
# What Snakemake sends this server, and what the forks get: a signal that came to Snakemake alone.
PASSED_ON: dict[int, int] = {signal.SIGUSR1: signal.SIGINT, signal.SIGUSR2: signal.SIGTERM}


class Server:
    """What is to be run and what runs."""

    def __init__(self, orders: socket.socket, woken: int) -> None:
        self.orders = orders
        self.woken = woken  # where the numbers of signals can be read
        self.told: int | None = None  # the signal that was passed on last: nothing is started any more
        self.waiting: deque[tuple[socket.socket, dict[str, Any]]] = deque()
        self.running: dict[int, socket.socket] = {}  # by process
        self.prepared: set[str] = set()  # the names of the scripts whose imports are there
        self.refused_since: float | None = None

    def accept(self) -> bool:
        """Take an order; whether Snakemake is still there to give one."""
        received, files, _, _ = socket.recv_fds(self.orders, 1, 1)
        for file in files:
            os.set_inheritable(file, False)
            job = socket.socket(fileno=file)
            with contextlib.suppress(OSError, ValueError), job.makefile() as text:  # its giver was interrupted
                self.waiting.append((job, json.loads(text.read())))
        return bool(received)

    def start(self) -> None:
        """Fork for each order, until a signal was passed on.

        Without a process to be had, wait for one of ours, or a while for those of others.
        """
        server = os.getpid()
        while self.waiting:
            job, order = self.waiting[0]
            import_modules(order.pop("modules", ()))
            self.prepare(order["script"])
            self.hear()  # imports take seconds
            if self.told is not None:
                answer(job, status=-self.told)
                self.waiting.popleft()
                continue
            gc.freeze()  # what is here stays: else each fork looks through it for garbage, and copies it by doing so
            # The fork gets what is passed on to it once it can be interrupted, not while it still ignores that.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            try:
                process = os.fork()
            except OSError as problem:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
                self.refused_since = self.refused_since or time.monotonic()
                if self.running or time.monotonic() - self.refused_since < PATIENCE:
                    return
                answer(job, refused=str(problem))
            else:
                if process == 0:
                    self._become(job, order, server)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
                self.running[process] = job
            self.refused_since = None
            self.waiting.popleft()

    def prepare(self, script: str) -> None:
        """Import what a script imports at its top, before its first fork: each of the first ones would import it."""
        _, _, name = os.path.basename(script).partition(".")  # before it stands what tells one copy from another
        if name not in self.prepared:
            self.prepared.add(name)
            import_modules((module, None) for module in imports_of(script))

    def _become(self, job: socket.socket, order: dict[str, Any], server: int) -> NoReturn:
        """Be the fork that runs a script. Sockets of other jobs would outlive their own forks here."""
        try:
            die_with(server)
            self.orders.close()
            for other in (*self.running.values(), *(other for other, _ in self.waiting if other is not job)):
                other.close()
            run(job, order)
        finally:
            os._exit(1)

    def finish(self) -> None:
        """Pass on the statuses of the forks that have ended."""
        while self.running:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return
            if process in self.running:  # and not a process that an import left behind
                answer(self.running.pop(process), status=os.waitstatus_to_exitcode(status))

    def hear(self) -> None:
        """Learn which signals have come: pass them on, and answer for the forks that have ended."""
        with contextlib.suppress(BlockingIOError):
            for number in os.read(self.woken, 4096):
                if number in PASSED_ON:
                    self.told = PASSED_ON[number]
                    self.signal(self.told)
            self.finish()

    def signal(self, number: int) -> None:
        """Send a signal to all forks."""
        for process in self.running:
            os.kill(process, number)


def answer(job: socket.socket, **message: Any) -> None:
    """Say the last word of a job; on a line of its own, whatever its fork may have begun to say."""
    with job, contextlib.suppress(OSError):
        job.sendall(b"\n" + json.dumps(message).encode() + b"\n")


def import_modules(modules: Iterable[tuple[str, str | None]]) -> None:
    """Import modules for all later forks; one that a script has imported, only if it comes from the same file here."""
    signal.alarm(LONGEST_IMPORT)
    for name, origin in modules:
        with contextlib.suppress(Exception, SystemExit):  # a script will meet it again, and say so in its log
            spec = importlib.util.find_spec(name)
            if spec is not None and origin in (None, spec.origin):
                load(name)
    signal.alarm(0)


def imports_of(script: str) -> list[str]:
    """Name the modules that a script imports before it does anything: nothing of its own can decide where from."""
    names: list[str] = []
    with contextlib.suppress(OSError, SyntaxError, ValueError), open(script, "rb") as file:
        for statement in ast.parse(file.read().rpartition(END_OF_PREAMBLE)[2]).body:
            if isinstance(statement, ast.Import):
                names += [alias.name for alias in statement.names]
            elif isinstance(statement, ast.ImportFrom) and statement.module and statement.level == 0:
                names.append(statement.module)
            elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):  # a docstring
                break
    return names


def load(name: str) -> None:
    """Import a module.

    One that has more to load than its import does, such as machine code, defines a function `warm_up`.
    """
    known = set(sys.modules)
    importlib.import_module(name)
    for new in [sys.modules[new] for new in list(sys.modules) if new not in known]:
        if "warm_up" in vars(new):
            new.warm_up()


def die_with(parent: int) -> None:
    """Let this process end with its parent, where the system is Linux; elsewhere it finishes what it does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def run(job: socket.socket, order: dict[str, Any]) -> NoReturn:
    """Run a script as the main module of this process, as `python -P script` would, and exit."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for caught in (signal.SIGCHLD, *PASSED_ON):
            signal.signal(caught, signal.SIG_DFL)
        signal.signal(signal.SIGINT, interrupt)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        os.chdir(order["directory"])
        os.environ.update(order["environment"])
        known = set(sys.modules)
        sys.argv = [order["script"]]
        status = status_of(order["script"]) & 0xFF
        sys.stdout.flush()
        specs = {name: getattr(sys.modules[name], "__spec__", None) for name in list(sys.modules) if name not in known}
        modules = [(name, spec.origin) for name, spec in specs.items() if spec is not None and spec.origin]
        job.sendall(json.dumps({"modules": modules}).encode() + b"\n")
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        os._exit(status)


def interrupt(*_: Any) -> NoReturn:
    """End a script as Ctrl-C does, once: it may come from the terminal and from the server, and tidying up goes on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def status_of(script: str) -> int:
    """Run a script; its exit status, its traceback shown."""
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0 if abs(end.code or 0) < 1 << 63 else 255  # as Python itself exits
        print(end.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        raise
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def serve() -> None:
    """Carry out orders until standard input ends: then Snakemake is gone, and the forks go with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the forks; Snakemake decides when this ends
    orders = socket.socket(fileno=os.dup(0))
    # A script that reads gets nothing, what it prints goes where errors go.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for caught in (signal.SIGCHLD, *PASSED_ON):
        signal.signal(caught, lambda *_: None)
    server = Server(orders, woken)
    while True:
        ready, _, _ = select.select([orders.fileno(), woken], [], [], 1 if server.waiting else None)
        if woken in ready:
            server.hear()
        if orders.fileno() in ready and not server.accept():
            server.signal(signal.SIGKILL)
            return
        server.start()


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    serve()
