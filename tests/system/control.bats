#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The control socket and echoctl: requests and answers, and permission to ask.
# Neither strange clients nor stuck workers prevent an answer.

load ../lib/common

# Start a server with a control socket, otherwise as start does.
begin() {
	start "control-socket=$DIR/control" "$@"
}

ctl() {
	timeout 30 "$ECHOCTL" -s "$DIR/control" "$@"
}

# ask WORD...: ask without echoctl, as an administrator may do.
ask() {
	echo "$*" | timeout 60 nc.openbsd -U "$DIR/control"
}

strange() {
	timeout 200 python3 "$TOP_SRCDIR/tests/lib/control.py" "$@"
}

# json FILTER WORD...: print a value of an answer.
json() {
	command -v jq >/dev/null || skip "jq is not installed"
	local filter=$1
	shift
	ctl --json "$@" | jq -r "$filter"
}

is() {
	[ "$(json "$2" "$3")" = "$1" ]
}

# Open a connection on descriptor $1; its address is in $PEER.
hold() {
	eval "exec $1<>/dev/tcp/$HOST/$PORT"
	echo ping >&"$1"
	read -r -t 60 -u "$1" line
	[ "$line" = ping ]
	PEER=$(ctl connections --sort age | awk 'NR > 1 { p = q; q = $1 }
		END { print p }')
}

# --- asking

# bats test_tags=quick
@test "status: by nc, by echoctl, in JSON" {
	begin
	ask status >out
	cat out
	grep -q "^echod .*, pid $SERVER, serving, up 00:00:0" out
	grep -q "^listening .* $HOST:$PORT, 0 of 511 waiting" out
	ctl status | grep -q "pid $SERVER"
	is "$SERVER" .pid status
	is serving .mode status
	is 0 .connections status
	echoes
	wait_for 5 is 1 .closed.client_eof status
	is 5 .in status
	is 5 .out status
	is 1 .echoes status
}

@test "workers: one line each; their number can be changed" {
	begin workers=2
	[ "$(ctl workers | wc -l)" -eq 3 ]
	is "$(workers | head -n 1)" '.[0].pid' workers
	ctl workers 4
	wait_for 5 is 4 .ready status
	ctl workers 1
	wait_for 5 is 1 .workers status
	logged 'notice: control \(user [0-9]+\): 3 workers from now on'
	run ctl workers 257
	[ "$status" -eq 1 ]
	[[ $output == *'too large (1 to 256)'* ]]
}

# Formerly JSON and Prometheus counted denied clients as closed for the reason
# "unknown".
@test "each reason for a close has a name, denied too" {
	start control-socket="$DIR/control" deny=127.0.0.1
	not echoes
	wait_for 5 is 1 .closed.denied status
	ctl metrics | grep -q '{reason="denied"} 1$'
	not grep -q unknown <(ctl metrics; ctl --json status)
}

# bats test_tags=quick
@test "connections: who, how much, filtered and sorted" {
	begin workers=2
	hold 5
	hold 6
	echo something longer >&6
	read -r -t 60 -u 6 line
	ctl connections >out
	cat out
	[ "$(tail -n 1 out)" = '2 connections' ]
	[ "$(ctl connections --sort in | awk 'NR == 2 { print $5, $6 }')" = '22 22' ]
	[ "$(ctl connections --sort age --json | jq -r '.[1].in')" -eq 22 ]
	[ "$(ctl connections --worker 0 | tail -n 1)" = '1 connections' ]
	[ "$(ctl connections --peer "$HOST:" | tail -n 1)" = '2 connections' ]
	[ "$(ctl connections --peer 203.0.113. | tail -n 1)" = '0 connections' ]
	[ "$(json length connections)" -eq 2 ]
	printf half >&5
	wait_for 5 sh -c "'$ECHOCTL' -s control connections | grep -q ' 4 partial'"
}

@test "connections: a list that is empty, and one that ends twice, are sorted" {
	# Analyzers found two faults.  Without a row, qsort(3) had no array.
	# After a second last line, the freed rows were printed and freed
	# again.
	begin
	ctl connections --sort in | tee out
	grep -q '^0 connections' out
	printf '[\n{"peer":"a","in":1},\n{"peer":"b","in":2}\n]\n{"peer":"c","in":3}\n]\n' |
		timeout 60 nc.openbsd -N -l -U fake >/dev/null &
	PIDS+=("$!")
	wait_for 10 test -S fake
	timeout 60 "$ECHOCTL" -s fake --json connections --sort in >out
	[ "$(cat out)" = $'[\n{"peer":"b","in":2},\n{"peer":"a","in":1}\n]' ]
}

@test "what an answer would tell a terminal is not told" {
	# An attacker in a worker can answer in the master's place, and the
	# administrator that reads the answer is often root.
	printf '[\n{"peer":"\\u001b[2J\302\233a","in":1}\n]\n' >rows
	printf 'ok: \033]0;x\a \302\233 \233 caf\303\251\t\177\n\0' >text
	for answer in rows text; do
		rm -f fake
		timeout 60 nc.openbsd -N -l -U fake >/dev/null <"$answer" &
		PIDS+=("$!")
		wait_for 10 test -S fake
		if [ "$answer" = rows ]; then
			timeout 60 "$ECHOCTL" -s fake --json connections >out
			[ "$(cat out)" = $'[\n{"peer":"\\u001B[2J??a","in":1}\n]' ]
		else
			timeout 60 "$ECHOCTL" -s fake status >out
			[ "$(cat out)" = "$(printf 'ok: ?]0;x? ?? ? caf\303\251\t?')" ]
		fi
		not grep -q "$(printf '[\033\177]')" out
	done
}

# bats test_tags=quick
@test "close: this client and no other" {
	begin
	hold 5
	hold 6
	ctl connections --sort age
	PEER=$(ctl connections --sort age | awk 'NR == 2 { print $1 }')
	ctl close "$PEER"
	timeout 60 cat <&5 >rest
	[ ! -s rest ]
	echo still >&6
	read -r -t 60 -u 6 line
	[ "$line" = still ]
	run ctl close "$PEER"
	[ "$status" -eq 1 ]
	[[ $output == *'there is no client'* ]]
	[ "$(ask metrics | awk '/^echod_connections_closed_by_request_total/ { print $2 }')" -eq 1 ]
}

@test "connections and close: a client in any spelling of its address" {
	begin
	hold 5
	local a
	for a in ::ffff:127.0.0.1 '[::ffff:127.0.0.1]' '[::FFFF:7f00:1]' \
	    ::ffff:127.0. 64:ff9b::127.0.0.1 "[::ffff:127.0.0.1]:${PEER#*:}"; do
		[ "$(ctl connections --peer "$a" | tail -n 1)" = '1 connections' ]
	done
	for a in ::ffff:127.0.0.2 ::1 '[::ffff:127.0.0.1]:1'; do
		[ "$(ctl connections --peer "$a" | tail -n 1)" = '0 connections' ]
	done
	ctl close "[::ffff:127.0.0.1]:${PEER#*:}"
	timeout 60 cat <&5 >rest
	[ ! -s rest ]
}

@test "config: as -T prints it" {
	begin timeout=77
	ctl config >out
	cat out
	grep -q '^timeout = 77  *# command line$' out
	diff <("$ECHOD" -T -o "port=$PORT" -o "bind=$HOST" -o timeout=77 \
		-o "control-socket=$DIR/control") out
	[ "$(json '.directives[] | select(.name == "timeout") | .value' config)" = 77 ]
}

# Formerly bytes were written as if they were code points, so JSON named
# another file.
@test "JSON: text in UTF-8 stays, what is none is shown" {
	local name file
	name=$(printf 'prot\303\251g "\360\237\230\200" \\ .log')
	file=$(printf 'na\303\257ve\351.conf')
	: >"$file"
	start_raw -c "$file" -o "port=$PORT" -o "bind=$HOST" \
		-o "control-socket=$DIR/control" -o "logfile=$DIR/$name"
	ctl --json config >answer
	python3 - answer >value <<-'END'
	import json, sys
	answer = json.load(open(sys.argv[1], encoding="utf-8"))
	print(next(r["value"] for r in answer["directives"] if r["name"] == "logfile"))
	print(answer["file"])
	END
	printf '%s/%s\nna\303\257ve\\xe9.conf\n' "$DIR" "$name" | diff - value
	# An error repeats the request.
	ask "json $(printf 'na\303\257ve\351')" | tee error
	[ "$(jq -r .error error)" = "$(printf 'unknown command "na\303\257ve\\xe9"; try help')" ]
}

# bats test_tags=quick
@test "loglevel: all processes follow at once" {
	begin
	echoes
	ctl loglevel verbose
	echoes
	wait_for 5 logged 'verbose: .* closed: client EOF'
	[ "$(grep -c 'verbose: .* accepted' log)" -eq 1 ]
	ctl loglevel warning
	ctl workers 1 # of which nothing is said
	not logged 'workers from now on'
	[ "$(ctl loglevel)" = 'ok: warning' ]
}

@test "reopen: the file anew; without one an error" {
	begin "logfile=$DIR/file"
	mv file old
	ctl reopen
	wait_for 5 grep -q 'log file reopened' file
	stop
	begin
	run ctl reopen
	[ "$status" -eq 1 ]
}

@test "drain and its end" {
	begin
	ctl drain
	is draining .mode status
	is true .draining status
	echoes
	ctl drain off
	is serving .mode status
}

@test "stop: as SIGTERM, and the socket's file is gone" {
	begin
	ctl stop
	finish
	[ "$STATUS" -eq 0 ]
	[ ! -e control ]
	logged 'control \(user [0-9]+\): stopping'
	run ctl status
	[ "$status" -eq 1 ]
}

# bats test_tags=quick
@test "usage errors are 2, refusals 1" {
	begin
	local arguments
	for arguments in '' '--nope' 'connections --sort nothing' 'status --sort in' \
	    'connections x' 'top --count x'; do
		echo "$arguments"
		# shellcheck disable=SC2086 # words
		run ctl $arguments
		[ "$status" -eq 2 ]
	done
	run ctl nonsense
	[ "$status" -eq 1 ]
	run ctl --json nonsense
	[ "$status" -eq 1 ]
	[ "$(jq -r .error <<<"$output")" != null ]
	run "$ECHOCTL" -s "$DIR/nobody" status
	[ "$status" -eq 1 ]
}

@test "the socket is found by the configuration, -c or ./redis.conf" {
	begin
	echo "control-socket = $DIR/control" >conf
	"$ECHOCTL" -c conf status | grep -q "pid $SERVER"
	mv conf redis.conf
	"$ECHOCTL" status | grep -q "pid $SERVER"
	echo >redis.conf
	run "$ECHOCTL" -c redis.conf status
	[ "$status" -eq 1 ]
	[[ $output == *'redis.conf names no control-socket; set it there '* ]]
}

# Formerly echoctl said that "no configuration that I can read names no
# control-socket".
@test "who cannot ask is told what there is and what to do" {
	mkdir empty
	if [ ! -e /etc/echod/redis.conf ]; then
		cd empty
		run "$ECHOCTL" status
		echo "$output"
		[ "$status" -eq 1 ]
		[[ $output == *'there is neither redis.conf here nor /'*'/echod/redis.conf; name the socket with -s, or '* ]]
		cd ..
	fi
	run "$ECHOCTL" -c missing status
	[ "$status" -eq 1 ]
	[[ $output == *"missing: No such file or directory"* ]]
	run "$ECHOCTL" -s nowhere status
	[ "$status" -eq 1 ]
	[ "$output" = 'echoctl: nowhere: No such file or directory; echod does not run, or its control-socket is another' ]
	run "$ECHOCTL" -s empty connections
	[ "$status" -eq 1 ]
	[ "$output" = 'echoctl: empty: it is no socket' ]
	begin
	behead "$SERVER"
	finish
	for command in status connections top reload; do
		run ctl "$command"
		[ "$status" -eq 1 ]
		[ "$output" = "echoctl: $DIR/control: Connection refused; echod does not run" ]
	done
	[ "$(id -u)" -eq 0 ] || return 0
	open_directory
	begin
	run setpriv --reuid=1 --regid=1 --clear-groups "$ECHOCTL" -s "$DIR/control" status
	[ "$status" -eq 1 ]
	[[ $output == *"control: Permission denied; ask as root, as the user of echod "* ]]
}

# Formerly it printed text.
@test "top in JSON: an object a line" {
	begin workers=2
	client hold 20 go
	wait_for 10 is 20 .connections status
	ctl --json top --count 2 >out
	cat out
	[ "$(wc -l <out)" -eq 2 ]
	[ "$(jq -r 'select(.mode == "serving" and .connections == 20 and
		(.workers | length) == 2 and ([.workers[].connections] | add) == 20 and
		.workers[1].ready) | .echoes_per_second >= 0' out | sort -u)" = true ]
	touch go
}

@test "top: lines where there is no terminal, a screen where there is one" {
	begin
	client hold 20 go
	wait_for 10 is 20 .connections status
	ctl top --count 1 >out
	cat out
	awk 'NR == 2 { exit !($2 == 20) }' out
	touch go
	command -v tmux >/dev/null || skip "tmux is not installed"
	tmux -S "$DIR/tmux" new-session -d -x 80 -y 16 \
		"stty -a >before; '$ECHOCTL' -s control top; stty -a >after"
	wait_for 10 sh -c "tmux -S tmux capture-pane -p | grep -q '^all '"
	tmux -S "$DIR/tmux" capture-pane -p
	tmux -S "$DIR/tmux" resize-window -x 60 -y 10
	wait_for 10 sh -c "tmux -S tmux capture-pane -p | sed -n 10p | grep -q quits"
	tmux -S "$DIR/tmux" send-keys q
	wait_for 10 test -s after
	diff <(grep -v rows before) <(grep -v rows after)
}

# --- services

MODULES=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs/modules

# section NAME [LINE]...: a service on a port of its own, which is in
# ${PORTS[NAME]}.
declare -gA PORTS
section() {
	[ -n "${PORTS[$1]:-}" ] || PORTS[$1]=$(free_port)
	printf '%s\n' "[service $1]" "port = ${PORTS[$1]}" "${@:2}"
}

# Start what ./conf has, with a control socket.
begin_services() {
	printf '%s\n' "bind = $HOST" "control-socket = $DIR/control" "workers = 2" \
		"loglevel = verbose" "${@}" >common
	cat common sections >conf
	start_raw -c conf
}

reload_services() {
	cat common sections >conf
	ctl reload
}

# dial SERVICE DESCRIPTOR: connect to a service.
dial() {
	eval "exec $2<>/dev/tcp/$HOST/${PORTS[$1]}"
}

# of SERVICE FILTER: print a value of a service.
of() {
	json ".services[] | select(.service == \"$1\") | $2" status
}

of_is() {
	[ "$(of "$1" "$2")" = "$3" ]
}

# bats test_tags=quick
@test "status names the handler and its version; without sections no service" {
	begin handler=raw
	ctl status | tee out
	grep -qE '^handler      raw [0-9.]+, built in$' out
	not grep -q '^service' out
	is default '.services[].service' status
	is raw '.services[].handler' status
	hold 5
	[ "$(ctl connections --service default | tail -n 1)" = '1 connections' ]
	not grep -q '(default)' log
}

@test "status names the module of a handler, and its path" {
	begin "handler=$MODULES/naughty.so"
	ctl status | grep -qF "handler      naughty 1.0, $MODULES/naughty.so"
	is "$MODULES/naughty.so" '.services[].module' status
}

# bats test_tags=quick
@test "services: status, connections and the log tell them apart" {
	{
		section web
		section sink 'handler = discard' 'maxclients = 1'
		section bytes 'handler = raw'
	} >sections
	begin_services
	dial web 5
	dial web 6
	dial sink 7
	printf 'one\ntw' >&5
	read -r -t 60 -u 5 line
	echo forgotten >&7
	wait_for 5 of_is sink .in 10
	wait_for 5 of_is web .in 6
	# One too many for this service, not for all of them.
	dial sink 8
	timeout 60 cat <&8 | grep -q 'max number of clients'
	wait_for 5 of_is sink .closed.over_limit 1
	ctl status | tee out
	awk '/^service/ { s = $2 } /^(service|handler|listening)/ {
		$1 = s; print }' out | sed 's/, 0 of 511.*//; s/ [0-9.]*, built/ V, built/' >seen
	printf '%s\n' "web, web, 2 connections, 2 ever, 0 refused" "web, echo V, built in" \
		"web, $HOST:${PORTS[web]}" \
		"sink, sink, 1 of 1 connections, 1 ever, 1 refused" \
		"sink, discard V, built in" "sink, $HOST:${PORTS[sink]}" \
		"bytes, bytes, 0 connections, 0 ever, 0 refused" \
		"bytes, raw V, built in" "bytes, $HOST:${PORTS[bytes]}" | diff - seen
	# The list, and a part of it.
	ctl connections | tee out
	[ "$(awk '$9 == "web"' out | wc -l)" -eq 2 ]
	[ "$(awk '$9 == "sink"' out | wc -l)" -eq 1 ]
	[ "$(ctl connections --service sink | awk 'NR == 2 { print $5, $9 }')" = '10 sink' ]
	[ "$(ctl --json connections --service web | jq -r '.[].service' | uniq)" = web ]
	[ "$(ctl connections --service bytes | tail -n 1)" = '0 connections' ]
	run ctl connections --service nobody
	[ "$status" -eq 1 ]
	[[ $output == *'there is no service nobody'* ]]
	ask connections service=web worker=0 peer=127. | tail -n 1 | grep -q '^1 connections'
	# What each has is together what all have.
	json '[(.services | map(.accepted) | add) == .accepted,
		(.services | map(.in) | add) == .in,
		(.services | map(.out) | add) == .out,
		(.services | map(.echoes) | add) == .echoes,
		(.services | map(.connections) | add) == .connections,
		(.services | map(.closed.over_limit) | add) == .closed.over_limit]
		| all' status | grep -qx true
	[ "$(ctl --json top --count 1 |
		jq -r '.services[] | "\(.service) \(.state) \(.connections)"')" = \
		$'web serving 2\nsink serving 1\nbytes serving 0' ]
	json '.listeners[] | "\(.service) \(.name)"' status | sort >seen
	for s in bytes sink web; do echo "$s $HOST:${PORTS[$s]}"; done | diff - seen
	logged 'verbose: 127[0-9.:]+ \(web\) accepted'
	logged 'warning: 127[0-9.:]+ \(sink\) refused: maxclients 1'
	exec 5>&-
	wait_for 5 logged 'verbose: 127[0-9.:]+ \(web\) closed: client EOF'
	of_is web .closed.client_eof 1
	of_is sink .closed.client_eof 0
}

