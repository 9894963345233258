#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Serving: every byte comes back, whatever the client does.

load ../lib/common

memfd_blocks() {
	local fd
	for fd in /proc/"$SERVER"/fd/*; do
		case $(readlink "$fd") in
		*memfd:echod-arena*)
			stat -L -c %b "$fd"
			return
			;;
		esac
	done
	return 1
}

closed_for() {
	grep -c "closed: $1" "$DIR/log" || true
}

# All descriptors of the service; all of its processes share one table.
descriptors() {
	find /proc/"$SERVER"/fd -type l | wc -l
}

descriptors_are() {
	[ "$(descriptors)" -eq "$1" ]
}

# The entries of the epoll instances of the workers.
watched_entries() {
	cat /proc/"$SERVER"/fdinfo/* 2>/dev/null | grep -c '^tfd:' || true
}

watched_at_least() {
	[ "$(watched_entries)" -ge "$1" ]
}

# bats test_tags=quick
@test "a line comes back when its newline has arrived, not before" {
	start
	$CLIENT held
}

# bats test_tags=quick
@test "NUL, CR and one byte at a time" {
	start
	$CLIENT bytewise
}

# bats test_tags=quick
@test "twenty thousand lines in a few segments" {
	start
	$CLIENT lines 20000
}

@test "lines of every length around 64 KiB" {
	start workers=1
	for n in 1 2 65535 65536 65537 131072 1000000; do
		$CLIENT long_line "$n"
	done
}

@test "random bytes in random pieces, unterminated at the end" {
	start workers=1
	for seed in 1 2 3 4; do
		$CLIENT random_lines "$seed"
	done
}

@test "100 MB of random data through socat" {
	start
	head -c 100000000 /dev/urandom >data
	timeout 120 socat -t 20 - "TCP:$HOST:$PORT" <data | cmp - data
}

@test "100 MB of random data through ncat" {
	start
	head -c 100000000 /dev/urandom >data
	timeout 120 ncat "$HOST" "$PORT" <data | cmp - data
}

# bats test_tags=quick
@test "half-close: what is unterminated comes back, then EOF" {
	start
	[ "$(printf 'a\nb' | timeout 60 ncat "$HOST" "$PORT")" = $'a\nb' ]
	[ "$(printf 'c' | timeout 60 socat -t 5 - "TCP:$HOST:$PORT")" = c ]
}

# bats test_tags=quick
@test "handler raw gives everything back at once" {
	start handler=raw
	head -c 5000000 /dev/urandom >data
	timeout 60 socat -t 5 - "TCP:$HOST:$PORT" <data | cmp - data
	exec 5<>"/dev/tcp/$HOST/$PORT"
	printf 'no newline' >&5
	read -r -N 10 -t 5 answer <&5
	exec 5>&-
	[ "$answer" = "no newline" ]
}

# bats test_tags=quick
@test "handler discard gives nothing back" {
	start handler=discard
	$CLIENT discards
}

@test "a client that does not read is not read from, and hurts nobody" {
	start workers=1
	$CLIENT slow_reader
}

@test "redis-benchmark and redis-cli" {
	start
	run timeout 60 redis-benchmark -h "$HOST" -p "$PORT" \
		-t ping_mbulk,set,get -c 50 -P 16 -n 100000 -q
	[ "$status" -eq 0 ]
	[[ $output == *"PING_MBULK: "*" requests per second"* ]]
	[[ $output == *"GET: "*" requests per second"* ]]
	run timeout 60 redis-cli -h "$HOST" -p "$PORT" PING
	[ "$status" -eq 0 ]
	[[ $output == *PING* ]]
}

@test "10,000 connects in a burst, all served at the same time" {
	start maxclients=11000
	timeout 100 $CLIENT many 9900
	echoes
}

@test "connect, echo, close: no descriptor and no record is left over" {
	start loglevel=verbose
	before=$(descriptors)
	$CLIENT churn 1000
	$CLIENT resets 200
	wait_for 30 descriptors_are "$before"
	[ "$(closed_for 'client EOF')" -eq 1000 ]
	[ "$(closed_for 'client reset')" -eq 200 ]
}

# bats test_tags=quick
@test "each close is logged at verbose with peer, bytes and duration" {
	start loglevel=verbose
	echoes
	wait_for 30 logged '127\.0\.0\.1:[0-9]+ closed: client EOF, 5 bytes in, 5 out, [0-9]+\.[0-9]{3} s$'
	wait_for 30 logged 'verbose: 127\.0\.0\.1:[0-9]+ accepted$'
}

@test "nothing about clients is logged at notice" {
	start
	echoes
	not logged closed
	not logged accepted
}

# bats test_tags=quick
@test "at maxclients: exactly so many, a word to the others, none reset" {
	start maxclients=20 workers=3
	$CLIENT limit 20
	wait_for 30 logged 'refused: maxclients 20 reached'
	# The rate of lines is limited: 20 refusals in two bursts are not 20
	# lines.
	[ "$(grep -c refused "$DIR/log")" -lt 10 ]
}

@test "a full descriptor table pauses accepting and nothing else" {
	start workers=2
	exec 5<>"/dev/tcp/$HOST/$PORT"
	used=$(find /proc/"$SERVER"/fd -type l -printf '%f\n' | sort -n | tail -n 1)
	for pid in $SERVER $(workers); do
		prlimit --pid "$pid" --nofile=$((used + 1)):20000
	done
	echo waiting | nc.openbsd -N -w 20 "$HOST" "$PORT" >answer 5>&- &
	PIDS+=($!)
	wait_for 30 logged 'accept on .*: Too many open files'
	# Connected clients are served in the meantime.
	printf 'still\n' >&5
	read -r -t 60 answer <&5
	[ "$answer" = still ]
	for pid in $SERVER $(workers); do
		prlimit --pid "$pid" --nofile=1000:20000
	done
	wait_for 30 grep -q waiting answer
	# The worker rests and does not spin.
	[ "$(grep -c 'Too many open files' "$DIR/log")" -lt 20 ]
}

@test "an idle client is closed after timeout, a talking one is not" {
	start timeout=1 loglevel=verbose
	$CLIENT idle 1
	wait_for 30 logged 'closed: idle, 0 bytes in'
}

# bats test_tags=quick
@test "a client that is not idle for long enough is not closed" {
	start timeout=3600
	$CLIENT hold 1 ready &
	PIDS+=($!)
	wait_for 30 test -f ready
	never 1 logged 'closed: idle'
}

@test "idle connections beside busy ones answer all the same" {
	start workers=1 maxclients=3000
	timeout 100 $CLIENT idle_beside_busy 1000 &
	client=$!
	PIDS+=("$client")
	wait_for 60 test -f idle
	watched_at_least 1008
	touch go
	wait "$client"
}

@test "a window's memory is given back when its line is done" {
	start workers=1
	echoes
	before=$(memfd_blocks)
	timeout 60 $CLIENT partial 200 8000 &
	client=$!
	PIDS+=("$client")
	wait_for 20 test -f partial
	grown() { [ "$(memfd_blocks)" -gt $((before + 200 * 16 - 1)) ]; }
	wait_for 30 grown
	touch go
	wait "$client"
	# 200 windows of 8 KB are 3,200 blocks of 512 bytes; records may stay.
	shrunk() { [ "$(memfd_blocks)" -lt $((before + 200)) ]; }
	wait_for 30 shrunk
}

@test "one recv and one send per echo" {
	start workers=1
	strace -f -c -o trace -p "$(workers)" 2>strace.err 3>&- &
	tracer=$!
	PIDS+=("$tracer")
	wait_for 30 grep -q attached strace.err
	$CLIENT churn 1
	timeout 60 redis-benchmark -h "$HOST" -p "$PORT" -t ping_mbulk -c 1 \
		-n 500 -q >/dev/null
	kill -INT "$tracer"
	wait "$tracer" || true
	recvs=$(awk '$NF == "recvfrom" { print $4 }' trace)
	sends=$(awk '$NF == "sendto" { print $4 }' trace)
	echo "$recvs receives, $sends sends"
	# 500 echoes, and the further requests of redis-benchmark and of the
	# churn.
	[ "$sends" -ge 501 ] && [ "$sends" -le 510 ]
	[ "$recvs" -ge 501 ] && [ "$recvs" -le 515 ]
}

@test "an idle server does not wake up" {
	start workers=2
	$CLIENT hold 5 ready &
	PIDS+=($!)
	wait_for 30 test -f ready
	titles_settled() { ps -o args= --ppid "$SERVER" | grep -qE '\[[1-5] conn'; }
	wait_for 30 titles_settled
	switches() { { echo "$SERVER"; workers; } | sed 's|.*|/proc/&/status|' |
		xargs awk '/ctxt_switches/ { n += $2 } END { print n }'; }
	# The worker is idle: two looks some time apart see the same count.
	quiet() { local a; a=$(switches); sleep 0.7; [ "$a" = "$(switches)" ]; }
	wait_for 30 quiet
}

@test "tcp-keepalive and TCP_NODELAY reach the clients' sockets" {
	start tcp-keepalive=300
	exec 5<>"/dev/tcp/$HOST/$PORT"
	keepalive() { ss -Htno state established "sport = :$PORT" | grep -q 'timer:(keepalive,[45]min'; }
	wait_for 30 keepalive
	exec 5>&-
}

@test "tcp-keepalive 0 sets no timer" {
	start tcp-keepalive=0
	exec 5<>"/dev/tcp/$HOST/$PORT"
	there() { ss -Htno state established "sport = :$PORT" | grep -q .; }
	wait_for 30 there
	timers() { ss -Htno state established "sport = :$PORT" | grep keepalive; }
	not timers
	exec 5>&-
}

@test "a client that is gone with an echo under way is given up as a silent one is" {
	# Keepalive finds silent clients only.  Formerly this client stayed for
	# a quarter of an hour.
	start tcp-keepalive=1 loglevel=verbose
	for pid in $(workers); do kill -STOP "$pid"; done
	client deaf ready
	wait_for 30 test -f ready
	for pid in $(workers); do kill -CONT "$pid"; done
	wait_for 50 logged 'closed: client reset: Connection timed out'
	kill "$CLIENT_PID"	# which hears that, and ends the client with it
}

@test "a client that does not read is not given up, however long that takes" {
	start tcp-keepalive=1 loglevel=verbose
	client unread 300 ready
	wait_for 30 test -f ready
	# The fifth probe of its window comes after six seconds, three times
	# the limit.
	probed() { ss -Htnoi state established "sport = :$PORT" | grep -q 'backoff:[5-9]'; }
	wait_for 50 probed
	not logged closed
	touch go
	client_is_happy
}

@test "urgent data comes back in its place" {
	# The kernel counts an urgent byte as received, but recv(2) skipped
	# it.  Formerly a recovery by the counts of the kernel found one byte
	# too many.
	start
	$CLIENT urgent
}

@test "who has spoken is not closed as idle by a worker that is late" {
	# Formerly a delayed worker looked for idle clients before it had read,
	# and reset clients whose lines lay in the socket.
	start workers=1 timeout=2 watchdog-timeout=0
	timeout 40 $CLIENT late 200 >client.out 2>&1 3>&- &
	client=$!
	PIDS+=("$client")
	wait_for 20 test -f idle
	worker=$(workers)
	kill -STOP "$worker"
	touch stopped
	wait_for 30 test -f sent
	began=$(date +%s%N)
	overdue() { [ $(($(date +%s%N) - began)) -gt 3000000000 ]; }
	wait_for 30 overdue
	kill -CONT "$worker"
	wait "$client" || { cat client.out; return 1; }
}

@test "a terminal that nobody reads does not stop the service" {
	# write(2) to a full terminal blocks although poll(2) says POLLOUT.
	cat >terminal.py <<-'EOF'
	import os, pty, subprocess, sys
	master, slave = pty.openpty()
	p = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave)
	print(p.pid, flush=True)
	sys.exit(p.wait())
	EOF
	python3 terminal.py "$ECHOD" -o "port=$PORT" -o "bind=$HOST" \
		-o loglevel=verbose >pid 3>&- &
	terminal=$!
	PIDS+=("$terminal")
	wait_for 30 test -s pid
	SERVER=$(cat pid)
	PIDS+=("$SERVER")
	wait_for 30 echoes
	timeout 60 $CLIENT churn 1000
	kill -TERM "$SERVER"
	STATUS=0
	wait "$terminal" || STATUS=$?
	[ "$STATUS" -eq 0 ]
}

@test "a silent connection keeps no window" {
	# A line that waits takes pages.  After its echo, a silent client takes
	# none.
	start workers=1
	echoes
	before=$(memfd_blocks)
	timeout 60 $CLIENT silent_windows 100 >client.out 2>&1 3>&- &
	client=$!
	PIDS+=("$client")
	wait_for 30 test -f idle
	# 100 windows of 8 KB would be 1,600 blocks; all clients are still
	# connected.
	given_back() { [ "$(memfd_blocks)" -lt $((before + 300)) ]; }
	wait_for 30 given_back
	touch go
	wait "$client" || { cat client.out; return 1; }
}
