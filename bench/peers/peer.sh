# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# What the build and run scripts of the peers share.  Sourced by them.

set -eu

# DIR is there, and absolute.
mkdir -p "${1:?no directory}"
set -- "$(cd "$1" && pwd)" "${@:2}"

# The peer's own directory, with its sources.
# shellcheck disable=SC2034 # for the scripts that source this
here=$(cd "$(dirname "$0")" && pwd)

# The peer can't be had on this machine: say why.
skip() {
	echo "$*"
	exit 77
}

# Without this program it can't be had.
need() {
	PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
		skip "$1 is not installed"
}

# Without this C or C++ header it can't be had.
need_header() {
	echo "#include <$1>" | "${CC:-cc}" -E -x "${2:-c}" - >/dev/null 2>&1 ||
		skip "the header $1 is not installed"
}

# Compile a C peer: compile DIR NAME [LIBRARY...].
compile() {
	local to=$1 name=$2

	shift 2
	need "${CC:-cc}"
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$to/$name" \
		"$here/$name.c" "$@" >"$to/build.log" 2>&1 ||
		skip "$name.c does not compile: $to/build.log"
}

# As many open files as one may have.
all_files() {
	ulimit -Sn "$(ulimit -Hn)"
}