@test "services: what dies is counted where it was, and the log names its service" {
	{
		section good
		section bad "handler = $MODULES/naughty.so"
	} >sections
	begin_services
	dial good 5
	dial bad 6
	echo null >&6
	timeout 60 cat <&6 >rest || true
	wait_for 5 of_is bad .closed.fault 1
	logged '\(bad\) closed: its input to handler naughty crashed'
	dial bad 6
	echo much >&6
	timeout 60 cat <&6 >rest || true
	wait_for 5 of_is bad .closed.fault 2
	logged '\(bad\) closed: handler naughty: it wrote more'
	of_is bad .accepted 2
	of_is bad .connections 0
	of_is good .closed.fault 0
	of_is good .connections 1
	echo there >&5
	read -r -t 60 -u 5 line
	[ "$line" = there ]
}

@test "a connection that its handler ends: finished, aborted, lingering" {
	{
		section day 'handler = daytime'
		section bad "handler = $MODULES/naughty.so"
	} >sections
	begin_services
	dial day 5
	read -r -t 60 -u 5 line
	# The client has not closed yet.  It may not for a second or two.
	ctl connections >out
	awk 'NR > 1 && $9 == "day" && $8 != "lingering" { exit 1 }' out
	exec 5>&-
	wait_for 5 of_is day .closed.finished 1
	logged '\(day\) closed: finished'
	dial bad 5
	echo reset >&5
	timeout 60 cat <&5 >rest || true
	wait_for 5 of_is bad .closed.aborted 1
	ctl status | grep -q '^closed  .*finished 1, aborted 1'
	ctl metrics | grep -qF '_closed_total{service="bad",reason="aborted"} 1'
	ctl metrics | grep -qF '_closed_total{reason="finished"} 1'
}

