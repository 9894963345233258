#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Signals other than the stop, and workers that leave.

load ../lib/common

workers_are_other_than() {
	local now
	now=$(workers)
	[ "$(worker_count)" -eq "$2" ] && ! grep -qxF "$1" <<<"$now"
}

@test "SIGUSR1 reopens the log file" {
	start "logfile=$DIR/logs/a.log"
	echoes
	mv logs/a.log logs/a.log.1
	kill -USR1 "$SERVER"
	wait_for 30 test -s logs/a.log
	grep -q 'SIGUSR1: log file reopened' logs/a.log
	stop
	# Workers and master write to the new file, and none to the old one.
	tail -n 1 logs/a.log | grep -q 'stopped in'
	not grep -q 'stopped in' logs/a.log.1
}

@test "SIGUSR1 with a log directory that is gone keeps the old file" {
	start "logfile=$DIR/logs/a.log"
	mv logs logs.old
	: >logs
	kill -USR1 "$SERVER"
	wait_for 30 grep -q 'still writing to the former file' logs.old/a.log
	echoes
	stop
	[ "$STATUS" -eq 0 ]
	tail -n 1 logs.old/a.log | grep -q 'stopped in'
}

@test "signals that kill by default without reason do not" {
	start
	before=$(workers)
	for s in PIPE ALRM VTALRM PROF WINCH IO PWR STKFLT XCPU XFSZ RTMIN URG; do
		kill -"$s" "$SERVER"
		for pid in $before; do kill -"$s" "$pid"; done
	done
	for s in HUP INT QUIT USR1 USR2 TTIN TTOU; do
		for pid in $before; do kill -"$s" "$pid"; done
	done
	echoes
	[ "$(workers)" = "$before" ]
	stop
	[ "$STATUS" -eq 0 ]
}

# bats test_tags=quick
@test "a worker that is killed is replaced, and the log says how it died" {
	start workers=2
	victim=$(workers | head -n 1)
	kill -KILL "$victim"
	wait_for 30 workers_are_other_than "$victim" 2
	logged "worker 0 \(pid $victim\) killed by SIGKILL"
	echoes
	stop
	[ "$STATUS" -eq 0 ]
}

@test "a worker that crashes is replaced too" {
	# A sanitizer would turn the signal into an exit.
	export ASAN_OPTIONS=handle_segv=0
	start workers=2
	victim=$(workers | tail -n 1)
	kill -SEGV "$victim"
	wait_for 30 workers_are_other_than "$victim" 2
	logged "worker 1 \(pid $victim\) killed by SIGSEGV"
	echoes
}

# bats test_tags=quick
@test "a connection outlives its worker, half a line included" {
	start workers=1
	client across ready go
	wait_for 30 test -f ready
	victim=$(workers)
	kill -KILL "$victim"
	wait_for 30 workers_are_other_than "$victim" 1
	touch go
	client_is_happy
}

# bats test_tags=quick
@test "SIGTERM to one worker: it leaves, another takes its clients" {
	start workers=1
	client across ready go
	wait_for 30 test -f ready
	victim=$(workers)
	kill -TERM "$victim"
	wait_for 30 workers_are_other_than "$victim" 1
	touch go
	client_is_happy
	logged "worker 0 \(pid $victim\) left on request"
}

@test "a worker stopped and continued serves on" {
	start workers=1
	kill -STOP "$(workers)"
	(wait_for 30 eval 'ps -o stat= -p '"$(workers)"' | grep -q T')
	kill -CONT "$(workers)"
	echoes
}

# --- signals that are lost
#
# A tracer that dies at the moment of a signal takes the signal with it.  So
# echod also looks at the lasting state that the signal would announce.

# lose SIGNAL PID: the next such signal never reaches the process.
lose() {
	python3 "$TOP_SRCDIR/tests/lib/tracer.py" "$2" "$1" >traced 2>&1 3>&- &
	PIDS+=($!)
	wait_for 10 grep -q . traced
	grep -q attached traced || skip "ptrace is not permitted here"
}

lost() {
	! kill -0 "${PIDS[-1]}" 2>/dev/null
}

@test "the signal of the master's death is lost: the workers stop all the same" {
	start workers=2 shutdown-timeout=1
	local pids
	mapfile -t pids < <(workers)
	PIDS+=("${pids[@]}")
	lose SIGTERM "${pids[0]}"
	behead "$SERVER"
	wait_for 5 lost
	wait_for 5 gone "${pids[0]}"
	wait_for 5 gone "${pids[1]}"
	logged "worker 0.*the master \(pid $SERVER\) is gone: stopping"
}

@test "the signal of a worker's death is lost: it is replaced at once" {
	start workers=1 watchdog-timeout=0
	local worker
	worker=$(workers)
	lose SIGCHLD "$SERVER"
	kill -KILL "$worker"
	wait_for 5 logged 'worker 0 .*killed by SIGKILL'
	wait_for 5 lost
	wait_for 5 echoes
}
