#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A short soak, which also detects each violation.

load ../lib/common

UPGRADES=${LOAD%/load}

# soak ARGUMENTS: run a soak on ports of this test.
soak() {
	ECHOD=$ECHOD LOAD=$LOAD UPGRADES=$UPGRADES \
		ECHOCTL=$ECHOCTL \
		timeout 550 "$TOP_SRCDIR/tests/stress/soak/run" \
		--ports "$PORT,$(free_port),$(free_port),$(free_port),$(free_port)" \
		--keep "$BATS_TEST_TMPDIR/kept" "$@" 3>&-
}

# fails REASON ARGUMENTS: the soak fails with this reason, and prints the seed.
fails() {
	local reason=$1
	shift
	run soak --seed 4 --minutes 5 --epoch 8 "$@"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output =~ VIOLATION:\ $reason ]]
	[[ $output == *"FAILED with seed 4; journal and logs are in $BATS_TEST_TMPDIR/kept" ]]
	[ -s "$BATS_TEST_TMPDIR/kept/journal" ]
}

@test "kills, reloads, upgrades, mistakes and rotations at once" {
	soak --minutes 0.3 --epoch 7 --rate 3 --seed 4
}

@test "a soak fails if a reload that should be done is not" {
	ECHOD_NEXT=$UPGRADES/echod-foreign \
		fails 'reload refused: its arena layout is' --rate 5 \
		--clients small:10
}

@test "a soak fails if clients are lost" {
	# Silent clients are closed after a second.
	fails '(a connection was lost|witness .* is gone)' \
		--also 'timeout = 1' --clients idle:20
}

@test "a soak fails if a log line is none" {
	mkdir liar
	printf '%s\n' '#!/bin/sh' 'echo "not a log line" >>log' \
		"exec '$ECHOD' \"\$@\"" >liar/echod
	chmod +x liar/echod
	cp "$(dirname "$ECHOD")/echod-admin" liar
	ECHOCTL=$ECHOCTL ECHOD=$PWD/liar/echod \
		fails "malformed log line: 'not a log line'"
}
