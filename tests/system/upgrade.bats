#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Upgrade: another program takes over the same process, connections and queues.
# A program that cannot take over is refused, or gives everything back.

load ../lib/common
load ../lib/reload

export ECHOD LOAD

# The program that the master runs.
runs_version() {
	[ "$("/proc/$SERVER/exe" -v)" = "echod $1" ]
}

# Start the service with its own copy of the program.
serve_own() {
	own_program
	conf "$@"
	serve
	VERSION=$("$GENUINE" -v)
	VERSION=${VERSION#echod }
}

# The last program could not take over; the genuine program can.
still_reloads() {
	put "$GENUINE"
	reloaded
	whole
}

# --- it works

# bats test_tags=quick
@test "old, next, old again: half a line typed before is completed after it" {
	serve_own
	half
	put "$UPGRADES/echod-next"
	reloaded
	[[ $OUTCOME == "reloaded: echod $VERSION -> 9.9.9, 1 connections kept, "* ]]
	runs_version 9.9.9
	whole
	[ "$(cat pid)" = "$SERVER" ]
	[ "$(ps -o comm= -p "$SERVER")" = echod ]
	put "$GENUINE"
	reloaded
	[[ $OUTCOME == "reloaded: echod 9.9.9 -> $VERSION, 1 connections kept, "* ]]
	runs_version "$VERSION"
	whole
	# No worker of another program is left.
	for pid in $(workers); do
		[ "/proc/$pid/exe" -ef bin/echod ]
	done
	exec 5>&-
	stop
	[ "$STATUS" -eq 0 ]
}

@test "under load, 200 clients, old and next in turn: nothing lost, wrong or refused" {
	serve_own workers=2
	under_load small:40 pipeline:10 medium:10 large:4 slow:2 partial:20 \
		halfclose:8 churn:6 idle:100
	for _ in 1 2 3 4; do
		put "$UPGRADES/echod-next"
		reloaded
		runs_version 9.9.9
		put "$GENUINE"
		reloaded
		runs_version "$VERSION"
	done
	load_is_happy
	grep -q 'lost=0 ' figures
	grep -q 'refused=0 ' figures
}

@test "program and configuration at once" {
	serve_own
	half
	local old=$PORT
	PORT=$(free_port)
	conf workers=3 logfile=new.log pidfile=pid2
	put "$UPGRADES/echod-next"
	reloaded
	runs_version 9.9.9
	echoes
	whole
	wait_for 10 refused "$HOST" "$old"
	[ "$(cat pid2)" = "$SERVER" ]
	[ ! -e pid ]
	grep -q ' reloaded: ' new.log
}

@test "30 reloads in a row under load: no descriptor and no memory more" {
	PORT=$PORT "$TOP_SRCDIR/tests/stress/chaos/run" -R 30 -t 60 -r 0 -w 2 \
		small:20 pipeline:5 partial:10 halfclose:4 churn:4 idle:500
}

@test "reloads while workers are killed: nothing lost, nothing wrong" {
	conf workers=2
	# Its processes are found by its session.
	printf '#!/bin/sh\nexec setsid "%s" "$@"\n' "$ECHOD" >apart
	chmod +x apart
	ECHOD=$PWD/apart serve
	under_load small:20 pipeline:5 medium:5 partial:10 halfclose:4 churn:4 \
		idle:200
	python3 "$TOP_SRCDIR/tests/stress/chaos/killer.py" \
		"$SERVER" "$LOAD_PID" 60 \
		40 0 0 "$RANDOM" >killed 2>&1 3>&- &
	PIDS+=("$!")
	local n=0
	for _ in {1..120}; do
		[ "$n" -lt 25 ] || break
		ask
		case $OUTCOME in
		'reloaded: '*) n=$((n + 1)) ;;
		# The killer kills any child.
		'reload refused: '*' -t killed by SIGKILL; nothing'*) ;;
		*) return 1 ;;
		esac
	done
	[ "$n" -eq 25 ]
	load_is_happy
	logged 'killed by SIGKILL'
}

# --- where the program is

@test "called by a relative path" {
	serve_own
	stop
	ECHOD=bin/echod
	serve
	half
	put "$UPGRADES/echod-next"
	reloaded
	runs_version 9.9.9
	put "$GENUINE"
	reloaded
	runs_version "$VERSION"
	whole
}

@test "found in PATH" {
	serve_own
	stop
	PATH=$DIR/bin:$PATH
	ECHOD=echod
	serve
	half
	put "$UPGRADES/echod-next"
	reloaded
	runs_version 9.9.9
	# The next program also knows the path.
	put "$GENUINE"
	reloaded
	runs_version "$VERSION"
	whole
}

