#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Reload: another configuration for the same process, connections and queues.
# An impossible configuration is refused, and then nothing has changed.

load ../lib/common
load ../lib/reload

# A service manager at NOTIFY_SOCKET $1; ./notified has the notifications.
manager() {
	$CLIENT notify "$1" listening >notified 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -e listening
}

# The number of such notifications.
notified() {
	[ "$(grep -cx -- "$1" notified)" -eq "$2" ]
}

# fd 6 is another client.
another() {
	exec 6<>"/dev/tcp/$HOST/$PORT"
}

# --- the state that stays

# bats test_tags=quick
@test "half a line typed before reloads is completed after them, pid and pid file stay" {
	conf
	serve
	local inode
	inode=$(stat -c %i pid)
	client stay 50 ready go
	wait_for 30 test -f ready
	half
	for _ in 1 2 3 4 5; do
		reloaded
		[[ $OUTCOME =~ ,\ 51\ connections\ kept, ]]
		whole
	done
	[ "$(cat pid)" = "$SERVER" ]
	[ "$(stat -c %i pid)" = "$inode" ]
	[ "$(grep -c ' ready on ' log)" -eq 1 ]
	[ "$(grep -c 'SIGUSR2: reloading' log)" -eq 5 ]
	not grep -E 'warning: (reload|worker)' log
	touch go
	client_is_happy
	kill -0 "$SERVER"
	echoes
	exec 5>&-
	stop
	[ "$STATUS" -eq 0 ]
	[ ! -e pid ]
}

@test "no descriptor stays behind, and titles and names are as before" {
	conf workers=2
	serve
	echoes
	state >before
	reloaded
	wait_for 10 same_state
	[ "$(ps -o args= -p "$SERVER")" = "echod: master [$HOST:$PORT]" ]
	[ "$(ps -o comm= -p "$SERVER")" = echod ]
	[ "$(ps -o args= --ppid "$SERVER" | sort | tr '\n' ' ')" = \
		'echod: standby echod: worker 0 [0 connections] echod: worker 1 [0 connections] ' ]
	not grep -z ECHOD_TAKEOVER "/proc/$SERVER/environ"
}

@test "clients queued at workers that are stopped are served after the reload" {
	conf workers=2 watchdog-timeout=0
	serve
	half
	for pid in $(workers); do kill -STOP "$pid"; done
	client answered 200 queued go
	wait_for 20 test -f queued
	reloaded
	touch go
	client_is_happy
	whole
	logged 'worker 0 \(pid [0-9]+\) does not leave: killing it'
}

@test "one worker that is stopped does not hinder the reload" {
	conf workers=2 watchdog-timeout=0
	serve
	client stay 20 ready go
	wait_for 30 test -f ready
	kill -STOP "$(workers | head -n 1)"
	reloaded
	touch go
	client_is_happy
}

# --- each directive

@test "every directive that changed is told, from what to what" {
	conf workers=1 logfile=one.log
	serve
	local other p
	other=$(free_port)
	reloaded
	p="port=$other bind=127.0.0.2 tcp-backlog=99 tcp-keepalive=77
	    timeout=333 maxclients=999 workers=2 handler=discard
	    shutdown-timeout=8 shutdown-delay=1 watchdog-timeout=9 standby=no
	    pidfile=pid2 loglevel=verbose logfile=two.log syslog-ident=me
	    syslog-facility=local5"
	# shellcheck disable=SC2086 # a list
	conf $p
	reloaded
	told port "$PORT" "$other"
	told bind "$HOST" 127.0.0.2
	told tcp-backlog 511 99
	told tcp-keepalive 300 77
	told timeout 0 333
	told maxclients 10000 999
	told workers 1 2
	told handler echo discard
	told shutdown-timeout 10 8
	told shutdown-delay 0 1
	told watchdog-timeout 30 9
	told standby yes no
	told pidfile "$DIR/pid" "$DIR/pid2"
	told loglevel notice verbose
	told logfile "$DIR/one.log" "$DIR/two.log"
	told syslog-ident echod me
	told syslog-facility local0 local5
	[ "$(grep -c ' reload: ' log)" -eq 17 ]
	# And back: a removed directive has its default again.
	conf workers=1
	reloaded
	told timeout 333 0
	told logfile "$DIR/two.log" '(none)'
	[ "$(grep -c ' reload: ' log)" -eq 34 ]
	echoes
}

# bats test_tags=quick
@test "nothing changed: nothing told" {
	conf
	serve
	reloaded
	not logged ' reload: '
	not logged 'no longer'
}

