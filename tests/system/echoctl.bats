#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What echoctl does with a control socket that is no echod's: answers that are
# cut or nonsense, administration that dies and comes back; the screen of top.

load ../lib/common

# fake BEHAVIOUR...: see tests/lib/fake_control.py.
fake() {
	[ -z "${FAKE:-}" ] || kill "$FAKE"
	rm -f control requests
	python3 "$TOP_SRCDIR/tests/lib/fake_control.py" control "$@" 3>&- 4>&- &
	FAKE=$!
	PIDS+=("$FAKE")
	wait_for 10 test -S control
	: >requests
}

# ctl STATUS WORD...: ends with STATUS; output in ./out and ./err.
ctl() {
	local want=$1 status=0
	shift
	timeout 100 "$ECHOCTL" -s control "$@" >out 2>err || status=$?
	echo "$*: status $status"
	cat out err
	[ "$status" -eq "$want" ]
}

asked() {
	[ "$(wc -l <requests)" -eq "$1" ]
}

on_terminal() {
	command -v tic >/dev/null || skip "tic is not installed"
	timeout 300 python3 "$TOP_SRCDIR/tests/lib/top.py" "$ECHOCTL" "$1"
}

# --- administration is a process that may die at any moment

@test "a request that reads is repeated until its answer is whole" {
	local cut
	# Closed without an answer, not read at all, cut in the middle.
	fake eof reset 'say:echod 1\nworkers' 'say:echod 1\nworkers 2\n\0'
	ctl 0 status
	[ "$(cat out)" = $'echod 1\nworkers 2' ]
	[ ! -s err ]
	asked 3
	fake eof 'say:{"pid":1' 'say:{"pid":1}\n'
	ctl 0 --json status
	[ "$(cat out)" = '{"pid":1}' ]
	for cut in 'PEER X\na 1\n' 'PEER X\na 1\n1 conn' 'PEER X\na 1\n1 connections'; do
		fake eof "say:$cut" 'say:PEER X\na 1\n1 connections\n'
		ctl 0 connections --sort in
		[ "$(cat out)" = $'PEER X\na 1\n1 connections' ]
		asked 3
	done
	fake 'say:[{"in":1}' 'say:[{"in":1},{"in":2}]'
	ctl 0 --json connections --sort in
	[ "$(cat out)" = $'[\n{"in":2},\n{"in":1}\n]' ]
	# These are commands that may change something, too.
	fake eof 'say:ok: notice\n\0'
	ctl 0 loglevel
	fake eof 'say:WORKER\n\0'
	ctl 0 workers
}

