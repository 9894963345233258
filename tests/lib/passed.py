#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Start a program as systemd starts one with a socket unit, Accept=no.

passed.py TIMES SOCKET... -- COMMAND...

The sockets stay open here, as they do in systemd.  The command is started
TIMES times, one after the other; its pid is in ./child.  A SOCKET is
ADDRESS@PORT, or KIND:ADDRESS@PORT with one of dual (IPv6 that takes IPv4),
bound (does not listen) and udp.  They are named a, b, c ...  PASSED_PID, if
it is set, is LISTEN_PID instead of the command's.
"""
import os
import signal
import socket
import sys


def make(spec):
    kind, _, rest = spec.partition(":")
    if kind not in ("dual", "bound", "udp"):
        kind, rest = "", spec
    host, port = rest.rsplit("@", 1)
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                      socket.SOCK_DGRAM if kind == "udp" else
                      socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in host:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, kind != "dual")
    s.bind((host, int(port)))
    if not kind or kind == "dual":
        s.listen(16)
    return s


def start(sockets, command):
    pid = os.fork()
    if pid == 0:
        high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(sockets)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        os.closerange(3 + len(high), 200)
        os.environ["LISTEN_FDS"] = str(len(high))
        os.environ["LISTEN_PID"] = os.environ.get("PASSED_PID",
                                                  str(os.getpid()))
        os.environ["LISTEN_FDNAMES"] = ":".join("abcdefgh"[:len(high)])
        os.execvp(command[0], command)
    with open("child.new", "w") as f:
        f.write(str(pid))
    os.rename("child.new", "child")
    return pid


def main():
    at = sys.argv.index("--")
    sockets = [make(s) for s in sys.argv[2:at]]
    child = 0

    def end(*_):
        if child:
            os.kill(child, signal.SIGKILL)
        sys.exit(1)

    signal.signal(signal.SIGTERM, end)
    for _ in range(int(sys.argv[1])):
        child = start(sockets, sys.argv[at + 1:])
        _, status = os.waitpid(child, 0)
        child = 0
        print("ended with", os.waitstatus_to_exitcode(status), flush=True)


main()
