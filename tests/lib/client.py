#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Clients that misbehave in useful ways, for the bats tests.

usage: client.py COMMAND [ARGUMENT...]; HOST and PORT are in the environment.
Each command exits 0 if the server did what it should, else prints why and
exits 1.  Every wait is bounded by PATIENCE seconds.
"""
import ctypes
import fcntl
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 60.0
HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "6379"))


def connect(rcvbuf=None):
    family = socket.AF_INET6 if ":" in HOST else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    if rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    s.settimeout(PATIENCE)
    s.connect((HOST, PORT))
    return s


def receive(s, n):
    """Return n bytes, or fewer at EOF."""
    parts, got = [], 0
    while got < n:
        data = s.recv(min(1 << 20, n - got))
        if not data:
            break
        parts.append(data)
        got += len(data)
    return b"".join(parts)


def receive_all(s):
    parts = []
    while True:
        data = s.recv(1 << 20)
        if not data:
            return b"".join(parts)
        parts.append(data)


def silent(s, seconds=0.3):
    """Return True if no byte arrives for this time."""
    return not select.select([s], [], [], seconds)[0]


def need(condition, why):
    if not condition:
        print(why)
        sys.exit(1)


def echo(s, data):
    s.sendall(data)
    need(receive(s, len(data)) == data, "wrong echo")


def exchange(s, data, chunk=1 << 16):
    """Send all of data and half-close while reading; return the bytes received."""
    s.setblocking(False)
    view, out, shut = memoryview(data), [], False
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        r, w, _ = select.select([s], [] if shut else [s], [], 1)
        if r:
            try:
                got = s.recv(1 << 20)
            except BlockingIOError:
                got = None
            if got == b"":
                return b"".join(out)
            if got:
                out.append(got)
        if w:
            if len(view) == 0:
                s.shutdown(socket.SHUT_WR)
                shut = True
            else:
                view = view[s.send(view[:chunk]):]
    need(False, "no EOF in time")


def reset(s):
    """Close with a RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def ready(path):
    """Tell the test that this client is ready."""
    with open(path, "w") as f:
        f.write("ready\n")


