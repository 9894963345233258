#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The graceful stop: everything received is echoed, no client is reset, and the
# deadline holds.

load ../lib/common

stops_cleanly_on() {
	start
	client stop_middle 20 ready
	wait_for 30 test -f ready
	stop "$1"
	client_is_happy
	[ "$STATUS" -eq 0 ]
	logged "SIG$1: stopping, 10 s at most"
	[[ $(tail -n 1 log) =~ \ master\[.*stopped\ in\ [0-9]+\.[0-9]{3}\ s:\ 20\ connections\ drained,\ 0\ cut,\ 0\ bytes\ unsent,\ 0\ workers\ killed$ ]]
}

# End a stop that waits for a client.  A second signal that follows the first
# soon counts as the same.
insist() {
	wait_for 30 eval 'kill -TERM "$SERVER"; dead "$SERVER"'
	finish
}

# bats test_tags=quick
@test "SIGTERM: half a line sent comes back, then EOF" {
	stops_cleanly_on TERM
}

@test "SIGINT: half a line sent comes back, then EOF" {
	stops_cleanly_on INT
}

@test "SIGQUIT: half a line sent comes back, then EOF" {
	stops_cleanly_on QUIT
}

@test "SIGHUP in the foreground: half a line sent comes back, then EOF" {
	stops_cleanly_on HUP
}

@test "under nohup SIGHUP is ignored" {
	: >log
	nohup "$ECHOD" -o "port=$PORT" -o "bind=$HOST" >log 2>&1 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 30 logged ' ready on '
	kill -HUP "$SERVER"
	kill -USR1 "$SERVER"
	echoes
	stop TERM
	[ "$STATUS" -eq 0 ]
	not logged 'SIGHUP'
}

@test "busy clients see whole echoes and an EOF, never a reset" {
	start
	client stop_busy 50 ready
	wait_for 30 test -f ready
	stop
	client_is_happy
	[ "$STATUS" -eq 0 ]
}

# bats test_tags=quick
@test "200 clients queued before the stop all get their echo" {
	start
	for pid in $(workers); do kill -STOP "$pid"; done
	client queued 200 queued go
	wait_for 20 test -f queued
	kill -TERM "$SERVER"
	wait_for 30 logged stopping
	for pid in $(workers); do kill -CONT "$pid"; done
	touch go
	client_is_happy
	finish
	[ "$STATUS" -eq 0 ]
	logged '200 connections drained, 0 cut'
}

@test "after the stop has begun new clients are refused at once" {
	start
	client stuck 8000000 ready
	wait_for 30 test -f ready
	kill -TERM "$SERVER"
	refused() { ! nc.openbsd -z -w 2 "$HOST" "$PORT"; }
	wait_for 30 refused
	kill -0 "$SERVER"
	insist
}

@test "silent clients do not hold up the stop" {
	start
	client hold 50 ready
	wait_for 30 test -f ready
	# The client is silent for more than a second.
	wait_for 30 eval 'ss -Htni state established "sport = :$PORT" | grep -qE "lastrcv:1[0-9]{3}\b"'
	began=$(date +%s%N)
	stop
	ms=$((($(date +%s%N) - began) / 1000000))
	client_is_happy
	[ "$STATUS" -eq 0 ]
	[ "$ms" -lt 1500 ]
	logged '50 connections drained'
}

@test "a client that keeps its side open is closed all the same, well before the deadline" {
	start
	exec 5<>"/dev/tcp/$HOST/$PORT"
	printf 'hello\n' >&5
	read -r -t 60 answer <&5
	[ "$answer" = hello ]
	stop
	exec 5>&-
	[ "$STATUS" -eq 0 ]
	logged 'stopped in [0-4]\..*1 connections drained, 0 cut'
}

@test "the deadline cuts a client that does not read, and the status says so" {
	start shutdown-timeout=1
	client stuck 30000000 ready
	wait_for 20 test -f ready
	stop
	touch go
	[ "$STATUS" -eq 3 ]
	logged 'stopped in (0\.[89]|1\.[0-4]).*, 1 cut, [1-9][0-9]* bytes unsent, 0 workers killed'
}

@test "a client that reads again before the deadline loses nothing" {
	start
	cat >slow.py <<-'EOF'
	import fcntl, os, socket, sys, termios, time
	s = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
	# This is more than both kernels take of the echoes, but all of it
	# arrives.
	data = bytes(range(11, 256)) * 1430
	s.sendall(data)
	sent = len(data)
	while fcntl.ioctl(s, termios.TIOCOUTQ, b"\0" * 4) != b"\0" * 4:
	    time.sleep(0.01)
	open("ready", "w").close()
	s.settimeout(20)
	while not os.path.exists("go"):
	    time.sleep(0.02)
	got = b""
	while True:
	    part = s.recv(65536)
	    if not part:
	        break
	    got += part
	sys.exit(0 if got == data[:sent] and sent > 0 else "%d of %d" % (len(got), sent))
	EOF
	python3 slow.py 3>&- >client.out 2>&1 &
	CLIENT_PID=$!
	PIDS+=("$CLIENT_PID")
	wait_for 20 test -f ready
	kill -TERM "$SERVER"
	wait_for 30 logged stopping
	touch go
	client_is_happy
	finish
	[ "$STATUS" -eq 0 ]
}

# A client that reads nothing.  All its echoes fit into the kernel, and it has
# been silent for more than a second.  It reads when ./go exists.
unread_echoes() {
	client unread 200 ready
	wait_for 20 test -f ready
	wait_for 30 eval 'ss -Htni state established "sport = :$PORT" | grep -qE "lastrcv:1[0-9]{3}\b"'
}

@test "echoes that the kernel has and the client has not are waited for" {
	start
	unread_echoes
	kill -TERM "$SERVER"
	wait_for 30 logged stopping
	touch go
	client_is_happy
	finish
	[ "$STATUS" -eq 0 ]
	logged '1 connections drained, 0 cut, 0 bytes unsent'
}

@test "echoes that the kernel has and the client never reads are told as unsent" {
	# Formerly a client that had been silent for a second was closed at
	# once and counted as drained, even with echoes that it had not
	# acknowledged.  The exit status was 0, and the bytes in the kernel
	# were lost if the machine went down.
	start shutdown-timeout=1
	unread_echoes
	stop
	touch go
	[ "$STATUS" -eq 3 ]
	logged '0 connections drained, 1 cut, [1-9][0-9]* bytes unsent'
}

@test "a second signal means now" {
	start
	client stuck 30000000 ready
	wait_for 20 test -f ready
	kill -TERM "$SERVER"
	wait_for 30 logged 'SIGTERM: stopping'
	sleep 0.2
	kill -INT "$SERVER"
	finish
	touch go
	[ "$STATUS" -eq 3 ]
	logged 'SIGINT again: stopping now'
	logged 'stopped in [01]\.'
}

# bats test_tags=quick
@test "one Ctrl-C reaches master and workers and counts once" {
	setsid "$ECHOD" -o "port=$PORT" -o "bind=$HOST" >log 2>&1 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 30 logged ' ready on '
	SERVER=$(sed -n 's/.* master\[\([0-9]*\)\].* ready on .*/\1/p' log)
	client stop_middle 5 ready
	wait_for 30 test -f ready
	kill -INT -- "-$SERVER"
	wait_for 30 gone "$SERVER"
	client_is_happy
	not logged 'again'
	logged '5 connections drained, 0 cut, 0 bytes unsent, 0 workers killed'
}

@test "SIGTERM to the whole group at once, as some service managers do" {
	setsid "$ECHOD" -o "port=$PORT" -o "bind=$HOST" >log 2>&1 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 30 logged ' ready on '
	SERVER=$(sed -n 's/.* master\[\([0-9]*\)\].* ready on .*/\1/p' log)
	client stop_middle 30 ready
	wait_for 30 test -f ready
	kill -TERM -- "-$SERVER"
	wait_for 30 gone "$SERVER"
	client_is_happy
	logged '30 connections drained, 0 cut'
}

@test "a worker that hangs is killed at the deadline and reaped" {
	start shutdown-timeout=1 workers=2
	mapfile -t w < <(workers)
	kill -STOP "${w[0]}"
	stop
	[ "$STATUS" -eq 3 ]
	logged 'stopped in 1\..* 1 workers killed'
	gone "${w[0]}"
	gone "${w[1]}"
}

@test "a worker killed while stopping is replaced to finish its clients" {
	start workers=1
	client stuck 3000000 ready
	wait_for 20 test -f ready
	kill -TERM "$SERVER"
	wait_for 30 logged 'SIGTERM: stopping'
	worker=$(workers)
	kill -KILL "$worker"
	wait_for 30 logged 'killed by SIGKILL while stopping, 1 connections held'
	replaced() { [ "$(workers)" != "$worker" ] && [ "$(worker_count)" -eq 1 ]; }
	wait_for 30 replaced
	insist
}

@test "shutdown-delay: the service goes on for that long, then stops" {
	start shutdown-delay=1
	began=$(date +%s%N)
	kill -TERM "$SERVER"
	wait_for 30 logged 'stopping, 11 s at most'
	echoes
	finish
	[ $((($(date +%s%N) - began) / 1000000)) -ge 1000 ]
	[ "$STATUS" -eq 0 ]
}

@test "a second signal ends the delay" {
	start shutdown-delay=600
	kill -TERM "$SERVER"
	wait_for 30 logged stopping
	sleep 0.2
	kill -TERM "$SERVER"
	finish
	[ "$STATUS" -eq 0 ]
}

@test "with the master killed the workers drain and leave, and the port is free" {
	start workers=2
	before=$(workers)
	client stop_middle 10 ready
	wait_for 30 test -f ready
	behead "$SERVER"
	client_is_happy
	for pid in $before; do wait_for 15 gone "$pid"; done
	logged 'the master \(pid [0-9]+\) is gone: stopping'
	start
	echoes
}
