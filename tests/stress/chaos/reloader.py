#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Reload a server again and again, and check that nothing grows.

usage: reloader.py SESSION LOAD_PID LOG COUNT SECONDS [MODULE FILE...]

Sends SIGUSR2 and waits until LOG has the result.  Before that MODULE becomes a
copy of the next FILE, in turn.  Repeats this COUNT times, or
until SECONDS have passed or the process LOAD_PID is gone.  Prints one line of
name=value figures: reloads done, not done, and forgotten because the master
died, pauses in ms, and descriptors and memory (KiB, all processes; shared pages
once) after the tenth and after the last reload.
"""
import os
import re
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import family                                                   # noqa: E402

DONE = re.compile(r"reloaded: .* for (\d+) ms")
NOT_DONE = re.compile(r"reload (refused|failed)")


def master_of(session):
    """The master; the oldest one, if it has no standby."""
    while True:
        there = family.processes(session)
        pair = family.pair(there)
        masters = pair or sorted(family.of_role(there, "master"),
                                 key=lambda p: p.start)
        if masters:
            return masters[0]
        if not there:
            sys.exit("the service is gone")
        time.sleep(0.002)


def descriptors(session):
    while True:
        try:
            return len(os.listdir("/proc/%d/fd" % master_of(session).pid))
        except FileNotFoundError:
            pass


def memory(session):
    total = 0
    for process in family.processes(session):
        try:
            with open("/proc/%d/smaps_rollup" % process.pid) as f:
                total += sum(int(line.split()[1]) for line in f
                             if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def settled(measure, session):
    """The least of a few measurements, because clients connect and leave."""
    values = []
    for _ in range(10):
        values.append(measure(session))
        time.sleep(0.02)
    return min(values)


class Log:
    def __init__(self, path):
        self.file = open(path, errors="replace")
        self.rest = ""

    def lines(self):
        text = self.rest + self.file.read()
        lines = text.split("\n")
        self.rest = lines.pop()
        return lines


def reload(session, log):
    """The pause in ms; or -1 if the reload was refused, failed, or never ended;
    or -2 if nothing came of it, and the master has died."""
    log.lines()
    master = master_of(session)
    if not family.send(master, session, signal.SIGUSR2):
        return -2
    asked = time.monotonic()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for line in log.lines():
            done = DONE.search(line)
            if done:
                return int(done[1])
            if NOT_DONE.search(line):
                return -1 if family.look(master.pid, session) else -2
        if time.monotonic() - asked > 1 and \
                family.look(master.pid, session) is None:
            return -2
        time.sleep(0.002)
    return -1


def replace(module, file):
    """In one step: the module is never half a file."""
    shutil.copy(file, module + ".next")
    os.rename(module + ".next", module)


def main():
    session, load = int(sys.argv[1]), int(sys.argv[2])
    log, count = Log(sys.argv[3]), int(sys.argv[4])
    end = time.monotonic() + float(sys.argv[5])
    module, files = (sys.argv[6:7] or [None])[0], sys.argv[7:]
    pauses, failed, forgotten = [], 0, 0
    early = None
    while (len(pauses) + failed + forgotten < count and
           time.monotonic() < end and
           os.path.exists("/proc/%d" % load)):
        if files:
            replace(module, files[(len(pauses) + failed + 1) % len(files)])
        pause = reload(session, log)
        if pause == -1:
            failed += 1
        elif pause == -2:
            forgotten += 1
        else:
            pauses.append(pause)
        if len(pauses) == 10 and early is None:
            early = settled(descriptors, session), settled(memory, session)
    late = settled(descriptors, session), settled(memory, session)
    early = early or late
    pauses.sort()
    print("reloads=%d failed=%d forgotten=%d pause_median=%d pause_p99=%d pause_worst=%d "
          "fd_early=%d fd_late=%d kib_early=%d kib_late=%d" % (
              len(pauses), failed, forgotten, pauses[len(pauses) // 2] if pauses else 0,
              pauses[int(len(pauses) * 0.99)] if pauses else 0,
              pauses[-1] if pauses else 0,
              early[0], late[0], early[1], late[1]))


main()