@test "a symbolic link that points elsewhere from now on" {
	mkdir old next
	cp "$ECHOD" old/echod
	cp "$UPGRADES/echod-next" next/echod
	ln -s old current
	ln -s current/echod echod
	ECHOD=$DIR/echod
	conf
	serve
	half
	for version in next old next; do
		ln -sfn "$version" current
		reloaded
		[ "/proc/$SERVER/exe" -ef "$version/echod" ]
		whole
	done
}

@test "a daemon: relative program, configuration, log and pid file mean the same after it" {
	own_program
	mkdir elsewhere logs
	cd elsewhere
	conf logfile=../logs/one.log pidfile=../pid
	ECHOD=../bin/echod
	launch logs/one.log -c echod.conf
	cd ..
	half
	[ "$(readlink "/proc/$SERVER/cwd")" = / ]
	cd elsewhere
	conf logfile=../logs/one.log pidfile=../pid timeout=99
	cd ..
	reloaded HUP
	told timeout 0 99
	put "$UPGRADES/echod-next"
	for n in 98 97; do
		cd elsewhere
		conf logfile=../logs/one.log pidfile=../pid timeout=$n
		cd ..
		reloaded HUP
		told timeout $((n + 1)) "$n"
	done
	runs_version 9.9.9
	[ "$(ls logs)" = one.log ]
	[ "$(grep -c ' reload: ' logs/one.log)" -eq 3 ]
	[ "$(cat pid)" = "$SERVER" ]
	whole
	exec 5>&-
	(cd elsewhere && "$ECHOD" -c echod.conf -s stop)
	wait_for 10 dead "$SERVER"
	[ ! -e pid ]
}

@test "a daemon without -c finds ./redis.conf again" {
	conf logfile=one.log
	mv echod.conf redis.conf
	launch one.log
	echo 'timeout 66' >>redis.conf
	reloaded HUP
	told timeout 0 66
	echoes
}

# --- refused at the check

# bats test_tags=quick
@test "refused: another layout of the arena" {
	serve_own
	put "$UPGRADES/echod-foreign"
	refuses 'its arena layout is 77 .*, that of the running program is [0-9]+ .*'
	still_reloads
}

@test "refused: no program, and then what is none" {
	serve_own
	rm bin/echod
	refuses "$DIR/bin/echod: No such file or directory"
	put "$GENUINE"
	chmod 644 bin/echod
	refuses "$DIR/bin/echod: Permission denied"
	echo 'no program' >text
	put text
	refuses "$DIR/bin/echod: Exec format error"
	head -c 3000 "$GENUINE" >truncated
	put truncated
	refuses "$DIR/bin/echod.*"
	: >empty
	put empty
	refuses "$DIR/bin/echod: Exec format error"
	rm bin/echod
	mkdir bin/echod
	refuses "$DIR/bin/echod: Permission denied"
	rmdir bin/echod
	still_reloads
}

@test "refused: another program" {
	serve_own
	put /bin/true
	refuses "$DIR/bin/echod cannot take over from echod .*"
	put /bin/false
	refuses "$DIR/bin/echod -t exited with status 1"
	still_reloads
}

@test "refused: a library is missing" {
	serve_own
	sed 's/libbsd\.so\.0/libbsX.so.0/g' "$GENUINE" >patched
	not cmp -s "$GENUINE" patched || skip "the program needs no libbsd.so"
	put patched
	refuses '.*libbsX\.so\.0.*'
	still_reloads
}

@test "refused: the check crashes, or says more than one line" {
	serve_own
	put_script 'kill -SEGV $$'
	refuses "$DIR/bin/echod -t killed by SIGSEGV.*"
	put_script 'echo first' 'echo second' 'echo the last' 'exit 3'
	refuses 'the last'
	# A very long line does not fit into the line of our log.
	put_script 'head -c 100000 /dev/zero | tr "\0" x' 'exit 3'
	remember
	ask
	[[ $OUTCOME =~ ^reload\ refused:\ x{500} ]]
	has_not_changed
	still_reloads
}

@test "refused: the check never ends" {
	serve_own
	put_script ': >checking' 'exec sleep 59.5'
	half
	kill -USR2 "$SERVER"
	wait_for 10 test -e checking
	# The service continues in the meantime.
	whole
	wait_for 20 logged 'reload refused: the check takes too long; nothing has changed'
	not pgrep -P "$SERVER" -x sleep
	still_reloads
}

