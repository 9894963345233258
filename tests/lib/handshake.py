#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A client behind a TUN device, with a handshake of any length.

handshake.py PORT ACTION

Run in a network namespace of its own with echod on 10.9.0.1:PORT.  Sends SYN;
runs ACTION, a shell command; then another SYN, and the end of the first
handshake, and a line after it, until that is echoed.  Says on standard output
what came of the first ("echoed" or "reset") and of the second ("silence" or
"answered").
"""
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time

ME, PEER = "10.9.0.1", "10.9.0.2"
SYN, RST, ACK, PUSH = 2, 4, 16, 8
PORT = int(sys.argv[1])


def checksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def send(sport, seq, ack, flags, data=b""):
    s, d = socket.inet_aton(PEER), socket.inet_aton(ME)
    t = struct.pack("!HHIIBBHHH", sport, PORT, seq, ack, 0x50, flags, 65535,
                    0, 0) + data
    pseudo = s + d + struct.pack("!BBH", 0, 6, len(t))
    t = t[:16] + struct.pack("!H", checksum(pseudo + t)) + t[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(t), 1, 0, 64, 6, 0) + s + d
    os.write(tun, ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + t)


def receive(seconds):
    """Return the next packet to us: port, sequence number, flags, data."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not select.select([tun], [], [], left)[0]:
            break
        b = os.read(tun, 4096)
        if len(b) < 40 or b[0] >> 4 != 4 or b[9] != 6:
            continue
        sport, dport, seq, _, off, flags = struct.unpack("!HHIIBB", b[20:34])
        if sport == PORT:
            return dport, seq, flags, b[20 + (off >> 4) * 4:]
    return None


tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH", b"tun9", 0x1001))
subprocess.check_call("ip addr add %s/24 dev tun9 && ip link set tun9 up" % ME,
                      shell=True)
answer = None
for _ in range(100):
    send(4000, 100, 0, SYN)
    answer = receive(0.2)
    if answer and answer[2] & SYN:
        break
synack = answer[1]
subprocess.check_call(sys.argv[2], shell=True)
send(4001, 100, 0, SYN)
first, second = None, "silence"
send(4000, 101, synack + 1 & 0xffffffff, ACK)
for _ in range(200):
    send(4000, 101, synack + 1 & 0xffffffff, PUSH | ACK, b"late\n")
    while (p := receive(0.05)):
        if p[0] == 4001 and p[2] & SYN:
            second = "answered"
        if p[0] == 4000 and p[2] & RST:
            first = "reset"
        if p[0] == 4000 and b"late\n" in p[3]:
            first = "echoed"
        if p[0] == 4001 or first:
            break
    if first:
        break
print(first, second)
