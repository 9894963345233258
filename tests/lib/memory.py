#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Clients that take memory, and a good client beside them, for
tests/system/memory.bats.

usage: memory.py flood N BYTES READY GO   N clients send BYTES of a line that
                                          has no end; told how many go on
       memory.py good READY GO            echoes, whole lines and halves; told
                                          the worst time
       memory.py drain N BYTES READY GO   N clients with a line of BYTES each,
                                          that comes back; then all is quiet
HOST and PORT are in the environment.
"""
import os
import resource
import select
import socket
import sys
import time

ADDRESS = (os.environ.get("HOST", "127.0.0.1"),
           int(os.environ.get("PORT", "6379")))
PATIENCE = 100.0


def touch(path):
    with open(path, "w", encoding="ascii") as f:
        f.write("\n")


def await_file(path):
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            sys.exit("gave up waiting for " + path)
        time.sleep(0.02)


def descriptors(n):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n + 100), hard))


class Flood:
    def __init__(self, count, size):
        descriptors(count)
        self.left = {}
        self.gone = 0
        self.poll = select.epoll()
        self.line = b"x" * size
        for _ in range(count):
            s = socket.create_connection(ADDRESS, PATIENCE)
            s.setblocking(False)
            self.left[s.fileno()] = [s, size]
            self.poll.register(s.fileno(),
                               select.EPOLLOUT | select.EPOLLIN)
            self.turn(0)

    def turn(self, patience):
        for fd, events in self.poll.poll(patience):
            s, left = self.left[fd]
            try:
                if events & (select.EPOLLIN | select.EPOLLHUP |
                             select.EPOLLERR):
                    s.recv(1)
                    raise ConnectionError("closed, or an echo of half a line")
                left -= s.send(self.line[:left])
                self.left[fd][1] = left
                if left == 0:
                    self.poll.modify(fd, select.EPOLLIN)
            except OSError:
                self.poll.unregister(fd)
                s.close()
                del self.left[fd]
                self.gone += 1

    def unsent(self):
        return sum(left for _, left in self.left.values())


def flood(count, size, ready, go):
    began = time.monotonic()
    f = Flood(int(count), int(size))
    while f.unsent() > 0 and time.monotonic() - began < PATIENCE:
        f.turn(0.1)
    touch(ready)
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(go) and time.monotonic() < deadline:
        f.turn(0.05)
    print("%d stay, %d closed, %d bytes unsent, %.1f s" %
          (len(f.left), f.gone, f.unsent(), time.monotonic() - began))


def good(ready, go):
    s = socket.create_connection(ADDRESS, PATIENCE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    n = 0
    while not os.path.exists(go):
        line = b"line %d\n" % n
        began = time.monotonic()
        if n % 2:
            s.sendall(line)
        else:
            s.sendall(line[:3])
            time.sleep(0.001)
            began = time.monotonic()
            s.sendall(line[3:])
        got = b""
        while len(got) < len(line):
            part = s.recv(100)
            if not part:
                sys.exit("closed after %d lines" % n)
            got += part
        if got != line:
            sys.exit("wrong: %r for %r" % (got, line))
        times.append((time.monotonic() - began) * 1000)
        n += 1
        if n == 10:
            touch(ready)
        time.sleep(0.001)
    times.sort()
    print("%d lines, p50 %.2f ms, p99 %.2f ms, worst %.1f ms" %
          (n, times[n // 2], times[n * 99 // 100], times[-1]))


def drain(count, size, ready, go):
    descriptors(int(count))
    line = b"y" * (int(size) - 1) + b"\n"
    clients = []
    for _ in range(int(count)):
        s = socket.create_connection(ADDRESS, PATIENCE)
        s.sendall(line[:-1])
        clients.append(s)
    touch(ready + ".held")
    await_file(go + ".held")
    for s in clients:
        s.sendall(line[-1:])
    for s in clients:
        got = 0
        while got < len(line):
            part = s.recv(1 << 20)
            if not part:
                sys.exit("closed")
            got += len(part)
    touch(ready)
    await_file(go)
    for s in clients:
        s.sendall(b"still here\n")
        if s.recv(100) != b"still here\n":
            sys.exit("not there any more")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
