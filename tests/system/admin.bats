#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The administration process: what it has and what it has not, and that its
# death, silence or excess is nothing to clients, a reload or a stop.

load ../lib/common
load ../lib/reload

ECHOCTL=${ECHOCTL:-$(dirname "$ECHOD")/echoctl}

# A server with a control socket; the rest as start has it.
begin() {
	start "control-socket=$DIR/control" "$@"
	wait_for 10 is_there
}

ctl() {
	timeout 30 "$ECHOCTL" -s "$DIR/control" "$@"
}

is_there() {
	[ -n "$(admin)" ]
}

answers() {
	ctl status | grep -q '^echod '
}

# There is one, and it is not process $1.
is_another() {
	local now
	now=$(admin)
	[ -n "$now" ] && [ "$now" != "$1" ] && [ "$(wc -w <<<"$now")" -eq 1 ]
}

# Its comings are not too far between.
back_from() {
	wait_for 2 is_another "$1"
	wait_for 2 answers
}

built_with_metrics() {
	command -v curl >/dev/null || skip "curl is not installed"
	METRICS=$(free_port)
	"$ECHOD" -t -o "metrics-port=$METRICS" >/dev/null 2>&1 || skip "no metrics"
}

# --- what it is

@test "the master has neither the HTTP library nor TLS in it; the admin has" {
	built_with_metrics
	begin "metrics-port=$METRICS"
	wait_for 10 curl -sf "http://$HOST:$METRICS/healthz"
	not grep -E 'microhttpd|gnutls' "/proc/$SERVER/maps"
	[ ! -e "/proc/$(admin)/maps" ] || grep -q microhttpd "/proc/$(admin)/maps"
}

@test "admin has no client's descriptor, and maps what it reads for reading only" {
	begin
	exec 6<>"/dev/tcp/$HOST/$PORT" 7<>"/dev/tcp/$HOST/$PORT"
	echo ping >&6
	read -r -t 30 -u 6
	ctl connections | grep -q '^2 connections'
	local pid
	pid=$(admin)
	ls -l "/proc/$pid/fd" >fds
	cat fds
	[ "$(grep -c 'socket:' fds)" -le 4 ] # master, control, netlink, a client
	[ "$(grep -c ' -> ' fds)" -le 10 ]
	not grep -E 'memfd|echod.pid' fds
	grep -E 'memfd:echod-(arena|service)' "/proc/$pid/maps" >maps
	cat maps
	[ "$(wc -l <maps)" -ge 2 ]
	not grep -v ' r--s ' maps
	exec 6>&- 7>&-
}

@test "workers have no mapping of the service state" {
	begin
	grep -q 'memfd:echod-service' "/proc/$SERVER/maps"
	local pid
	for pid in $(workers); do
		grep -q 'memfd:echod-arena' "/proc/$pid/maps"
		not grep 'memfd:echod-service' "/proc/$pid/maps"
	done
}

@test "admin has no privileges, a filter, and bounds" {
	begin
	local pid
	pid=$(admin)
	grep -qE '^NoNewPrivs:\s*1' "/proc/$pid/status"
	grep -qE '^CapEff:\s*0+$' "/proc/$pid/status"
	grep -qE '^CapPrm:\s*0+$' "/proc/$pid/status"
	if "$ECHOD" -T -o sandbox=yes | grep -q '^sandbox = yes'; then
		grep -qE '^Seccomp:\s*2' "/proc/$pid/status" ||
			skip "built without the sandbox"
	fi
	[ "$(awk '/^Max open files/ { print $5 }' "/proc/$pid/limits")" -lt 500 ]
	[ "$(cat "/proc/$pid/oom_score_adj")" -ge 900 ]
}

@test "without control socket and metrics there is none" {
	start
	echoes
	[ -z "$(admin)" ]
}

# --- what becomes of it