@test "refused: a program that passes the check and cannot be executed" {
	serve_own workers=2
	# The descriptor of a script is closed before its shell reads the
	# script.
	put_script "exec '$GENUINE' \"\$@\""
	for _ in 1 2; do
		refuses "$DIR/bin/echod: No such file or directory"
		wait_for 10 workers_are 2
	done
	still_reloads
}

# --- given back after the exec

# bats test_tags=quick
@test "given back: workers die before they serve" {
	serve_own
	put "$UPGRADES/echod-stillborn"
	for _ in 1 2; do
		gives_back '.*'
	done
	still_reloads
}

# The workers of this program write into the upgrade record of the former
# program.
@test "given back: as it was, and not as a worker would have it" {
	serve_own control-socket="$DIR/control"
	put "$UPGRADES/echod-stillborn"
	gives_back '.*'
	"$ECHOCTL" -s control config >config
	grep -q '^maxclients = 10000 ' config
}

@test "given back: the arena cannot be mapped" {
	serve_own
	put "$UPGRADES/echod-misled"
	for _ in 1 2; do
		gives_back 'arena: another layout version'
	done
	still_reloads
}

@test "given back: everything the configuration changed is as it was" {
	# Slots keep their descriptors, so make them first.
	serve_own logfile=one.log workers=4
	conf logfile=one.log workers=2
	reloaded
	local old=$PORT other
	other=$(free_port)
	put "$UPGRADES/echod-stillborn"
	conf "port=$other" bind=0.0.0.0 pidfile=pid2 logfile=two.log workers=4 \
		maxclients=20000 tcp-backlog=99
	gives_back '.*'
	not listening "$other"
	[ ! -e pid2 ]
	conf "bind=127.0.0.2 $HOST" logfile=one.log workers=1 handler=raw
	gives_back '.*'
	refused 127.0.0.2 "$old"
	# The same with a configuration that changes nothing.
	conf logfile=one.log workers=2
	still_reloads
	[ "$(grep -c ' reload: [a-z]' log)" -eq 1 ]
}

# bats test_tags=quick
@test "given back: under load nobody notices" {
	serve_own workers=2
	under_load small:30 pipeline:5 medium:5 large:2 partial:10 halfclose:4 \
		churn:4 idle:100
	put "$UPGRADES/echod-stillborn"
	ask
	[[ $OUTCOME == 'reload failed: '* ]]
	put "$UPGRADES/echod-misled"
	ask
	[[ $OUTCOME == 'reload failed: '* ]]
	put "$UPGRADES/echod-next"
	reloaded
	load_is_happy
}

@test "given back: a log file that cannot be opened" {
	serve_own logfile=one.log
	echo keep >file
	conf logfile=file/two.log
	gives_back "logfile $DIR/file/two.log: Not a directory"
	[ "$(cat file)" = keep ]
	conf logfile=one.log
	still_reloads
}

@test "given back: a pid file another one holds" {
	serve_own
	local mine=$SERVER port=$PORT theirs
	theirs=$(free_port)
	"$GENUINE" -o "port=$theirs" -o "bind=$HOST" -o pidfile=theirs \
		>theirs.log 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	theirs=$!
	wait_for 10 grep -q ' ready on ' theirs.log
	conf pidfile=theirs
	gives_back "pidfile $DIR/theirs: already running, pid $theirs"
	[ "$(cat pid)" = "$SERVER" ]
	[ "$(cat theirs)" = "$theirs" ]
	conf
	still_reloads
	[ "$SERVER $PORT" = "$mine $port" ]
}

@test "given back: the service manager is told that it serves" {
	$CLIENT notify "$DIR/socket" listening >notified 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -e listening
	export NOTIFY_SOCKET=$DIR/socket
	serve_own supervised=systemd
	put "$UPGRADES/echod-stillborn"
	gives_back '.*'
	wait_for 10 grep -qx 'STATUS=Serving on .*; the last reload failed: only 0 of . workers .*' notified
	[ "$(grep -cx READY=1 notified)" -eq 2 ]
	[ "$(grep -cx "MAINPID=$SERVER" notified)" -eq 2 ]
	# The former program is deleted in the meantime.
	rm bin/echod
	put "$UPGRADES/echod-misled"
	gives_back '.*'
	[ "$(grep -cx READY=1 notified)" -eq 3 ]
}

