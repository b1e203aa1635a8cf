"""One run: servers, a driver, a fault at its time, and what came of it.

May import: the standard library, clients, faults, figures, nodes, proxy. Used by the main program.
"""
from __future__ import annotations

import asyncio
import signal
import socket
import time

from clients import Client, environment
from faults import Fault
from figures import Bucket, Plan, Record
from nodes import COUNT, ENDS_WITH_THIS, FAULTED, Endpoint, Node
from proxy import Proxy

POLL_S = 0.02
WINDOW = 4  # polls over which the returned node's reads are counted
START_S = 30.0  # how long a driver may take to begin


class Scene:
    """Four nodes, one of them behind a proxy, and an endpoint that lists them."""

    def __init__(self, fault: Fault) -> None:
        self.nodes = [Node() for _ in range(COUNT)]
        self.faulted = self.nodes[FAULTED]
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.proxy = Proxy(listener, self.faulted.port)
        self.names = [node.name for node in self.nodes]
        if fault.by_proxy:
            self.names[FAULTED] = f"127.0.0.1:{self.proxy.port}"
        self.endpoint = Endpoint(self.names)

    async def start(self) -> None:
        """From now on clients are served."""
        await self.proxy.start()
        await self.endpoint.start()

    async def stop(self) -> None:
        """All of it ends."""
        self.endpoint.stop()
        await self.proxy.stop()
        for node in self.nodes:
            node.kill()


async def _watch_return(node: Node, usual: float, until: float) -> float | None:
    """Seconds until the node is read half as often again as before the fault; None where it is not by then."""
    began = time.monotonic()
    polls: list[tuple[float, int]] = []
    while (now := time.monotonic()) < until:
        reads = node.reads()
        if reads is not None:
            polls.append((now, reads))
        if len(polls) > WINDOW:
            then, before = polls[-1 - WINDOW]
            if polls[-1][1] - before - WINDOW >= 0.5 * usual * (now - then) - WINDOW:
                return max(then - began, 0.0)
        await asyncio.sleep(POLL_S)
    return None


class Run:
    """A driver's process and what it tells."""

    def __init__(self, client: Client, fault: Fault, plan: Plan, options: dict[str, str]) -> None:
        self.record = Record(client.name, fault, plan)
        self._client = client
        self._options = options
        self._began: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._told_end = False

    async def __call__(self) -> Record:
        scene = Scene(self.record.fault)
        try:
            await scene.start()
            await self._drive(scene)
        finally:
            await scene.stop()
        return self.record

    async def _drive(self, scene: Scene) -> None:
        plan = self.record.plan
        servers = self._client.servers(scene.endpoint.name, scene.names, self._options)
        command = self._client.start_command(servers, plan.rate, plan.total_s, plan.keys)
        process = await asyncio.create_subprocess_exec(
            *ENDS_WITH_THIS, *command, env=environment(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        assert process.stdout is not None and process.stderr is not None
        listening = asyncio.create_task(self._listen(process.stdout))
        complaints = asyncio.create_task(process.stderr.read())
        try:
            began = await asyncio.wait_for(self._began, START_S)
            await self._fault(scene, began)
            await self._await_end(process, began + plan.total_s + plan.patience_s)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await listening
        lines = (await complaints).decode(errors="replace").splitlines()
        self.record.errors += [f"stderr: {line}" for line in lines[-20:]]

    async def _listen(self, stdout: asyncio.StreamReader) -> None:
        while line := (await stdout.readline()).decode(errors="replace"):
            word, _, rest = line.strip().partition(" ")
            if word == "start":
                self._began.set_result(float(rest))
            elif word == "bucket":
                self.record.buckets.append(Bucket(*map(int, rest.split())))
            elif word == "error":
                self.record.errors.append(rest)
            elif word == "end":
                self._told_end = True
        if not self._began.done():
            self._began.set_exception(SystemExit(f"faults: the driver of {self.record.client} did not start"))

    async def _fault(self, scene: Scene, began: float) -> None:
        plan, node = self.record.plan, scene.faulted
        reads_at_first = node.reads() or 0
        measured_from = time.monotonic()
        await asyncio.sleep(max(began + plan.before_s - time.monotonic(), 0.0))
        usual = ((node.reads() or 0) - reads_at_first) / max(time.monotonic() - measured_from, 1e-3)
        async with self.record.fault.begin(node, scene.proxy):
            await asyncio.sleep(max(began + plan.before_s + plan.fault_s - time.monotonic(), 0.0))
        self.record.back_s = await _watch_return(node, usual, began + plan.total_s)

    async def _await_end(self, process: asyncio.subprocess.Process, until: float) -> None:
        try:
            status = await asyncio.wait_for(process.wait(), max(until - time.monotonic(), 0.0))
        except asyncio.TimeoutError:
            self.record.ended = "hung"
            return
        if status < 0:
            self.record.ended = signal.Signals(-status).name
        elif status > 0 or not self._told_end:
            self.record.ended = f"status {status}"
