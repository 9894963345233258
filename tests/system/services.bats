#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Several services in one daemon: each on its own addresses, with its own
# handler and limits, and what a reload makes of sections that come, change and
# go.

load ../lib/common
load ../lib/reload

BUILD=${TOP_BUILDDIR:-$TOP_SRCDIR/build}

# sections LINE...: write ./echod.conf with what all services share, and these
# lines below it.
sections() {
	printf '%s\n' "bind = $HOST" 'pidfile = pid' 'workers = 2' "$@" \
		>echod.conf.new
	mv echod.conf.new echod.conf
}

# Ports of the services: $PORT, and these.
ports() {
	RAW=$(free_port)
	DISCARD=$(free_port)
	MORE=$(free_port)
}

three() {
	sections '[service echo]' "port = $PORT" \
		'[service raw]' "port = $RAW" 'handler = raw' \
		'[service discard]' "port = $DISCARD" 'handler = discard' "$@"
}

# answers PORT TEXT ANSWER: what comes back for a text and a FIN.
answers() {
	[ "$(printf "$2" | nc.openbsd -N -w 5 "$HOST" "$1")" = "$(printf "$3")" ]
}

backlog() {
	ss -Htln "sport = :$1" | awk '{ print $3 }'
}

# The connections $1 and $2 echo lines and bytes.
talk() {
	local answer
	echo line >&"$1"
	read -r -t 60 answer <&"$1"
	[ "$answer" = line ]
	printf bytes >&"$2"
	read -r -t 60 -N 5 answer <&"$2"
	[ "$answer" = bytes ]
}

# bats test_tags=quick
@test "each service answers in its own way, with settings of its own" {
	ports
	three 'tcp-backlog = 33' 'deny = 127.0.0.2' 'tcp-keepalive = 99'
	serve
	answers "$PORT" 'one\ntwo' 'one\ntwo'
	answers "$RAW" 'one\ntwo' 'one\ntwo'
	answers "$DISCARD" 'one\ntwo' ''
	[ "$(backlog "$PORT")" -eq 511 ]
	[ "$(backlog "$DISCARD")" -eq 33 ]
	# A line is held until its newline is there, raw bytes are not.
	exec 5<>"/dev/tcp/$HOST/$PORT" 6<>"/dev/tcp/$HOST/$RAW"
	talk 5 6
	# The list is that of one service.
	[ "$(printf 'hi\n' | nc.openbsd -N -w 5 -s 127.0.0.2 "$HOST" "$PORT")" = hi ]
	nc.openbsd -N -w 5 -s 127.0.0.2 "$HOST" "$DISCARD" </dev/null || true
	wait_for 10 logged '127.0.0.2:.* refused: its address is not allowed'
}

@test "the log and the title name services" {
	ports
	three
	serve
	logged " echod [^ ]+, 2 workers, 3 services, "
	logged " ready on $HOST:$PORT \(echo\) $HOST:$RAW \(raw\) $HOST:$DISCARD \(discard\) "
	tr '\0' ' ' <"/proc/$SERVER/cmdline" | grep -F "$HOST:$RAW (raw)"
	stop
	[ "$STATUS" -eq 0 ]
	# The only service has no name there.
	conf
	serve
	logged " ready on $HOST:$PORT after "
	logged ', handler echo, '
}

@test "a reload adds and changes services, and keeps connections" {
	ports
	three
	serve
	exec 5<>"/dev/tcp/$HOST/$PORT" 6<>"/dev/tcp/$HOST/$RAW"
	talk 5 6
	sections 'timeout = 500' '[service new]' "port = $RAW" 'handler = discard' \
		'[service raw]' "port = $MORE" 'tcp-backlog = 44' \
		'handler = raw' '[service echo]' "port = $PORT" \
		'[service discard]' "port = $DISCARD" 'handler = discard'
	reloaded
	[[ $OUTCOME == *', 2 connections kept,'* ]]
	told timeout 0 500
	told 'service raw: port' "$RAW" "$MORE"
	told 'service raw: tcp-backlog' 511 44
	told 'service new' '(none)' "port $RAW, handler discard"
	talk 5 6
	[ "$(backlog "$MORE")" -eq 44 ]
	answers "$MORE" 'one\ntwo' 'one\ntwo'
	answers "$RAW" 'one\ntwo' ''
	answers "$PORT" 'one\n' 'one\n'
	# And again, with other numbers of services and listeners.
	three
	reloaded
	told 'service new' "port $RAW, handler discard" '(none)'
	talk 5 6
	answers "$RAW" 'one\ntwo' 'one\ntwo'
	wait_for 20 refused "$HOST" "$MORE"
	logged " $HOST:$MORE \(raw\) is listened on no longer"
}