@test "a stop at any moment of a reload that fails: everybody gets the half line, status 0" {
	serve_own workers=2 shutdown-timeout=3
	stop
	put "$UPGRADES/echod-stillborn"
	mv bin/echod stillborn
	for d in 0 .002 .005 .01 .02 .03 .05 .055 .06 .065 .1; do
		put "$GENUINE"
		serve
		client stop_middle 5 ready
		wait_for 30 test -f ready
		rm ready
		put stillborn
		kill -USR2 "$SERVER"
		sleep "$d"
		kill -TERM "$SERVER"
		wait_for 10 gone "$SERVER"
		finish
		echo "$d: status $STATUS, $(tail -n 1 log)"
		client_is_happy
		[ "$STATUS" -eq 0 ]
		logged ' 5 connections drained, 0 cut'
	done
}

@test "a reload asked for while one fails is made afterwards" {
	serve_own workers=2
	half
	put "$UPGRADES/echod-stillborn"
	kill -USR2 "$SERVER"
	wait_for 10 logged 'exited with status 11'
	put "$GENUINE"
	kill -USR2 "$SERVER"
	wait_for 10 outcomes_are 2
	outcome
	[[ $OUTCOME == 'reloaded: '* ]]
	whole
}

# --- root and not

@test "user nobody: reloads, and cannot do what only root can" {
	need_root
	open_directory
	mkdir run logs
	chown nobody run logs
	own_program
	conf user=nobody pidfile=run/pid logfile=logs/one.log
	chmod 644 echod.conf
	serve
	VERSION=$("$GENUINE" -v)
	ln -s run/pid pid
	half
	PORT=$(free_port)
	local port=$PORT
	conf user=nobody pidfile=run/pid logfile=logs/one.log
	put "$UPGRADES/echod-next"
	reloaded
	whole
	echoes
	[ "$(ps -o uid= -p "$SERVER" | tr -d ' ')" = "$(id -u nobody)" ]
	for pid in $(workers); do
		[ "$(ps -o uid= -p "$pid" | tr -d ' ')" = "$(id -u nobody)" ]
	done
	conf user=nobody pidfile=run/pid logfile=logs/two.log
	reloaded
	[ "$(stat -c %U logs/two.log)" = nobody ]
	# A file that the user nobody may not read.
	chmod 600 echod.conf
	refuses 'echod.conf: Permission denied'
	conf user=daemon pidfile=run/pid logfile=logs/two.log
	refuses 'echod.conf:[0-9]+: user: only root can become daemon'
	# A pid file in a directory that the user nobody may not write to.
	conf user=nobody pidfile=pid3 logfile=logs/two.log
	gives_back "pidfile $DIR/pid3: Permission denied"
	# A program that only root may execute.
	conf user=nobody pidfile=run/pid logfile=logs/two.log
	chmod 700 bin/echod
	refuses "$DIR/bin/echod: Permission denied"
	chmod 711 bin/echod
	reloaded
	whole
	if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -eq 1024 ] &&
	    ! listening 997; then
		conf user=nobody pidfile=run/pid logfile=logs/two.log port=997
		refuses "bind $HOST:997: Permission denied\; ports below 1024 take CAP_NET_BIND_SERVICE, .*"
	fi
	[ "$PORT" = "$port" ]
	exec 5>&-
	stop
	[ "$STATUS" -eq 0 ]
}

@test "user nobody: a log file that was root's, and was renamed, is written to as before" {
	# Formerly neither this program nor the former one could open the file,
	# and the service ended with all connections.
	need_root
	open_directory
	mkdir logs
	own_program
	conf user=nobody pidfile= logfile=logs/log
	chmod 644 echod.conf
	serve
	exec 5<>"/dev/tcp/$HOST/$PORT"
	printf 'half ' >&5
	mv logs/log logs/log.1
	reloaded
	grep -q 'logfile .*/logs/log: cannot open, still writing to the former file: Permission denied' logs/log.1
	grep -q ' reloaded: ' logs/log.1
	put "$UPGRADES/echod-stillborn"
	ask
	[[ $OUTCOME == 'reload failed: '* ]]
	grep -q ' reload failed: ' logs/log.1
	echo 'a line' >&5
	[ "$(timeout 60 head -n 1 <&5)" = 'half a line' ]
	exec 5>&-
	stop
	[ "$STATUS" -eq 0 ]
}

@test "user nobody: a configuration it cannot reach is not one that is not there" {
	# Formerly the reload applied the built-in defaults.
	need_root
	open_directory
	mkdir private
	cd private || return 1
	printf 'port = %s\nbind = %s\nuser = nobody\n' "$PORT" "$HOST" >redis.conf
	chmod 700 .
	start_raw
	ask
	[[ $OUTCOME == *'redis.conf: Permission denied'* ]]
	echoes
	chmod 755 .
	reloaded
	stop
	[ "$STATUS" -eq 0 ]
}
