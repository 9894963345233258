#!/usr/bin/env bats
# Workers die, are stopped, added and removed; connections go on.

load lib

export ECHOD LOAD

@test "kill -9 at random, 40 a second: nothing lost, nothing wrong" {
	"$TOP_SRCDIR/tests/chaos/run" -t 10 -r 40
}

@test "kill -9, SIGSEGV and SIGSTOP at random, two workers" {
	"$TOP_SRCDIR/tests/chaos/run" -t 8 -r 40 -g 10 -s 7 -w 2
}

@test "kill -9 at random with one worker only" {
	"$TOP_SRCDIR/tests/chaos/run" -t 5 -r 25 -w 1 small:20 pipeline:5 \
		large:2 partial:5 halfclose:2 churn:2 idle:200
}

@test "1,000 connections on 2, 4 and 8 workers differ by one at most" {
	for n in 2 4 8; do
		start workers=$n
		client hold 1000 ready
		wait_for 20 test -f ready
		wait_for 30 even 1000 "$n"
		stop
		client_is_happy
		rm ready
	done
}

@test "SIGTTIN and SIGTTOU under load: connections move, none is closed" {
	start workers=1
	under_load small:40 pipeline:5 large:2 partial:10 idle:200
	for n in 2 3 4; do
		kill -TTIN "$SERVER"
		wait_for 30 workers_are "$n"
	done
	wait_for 30 even 257 4
	for n in 3 2 1; do
		kill -TTOU "$SERVER"
		wait_for 30 workers_are "$n"
	done
	kill -TTOU "$SERVER"
	wait_for 30 logged 'the last worker stays'
	# Before, its slot is still leaving, and SIGTTIN would be refused.
	wait_for 30 logged 'took over the connections of worker 1'
	kill -TTIN "$SERVER"
	wait_for 30 workers_are 2
	load_is_happy
	stop
	[ "$STATUS" -eq 0 ]
}

@test "connections that all are on one worker spread when others come" {
	start workers=1
	under_load small:40
	kill -TTIN "$SERVER"
	wait_for 30 even 40 2
	load_is_happy
}

@test "a worker that is stopped is killed by the watchdog, its clients go on" {
	start workers=1 watchdog-timeout=1
	client across ready go
	wait_for 30 test -f ready
	victim=$(workers)
	kill -STOP "$victim"
	touch go
	wait_for 30 logged "worker 0 \(pid $victim\) has been stopped for 1 s"
	client_is_happy
	logged 'took over: 1 connections kept, 0 closed'
}

@test "watchdog-timeout 0: nobody is killed" {
	start workers=1 watchdog-timeout=0
	victim=$(workers)
	kill -STOP "$victim"
	not wait_for 2 gone "$victim"
	kill -CONT "$victim"
	echoes
}

@test "a worker that a debugger has is left alone" {
	start workers=1 watchdog-timeout=1
	victim=$(workers)
	strace -o trace -p "$victim" 2>strace.err 3>&- &
	PIDS+=($!)
	wait_for 30 grep -q attached strace.err
	kill -STOP "$victim"
	not wait_for 2 gone "$victim"
	kill -CONT "$victim"
	echoes
}

@test "stopped and continued before the watchdog bites: left alone" {
	start workers=1 watchdog-timeout=2
	victim=$(workers)
	kill -STOP "$victim"
	sleep 0.5
	kill -CONT "$victim"
	echoes
	not wait_for 3 gone "$victim"
}

@test "a receiver that is stopped strands no connection" {
	start workers=2 watchdog-timeout=0
	mapfile -t w < <(workers)
	kill -STOP "${w[0]}"
	# half of these would be the stopped one's
	$CLIENT churn 50
	timeout 30 $CLIENT many 50
	kill -CONT "${w[0]}"
	echoes
}

@test "faults in quick succession brake; siblings serve meanwhile" {
	export ASAN_OPTIONS=handle_segv=0
	start workers=2
	client across ready go
	wait_for 30 test -f ready
	for _ in 1 2 3 4 5 6; do
		mapfile -t w < <(workers)
		kill -SEGV "${w[0]}"
		wait_for 30 gone "${w[0]}"
		wait_for 30 workers_are 2
	done
	wait_for 30 logged 'killed by SIGSEGV.*next one in [1-9][0-9]* ms'
	wait_for 30 logged 'took over the connections of worker'
	touch go
	client_is_happy
}

@test "every worker killed at once" {
	start workers=4
	under_load small:40 large:2 partial:10 idle:500
	for _ in 1 2 3; do
		for pid in $(workers); do kill -KILL "$pid"; done
		wait_for 30 workers_are 4
	done
	load_is_happy
}
