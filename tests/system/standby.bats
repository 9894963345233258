#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The standby: the master is killed at every moment that matters, and clients
# do not notice.

load ../lib/common
load ../lib/reload

# The master now, by the pid file.
master() {
	head -n 1 pid
}

# Another process than $1 is the master, and its workers are its own.
taken_over() {
	local now
	now=$(master)
	[ -n "$now" ] && [ "$now" != "$1" ] && kill -0 "$now" || return 1
	[ "$(worker_count "$now")" -eq "${WORKERS:-2}" ] && [ -n "$(standby "$now")" ]
}

# begin ASSIGNMENT...: a service with a pid file and two workers.
begin() {
	start pidfile=pid workers=2 "$@"
	wait_for 5 test -n "$(standby)"
}

# Wait until another process than $1 is the master; it is $SERVER then.
follow() {
	wait_for 10 taken_over "$1"
	SERVER=$(master)
	PIDS+=("$SERVER")
}

# The lock of the pid file is the process's of which the number is in it.
locked_by() {
	grep -q "POSIX  ADVISORY  WRITE $1 .*:$(stat -c %i pid) " /proc/locks
}

# bats test_tags=quick
@test "the master is killed: its standby goes on, and no client notices" {
	begin control-socket=control
	local first=$SERVER standby
	standby=$(standby)
	under_load small:10 partial:5 pipeline:2 churn:2
	kill -KILL "$first"
	follow "$first"
	[ "$SERVER" = "$standby" ]
	load_is_happy
	locked_by "$SERVER"
	wait_for 5 logged "the master \(pid $first\) (was killed by SIGKILL|is gone): pid $SERVER has taken its place"
	[ "$(ps -o args= -p "$SERVER")" = "echod: master [$HOST:$PORT]" ]
	wait_for 5 "$ECHOCTL" -s control status
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" --check
	"$ECHOD" -o pidfile=pid -s status
	"$ECHOD" -o pidfile=pid -s reload
	"$ECHOD" -o pidfile=pid -s stop
	wait_for 10 dead "$SERVER"
	logged 'stopped in .* 0 workers killed'
	[ ! -e pid ]
}

@test "the master dies of SIGSEGV" {
	begin
	local first=$SERVER
	under_load small:10
	kill -SEGV "$first"
	follow "$first"
	load_is_happy
	wait_for 5 logged '(was killed by SIGSEGV|is gone)'
}

@test "a master that is stopped is not dead" {
	begin
	local standby
	standby=$(standby)
	kill -STOP "$SERVER"
	echoes
	never 0 taken_over "$SERVER"
	kill -CONT "$SERVER"
	[ "$(standby)" = "$standby" ]
	# A worker that dies meanwhile is replaced afterwards.
	kill -STOP "$SERVER"
	kill -KILL "$(workers | head -n 1)"
	kill -CONT "$SERVER"
	wait_for 5 workers_are 2
	[ "$(master)" = "$SERVER" ]
}

@test "master and workers are killed at once" {
	begin
	local first=$SERVER
	under_load small:10 partial:5
	# shellcheck disable=SC2046 # a list of pids
	kill -KILL $(workers) "$first"
	follow "$first"
	load_is_happy
}

@test "the standby dies: there is another one" {
	begin
	local standby
	standby=$(standby)
	kill -KILL "$standby"
	wait_for 5 logged "the standby \(pid $standby\) killed by SIGKILL"
	wait_for 5 eval '[ -n "$(standby)" ]'
	local first=$SERVER
	kill -KILL "$first"
	follow "$first"
	echoes
}

@test "master and standby are killed together: the workers drain" {
	begin
	local before
	before=$(workers)
	client stop_middle 10 ready
	wait_for 30 test -f ready
	behead "$SERVER"
	client_is_happy
	for pid in $before; do wait_for 15 gone "$pid"; done
	logged 'the master \(pid [0-9]+\) is gone: stopping'
}

@test "nobody takes the place of the master: the workers drain" {
	begin shutdown-timeout=1
	local frozen before
	before=$(workers)
	frozen=$(standby)
	PIDS+=("$frozen")
	kill -STOP "$frozen"
	kill -KILL "$SERVER"
	for pid in $before; do wait_for 15 gone "$pid"; done
	logged 'is gone and nobody takes its place: stopping'
}

@test "standby no: the service ends with its master" {
	start pidfile=pid workers=2 standby=no
	[ -z "$(standby)" ]
	local pids
	pids=$(workers)
	kill -KILL "$SERVER"
	for pid in $pids; do wait_for 15 gone "$pid"; done
}

@test "signals of the process group do not wait for the next master" {
	begin
	local first=$SERVER
	kill -TERM "$(standby)"
	kill -HUP "$(standby)"
	kill -INT "$(standby)"
	kill -KILL "$first"
	follow "$first"
	echoes
	not logged 'stopping'
}