@test "killed, and crashed: back within a second, one only, clients go on" {
	begin
	under_load small:20 partial:10 idle:20
	local signal pid
	for signal in KILL SEGV ABRT KILL; do
		pid=$(admin)
		kill -"$signal" "$pid"
		back_from "$pid"
	done
	logged 'the administration process (killed by SIGSEGV|exited with status 1)'
	kill -USR2 "$SERVER"
	wait_for 20 logged ' reloaded: '
	wait_for 5 answers
	load_is_happy
	stop
	[ "$STATUS" -eq 0 ]
}

@test "killed every 50 ms under load: nothing is lost" {
	begin
	under_load small:20 partial:10 idle:20
	local pid n=0 answered=0
	while [ "$n" -lt 40 ]; do
		pid=$(admin)
		[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
		ctl status >/dev/null 2>&1 && answered=$((answered + 1))
		sleep 0.05
		n=$((n + 1))
	done
	load_is_happy
	wait_for 2 answers
	workers_are "$(ctl --json workers | grep -c '"worker"')"
	echo "$answered answers"
	[ "$answered" -ge 1 ]
	stop
	[ "$STATUS" -eq 0 ]
}

@test "stopped: replaced after watchdog-timeout; reload and stop do not wait" {
	begin watchdog-timeout=1
	local pid
	pid=$(admin)
	kill -STOP "$pid"
	echoes
	back_from "$pid"
	logged 'the administration process \(pid [0-9]+\) has been stopped for 1 s'
	kill -STOP "$(admin)"
	pid=$(admin)
	kill -USR2 "$SERVER"
	wait_for 20 logged ' reloaded: '
	back_from "$pid"
	kill -STOP "$(admin)"
	stop
	[ "$STATUS" -eq 0 ]
}

@test "stopped for less than that: it goes on" {
	begin watchdog-timeout=30
	local pid
	pid=$(admin)
	kill -STOP "$pid"
	ctl status >answer &
	local asker=$!
	echoes
	kill -CONT "$pid"
	wait "$asker"
	grep -q '^echod ' answer
	[ "$(admin)" = "$pid" ]
}

@test "crowds at both of its doors: clients and lifecycle go on" {
	built_with_metrics
	begin "metrics-port=$METRICS"
	timeout 60 python3 - "$DIR/control" "$HOST" "$METRICS" <<-'END' 3>&- &
	import socket, sys, time, os
	held = []
	for i in range(400):
	    for kind, to in ((socket.AF_UNIX, sys.argv[1]),
	        (socket.AF_INET, (sys.argv[2], int(sys.argv[3])))):
	        s = socket.socket(kind)
	        s.settimeout(0.05)
	        try:
	            s.connect(to)
	            held.append(s)
	        except OSError:
	            pass
	open("crowded", "w").close()
	while not os.path.exists("enough"):
	    time.sleep(0.02)
	END
	PIDS+=($!)
	wait_for 20 test -e crowded
	echoes
	kill -USR2 "$SERVER"
	wait_for 20 logged ' reloaded: '
	echoes
	touch enough
	wait_for 10 answers
	stop
	[ "$STATUS" -eq 0 ]
}

# --- requests

@test "answers while every worker is stopped, and while the master is" {
	begin watchdog-timeout=0
	local pid
	for pid in $(workers); do
		kill -STOP "$pid"
	done
	ctl status | grep -q "pid $SERVER"
	kill -STOP "$SERVER"
	ctl status | grep -q "pid $SERVER"
	ctl workers | grep -q stopped
	ctl connections | grep -q '^0 connections'
	ctl config | grep -q '^port'
	ctl metrics | grep -q '^echod_workers 2'
	kill -CONT "$SERVER"
	for pid in $(workers); do
		kill -CONT "$pid"
	done
	ctl workers 3 | grep -q '^ok: 3 workers'
}

@test "a master that is stopped is said not to answer" {
	begin
	kill -STOP "$SERVER"
	local status=0
	ctl drain >answer 2>&1 || status=$?
	kill -CONT "$SERVER"
	cat answer
	[ "$status" -ne 0 ]
	grep -q 'has not answered' answer
}

@test "close: also in the middle of a hand-off, and after a worker's death" {
	begin workers=2 watchdog-timeout=0
	local peer pid
	exec 6<>"/dev/tcp/$HOST/$PORT"
	echo ping >&6
	read -r -t 30 -u 6
	peer=$(ctl connections | awk 'NR == 2 { print $1 }')
	pid=$(workers | sed -n "$(($(ctl connections | awk 'NR == 2 { print $2 }') + 1))p")
	# Its worker does not come to it, and dies: the next one obeys.
	kill -STOP "$pid"
	ctl close "$peer" >answer &
	local asker=$!
	wait_for 10 logged "closing $peer"
	kill -KILL "$pid"
	wait "$asker"
	grep -q '^ok: ' answer
	not read -r -t 10 -u 6
	exec 6>&-
	wait_for 10 workers_are 2
	# Its slot goes, and all that it has to another.
	ctl workers 1
	ctl workers 2
	ctl connections | grep -q '^0 connections'
	echoes
}

# --- reloads

@test "a reload: exactly one, and a request made before it is answered" {
	conf workers=2 "control-socket=$DIR/control"
	serve
	wait_for 10 is_there
	local before i
	before=$(admin)
	for i in 1 2 3 4 5; do
		ctl status >"answer$i" &
	done
	ctl reload
	for i in 1 2 3 4 5; do
		wait_for 10 grep -q '^echod ' "answer$i"
	done
	wait_for 2 is_another "$before"
	ctl status | grep -q '^reloads      1, 0 refused'
	ctl reload
	ctl status | grep -q '^reloads      2, 0 refused'
}

@test "a reload that is refused: the same one goes on" {
	conf workers=2 "control-socket=$DIR/control"
	serve
	wait_for 10 is_there
	local before
	before=$(admin)
	echo 'port = nonsense' >>echod.conf
	not ctl reload
	[ "$(admin)" = "$before" ]
	ctl status | grep -q '^reloads      0, 1 refused'
}

@test "a reload that is given back: exactly one, which says so" {
	own_program
	conf workers=2 "control-socket=$DIR/control"
	serve
	wait_for 10 is_there
	put "$UPGRADES/echod-stillborn"
	local status=0
	timeout 60 "$ECHOCTL" -s "$DIR/control" reload >answer 2>&1 || status=$?
	cat answer
	[ "$status" -ne 0 ]
	wait_for 5 answers
	[ "$(admin | wc -w)" -eq 1 ]
	ctl status | grep -q '^reloads      0, 1 refused'
}

@test "without its program: an error at -t, at the start and at a reload" {
	cp "$ECHOD" alone
	local args=(-o "port=$PORT" -o "bind=$HOST" -o "control-socket=$DIR/control")
	[ ! -e /usr/local/libexec/echod/echod-admin ] || skip "it is installed"
	local status=0
	./alone -t "${args[@]}" >out 2>&1 || status=$?
	cat out
	[ "$status" -eq 78 ]
	grep -q 'echod-admin, which control-socket and metrics-port need: No such' out
	status=0
	./alone "${args[@]}" >out 2>&1 || status=$?
	[ "$status" -eq 1 ]
	grep -q 'echod-admin, which control-socket and metrics-port need: No such' out
	./alone -t -o "port=$PORT" -o "bind=$HOST"

	own_program
	conf
	serve
	rm bin/echod-admin
	conf "control-socket=$DIR/control"
	kill -USR2 "$SERVER"
	wait_for 20 logged 'reload refused: .*echod-admin, which'
	echoes
}

@test "a program of another version is refused, and does nothing by hand" {
	own_program
	conf "control-socket=$DIR/control"
	printf '%s\n' '#!/bin/sh' 'echo 6 of another kind' >other
	chmod 755 other
	ln -sf ../other bin/echod-admin
	local status=0
	"$ECHOD" -t -c echod.conf >out 2>&1 || status=$?
	cat out
	[ "$status" -eq 78 ]
	grep -q 'is of another version: its layout is 6 of another kind' out
	status=0
	"$UPGRADES/echod-admin" >out 2>&1 || status=$?
	[ "$status" -eq 1 ]
	grep -q 'is executed by echod' out
}