@test "a removed service is listened on no longer; the others keep their clients" {
	ports
	three
	serve
	exec 5<>"/dev/tcp/$HOST/$PORT" 6<>"/dev/tcp/$HOST/$RAW"
	talk 5 6
	sections '[service raw]' "port = $RAW" 'handler = raw' \
		'[service echo]' "port = $PORT"
	reloaded
	told 'service discard' "port $DISCARD, handler discard" '(none)'
	wait_for 20 refused "$HOST" "$DISCARD"
	talk 5 6
	answers "$RAW" 'one' 'one'
	logged " $HOST:$DISCARD \(discard\) is listened on no longer"
}

@test "two services exchange their ports" {
	ports
	three
	serve
	exec 5<>"/dev/tcp/$HOST/$PORT" 6<>"/dev/tcp/$HOST/$RAW"
	talk 5 6
	sections '[service echo]' "port = $RAW" \
		'[service raw]' "port = $PORT" 'handler = raw' \
		'[service discard]' "port = $DISCARD" 'handler = discard'
	reloaded
	talk 5 6
	# New clients get the other handler.
	exec 7<>"/dev/tcp/$HOST/$RAW" 8<>"/dev/tcp/$HOST/$PORT"
	talk 7 8
	# The listeners are the same.
	not logged 'is listened on no longer'
}

@test "a mistake in a section changes nothing" {
	ports
	three
	serve
	exec 5<>"/dev/tcp/$HOST/$PORT" 6<>"/dev/tcp/$HOST/$RAW"
	talk 5 6
	state >before
	three '[service late]' "port = $RAW"
	ask
	[[ $OUTCOME == "reload refused: echod.conf:13: service late: $HOST port $RAW is that of another service: echod.conf:7: service raw, which has $HOST; nothing has changed" ]]
	three '[service RAW]'
	ask
	[[ $OUTCOME == "reload refused: echod.conf:12: service raw is there already, from echod.conf:6; nothing has changed" ]]
	sections 'port = 1x' '[service echo]' "port = $PORT"
	ask
	[[ $OUTCOME == 'reload refused: echod.conf:4: port: '* ]]
	wait_for 10 same_state
	talk 5 6
}

@test "a port that another process has is named with its service" {
	ports
	three
	python3 -c "import socket, time; s = socket.socket()
s.bind(('$HOST', $RAW)); s.listen(); time.sleep(600)" 3>&- 4>&- &
	PIDS+=($!)
	wait_for 10 listening "$RAW"
	run "$ECHOD" -c echod.conf
	[ "$status" -eq 1 ]
	[[ $output == *"service raw: bind $HOST:$RAW: Address already in use"* ]]
	not listening "$PORT"
}

@test "passed sockets go to the services that have their addresses" {
	ports
	three
	rm -f child
	python3 "$TOP_SRCDIR/tests/lib/passed.py" 1 "$HOST@$RAW" "$HOST@$PORT" \
		-- "$ECHOD" -c echod.conf >log 2>err 3>&- 4>&- &
	PIDS+=($!)
	wait_for 10 eval '[ -s child ] && grep -q " ready on " log'
	SERVER=$(cat child)
	PIDS+=("$SERVER")
	answers "$PORT" 'one\n' 'one\n'
	exec 6<>"/dev/tcp/$HOST/$RAW" 5<>"/dev/tcp/$HOST/$PORT"
	talk 5 6
	not logged 'warning: LISTEN_FDS'
}

@test "sixteen services, each with two addresses" {
	local s lines=() free
	for s in {1..16}; do
		free=$(free_port)
		lines+=("[service s$s]" "port = $free")
		last=$free
	done
	sections "${lines[@]}"
	sed -i "s/^bind = .*/& 127.0.0.3/" echod.conf
	serve
	answers "$last" 'one\n' 'one\n'
	HOST=127.0.0.3 answers "$last" 'one\n' 'one\n'
	[ "$(ss -Htlnp | grep -cF "pid=$SERVER,")" -eq 32 ]
	reloaded
	HOST=127.0.0.3 answers "$last" 'one\n' 'one\n'
	stop
	[ "$STATUS" -eq 0 ]
}

# at SERVICE: the port that ./inetd.conf has for this service.
at() {
	sed -n "/^\[service $1\]/,/^port/s/^port = //p" inetd.conf
}

# etc/inetd-services.conf with ports of this test and the modules of the tree,
# as ./inetd.conf.
inetd_conf() {
	local port
	[ -e "$BUILD/modules/daytime.so" ] || skip "the modules are not built"
	sed -E "s#^(handler = )(daytime|chargen|time)\$#\1$BUILD/modules/\2.so#" \
		"$TOP_SRCDIR/etc/inetd-services.conf" >inetd.conf
	grep -E '^port' inetd.conf | tr '\n' ' ' |
		grep -x 'port = 7 port = 9 port = 13 port = 19 port = 37 '
	for port in 7 9 13 19 37; do
		sed -i "s/^port = $port\$/port = $(free_port)/" inetd.conf
	done
}

