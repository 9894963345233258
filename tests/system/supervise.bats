#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The communication with a service manager: its watchdog, its time limits, the
# status line, and a manager that the configuration does not mention.

load ../lib/common

# Listen at NOTIFY_SOCKET; ./notified has a line for each notification.
manager() {
	$CLIENT notify "$DIR/socket" listening never >notified 2>&1 \
		3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -e listening
	export NOTIFY_SOCKET=$DIR/socket
}

# supervised ASSIGNMENT...: start a server as the manager does.
supervised() {
	manager
	start supervised=systemd "$@"
	wait_for 5 grep -qx READY=1 notified
}

feeds() {
	grep -cx WATCHDOG=1 notified || true
}

more_feeds() {
	[ "$(feeds)" -gt "$1" ]
}

fed() {
	wait_for 5 more_feeds "$(feeds)"
}

# No more notifications come after those that are on their way.
hungry() {
	wait_for 10 eval 'N=$(feeds); never 0 more_feeds "$N"'
}

status_is() {
	[ "$(grep '^STATUS=' notified | tail -n 1)" = "STATUS=$1" ]
}

# A client that does not read, so a stop has to wait for it.
start_deaf() {
	$CLIENT stuck 30000000 deaf_is_here >/dev/null 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 20 test -e deaf_is_here
}

# --- the watchdog

# bats test_tags=quick
@test "WATCHDOG=1 comes, after a death and a reload too" {
	# Formerly echod ignored WATCHDOG_USEC and was killed again and again.
	WATCHDOG_USEC=200000 supervised workers=1
	fed
	kill -KILL "$(workers)"
	wait_for 5 logged SIGKILL
	fed
	kill -USR2 "$SERVER"
	wait_for 10 logged 'reloaded: '
	fed
	not logged 'warning: .*WATCHDOG'
}

@test "WATCHDOG=1 goes on while clients are waited for at a stop" {
	WATCHDOG_USEC=200000 supervised workers=1 shutdown-timeout=60
	start_deaf
	kill -TERM "$SERVER"
	wait_for 5 grep -qx STOPPING=1 notified
	fed
	fed
	kill -0 "$SERVER"
}

@test "WATCHDOG=1 ends when no worker serves, and nobody will see to that" {
	WATCHDOG_USEC=200000 supervised workers=2 watchdog-timeout=0
	fed
	local pids
	pids=$(workers)
	# shellcheck disable=SC2086 # a list of pids
	kill -STOP $pids
	hungry
	kill -0 "$SERVER"
	# shellcheck disable=SC2086
	kill -CONT $pids
	fed
	# One worker of two is enough.
	kill -STOP "$(head -n 1 <<<"$pids")"
	fed
	fed
	kill -CONT "$(head -n 1 <<<"$pids")"
}

@test "while echod's own watchdog sees to a worker, WATCHDOG=1 comes" {
	WATCHDOG_USEC=200000 supervised workers=1 watchdog-timeout=2
	local first
	first=$(workers)
	kill -STOP "$first"
	wait_for 10 logged 'has been stopped for 2 s: killing it'
	wait_for 5 dead "$first"
	fed
	kill -0 "$SERVER"
}

@test "a watchdog that is another process's, or nonsense, is none of ours" {
	WATCHDOG_USEC=100000 WATCHDOG_PID=1 supervised
	not logged WATCHDOG
	stop
	[ "$(feeds)" -eq 0 ]
	local value
	for value in abc 0 -5 '' 1s; do
		WATCHDOG_USEC=$value start supervised=systemd
		kill -USR2 "$SERVER"
		wait_for 10 logged 'reloaded: '
		[ "$(grep -c 'warning: WATCHDOG_USEC ' log)" -eq 1 ]
		stop
	done
	[ "$(feeds)" -eq 0 ]
	WATCHDOG_USEC=100000 WATCHDOG_PID=x start supervised=systemd
	[ "$(grep -c 'warning: WATCHDOG_PID "x" is ' log)" -eq 1 ]
}

