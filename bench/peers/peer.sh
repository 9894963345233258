# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# The common part of the build and run scripts of the peers, which source it.

set -eu

# DIR exists, and is absolute.
mkdir -p "${1:?no directory}"
set -- "$(cd "$1" && pwd)" "${@:2}"

# The peer's own directory, with its sources.
# shellcheck disable=SC2034 # for the scripts that source this
here=$(cd "$(dirname "$0")" && pwd)

# The peer is not available on this machine: print the reason.
skip() {
	echo "$*"
	exit 77
}

# The peer needs this program.
need() {
	PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
		skip "$1 is not installed"
}

# The peer needs this C or C++ header.
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

# Raise the limit of open files to the maximum.
all_files() {
	ulimit -Sn "$(ulimit -Hn)"
}
