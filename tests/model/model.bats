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

@test "no death, however workers take turns" {
	holds -DDEATHS=0 -DGIFTS=2
}

@test "a death at any step, whoever stands still meanwhile" {
	holds -DDEATHS=1
}

@test "accepting: it is named; the record is claimed, claims are counted" {
	breaks ACCEPT_NOT_NAMED CLAIMED_BY_STORE CLAIMS_NOT_COUNTED \
		CLOSED_CLAIMED CLOSING_CLAIMED
}

@test "closing: it is said first, free comes last and only if it still says so" {
	breaks CLOSING_NOT_SAID FREED_BEFORE_CLOSED FREED_BY_STORE
}

@test "a number used again: cookies tell" {
	breaks NO_COOKIE_CHECK
}

@test "giving: the record first, taken by compare and swap, noticed again" {
	breaks NOTICE_BEFORE_GIFT TAKEN_BY_STORE NO_NOTICE
}
