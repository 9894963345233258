# SPDX-License-Identifier: ISC
"""Clients of the soak: witnesses that last for the whole soak, probes that check
the service for a new client, and the load program of one round."""
import os
import re
import socket
import subprocess

from service import PATIENCE, need, wait_for

LOST = re.compile(r"load: \w+ client \d+, port (\d+): (.*)")


class Witness:
    """A connection that lasts as long as the service.  Between two checks it has
    sent half a line, which must not be forgotten."""
    def __init__(self, number, address):
        self.number, self.turn = number, 0
        self.socket = socket.create_connection(address, PATIENCE)
        self.name = "%s:%d" % self.socket.getsockname()
        self.half = b""
        self.begin()

    def begin(self):
        self.half = b"witness %d, turn %d, " % (self.number, self.turn)
        self.socket.sendall(self.half)

    def look(self):
        """Return True, or False if the connection is gone."""
        want = self.half + b"still here\n"
        got = b""
        try:
            self.socket.sendall(b"still here\n")
            while len(got) < len(want):
                data = self.socket.recv(len(want) - len(got))
                if data == b"":
                    return False
                got += data
        except ConnectionError:
            return False
        except TimeoutError:
            need(False, "witness %s: no echo", self.name)
        need(got == want, "witness %s: %r for %r", self.name, got, want)
        self.turn += 1
        try:
            self.begin()
        except ConnectionError:
            return False
        return True

    def farewell(self):
        """The service stops: what is unterminated comes back, then EOF."""
        got = b""
        try:
            while data := self.socket.recv(4096):
                got += data
        except (ConnectionError, TimeoutError) as e:
            need(False, "witness %s: %s at the end", self.name, e)
        need(got == self.half, "witness %s: %r for %r at the end", self.name,
             got, self.half)
        self.socket.close()


def probe(address, source=None, line=b"probe\n", header=b""):
    """What a new client meets: "refused", "nothing" (no answer, as from
    handler discard, or closed without a word), "limit", or "echo"."""
    try:
        s = socket.create_connection(address, PATIENCE,
                                     (source, 0) if source else None)
    except ConnectionRefusedError:
        return "refused"
    got = b""
    with s:
        try:
            s.sendall(header + line)
            s.shutdown(socket.SHUT_WR)
        except OSError:         # closed already; what came is still there
            pass
        try:
            while data := s.recv(4096):
                got += data
        except ConnectionResetError:
            pass
        except TimeoutError:
            return "silence"
    return {line: "echo", b"": "nothing",
            b"-ERR max number of clients reached\r\n": "limit"}.get(got, "wrong: %r" % got)


class Load:
    def __init__(self, program, directory, port, rest, mix, once):
        self.directory = directory
        for name in ("ready", "enough"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        self.output = open(self.path("load"), "w+")
        self.process = subprocess.Popen(
            [program, "-p", str(port), "-t", "86400", "-d", str(rest),
             "-f", self.path("ready"), "-e", self.path("enough"),
             *(("-o",) if once else ()), *mix],
            stdout=self.output, stderr=subprocess.STDOUT)
        wait_for("the load to connect", self.is_ready)

    def path(self, name):
        return os.path.join(self.directory, name)

    def is_ready(self):
        need(self.process.poll() is None, "the load did not start")
        return os.path.exists(self.path("ready"))

    def finish(self):
        """Its figures, and the ports of connections that were lost."""
        open(self.path("enough"), "w").close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            need(False, "the load does not end")
        self.output.seek(0)
        text = self.output.read()
        self.output.close()
        figures = re.search(r"^echoes=.*", text, re.M)
        need(figures, "the load has no figures: %s", text[-500:])
        return ({k: float(v) for k, v in
                 (item.split("=") for item in figures[0].split())},
                LOST.findall(text), text)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
