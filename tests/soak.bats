#!/usr/bin/env bats
# A short soak, and that it notices what must not be.

load lib

UPGRADES=${LOAD%/chaos/load}/upgrade

# soak NEXT ARGUMENTS: with that program to upgrade to.
soak() {
	local next=$1
	shift
	ECHOD=$ECHOD ECHOD_NEXT=$UPGRADES/$next LOAD=$LOAD \
		ECHOCTL=${ECHOCTL:-$(dirname "$ECHOD")/echoctl} \
		"$TOP_SRCDIR/tests/soak/run" --keep "$BATS_TEST_TMPDIR/kept" "$@"
}

@test "kills, reloads, upgrades, mistakes and rotations at once" {
	soak echod-next --minutes 0.25 --epoch 7 --seed 4
}

@test "a soak fails if a reload that should be done is not" {
	run soak echod-foreign --minutes 2 --seed 4 --clients small:10
	[ "$status" -eq 1 ]
	[[ $output == *"FAILED with seed 4"*"should be done was refused"* ]]
}

@test "a soak fails if clients are lost" {
	# The silent are closed after a second.
	run soak echod-next --minutes 2 --seed 4 --clients idle:20 \
		--also 'timeout = 1'
	[ "$status" -eq 1 ]
	[[ $output == *"FAILED with seed 4"*"hit somebody, but"* ]]
}
