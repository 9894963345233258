#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Clients of the metrics port, for tests/system/metrics.bats.

usage: http.py COMMAND HOST PORT [ARGUMENT...].  Exits 0 if the server did what
it should, else prints why and exits 1.
"""
import os
import select
import socket
import sys
import time

PATIENCE = 60.0


def dial(address, source=None, patience=PATIENCE):
    return socket.create_connection(
        address, patience, source_address=source and (source, 0))


def burst(address, count):
    """Clients connect, send a part of a request, and leave, as many at a time as
    there is room for.  Then a client asks.  It must not wait until the server has
    waited for each of the others."""
    left = 0
    for _ in range(int(count)):
        try:
            with dial(address, patience=0.5) as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: abcdefg")
        except TimeoutError:
            left += 1
            if left == 4:
                break
    began = time.monotonic()
    need_answer(address, None, 30)
    print("%.3f s" % (time.monotonic() - began))


def need_answer(address, source, patience):
    deadline = time.monotonic() + patience
    while True:
        try:
            with dial(address, source, deadline - time.monotonic()) as s:
                s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                if b" 200 " in s.recv(1 << 16).split(b"\r\n")[0]:
                    return
        except OSError:
            pass
        if time.monotonic() > deadline - 0.01:
            print("no answer to %s in %d s" % (source, patience))
            sys.exit(1)


def slow(address, count, source):
    """This number of clients, each of which sends a byte now and then.  A dropped
    client connects again.  They end when there is a file called enough."""
    request = b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 1000000
    held = {}
    while not os.path.exists("enough"):
        while len(held) < int(count):
            s = dial(address, source)
            s.setblocking(False)
            held[s] = 0
        if not os.path.exists("loaded"):
            open("loaded", "w").close()
        for s in list(held):
            try:
                s.send(request[held[s]:held[s] + 1])
                held[s] += 1
                if select.select([s], [], [], 0)[0]:
                    raise ConnectionError
            except OSError:
                s.close()
                del held[s]
        time.sleep(0.05)


def well(address, rounds, source):
    """Each request is answered; print the longest wait."""
    longest = 0.0
    for _ in range(int(rounds)):
        began = time.monotonic()
        need_answer(address, source, PATIENCE)
        longest = max(longest, time.monotonic() - began)
    print("%s: %.3f s" % (source, longest))


def overtime(address, seconds):
    """A client that does not stop sending is closed in the end."""
    began = time.monotonic()
    with dial(address) as s:
        try:
            s.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\n"
                      b"Content-Length: 1000000\r\n\r\n")
            while True:
                s.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass
    if time.monotonic() - began < float(seconds):
        print("sent away after %.1f s" % (time.monotonic() - began))
        sys.exit(1)


if __name__ == "__main__":
    globals()[sys.argv[1]]((sys.argv[2], int(sys.argv[3])), *sys.argv[4:])
