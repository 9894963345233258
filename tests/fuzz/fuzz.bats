#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Fuzzing, a few seconds for each target, for faults that are found quickly.
# For longer runs: make fuzz FUZZ_SECONDS=3600.

load ../lib/common

@test "a few seconds of fuzzing find nothing" {
	command -v clang >/dev/null || skip "clang is not installed"
	echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n);
	int LLVMFuzzerTestOneInput(const char *p, unsigned long n)
	{ return p == 0 && n != 0; }' >probe.c
	clang -fsanitize=fuzzer,address,undefined -o probe probe.c ||
		skip "clang has no libFuzzer"
	[ -f "$TOP_BUILDDIR/Makefile" ] || skip "there is no Makefile"
	# The jobs and targets of the outer make are not those of the inner
	# one.
	run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL FUZZ_DIR="$DIR/fuzz" \
		make -s -C "$TOP_BUILDDIR" fuzz FUZZ_SECONDS=2
	echo "$output"
	[ "$status" -eq 0 ]
	local target
	for target in config directive proxy control handler recover record resp; do
		grep -qE "^$target: [1-9][0-9]* executions" <<<"$output"
	done
}
