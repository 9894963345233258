#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The processes of a service.

A service that was started with a session of its own (setsid) is this session:
a master that dies hands its children to init, so its children are no place to
look.  The role of a process is its title.  A process is signalled by a pidfd,
after another look at its session, so no stranger is hit.

usage: family.py SESSION [PIDFILE]

Checks the service at rest, waiting for it: one master, whose pid PIDFILE has,
and whose lock PIDFILE has; a standby, if it has one, that is its child; workers
that are its children; nobody else.  Prints the pid of the master.
"""
import collections
import fcntl
import os
import signal
import struct
import sys
import time

ROLES = ("master", "standby", "worker", "admin")
PATIENCE = 60

Process = collections.namedtuple("Process", "pid parent start role")


def look(pid, session):
    """The process, or None if it is gone, a zombie, or another's."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        if int(fields[3]) != session or fields[0] in "ZX":
            return None
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            title = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except (OSError, IndexError):
        return None
    words = title.split()
    role = words[1] if len(words) > 1 and words[0] == "echod:" else ""
    return Process(pid, int(fields[1]), int(fields[19]),
                   role if role in ROLES else "")


def processes(session):
    found = [look(int(name), session)
             for name in os.listdir("/proc") if name.isdigit()]
    return [p for p in found if p is not None]


def of_role(family, role):
    return [p for p in family if p.role == role]


def pair(family):
    """(master, standby), the standby being the child of the master, or None.

    A standby that takes the master's place has the old title for a moment.
    """
    for standby in of_role(family, "standby"):
        for master in of_role(family, "master"):
            if standby.parent == master.pid:
                return master, standby
    return None


def acting(session, family):
    """The pids of processes that act as the master.

    Only a master has workers, a standby and an administration process for
    children, and a dead one has no children.  If two of these pids are alive
    after the look, both acted at one time.
    """
    pids = {p.pid for p in family}
    parents = {p.parent for p in family
               if p.role in ("standby", "worker", "admin")} & pids
    return {pid for pid in parents if look(pid, session) is not None}


def send(process, session, signo):
    """True if the process has got the signal."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        now = look(process.pid, session)
        if now is None or now.start != process.start:
            return False
        signal.pidfd_send_signal(fd, signo)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)


def holder(path):
    """The pid of the process that has locked the file, by F_GETLK; or 0."""
    layout = "hhqqi4x"
    with open(path) as f:
        lock = fcntl.fcntl(f, fcntl.F_GETLK, struct.pack(
            layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    kind, _, _, _, pid = struct.unpack(layout, lock)
    return pid if kind != fcntl.F_UNLCK else 0


def fault(session, pidfile):
    """What is not at rest, or None; and the pid of the master."""
    family = processes(session)
    there = ["%d %s of %d" % (p.pid, p.role or "?", p.parent)
             for p in family]
    masters = of_role(family, "master")
    if len(masters) != 1:
        return "not one master: %s" % there, None
    master = masters[0].pid
    if any(p.parent != master for p in family if p.pid != master):
        return "not all are children of the master: %s" % there, master
    if len(of_role(family, "standby")) > 1:
        return "more than one standby: %s" % there, master
    if pidfile:
        with open(pidfile) as f:
            told = f.read()
        if told != "%d\n" % master:
            return "the pid file has %r, the master is %d" % (
                told, master), master
        if holder(pidfile) != master:
            return "the pid file is locked by %d, the master is %d" % (
                holder(pidfile), master), master
    return None, master


def main():
    session = int(sys.argv[1])
    pidfile = sys.argv[2] if len(sys.argv) > 2 else None
    end = time.monotonic() + PATIENCE
    while True:
        try:
            what, master = fault(session, pidfile)
        except OSError as e:
            what, master = str(e), None
        if what is None:
            print(master)
            return 0
        if time.monotonic() > end:
            print(what, file=sys.stderr)
            return 1
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