# bats test_tags=quick
@test "port: the new one serves, the old one is closed, its connections live on" {
	conf
	serve
	half
	local old=$PORT
	PORT=$(free_port)
	conf
	reloaded
	told port "$old" "$PORT"
	echoes
	wait_for 10 logged "$HOST:$old is listened on no longer"
	refused "$HOST" "$old"
	whole
	[ "$(ps -o args= -p "$SERVER")" = "echod: master [$HOST:$PORT]" ]
}

@test "port: those who have just connected to the old one and sent are answered" {
	conf workers=2 watchdog-timeout=0
	serve
	for pid in $(workers); do kill -STOP "$pid"; done
	client answered 200 queued go
	wait_for 20 test -f queued
	PORT=$(free_port)
	conf
	reloaded
	touch go
	client_is_happy
	echoes
}

# A soak lost eight clients. accept-rate kept them in the queue of an address
# that was closed.
@test "port: accept-rate does not cut off those who wait at the old one" {
	conf accept-rate=1 accept-burst=1 workers=2
	serve
	client answered 10 queued go
	wait_for 20 test -f queued
	local old=$PORT
	PORT=$(free_port)
	conf accept-rate=1 accept-burst=1 workers=2
	reloaded
	wait_for 10 logged "$HOST:$old is listened on no longer"
	touch go
	client_is_happy
	echoes
}

@test "accept-rate: who came at the former rate leaves no debt to a higher one" {
	conf accept-rate=1 accept-burst=100
	serve
	client answered 95 queued go
	wait_for 20 test -f queued
	conf accept-rate=100000
	reloaded
	echoes
	touch go
	client_is_happy
}

@test "a reload that fails leaves nobody of a worker that was retiring unserved" {
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace"
	conf workers=2 watchdog-timeout=0
	serve
	client answered 8 queued go
	wait_for 20 test -f queued
	kill -STOP "$(workers | tail -n 1)"
	kill -TTOU "$SERVER"
	wait_for 10 logged '1 workers from now on'
	strace -o trace -e trace=execveat -e inject=execveat:error=ENOMEM \
		-p "$SERVER" 2>strace.err 3>&- &
	PIDS+=("$!")
	wait_for 30 grep -q attached strace.err
	kill -USR2 "$SERVER"
	wait_for 30 logged 'took over the connections of worker 1'
	touch go
	client_is_happy
	grep -q INJECTED trace
}

@test "bind: from one address to all on the same port, and back" {
	conf
	serve
	half
	for _ in 1 2; do
		conf 'bind=0.0.0.0'
		reloaded
		wait_for 10 eval "[ \"\$(grep -c '$HOST:$PORT is listened' log)\" -eq \
			\"\$(grep -c 'bind: $HOST -> ' log)\" ]"
		echoes
		(HOST=127.0.0.3 && echoes)
		conf
		reloaded
		wait_for 10 refused 127.0.0.3 "$PORT"
		echoes
	done
	whole
	told bind "$HOST" 0.0.0.0
	told bind 0.0.0.0 "$HOST"
	# The port is not left open for processes that share it.
	reloaded
	[ "$(ss -Htln "sport = :$PORT" | grep -c .)" -eq 1 ]
}

@test "bind: to and fro under load, no connection is lost" {
	conf
	serve
	under_load small:20 pipeline:5 medium:5 partial:10 churn:10 idle:50
	for _ in 1 2 3 4 5; do
		conf 'bind=0.0.0.0'
		reloaded
		conf
		reloaded
	done
	load_is_happy
}

@test "bind: addresses come and go, one that stays is not touched" {
	conf
	serve
	half
	local inode
	inode=$(ss -Htlne "sport = :$PORT" | grep -oE 'ino:[0-9]+')
	conf "bind=$HOST 127.0.0.2 127.0.0.4"
	reloaded
	for h in 127.0.0.2 127.0.0.4 "$HOST"; do (HOST=$h && echoes); done
	conf "bind=127.0.0.4 $HOST"
	reloaded
	wait_for 10 refused 127.0.0.2 "$PORT"
	for h in 127.0.0.4 "$HOST"; do (HOST=$h && echoes); done
	ss -Htlne "src $HOST:$PORT" | grep -qF "$inode"
	whole
	conf 'bind=127.0.0.4'
	reloaded
	wait_for 10 refused "$HOST" "$PORT"
	whole
}

