#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The protocols of tests/model: slots and descriptors (slots.pml), the master
# and its standby (standby.pml).  They hold in every interleaving.  They do not
# hold without one of their rules.

setup() {
	command -v spin >/dev/null || skip "spin is not installed"
	PAN=$TOP_SRCDIR/tests/model/pan
}

# holds ARGUMENTS of pan
holds() {
	run "$PAN" "$@"
	echo "$output"
	[ "$status" -eq 0 ]
}

# breaks RULE...: without the rule a property of slots.pml is violated.  A
# failure of the check itself does not count.
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

# standby_breaks DEFINITION... RULE...: the same for standby.pml
standby_breaks() {
	local rules
	run "$PAN" standby.pml "$@"
	echo "$output"
	[ "$status" -eq 1 ]
	rules=$(grep -c '^[A-Z].*:$' <<<"$output")
	[ "$rules" -gt 0 ]
	[ "$(grep -c 'assertion violated' <<<"$output")" -eq "$rules" ]
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

@test "standby: with a death between any two stores, a stop and a reload, the properties hold" {
	holds standby.pml -DDEATHS=1 -DSTUCK=0
}

@test "standby: each rule is needed" {
	standby_breaks -DDEATHS=2 -DSTUCK=0 \
		NO_GENERATION GENERATION_BEFORE_REDO SCRATCH_NOT_REDONE \
		ORDINARY_NUMBERS DEATH_IS_AN_EDGE STANDBY_NOT_WAITED_FOR \
		STANDBY_ENDED_TOO_EARLY STANDBY_SPARED SCRATCH_NOT_CHECKED \
		PIDFDS_ARE_PRIVATE STOP_IS_PRIVATE STANDBY_OUTLIVES_STOP \
		REPLACED_AT_ONCE WORKERS_NOT_WAITED_FOR SEAT_TAKEN_LATE \
		INTENT_NOT_LOOKED_AT PID_KEPT INTENT_AFTER_CLONE NO_TIME_LIMIT \
		STOP_NOT_REPEATED
}

@test "standby: a new worker that still has to leave is an endless loop" {
	run "$PAN" -l standby.pml -DDEATHS=0 -DSTUCK=0 STALE_LEAVE
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *'non-progress cycle'* ]]
}
