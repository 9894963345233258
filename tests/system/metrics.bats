#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Metrics, health and the status page over HTTP. The numbers are right, even
# when workers die.

load ../lib/common

PAGE="timeout 60 python3 $TOP_SRCDIR/tests/lib/page.py"
HTTP="timeout 200 python3 $TOP_SRCDIR/tests/lib/http.py"

# Start a server with metrics on $METRICS.
begin() {
	command -v curl >/dev/null || skip "curl is not installed"
	METRICS=$(free_port)
	"$ECHOD" -t -o "port=$PORT" -o "metrics-port=$METRICS" >test.out 2>&1 ||
		! grep -q 'built without' test.out || skip "built without libmicrohttpd"
	start "metrics-port=$METRICS" "control-socket=$DIR/control" "$@"
}

get() {
	curl -sS --max-time 20 "$@"
}

scrape() {
	get "http://127.0.0.1:$METRICS/metrics"
}

# metric NAME: print its value.
metric() {
	scrape | awk -v n="echod_$1" '$1 == n { print $2 }'
}

is() {
	[ "$(metric "$1")" = "$2" ]
}

# Print the HTTP status of a path.
code() {
	get -o /dev/null -w '%{http_code}' "$@"
}

healthz() {
	[ "$(code "http://127.0.0.1:$METRICS/healthz")" = "$1" ]
}

@test "promtool finds nothing to complain of" {
	command -v promtool >/dev/null || skip "promtool (package prometheus) is not installed"
	begin
	echoes
	scrape >metrics
	cat metrics
	promtool check metrics <metrics
}

# bats test_tags=quick
@test "what is counted is right" {
	begin workers=2
	local i
	for i in 1 2 3; do
		echoes
	done
	exec 5<>"/dev/tcp/$HOST/$PORT"
	echo hello >&5
	[ "$(timeout 60 head -n 1 <&5)" = hello ]
	wait_for 5 is 'connections_closed_total{reason="client_eof"}' 3
	is connections 1
	is connections_accepted_total 4
	is received_bytes_total 21
	is sent_bytes_total 21
	is echoes_total 4
	is max_connections 10000
	is workers 2
	is 'worker_ready{worker="1"}' 1
	is "listener_queue{listener=\"$HOST:$PORT\"}" 0
	is "listener_queue_limit{listener=\"$HOST:$PORT\"}" 511
	is reloads_total 0
	scrape | grep -qE '^echod_build_info\{version="[0-9.]+"\} 1$'
	# The control socket has the same.
	diff <(scrape | grep -v time_seconds) \
		<("$ECHOCTL" -s control metrics | grep -v time_seconds)
}

# sum NAME: the sum of a metric over its labels.
sum() {
	awk -v n="echod_$1{" 'index($1, n) == 1 { s += $2 } END { print s + 0 }' metrics
}

@test "services are told apart by a label; what all have is their sum" {
	command -v curl >/dev/null || skip "curl is not installed"
	METRICS=$(free_port)
	local raw name
	raw=$(free_port)
	cat >conf <<-END
	metrics-port = $METRICS
	control-socket = $DIR/control
	bind = $HOST
	[service lines]
	port = $PORT
	[service bytes]
	port = $raw
	handler = raw
	END
	start_raw -c conf
	exec 5<>"/dev/tcp/$HOST/$raw"
	printf 12345 >&5
	[ "$(timeout 60 head -c 5 <&5)" = 12345 ]
	echoes
	echoes
	wait_for 5 is 'connections_closed_total{reason="client_eof"}' 2
	is 'service_connections{service="bytes"}' 1
	is 'service_connections{service="lines"}' 0
	is 'service_connections_accepted_total{service="lines"}' 2
	is 'service_echoes_total{service="bytes"}' 1
	is 'service_received_bytes_total{service="lines"}' 10
	is 'service_sent_bytes_total{service="bytes"}' 5
	is 'service_connections_closed_total{service="lines",reason="client_eof"}' 2
	is 'service_connections_closed_total{service="bytes",reason="client_eof"}' 0
	scrape >metrics
	grep -qE '^echod_service_info\{service="bytes",handler="raw",version="[0-9.]+",module=""\} 1$' metrics
	for name in connections connections_accepted_total echoes_total \
	    received_bytes_total sent_bytes_total; do
		echo "$name"
		[ "$(sum "service_$name")" = "$(metric "$name")" ]
	done
	[ "$(sum service_connections_closed_total)" = "$(sum connections_closed_total)" ]
	! command -v promtool >/dev/null || promtool check metrics <metrics
	get "http://127.0.0.1:$METRICS/" >page.html
	get "http://127.0.0.1:$METRICS/status.json" >status.json
	$PAGE compare status.json <page.html
	grep -q '<th scope="row" data-key="service">bytes</th>' page.html
}

@test "the accept queue is seen when nobody accepts" {
	begin workers=1
	kill -STOP "$(workers)"
	client queued 3 file go
	wait_for 10 is "listener_queue{listener=\"$HOST:$PORT\"}" 3
	kill -CONT "$(workers)"
	wait_for 10 is "listener_queue{listener=\"$HOST:$PORT\"}" 0
	touch go
}

@test "refused clients are counted" {
	begin maxclients=1
	exec 5<>"/dev/tcp/$HOST/$PORT"
	wait_for 5 is connections 1
	not echoes
	wait_for 5 is connections_refused_total 1
}

@test "scraped while workers are killed: answers, and every death is counted" {
	begin workers=4
	client stay 40 file go
	wait_for 10 is connections 40
	local i pid
	for i in 1 2 3 4 5 6 7 8 9 10; do
		pid=$(workers | head -n 1)
		kill -KILL "$pid"
		scrape >metrics
		grep -q '^echod_connections ' metrics
		wait_for 5 gone "$pid"
		wait_for 5 workers_are 4
	done
	wait_for 5 is 'worker_deaths_total{signal="SIGKILL"}' 10
	wait_for 5 is connections 40
	[ "$(metric recoveries_total)" -ge 9 ]
	[ "$(metric 'connections_saved_total{from="death"}')" -ge 90 ]
	touch go
	client_is_happy
}

# bats test_tags=quick
@test "a reload keeps the numbers and is one of them" {
	begin
	exec 5<>"/dev/tcp/$HOST/$PORT"
	echo hello >&5
	read -r -t 60 -u 5 line
	[ "$line" = hello ]
	"$ECHOCTL" -s control reload
	wait_for 5 healthz 200
	is reloads_total 1
	is echoes_total 1
	is 'connections_saved_total{from="reload"}' 1
	[[ $(metric last_reload_pause_seconds) =~ ^0\.[0-9]{3}$ ]]
}

@test "healthz: 200, 503 while draining, 503 while stopping" {
	begin shutdown-delay=3
	healthz 200
	"$ECHOCTL" -s control drain
	healthz 503
	echoes
	"$ECHOCTL" -s control drain off
	healthz 200
	kill -TERM "$SERVER"
	wait_for 5 healthz 503
	echoes
	kill -TERM "$SERVER"
	finish
	[ "$STATUS" -eq 0 ]
}

# method REQUEST: print the first line of the answer, and Allow if there is
# one.
method() {
	printf '%s\r\n\r\n' "$1" | timeout 60 nc.openbsd -w 20 127.0.0.1 "$METRICS" |
		tr -d '\r' | awk 'NR == 1 { print $2 } /^Allow:/ { $1 = ""; print }' |
		tr '\n' ' ' | tr -s ' '
}

# Formerly the answer was 405, so "option httpchk" of HAProxy, which sends this
# request, reported DOWN.
@test "OPTIONS tells what healthz tells, for HTTP/1.0 and 1.1" {
	begin
	local all='GET, HEAD, OPTIONS ' path
	for path in / /healthz /metrics '*'; do
		[ "$(method "OPTIONS $path HTTP/1.0")" = "200 $all" ]
	done
	[ "$(method "OPTIONS / HTTP/1.1"$'\r\n'"Host: x")" = "200 $all" ]
	[ "$(method 'OPTIONS /nothing HTTP/1.0')" = '404 ' ]
	[ "$(method 'HEAD / HTTP/1.0')" = '200 ' ]
	[ "$(method 'TRACE / HTTP/1.0')" = "405 $all" ]
	[ "$(method 'PURGE /healthz HTTP/1.0')" = "405 $all" ]
	"$ECHOCTL" -s control drain
	[ "$(method 'OPTIONS / HTTP/1.0')" = "503 $all" ]
	[ "$(method 'OPTIONS /healthz HTTP/1.0')" = "503 $all" ]
	[ "$(method 'HEAD /healthz HTTP/1.0')" = '503 ' ]
	[ "$(method 'GET / HTTP/1.0')" = '200 ' ]
}

@test "other paths and methods are refused" {
	begin
	local url=http://127.0.0.1:$METRICS
	[ "$(code "$url/nothing")" = 404 ]
	[ "$(code -X POST -d x=y "$url/metrics")" = 405 ]
	[ "$(code -X DELETE "$url/")" = 405 ]
	[ "$(code -I "$url/metrics")" = 200 ]
	printf 'nonsense\r\n\r\n' | nc.openbsd -w 5 127.0.0.1 "$METRICS" >/dev/null || true
	head -c 100000 /dev/urandom | nc.openbsd -w 5 127.0.0.1 "$METRICS" >/dev/null || true
	healthz 200
	echoes
}

@test "50 who connect and say nothing do not hold up the service" {
	begin
	local i
	for i in $(seq 100 149); do
		eval "exec $i<>/dev/tcp/127.0.0.1/$METRICS"
	done
	echoes
	"$ECHOCTL" -s control status
}

# Formerly a request and the FIN that cut it could arrive before the library
# looked.  The library then waited for events of the past.  200 such clients,
# which had left, kept the port from answering for 55 seconds.
@test "200 clients that leave in the middle of a request: the port answers" {
	begin
	$HTTP burst 127.0.0.1 "$METRICS" 200
	wait_for 1 healthz 200
	echoes
}

# Formerly each byte renewed the time of such a client, and there were 32
# places.
@test "clients that ask slowly leave room for others" {
	unshare -n true 2>/dev/null || skip "no network namespaces here"
	cat >inside <<-'END'
	ip link set lo up
	for a in 1 2 9; do ip addr add 192.0.2.$a/32 dev lo; done
	"$ECHOD" -o port=6379 -o metrics-port=8080 -o metrics-bind=0.0.0.0 >log 2>&1 &
	server=$!
	until grep -q ' ready on ' log; do sleep 0.02; done
	$HTTP slow 192.0.2.9 8080 40 192.0.2.1 &
	slow=$!
	until [ -e loaded ]; do sleep 0.02; done
	$HTTP well 192.0.2.9 8080 50 192.0.2.2
	$HTTP well 127.0.0.1 8080 50 127.0.0.1
	touch enough
	wait "$slow"
	kill "$server"
	wait "$server"
	END
	begin # to be skipped where there are no metrics
	ECHOD=$ECHOD HTTP=$HTTP timeout 250 unshare -n bash inside >said 3>&- 4>&-
	cat said
	[ "$(grep -c '^[0-9.]*: [0-9.]* s$' said)" -eq 2 ]
}

@test "one address that asks slowly leaves room for itself" {
	begin
	$HTTP slow 127.0.0.1 "$METRICS" 40 127.0.0.1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -e loaded
	$HTTP well 127.0.0.1 "$METRICS" 20 127.0.0.1
	touch enough
}

@test "a request has a time in all, however often a byte of it comes" {
	begin
	$HTTP overtime 127.0.0.1 "$METRICS" 9
	healthz 200
}

# bats test_tags=quick
# Everything that the page refers to comes from here, and nothing in it is a
# script or a style of its own: the policy forbids these.
@test "the status page: its parts are here, and its policy allows no others" {
	begin
	local url=http://127.0.0.1:$METRICS path
	get -D heads "$url/" >page.html
	tr -d '\r' <heads >page.head
	grep -q '^Content-Type: text/html; charset=utf-8$' page.head
	grep -q "^Content-Security-Policy: default-src 'none';" page.head
	not grep -q unsafe page.head
	$PAGE links <page.html >links
	[ "$(grep -c . links)" -ge 5 ]
	while read -r path; do
		[ "$(code "$url$path")" = 200 ]
	done <links
	[[ $(get -o /dev/null -w '%{content_type}' "$url/page.css") == text/css* ]]
	[[ $(get -o /dev/null -w '%{content_type}' "$url/page.js") == text/javascript* ]]
	[[ $(get -o /dev/null -w '%{content_type}' "$url/status.json") == application/json ]]
	get "$url/page.css" | cmp - "$TOP_SRCDIR/src/admin/page.css"
	get "$url/page.js" | cmp - "$TOP_SRCDIR/src/admin/page.js"
	if command -v node >/dev/null; then
		node --check "$TOP_SRCDIR/src/admin/page.js"
	fi
}

@test "the status page shows numbers without its script, and JSON has them all" {
	begin workers=2 maxclients=1
	local i
	exec 5<>"/dev/tcp/$HOST/$PORT"
	for i in $(seq 1200); do
		echo hello
	done >&5
	[ "$(timeout 60 head -n 1200 <&5 | sort -u)" = hello ]
	not echoes
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 is 'worker_deaths_total{signal="SIGKILL"}' 1
	wait_for 5 is 'connections_refused_total' 1
	get "http://127.0.0.1:$METRICS/" >page.html
	get "http://127.0.0.1:$METRICS/status.json" >status.json
	$PAGE compare status.json <page.html
	[ "$($PAGE value in <page.html)" = "7.20 kB" ]
	[ "$($PAGE value closed.over_limit <page.html)" = 1 ]
	[ "$($PAGE value worker_deaths <page.html)" = 1 ]
	grep -q '>SIGKILL<' page.html
}

@test "status.json: the answers of the control socket, and samples" {
	command -v jq >/dev/null || skip "jq is not installed"
	begin workers=2
	echoes
	wait_for 5 is 'connections_closed_total{reason="client_eof"}' 1
	get "http://127.0.0.1:$METRICS/status.json" >status.json
	diff <(jq '.status | del(.uptime)' status.json) \
		<("$ECHOCTL" -s control --json status | jq 'del(.uptime)')
	diff <(jq .workers status.json) \
		<("$ECHOCTL" -s control --json workers | jq .)
	[ "$(jq '[.samples[] | length] | unique | length' status.json)" -eq 1 ]
	[ "$(jq -c '.samples | keys' status.json)" = \
		'["accepted","ago","connections","echoes","in","out"]' ]
}

# What a reload is refused for may be the text of a file.
@test "the status page: what looks like HTML is shown, not obeyed" {
	command -v curl >/dev/null || skip "curl is not installed"
	METRICS=$(free_port)
	"$ECHOD" -t -o "metrics-port=$METRICS" >test.out 2>&1 ||
		! grep -q 'built without' test.out || skip "built without libmicrohttpd"
	cat >echod.conf <<-END
	port = $PORT
	bind = $HOST
	metrics-port = $METRICS
	control-socket = $DIR/control
	END
	start_raw -c echod.conf
	echo "<script>alert(\"'&{{x}}\") = 1" >>echod.conf
	not "$ECHOCTL" -s control reload
	get "http://127.0.0.1:$METRICS/" >page.html
	$PAGE value refusal <page.html >refusal
	cat refusal
	grep -qF "<script>alert(\"'&{{x}}" refusal
	$PAGE links <page.html >links # there is no script but the page's own
	get "http://127.0.0.1:$METRICS/status.json" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["status"]["refusal"])' |
		diff - refusal
}