@test "bind: ::1 added and removed" {
	ip -6 addr show dev lo 2>/dev/null | grep -q 'inet6 ::1' ||
		skip "this machine has no ::1"
	conf
	serve
	half
	conf "bind=$HOST ::1"
	reloaded
	(HOST=::1 && echoes)
	exec 6<>"/dev/tcp/::1/$PORT"
	conf
	reloaded
	wait_for 10 refused ::1 "$PORT"
	logged "\[::1\]:$PORT is listened on no longer"
	echoes
	whole
	printf 'still\n' >&6
	read -r -t 60 answer <&6
	[ "$answer" = still ]
}

@test "workers: more and fewer, connections spread evenly and all are kept" {
	conf workers=1
	serve
	under_load small:20 partial:10 idle:170
	for n in 4 2 1 3; do
		conf "workers=$n"
		reloaded
		wait_for 10 workers_are "$n"
		wait_for 20 even 200 "$n"
	done
	told workers 1 4
	told workers 4 2
	load_is_happy
	stop
	[ "$STATUS" -eq 0 ]
}

@test "workers: what SIGTTIN has added a reload takes away" {
	conf workers=1
	serve
	half
	kill -TTIN "$SERVER"
	wait_for 10 workers_are 2
	reloaded
	wait_for 10 workers_are 1
	whole
}

@test "maxclients: more than at the start" {
	conf maxclients=5
	serve
	half
	conf maxclients=40
	reloaded
	told maxclients 5 40
	$CLIENT limit 39
	whole
}

@test "maxclients: fewer; nobody is thrown out, who comes is refused" {
	conf maxclients=40
	serve
	client stay 20 ready go
	wait_for 30 test -f ready
	conf maxclients=10
	reloaded
	[ "$(timeout 60 nc.openbsd -w 5 "$HOST" "$PORT" </dev/null)" = \
		$'-ERR max number of clients reached\r' ]
	touch go
	client_is_happy
	$CLIENT limit 10
}

@test "maxclients: more than descriptors can be is clamped, as at the start" {
	ulimit -n 300
	conf maxclients=50
	serve
	conf maxclients=100000
	half
	reloaded
	logged 'reload: maxclients: 50 -> 2[0-9][0-9]$'
	logged "warning: maxclients 2[0-9][0-9]: clamped from 100000"
	whole
}

@test "timeout: silent clients are closed from then on" {
	conf
	serve
	another
	conf timeout=1
	reloaded
	$CLIENT idle 1
	local byte status=0
	read -r -t 60 -N 1 byte <&6 || status=$?
	# EOF, and no timeout
	[ "$status" -eq 1 ]
	conf timeout=0
	reloaded
	another
	sleep 1.5
	printf 'here\n' >&6
	read -r -t 60 byte <&6
	[ "$byte" = here ]
}

@test "shutdown-timeout and shutdown-delay" {
	conf
	serve
	conf shutdown-timeout=1
	reloaded
	client stuck 30000000 ready
	wait_for 20 test -f ready
	stop
	touch go
	[ "$STATUS" -eq 3 ]
	logged 'stopping, 1 s at most'
	logged 'stopped in (0\.[89]|1\.[0-4])'
}

@test "loglevel" {
	conf
	serve
	echoes
	not logged ' (debug|verbose): '
	conf loglevel=debug
	reloaded
	echoes
	wait_for 10 logged ' (debug|verbose): '
	conf loglevel=warning
	local before n
	before=$(workers)
	n=$(grep -c . log)
	kill -USR2 "$SERVER"
	wait_for 10 eval '[ "$(workers | grep -c .)" -gt 0 ] && [ "$(workers)" != "$before" ]'
	echoes
	conf loglevel=notice
	reloaded
	# Between them is "reloading" at most, which the former level lets
	# through.
	tail -n "+$((n + 1))" log | sed '/loglevel: warning -> notice/,$d' |
		tee between
	not grep reloaded: between
}

@test "logfile: lines go to the new one, the old one is let go of" {
	conf logfile=one.log
	serve
	half
	conf logfile=two.log
	reloaded
	grep -q ' ready on ' one.log
	not grep -q ' reloaded: ' one.log
	grep -q ' reloaded: ' two.log
	kill -KILL "$(workers | head -n 1)"
	wait_for 10 grep -q SIGKILL two.log
	not grep -q SIGKILL one.log
	not eval 'readlink "/proc/$SERVER/fd/"* | grep "one.log"'
	whole
	# There is none any more.
	conf
	reloaded
	not eval 'readlink "/proc/$SERVER/fd/"* | grep "\.log$" | grep -vx "$DIR/log"'
	not grep -q "logfile: $DIR/two.log -> (none)" two.log
}

