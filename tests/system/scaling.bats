#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Several instances behind the real HAProxy, with the configuration of
# etc/haproxy.cfg.

load ../lib/common

setup() {
	DIR=$BATS_TEST_TMPDIR
	cd "$DIR" || return 1
	export HOST=127.0.0.1
	command -v haproxy >/dev/null || skip "haproxy is not installed"
}

# instance N: start instance N on its port.
instance() {
	mkdir -p "$DIR/$1"
	export PORT=${PORTS[$1]}
	DIR=$DIR/$1 start proxy-protocol=on proxy-trusted=127.0.0.1 \
		shutdown-delay=1 workers=2 loglevel=verbose
	SERVERS[$1]=$SERVER
}

# admin COMMAND: give a command on the socket of HAProxy.
admin() {
	echo "$*" | nc.openbsd -U -N "$DIR/admin"
}

# state N STATE: HAProxy reports this state of instance N.
state() {
	admin 'show stat' | awk -F, -v n="echod$1" -v s="$2" \
		'$1 == "echod" && $2 == n { found = index($18, s) == 1 }
		END { exit !found }'
}

sessions() {
	admin 'show stat' | awk -F, -v n="echod$1" \
		'$1 == "echod" && $2 == n { print $5 }'
}

no_sessions() {
	[ "$(sessions "$1")" -eq 0 ]
}

balance() {
	FRONT=$(free_port)
	sed -e "s|bind :6379|bind $HOST:$FRONT|" \
	    -e "s|maxconn 50000|maxconn 5000\n    stats socket $DIR/admin level admin|" \
	    -e "s|192.0.2.11:6379|$HOST:${PORTS[1]}|" \
	    -e "s|192.0.2.12:6379|$HOST:${PORTS[2]}|" \
	    -e "s|192.0.2.13:6379|$HOST:${PORTS[3]}|" \
	    -e 's|inter 1s|inter 100ms|' \
	    -e 's|timeout connect 5s|&\n    timeout check 10s|' \
		"$TOP_SRCDIR/etc/haproxy.cfg" >haproxy.cfg
	haproxy -c -f haproxy.cfg
	haproxy -db -f haproxy.cfg >haproxy.log 2>&1 3>&- &
	PIDS+=("$!")
	for n in 1 2 3; do
		wait_for 10 state "$n" UP
	done
}

@test "three instances behind HAProxy restart one after the other: no client error" {
	PORTS=(0 "$(free_port)" "$(free_port)" "$(free_port)")
	SERVERS=()
	for n in 1 2 3; do instance "$n"; done
	balance
	# Clients connect and leave.  A client that stays ends with its
	# instance.
	"$LOAD" -p "$FRONT" -t 60 -f loaded -e enough churn:30 >figures 2>&1 3>&- &
	local load=$!
	PIDS+=("$load")
	wait_for 10 test -f loaded
	for n in 1 2 3; do
		# Every instance has its share.
		wait_for 10 grep -q 'closed: client EOF' "$n/log"
		admin "set server echod/echod$n state drain"
		wait_for 10 no_sessions "$n"
		kill -TERM "${SERVERS[$n]}"
		local status=0
		wait "${SERVERS[$n]}" || status=$?
		[ "$status" -eq 0 ]
		grep -q ' 0 cut, 0 bytes unsent' "$n/log"
		: >"$n/log"
		instance "$n"
		admin "set server echod/echod$n state ready"
		wait_for 10 state "$n" UP
	done
	touch enough
	wait "$load" || {
		cat figures
		return 1
	}
	grep -q 'lost=0 wrong=0 refused=0 stalled=0' figures
	cat figures
}

@test "an instance that dies: HAProxy notices, clients that connect are served" {
	PORTS=(0 "$(free_port)" "$(free_port)" "$(free_port)")
	SERVERS=()
	for n in 1 2 3; do instance "$n"; done
	balance
	local pids
	pids=$(workers "${SERVERS[2]}")
	behead "${SERVERS[2]}"
	# shellcheck disable=SC2086 # a list of pids
	kill -KILL $pids
	wait_for 10 state 2 DOWN
	for _ in {1..9}; do
		[ "$(printf 'ping\n' | nc.openbsd -w 5 "$HOST" "$FRONT" | head -n 1)" = ping ]
	done
	instance 2
	wait_for 10 state 2 UP
}

# Formerly the check of HAProxy, with a plain "option httpchk", was answered
# 405.
@test "HAProxy's httpchk, as it is and for /healthz: up, down while draining" {
	PORTS=(0 "$(free_port)" "$(free_port)" "$(free_port)")
	local n front metrics
	metrics=$(free_port)
	front=$(free_port)
	export PORT=${PORTS[1]}
	"$ECHOD" -t -o "metrics-port=$metrics" >test.out 2>&1 ||
		! grep -q 'built without' test.out || skip "built without libmicrohttpd"
	start "metrics-port=$metrics" "control-socket=$DIR/control"
	cat >haproxy.cfg <<-END
	global
	    stats socket $DIR/admin level admin
	defaults
	    mode tcp
	    timeout connect 5s
	    timeout client 1m
	    timeout server 1m
	    timeout check 10s
	    default-server check port $metrics inter 100ms fall 1 rise 1
	frontend echo
	    bind $HOST:$front
	    default_backend plain
	backend plain
	    option httpchk
	    server echod1 $HOST:$PORT
	backend health
	    option httpchk GET /healthz
	    server echod1 $HOST:$PORT
	backend head
	    option httpchk HEAD /healthz HTTP/1.1\r\nHost:\ echod
	    server echod1 $HOST:$PORT
	END
	haproxy -db -f haproxy.cfg >haproxy.log 2>&1 3>&- &
	PIDS+=("$!")
	for n in plain health head; do
		wait_for 10 checked "$n" UP
	done
	echoes "$front"
	"$ECHOCTL" -s control drain
	for n in plain health head; do
		wait_for 10 checked "$n" DOWN
	done
	"$ECHOCTL" -s control drain off
	for n in plain health head; do
		wait_for 10 checked "$n" UP
	done
}

# checked BACKEND STATE: HAProxy reports this state of the service.
checked() {
	admin 'show stat' | awk -F, -v b="$1" -v s="$2" \
		'$1 == b && $2 == "echod1" { found = index($18, s) == 1 &&
			$37 != "INI" && $37 != "" } END { exit !found }'
}
