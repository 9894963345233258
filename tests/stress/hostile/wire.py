#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A wire between two network namespaces, with selected faults.

usage: wire.py PID OPTION=VALUE ...

Makes an interface `wire` here, 10.9.0.1, and one in the network namespace of
process PID, 10.9.0.2, and carries packets between them in both directions:

	loss=N		percent that are lost
	twice=N		percent that come twice
	late=N		percent that later packets overtake, up to 20 ms later
	delay=MS	each way
	mtu=N		of both ends
	cut=FILE	nothing passes while FILE exists

Prints `ready` when it carries packets.  Ends with its standard input. netem of
the kernel would do the same, but many kernels do not have it.
"""
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
CLONE_NEWNET = 0x40000000


def enter(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/proc/%s/ns/net" % pid, os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET) == -1:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


def end_of_wire(address, mtu):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF,
                struct.pack("16sH", b"wire", IFF_TUN | IFF_NO_PI))
    for command in ("link set lo up", "link set wire mtu %d" % mtu,
                    "address add %s/24 dev wire" % address,
                    "link set wire up"):
        subprocess.run(["ip"] + command.split(), check=True)
    return fd


def main():
    options = {"loss": 0, "twice": 0, "late": 0, "delay": 0, "mtu": 1500,
               "cut": ""}
    options.update(word.split("=", 1) for word in sys.argv[2:])
    number = {k: float(v) for k, v in options.items() if k != "cut"}
    rng = random.Random(1)
    ends = [end_of_wire("10.9.0.1", int(number["mtu"]))]
    enter(sys.argv[1])
    ends.append(end_of_wire("10.9.0.2", int(number["mtu"])))
    print("ready", flush=True)
    under_way, order = [], 0
    while True:
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else 60
        readable, _, _ = select.select(ends + [0], [], [], wait)
        if 0 in readable:
            return
        now = time.monotonic()
        for fd in readable:
            other = ends[1 - ends.index(fd)]
            for _ in range(64):
                try:
                    packet = os.read(fd, 65536)
                except BlockingIOError:
                    break
                if options["cut"] and os.path.exists(options["cut"]):
                    continue
                if rng.random() * 100 < number["loss"]:
                    continue
                copies = 1 + (rng.random() * 100 < number["twice"])
                when = now + number["delay"] / 1000
                if rng.random() * 100 < number["late"]:
                    when += 0.02
                for _ in range(copies):
                    order += 1
                    heapq.heappush(under_way, (when, order, other, packet))
        while under_way and under_way[0][0] <= now:
            _, _, fd, packet = heapq.heappop(under_way)
            try:
                os.write(fd, packet)
            except OSError:
                pass	# a full queue loses packets, as a real one does


main()