@test "logfile: one that was renamed is begun anew by a reload" {
	conf logfile=one.log
	serve
	mv one.log old
	reloaded
	grep -q ' reloaded: ' one.log
	not grep -q ' reloaded: ' old
}

@test "syslog-enabled where there is no syslog" {
	[ ! -e /dev/log ] || skip "this machine has one"
	conf
	serve
	half
	conf syslog-enabled=yes
	reloaded
	told syslog-enabled no yes
	whole
}

# bats test_tags=quick
@test "handler: connections that are there keep theirs, new ones get the new one" {
	conf handler=echo
	serve
	half
	conf handler=raw
	reloaded
	another
	printf 'no newline' >&6
	local answer
	read -r -t 60 -N 10 answer <&6
	[ "$answer" = 'no newline' ]
	# fd 5 has sent half a line, and no byte of it has come back.
	not read -r -t 0.2 -N 1 answer <&5
	whole
	reloaded
	printf 'raw again' >&6
	read -r -t 60 -N 9 answer <&6
	[ "$answer" = 'raw again' ]
	whole
}

@test "tcp-keepalive: for those who come afterwards" {
	conf tcp-keepalive=0
	serve
	half
	keepalive() {
		ss -Htno state established "sport = :$PORT" | grep -c keepalive
	}
	[ "$(keepalive)" -eq 0 ]
	conf tcp-keepalive=50
	reloaded
	another
	printf 'x\n' >&6
	read -r -t 60 answer <&6
	ss -Htno state established "sport = :$PORT" |
		grep -qE 'timer:\(keepalive,(50|49|4[0-9])(\.[0-9]+)?sec,0\)'
	[ "$(keepalive)" -eq 1 ]
	conf tcp-keepalive=0
	reloaded
	another
	printf 'x\n' >&6
	read -r -t 60 answer <&6
	wait_for 10 eval '[ "$(keepalive)" -eq 0 ]'
}

@test "tcp-backlog" {
	conf
	serve
	for n in 77 200; do
		conf "tcp-backlog=$n"
		reloaded
		[ "$(ss -Htln "sport = :$PORT" | awk '{ print $3 }')" -eq "$n" ]
	done
	echoes
}

@test "pidfile: it moves" {
	conf
	serve
	mkdir run
	conf pidfile=run/other
	reloaded
	[ "$(cat run/other)" = "$SERVER" ]
	[ ! -e pid ]
	# A second service learns which process holds the file.
	PORT=$(free_port) status=0
	timeout 60 "$ECHOD" -o port=1 -o pidfile=run/other >out 2>err || status=$?
	[ "$status" -eq 1 ]
	grep -q "already running, pid $SERVER" err
	"$ECHOD" -s stop -o pidfile=run/other
	finish
	[ "$STATUS" -eq 0 ]
	[ ! -e run/other ]
}

@test "pidfile: none before, none afterwards" {
	printf '%s\n' "port $PORT" "bind $HOST" >echod.conf
	serve
	echo "pidfile pid" >>echod.conf
	reloaded
	[ "$(cat pid)" = "$SERVER" ]
	reloaded
	[ "$(cat pid)" = "$SERVER" ]
	printf '%s\n' "port $PORT" "bind $HOST" >echod.conf
	reloaded
	[ ! -e pid ]
	not eval 'readlink "/proc/$SERVER/fd/"* | grep "/pid"'
}

@test "watchdog-timeout" {
	conf watchdog-timeout=0 workers=2
	serve
	conf watchdog-timeout=1 workers=2
	reloaded
	kill -STOP "$(workers | head -n 1)"
	wait_for 10 logged 'has been stopped for 1 s'
}

@test "standby: a reload makes or ends it" {
	standby_is() {
		[ "$(standby | grep -c .)" -eq "$1" ]
	}
	conf standby=no
	serve
	half
	standby_is 0
	conf standby=yes
	reloaded
	told standby no yes
	wait_for 10 standby_is 1
	conf standby=no
	reloaded
	wait_for 10 standby_is 0
	conf
	reloaded
	wait_for 10 standby_is 1
	SERVER=$(standby)
	PIDS+=("$SERVER")
	kill -KILL "$(cat pid)"
	wait_for 10 logged "pid $SERVER has taken its place"
	whole
}

@test "daemonize: takes effect at the next start" {
	conf
	serve
	half
	conf daemonize=yes
	reloaded
	logged 'warning: daemonize yes: takes effect at the next start'
	not logged 'reload: daemonize'
	whole
	# The service is no daemon, so SIGHUP is still a stop.
	exec 5>&-
	stop HUP
	[ "$STATUS" -eq 0 ]
	logged 'SIGHUP: stopping'
}