# --- time limits

@test "a stop asks for the time that it may need" {
	# Formerly TimeoutStopSec=30 cut a longer shutdown-timeout.
	supervised shutdown-timeout=60
	not grep EXTEND notified
	start_deaf
	kill -TERM "$SERVER"
	wait_for 5 grep -qx STOPPING=1 notified
	wait_for 5 grep -qE '^EXTEND_TIMEOUT_USEC=[0-9]{8}$' notified
	# It asks again as long as the stop takes.
	wait_for 20 eval '[ "$(grep -c EXTEND notified)" -ge 2 ]'
	# The manager would kill it a little later than echod ends by itself.
	kill -TERM "$SERVER"
	finish
	[ "$STATUS" -eq 3 ]
}

# --- the status

@test "the status line says how many workers there are, at any time" {
	# Formerly the status stayed that of the start.
	supervised workers=2 control-socket=control
	local names=$HOST:$PORT
	status_is "Serving on $names with 2 workers"
	kill -TTIN "$SERVER"
	wait_for 5 status_is "Serving on $names with 3 workers"
	kill -TTOU "$SERVER"
	wait_for 5 status_is "Serving on $names with 2 workers"
	"$ECHOCTL" -s control workers 4
	wait_for 5 status_is "Serving on $names with 4 workers"
	"$ECHOCTL" -s control drain on
	wait_for 5 status_is \
		"Serving on $names with 4 workers; drained: health checks fail"
	"$ECHOCTL" -s control loglevel debug
	wait_for 5 status_is "Serving on $names with 4 workers; loglevel debug\
; drained: health checks fail"
	"$ECHOCTL" -s control drain off
	"$ECHOCTL" -s control loglevel notice
	wait_for 5 status_is "Serving on $names with 4 workers"
	# A death is not reported, and nothing is reported twice.
	local told
	told=$(grep -c STATUS notified)
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 logged 'worker 0.*took over'
	[ "$(grep -c STATUS notified)" -eq "$told" ]
	stop
	wait_for 5 status_is Stopping
}

@test "the status line keeps what came of the last reload" {
	echo 'timeout = 1' >conf
	manager
	NOTIFY_SOCKET=$DIR/socket start_raw -c conf -o "port=$PORT" \
		-o "bind=$HOST" -o supervised=systemd -o workers=1
	echo nonsense >conf
	kill -USR2 "$SERVER"
	wait_for 10 logged 'reload refused'
	wait_for 5 eval "grep '^STATUS' notified | tail -n 1 | grep -q refused"
	kill -TTIN "$SERVER"
	wait_for 5 eval "grep '^STATUS' notified | tail -n 1 |
		grep -q 'with 2 workers; .*refused'"
}

# --- a manager without notifications

@test "NOTIFY_SOCKET is set and supervised is no: one warning" {
	# Formerly the start timed out without a reason.
	manager
	start
	[ "$(grep -c 'warning: .*NOTIFY_SOCKET is set, but supervised is no' \
		log)" -eq 1 ]
	stop
	[ ! -s notified ]
	NOTIFY_SOCKET='' start
	not logged NOTIFY_SOCKET
}

@test "a NOTIFY_SOCKET that is of no kind we know: one warning" {
	NOTIFY_SOCKET=vsock:2:1234 start supervised=systemd
	kill -USR2 "$SERVER"
	wait_for 10 logged 'reloaded: '
	[ "$(grep -c 'NOTIFY_SOCKET vsock:2:1234: neither a path' log)" -eq 1 ]
	not logged 'is not set'
	stop
	local long
	long=/$(printf '%0200d' 0)
	NOTIFY_SOCKET=$long start supervised=auto
	[ "$(grep -c 'NOTIFY_SOCKET /0*: too long' log)" -eq 1 ]
}