@test "the services of inetd, as etc/inetd-services.conf has them" {
	inetd_conf
	start_raw -c inetd.conf -o workers=2
	answers "$(at echo)" 'one\ntwo' 'one\ntwo'
	answers "$(at discard)" 'one\ntwo' ''
	nc.openbsd -w 5 -d "$HOST" "$(at daytime)" | grep -E '[0-9]:[0-9]{2}:[0-9]{2}'
	[ "$(nc.openbsd -w 5 -d "$HOST" "$(at time)" | wc -c)" -eq 4 ]
	nc.openbsd -w 5 -d "$HOST" "$(at chargen)" | head -n 2000 | tail -n 1 |
		grep -E '^.{72}'
	stop
	[ "$STATUS" -eq 0 ]
}

# xinetd_conf SERVICE PORT...: its internal services, on other ports.
xinetd_conf() {
	printf 'defaults\n{\n}\n'
	while [ $# -gt 0 ]; do
		printf 'service %s\n{\n' "$1"
		printf '\t%s\n' 'type = INTERNAL UNLISTED' "id = $1-stream" \
			'socket_type = stream' 'protocol = tcp' 'wait = no' \
			'user = root' "port = $2" "bind = $HOST" 'disable = no'
		echo '}'
		shift 2
	done
}

# moment TEXT: a date of daytime as seconds.
moment() {
	date -u -d "$(tr -d '\r,' <<<"$1" | sed 's/-UTC/ UTC/')" +%s
}

# The answers of daytime differ in their format, which RFC 867 leaves open.
@test "the services of inetd answer as xinetd's do" {
	local xinetd s all=()
	local -A theirs=()
	xinetd=$(PATH=$PATH:/usr/sbin command -v xinetd) ||
		skip "xinetd is not installed"
	[ "$(id -u)" -eq 0 ] || skip "xinetd takes root"
	inetd_conf
	start_raw -c inetd.conf -o workers=2
	for s in echo discard daytime chargen time; do
		theirs[$s]=$(free_port)
		all+=("$s" "${theirs[$s]}")
	done
	xinetd_conf "${all[@]}" >xinetd.conf
	"$xinetd" -dontfork -f xinetd.conf -filelog xinetd.log \
		-pidfile xinetd.pid >/dev/null 2>&1 3>&- &
	PIDS+=($!)
	wait_for 10 nc.openbsd -z "$HOST" "${theirs[time]}"

	for s in "$(at echo)" "${theirs[echo]}"; do
		answers "$s" 'one\ntwo' 'one\ntwo'
	done
	for s in "$(at discard)" "${theirs[discard]}"; do
		answers "$s" 'one\ntwo' ''
	done
	nc.openbsd -w 5 -d "$HOST" "$(at chargen)" | head -n 300 >ours
	nc.openbsd -w 5 -d "$HOST" "${theirs[chargen]}" | head -n 300 >theirs
	# xinetd's ring has neither blank nor tilde; RFC 864 has all 95.
	[ "$(tr -d '\r' <ours | awk '{ print length($0) }' | sort -u)" = \
		"$(tr -d '\r' <theirs | awk '{ print length($0) }' | sort -u)" ]
	grep -qxF "$(sed -n 1p theirs)" ours
	local our their
	our=$(moment "$(nc.openbsd -w 5 -d "$HOST" "$(at daytime)")")
	their=$(moment "$(nc.openbsd -w 5 -d "$HOST" "${theirs[daytime]}")")
	[ $((their - our)) -le 10 ]
	[ $((our - their)) -le 1 ]
	our=$(nc.openbsd -w 5 -d "$HOST" "$(at time)" | xxd -p)
	their=$(nc.openbsd -w 5 -d "$HOST" "${theirs[time]}" | xxd -p)
	[ $((0x$their - 0x$our)) -le 10 ]
	[ $((0x$our - 0x$their)) -le 1 ]
	stop
}

# The service called "default" goes, and a service comes: the port stays.
@test "a file gets sections, and loses them again" {
	conf
	serve
	exec 5<>"/dev/tcp/$HOST/$PORT"
	echo one >&5
	read -r -t 60 answer <&5
	[ "$answer" = one ]
	sections '[service web]' "port = $PORT"
	reloaded
	told 'service default' "port $PORT, handler echo" '(none)'
	told 'service web' '(none)' "port $PORT, handler echo"
	not logged 'is listened on no longer'
	answers "$PORT" 'one\n' 'one\n'
	# Its client is drained: it gets an end.
	not read -r -t 60 answer <&5
	conf
	reloaded
	told 'service web' "port $PORT, handler echo" '(none)'
	echoes
	stop
	[ "$STATUS" -eq 0 ]
}

# silent: both connections have been silent for some time.
silent() {
	"$ECHOCTL" -c echod.conf connections --json >out
	[ "$(grep -cE '"idle":(0\.[0-9]*[1-9]|[1-9])' out)" -eq 2 ]
}

# Formerly the kernel was asked about one port only.
@test "how long a client is silent is known in each service" {
	ports
	three
	sed -i "1i control-socket = $DIR/ctl" echod.conf
	serve
	exec 5<>"/dev/tcp/$HOST/$PORT" 6<>"/dev/tcp/$HOST/$RAW"
	talk 5 6
	wait_for 10 silent
}