@test "-o wins over the file after a reload, too" {
	local other
	other=$(free_port)
	conf "port=$other" maxclients=100
	serve -o "port=$PORT"
	half
	conf "port=$other" maxclients=200
	reloaded
	told maxclients 100 200
	[ "$(grep -c ' reload: ' log)" -eq 1 ]
	not listening "$other"
	echoes
	whole
}

@test "without -c: ./redis.conf is read again, and one that is new is found" {
	start_raw -o "port=$PORT" -o "bind=$HOST"
	half
	echo 'timeout 77' >redis.conf
	reloaded
	told timeout 0 77
	rm redis.conf
	reloaded
	told timeout 77 0
	whole
}

# --- requests and notifications

@test "HUP reloads a daemon" {
	conf logfile=daemon.log
	launch daemon.log -c echod.conf
	cp err err.before
	half
	conf logfile=daemon.log timeout=44
	reloaded HUP
	told timeout 0 44
	grep -q 'SIGHUP: reloading' daemon.log
	[ "$(cat pid)" = "$SERVER" ]
	whole
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$SERVER/fd/$fd")" = /dev/null ]
	done
	[ ! -s out ]
	cmp err err.before
	reloaded USR2
	exec 5>&-
	kill -TERM "$SERVER"
	wait_for 10 dead "$SERVER"
	[ ! -e pid ]
}

@test "under nohup HUP is ignored after a reload, too" {
	: >log
	conf
	nohup "$ECHOD" -c echod.conf >log 2>&1 3>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 logged ' ready on '
	reloaded
	kill -HUP "$SERVER"
	reloaded
	not logged SIGHUP
	echoes
}

@test "the service manager is told: reloading, since when, and ready again" {
	manager "$DIR/socket"
	export NOTIFY_SOCKET=$DIR/socket
	conf supervised=systemd workers=2
	serve
	wait_for 10 notified READY=1 1
	local before after usec
	before=$(python3 -c 'import time; print(time.monotonic_ns() // 1000)')
	conf supervised=systemd workers=3
	reloaded HUP
	wait_for 10 notified READY=1 2
	after=$(python3 -c 'import time; print(time.monotonic_ns() // 1000)')
	notified RELOADING=1 1
	usec=$(sed -n 's/^MONOTONIC_USEC=//p' notified)
	[ "$usec" -gt "$before" ]
	[ "$usec" -lt "$after" ]
	# They come in this order and from the same process.
	[ "$(grep -nE '^(READY|RELOADING)=1' notified | sed 's/.*://' | tr '\n' ' ')" = \
		'READY=1 RELOADING=1 READY=1 ' ]
	notified "MAINPID=$SERVER" 2
	grep -qx "STATUS=Serving on $HOST:$PORT with 3 workers" notified
	# A refused reload ends, too.
	echo nonsense >>echod.conf
	ask HUP
	[[ $OUTCOME == 'reload refused: '* ]]
	wait_for 10 notified READY=1 3
	notified RELOADING=1 2
	notified "MAINPID=$SERVER" 3
	grep -qx 'STATUS=Serving on .*; the last reload was refused: .*: unknown directive "nonsense"' notified
	# So does the last reload that is notified.
	conf supervised=no
	reloaded HUP
	wait_for 10 notified READY=1 4
	conf supervised=systemd
	reloaded USR2
	stop
	[ "$STATUS" -eq 0 ]
	wait_for 10 notified STOPPING=1 1
}

# --- more than one signal

@test "signals in quick succession: the last configuration is in force" {
	conf
	serve
	half
	for n in 1 2 3 4 5 6 7 8 9 10; do
		conf "tcp-backlog=$((100 + n))"
		kill -USR2 "$SERVER"
		sleep "0.00$((n % 5))"
	done
	in_force() {
		[ "$(ss -Htln "sport = :$PORT" | awk '{ print $3 }')" -eq 110 ]
	}
	wait_for 20 in_force
	whole
	# No command waits any more.
	sleep 0.3
	local n
	n=$(grep -c ' reloaded: ' log)
	[ "$n" -ge 1 ]
	[ "$n" -le 10 ]
	[ "$(outcomes)" -eq "$n" ]
	sleep 0.3
	outcomes_are "$n"
}

@test "ten signals while the check runs are one more reload" {
	own_program
	conf
	serve
	half
	put_script ': >checking' 'sleep 0.5' 'exit 1'
	kill -USR2 "$SERVER"
	wait_for 10 test -e checking
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -USR2 "$SERVER"
		sleep 0.01
	done
	wait_for 10 outcomes_are 2
	put "$GENUINE"
	reloaded
	outcomes_are 3
	whole
}