def await_file(path, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not os.path.exists(path):
        need(time.monotonic() < deadline, "nobody made " + path)
        time.sleep(0.02)


# --- commands


def held(*_):
    """The start of a line comes back only with its end."""
    s = connect()
    s.sendall(b"first\nsec")
    need(receive(s, 6) == b"first\n", "the whole line did not come back")
    need(silent(s), "the start of a line came back before its end")
    s.sendall(b"ond\n")
    need(receive(s, 7) == b"second\n", "the rest did not come back")


def bytewise(*_):
    """One byte at a time, NUL and CR among them."""
    s = connect()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line = bytes([0, 13, 255, 0, 65]) * 40 + b"\r\n"
    for i in range(len(line)):
        s.sendall(line[i:i + 1])
    need(receive(s, len(line)) == line, "wrong echo")


def lines(count="20000"):
    """Thousands of short lines in few segments."""
    echo_data = b"".join(b"%d\n" % i for i in range(int(count)))
    need(exchange(connect(), echo_data, 1 << 20) == echo_data, "wrong echo")


def long_line(size):
    """A line of `size` bytes and one after it; held back up to 64 KiB."""
    n = int(size)
    line = random.Random(n).randbytes(n - 1).replace(b"\n", b"n") + b"\n"
    s = connect()
    s.sendall(line[:-1])
    if n - 1 < 65536:
        need(silent(s), "a line that fits came back before its end")
        s.sendall(b"\n")
    else:
        head = receive(s, 65536)
        need(head == line[:65536], "a line that does not fit was held")
        s.sendall(b"\n")
        need(receive(s, n - 65536) == line[65536:], "wrong rest")
        echo(s, b"next\n")
        return
    need(receive(s, n) == line, "wrong echo")
    echo(s, b"next\n")


def random_lines(seed, total="3000000"):
    """Random bytes, sent in random pieces, lines of every length."""
    rng = random.Random(int(seed))
    out = bytearray()
    while len(out) < int(total):
        n = rng.choice([1, 10, 100, 5000, 40000, 65535, 65536, 65537, 100000])
        out += rng.randbytes(n).replace(b"\n", b"x") + b"\n"
    data = bytes(out) + b"no newline"
    s = connect()
    need(exchange(s, data, rng.choice([777, 5000, 1 << 16, 1 << 20])) == data,
         "wrong echo")


def discards(*_):
    s = connect()
    s.sendall(b"gone\n" * 10000)
    s.shutdown(socket.SHUT_WR)
    need(receive_all(s) == b"", "something came back")


def slow_reader(*_):
    """One who does not read, beside 50 who do; then it reads, all of it."""
    data = random.Random(1).randbytes(30_000_000).replace(b"\n", b"x")
    slow = connect(rcvbuf=4096)
    slow.setblocking(False)
    sent = 0
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < 0.5 and sent < len(data):
        try:
            sent += slow.send(data[sent:sent + 65536])
            idle_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    need(sent < len(data), "a client that does not read was read from")
    fast = [connect() for _ in range(50)]
    for _ in range(100):
        for s in fast:
            s.sendall(b"x" * 63 + b"\n")
        for s in fast:
            need(receive(s, 64) == b"x" * 63 + b"\n", "a fast one was hurt")
    rest = exchange(slow, data[sent:])
    need(rest == data, "the slow one lost something: %d of %d" %
         (len(rest), len(data)))


def many(count):
    """Connect `count` clients in a burst, echo with each, all open."""
    n = int(count)
    socks = []
    for i in range(n):
        socks.append(connect())
    for i, s in enumerate(socks):
        s.sendall(b"%d\n" % i)
    for i, s in enumerate(socks):
        want = b"%d\n" % i
        need(receive(s, len(want)) == want, "client %d of %d" % (i, n))


def churn(count):
    """Connect, echo, close, `count` times."""
    for i in range(int(count)):
        s = connect()
        echo(s, b"%d\n" % i)
        s.close()


def limit(most):
    """`most` clients are let in, all others get the error; then again."""
    n = int(most)
    for _ in range(2):
        socks = [connect() for _ in range(n + 10)]
        for s in socks:
            try:
                s.sendall(b"hello\n")
            except (BrokenPipeError, ConnectionResetError):
                pass
        answers = []
        for s in socks:
            answers.append(receive(s, 6))
        served = answers.count(b"hello\n")
        need(served == n, "%d of %d served" % (served, n))
        for s, a in zip(socks, answers):
            if a != b"hello\n":
                try:
                    whole = a + receive_all(s)
                except ConnectionResetError:
                    need(False, "reset instead of an answer")
                need(whole == b"-ERR max number of clients reached\r\n",
                     "refused with %r" % whole)
        for s in socks:
            s.close()
        time.sleep(0.3)


def hold(count, file):
    """Open `count` idle clients, say so, and wait until they are closed."""
    socks = [connect() for _ in range(int(count))]
    for s in socks:
        echo(s, b"here\n")
    ready(file)
    for s in socks:
        need(receive_all(s) == b"", "something came")


def hold_from(count, source, file):
    """The same from address `source`, until the file `enough` is there."""
    address = os.environ["HOST"], int(os.environ["PORT"])
    socks = [socket.create_connection(address, 10, (source, 0))
             for _ in range(int(count))]
    for s in socks:
        echo(s, b"here\n")
    ready(file)
    await_file("enough")


def silent_from(count, source, file):
    """Clients that say nothing, until the file `enough` is there."""
    socks = [socket.create_connection((HOST, PORT), 10, (source, 0))
             for _ in range(int(count))]
    need(not select.select(socks, [], [], 0.2)[0], "one was turned away")
    ready(file)
    await_file("enough")


def comers(source, file, text=""):
    """Connect from an address, say `text`, leave, and so on until the file
    "enough" is there; five minutes at most."""
    host = (source, 0)
    end = time.time() + 300
    while time.time() < end and not os.path.exists("enough"):
        try:
            s = socket.create_connection((HOST, PORT), 5, host)
            s.sendall(text.encode())
            s.close()
            if not os.path.exists(file):
                ready(file)
        except OSError:
            pass


def idle_beside_busy(count):
    """`count` idle clients beside busy ones; all answer afterwards, twice."""
    idle = [connect() for _ in range(int(count))]
    busy = [connect() for _ in range(8)]
    for _ in range(2):
        for _ in range(500):
            for s in busy:
                s.sendall(b"busy\n")
            for s in busy:
                need(receive(s, 5) == b"busy\n", "a busy one")
        for s in idle:
            s.sendall(b"still here\n")
        for s in idle:
            need(receive(s, 11) == b"still here\n", "an idle one")
    ready("idle")
    await_file("go")
    # Half a line waits through a silence, which has a half-close in it.
    for s in idle:
        s.sendall(b"ha")
    for _ in range(500):
        for s in busy:
            s.sendall(b"busy\n")
        for s in busy:
            need(receive(s, 5) == b"busy\n", "a busy one")
    for s in idle:
        s.sendall(b"lf")
        s.shutdown(socket.SHUT_WR)
    for s in idle:
        need(receive_all(s) == b"half", "half a line")


def idle(seconds):
    """A silent client is closed after `seconds`, a talking one is not."""
    seconds, began = float(seconds), time.monotonic()
    quiet, talking = connect(), connect()
    talked, closed = began, None
    while closed is None or time.monotonic() - began < seconds * 2:
        now = time.monotonic()
        need(now - began < PATIENCE, "never closed")
        # If the machine stood still, this client was silent and may be closed.
        if now - talked > seconds / 2:
            talking = connect()
        echo(talking, b"still here\n")
        talked = now
        if closed is None and not silent(quiet, 0.05):
            need(quiet.recv(1) == b"", "something came")
            closed = time.monotonic() - began
        time.sleep(0.02)
    need(closed >= seconds - 0.1, "closed after %.2f s" % closed)


def resets(count):
    for _ in range(int(count)):
        s = connect()
        echo(s, b"x\n")
        s.sendall(b"half")
        reset(s)


def partial(count, size):
    """`count` clients leave `size` bytes of a line hanging and go."""
    socks = []
    for _ in range(int(count)):
        s = connect()
        s.sendall(b"y" * int(size))
        socks.append(s)
    ready("partial")
    await_file("go")
    for s in socks:
        s.shutdown(socket.SHUT_WR)
        need(len(receive_all(s)) == int(size), "wrong length")


def stop_middle(count, file):
    """Clients with half a line sent when the service stops: all of it comes
    back, then EOF, no reset."""
    socks = [connect() for _ in range(int(count))]
    for i, s in enumerate(socks):
        s.sendall(b"whole %d\nhalf %d" % (i, i))
        want = b"whole %d\n" % i
        need(receive(s, len(want)) == want, "first line")
    ready(file)
    for i, s in enumerate(socks):
        want = b"half %d" % i
        got = receive_all(s)
        need(got == want, "client %d got %r" % (i, got))
        s.close()


def stop_busy(count, file):
    """Clients that echo in a loop until EOF: every line that came back is
    right, and the end is an EOF."""
    socks = [connect() for _ in range(int(count))]
    line = b"z" * 63 + b"\n"
    told, rounds = False, 0
    live = list(socks)
    deadline = time.monotonic() + PATIENCE
    while live:
        need(time.monotonic() < deadline, "never stopped")
        for s in live:
            try:
                s.sendall(line)
            except BrokenPipeError:
                pass
        for s in list(live):
            try:
                got = receive(s, 64)
            except ConnectionResetError:
                need(False, "reset")
            need(line.startswith(got), "wrong echo")
            if len(got) < 64:
                live.remove(s)
                s.close()
        rounds += 1
        if rounds == 20 and not told:
            ready(file)
            told = True


def queued(count, file, go):
    """Connect and send while nobody accepts; everyone gets the echo."""
    socks = []
    for i in range(int(count)):
        s = connect()
        s.sendall(b"queued %d\n" % i)
        socks.append(s)
    ready(file)
    await_file(go)
    for i, s in enumerate(socks):
        try:
            got = receive_all(s)
        except ConnectionResetError:
            need(False, "client %d was reset" % i)
        need(got == b"queued %d\n" % i, "client %d got %r" % (i, got))


def stuck(size, file):
    """Send much, read nothing, until told; never closes by itself."""
    s = connect(rcvbuf=4096)
    s.setblocking(False)
    data = b"s" * int(size)
    sent, still = 0, time.monotonic()
    while sent < len(data) and time.monotonic() - still < 0.5:
        try:
            sent += s.send(data[sent:])
            still = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    ready(file)
    await_file("go")
    print(sent)


def unread(lines, file):
    """Lines whose echoes nobody reads, until told; then all of them."""
    s = connect(rcvbuf=4096)
    data = (b"u" * 1023 + b"\n") * int(lines)
    s.sendall(data)
    ready(file)
    await_file("go", 3 * PATIENCE)
    need(receive(s, len(data)) == data, "not what was sent")


def deaf(file):
    """Ask, and when the other kernel has that hear and say nothing any more,
    as if the machine were gone; until killed."""
    # struct sock_fprog of one instruction: return 0 bytes of every packet
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    so_attach_filter = 26
    s = connect()
    s.sendall(b"not heard\n")
    deadline = time.monotonic() + PATIENCE
    while fcntl.ioctl(s, termios.TIOCOUTQ, b"\0" * 4) != b"\0" * 4:
        need(time.monotonic() < deadline, "never acknowledged")
        time.sleep(0.01)
    s.setsockopt(socket.SOL_SOCKET, so_attach_filter,
                 struct.pack("HP", 1, ctypes.addressof(drop)))
    ready(file)
    while True:
        signal.pause()


def across(file, go):
    """Half a line before, half after; the connection must not notice."""
    s = connect()
    echo(s, b"before\n")
    s.sendall(b"first half, ")
    time.sleep(0.1)
    ready(file)
    await_file(go)
    s.sendall(b"second half\n")
    need(receive(s, 24) == b"first half, second half\n", "the line was broken")
    echo(s, b"after\n")


def stay(count, file, go):
    """`count` clients that must not notice what happens until `go`: what they
    sent before comes back, and so does what they send then."""
    socks = [connect() for _ in range(int(count))]
    for i, s in enumerate(socks):
        echo(s, b"first %d\n" % i)
        s.sendall(b"half %d, " % i)
    ready(file)
    await_file(go)
    for i, s in enumerate(socks):
        s.sendall(b"whole\n")
        want = b"half %d, whole\n" % i
        got = receive(s, len(want))
        need(got == want, "client %d got %r" % (i, got))
        echo(s, b"after\n")


def answered(count, file, go):
    """Like queued(), for a server that goes on: everyone gets the echo, and
    another one."""
    socks = [connect() for _ in range(int(count))]
    for i, s in enumerate(socks):
        s.sendall(b"queued %d\n" % i)
    ready(file)
    await_file(go)
    for i, s in enumerate(socks):
        try:
            want = b"queued %d\n" % i
            got = receive(s, len(want))
            need(got == want, "client %d got %r" % (i, got))
            echo(s, b"after\n")
        except ConnectionError as e:
            need(False, "client %d: %s" % (i, e))


def notify(path, file, until="STOPPING=1"):
    """A service manager: print what arrives at the socket `path`."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind("\0" + path[1:] if path[0] == "@" else path)
    s.settimeout(PATIENCE)
    ready(file)
    while True:
        text = s.recv(4096).decode()
        print(text, flush=True)
        if until in text:
            return


def syslog(path, file):
    """Print one datagram that arrives at /dev/log's stand-in."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(PATIENCE)
    ready(file)
    while True:
        text = s.recv(4096).decode()
        print(text, flush=True)
        if "stopped in" in text:
            return


def syslog_stream(path, file, stop="stopped in"):
    """Print what arrives at a stream socket in /dev/log's place, a line for
    each message, which ends with NUL; until one has `stop` in it."""
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(5)
    ready(file)
    peers, rest = [listener], {}
    while True:
        for s in select.select(peers, [], [], PATIENCE)[0]:
            if s is listener:
                peers.append(s.accept()[0])
                continue
            data = s.recv(65536)
            if not data:
                peers.remove(s)
                s.close()
                continue
            *messages, rest[s] = (rest.get(s, b"") + data).split(b"\0")
            for text in messages:
                print(text.decode(), flush=True)
                if stop in text.decode():
                    return


def journal(name, *command):
    """Run a command whose standard output (name 1) or error (2) is the
    journal's; what it says there goes to our standard output."""
    ours, theirs = socket.socketpair()
    st = os.fstat(theirs.fileno())
    env = dict(os.environ, JOURNAL_STREAM=f"{st.st_dev}:{st.st_ino}")
    stream = {"1": "stdout", "2": "stderr"}[name]
    process = subprocess.Popen(command, env=env, **{stream: theirs})
    theirs.close()
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        data = ours.recv(65536)
        if not data:
            sys.exit(process.wait())
        os.write(1, data)


def urgent(*_):
    """Urgent data (RFC 6093) is data: it comes back in its place."""
    s = connect()
    s.sendall(b"or")
    s.send(b"d", socket.MSG_OOB)
    s.sendall(b"inary\n")
    need(receive(s, 9) == b"ordinary\n", "wrong echo")


def late(count):
    """Silent clients speak while their worker is stopped for longer than the
    idle timeout; every one of them is answered."""
    idle = [connect() for _ in range(int(count))]
    busy = connect()
    for _ in range(400):
        echo(busy, b"busy\n")
    ready("idle")
    await_file("stopped")
    for s in idle:
        s.sendall(b"late\n")
    ready("sent")
    for i, s in enumerate(idle):
        try:
            need(receive(s, 5) == b"late\n", "client %d" % i)
        except ConnectionResetError:
            need(False, "client %d was reset" % i)


def silent_windows(count):
    """Clients whose long half line was held, then answered, fall silent."""
    idle = [connect() for _ in range(int(count))]
    for s in idle:
        s.sendall(b"y" * 8000)
    time.sleep(0.2)
    for s in idle:
        s.sendall(b"\n")
        need(len(receive(s, 8001)) == 8001, "wrong length")
    busy = connect()
    for _ in range(400):
        echo(busy, b"busy\n")
    ready("idle")
    await_file("go")
    for s in idle:
        echo(s, b"still here\n")


def counted(number="20"):
    """Echoes on so many connections until ./enough is there.  Then each client
    ends; ./bytes has the numbers of bytes and of clients."""
    number = int(number)
    clients, total, turn = [connect() for _ in range(number)], 0, 0
    ready("counting")
    while not os.path.exists("enough"):
        for s in clients:
            line = b"x" * (turn % 300) + b"\n"
            echo(s, line)
            total += len(line)
            turn += 7
        clients[-1].shutdown(socket.SHUT_WR)
        need(receive_all(clients[-1]) == b"", "more than its echoes came")
        clients[-1].close()
        clients[-1] = connect()
        number += 1
    for s in clients:
        s.sendall(b"the end")
        s.shutdown(socket.SHUT_WR)
        need(receive_all(s) == b"the end", "the end did not come back")
        s.close()
        total += 7
    with open("bytes", "w") as f:
        f.write("%d %d\n" % (total, number))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
