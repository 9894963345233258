#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Clients of the control socket that misbehave, for tests/system/control.bats.

usage: control.py COMMAND [ARGUMENT...]; the socket is ./control, the service
on HOST and PORT of the environment.  Exits 0 if the server did what it should,
else prints why and exits 1.
"""
import os
import socket
import sys
import time

PATIENCE = 60.0


def need(condition, why):
    if not condition:
        print(why)
        sys.exit(1)


def dial():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            s.connect("control")
            return s
        except BlockingIOError:         # its queue is full for a moment
            need(time.monotonic() < deadline, "nobody takes us")
            time.sleep(0.001)


def read(s):
    parts = []
    try:
        while data := s.recv(1 << 16):
            parts.append(data)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def ask(request):
    s = dial()
    try:
        s.sendall(request)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return read(s)


def echo():
    """The service echoes: no other client delays it."""
    s = socket.create_connection(
        (os.environ["HOST"], int(os.environ["PORT"])), PATIENCE)
    s.sendall(b"ping\n")
    need(s.recv(16) == b"ping\n", "no echo")
    s.close()


def nonsense():
    """An invalid request gets an error, and the next request is answered."""
    for request in (b"x" * 1023 + b"\n", b"x" * 1024, b"x" * 1000000 + b"\n",
                    b"\0\n", b"\0" * 5000, bytes(range(256)) * 40 + b"\n",
                    b"status\0\n", b"\x1b[2J\n", b"\n", b" \t \n", b"json\n",
                    b"json json status\n", b"Status\n", b"status status\n",
                    b"close\n", b"close x\n", b"close 1.2.3.4\n",
                    b"close [::1]\n", b"close :\n", b"close [:1\n",
                    b"close []:1\n", b"workers 0\n", b"workers 999999\n",
                    b"workers -1\n", b"loglevel loud\n", b"drain maybe\n",
                    b"connections worker=x\n", b"connections who\n",
                    b"a b c d e f g h i j k l m n o p q r s t u v\n"):
        answer = ask(request)
        need(answer.startswith((b"error: ", b'{"error":')),
             "%r: %r" % (request[:40], answer[:80]))
        need(answer.count(b"\n") == 1 and answer.endswith(b"\n"),
             "%r is no line" % answer[:80])
        need(all(32 <= c < 127 for c in answer[:-1]), "%r" % answer[:80])
    need(ask(b"status\n").startswith(b"echod "), "status")


def spellings():
    """A request in single bytes, with CRLF, or without a newline is answered."""
    s = dial()
    for byte in b"status\r\n":
        s.send(bytes([byte]))
        time.sleep(0.001)
    need(read(s).startswith(b"echod "), "byte by byte")
    s = dial()
    s.sendall(b"  json \t status")
    s.shutdown(socket.SHUT_WR)
    need(read(s).startswith(b"{"), "without a newline")
    s = dial()
    s.shutdown(socket.SHUT_WR)
    need(read(s) == b"", "nothing asked, something answered")
    s = dial()
    s.sendall(b"status\nstop\n")
    need(read(s).count(b"echod ") == 1, "two requests")


def crowd(count):
    """Many clients at once ask nothing.  Those above the limit get an error, the
    service echoes in the meantime, and there is room when the clients leave."""
    most = 100 if os.getuid() == 0 else 80      # the rest is root's
    idle = [dial() for _ in range(most)]
    s = dial()
    need(read(s).startswith(b"error: too many"), "one too many is let in")
    echo()
    for s in idle[:int(count)]:
        s.sendall(b"json status\n")
    for s in idle[:int(count)]:
        need(read(s).startswith(b"{"), "no answer among many")
    for s in idle:
        s.close()
    deadline = time.monotonic() + PATIENCE
    while not ask(b"status\n").startswith(b"echod "):
        need(time.monotonic() < deadline, "no room again")


def slow(count):
    """Clients that do not read a long list delay no other client.  When they
    read, the list is complete."""
    held = [socket.create_connection((os.environ["HOST"],
                                      int(os.environ["PORT"])), PATIENCE)
            for _ in range(int(count))]
    echo()
    readers = [dial() for _ in range(50)]
    for s in readers:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(b"connections\n")
    for _ in range(20):
        echo()
        need(ask(b"status\n").startswith(b"echod "), "status")
    for s in readers:
        rows = read(s).decode().splitlines()
        need(len(rows) >= int(count) + 2, "%d rows" % len(rows))
        need(rows[-1].endswith(" connections"), rows[-1])
    for s in held:
        s.close()


def sit(name, least, most):
    """Take all places, report it, and stay."""
    dialled = [dial() for _ in range(int(most) + 1)]
    # The clients are let in one after the other.  When the last client is told
    # that there is no place, every other client has its answer.
    need(dialled[-1].recv(100).startswith(b"error: too many"),
         "there are more places")
    idle = []
    for s in dialled[:-1]:
        s.setblocking(False)
        try:
            need(s.recv(100).startswith(b"error: too many"), "what is this?")
        except BlockingIOError:
            idle.append(s)
    need(int(least) <= len(idle) <= int(most), "%d places" % len(idle))
    open(name, "w").close()
    while not os.path.exists("enough"):
        time.sleep(0.05)


def trickle(count):
    """A reader that reads a little at a time does not have the end."""
    held = [socket.create_connection((os.environ["HOST"],
                                      int(os.environ["PORT"])), PATIENCE)
            for _ in range(int(count))]
    echo()
    s = dial()
    s.sendall(b"json connections\n")
    got, end, began = 0, b"", time.monotonic()
    try:
        while data := s.recv(1024):
            got += len(data)
            end = data
            # Then read everything.
            if time.monotonic() < began + 70:
                time.sleep(0.5)
    except ConnectionResetError:
        pass
    print("%d bytes" % got)
    need(not end.endswith(b"]\n"), "the list is whole")
    for s in held:
        s.close()


def vanish():
    """Clients that go in the middle of everything."""
    for i in range(300):
        s = dial()
        s.send((b"connections\n", b"conn", b"metrics\n", b"")[i % 4])
        s.close()
    need(ask(b"status\n").startswith(b"echod "), "status")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
