# SPDX-License-Identifier: ISC
"""Trace process PID until SIGNAL is about to reach it, and die over it, so
that the signal is lost: tracer.py PID SIGNAL."""
import ctypes
import os
import signal
import sys

SEIZE, CONT, WALL = 0x4206, 7, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]
pid, lost = int(sys.argv[1]), getattr(signal, sys.argv[2])
if libc.ptrace(SEIZE, pid, None, None) == -1:
    print("no ptrace", flush=True)
    sys.exit(1)
print("attached", flush=True)
while True:
    _, status = os.waitpid(pid, WALL)
    if not os.WIFSTOPPED(status):
        sys.exit(0)
    stop = os.WSTOPSIG(status)
    if stop == lost:
        os.kill(os.getpid(), signal.SIGKILL)
    libc.ptrace(CONT, pid, None,
                None if status >> 16 or stop == signal.SIGTRAP else stop)
