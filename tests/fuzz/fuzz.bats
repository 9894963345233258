#!/usr/bin/env bats
# Fuzzing, for a few seconds a target: what is found quickly is found here.
# Longer: make fuzz FUZZ_SECONDS=3600.

load ../lib/common

@test "a few seconds of fuzzing find nothing" {
	command -v clang >/dev/null || skip "clang is not installed"
	echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n);
	int LLVMFuzzerTestOneInput(const char *p, unsigned long n)
	{ return p == 0 && n != 0; }' >probe.c
	clang -fsanitize=fuzzer,address,undefined -o probe probe.c ||
		skip "clang has no libFuzzer"
	[ -f "$TOP_BUILDDIR/Makefile" ] || skip "there is no Makefile"
	# What the outer make says of jobs and targets is not for this one.
	run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL FUZZ_DIR="$DIR/fuzz" \
		make -s -C "$TOP_BUILDDIR" fuzz FUZZ_SECONDS=2
	echo "$output"
	[ "$status" -eq 0 ]
	local target
	for target in config directive proxy control handler recover record; do
		grep -qE "^$target: [1-9][0-9]* executions" <<<"$output"
	done
}