@test "a reload asked for while the service stops is not made" {
	conf shutdown-delay=1
	serve
	half
	kill -TERM "$SERVER"
	wait_for 10 logged 'SIGTERM: stopping'
	kill -USR2 "$SERVER"
	wait_for 10 logged 'SIGUSR2: no reload while stopping'
	whole
	exec 5>&-
	finish
	[ "$STATUS" -eq 0 ]
	not logged 'reload(ed|ing)'
}

@test "a stop while the check runs: the check is ended, the service stops" {
	own_program
	conf
	serve
	client stop_middle 5 ready
	wait_for 30 test -f ready
	put_script 'exec sleep 59.5'
	kill -USR2 "$SERVER"
	wait_for 10 pgrep -P "$SERVER" -x sleep
	local checker
	checker=$(pgrep -P "$SERVER" -x sleep)
	stop
	[ "$STATUS" -eq 0 ]
	client_is_happy
	wait_for 10 dead "$checker"
	logged 'the reload is abandoned'
	logged '5 connections drained, 0 cut'
}

@test "a stop at any moment of a reload: everybody gets the half line, status 0" {
	conf
	for d in 0 .001 .002 .003 .005 .007 .01 .015 .02 .03 .05; do
		serve
		client stop_middle 5 ready
		wait_for 30 test -f ready
		rm ready
		kill -USR2 "$SERVER"
		sleep "$d"
		stop
		echo "$d: $(tail -n 1 log)"
		client_is_happy
		[ "$STATUS" -eq 0 ]
		logged ' 5 connections drained, 0 cut, 0 bytes unsent, 0 workers'
		[ ! -e pid ]
	done
}

@test "a stop right before a reload wins" {
	conf
	serve
	kill -STOP "$SERVER"
	kill -USR2 "$SERVER"
	kill -TERM "$SERVER"
	kill -CONT "$SERVER"
	finish
	[ "$STATUS" -eq 0 ]
}

@test "a reload under which the log file is reopened and workers come" {
	conf logfile=one.log workers=1
	serve
	half
	for _ in 1 2 3; do
		kill -USR2 "$SERVER"
		kill -USR1 "$SERVER"
		kill -TTIN "$SERVER"
		wait_for 10 eval '[ "$(outcomes)" -ge 1 ]'
	done
	reloaded
	wait_for 10 workers_are 1
	whole
}

# --- refused for the configuration

# bats test_tags=quick
@test "refused: a mistake in the file, with its line" {
	conf
	serve
	echo 'maxclients many' >>echod.conf
	local n
	n=$(grep -c . echod.conf)
	refuses "echod.conf:$n: .*maxclients.*"
	[ "$(outcomes)" -eq 1 ]
	# With the mistake corrected, the reload succeeds.
	conf timeout=5
	reloaded
	told timeout 0 5
	whole
}

@test "refused: no file, none that can be read" {
	conf
	serve
	mv echod.conf away
	refuses 'echod.conf: No such file or directory'
	mkdir echod.conf
	refuses 'echod.conf: .*[Dd]irectory.*'
	rmdir echod.conf
	printf '\001\002 no text\n\n' >echod.conf
	refuses 'echod.conf:1: .*'
	mv away echod.conf
	reloaded
}

@test "refused: an address somebody else has, or the machine has not" {
	conf
	serve
	local mine=$SERVER other
	other=$(free_port)
	nc.openbsd -l 127.0.0.1 "$other" 3>&- 4>&- </dev/null &
	PIDS+=("$!")
	wait_for 10 listening "$other"
	conf "port=$other"
	refuses "bind $HOST:$other: Address already in use"
	conf "bind=$HOST 192.0.2.1"
	refuses "bind 192.0.2.1:$PORT: Cannot assign requested address"
	conf "bind=$HOST -192.0.2.1"
	reloaded
	logged "bind 192.0.2.1:$PORT: not available, skipped"
	[ "$SERVER" = "$mine" ]
}

@test "refused: another user" {
	need_root
	conf
	serve
	conf user=nobody
	refuses 'user and group cannot change from "" "" to "nobody" .* without a restart'
}

# --- echod -s

# signal_fails PATTERN ARGUMENT...: -s exits with 1 for this reason.
signal_fails() {
	local pattern=$1 status=0
	shift
	timeout 60 "$ECHOD" "$@" >out 2>err || status=$?
	cat out err
	[ "$status" -eq 1 ]
	grep -qE -- "^echod: -s [a-z]+: $pattern\$" err
}