@test "a request that reads is not repeated for ever, and says that it waits" {
	fake eof
	ctl 1 status
	[ "$(cat err)" = "echoctl: no answer yet: the administration of echod is coming back
echoctl: control: closed without an answer" ]
	[ ! -s out ]
	[ "$(wc -l <requests)" -ge 2 ]
	fake 'say:{"a":'
	ctl 1 --json status
	[ ! -s out ]
	grep -q 'control: the answer ends in the middle$' err
}

@test "an answer that takes long is waited for, and standard error says so" {
	fake 'late:0.8:echod 1\n\0'
	ctl 0 status
	[ "$(cat out)" = 'echod 1' ]
	[ "$(cat err)" = 'echoctl: no answer yet: the administration of echod is coming back' ]
	asked 1
}

@test "a request that changes something is not repeated if it was read" {
	local request answer
	for request in 'workers 3' stop reopen 'close 127.0.0.1:1' 'loglevel debug' \
	    drain 'drain off' 'new-command'; do
		for answer in eof say:o 'say:ok: ' 'say:ok: done'; do
			fake "$answer" 'say:ok: again\n'
			# shellcheck disable=SC2086 # words
			ctl 1 $request
			[ ! -s out ]
			grep -qE "^echoctl: control: .*; \"$request\" may have been carried out or not: see .*, and repeat it if it was not\$" err
			asked 1
		done
	done
	fake 'say:{"ok"'
	ctl 1 --json drain
	[ ! -s out ]
	asked 1
	# One that was not read was not carried out.
	fake reset reset 'say:ok: done\n'
	ctl 0 drain
	[ "$(cat out)" = 'ok: done' ]
	asked 1
}

# json_status RELOADS REFUSED [MODE]
json_status() {
	echo "say:{\"mode\":\"${3:-serving}\",\"reloads\":$1,\"reloads_refused\":$2,\"refusal\":\"why \\\\u001b\"}"
}

@test "reload: the counters say what became of it, also without an answer" {
	fake "$(json_status 5 0)" eof "$(json_status 5 0 reloading)" "$(json_status 6 0)"
	ctl 0 reload
	[ "$(cat out)" = 'ok: reloaded' ]
	grep -qx reload requests
	fake "$(json_status 5 0)" eof "$(json_status 5 1)"
	ctl 1 --json reload
	[ "$(cat out)" = '{"error":"the reload was refused: why ?"}' ]
	fake "$(json_status 5 0)" eof "$(json_status 5 0)"
	ctl 1 reload
	grep -q 'closed without an answer; nothing was reloaded until now' err
	[ "$(grep -cx reload requests)" -eq 1 ]
	# It compared with 0 if it had not learnt how many there were.
	fake 'say:{}' 'say:ok: reloading\n' "$(json_status 5 0)"
	ctl 1 reload
	not grep -q reloaded out
}

# --- answers that are none

@test "what is no answer of echod is an error, and no part of it is printed" {
	local nonsense
	for nonsense in 'x' '[' 'a\n' 'null' '1' '"a"' '{"a":1}{' '{"a":1} x' \
	    '{"a":nope}' '{"a":"\x1b[2J"}' '{"a":"\xff"}' '{"a":\0}' \
	    "$(printf '[%.0s' {1..3000})" '{"a":1e999}' '{"a":1,}' \
	    '{"a":99999999999999999999999}'; do
		[ "$nonsense" != '[' ] || continue # cut: above
		fake "say:$nonsense"
		ctl 1 --json status
		[ ! -s out ]
		grep -q '^echoctl: control: the answer is not one of echod$' err
		ctl 1 --json connections
		[ ! -s out ]
		ctl 1 top --count 1
		[ ! -s out ]
		ctl 1 reload
		[ ! -s out ]
	done
	for nonsense in 'x\n' 'ok: 1\nok: 2\n' 'ok: 1\n\0' '\0'; do
		fake "say:$nonsense"
		ctl 1 drain
		[ ! -s out ]
		asked 1
	done
	fake 'say:a\0b\0'
	ctl 1 status
	[ ! -s out ]
	fake 'say:NOT A LIST\n'
	ctl 1 connections
	[ ! -s out ]
	for nonsense in '{}' '{"in":"1"}' '{"in":-1}' 1 '[]' null; do
		fake "say:[$nonsense]"
		ctl 1 --json connections --sort in
		[ ! -s out ]
	done
}

@test "refusals are errors, in text and in JSON, framed or not" {
	local refusal
	for refusal in 'error: too many\n' 'error: too many\n\0'; do
		fake "say:$refusal"
		ctl 1 status
		[ "$(cat err)" = 'echoctl: too many' ]
	done
	fake 'say:error: too many\n'
	for command in status connections; do
		ctl 1 --json "$command"
		[ "$(cat out)" = '{"error":"too many"}' ]
	done
	ctl 1 connections
	[ "$(cat err)" = 'echoctl: too many' ]
	ctl 1 drain
	[ "$(cat err)" = 'echoctl: too many' ]
	ctl 1 top --count 1
	[ "$(cat err)" = 'echoctl: too many' ]
	fake 'say:{"error":"no"}'
	ctl 1 --json connections
	[ "$(cat out)" = '{"error":"no"}' ]
}

# The service may be older than echoctl until it is reloaded.
@test "top: a figure that is missing or wrong is an error that names it" {
	on_terminal members
}

# --- the screen

@test "top: sorts by each key, and in reverse" {
	on_terminal sorts
}

@test "top: s shows services instead of workers" {
	on_terminal services
}

@test "top: follows the size of the terminal" {
	on_terminal resizes
}

@test "top: begins in terminals that have no room" {
	on_terminal narrow
}

@test "top: restores the terminal, whatever ends it" {
	on_terminal restores
}

@test "top: waits for administration to come back" {
	on_terminal comes_back
}

@test "top: colours are the terminal's, and none with NO_COLOR" {
	on_terminal colours
}

@test "top: lines of text on a terminal without a cursor" {
	on_terminal lines
}
