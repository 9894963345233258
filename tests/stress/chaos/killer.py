#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Kill processes of a service at random, and check that they are replaced.

usage: killer.py [-m MS] [-a] SESSION LOAD_PID SECONDS RATE SEGV_EVERY
                 STOP_EVERY SEED

Sends SIGKILL to a random worker RATE times a second; every SEGV_EVERY-th time
SIGSEGV, every STOP_EVERY-th time SIGSTOP for a while (0: never).  With -m the
master is killed every MS ms, if it has a standby then.  With -a a master, a
standby or the administration process is often the victim instead of a worker.
Ends after SECONDS or with the process LOAD_PID, with one line of name=value
figures.  Fails if two processes acted as the master at one time.
"""
import getopt
import os
import random
import signal
import sys
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import family                                                   # noqa: E402

NEVER = float("inf")


class Killer:
    def __init__(self, options, words):
        self.session = int(words[0])
        self.rate, self.rng = float(words[3]), random.Random(int(words[6]))
        self.segv_every, self.stop_every = int(words[4]), int(words[5])
        self.every = float(options.get("-m", 0)) / 1000 or NEVER
        self.everybody = "-a" in options
        self.counts = dict.fromkeys(("kill", "segv", "stop"), 0)
        if self.everybody or self.every != NEVER:
            self.counts.update(master=0, standby=0, admin=0, twice=0)
        self.resume = []
        self.n = 0

    def kill(self, process, signo, name):
        done = family.send(process, self.session, signo)
        self.counts[name] += done
        return done

    def look(self):
        there = family.processes(self.session)
        if "twice" in self.counts and \
                len(family.acting(self.session, there)) > 1:
            self.counts["twice"] += 1
            print("two masters: %s" % there, file=sys.stderr)
        return there

    def kill_master(self):
        """Only together with its standby it is indispensable."""
        pair = family.pair(self.look())
        return pair is not None and \
            self.kill(pair[0], signal.SIGKILL, "master")

    def kill_anybody(self):
        there = self.look()
        pair = family.pair(there)
        role = self.rng.choice(("worker", "master", "standby", "admin"))
        if role == "admin":
            for p in family.of_role(there, role):
                self.kill(p, signal.SIGKILL, role)
        elif role != "worker":
            if pair is not None:
                self.kill(pair[role == "standby"], signal.SIGKILL, role)
        else:
            self.hit_worker(there)

    def hit_worker(self, there):
        workers = family.of_role(there, "worker")
        if not workers:
            return
        victim = self.rng.choice(workers)
        self.n += 1
        if self.stop_every and self.n % self.stop_every == 0:
            if self.kill(victim, signal.SIGSTOP, "stop"):
                self.resume.append((
                    time.monotonic() + self.rng.uniform(0.01, 0.3), victim))
        elif self.segv_every and self.n % self.segv_every == 0:
            self.kill(victim, signal.SIGSEGV, "segv")
        else:
            self.kill(victim, signal.SIGKILL, "kill")

    def wake(self, until):
        for when, victim in list(self.resume):
            if until >= when:
                family.send(victim, self.session, signal.SIGCONT)
                self.resume.remove((when, victim))

    def next(self, now):
        return now + self.rng.expovariate(self.rate) if self.rate else NEVER

    def run(self, load, seconds):
        now = time.monotonic()
        end = now + seconds
        worker_at, master_at = self.next(now), now + self.every
        while now < end and os.path.exists("/proc/%d" % load):
            time.sleep(max(0, min(worker_at, master_at, end, now + 0.5) -
                           now))
            now = time.monotonic()
            self.wake(now)
            if now >= master_at:
                # Without a standby it is due at once, when there is one.
                master_at = now + (self.every if self.kill_master() else
                                   0.002)
            if now >= worker_at:
                worker_at = self.next(now)
                if self.everybody:
                    self.kill_anybody()
                else:
                    self.hit_worker(self.look())
        self.wake(NEVER)


def main():
    options, words = getopt.getopt(sys.argv[1:], "m:a")
    killer = Killer(dict(options), words)
    killer.run(int(words[1]), float(words[2]))
    print(" ".join("%s=%d" % kv for kv in killer.counts.items()))
    return killer.counts.get("twice", 0) > 0


sys.exit(main())
