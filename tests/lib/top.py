#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`echoctl top` on a terminal of our own, for tests/system/echoctl.bats.

usage: top.py ECHOCTL TEST; exits 0 if all was as it should be, else prints why
and exits 1.  The control socket is a fake one with three workers.  The
terminal is a pseudo-terminal, and what is written to it is drawn on a grid; so
it has few abilities, see TERMINFO.
"""
import copy
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import fake_control

PATIENCE = 60.0
TERMINFO = r"""echoctl-mono|a terminal,
	am, xenl, cols#80, lines#24, clear=\E[H\E[2J, cup=\E[%i%p1%d;%p2%dH,
	el=\E[K, ed=\E[J, cr=\r, rev=\E[7m, bold=\E[1m, sgr0=\E[m,
	smcup=\E[?1049h, rmcup=\E[?1049l, civis=\E[?25l, cnorm=\E[?25h,
echoctl-colour|the same with colours, use=echoctl-mono,
	colors#8, pairs#64, setaf=\E[3%p1%dm, setab=\E[4%p1%dm, op=\E[39;49m,
echoctl-dumb|one without a cursor, am, cols#80, cr=\r,
"""
# Of each worker: connections now, and for each second accepted, echoes, bytes
# in and out.  Each column has another order.
WORKERS = [(1, 200, 300, 2000, 1000), (30, 100, 100, 1000, 3000),
           (20, 300, 200, 3000, 2000)]
ORDERS = {"w": "012", "c": "120", "a": "201", "e": "021", "i": "201",
          "o": "120"}
NAMES = ("connections", "accepted", "echoes", "in", "out")

STATUS = {
    "version": "0", "pid": 1, "mode": "serving", "draining": False,
    "uptime": 5.5, "listeners": [{"name": "a", "waiting": 2, "limit": 9}],
    "workers": 3, "ready": 3, "maxclients": 100,
    "connections": 51, "accepted": 1, "echoes": 1, "in": 1, "out": 1,
    "closed": {"over_limit": 4}, "deaths": {"SIGKILL": 2, "exit": 1},
    "recoveries": 3, "saved": 7, "reloads": 1, "reloads_refused": 0,
    "takeovers": 0, "standby": None,
    "services": [dict(zip(NAMES, [0] * 5), service="default",
                      state="serving")],
    "kept": 2, "refusal": "", "last_reload": {"pause": 0.004, "ago": None}}
ROWS = [dict(zip(NAMES, [0] * 5), worker=k, state="ready", pid=9)
        for k in range(3)]


def need(condition, why):
    if not condition:
        print(why)
        sys.exit(1)


class Service:
    """The fake one.  `answers` has what it says to a request; the figures of
    workers grow with time if they are the usual ones."""

    def __init__(self, path="control"):
        self.path = path
        self.began = time.monotonic()
        self.status, self.rows = copy.deepcopy(STATUS), None
        self.hold = threading.Event()
        self.hold.set()
        self.listener = fake_control.listen(path)
        threading.Thread(target=self.run, daemon=True).start()

    def grown(self):
        t = time.monotonic() - self.began
        return [dict(zip(NAMES, [w[0]] + [int(x * t) for x in w[1:]]),
                     worker=k, state="ready" if k != 1 else "stopped")
                for k, w in enumerate(WORKERS)]

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.hold.wait()
            request = fake_control.read_request(s)
            rows = self.grown() if self.rows is None else self.rows
            what = {"json status\n": self.status, "json workers\n": rows}
            try:
                s.sendall(json.dumps(what[request]).encode())
            except OSError:
                pass
            s.close()

    def end(self):
        # shutdown(2) ends the accept(2) of the other thread.
        self.listener.shutdown(2)
        self.listener.close()


class Terminal:
    def __init__(self, program, lines=24, columns=80, term="echoctl-mono",
                 **environment):
        self.raw, self.tail = b"", b""
        self.master, self.slave = pty.openpty()
        self.size(lines, columns)
        self.before = termios.tcgetattr(self.slave)
        env = dict(os.environ, TERMINFO=os.getcwd() + "/terminfo", TERM=term)
        env.pop("NO_COLOR", None)
        env.pop("LINES", None)
        env.pop("COLUMNS", None)
        env.update(environment)
        self.process = subprocess.Popen(
            [program, "-s", "control", "top"], stdin=self.slave,
            stdout=self.slave, stderr=subprocess.PIPE, env=env,
            start_new_session=True, preexec_fn=self.own)

    def own(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def size(self, lines, columns):
        self.lines, self.columns = lines, columns
        self.grid = [[" "] * columns for _ in range(lines)]
        self.y = self.x = 0
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", lines, columns, 0, 0))

    def put(self, c):
        if self.x >= self.columns:      # xenl
            self.x, self.y = 0, min(self.y + 1, self.lines - 1)
        self.grid[self.y][self.x] = c
        self.x += 1

    def escape(self, parameters, final):
        if final == "H":
            y, x = ([int(p) for p in parameters.split(";")] if parameters
                    else (1, 1))
            # A screen that has just become smaller is told late.
            self.y = min(y, self.lines) - 1
            self.x = min(x, self.columns) - 1
        elif final == "K":
            self.grid[self.y][self.x:] = [" "] * (self.columns - self.x)
        elif final == "J":
            first = 0 if parameters == "2" else self.y + 1
            if parameters != "2":
                self.escape("", "K")
            for y in range(first, self.lines):
                self.grid[y] = [" "] * self.columns

    def read(self, timeout):
        """Draw what there is; returns False at the end."""
        ready, _, _ = select.select([self.master], [], [], timeout)
        if not ready:
            return True
        data = os.read(self.master, 65536)
        self.raw += data
        text = (self.tail + data).decode("latin-1")
        # An escape sequence that is not whole yet waits.
        whole = re.match(r"(?:\x1b\[[?0-9;]*[a-zA-Z]|[^\x1b])*", text).end()
        self.tail = text[whole:].encode("latin-1")
        for m in re.finditer(r"\x1b\[([?0-9;]*)([a-zA-Z])|(.)", text[:whole],
                             re.S):
            if m[2]:
                self.escape(m[1], m[2])
            elif m[3] == "\r":
                self.x = 0
            elif m[3] >= " ":
                self.put(m[3])
        return True

    def text(self):
        return ["".join(line).rstrip() for line in self.grid]

    def until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition(self.text()):
            need(time.monotonic() < deadline and self.process.poll() is None,
                 "not so: %s; status %s\n%s" % (
                     what, self.process.poll(), "\n".join(self.text())))
            self.read(0.05)

    def press(self, keys):
        os.write(self.master, keys)

    def order(self, text):
        """The numbers of the workers in the order of the lines."""
        return "".join(m[1] for m in (re.match(r"(\d) +(?:[a-z]+ +)?\d", line)
                                      for line in text) if m)

    def ends(self, status):
        """It has ended with `status`, and the terminal is as before."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            need(time.monotonic() < deadline, "it does not end")
            self.read(0.05)
        while select.select([self.master], [], [], 0)[0]:
            self.read(0)
        why = self.process.stderr.read().decode()
        need(self.process.returncode == status,
             "status %d: %s" % (self.process.returncode, why))
        need(termios.tcgetattr(self.slave) == self.before,
             "the terminal's settings are not restored")
        need(self.raw.rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h"),
             "the screen is not restored")
        need(self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l"),
             "the cursor is not restored")
        return why


def begin(program, **more):
    t = Terminal(program, **more)
    t.until(lambda text: t.order(text) == "012", "three workers")
    return t


def sorts(program):
    """Each key sorts, r reverses, and the legend names the keys."""
    Service()
    t = begin(program)
    t.until(lambda text: text[-1].startswith("q quits"), "legend")
    t.until(lambda text: "r reverse" in text[-1], "legend of r")
    t.until(lambda text: any(line.startswith("1   stopped") for line in text),
            "state of a worker that does not serve")
    for key, order in ORDERS.items():
        t.until(lambda text: re.search(r"\b%s [a-z]+" % key, text[-1]),
                "legend of " + key)
        t.press(key.encode())
        t.until(lambda text: t.order(text) == order, "sorted by " + key)
        t.press(b"r")
        t.until(lambda text: t.order(text) == order[::-1], "reversed " + key)
        t.press(b"r")
    # Keys that mean nothing are nothing.
    t.press(b"\x1b[A\x1bOPxyz\x00\xff")
    t.until(lambda text: t.order(text) == ORDERS["o"], "as before")
    t.press(b"q")
    t.ends(0)


def services(program):
    """s shows services instead of workers, also if they come and go."""
    service = Service()

    def serve(*names):
        service.status = dict(STATUS, services=[
            dict(zip(NAMES, [n] + [0] * 4), service=name,
                 state="serving" if name != "gone" else "removed")
            for n, name in enumerate(names)])

    def shows(*names):
        return lambda text: tuple(
            re.sub(r" +(\d+) .*", r":\1", line) for line in text[6:-1]
            if line) == names

    serve("web", "a-service-with-a-long-name", "gone")
    t = begin(program, columns=100)
    t.until(lambda text: "; s services; sort: w worker" in text[-1], "legend")
    t.press(b"s")
    t.until(lambda text: text[4].startswith("SERVICE "), "title")
    t.until(shows("web:0", "a-service-wi:1", "gone:2"), "services")
    t.until(lambda text: "; s workers; sort: w service" in text[-1], "legend")
    t.press(b"c")
    t.until(shows("gone:2", "a-service-wi:1", "web:0"), "sorted")
    serve("new", "web")
    t.until(shows("web:1", "new:0"), "others")
    t.press(b"sw")
    t.until(lambda text: t.order(text) == "012", "workers again")
    # One service is the whole.
    serve("web")
    t.until(lambda text: text[-1].startswith("q quits; sort"), "no legend")
    t.press(b"q")
    t.ends(0)


def resizes(program):
    """It follows the size at once, down to sizes that have room for nothing."""
    Service()
    t = begin(program)
    for lines, columns in ((10, 60), (5, 20), (1, 1), (2, 3), (3, 200),
                           (40, 132), (24, 80)):
        t.size(lines, columns)
        t.until(lambda text: text[0].startswith(
                "echod  serving"[:columns - 1].rstrip()),
                "%dx%d" % (columns, lines))
        if lines > 1:
            t.until(lambda text: text[-1].startswith("q quits"[:columns - 1].rstrip()),
                    "%dx%d legend" % (columns, lines))
    t.until(lambda text: t.order(text) == "012", "all is back")
    t.press(b"q")
    t.ends(0)


def narrow(program):
    """It can begin in a small terminal."""
    Service()
    for lines, columns in ((5, 20), (1, 1), (2, 10), (4, 5)):
        t = Terminal(program, lines, columns)
        t.until(lambda text: text[0].startswith(
                "echod  serving"[:columns - 1].rstrip()),
                "%dx%d" % (columns, lines))
        t.until(lambda text: b"\x1b[?1049h" in t.raw, "begins")
        for key in b"caeiowr":
            t.press(bytes([key]))
        t.press(b"Q")
        t.ends(0)


def restores(program):
    """Whatever ends it, the terminal is as before."""
    service = Service()
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        t = begin(program)
        t.process.send_signal(end)
        t.ends(0)
    # Ctrl-C as the terminal makes it; and while no answer comes.
    t = begin(program)
    t.press(b"\x03")
    t.ends(0)
    t = begin(program)
    service.hold.clear()
    t.until(lambda text: "administration is coming back" in text[-1],
            "says that it waits")
    t.press(b"\x03")
    t.ends(0)
    t = begin_held(program, service)
    service.end()
    why = t.ends(1)
    need(re.match(r"echoctl: control: Connection refused; echod does not run",
                  why), why)


def begin_held(program, service):
    service.hold.set()
    return begin(program)


def comes_back(program):
    """Administration that is away for a moment is waited for."""
    service = Service()
    t = begin(program)
    service.hold.clear()
    t.until(lambda text: "administration is coming back" in text[-1],
            "says that it waits")
    # The size may change meanwhile.
    t.size(20, 70)
    t.until(lambda text: text[0].startswith("echod  serving"), "resized")
    service.hold.set()
    t.until(lambda text: text[-1].startswith("q quits"), "goes on")
    service.hold.clear()
    t.until(lambda text: "administration is coming back" in text[-1],
            "says that it waits")
    # So does a key.
    t.press(b"q")
    why = t.ends(0)
    need(why == "", why)


def colours(program):
    """Colours are the terminal's, and none if NO_COLOR is set."""
    Service()
    colour = re.compile(rb"\x1b\[[34][0-7]m")
    for term, more, there in (("echoctl-colour", {}, True),
                              ("echoctl-colour", {"NO_COLOR": ""}, True),
                              ("echoctl-colour", {"NO_COLOR": "1"}, False),
                              ("echoctl-mono", {}, False)):
        t = begin(program, term=term, **more)
        need((colour.search(t.raw) is not None) == there,
             "%s %s: %r" % (term, more, t.raw))
        t.press(b"q")
        t.ends(0)


def lines(program):
    """A terminal without a cursor, or an unknown one, has lines of text."""
    Service()
    for term in ("echoctl-dumb", "dumb", "no-such-terminal", ""):
        t = Terminal(program, term=term)
        deadline = time.monotonic() + PATIENCE
        while t.raw.count(b"\n") < 2:
            need(time.monotonic() < deadline, "no lines: %r" % t.raw)
            t.read(0.05)
        need(t.raw.startswith(b"UPTIME "), "%r" % t.raw)
        need(b"\x1b" not in t.raw, "escape sequences: %r" % t.raw)
        t.process.send_signal(signal.SIGINT)
        need(t.process.wait(PATIENCE) == 0, "status")


def members(program):
    """A member that is missing or of another type is an error that names it,
    and no figure is printed."""
    service = Service()
    service.rows = copy.deepcopy(ROWS)

    def check(why):
        p = subprocess.run(
            [program, "-s", "control", "--json", "top", "--count", "1"],
            capture_output=True, text=True, timeout=PATIENCE)
        need(p.returncode == 1 and p.stdout == "" and re.search(
            "control: the answer is not one of echod: .*" + why, p.stderr),
             "%s: status %d: %s" % (why, p.returncode, p.stderr))

    for name in ("mode", "uptime", "maxclients", "saved", "kept", "reloads",
                 "closed", "deaths", "listeners", "services",
                 "last_reload") + NAMES:
        service.status = {k: v for k, v in STATUS.items() if k != name}
        check('"%s" is missing' % name)
        for wrong in (None, True, [[]], "1" if name != "mode" else 1):
            service.status = dict(STATUS, **{name: wrong})
            check("")
    for name in ("uptime",) + NAMES:
        for wrong in (-1, -0.5, 1e300, 2 ** 62):
            service.status = dict(STATUS, **{name: wrong})
            check('"%s" is out of range' % name)
    service.status = copy.deepcopy(STATUS)
    for name in ("worker", "state") + NAMES:
        service.rows = copy.deepcopy(ROWS)
        del service.rows[1][name]
        check('"%s" is missing' % name)
        service.rows[1][name] = {}
        check('"%s" is ' % name)
    for wrong in ({}, [1], [None], [[]], ["x"],
                  [dict(ROWS[0], worker=256)], [dict(ROWS[0], worker=1e17)]):
        service.rows = wrong
        check("")


def main(program, test):
    with open("terminal.ti", "w") as f:
        f.write(TERMINFO)
    subprocess.run(["tic", "-x", "-o", "terminfo", "terminal.ti"], check=True)
    globals()[test](os.path.abspath(program))


if __name__ == "__main__":
    main(*sys.argv[1:])
