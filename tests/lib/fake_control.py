#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A control socket that answers what it is told, for tests of echoctl.

usage: fake_control.py PATH BEHAVIOUR...

Each connection gets the next behaviour; the last one is for all that follow:
    say:TEXT		read the request, answer TEXT (with escapes of Python)
    late:SECONDS:TEXT	the same, after a while
    eof			read the request and close
    reset		close without reading the request
Requests that were read are lines of the file ./requests.
"""
import os
import select
import socket
import sys
import time


def answer(text):
    return text.encode().decode("unicode_escape").encode("latin-1")


def read_request(s):
    line = b""
    while not line.endswith(b"\n"):
        part = s.recv(4096)
        if not part:
            break
        line += part
    with open("requests", "ab") as f:
        f.write(line)
    return line.decode()


def listen(path):
    """The path is there when a client can connect to it."""
    s = socket.socket(socket.AF_UNIX)
    s.bind(path + ".new")
    s.listen(16)
    os.rename(path + ".new", path)
    return s


def behave(s, what):
    if what == "reset":
        select.select([s], [], [])
        return
    read_request(s)
    kind, _, text = what.partition(":")
    if kind == "late":
        seconds, _, text = text.partition(":")
        time.sleep(float(seconds))
    if kind != "eof":
        s.sendall(answer(text))


def main(path, *behaviours):
    listener = listen(path)
    n = 0
    while True:
        s, _ = listener.accept()
        try:
            behave(s, behaviours[min(n, len(behaviours) - 1)])
        except OSError:
            pass
        s.close()
        n += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
