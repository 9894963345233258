# SPDX-License-Identifier: ISC
"""The server under soak, seen from outside: its process, log and control socket.

This checks everything that must hold at any moment. tests/stress/soak/run acts
on the server.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../chaos"))
# pylint: disable=wrong-import-position
import family                                                   # noqa: E402

LONG = 15.0             # is worth a word
PATIENCE = 90.0         # of a slow machine; nothing is late before that
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} "
                  r"(?:master|worker \d+)\[\d+\] "
                  r"(?:debug|verbose|notice|warning): (?P<text>[ -~]+)")
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ")
FAULT = re.compile(r"(\S+) closed: its input to handler")
# The log lines that a healthy server never writes.
NEVER = re.compile(r"never make|is gone: stopping|lines lost|"
                   r"cannot carry on|no worker lives|limit of \d+ descr|"
                   r"is not an echod|resting for")

# The message of a program that cannot take over and has no log yet.
TAKEOVER = "echod: the takeover failed: "


class Violation(Exception):
    pass


def need(condition, why, *args):
    if not condition:
        raise Violation(why % args if args else why)


def wait_for(what, condition, patience=PATIENCE):
    """Wait until `condition` returns a true value, and return this value."""
    began = time.monotonic()
    deadline = began + patience
    while True:
        value = condition()
        if value:
            if time.monotonic() - began > LONG:
                print("waited %d s for: %s" % (time.monotonic() - began,
                                               what), flush=True)
            return value
        need(time.monotonic() < deadline, "gave up waiting for: %s", what)
        time.sleep(0.01)


def stat_of(pid):
    """State, parent and session of a process, or None if it is gone."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return fields[0], int(fields[1]), int(fields[3])
    except (FileNotFoundError, ProcessLookupError):
        return None


class Log:
    """Follows the log files, also across their rotation, and checks each line.

    A file that was renamed is read to its end: a worker may be writing to it
    until the master has put another in its place.
    """
    def __init__(self):
        self.files = []         # [path, file, rest of a line]
        self.events = []        # texts not yet looked at by drain()
        self.faults = set()     # peers whose own input crashed a worker
        self.lines = 0
        self.taken = []         # ms without a worker, the worst last

    def follow(self, path):
        """Also one that is not there yet."""
        self.files.append([path, None, b""])

    def rotated(self, path, new):
        """`path` was renamed to `new`; both are followed from now on."""
        for f in self.files:
            if f[0] == path:
                f[0] = new
        self.follow(path)

    def forget(self, path):
        """Read to its end for good: it ends with a whole line."""
        self.read()
        for f in [f for f in self.files if f[0] == path]:
            need(f[2] == b"", "log file %s ends with half a line", path)
            if f[1] is not None:
                f[1].close()
            self.files.remove(f)

    def check(self, raw):
        need(b"\0" not in raw, "NUL in the log: %r", raw[:200])
        line = raw.decode("utf-8", "replace")
        match = LINE.fullmatch(line)
        need(match, "malformed log line: %r", line[:300])
        text = match["text"]
        need(not STAMP.search(text), "two log lines in one: %r", line[:300])
        need(not NEVER.search(text), "the log says: %s", line)
        self.lines += 1
        fault = FAULT.match(text)
        if fault:
            self.faults.add(fault[1])
        self.events.append(text)

    def read(self):
        for f in self.files:
            if f[1] is None:
                try:
                    f[1] = open(f[0], "rb")
                except FileNotFoundError:
                    continue
            lines = (f[2] + f[1].read()).split(b"\n")
            f[2] = lines.pop()
            for raw in lines:
                self.check(raw)

    def drain(self):
        self.read()
        texts, self.events = self.events, []
        return texts

    def expect(self, pattern, patience=PATIENCE):
        """The match of the first new line with `pattern`."""
        regex = re.compile(pattern)

        def look():
            for text in self.drain():
                match = regex.search(text)
                if match:
                    return match
            return None
        return wait_for("log line " + pattern, look, patience)


