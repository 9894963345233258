#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Workers die, are stopped, added and removed; connections continue.

load ../lib/common

export ECHOD LOAD

@test "kill -9 at random, 40 a second: nothing lost, nothing wrong" {
	"$TOP_SRCDIR/tests/stress/chaos/run" -t 6 -r 40
}

@test "kill -9, SIGSEGV and SIGSTOP at random, two workers" {
	"$TOP_SRCDIR/tests/stress/chaos/run" -t 5 -r 40 -g 10 -s 7 -w 2
}

@test "kill -9 at random with one worker only" {
	"$TOP_SRCDIR/tests/stress/chaos/run" -t 4 -r 25 -w 1 small:20 pipeline:5 \
		large:2 partial:5 halfclose:2 churn:2 idle:200
}

# The client sees from its own bytes alone that each of them had its effect on
# the state of the handler, once.
@test "a handler with a state: kill -9, SIGSTOP, and reloads between two versions" {
	MODULES=$TOP_BUILDDIR/tests/programs/modules \
		"$TOP_SRCDIR/tests/stress/chaos/run" -m -t 8 -r 30 -s 9 -w 2 \
		-R 1000 small:30 pipeline:10 medium:5 large:2 slow:2 \
		halfclose:3 churn:3 idle:200
}

# standby: skip where the build has none.
needs_standby() {
	"$ECHOD" -T | grep -q '^standby' || skip "this build has no standby"
}

@test "kill -9 of the master, again and again: nothing lost, one master at a time" {
	needs_standby
	run "$TOP_SRCDIR/tests/stress/chaos/run" -t 5 -r 0 -M 200 -w 2 \
		small:30 pipeline:5 medium:5 partial:10 halfclose:3 churn:3 \
		idle:200
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ takeovers=[1-9] ]]
}

@test "kill -9 of master, standby, administration process and workers at random" {
	needs_standby
	"$TOP_SRCDIR/tests/stress/chaos/run" -t 6 -r 20 -A -w 2 \
		small:30 pipeline:5 medium:5 partial:10 halfclose:3 churn:3 \
		idle:200
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
	# Before this, its slot is still leaving, and SIGTTIN would be refused.
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
	never 2 gone "$victim"
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
	never 2 gone "$victim"
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
	never 3 gone "$victim"
}

@test "a receiver that is stopped strands no connection" {
	start workers=2 watchdog-timeout=0
	mapfile -t w < <(workers)
	kill -STOP "${w[0]}"
	# The stopped worker would have half of these.
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

# A soak whose reload had moved the port was failed by the refusals of a client
# that had crashed its worker, which was allowed.
@test "the load: a client that is lost connects again, or stays away if told so" {
	local option
	start control-socket=control
	peer() {
		ss -Htn state established "dport = :$PORT" | awk '{ print $3 }'
	}
	for option in '' -o; do
		rm -f loaded enough
		under_load $option small:1
		"$ECHOCTL" -s control close "$(peer)"
		wait_for 20 grep -qE 'small client 0, .*: (EOF|Connection reset)' figures
		[ -n "$option" ] || wait_for 20 eval '[ -n "$(peer)" ]'
		not load_is_happy
		cat figures
		grep -q "connects=$((2 - ${#option} / 2)) lost=1 .*refused=0" figures
	done
}

# A soak failed because its slow clients stalled.  The machine was short of
# memory for TCP, and its kernel also dropped the segments to a server of forty
# lines.  A filter that passes nothing has the same effect at will.
@test "the load tells a kernel that drops segments from a server that hangs" {
	PORT=$(free_port)
	cat >drops.py <<-'EOF'
		import ctypes, socket, struct, sys
		server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
		open("listening", "w").close()
		client = server.accept()[0]
		line = client.recv(65536)
		nothing = ctypes.create_string_buffer(
		    struct.pack("HBBI", 6, 0, 0, 0))    # BPF_RET | BPF_K, 0
		client.setsockopt(socket.SOL_SOCKET, 26,    # SO_ATTACH_FILTER
		    struct.pack("HL", 1, ctypes.addressof(nothing)))
		client.sendall(line)    # after it: the next line is not heard
		again = server.accept()[0]
		while data := again.recv(65536):
		    again.sendall(data)
	EOF
	python3 drops.py "$PORT" 3>&- &
	PIDS+=("$!")
	wait_for 20 test -f listening
	"$LOAD" -p "$PORT" -w 3000 -t 60 -f loaded -e enough small:1 \
		>figures 2>&1 3>&- &
	LOAD_PID=$!
	PIDS+=("$LOAD_PID")
	wait_for 30 grep -q 'unheard: small client 0' figures
	load_is_happy
	grep -q 'lost=0 wrong=0 refused=0 stalled=0 .*unheard=1 ' figures

	start workers=1
	rm -f loaded enough
	"$LOAD" -p "$PORT" -w 3000 -t 60 -f loaded -e enough small:1 slow:1 \
		>figures 2>&1 3>&- &
	LOAD_PID=$!
	PIDS+=("$LOAD_PID")
	wait_for 20 test -f loaded
	kill -STOP "$(workers)"
	wait_for 30 grep -q 'small client 0, .*: stalled' figures
	wait_for 30 grep -q 'slow client 1, .*: stalled' figures
	kill -CONT "$(workers)"
	not load_is_happy
	grep -q 'lost=[1-9].* stalled=[1-9].* unheard=0 ' figures
	stop
}