# Formerly there was one service, whose counters were those of all.
@test "services: one that takes a removed one's number begins at 0; sums stay" {
	{
		section stays
		section goes
	} >sections
	begin_services
	dial goes 5
	echo ping >&5
	read -r -t 60 -u 5 line
	exec 5>&-
	wait_for 5 of_is goes .closed.client_eof 1
	section stays >sections
	reload_services
	wait_for 10 is stays '[.services[].service] | join(" ")' status
	is 1 .accepted status
	is 5 .in status
	{
		section stays
		section comes
	} >sections
	reload_services
	wait_for 10 of_is comes .state serving
	of_is comes '[.accepted, .in, .out, .echoes, .closed.client_eof] | add' 0
	is '1 5 5 1 1' '[.accepted, .in, .out, .echoes, .closed.client_eof]
		| map(tostring) | join(" ")' status
	dial comes 5
	echo ping >&5
	read -r -t 60 -u 5 line
	of_is comes .echoes 1
	is 2 .echoes status
}

@test "services: a removed one is there as long as it has clients" {
	{
		section stays
		section goes 'handler = raw'
	} >sections
	begin_services 'shutdown-timeout = 600'
	# This client does not read.
	dial goes 5
	head -c 50000000 /dev/zero >&5 3>&- 4>&- 2>/dev/null &
	PIDS+=("$!")
	local writer=$!
	wait_for 10 sh -c "'$ECHOCTL' -s control connections | grep -q ' blocked  *goes'"
	section stays >sections
	reload_services
	of_is goes .state removed
	of_is goes .connections 1
	ctl status | grep -q '^service      goes, 1 connections, 1 ever, 0 refused, removed$'
	ctl connections --service goes | grep -q ' goes$'
	kill -KILL "$writer"
	exec 5>&-
	wait_for 10 is stays '[.services[].service] | join(" ")' status
	run ctl connections --service goes
	[ "$status" -eq 1 ]
	not grep -q goes <(ctl metrics)
}