class Service:
    def __init__(self, program, ctl, directory):
        self.program, self.ctl_program = program, ctl
        self.directory = directory
        self.log = Log()
        self.control = "control"
        self.zombies = {}
        self.downfalls = 0
        self.process = None
        self.master = None
        self.successions = 0

    def start(self):
        self.errors = open(self.path("stderr"), "wb")
        # It has its own session, so remaining processes can be found.
        self.process = subprocess.Popen(
            [self.program, "-c", self.path("echod.conf")],
            cwd=self.directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self.errors,
            start_new_session=True)
        self.log.expect(r"ready on .* after")

    @property
    def pid(self):
        """The master's."""
        if self.successions == 0:
            return self.process.pid
        if self.master is None or family.look(
                self.master.pid, self.process.pid) is None:
            self.master = self.pair()[0]
        return self.master.pid

    def pair(self):
        """The master and its standby."""
        return wait_for("a master with a standby", lambda: family.pair(
            family.processes(self.process.pid)))

    def path(self, name):
        return os.path.join(self.directory, name)

    def signal(self, signo):
        need(self.successions or self.process.poll() is None,
             "the master ended with status %s", self.process.returncode)
        os.kill(self.pid, signo)

    def children(self):
        try:
            with open("/proc/%d/task/%d/children" %
                      (self.pid, self.pid)) as f:
                return [int(p) for p in f.read().split()]
        except FileNotFoundError:
            return []

    def named(self, name):
        """Children whose process title has it."""
        found = []
        for pid in self.children():
            try:
                with open("/proc/%d/cmdline" % pid, "rb") as f:
                    if name in f.read():
                        found.append(pid)
            except OSError:
                pass
        return found

    def workers(self):
        """Not the program that a reload runs as a check."""
        return self.named(b": worker ")

    def admins(self):
        """The number of administration processes."""
        return len(self.named(b": admin"))

    def standbys(self):
        return len(self.named(b": standby"))

    def descriptors(self):
        """Without those that processes of the service have kept a number for:
        pidfds, and eventfds until there is a process."""
        folder, found = "/proc/%d/fd/" % self.pid, 0
        for name in os.listdir(folder):
            try:
                found += os.readlink(folder + name) not in (
                    "anon_inode:[pidfd]", "anon_inode:[eventfd]")
            except FileNotFoundError:
                pass
        return found

    def list_descriptors(self):
        """For whoever has to find out which are too many."""
        return subprocess.run(["ls", "-l", "/proc/%d/fd" % self.pid],
                              capture_output=True, text=True).stdout

    def memory(self):
        """KiB of all processes, shared pages once."""
        total = 0
        for pid in self.session():
            try:
                with open("/proc/%d/smaps_rollup" % pid) as f:
                    total += sum(int(line.split()[1]) for line in f
                                 if line.startswith("Pss:"))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return total

    def session(self):
        """Pids of the living that were started by the server."""
        self.process.poll()
        return [int(name) for name in os.listdir("/proc") if name.isdigit()
                and (stat_of(int(name)) or ("", 0, 0))[2] == self.process.pid]

    def ctl(self, *words, status=0):
        """An echoctl command: what it prints, as JSON or text."""
        done = subprocess.run(
            [self.ctl_program, "-s", self.path(self.control), *words],
            capture_output=True, timeout=PATIENCE)
        need(done.returncode == status, "echoctl %s: status %d, %s",
             " ".join(words), done.returncode,
             (done.stderr or done.stdout)[:300].decode())
        text = done.stdout.decode()
        if "--json" in words and status == 0:
            try:
                return json.loads(text)
            except ValueError:
                raise Violation("echoctl %s: not JSON: %s" %
                                (" ".join(words), text[:300]))
        return text

    def status(self):
        return self.ctl("--json", "status")

    def watch(self):
        """What holds always.  A zombie is one that is not reaped for long."""
        status = self.process.poll()
        need(self.successions or status is None,
             "the master ended with status %s", status)
        acting = family.acting(self.process.pid,
                               family.processes(self.process.pid))
        need(len(acting) < 2, "these act as the master: %s", acting)
        self.log.read()
        with open(self.path("stderr"), errors="replace") as f:
            for line in f:
                need(self.downfalls and line.startswith(TAKEOVER),
                     "on standard error: %s", line)
        now = time.monotonic()
        dead = {pid for pid in self.children()
                if (stat_of(pid) or "Z")[0] == "Z"}
        self.zombies = {pid: self.zombies.get(pid, now) for pid in dead}
        for pid, since in self.zombies.items():
            need(now - since < PATIENCE, "process %d is not reaped", pid)

    def stop(self):
        """A graceful stop: its receipt, and nothing left behind."""
        self.signal(signal.SIGTERM)
        self.log.expect(r"stopped in \d+\.\d{3} s: \d+ connections drained, "
                        r"0 cut, 0 bytes unsent, 0 workers killed$")
        status = self.process.wait(PATIENCE)
        need(self.successions or status == 0, "exit status %d", status)
        if self.successions:            # it is not our child
            wait_for("the end", lambda: not self.session())
        left = self.session()
        need(not left, "processes are left: %s", left)
        for path, _, _ in list(self.log.files):
            self.log.forget(path)

    def end(self):
        """After a violation: kill what is there, by pid."""
        if self.process is None:
            return
        for pid in self.session():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