@test "wrong settings are errors before the start" {
	run "$ECHOD" -t -o "metrics-port=$PORT" -o "port=$PORT"
	[ "$status" -eq 78 ]
	run "$ECHOD" -t -o metrics-bind=localhost
	[ "$status" -eq 78 ]
	[[ $output == *'is not an IPv4 or IPv6 address'* ]]
	run "$ECHOD" -t -o "control-socket=/$(printf '%0100d' 0)"
	[ "$status" -eq 78 ]
	run "$ECHOD" -t -o control-socket-mode=0666
	[ "$status" -eq 78 ]
}

@test "the dashboard asks for what there is, and shows every counter" {
	begin
	local name
	scrape >metrics
	for name in $(grep -oE 'echod_[a-z_]+' "$TOP_SRCDIR/etc/grafana.json" | sort -u); do
		echo "$name"
		grep -q "^# TYPE $name " metrics
	done
	# What workers count, it shows of services.
	for name in $(sed -n 's/^# TYPE \(.*\) counter$/\1/p' metrics |
	    grep -v '^echod_worker_[a-z_]*_total$'; echo echod_worker_deaths_total); do
		echo "$name"
		grep -q "\b$name\b" "$TOP_SRCDIR/etc/grafana.json"
	done
}

@test "echod.8 lists exactly the metrics" {
	begin
	diff <(scrape | sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' | sort) \
		<(sed -n 's/^\.It Ic \(echod_[a-z_]*\).*/\1/p' "$TOP_SRCDIR/man/echod.8" | sort)
}

@test "echod.8 lists exactly the reasons for a close" {
	begin
	diff <(scrape | sed -n 's/^echod_connections_closed_total{reason="\(.*\)"}.*/\1/p' | sort) \
		<(sed -n '/^\.It Ic echod_connections_closed_total/,/^\.It Ic/s/^\.It Cm \([a-z_]*\).*/\1/p' "$TOP_SRCDIR/man/echod.8" | sort)
}

# The counters agree with what the clients have seen.
agrees() {
	is received_bytes_total "$1" && is sent_bytes_total "$1" &&
		is connections 0 && is connections_accepted_total "$2" &&
		[ "$(scrape | awk '/^echod_connections_closed_total/ { n += $2 }
		    END { print n }')" = "$2" ]
}

@test "after many deaths all is counted, once" {
	# Formerly bytes, accepts and closes were off by the operation that a
	# death interrupted.
	begin workers=2
	client counted 20
	wait_for 20 test -e counting
	local i pid bytes clients
	for i in $(seq 30); do
		for pid in $(workers); do
			kill -KILL "$pid" 2>/dev/null || true
			[ $((i % 3)) -eq 0 ] || break
		done
		wait_for 20 workers_are 2
	done
	touch enough
	client_is_happy
	read -r bytes clients <bytes
	wait_for 10 agrees "$bytes" "$clients"
}
