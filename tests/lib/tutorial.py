#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Turn a document into a script for bash that does what the document says.

usage: tutorial.py DOCUMENT; the script goes to standard output.  A block
```c NAME becomes the file NAME.  The commands of a block ```console begin with
"$ ", and continue on lines that begin with four spaces.  The other lines of the
block are their output, and anything else is an error.  After a command that
starts a service in the background, the script waits for its log to say that the
service is ready.
"""
import re
import shlex
import sys

commands = 0
print("set -eu; trap 'kill $! 2>/dev/null || true' EXIT")
for kind, name, text in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$",
                                   open(sys.argv[1]).read(), re.S | re.M):
    if kind == "c":
        print("cat >%s <<'ECHOD-END'\n%sECHOD-END" % (name, text))
    for command, output in re.findall(
            r"^\$ (.*(?:\n    .*)*)\n((?:(?!\$ ).*\n)*)", text, re.M):
        if kind != "console":
            sys.exit("a command in a block of kind %s" % kind)
        commands += 1
        print("echo %s >&2" % shlex.quote("$ " + command))
        if re.search(r"&$", command):
            print("rm -f log")
            print(command)
            print("until grep -qs ' ready on ' log; do")
            print("\tkill -0 $! && sleep 0.05 || { cat log >&2; exit 1; }")
            print("done")
        elif re.match(r"(\w+\(\)|exec) ", command):
            print(command)
        else:
            # Not a subshell: $! and the descriptors are those of the script.
            print("{ %s\n} >said" % re.sub(r" +# .*", "", command))
            print("diff - said >&2 <<'ECHOD-END'\n%sECHOD-END" % output)
        if command == "kill $!":
            print("wait $! || true")
print("echo commands: %d" % commands)
