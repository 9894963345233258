#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Clients of the RESP module, for tests/system/resp.bats.

usage: resp.py compare PORT REDIS-PORT   the same replies from both
       resp.py library PORT FILE         python3-redis, until FILE exists
       resp.py echo PORT FILE            messages of any size, until it exists
       resp.py terminal PORT HISTORY     redis-cli in a terminal
"""
import fcntl
import os
import pty
import random
import re
import select
import socket
import struct
import sys
import termios

PATIENCE = 60.0
END = b"the-end"


def array(*words):
    words = [w if isinstance(w, bytes) else w.encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def lines(text):
    return b"".join(line.strip().encode() + b"\r\n"
                    for line in text.strip().splitlines())


# A reply to END shows that all replies have come.
REQUESTS = [
    b"PING\nping\r\n\r\n \t\r\nPING hello\r\n",
    rb'PING "a b\x41\n"' + b"\r\n" + rb'ECHO "\xzz\q\b\a\t\r"' + b"\r\n",
    rb"PING 'it\'s'" + b"\r\nPING ''\r\nPING a\"b c\"\r\n\tPING\t\r\n",
    b"PING \x0bx\r\nPING\x0b\r\nPI\x0bNG\r\n",
    b'PING "abc\r\n', b"PING 'abc\r\n", b'PING "a"b\r\n', rb'PING "a\ '[:-1]
    + b"\r\n",
    array("PING"), array("PING", "x y"), array("eChO", ""),
    array("ECHO", b"\r\n\0\xff"), array("ECHO", "x" * 5000),
    array("PING", "y" * 70000), array("ECHO", "z" * 1000000),
    array("PING") * 5000, b"PING\r\n" * 20000,
    b"PING " + b"a" * 60000 + b"\r\n", b"foo " + b"a" * 60000 + b" b\r\n",
    lines("PING a b\nECHO\nECHO a b\nTIME x\nRESET x\nAUTH\nCLIENT"),
    array(""), array("foo"), array("foo", "a\r\nb", "c"), array("f\0g", "a\0b"),
    array("foo", "x" * 200, "y"), array("f" * 200, "x" * 120, "y" * 12, "z"),
    array("foo", *[""] * 60), array("foo", *["ab"] * 60),
    array("foo", "x" * 10000, "y"), array("f" * 10000, "y"),
    array("client|id"), array("ping|x"), array("info", "nosuch"),
    b"*0\r\n*-1\r\n*-7\r\n", b"*-0\r\n", b"*\r\n", b"*x\r\n", b"* 1\r\n",
    b"*01\r\n", b"*+1\r\n", b"*2147483648\r\n", b"*" + b"9" * 30 + b"\r\n",
    b"*9223372036854775808\r\n", b"*-9223372036854775808\r\n",
    b"*-9223372036854775809\r\n",
    b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n", b"*1\r\n$\r\n", b"*1\r\n$536870913\r\n",
    b"*1\r\n$" + b"9" * 30 + b"\r\n", b"*1\r\nPING\r\n", b"*1\r\n\r\n",
    b"*1\r\n\n\r\n", b"*1\r\n:4\r\nPING\r\n", b"*1\rx$4\rxPINGxx",
    lines("QUIT"), lines("quit a b c"), lines("POST / HTTP/1.1"),
    lines("""SELECT 0\nSELECT 15\nSELECT 16\nSELECT x\nSELECT -1\nSELECT 01
          SELECT 9999999999\nSELECT 99999999999999999999\nSELECT"""),
    lines("AUTH x\nAUTH a b\nAUTH default b\nAUTH a b c"),
    lines("""HELLO\nHELLO 2\nHELLO 3\nHELLO\nHELLO 4\nHELLO 1\nHELLO a
          HELLO 3 AUTH\nHELLO 3 AUTH a b\nHELLO 3 AUTH default x
          HELLO 2 SETNAME\nHELLO 3 SETNAME a SETNAME b\nCLIENT GETNAME
          HELLO 3 FOO\nHELLO 2 SETNAME 'a b'\nRESET\nCLIENT GETNAME
          HELLO 3 auth default"""),
    lines("""HELLO 3\nCLIENT GETNAME\nCLIENT SETNAME x\nCLIENT GETNAME
          CLIENT SETNAME ''\nCLIENT GETNAME\nRESET\nCLIENT GETNAME"""),
    lines("""CLIENT FOO\nCLIENT ID a\nCLIENT SETNAME\nCLIENT GETNAME x
          CLIENT INFO x\nCLIENT NO-EVICT on\nCLIENT NO-EVICT OFF
          CLIENT NO-EVICT x\nCLIENT NO-EVICT\nCLIENT SETNAME 'a b'
          CLIENT REPLY\nCLIENT REPLY x"""),
    lines(r'CLIENT SETNAME "a\x00b"'),
    lines("""CLIENT LIST TYPE master\nCLIENT LIST TYPE pubsub
          CLIENT LIST TYPE x\nCLIENT LIST FOO\nCLIENT LIST ID x
          CLIENT LIST ID 999999\nCLIENT LIST ID\nHELLO 3
          CLIENT LIST TYPE master"""),
    lines("""CLIENT REPLY OFF\nPING\nfoo\nECHO a\nCLIENT REPLY SKIP\nPING
          CLIENT REPLY ON\nPING"""),
    lines("""CLIENT REPLY SKIP\nPING\nPING\nCLIENT REPLY SKIP
          CLIENT REPLY SKIP\nPING\nPING 1\nCLIENT REPLY SKIP\n\nPING 2
          CLIENT REPLY SKIP\nCLIENT REPLY ON\nPING 3\nCLIENT REPLY SKIP
          ECHO x\nECHO y\nCLIENT REPLY OFF\nRESET"""),
    array("CLIENT", "REPLY", "SKIP") + array("ECHO", "z" * 100000),
    lines("""COMMAND INFO ping\nCOMMAND INFO echo foo time
          COMMAND INFO hello select info quit reset auth\nHELLO 3
          COMMAND INFO ping foo quit info"""),
    lines("""COMMAND GETKEYS ping\nCOMMAND GETKEYS ping a
          COMMAND GETKEYS nosuch a\nCOMMAND FOO\nCOMMAND COUNT 1
          COMMAND LIST x\nCOMMAND DOCS nosuch\nHELLO 3
          COMMAND DOCS nosuch"""),
    lines("INFO nosuch\nHELLO 3\nINFO nosuch\nINFO keyspace"),
]
# These have no end, or the last byte is one too many: the client ends.
UNFINISHED = [
    b"", b"PIN", b"*", b"*1\r", b"*1\r\n$4\r\nPI", b"*1\r\n$4\r\nPING\r",
    b"PING\r\n*2\r\n$4\r\nECHO\r\n$3\r\nab", b"PING\0\r\nPING\r\n",
    b"*1\0\r\n$4\r\nPING\r\n", b"*1\r\n$4\0\r\nPING\r\n",
    b"*2147483647\r\n$1\r\na\r\n", b"*1\r\n$9000000\r\nab",
    b"a" * 65537, b"*" + b"1" * 65536, b"*1\r\n$" + b"1" * 65536,
    b"*1\r\n" + b"x" * 65537,
]


def ask(port, request, finished):
    """All that is answered, and if it was the end."""
    reply = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as s:
        sent = request + (array("ECHO", END) if finished else b"")
        try:
            # Both sides may wait for the other one to read.
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.sendall(sent)
            if not finished:
                s.shutdown(socket.SHUT_WR)
            while not finished or not reply.endswith(END + b"\r\n"):
                data = s.recv(1 << 20)
                if not data:
                    return reply, True
                reply += data
        except (ConnectionResetError, BrokenPipeError):
            return reply, True
    return reply, False


def masked(reply):
    """Two servers differ in their version and in the client's number."""
    reply = re.sub(rb"\$\d+\r\n7\.\d+\.\d+", b"VERSION", reply)
    return re.sub(rb"id\r\n:\d+", b"ID", reply)


