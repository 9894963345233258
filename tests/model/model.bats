#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The protocol of slots and descriptors, tests/model/slots.pml.  It holds in
# every interleaving.  It does not hold without one of its rules.

setup() {
	command -v spin >/dev/null || skip "spin is not installed"
	PAN=$TOP_SRCDIR/tests/model/pan
}

# holds DEFINITION...
holds() {
	run "$PAN" "$@"
	echo "$output"
	[ "$status" -eq 0 ]
}

# breaks RULE...: without the rule a property is violated.  A failure of the
# check itself does not count.
breaks() {
	local rule
	for rule in "$@"; do
		echo "$rule:"
		run "$PAN" -DDEATHS=1 "-D$rule"
		echo "$output"
		[ "$status" -eq 1 ]
		[[ $output == *'assertion violated'* ]]
	done
}

@test "the properties hold without a death, in every order of steps" {
	holds -DDEATHS=0 -DHANDOFFS=2
}

@test "the properties hold with a death at any step, while any worker stands still" {
	holds -DDEATHS=1
}

@test "accepting needs its operation, the claim, and the claim counter" {
	breaks ACCEPT_NOT_NAMED CLAIMED_BY_STORE CLAIMS_NOT_COUNTED \
		CLOSED_CLAIMED CLOSING_CLAIMED
}

@test "closing needs CLOSING first, and FREE last by compare and swap" {
	breaks CLOSING_NOT_SAID FREED_BEFORE_CLOSED FREED_BY_STORE
}

@test "a reused number needs the comparison of cookies" {
	breaks NO_COOKIE_CHECK
}

@test "a hand-off needs the record first, compare and swap, and notice after a death" {
	breaks NOTICE_BEFORE_OFFER ACCEPTED_BY_STORE NO_NOTICE
}
