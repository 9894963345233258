#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Kill workers at random, and check that they are replaced.

usage: killer.py MASTER_PID LOAD_PID SECONDS RATE SEGV_EVERY STOP_EVERY SEED

Sends SIGKILL to a random worker RATE times a second; every SEGV_EVERY-th time
SIGSEGV, every STOP_EVERY-th time SIGSTOP for a while (0: never).  Ends after
SECONDS or with the process LOAD_PID, with one line of name=value figures.
"""
import os
import random
import signal
import sys
import time


def is_worker(pid):
    """Return False for the program that a reload runs as a check."""
    try:
        with open("/proc/%s/cmdline" % pid, "rb") as f:
            return b": worker " in f.read()
    except OSError:
        return False


def workers(master):
    path = "/proc/%d/task/%d/children" % (master, master)
    with open(path) as f:
        return [int(p) for p in f.read().split() if is_worker(p)]


def send(pid, signo):
    try:
        os.kill(pid, signo)
        return True
    except ProcessLookupError:
        return False


def main():
    master, load = int(sys.argv[1]), int(sys.argv[2])
    seconds, rate = float(sys.argv[3]), float(sys.argv[4])
    segv_every, stop_every = int(sys.argv[5]), int(sys.argv[6])
    rng = random.Random(int(sys.argv[7]))
    counts = {"kill": 0, "segv": 0, "stop": 0}
    end = time.monotonic() + seconds
    resume = []
    n = 0
    while time.monotonic() < end and os.path.exists("/proc/%d" % load):
        time.sleep(rng.expovariate(rate))
        now = time.monotonic()
        for when, pid in list(resume):
            if now >= when:
                send(pid, signal.SIGCONT)
                resume.remove((when, pid))
        alive = workers(master)
        if not alive:
            continue
        pid = rng.choice(alive)
        n += 1
        if stop_every and n % stop_every == 0:
            if send(pid, signal.SIGSTOP):
                counts["stop"] += 1
                resume.append((now + rng.uniform(0.01, 0.3), pid))
        elif segv_every and n % segv_every == 0:
            counts["segv"] += send(pid, signal.SIGSEGV)
        else:
            counts["kill"] += send(pid, signal.SIGKILL)
    for _, pid in resume:
        send(pid, signal.SIGCONT)
    print(" ".join("%s=%d" % kv for kv in counts.items()))


main()