# --- strange clients

# bats test_tags=quick
@test "what is no request is an error, and nothing worse" {
	begin
	strange nonsense
	echoes
}

@test "a request in any spelling" {
	begin
	strange spellings
}

@test "100 clients at once that ask nothing: the service goes on" {
	begin
	strange crowd 100
	echoes
}

@test "50 readers that do not read hold up nobody" {
	begin maxclients=2000
	strange slow 1500
}

@test "clients that vanish leave nothing behind" {
	begin
	strange vanish
	local before
	before=$(find "/proc/$SERVER/fd" | wc -l)
	strange vanish
	strange crowd 10
	wait_for 5 sh -c "[ \$(find /proc/$SERVER/fd | wc -l) -le $before ]"
}

# --- permission

@test "the socket's mode and owner; others are refused" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	chmod 755 "$DIR" "$DIR/.." "$DIR/../.." 2>/dev/null || true
	begin user=nobody control-socket-mode=0660
	[ "$(stat -c '%a %U %G' control)" = '660 nobody nogroup' ]
	ctl status
	setpriv --reuid=nobody --regid=nogroup --clear-groups \
		timeout 60 "$ECHOCTL" -s "$DIR/control" status
	setpriv --reuid=1 --regid=nogroup --clear-groups \
		timeout 60 "$ECHOCTL" -s "$DIR/control" status
	setpriv --reuid=1 --regid=1 --groups=nogroup \
		timeout 60 "$ECHOCTL" -s "$DIR/control" status
	# The mode of the file does not matter.
	chmod 666 control
	run setpriv --reuid=1 --regid=1 --clear-groups \
		timeout 60 "$ECHOCTL" -s "$DIR/control" status
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *'permission denied'* ]]
	logged 'control: user 1 may not ask'
}