@test "the master is killed in a stop: the stop goes on, with its deadline" {
	begin shutdown-timeout=2
	local first=$SERVER
	$CLIENT stuck 30000000 deaf_is_here >/dev/null 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 20 test -e deaf_is_here
	kill -TERM "$first"
	wait_for 5 logged 'SIGTERM: stopping, 2 s at most'
	kill -KILL "$first"
	wait_for 5 eval '[ "$(master)" != "$first" ]'
	PIDS+=("$(master)")
	wait_for 10 logged 'stopped in [12]\.[0-9]+ s'
	wait_for 5 eval '[ ! -e pid ]'
	[ "$(grep -c 'SIGTERM: stopping' log)" -eq 1 ]
}

@test "the master is killed in the delay of a stop" {
	begin shutdown-delay=2
	local first=$SERVER
	kill -TERM "$first"
	wait_for 5 logged 'SIGTERM: stopping'
	kill -KILL "$first"
	wait_for 5 eval '[ "$(master)" != "$first" ]'
	PIDS+=("$(master)")
	echoes
	wait_for 10 logged 'stopped in [12]\.'
}

@test "the master is killed before its workers are ready" {
	# One worker cannot start as long as it is stopped.
	local n
	for n in 1 2 3 4 5; do
		rm -f pid
		: >log
		"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o pidfile=pid \
			-o workers=8 >log 2>err 3>&- 4>&- &
		SERVER=$!
		PIDS+=("$SERVER")
		wait_for 5 eval '[ -n "$(standby)" ]'
		kill -KILL "$SERVER"
		WORKERS=8 follow "$SERVER"
		wait_for 5 logged 'ready on'
		echoes
		kill -TERM "$SERVER"
		wait_for 5 dead "$SERVER"
	done
}

@test "a daemon whose master is killed at its start is ready all the same" {
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o "pidfile=$DIR/pid" \
		-o "logfile=$DIR/log" -o workers=8 -o daemonize=yes 3>&- 4>&- &
	local launcher=$! first
	PIDS+=("$launcher")
	wait_for 5 test -s pid
	first=$(master)
	wait_for 5 eval '[ -n "$(standby "$first")" ]'
	kill -KILL "$first"
	WORKERS=8 follow "$first"
	wait "$launcher"
	echoes
}

@test "the master is killed while a reload is checked" {
	begin
	local first=$SERVER
	under_load small:10 partial:5
	kill -USR2 "$first"
	wait_for 5 logged 'SIGUSR2: reloading'
	kill -KILL "$first"
	follow "$first"
	# Whichever step it was at.
	wait_for 5 logged 'reload refused: the (master|next program) has died|reloaded: '
	"$ECHOD" -o pidfile=pid -s reload
	load_is_happy
}

@test "the master is killed at any moment of a reload" {
	begin
	under_load small:10 partial:5 halfclose:2
	local n first
	for n in {1..40}; do
		first=$(master)
		kill -USR2 "$first"
		sleep "0.0$((n % 30 + 10))"
		kill -KILL "$first"
		follow "$first"
	done
	load_is_happy
	grep -q 'reload refused: the next program has died\|reloaded: ' log
}

@test "the master is killed again and again: no client notices" {
	begin control-socket=control
	under_load small:20 partial:10 pipeline:3 medium:2 halfclose:2 churn:3
	local n first
	for n in {1..30}; do
		first=$(master)
		kill -KILL "$first" || true
		wait_for 10 eval '[ "$(master)" != "$first" ]'
		sleep "0.0$((n % 9))"
	done
	first=
	wait_for 10 taken_over none
	PIDS+=("$(master)")
	load_is_happy
	SERVER=$(master)
	# No process and no descriptor is left over.
	[ "$(pgrep -P "$SERVER" | wc -l)" -eq 4 ]
	[ "$(find "/proc/$SERVER/fd" -type l | wc -l)" -le 40 ]
	"$ECHOD" -o pidfile=pid -s stop
	wait_for 10 dead "$SERVER"
}

@test "the standby sleeps, and has little memory of its own" {
	begin
	local standby before
	standby=$(standby)
	before=$(grep voluntary "/proc/$standby/status")
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 logged 'took over'
	[ "$(grep voluntary "/proc/$standby/status")" = "$before" ]
	awk '/^Private_Dirty/ { exit $2 >= 200 }' "/proc/$standby/smaps_rollup"
}

@test "the service manager is told of the next master" {
	$CLIENT notify "$DIR/socket" listening never >notified 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -e listening
	export NOTIFY_SOCKET=$DIR/socket WATCHDOG_USEC=200000
	begin supervised=systemd
	local first=$SERVER n
	kill -KILL "$first"
	follow "$first"
	wait_for 5 grep -qx "MAINPID=$SERVER" notified
	n=$(grep -cx WATCHDOG=1 notified || true)
	wait_for 5 eval '[ "$(grep -cx WATCHDOG=1 notified)" -gt "$n" ]'
	"$ECHOD" -o pidfile=pid -s reload
	n=$(grep -cx WATCHDOG=1 notified)
	wait_for 5 eval '[ "$(grep -cx WATCHDOG=1 notified)" -gt "$n" ]'
}

