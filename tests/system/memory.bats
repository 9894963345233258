#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Memory: the share of clients, memory that is given back, the lack of memory,
# and the limits of the system.
#
# Formerly half a line of 65,000 bytes from each of 4,800 clients ended a
# service with 256 MB. The memory of clients is in the arena, so the death of a
# worker freed nothing.  Its successor died of the next line, then the master
# died.

load ../lib/common

# shellcheck disable=SC2034 # common.bash and bats use it
BATS_TEST_TIMEOUT=400
MEMORY="python3 $TOP_SRCDIR/tests/lib/memory.py"

# memory COMMAND...: run memory.py in the background; its output goes to
# ./COMMAND, its pid to $MEMORY_PID.
memory() {
	timeout 200 $MEMORY "$@" >"$1.out" 2>&1 3>&- 4>&- &
	MEMORY_PID=$!
	PIDS+=("$MEMORY_PID")
}

memory_is_happy() {
	wait "$1" || {
		cat ./*.out
		return 1
	}
}

need_descriptors() {
	local most
	most=$(ulimit -Hn)
	[ "$most" = unlimited ] || [ "$most" -ge "$1" ] ||
		skip "needs $1 descriptors a process, the limit is $most"
}

# Make a memory control group below the one of this test: $GROUP. It is of v1,
# or of v2 if the system has v2 and the group may be divided.
group() {
	local path
	need_root
	if grep -q __asan_init "$ECHOD"; then
		skip "a sanitizer takes much more memory than echod"
	fi
	path=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
	if [ -n "$path" ] && [ -d "/sys/fs/cgroup/memory$path" ]; then
		GROUP=/sys/fs/cgroup/memory${path%/}/echod-test-$$
		LIMIT=memory.limit_in_bytes
		MOST=memory.max_usage_in_bytes
		KILLS=memory.oom_control
	else
		path=$(sed -n 's/^0:://p' /proc/self/cgroup)
		GROUP=/sys/fs/cgroup${path%/}/echod-test-$$
		LIMIT=memory.max
		MOST=memory.peak
		KILLS=memory.events
	fi
	mkdir "$GROUP" 2>/dev/null ||
		skip "no memory control group can be made here"
	if [ ! -w "$GROUP/$LIMIT" ] || ! echo "$1" >"$GROUP/$LIMIT"; then
		rmdir "$GROUP"
		skip "this system's control groups do not limit memory here"
	fi
}

# start_in_group DIRECTIVE...: the same as start, in this group.
start_in_group() {
	cat >run <<-EOF
	#!/bin/bash
	echo \$\$ >$GROUP/cgroup.procs
	exec $ECHOD "\$@"
	EOF
	chmod +x run
	ECHOD=./run start "$@"
}

kills() {
	awk '$1 == "oom_kill" { print $2 }' "$GROUP/$KILLS"
}

leave_group() {
	[ -z "${GROUP:-}" ] || within 10 rmdir "$GROUP"
}

teardown() {
	local pid
	for pid in "${PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for pid in "${PIDS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	[ "${BATS_TEST_COMPLETED:-}" = 1 ] ||
		tail -n 20 "$DIR/log" ./*.out 2>/dev/null
	leave_group
	[ ! -f "$DIR/log" ] || not grep -a 'workers never make' "$DIR/log"
}

# The allocated part of the arena in KiB.
arena() {
	local blocks
	blocks=$(find "/proc/$SERVER/fd" -lname '*memfd:echod-arena*' \
		-exec stat -Lc %b {} + -quit)
	echo $((blocks / 2))
}

arena_below() {
	[ "$(arena)" -lt "$1" ]
}

# closed REASON: the number of clients closed for it, by the metrics.
closed() {
	"$ECHOCTL" -s "$DIR/control" metrics |
		sed -n "s/.*closed_total{reason=\"$1\"} //p"
}

closed_some() {
	[ "$(closed memory)" -gt 0 ]
}

# --- maxmemory-clients

@test "4,800 clients with 65,000 bytes of a line each in 256 MB: the service lives" {
	need_descriptors 10000
	group $((256 << 20))
	start_in_group control-socket="$DIR/control"
	memory good good.ready go
	local good=$MEMORY_PID
	wait_for 20 test -f good.ready
	memory flood 4800 65000 flood.ready go
	wait_for 100 test -f flood.ready
	closed_some
	touch go
	memory_is_happy "$good"
	memory_is_happy "$MEMORY_PID"
	echo "# $(cat good.out); $(cat flood.out); $(cat "$GROUP/$MOST") bytes" >&3
	[ "$(kills)" -eq 0 ]
	not logged 'killed by'
	logged "more than maxmemory-clients, [0-9]+ bytes"
	stop
	[ "$STATUS" -eq 0 ]
}

@test "memory is short all the same: after two kills in a row those that hold much go" {
	need_descriptors 10000
	group $((64 << 20))
	start_in_group maxmemory-clients=0 control-socket="$DIR/control"
	memory good good.ready go
	local good=$MEMORY_PID
	wait_for 20 test -f good.ready
	memory flood 2000 65000 flood.ready go
	wait_for 100 test -f flood.ready
	wait_for 20 logged 'memory is short: [1-9][0-9]* clients closed'
	logged 'killed by SIGKILL for want of memory'
	touch go
	memory_is_happy "$good"
	memory_is_happy "$MEMORY_PID"
	[ "$(kills)" -ge 2 ]
	gone "$SERVER" && return 1
	echoes
}

@test "kill -9 is no want of memory: nobody is closed for it" {
	start workers=1 control-socket="$DIR/control"
	memory drain 20 65000 ready go
	wait_for 20 test -f ready.held
	for n in 1 2 3 4; do
		kill -KILL "$(workers)"
		wait_for 10 logged_times "$n" 'took over: 20 connections kept'
	done
	touch go.held go
	memory_is_happy "$MEMORY_PID"
	[ "$(closed memory)" -eq 0 ]
}

logged_times() {
	[ "$(grep -cE -- "$2" "$DIR/log")" -eq "$1" ]
}

@test "maxmemory-clients: the largest are closed, the others go on and grow again" {
	start maxmemory-clients=4mb control-socket="$DIR/control" loglevel=verbose
	memory good good.ready go
	local good=$MEMORY_PID
	wait_for 20 test -f good.ready
	memory flood 200 65000 flood.ready go
	local flood=$MEMORY_PID
	wait_for 60 test -f flood.ready
	wait_for 20 closed_some
	wait_for 20 arena_below 5000
	grep -q 'closed: memory' log
	# There is room again, so a long line is echoed completely.
	python3 - "$HOST" "$PORT" <<-'EOF'
	import socket, sys
	line = b"z" * 60000 + b"\n"
	s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 60)
	for part in (line[:30000], line[30000:]):
	    s.sendall(part)
	got = b""
	while len(got) < len(line):
	    part = s.recv(1 << 20)
	    if not part:
	        sys.exit("closed after %d bytes" % len(got))
	    got += part
	sys.exit(got != line)
	EOF
	touch go
	memory_is_happy "$good"
	memory_is_happy "$flood"
}

@test "replies that nobody reads are closed for, too" {
	start maxmemory-clients=1mb workers=2 control-socket="$DIR/control"
	local n
	for n in $(seq 40); do
		timeout 100 $CLIENT stuck 12000000 "deaf.$n" >/dev/null 2>&1 3>&- &
		PIDS+=($!)
	done
	wait_for 60 closed_some
	wait_for 10 arena_below 2500
	echoes
}

# bats test_tags=quick
@test "those that were not read for want of memory are when there is some" {
	# One client holds all the memory and asks for more, and finally ends
	# its line.
	start maxmemory-clients=128kb workers=1 control-socket="$DIR/control"
	memory drain 1 60000 ready go
	wait_for 20 test -f ready.held
	touch go.held
	wait_for 20 test -f ready
	touch go
	memory_is_happy "$MEMORY_PID"
	[ "$(closed memory)" -eq 0 ]
}

@test "the default is a quarter of what the control group allows" {
	group $((64 << 20))
	cat >run <<-EOF
	#!/bin/bash
	echo \$\$ >$GROUP/cgroup.procs
	exec $ECHOD "\$@"
	EOF
	chmod +x run
	./run -T >dump
	grep -E "^maxmemory-clients = 16mb +# default, auto: 25% of 64mb, $GROUP/$LIMIT" dump
	./run -o maxmemory-clients=50% -T >dump
	grep -E "^maxmemory-clients = 32mb +# command line, 50% of 64mb, $GROUP/$LIMIT" dump
}

# bats test_tags=quick
@test "less memory than clients may take is a warning at the start" {
	group $((48 << 20))
	start_in_group maxclients=5000
	logged "warning: memory: there are 48 MB \($GROUP/$LIMIT\), but 5000 clients"
	stop
	start_in_group maxclients=500
	not logged 'warning: memory:'
}

@test "workers are killed for want of memory before the master is" {
	start workers=2
	local worker master
	master=$(cat "/proc/$SERVER/oom_score_adj")
	for worker in $(workers); do
		[ "$(cat "/proc/$worker/oom_score_adj")" -gt "$master" ]
	done
	kill -KILL "$worker"
	wait_for 10 logged 'took over'
	wait_for 10 more_exposed "$master"
}

more_exposed() {
	local worker
	for worker in $(workers); do
		[ "$(cat "/proc/$worker/oom_score_adj")" -gt "$1" ] || return 1
	done
}

# --- memory that is given back
#
# Formerly 2,000 clients with nothing pending kept 250 MB, because idle time
# was counted in rounds, and an idle worker makes no rounds.

# The number of times that worker $1 has slept.
sleeps() {
	sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$1/status"
}

# The worker does not wake up between two looks.
quiet() {
	local before
	before=$(sleeps "$1")
	sleep 0.9
	[ "$(sleeps "$1")" -eq "$before" ]
}

@test "2,000 clients that have been answered hold nothing, though all is quiet" {
	need_descriptors 5000
	start workers=1 tcp-keepalive=0
	local empty full
	memory drain 2000 65000 ready go
	wait_for 60 test -f ready.held
	full=$(arena)
	[ "$full" -gt 100000 ]
	touch go.held
	wait_for 60 test -f ready
	wait_for 4 arena_below 2000
	empty=$(arena)
	echo "# $full KiB while they are asked, $empty after" >&3
	# 2,000 records, and the memory of a service without connections.
	[ "$empty" -lt 2000 ]
	# There is nothing more to give back, so the worker sleeps.
	wait_for 10 quiet "$(workers)"
	touch go
	memory_is_happy "$MEMORY_PID"
}

@test "half lines that wait for their ends wake nobody" {
	start workers=1 tcp-keepalive=0
	memory drain 50 30000 ready go
	wait_for 20 test -f ready.held
	wait_for 10 quiet "$(workers)"
	touch go.held go
	memory_is_happy "$MEMORY_PID"
}

@test "a successor gives back what its predecessor had no time to" {
	start workers=1 tcp-keepalive=0
	memory drain 200 65000 ready go
	wait_for 20 test -f ready.held
	touch go.held
	wait_for 20 test -f ready
	kill -KILL "$(workers)"
	wait_for 10 logged 'took over: 200 connections kept'
	wait_for 4 arena_below 2000
	touch go
	memory_is_happy "$MEMORY_PID"
}

# --- the limits of the system

# limited COMMAND...: after COMMAND (ulimit), echod starts or prints the reason
# for its failure; the output is in ./log.
limited() {
	local n
	bash -c "$1; exec \"\$@\"" - "$ECHOD" -o "bind=$HOST" -o "port=$PORT" \
		-o maxclients=100 "${@:2}" >log 2>&1 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	n=0
	wait_for 20 is_ready_or_dead
}

@test "a soft limit of the size of files is raised" {
	limited 'ulimit -S -f 1000'
	logged ' ready on '
	kill -HUP "$SERVER"
}

@test "a hard limit of the size of files is named, with what is needed" {
	limited 'ulimit -f 1000'
	not logged ' ready on '
	logged 'arena for [0-9]+ descriptors: File too large; RLIMIT_FSIZE \(ulimit -f, LimitFSIZE=\) is 1024000 bytes, [0-9]+ are needed'
	finish
	[ "$STATUS" -eq 1 ]
}

@test "a file that may not grow ends nothing: not the log, not a line for -T" {
	echo "maxclients = 100" >conf
	bash -c "ulimit -f 0; \"$ECHOD\" -t -c conf" >out 2>&1 || STATUS=$?
	cat out
	[ "${STATUS:-0}" -lt 128 ]
}

@test "a soft limit of address space is raised, a hard one is named" {
	limited 'ulimit -S -v 100000'
	logged ' ready on '
	stop
	limited 'ulimit -v 100000' -o maxclients=5000
	not logged ' ready on '
	logged 'Cannot allocate memory; RLIMIT_AS \(ulimit -v, LimitAS=\) is 102400000 bytes of address space, [0-9]+ more are needed'
}

@test "too few processes for a user: the limit is named" {
	need_root
	open_directory
	setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null ||
		skip "setpriv cannot become another user"
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		prlimit --nproc=1 "$ECHOD" -o "bind=$HOST" -o "port=$PORT" \
		-o maxclients=100 >log 2>&1 3>&- 4>&- || true
	logged 'worker 0 cannot be started: Resource temporarily unavailable; RLIMIT_NPROC \(ulimit -u, LimitNPROC=\) is 1 processes of user 65534'
}

pids_group() {
	local path
	need_root
	path=$(sed -n 's/^[0-9]*:pids://p' /proc/self/cgroup)
	GROUP=/sys/fs/cgroup/pids${path%/}/echod-test-$$
	[ -n "$path" ] && mkdir "$GROUP" 2>/dev/null ||
		skip "no control group of processes can be made here"
	echo "$1" >"$GROUP/pids.max"
}

@test "too few tasks in a control group: the limit is named, at start and reload" {
	# Master, standby and one worker.
	pids_group 3
	start_in_group_fails workers=4
	logged "worker 1 cannot be started: Resource temporarily unavailable; $GROUP/pids.max \(TasksMax=\) is 3, and it is reached"
	echo max >"$GROUP/pids.max"
	start_in_group workers=1 supervised=systemd
	echo 2 >"$GROUP/pids.max"
	kill -HUP "$SERVER"
	wait_for 10 logged "reload refused: .*; $GROUP/pids.max \(TasksMax=\) is 2"
	echoes
}

start_in_group_fails() {
	if start_in_group "$@"; then
		return 1
	fi
}