@test "echod -s reload, reopen and stop" {
	conf logfile=one.log
	serve
	half
	"$ECHOD" -c echod.conf -s reload
	# The command has waited for the end of the reload.
	outcomes_are 1
	outcome
	[[ $OUTCOME == 'reloaded: '* ]]
	whole
	mv one.log old
	"$ECHOD" -c echod.conf -s reopen
	wait_for 10 grep -q 'SIGUSR1: log file reopened' one.log
	whole
	exec 5>&-
	# From another directory, with an absolute path of the pid file.
	conf "pidfile=$DIR/pid" logfile=one.log
	(cd / && "$ECHOD" --config "$DIR/echod.conf" --signal stop)
	finish
	[ "$STATUS" -eq 0 ]
	signal_fails "no echod is running with pidfile $DIR/pid" -c echod.conf \
		-s stop
}

# --- the command reports the result

# in_background NAME ARGUMENT...: run echod -s reload.  Its exit status will be
# in ./NAME.status, its output in ./NAME.said.
in_background() {
	local name=$1
	shift
	(status=0
		timeout 100 "$ECHOD" -c echod.conf -s reload "$@" \
			>"$name.said" 2>&1 || status=$?
		echo "$status" >"$name.status") 3>&- 4>&- 5>&- &
	PIDS+=("$!")
}

# has_said NAME STATUS PATTERN
has_said() {
	wait_for 20 test -s "$1.status"
	echo "$1: $(cat "$1.status" "$1.said")"
	[ "$(cat "$1.status")" -eq "$2" ]
	grep -qE -- "$3" "$1.said" || [ "$3" = "$(cat "$1.said")" ]
}

# Formerly the command exited with 0, and only the log had the reason.
# bats test_tags=quick
@test "echod -s reload: 1 and the reason if it is refused" {
	conf
	serve
	echo nonsense >>echod.conf
	in_background one
	has_said one 1 '^echod: -s reload: refused: echod.conf:4: unknown directive "nonsense"'
	[ "$(wc -l <one.said)" -eq 1 ]
	conf "bind=192.0.2.1"
	in_background two
	has_said two 1 '^echod: -s reload: refused: bind 192.0.2.1:.*: Cannot assign'
	conf workers=3
	in_background three
	has_said three 0 ''
	wait_for 5 eval '[ "$(worker_count)" -eq 3 ]'
}

@test "echod -s reload: 1 and the reason if it fails" {
	own_program
	conf
	serve
	put "$UPGRADES/echod-stillborn"
	ECHOD=$GENUINE in_background one
	has_said one 1 '^echod: -s reload: failed: only 0 of . workers became ready'
	put "$UPGRADES/echod-misled"
	ECHOD=$GENUINE in_background two
	has_said two 1 '^echod: -s reload: failed: arena: another layout'
	put "$GENUINE"
	in_background three
	has_said three 0 ''
}

@test "echod -s reload: each of many is told, and none twice" {
	own_program
	conf
	serve
	half
	local n
	for n in 1 2 3 4 5 6 7 8; do
		in_background "$n"
	done
	for n in 1 2 3 4 5 6 7 8; do
		has_said "$n" 0 ''
	done
	whole
	# A command during the check reports the next reload.
	put_script ': >checking' 'until [ -e go ]; do sleep 0.02; done' \
		'echo "echod: the first" >&2' 'exit 1'
	ECHOD=$GENUINE in_background a
	wait_for 10 test -e checking
	ECHOD=$GENUINE in_background b
	ECHOD=$GENUINE in_background c
	never 0 test -s b.status
	put_script 'echo "echod: the second" >&2' 'exit 1'
	touch go
	has_said a 1 'refused: the first$'
	has_said b 1 'refused: the (first|second)$'
	has_said c 1 'refused: the (first|second)$'
	put "$GENUINE"
	in_background d
	has_said d 0 ''
	whole
}

# The 65th that asked for one reload was not told and waited for a minute.
@test "echod -s reload: of too many, the last are refused at once" {
	own_program
	conf
	serve
	put_script ': >checking' 'until [ -e go ]; do sleep 0.02; done' \
		'echo "echod: the first" >&2' 'exit 1'
	ECHOD=$GENUINE in_background a
	wait_for 10 test -e checking
	local n
	for n in $(seq 66); do
		ECHOD=$GENUINE in_background "$n"
	done
	answered() {
		[ "$(find . -name '*.status' -size +0 | wc -l)" -eq "$1" ]
	}
	wait_for 30 answered 2
	[ "$(cat [0-9]*.said)" = "$(for n in 1 2; do
		echo 'echod: -s reload: refused: too many wait for the next reload'
	done)" ]
	put "$GENUINE"
	touch go
	wait_for 30 answered 67
	[ "$(grep -lx 0 ./*.status | wc -l)" -eq 64 ]
	has_said a 1 'refused: the first$'
}