@test "mode 0600: its group may not" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	chmod 755 "$DIR" "$DIR/.." "$DIR/../.." 2>/dev/null || true
	begin user=nobody
	[ "$(stat -c %a control)" = 600 ]
	chmod 666 control
	run setpriv --reuid=1 --regid=nogroup --clear-groups \
		timeout 60 "$ECHOCTL" -s "$DIR/control" status
	[ "$status" -eq 1 ]
}

# steal: as the service's user, in its directory ./run, put a link to ../victim
# in the place of each new socket, as fast as possible, until ./enough exists.
steal() {
	local python
	for python in python3 /usr/bin/python3 none; do
		as_daemon "$python" -c '' 2>/dev/null && break
	done
	[ "$python" != none ] || skip "daemon has no python3"
	cat >thief <<-'END'
	import os, time
	os.chdir("run")
	open("there", "w").close()
	n = 0
	end = time.time() + 600
	while n % 256 or (time.time() < end and not os.path.exists("../enough")):
	    n += 1
	    for name in os.listdir("."):
	        try:
	            if os.path.islink(name):
	                if name == "control":
	                    os.unlink(name)
	            elif name.startswith("control."):
	                os.unlink(name)
	                os.symlink("../victim", name)
	        except OSError:
	            pass
	END
	setpriv --reuid=daemon --regid=daemon --clear-groups \
		"$python" thief 3>&- 4>&- &
	THIEF=$!
	PIDS+=("$THIEF")
	wait_for 10 test -e run/there
}

