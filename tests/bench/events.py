"""How soon, and how often, subscribers of shpool's events are told."""

import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from tests.bench import wire
from tests.bench.client import PATIENCE, Stuck
from tests.bench.contestants import Shpool
from tests.bench.measuring import Bench, Row, alone, percentile

_EVENT = len(b'{"type":"session.attached"}\n')  # as long as that of a detach


def latency(bench: Bench) -> list[Row]:
    """From an attach request to the event that tells the last subscriber of it."""
    rows = []
    for count in bench.sizes.subscribers:
        label = f"event to the last of {count}, p50"
        with alone() as shpool:
            bench.progress(label)
            shpool.make({"one": ["sleep", "1000"]})
            wire.settle(shpool.socket, 0)
            p50 = _latency(shpool, count, bench.sizes.latencies)
        rows.append(Row(label, "ms", False, {shpool.name: p50}))
    return rows


def _latency(shpool: Shpool, count: int, events: int) -> float:
    subscribers = [wire.connect(shpool.events_socket) for _ in range(count)]
    request = wire.attach_request("one")
    wire.settle(shpool.socket, count)
    times = []
    for _ in range(events):
        peer = wire.Peer(shpool.socket)
        started = perf_counter()
        peer.sock.sendall(request)
        _read(subscribers[-1], _EVENT)
        times.append((perf_counter() - started) * 1e3)
        # The last to subscribe is the last to be told, or this would not measure what it says.
        if not all(wire.readable(subscriber) for subscriber in subscribers[:-1]):
            raise Stuck("a later subscriber was told before an earlier one")
        peer.close()
        _read(subscribers[-1], _EVENT)
        for subscriber in subscribers[:-1]:
            _read(subscriber, 2 * _EVENT)
    for subscriber in subscribers:
        subscriber.close()
    return percentile(times, 50)


def _read(sock: socket.socket, size: int) -> None:
    while size:
        data = sock.recv(size)
        if not data:
            raise Stuck("a subscriber was closed")
        size -= len(data)


def rate(bench: Bench) -> list[Row]:
    """Until all subscribers have heard all, one more of them never reading."""
    rows = []
    for count in bench.sizes.subscribers:
        label = f"events to {count} and one stuck"
        with alone() as shpool:
            bench.progress(label)
            shpool.make({"one": ["sleep", "1000"]})
            wire.settle(shpool.socket, 0)
            events = 2 * (bench.sizes.events // 2)
            with wire.connect(shpool.events_socket), _listening(shpool, count, events) as done:
                wire.settle(shpool.socket, count)
                request = wire.attach_request("one")
                started = perf_counter()
                for _ in range(events // 2):
                    wire.attached(shpool.socket, request).close()
                _await_byte(done)
                elapsed = perf_counter() - started
        rows.append(Row(label, "/s", True, {shpool.name: events / elapsed}))
    return rows


@contextmanager
def _listening(shpool: Shpool, count: int, events: int) -> Iterator[int]:
    """Another process reads along; a byte comes when everybody has heard `events` events."""
    done, report = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _listen(shpool.events_socket, count, events, report)
        finally:
            os._exit(1)
    os.close(report)
    try:
        _await_byte(done)
        yield done
    finally:
        os.close(done)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _listen(path: Path, count: int, events: int, report: int) -> None:
    subscribers = [wire.connect(path) for _ in range(count)]
    poll = select.epoll()
    left = {}
    by_fd = {}
    for subscriber in subscribers:
        fd = subscriber.fileno()
        poll.register(fd, select.EPOLLIN)
        left[fd] = events * _EVENT
        by_fd[fd] = subscriber
    os.write(report, b"r")
    missing = sum(left.values())
    while missing:
        for fd, _ in poll.poll():
            data = by_fd[fd].recv(1 << 16)
            if not data:
                return
            missing -= len(data)
    os.write(report, b"d")


def _await_byte(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if not poll.poll(PATIENCE * 1000) or not os.read(fd, 1):
        raise Stuck("not all subscribers have heard everything")
