#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Bad networks and bad clients: they get the right answers, and nothing of them
# is left.  For thousands of clients, and latencies: make hostile.

load ../lib/common

# hostile SCENARIO
hostile() {
	need_root
	unshare -n true 2>/dev/null || skip "no network namespaces"
	ECHOD=$ECHOD ECHOCTL=$ECHOCTL LOAD=$LOAD \
		ECHOLOAD=$TOP_BUILDDIR/bench/echoload \
		run timeout 300 "$TOP_SRCDIR/tests/stress/hostile/run" "$1"
	echo "$output"
	[[ $output != *skipped:* ]] || skip "${output#*skipped: }"
	[ "$status" -eq 0 ]
}

@test "a wire that loses 5 % of the packets" {
	hostile loss
}

@test "a wire on which packets overtake each other and come twice" {
	hostile reordering
}

@test "a wire with 200 ms there and back" {
	hostile delay
}

@test "a wire with an MTU of 576" {
	hostile mtu
}

@test "a relay that cuts the stream into pieces" {
	hostile pieces
}

@test "a relay that is slow" {
	hostile throttle
}

@test "a relay that resets" {
	hostile relay-resets
}

@test "peers that vanish are found out, with an echo under way as well" {
	hostile vanish
}

@test "half-open connections fill the backlog" {
	hostile half-open
}

@test "RST at every stage" {
	hostile resets
}

@test "windows that stay shut" {
	hostile zero-window
}

@test "slow readers" {
	hostile slow-readers
}

@test "slow writers" {
	hostile slow-writers
}

@test "a line without an end" {
	hostile endless-line
}
