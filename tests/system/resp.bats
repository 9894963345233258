#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The module resp: its replies beside those of redis-server, and real clients of
# Redis, also while workers die all the time.

load ../lib/common

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

cli() {
	redis-cli -h "$HOST" -p "$PORT" "$@"
}

answers() {
	[ "$(redis-cli -h "$HOST" -p "$1" PING)" = PONG ]
}

# Kill a worker ten times a second, 20 times, and reload once; then ./enough is
# there.
kill_workers() {
	local n=0 pid
	rm -f enough
	while [ "$n" -lt 20 ]; do
		[ "$n" -ne 10 ] || kill -USR2 "$SERVER"
		pid=$(workers | shuf -n 1)
		[ -z "$pid" ] || ! kill -KILL "$pid" || n=$((n + 1))
		sleep 0.1
	done
	touch enough
}

# A reload may not tell of a worker that died meanwhile.
many_died() {
	[ "$(grep -c 'killed by SIGKILL' "$DIR/log")" -ge 15 ]
}

# while_killed COMMAND...: the command succeeds as long as workers are killed,
# again and again if it ends before.
while_killed() {
	kill_workers >/dev/null 2>&1 3>&- &
	local killer=$!
	PIDS+=("$killer")
	wait_for 5 logged SIGKILL
	until [ -e enough ]; do
		"$@" || return 1
	done
	wait "$killer"
	wait_for 5 many_died
	wait_for 20 logged 'reloaded: '
}

# A python with the library, which is not always the first one.
python_with_redis() {
	for PYTHON in python3 /usr/bin/python3; do
		! "$PYTHON" -c 'import redis' 2>/dev/null || return 0
	done
	skip "python3-redis is not installed"
}

@test "replies are those of redis-server, byte for byte" {
	need redis-server
	local redis
	redis=$(free_port)
	redis-server --port "$redis" --bind 127.0.0.1 --save '' \
		--appendonly no --dir "$DIR" >redis.log 2>&1 3>&- &
	PIDS+=("$!")
	wait_for 10 answers "$redis"
	case $(redis-cli -p "$redis" INFO server) in
	*redis_version:7.0.*) ;;
	*) skip "redis-server is not of version 7.0, and its errors differ" ;;
	esac
	start handler=resp
	timeout 120 python3 "$TOP_SRCDIR/tests/lib/resp.py" compare "$PORT" "$redis"
}

@test "redis-cli, also in RESP3 and with a pipe" {
	need redis-cli
	start handler=resp
	[ "$(cli PING)" = PONG ]
	[ "$(cli ECHO 'two words')" = 'two words' ]
	[ "$(cli -n 3 CLIENT LIST | grep -c 'db=3 ')" -eq 1 ]
	[[ $(cli get key) == "ERR unknown command 'get', with args beginning with: 'key' " ]]
	[[ $(cli -3 --json HELLO 3) == *'"proto":3,'* ]]
	[[ $(cli -3 --json COMMAND DOCS ping) == *'"since":"1.0.0"'* ]]
	yes PING | head -n 20000 | cli --pipe >piped
	grep -qx 'errors: 0, replies: 20000' piped
	head -c 300000 /dev/urandom | base64 -w 0 >long
	cli -x ECHO <long | tr -d '\n' | cmp - long
}

@test "redis-cli measures the latency" {
	need redis-cli
	start handler=resp
	# It has no end of its own.
	timeout -s INT 60 redis-cli -h "$HOST" -p "$PORT" --latency >latency 2>&1 3>&- &
	PIDS+=("$!")
	wait_for 10 grep -qa '^[0-9]* [0-9]* [0-9.]* [1-9][0-9]' latency
}

@test "redis-cli in a terminal" {
	need redis-cli
	start handler=resp
	timeout 120 python3 "$TOP_SRCDIR/tests/lib/resp.py" terminal "$PORT" \
		"$DIR/history"
}

@test "redis-benchmark: inline, arrays, 16 at a time" {
	need redis-benchmark
	start handler=resp
	local p
	for p in 1 16; do
		redis-benchmark -h "$HOST" -p "$PORT" -n 20000 -P "$p" \
			-t ping_inline,ping_mbulk --csv >figures 2>err
		cat figures err
		[ "$(grep -c '^"PING_' figures)" -eq 2 ]
		not grep -i error figures err
	done
}

# state STATE: HAProxy reports this state of the server.
state() {
	echo 'show stat' | nc.openbsd -U -N "$DIR/admin" |
		grep -q "^redis,echod,.*,$1,"
}

@test "HAProxy, option redis-check: up, up while workers die, down" {
	need haproxy
	start handler=resp workers=2
	cat >haproxy.cfg <<-END
	global
	    stats socket $DIR/admin level admin
	defaults
	    mode tcp
	    timeout connect 5s
	    timeout client 1m
	    timeout server 1m
	    timeout check 10s
	listen redis
	    bind $HOST:$(free_port)
	    option redis-check
	    server echod $HOST:$PORT check inter 50ms fall 1 rise 1
	END
	haproxy -db -f haproxy.cfg >haproxy.log 2>&1 3>&- &
	PIDS+=("$!")
	wait_for 10 state UP
	while_killed state UP
	not grep 'is DOWN' haproxy.log
	stop
	wait_for 10 state DOWN
	grep -q 'redis/echod is DOWN' haproxy.log
}

@test "python3-redis: no error while workers die" {
	python_with_redis
	start handler=resp workers=2
	while_killed timeout 120 "$PYTHON" "$TOP_SRCDIR/tests/lib/resp.py" library "$PORT" enough
}

@test "hiredis: no error while workers die" {
	need pkg-config
	pkg-config --exists hiredis || skip "libhiredis-dev is not installed"
	# shellcheck disable=SC2046 # a list of options
	cc -Wall -Wextra -Werror -o client "$TOP_SRCDIR/tests/programs/hiredis.c" \
		$(pkg-config --cflags --libs hiredis)
	start handler=resp workers=2
	while_killed timeout 120 ./client "$PORT" enough
}

@test "messages of any size, in pieces: no byte is lost while workers die" {
	start handler=resp workers=2
	while_killed timeout 120 python3 "$TOP_SRCDIR/tests/lib/resp.py" echo "$PORT" enough
}

pipes() {
	yes PING | head -n 20000 |
		timeout 120 redis-cli -h "$HOST" -p "$PORT" --pipe >piped 2>&1
	grep -qx 'errors: 0, replies: 20000' piped || {
		cat piped
		return 1
	}
}

benchmark() {
	timeout 120 redis-benchmark -h "$HOST" -p "$PORT" -c 10 -n 20000 -P 16 \
		-t ping_inline,ping_mbulk --csv >figures 2>err &&
		[ "$(grep -c '^"PING_' figures)" -eq 2 ] &&
		! grep -i error figures err
}

@test "redis-cli --pipe and redis-benchmark: no error while workers die" {
	need redis-cli
	need redis-benchmark
	start handler=resp workers=2
	while_killed pipes
	: >log
	while_killed benchmark
}