def compare(port, redis_port):
    wrong = 0
    for finished, requests in ((True, REQUESTS), (False, UNFINISHED)):
        for request in requests:
            want, ended = ask(redis_port, request, finished)
            got, ended_here = ask(port, request, finished)
            if masked(got) == masked(want) and ended == ended_here:
                continue
            wrong += 1
            at = len(os.path.commonprefix([masked(got), masked(want)]))
            print("%r (%d bytes): at %d" % (request[:100], len(request), at))
            print("  redis: %r %s" % (masked(want)[at:at + 200], ended))
            print("  echod: %r %s" % (masked(got)[at:at + 200], ended_here))
    print("%d requests, %d replies differ" % (
        len(REQUESTS) + len(UNFINISHED), wrong))
    return wrong


def library(port, enough):
    import redis
    number = None
    rounds = 0
    with redis.Redis(port=port, client_name="tester", db=3,
                     socket_timeout=PATIENCE, retry_on_timeout=False,
                     single_connection_client=True) as r:
        while rounds == 0 or not os.path.exists(enough):
            rounds += 1
            assert r.ping() is True
            number = number or r.client_id()
            # It is the same connection all the time.
            assert r.client_id() == number
            assert r.client_getname() == "tester"
            mine = r.client_list()
            assert len(mine) == 1 and mine[0]["id"] == str(number)
            assert mine[0]["db"] == "3" and mine[0]["name"] == "tester"
            assert r.info("server")["tcp_port"] == port
            assert r.info("replication")["role"] == "master"
            assert r.time()[0] > 1700000000
            assert b"ping" in [c.encode() for c in r.command()]
            message = os.urandom(random.choice((1, 1000, 100000)))
            assert r.echo(message) == message
            with r.pipeline(transaction=False) as p:
                for n in range(200):
                    p.echo(b"%d" % n)
                assert p.execute() == [b"%d" % n for n in range(200)]
            try:
                r.get("key")
                raise AssertionError("GET is known")
            except redis.ResponseError as e:
                assert "unknown command" in str(e), e
    print("%d rounds" % rounds)
    return 0


