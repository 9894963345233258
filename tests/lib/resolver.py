#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A DNS server on 127.0.0.1 port 53 whose answer is never the same twice.

The n-th question for an IPv4 address is answered with 127.0.1.n, and is a line
of standard output; there are no others.  It ends when nobody asks for five
minutes.
"""
import socket
import struct

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
s.settimeout(300)
print("ready", flush=True)
n = 0
while True:
    q, peer = s.recvfrom(512)
    end = 12
    while q[end] != 0:
        end += q[end] + 1
    question = q[12:end + 5]
    kind = struct.unpack("!H", q[end + 1:end + 3])[0]
    answer = b""
    if kind == 1:
        n += 1
        print("asked", n, flush=True)
        answer = struct.pack("!HHHIH4B", 0xc00c, 1, 1, 0, 4, 127, 0, 1, n)
    s.sendto(q[:2] + struct.pack("!HHHHH", 0x8180, 1, kind == 1, 0, 0) +
             question + answer, peer)