@test "echod -s reload: a stop, and a kill, while it waits" {
	own_program
	conf
	serve
	put_script ': >checking' 'exec sleep 59.5'
	ECHOD=$GENUINE in_background one
	wait_for 10 test -e checking
	stop
	[ "$STATUS" -eq 0 ]
	has_said one 1 '^echod: -s reload: abandoned: the service is stopping$'
	rm checking
	put "$GENUINE"
	conf shutdown-delay=2
	serve
	kill -TERM "$SERVER"
	wait_for 10 logged 'SIGTERM: stopping'
	in_background two
	has_said two 1 '^echod: -s reload: refused: the service is stopping$'
	kill -TERM "$SERVER"
	finish
	serve
	put_script ': >checking' 'exec sleep 59.5'
	ECHOD=$GENUINE in_background three
	wait_for 10 test -e checking
	mapfile -t -O "${#PIDS[@]}" PIDS < <(pgrep -P "$SERVER" -x sleep)
	ECHOD=$GENUINE
	"$ECHOD" -c echod.conf -s kill
	has_said three 1 '^echod: -s reload: the master has ended$'
}

@test "echod -s reload: who asks is told by the service, and by nobody else" {
	own_program
	conf
	serve
	put_script ': >checking' 'until [ -e go ]; do sleep 0.02; done' 'exit 1'
	ECHOD=$GENUINE in_background one
	wait_for 10 test -e checking
	python3 - <<-'END'
	import re, socket
	names = [l.split()[-1] for l in open("/proc/net/unix")
	    if re.search(r" @[0-9a-f]{5}$", l)]
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	for name in names:
	    try:
	        s.sendto(b"0", "\0" + name[1:])
	    except OSError:
	        pass
	END
	never 0 test -s one.status
	touch go
	has_said one 1 'refused: '
}

@test "echod -s reload: a service in another network is asked, and nobody waits for it" {
	unshare --net true 2>/dev/null || skip "unshare --net is not permitted"
	conf bind=0.0.0.0
	unshare --net "$ECHOD" -c echod.conf >log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 is_ready_or_dead
	in_background one
	has_said one 1 'cannot be told to another network namespace'
	wait_for 10 outcomes_are 1
}

@test "echoctl reload says why it is refused" {
	conf control-socket="$DIR/control"
	serve
	local ctl
	ctl=$ECHOCTL
	"$ctl" -s control reload
	echo nonsense >>echod.conf
	run "$ctl" -s control reload
	[ "$status" -eq 1 ]
	[ "$output" = 'echoctl: the reload was refused: echod.conf:5: unknown directive "nonsense"' ]
	run "$ctl" -s control --json reload
	[ "$status" -eq 1 ]
	python3 -c 'import json, sys
assert "nonsense" in json.loads(sys.argv[1])["error"]' "$output"
}

@test "echod -s: nobody is hit by mistake" {
	conf
	signal_fails "no echod is running with pidfile $DIR/pid" -c echod.conf \
		-s stop
	# A process that lives and is not ours.
	sleep 59.5 3>&- 4>&- &
	local stranger=$!
	PIDS+=("$stranger")
	echo "$stranger" >pid
	for s in stop reload reopen kill; do
		signal_fails "no echod is running with pidfile $DIR/pid: it names process $stranger, which is sleep" \
			-c echod.conf -s "$s"
	done
	kill -0 "$stranger"
	: >pid
	signal_fails "no echod is running with pidfile $DIR/pid" -c echod.conf \
		-s stop
	signal_fails 'the configuration names no pidfile' -o "port=$PORT" -s stop
	signal_fails "pidfile $DIR/echod.conf/pid: Not a directory" \
		-o "pidfile=echod.conf/pid" -s stop
}

@test "echod -s: what it does not know is a mistake" {
	local status=0
	timeout 60 "$ECHOD" -s restart -o pidfile=pid >out 2>err || status=$?
	[ "$status" -eq 2 ]
	grep -qx 'echod: -s restart: not reload, stop, kill, reopen or status' err
	status=0
	echo nonsense >bad.conf
	timeout 60 "$ECHOD" -c bad.conf -s stop >out 2>err || status=$?
	[ "$status" -eq 78 ]
}