@test "the number of workers outlives the master" {
	begin
	local first=$SERVER
	kill -TTIN "$first"
	wait_for 5 workers_are 3
	kill -KILL "$first"
	WORKERS=3 follow "$first"
	kill -TTOU "$SERVER"
	wait_for 5 workers_are 2
	echoes
}

# The unit of systemd has RestrictNamespaces=, which refuses clone3(2) since its
# flags cannot be filtered.  Formerly there was no standby then.
@test "a sandbox that refuses clone3: there is a standby all the same" {
	command -v strace >/dev/null || skip "strace is not installed"
	strace -f -qq -o trace -e trace=clone3 -e inject=clone3:error=ENOSYS \
		"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o workers=2 \
		-o pidfile=pid >log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 20 is_ready_or_dead
	grep -q ENOSYS trace
	follow none
	under_load small:10 partial:5 churn:2
	local round
	for round in 1 2 3 4 5; do
		kill -KILL "$(master)"
		follow "$SERVER"
	done
	load_is_happy
	not logged 'no standby'
	[ "$(grep -c 'has taken its place' log)" -eq "$round" ]
}

# --- at one system call after the other

traced() {
	grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$1/status"
}

# watch PID FILE [OPTION...]: strace the process.
watch() {
	local pid=$1 file=$2
	shift 2
	command -v strace >/dev/null || skip "strace is not installed"
	strace -q -p "$pid" -o "$file" "$@" 3>&- 4>&- &
	TRACER=$!
	PIDS+=("$TRACER")
	wait_for 5 traced "$pid" || skip "ptrace is not permitted here"
}

# End the tracer; if the traced process is gone, it has ended.
unwatch() {
	kill -INT "$TRACER" 2>/dev/null || true
	wait "$TRACER" || true
}

# points FILE FROM CLONES STEP: the first four system calls and each STEP-th, as
# the name and its number, from the line that matches FROM to the clone3 number
# CLONES.
points() {
	awk -v from="$2" -v clones="$3" -v step="$4" '
	    match($0, /^[a-z0-9_]+\(/) {
		name = substr($0, 1, RLENGTH - 1)
		n[name]++
		if ($0 ~ from) on = 1
		if (on && /^clone3.*CLONE_FILES/ && ++cloned == clones) exit
		if (on && name !~ /^(ppoll|restart_syscall|rt_sigreturn)$/ &&
		    (++i <= 4 || i % step == 0)) print name, n[name]
	    }' "$1"
}

@test "the next program is killed at any system call until its workers serve" {
	begin
	under_load -d 5 small:5 partial:5
	watch "$SERVER" whole
	kill -USR2 "$SERVER"
	wait_for 10 logged 'reloaded: '
	unwatch
	points whole '^exec' 3 11 >points
	[ "$(wc -l <points)" -ge 15 ]
	local name n first count
	while read -r name n; do
		first=$(master)
		count=$(outcomes)
		watch "$first" trace -e "inject=$name:signal=KILL:when=$n"
		kill -USR2 "$first"
		wait_for 10 more_outcomes_than "$count"
		unwatch
		[ "$(master)" = "$first" ] || follow "$first"
	done <points
	load_is_happy
	logged 'refused: the next program has died before its workers served'
}

@test "a standby is killed at any system call of its takeover" {
	begin
	under_load -d 5 small:5 partial:5
	local name n first next
	first=$SERVER
	watch "$(standby)" whole
	kill -KILL "$first"
	follow "$first"
	unwatch
	# Before that it has no standby of its own.
	points whole '^pidfd_send_signal' 3 7 >points
	[ "$(wc -l <points)" -ge 10 ]
	while read -r name n; do
		first=$(master)
		next=$(standby "$first")
		watch "$next" trace -e "inject=$name:signal=KILL:when=$n"
		kill -KILL "$first"
		follow "$first"
		if [ "$SERVER" = "$next" ]; then
			unwatch
			wait_for 10 taken_over none
		fi
	done <points
	load_is_happy
}

@test "the master dies before the pidfd of its next standby is in its place" {
	# Formerly workers found both seats empty, and began a stop.
	begin
	under_load -d 5 small:5 partial:5
	local first=$SERVER next last
	next=$(standby)
	watch "$next" trace -e inject=pidfd_send_signal:signal=STOP:when=1
	kill -KILL "$first"
	wait_for 5 eval '[ -n "$(standby "$next")" ]'
	last=$(standby "$next")
	PIDS+=("$next" "$last")
	wait_for 5 grep -q 'stopped by SIGSTOP' trace
	kill -STOP "$last"
	unwatch
	grep -q '^State:[[:space:]]*T' "/proc/$next/status"
	kill -KILL "$next"
	never 0 logged stopping
	kill -CONT "$last"
	follow "$first"
	[ "$SERVER" = "$last" ]
	load_is_happy
}