as_daemon() {
	setpriv --reuid=daemon --regid=daemon --clear-groups "$@"
}

# Formerly root bound the socket, then changed its owner and mode by name, and
# followed links.  After a start or two the service's user owned a file of
# root.
@test "root gives away nothing but the socket, whatever links its user lays" {
	need_root
	id daemon >/dev/null 2>&1 || skip "there is no user daemon"
	open_directory
	mkdir run
	chown daemon run
	(umask 077 && echo secret >victim)
	local before
	before=$(stat -c '%u %g %a %z' victim)
	steal
	for _ in $(seq 60); do
		# The line of the server before is not this one's: a signal that
		# comes before the exec would be lost in the shell.
		: >"$DIR/log"
		# The start fails if the thief takes the socket away.
		"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o user=daemon -o workers=1 \
			-o "control-socket=$DIR/run/control" -o control-socket-mode=0660 \
			>"$DIR/log" 2>"$DIR/err" 3>&- 4>&- &
		SERVER=$!
		PIDS+=("$SERVER")
		wait_for 10 is_ready_or_dead
		kill "$SERVER" 2>/dev/null || true
		finish
		[ "$(stat -c '%u %g %a %z' victim)" = "$before" ]
	done
	touch enough
	wait "$THIEF"
	# Without the thief the start succeeds, and the user owns the socket.
	rm -f run/*
	start user=daemon "control-socket=$DIR/run/control" control-socket-mode=0660
	[ "$(stat -c '%U %a' run/control)" = 'daemon 660' ]
	"$ECHOCTL" -s run/control status
	stop
	[ ! -e run/control ]
	# A socket that root has left there is replaced, too.
	start "control-socket=$DIR/run/control"
	behead "$SERVER"
	finish
	[ "$(stat -c %U run/control)" = root ]
	start user=daemon "control-socket=$DIR/run/control"
	[ "$(stat -c '%U %a' run/control)" = 'daemon 600' ]
}

@test "a socket left over is replaced, one in use and other files are not" {
	begin
	behead "$SERVER"
	finish
	[ -S control ]
	begin
	ctl status
	run timeout 60 "$ECHOD" -o "port=$(free_port)" -o "bind=$HOST" \
		-o "control-socket=$DIR/control"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *'Address already in use'* ]]
	ctl status
	echo precious >file
	run timeout 60 "$ECHOD" -o "port=$(free_port)" -o "bind=$HOST" \
		-o "control-socket=$DIR/file"
	[ "$status" -eq 1 ]
	[ "$(cat file)" = precious ]
}

# Formerly 100 connections of a member of the group kept the echoctl of root
# out.
@test "places are kept for root and for the service's user, others have a few each" {
	need_root
	open_directory
	chmod a+w "$DIR" # for what says that they sit
	local uid python
	for python in python3 /usr/bin/python3 none; do
		as_daemon "$python" -c '' 2>/dev/null && break
	done
	[ "$python" != none ] || skip "others have no python3"
	begin user=nobody control-socket-mode=0660
	cp "$TOP_SRCDIR/tests/lib/control.py" .
	for uid in 101:20 102:20 103:20 104:0; do
		setpriv --reuid="${uid%:*}" --regid="${uid%:*}" --groups=nogroup \
			timeout 200 "$python" control.py sit "sits.$uid" "${uid#*:}" \
			"${uid#*:}" >&2 3>&- 4>&- &
		PIDS+=("$!")
		wait_for 20 test -e "sits.$uid"
	done
	ctl status
	setpriv --reuid=nobody --regid=nogroup --clear-groups \
		timeout 200 "$python" control.py sit sits.nobody 20 20 >&2 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 20 test -e sits.nobody
	ctl status
	echoes
	run setpriv --reuid=105 --regid=105 --groups=nogroup \
		timeout 60 "$ECHOCTL" -s "$DIR/control" status
	[ "$status" -eq 1 ]
	[[ $output == *'too many clients of the control socket'* ]]
	touch enough
}

# Formerly each byte that the reader took renewed its time.
@test "a reader that takes a little at a time has a minute in all" {
	begin maxclients=3000
	strange trickle 2900
}

# --- whatever happens

@test "answers while every worker is stopped" {
	begin workers=3
	hold 5
	local pid
	for pid in $(workers); do
		kill -STOP "$pid"
	done
	wait_for 5 is 3 '[.[] | select(.state == "stopped")] | length' workers
	ctl status
	[ "$(ctl connections | tail -n 1)" = '1 connections' ]
	ctl metrics | grep -q '^echod_connections 1$'
	for pid in $(workers); do
		kill -CONT "$pid"
	done
	echo again >&5
	read -r -t 60 -u 5 line
	[ "$line" = again ]
}

@test "deaths are counted by signal, and connections saved" {
	begin workers=1
	hold 5
	kill -KILL "$(workers)"
	wait_for 5 is 1 .deaths.SIGKILL status
	is 1 .saved status
	is 1 .recoveries status
	echo again >&5
	read -r -t 60 -u 5 line
	[ "$line" = again ]
}

@test "the standby, and takeovers, are shown in every form" {
	has_standby() {
		[ -n "$(standby)" ]
	}
	begin
	wait_for 10 has_standby
	local next
	next=$(standby)
	PIDS+=("$next")
	ctl status | grep -qx "standby      pid $next, 0 takeovers"
	is "$next" .standby status
	ctl metrics | grep -qx 'echod_standby 1'
	kill -KILL "$SERVER"
	SERVER=$next
	wait_for 10 has_standby
	wait_for 10 is 1 .takeovers status
	is "$next" .pid status
	wait_for 10 is "$(standby)" .standby status
	ctl metrics | grep -qx 'echod_takeovers_total 1'
	ctl reload
	is 1 .takeovers status
	ctl stop
	wait_for 20 dead "$SERVER"
	begin standby=no
	ctl status | grep -qx 'standby      off, 0 takeovers'
	is null .standby status
	ctl metrics | grep -qx 'echod_standby 0'
}

# bats test_tags=quick
@test "reload: echoctl waits for what comes of it; counters and clients stay" {
	echo 'timeout = 0' >echod.conf
	start_raw -c echod.conf -o "port=$PORT" -o "bind=$HOST" \
		-o "control-socket=$DIR/control"
	hold 5
	ctl drain
	local inode
	inode=$(stat -c %i control)
	ctl reload
	[ "$(stat -c %i control)" = "$inode" ]
	is 1 .reloads status
	is 1 .kept status
	is true .draining status
	is 1 .echoes status
	[ "$(ctl connections | tail -n 1)" = '1 connections' ]
	echo 'timeout = no' >echod.conf
	run ctl reload
	echo "$output"
	[ "$status" -eq 1 ]
	is 1 .reloads_refused status
	ctl status | grep -q '^refused .*timeout'
	echo again >&5
	read -r -t 60 -u 5 line
	[ "$line" = again ]
}

@test "a socket whose file was removed is made anew by a reload" {
	: >echod.conf
	start_raw -c echod.conf -o "port=$PORT" -o "bind=$HOST" \
		-o "control-socket=$DIR/control"
	rm control
	kill -USR2 "$SERVER"
	wait_for 5 ctl status
	wait_for 5 logged reloaded
	ctl status
}

@test "a reload can move the socket, take it away and bring it back" {
	echo "control-socket = $DIR/control" >echod.conf
	start_raw -c echod.conf -o "port=$PORT" -o "bind=$HOST"
	echo "control-socket = $DIR/other" >echod.conf
	# echoctl loses its connection.  Formerly it waited half a minute for
	# an end.
	run ctl reload
	[ "$status" -eq 1 ]
	[[ $output == *"$DIR/control is gone: control-socket has changed"* ]]
	wait_for 5 "$ECHOCTL" -s other status
	wait_for 5 test ! -e control
	: >echod.conf
	kill -USR2 "$SERVER"
	wait_for 5 test ! -e other
	echo "control-socket = $DIR/control" >echod.conf
	wait_for 5 sh -c "[ \$(grep -c 'reloaded:' log) -eq 2 ]"
	kill -USR2 "$SERVER"
	wait_for 5 ctl status
	# If the new socket cannot be made, the former program continues.
	echo "control-socket = $DIR/nowhere/control" >echod.conf
	run ctl reload
	[ "$status" -eq 1 ]
	ctl status | grep -q '^refused .*nowhere'
	echoes
}