def echo(port, enough):
    """Messages in one connection, in pieces of any size."""
    rounds = 0
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as s:
        while rounds == 0 or not os.path.exists(enough):
            rounds += 1
            message = os.urandom(random.choice(
                (0, 1, 100, 4094, 4095, 16384, 65536, 300000)))
            request = array("ECHO", message)
            want = b"$%d\r\n%s\r\n" % (len(message), message)
            got = b""
            while request:
                n = random.choice((1, 100, 5000, 200000))
                s.sendall(request[:n])
                request = request[n:]
            while len(got) < len(want):
                data = s.recv(1 << 20)
                assert data, "end after %d bytes" % len(got)
                got += data
            assert got == want, "another reply: %d bytes" % len(got)
    print("%d rounds" % rounds)
    return 0


TYPED = [
    ("PING", b"PONG"), ("HELLO 3", b'"proto" => (integer) 3'),
    ("CLIENT SETNAME me", b"OK"), ("CLIENT GETNAME", b'"me"'),
    ("ECHO 'a b'", b'"a b"'), ("no such", b"(error) ERR unknown command"),
    ("SELECT 5", b"OK"), ("CLIENT LIST", b"db=5"),
]


def terminal(port, history):
    """redis-cli for people: a line, its reply, and a prompt again."""
    pid, fd = pty.fork()
    if pid == 0:
        # Before it starts: it asks a terminal without a size for one.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
        os.environ.update(TERM="xterm", REDISCLI_HISTFILE=history)
        os.execlp("redis-cli", "redis-cli", "-p", str(port))

    shown = b""

    def until(text):
        nonlocal shown
        while text not in shown:
            assert select.select([fd], [], [], PATIENCE)[0], shown
            shown += os.read(fd, 4096)
        shown = shown.partition(text)[2]

    prompt = b"127.0.0.1:%d" % port
    for line, reply in TYPED:
        until(prompt)
        os.write(fd, line.encode() + b"\r")
        # The terminal shows the line itself first.
        until(b"\n")
        until(reply)
    until(prompt)
    os.write(fd, b"quit\r")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


COMMANDS = {"compare": (compare, int), "library": (library, str),
            "echo": (echo, str), "terminal": (terminal, str)}

if __name__ == "__main__":
    command, kind = COMMANDS[sys.argv[1]]
    sys.exit(1 if command(int(sys.argv[2]), kind(sys.argv[3])) else 0)
