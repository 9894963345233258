#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A relay between clients and a server, which damages the stream, not packets.

usage: relay.py OPTION=VALUE ... LISTEN-PORT PORT

On 127.0.0.1, from LISTEN-PORT to PORT, in both directions:

	piece=N		bytes are passed on in pieces of 1 to N bytes
	delay=MS	MS after they came, each way
	rate=N		at most N bytes a second, each way
	reset=N		after 1 to N bytes both sides are reset

A FIN is passed on.  Prints `ready` when it listens.  Ends with its standard
input.
"""
import asyncio
import os
import random
import socket
import struct
import sys

RST = struct.pack("ii", 1, 0)
RELAYED = set()


class Reset(Exception):
    pass


async def carry(reader, writer, options, rng):
    """One direction.  Returns at EOF, which has been passed on."""
    loop = asyncio.get_running_loop()
    left = rng.randint(1, options["reset"]) if options["reset"] else None
    queue = asyncio.Queue(64)

    async def take():
        while True:
            data = await reader.read(options["piece"] or 65536)
            await queue.put((loop.time() + options["delay"] / 1000, data))
            if not data:
                return

    taking = asyncio.ensure_future(take())
    try:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                writer.write_eof()
                return
            while data:
                n = rng.randint(1, options["piece"] or len(data))
                if left is not None:
                    n = min(n, left)
                    left -= n
                writer.write(data[:n])
                await writer.drain()
                if options["rate"]:
                    await asyncio.sleep(n / options["rate"])
                data = data[n:]
                if left == 0:
                    raise Reset
    finally:
        taking.cancel()


async def relay(options, rng, port, reader, writer):
    # The references of the loop are weak, and an idle transport is in no
    # selector.  Without this reference the collector would remove a
    # connection.
    RELAYED.add(asyncio.current_task())
    try:
        await relay_both(options, rng, port, reader, writer)
    finally:
        RELAYED.discard(asyncio.current_task())


async def relay_both(options, rng, port, reader, writer):
    writers = [writer]
    try:
        far_reader, far = await asyncio.open_connection("127.0.0.1", port)
        writers.append(far)
        for w in writers:
            w.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        both = [asyncio.ensure_future(carry(reader, far, options, rng)),
                asyncio.ensure_future(carry(far_reader, writer, options,
                                            rng))]
        try:
            await asyncio.gather(*both)
        finally:
            for one in both:
                one.cancel()
    except (Reset, OSError):
        for w in writers:
            w.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, RST)
            w.transport.abort()
    for w in writers:
        w.close()


async def main():
    options = {"piece": 0, "delay": 0, "rate": 0, "reset": 0}
    *words, listen, port = sys.argv[1:]
    options.update((k, int(v)) for k, v in (w.split("=") for w in words))
    rng = random.Random(1)
    await asyncio.start_server(
        lambda r, w: relay(options, rng, int(port), r, w), "127.0.0.1",
        int(listen), backlog=1000)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)	# without waiting for what is under way


asyncio.run(main())
