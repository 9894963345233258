#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The service as a daemon: leaving the terminal, pid file, service manager,
# giving up root, logs, and unusual environments.

load ../lib/common

# launch ASSIGNMENT...: run with daemonize, pid file ./pid and log file
# ./daemon.log.  The exit status of the command is in $STATUS, its output in
# ./out and ./err, and the pid of the master, if there is one, in $SERVER.
launch() {
	local args=(-o "port=$PORT" -o "bind=$HOST" -o daemonize=yes
		-o pidfile=pid -o logfile=daemon.log) a
	for a in "$@"; do
		args+=(-o "$a")
	done
	STATUS=0
	timeout 60 "$ECHOD" "${args[@]}" >out 2>err 3>&- 4>&- || STATUS=$?
	SERVER=$(cat pid 2>/dev/null || true)
	# In any case this test ends the processes that serve our port.
	mapfile -t -O "${#PIDS[@]}" PIDS < <(listeners)
	echo "status $STATUS, pid $SERVER, $(cat out err)"
}

# The same, and the launch must succeed.
launched() {
	launch "$@"
	[ "$STATUS" -eq 0 ]
	[ -n "$SERVER" ]
}

# Pids of all processes that listen on our port.
listeners() {
	ss -Htlnp "sport = :$PORT" | grep -oE 'pid=[0-9]+' | sed 's/pid=//'
}

listening() {
	[ -n "$(ss -Htln "sport = :$PORT")" ]
}

all_dead() {
	local pid
	for pid in "$@"; do
		dead "$pid" || return 1
	done
}

# End the daemon $SERVER, by its pid.
stop_daemon() {
	kill -TERM "$SERVER"
	wait_for 10 dead "$SERVER"
}

# fails PATTERN ARGUMENT...: in the foreground and in the background, the start
# fails with status 1 and a reason on standard error, and no process is left.
fails() {
	local pattern=$1 status=0
	shift
	timeout 60 "$ECHOD" -o "port=$PORT" -o "bind=$HOST" "$@" \
		>out 2>err 3>&- 4>&- || status=$?
	mapfile -t -O "${#PIDS[@]}" PIDS < <(listeners)
	echo "status $status: $(cat out err)"
	[ "$status" -eq 1 ]
	grep -qE -- "$pattern" err
}

title() {
	ps -o args= -p "$1"
}

titled() {
	[ "$(title "$1")" = "$2" ]
}

# The total of connections in the titles of the workers.
titles_count() {
	local pid
	for pid in $(workers); do
		title "$pid"
	done | sed -nE 's/^echod: worker [0-9]+ \[([0-9]+) connections\]$/\1/p' |
		awk '{ n += $1 } END { exit n != '"$1"' }'
}

LINE_RE='^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} '
LINE_RE+='(master|worker [0-9]+)\[[0-9]+\] (debug|verbose|notice|warning): .+$'

# Every line of the files is a complete log line, and there is at least one.
well_formed() {
	local f
	for f in "$@"; do
		[ -s "$f" ]
		if grep -vE "$LINE_RE" "$f"; then
			return 1
		fi
	done
}

# --- daemonize

# bats test_tags=quick
@test "the launching command returns when the service echoes already" {
	for _ in {1..5}; do
		launched
		echoes
		[ ! -s out ]
		stop_daemon
	done
}

@test "daemonize says nothing on the terminal when there is nothing to say" {
	if [ "$(id -u)" -eq 0 ]; then
		launched user=nobody
	else
		launched
	fi
	[ ! -s out ]
	[ ! -s err ]
	# The same holds later.
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 grep -q SIGKILL daemon.log
	[ ! -s out ]
	[ ! -s err ]
	stop_daemon
	[ ! -s out ]
	[ ! -s err ]
}

@test "a daemon has a session of its own, no terminal, and / to work in" {
	launched workers=2
	[ "$(ps -o sid= -p "$SERVER" | tr -d ' ')" = "$SERVER" ]
	[ "$(ps -o pgid= -p "$SERVER" | tr -d ' ')" = "$SERVER" ]
	[ "$(worker_count)" -eq 2 ]
	local pid fd
	for pid in $SERVER $(workers); do
		[ "$(ps -o tty= -p "$pid" | tr -d ' ')" = '?' ]
		[ "$(readlink "/proc/$pid/cwd")" = / ]
		for fd in 0 1 2; do
			[ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ]
		done
	done
}

@test "a daemon outlives the session that launched it" {
	setsid bash -c '"$0" -o "port=$PORT" -o "bind=$HOST" -o daemonize=yes \
		-o pidfile=pid -o logfile=daemon.log >out 2>err 3>&- 4>&-
		kill -HUP 0' "$ECHOD" || true
	SERVER=$(cat pid)
	PIDS+=("$SERVER")
	sleep 0.2
	echoes
	titled "$SERVER" "echod: master [$HOST:$PORT]"
}

@test "daemonize: port in use is told, status 1, nobody left" {
	start
	fails "^echod: bind $HOST:$PORT: Address already in use" \
		-o daemonize=yes -o pidfile=pid2 -o logfile=log2
	[ ! -s out ]
	[ ! -e pid2 ]
	echoes
	stop
	not listening
}

@test "daemonize: mistakes in the configuration are told, status 78" {
	launch port=0
	[ "$STATUS" -eq 78 ]
	grep -q '^echod: -o port: ' err
	[ ! -e pid ]
	[ ! -e daemon.log ]
	not listening
}

@test "a log file that cannot be is named, in the foreground and as a daemon" {
	echo keep >file
	fails "$DIR/file/log: Not a directory" -o "logfile=$DIR/file/log"
	not listening
	fails "$DIR/file/log: Not a directory" -o "logfile=$DIR/file/log" \
		-o daemonize=yes -o pidfile=pid
	not listening
	[ ! -e pid ]
	fails "$DIR/file/a/b/log" -o logfile=file/a/b/log -o daemonize=yes
	not listening
	mkdir dir
	fails "$DIR/dir: Is a directory" -o logfile=dir
	fails "$DIR/dir: Is a directory" -o logfile=dir -o daemonize=yes
	not listening
	[ "$(cat file)" = keep ]
}

@test "a pid file that cannot be is named, in the foreground and as a daemon" {
	echo keep >file
	fails "$DIR/file/pid: Not a directory" -o pidfile=file/pid
	fails "$DIR/file/pid: Not a directory" -o pidfile=file/pid \
		-o daemonize=yes
	not listening
}

@test "missing directories of the log file are made" {
	start logfile=a/b/c/echod.log
	grep -q ' ready on ' a/b/c/echod.log
	[ "$(stat -c %a a/b)" = 755 ]
	stop
	launched logfile=d/e/%Y/echod.log
	grep -q ' ready on ' "d/e/$(date +%Y)/echod.log"
}

@test "relative log and pid files are where it was launched" {
	mkdir sub run
	cd sub
	launch logfile=../logs/daemon.log pidfile=../run/pid
	[ "$STATUS" -eq 0 ]
	cd ..
	SERVER=$(cat run/pid)
	echoes
	grep -q "master\[$SERVER\] notice: ready on " logs/daemon.log
	# The same holds when they are opened again.
	mv logs/daemon.log logs/old
	kill -USR1 "$SERVER"
	wait_for 5 test -s logs/daemon.log
	stop_daemon
	[ ! -e run/pid ]
	grep -q 'stopped in' logs/daemon.log
}

# --- the pid file

# bats test_tags=quick
@test "the pid file holds the master's pid and goes at a clean stop" {
	start pidfile=pid
	[ "$(cat pid)" = "$SERVER" ]
	[ "$(stat -c %a pid)" = 644 ]
	stop
	[ "$STATUS" -eq 0 ]
	[ ! -e pid ]
	launched
	titled "$(cat pid)" "echod: master [$HOST:$PORT]"
	stop_daemon
	[ ! -e pid ]
}

# bats test_tags=quick
@test "a second one is refused with the pid of the first" {
	start pidfile=pid
	local other
	other=$(free_port)
	fails "pidfile $DIR/pid: already running, pid $SERVER\$" \
		-o pidfile=pid -o "port=$other"
	fails "pidfile $DIR/pid: already running, pid $SERVER\$" \
		-o pidfile=pid -o "port=$other" -o daemonize=yes
	[ -z "$(ss -Htln "sport = :$other")" ]
	[ "$(cat pid)" = "$SERVER" ]
	echoes
}

@test "a start that failed leaves no pid file" {
	start
	fails 'Address already in use' -o pidfile=pid
	[ ! -e pid ]
	fails 'Address already in use' -o pidfile=pid -o daemonize=yes
	[ ! -e pid ]
}

@test "after kill -9 of the master the workers go, and a new start works" {
	launched workers=2
	local first=$SERVER pids
	pids=$(workers)
	behead "$first"
	# shellcheck disable=SC2086 # a list of pids
	wait_for 15 all_dead "$first" $pids
	[ "$(cat pid)" = "$first" ]
	launched workers=2
	[ "$SERVER" != "$first" ]
	echoes
	stop_daemon
	[ ! -e pid ]
}

@test "a pid file left from elsewhere does not stand in the way" {
	echo $$ >pid
	start pidfile=pid
	[ "$(cat pid)" = "$SERVER" ]
}

# --- addresses

@test "two on one port: the second says why not" {
	start
	fails "^echod: bind $HOST:$PORT: Address already in use\$"
	# Only an address that the machine does not have can be skipped.
	fails "^echod: bind $HOST:$PORT: Address already in use\$" \
		-o "bind=-$HOST"
	echoes
}

@test "an address that is not there is an error" {
	fails "bind 192.0.2.1:$PORT: Cannot assign requested address" \
		-o "bind=$HOST 192.0.2.1"
	fails "bind 192.0.2.1:$PORT: Cannot assign requested address" \
		-o "bind=$HOST 192.0.2.1" -o daemonize=yes
	not listening
	fails "bind: none of the " -o 'bind=-192.0.2.1'
}

@test "with - before it, it is skipped" {
	start "bind=-192.0.2.1 $HOST"
	echoes
	titled "$SERVER" "echod: master [$HOST:$PORT]"
}

@test "that an address was skipped stands in the log, not on the terminal" {
	start "bind=-192.0.2.1 $HOST" logfile=file
	grep -E "$LINE_RE" log | grep -q 'bind.*skipped'
	grep -q 'bind.*skipped' file
	[ ! -s err ]
	stop
	launched "bind=-192.0.2.1 $HOST"
	grep -q 'bind.*skipped' daemon.log
	not grep -E '192.0.2.1|skipped' err
}

@test "IPv6" {
	ip -6 addr show dev lo 2>/dev/null | grep -q 'inet6 ::1' ||
		skip "this machine has no ::1"
	HOST=::1
	start
	echoes
	[ "$(title "$SERVER")" = "echod: master [[::1]:$PORT]" ]
	"$ECHOD" --check -o "port=$PORT" -o bind=::1
	stop
	[ "$STATUS" -eq 0 ]
	start 'bind=127.0.0.1 ::1'
	echoes
	HOST=127.0.0.1
	echoes
	stop
	# :: is IPv6 only, so both wildcards work together.
	start 'bind=* ::*'
	echoes
	HOST=::1
	echoes
}

# --- what ps shows

@test "process titles: the master's addresses, the workers' connections" {
	start workers=2
	titled "$SERVER" "echod: master [$HOST:$PORT]"
	local n=0 pid
	for pid in $(workers); do
		titled "$pid" "echod: worker $n [0 connections]"
		n=$((n + 1))
	done
	[ "$n" -eq 2 ]
	$CLIENT hold 7 held 3>&- 4>&- &
	local holder=$!
	PIDS+=("$holder")
	wait_for 10 test -e held
	wait_for 5 titles_count 7
	kill -KILL "$holder"
	wait_for 5 titles_count 0
}

@test "the titles of a worker's successor" {
	start workers=2
	local first
	first=$(workers | head -n 1)
	titled "$first" 'echod: worker 0 [0 connections]'
	kill -KILL "$first"
	wait_for 5 gone "$first"
	wait_for 5 eval '[ "$(worker_count)" -eq 2 ]'
	wait_for 5 eval 'titled "$(workers | head -n 1)" "echod: worker 0 [0 connections]"'
}

# --- service managers

# Listen at NOTIFY_SOCKET $1; what arrives is in ./notified.
manager() {
	$CLIENT notify "$1" listening >notified 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -e listening
}

told_manager() {
	wait_for 5 grep -qx READY=1 notified
	grep -qx "MAINPID=$SERVER" notified
	grep -q "^STATUS=.*$HOST:$PORT" notified
	not grep STOPPING notified
	echoes
	stop
	[ "$STATUS" -eq 0 ]
	wait_for 5 grep -qx STOPPING=1 notified
	[ "$(grep -cx READY=1 notified)" -eq 1 ]
}

# bats test_tags=quick
@test "supervised systemd tells the manager that it is ready, and that it stops" {
	manager "$DIR/socket"
	NOTIFY_SOCKET=$DIR/socket start supervised=systemd
	told_manager
}

@test "supervised systemd with an abstract socket" {
	manager "@echod-test-$PORT"
	NOTIFY_SOCKET=@echod-test-$PORT start supervised=systemd
	told_manager
}

@test "supervised auto is systemd where NOTIFY_SOCKET is set" {
	manager "$DIR/socket"
	NOTIFY_SOCKET=$DIR/socket start supervised=auto daemonize=yes
	# A supervised service stays in the foreground.
	[ "$(ps -o ppid= -p "$SERVER" | tr -d ' ')" = $$ ] ||
		[ "$(ps -o ppid= -p "$SERVER" | tr -d ' ')" = "$BASHPID" ]
	told_manager
}

@test "supervised auto is no where it is not set" {
	unset NOTIFY_SOCKET
	start supervised=auto
	not logged NOTIFY_SOCKET
	echoes
	stop
	[ "$STATUS" -eq 0 ]
	launched supervised=auto
	echoes
}

@test "supervised no tells nobody" {
	manager "$DIR/socket"
	NOTIFY_SOCKET=$DIR/socket start
	echoes
	stop
	[ ! -s notified ]
}

@test "a manager that is not there is noted, and the service serves" {
	NOTIFY_SOCKET=$DIR/nobody start supervised=systemd
	wait_for 5 logged "warning: NOTIFY_SOCKET $DIR/nobody: "
	echoes
	stop
	[ "$STATUS" -eq 0 ]
	(unset NOTIFY_SOCKET && start supervised=systemd &&
		logged 'warning: .*NOTIFY_SOCKET is not set' && echoes && stop)
}

# --- containers

# Start with two workers as PID 1 of a name space.  Its pid outside is $SERVER,
# the pid of unshare is $CONTAINER.
start_contained() {
	unshare --pid --fork --mount-proc true 2>/dev/null ||
		skip "unshare --pid is not permitted"
	unshare --pid --fork --mount-proc "$ECHOD" -o "port=$PORT" \
		-o "bind=$HOST" -o workers=2 >log 2>err 3>&- 4>&- &
	CONTAINER=$!
	PIDS+=("$CONTAINER")
	wait_for 10 grep -q ' ready on ' log || {
		cat log err
		return 1
	}
	SERVER=$(pgrep -P "$CONTAINER")
	PIDS+=("$SERVER")
	logged '^[^a-z]*master\[1\] '
}

stop_contained() {
	kill -"$1" "$SERVER"
	STATUS=0
	wait "$CONTAINER" || STATUS=$?
}

@test "PID 1 of a container serves and stops" {
	for signal in TERM INT; do
		start_contained
		echoes
		kill -KILL "$(workers | head -n 1)"
		wait_for 5 logged 'killed by SIGKILL'
		echoes
		stop_contained "$signal"
		[ "$STATUS" -eq 0 ]
		logged 'stopped in '
	done
}

orphans() {
	ps -o comm= --ppid "$SERVER" | grep -cv '^echod'
}

@test "PID 1 of a container reaps orphans it never started" {
	start_contained
	local before n
	before=$(worker_count)
	# Children of a process that ends become children of PID 1.
	nsenter -t "$SERVER" -p -m sh -c \
		'for i in 1 2 3 4 5; do (sleep 0.7 &) ; done' \
		>/dev/null 2>&1 3>&- 4>&- || skip "nsenter is not permitted"
	wait_for 5 eval '[ "$(orphans)" -eq 5 ]'
	wait_for 5 eval '[ "$(orphans)" -eq 0 ]'
	[ "$(ps -o stat= --ppid "$SERVER" | grep -c '^Z')" -eq 0 ]
	[ "$(worker_count)" -eq "$before" ]
	not logged 'killed|exited'
	echoes
	stop_contained TERM
	[ "$STATUS" -eq 0 ]
}

# --- root and not

# Process $1 has no right of root any more, and has group $2.
gave_up_root() {
	local uid
	uid=$(id -u nobody)
	grep -qE "^Uid:([[:space:]]+$uid){4}\$" "/proc/$1/status"
	grep -qE "^Gid:([[:space:]]+$2){4}\$" "/proc/$1/status"
	grep -qE "^Groups:([[:space:]]+($2|$(id -G nobody | sed 's/ /|/g')))*[[:space:]]*\$" \
		"/proc/$1/status"
	grep -qE '^CapEff:[[:space:]]+0+$' "/proc/$1/status"
	grep -qE '^CapPrm:[[:space:]]+0+$' "/proc/$1/status"
}

# bats test_tags=quick
@test "user nobody: no process of it is root's, nor in root's groups" {
	need_root
	open_directory
	# The caller has groups that must be given up.
	setpriv --groups 0,4,6 "$ECHOD" -o "port=$PORT" -o "bind=$HOST" \
		-o user=nobody -o workers=2 >log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 is_ready_or_dead
	local pid
	[ "$(worker_count)" -eq 2 ]
	for pid in $SERVER $(workers); do
		cat "/proc/$pid/status"
		gave_up_root "$pid" "$(id -g nobody)"
	done
	echoes
	not logged 'running as root'
	# The same holds for the successor of a worker.
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 logged 'killed by SIGKILL'
	wait_for 5 eval '[ "$(worker_count)" -eq 2 ]'
	for pid in $(workers); do
		gave_up_root "$pid" "$(id -g nobody)"
	done
	stop
	[ "$STATUS" -eq 0 ]
}

@test "user nobody, group daemon" {
	need_root
	open_directory
	getent group daemon >/dev/null || skip "there is no group daemon"
	start user=nobody group=daemon workers=1
	gave_up_root "$SERVER" "$(getent group daemon | cut -d: -f3)"
	gave_up_root "$(workers)" "$(getent group daemon | cut -d: -f3)"
	echoes
}

@test "as root without user: a warning, once" {
	need_root
	start
	[ "$(grep -c 'warning: running as root' log)" -eq 1 ]
}

@test "user nobody: the log file is nobody's and can be opened again" {
	need_root
	open_directory
	launched user=nobody logfile=logs/a/echod.log
	[ "$(stat -c %U logs)" = nobody ]
	[ "$(stat -c %U logs/a)" = nobody ]
	[ "$(stat -c %U logs/a/echod.log)" = nobody ]
	grep -q ' ready on ' logs/a/echod.log
	mv logs/a/echod.log logs/a/old
	kill -USR1 "$SERVER"
	wait_for 5 test -s logs/a/echod.log
	[ "$(stat -c %U logs/a/echod.log)" = nobody ]
	grep -q 'reopened' logs/a/echod.log
	not grep -rE 'cannot open' logs
}

@test "user nobody: a log file that was root's is handed over" {
	need_root
	open_directory
	echo 'an older line' >daemon.log
	chmod 600 daemon.log
	launched user=nobody
	[ "$(stat -c %U daemon.log)" = nobody ]
	kill -USR1 "$SERVER"
	wait_for 5 grep -q 'SIGUSR1: .*reopened' daemon.log
	head -n 1 daemon.log | grep -qx 'an older line'
}

@test "user nobody: a pid file it may not remove stands in nobody's way" {
	need_root
	open_directory
	launched user=nobody
	[ "$(cat pid)" = "$SERVER" ]
	stop_daemon
	launched user=nobody
	[ "$(cat pid)" = "$SERVER" ]
	echoes
	stop_daemon
	# The file stays, but is empty: a number in it could become another
	# process.
	[ ! -s pid ]
	# The file is removed if the user may remove it.
	mkdir run
	chown nobody run
	launch user=nobody pidfile=run/pid
	[ "$STATUS" -eq 0 ]
	SERVER=$(cat run/pid)
	stop_daemon
	[ ! -e run/pid ]
}

@test "a port below 1024 is bound before root is given up" {
	need_root
	open_directory
	HOST=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).1
	PORT=$((RANDOM % 200 + 800))
	listening && skip "port $PORT is taken"
	start user=nobody
	echoes
}

# bats test_tags=quick
@test "it serves without being root" {
	local as=()
	if [ "$(id -u)" -eq 0 ]; then
		as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	fi
	open_directory
	mkdir mine
	chmod 777 mine
	cp "$ECHOD" echod
	chmod 755 echod
	: >log
	"${as[@]}" "$DIR/echod" -o "port=$PORT" -o "bind=$HOST" \
		-o pidfile=mine/pid -o logfile=mine/logs/echod.log \
		>log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 is_ready_or_dead
	cat log err
	echoes
	not logged 'running as root'
	[ "$(cat mine/pid)" = "$SERVER" ]
	grep -q ' ready on ' mine/logs/echod.log
	stop
	[ "$STATUS" -eq 0 ]
	[ ! -e mine/pid ]
}

@test "not being root, it refuses to become another" {
	need_root
	open_directory
	cp "$ECHOD" echod
	chmod 755 echod
	local status=0
	timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$DIR/echod" -o "port=$PORT" -o user=root >out 2>err || status=$?
	[ "$status" -eq 78 ]
	grep -q 'user: only root can become root' err
}

# --- logs

# bats test_tags=quick
@test "lines reach standard output and the log file, each well formed" {
	start logfile=file loglevel=debug workers=2
	$CLIENT churn 50
	$CLIENT resets 5
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 logged 'killed by SIGKILL'
	$CLIENT many 20
	kill -USR1 "$SERVER"
	wait_for 5 logged SIGUSR1
	stop
	[ "$STATUS" -eq 0 ]
	well_formed log file
	grep -qE '^[^a-z]*worker [01]\[[0-9]+\] ' log
	# Several processes write, so the order of two lines may differ.
	diff <(sort log) <(sort file)
	[ ! -s err ]
}

@test "loglevel keeps out what is below" {
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o loglevel=warning \
		-o logfile=file >log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 echoes
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 grep -q 'warning: .*SIGKILL' file
	not grep -E '\] (debug|verbose|notice):' file log
}

@test "a log file is appended to, not cut" {
	echo 'an older line' >file
	start logfile=file
	stop
	start logfile=file
	[ "$(head -n 1 file)" = 'an older line' ]
	[ "$(grep -c ' ready on ' file)" -eq 2 ]
}

@test "syslog" {
	need_root
	unshare --mount true 2>/dev/null ||
		skip "unshare --mount is not permitted"
	# A /dev for this test: the necessary parts of the real one, and our
	# socket.
	cat >inside <<-'END'
	set -e
	mkdir real
	mount --rbind /dev real
	mount -t tmpfs tmpfs /dev
	for node in null zero random urandom; do
		touch "/dev/$node"
		mount --bind "real/$node" "/dev/$node"
	done
	exec "$@"
	END
	unshare --mount sh inside true 2>/dev/null ||
		skip "mount is not permitted"
	rm -rf real
	cat >both <<-'END'
	$CLIENT syslog /dev/log listening >messages &
	until [ -e listening ]; do sleep 0.02; done
	echo $$ >server
	exec "$ECHOD" "$@" >log
	END
	export CLIENT ECHOD
	unshare --mount sh inside sh both -o "port=$PORT" -o "bind=$HOST" \
		-o syslog-enabled=yes -o syslog-ident=probe \
		-o syslog-facility=local3 2>err 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -s server
	wait_for 10 grep -q ' ready on ' log
	SERVER=$(cat server)
	PIDS+=("$SERVER")
	echoes
	# The listener at /dev/log is a child of the server as well.
	kill -KILL "$(pgrep -P "$SERVER" -f '^echod: worker' | head -n 1)"
	wait_for 5 grep -q SIGKILL log
	kill -TERM "$SERVER"
	wait_for 10 grep -q 'stopped in' messages
	cat messages
	local when='[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}'
	not grep -vE "^<15[67]>$when probe\[[0-9]+\]: (master|worker [0-9]+): ." \
		messages
	# local3 is 19; notice 5, warning 4.
	grep -qE "^<157>$when probe\[$SERVER\]: master: ready on " messages
	grep -qE "^<156>$when probe\[$SERVER\]: master: .*SIGKILL" messages
	[ "$(grep -c . messages)" -eq "$(grep -c . log)" ]
}

@test "without a syslog daemon it serves all the same" {
	[ ! -e /dev/log ] || skip "this machine has one"
	start syslog-enabled=yes
	echoes
	stop
	[ "$STATUS" -eq 0 ]
}

# --- environments

@test "a standard output that is closed does not stop the service" {
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" >&- 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 echoes
	kill -USR1 "$SERVER"
	kill -KILL "$(workers | head -n 1)"
	$CLIENT churn 20
	stop
	[ "$STATUS" -eq 0 ]
}

@test "a standard output whose reader is gone does not stop the service" {
	mkfifo pipe
	exec 8<>pipe
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o logfile=file \
		>pipe 2>err 3>&- 4>&- 8>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 grep -q ' ready on ' file
	exec 8>&-
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 grep -q SIGKILL file
	$CLIENT churn 20
	stop
	[ "$STATUS" -eq 0 ]
	grep -q 'stopped in' file
}

@test "a full pipe that nobody reads does not stop the service" {
	mkfifo pipe
	exec 8<>pipe
	dd if=/dev/zero of=pipe bs=4096 count=64 oflag=nonblock 2>/dev/null || true
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o loglevel=debug -o workers=2 \
		>pipe 2>err 3>&- 4>&- 8>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 echoes
	$CLIENT churn 50
	local first
	first=$(workers | head -n 1)
	kill -KILL "$first"
	wait_for 5 gone "$first"
	wait_for 5 eval '[ "$(worker_count)" -eq 2 ]'
	$CLIENT churn 50
	# When the pipe is read again, the log has the number of missing lines.
	timeout 0.5 cat <&8 >/dev/null || true
	kill -USR1 "$SERVER"
	(timeout 0.5 cat <&8 || true) >log
	exec 8>&-
	cat log
	well_formed log
	grep -qE 'warning: [1-9][0-9]* log lines lost before this: ' log
	stop
	[ "$STATUS" -eq 0 ]
}

@test "standard descriptors closed at the start: no client sees a log line" {
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o loglevel=debug \
		0<&- 1>&- 2>&- 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 echoes
	local fd
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$SERVER/fd/$fd")" = /dev/null ]
	done
	mkfifo in
	nc.openbsd -N "$HOST" "$PORT" <in >client 3>&- 4>&- &
	PIDS+=("$!")
	exec 8>in
	echo one >&8
	wait_for 5 grep -q one client
	kill -USR1 "$SERVER"
	kill -KILL "$(workers | head -n 1)"
	$CLIENT churn 10
	echo two >&8
	wait_for 5 grep -q two client
	stop
	exec 8>&-
	[ "$(cat client)" = $'one\ntwo' ]
	[ "$STATUS" -eq 0 ]
}

@test "the same with daemonize" {
	STATUS=0
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o daemonize=yes \
		-o pidfile=pid -o logfile=daemon.log \
		0<&- 1>&- 2>&- 3>&- 4>&- || STATUS=$?
	SERVER=$(cat pid)
	PIDS+=("$SERVER")
	[ "$STATUS" -eq 0 ]
	for _ in {1..5}; do
		echoes
	done
	well_formed daemon.log
	stop_daemon
}

@test "descriptors it inherited are closed" {
	echo inherited >secret
	mkfifo fifo
	exec 7<secret 8<>fifo
	start workers=1
	exec 7<&- 8>&-
	local pid
	for pid in $SERVER $(workers); do
		ls -l "/proc/$pid/fd"
		not eval "ls -l /proc/$pid/fd | grep -E 'secret|fifo'"
	done
	stop
	exec 7<secret
	launched
	exec 7<&-
	not eval "ls -l /proc/$SERVER/fd | grep secret"
}

@test "signals that were blocked or ignored at the start do not matter" {
	cat >blocked.py <<-'END'
	import os, signal, sys
	signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
	signal.signal(signal.SIGCHLD, signal.SIG_IGN)
	signal.signal(signal.SIGTERM, signal.SIG_IGN)
	signal.signal(signal.SIGPIPE, signal.SIG_IGN)
	os.execv(sys.argv[1], sys.argv[1:])
	END
	python3 blocked.py "$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o workers=2 \
		>log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 is_ready_or_dead
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 logged 'killed by SIGKILL'
	echoes
	stop
	[ "$STATUS" -eq 0 ]
}

@test "the dated log file changes at midnight" {
	if grep -q __asan_init "$ECHOD"; then
		skip "faketime's preload does not go with AddressSanitizer"
	fi
	command -v faketime >/dev/null || skip "faketime is not installed"
	TZ=UTC faketime -f '@2026-01-01 23:59:57' "$ECHOD" -o "port=$PORT" \
		-o "bind=$HOST" -o logfile=logs/%F.log >log 2>err 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 grep -q ' ready on ' log
	# faketime stays as its parent.
	SERVER=$(sed -nE 's/.* master\[([0-9]+)\] .* ready on .*/\1/p' log)
	PIDS+=("$SERVER")
	grep -q '^2026-01-01 .* ready on ' logs/2026-01-01.log
	[ ! -e logs/2026-01-02.log ]
	wait_for 10 test -e logs/2026-01-02.log
	kill -KILL "$(workers | head -n 1)"
	wait_for 5 grep -q '^2026-01-02 .*SIGKILL' logs/2026-01-02.log
	not grep SIGKILL logs/2026-01-01.log
	echoes
	well_formed logs/*.log
	kill -TERM "$SERVER"
	wait_for 10 dead "$SERVER"
	grep -q 'stopped in' logs/2026-01-02.log
}

@test "the title has nothing behind it, however long the path of the program" {
	# libbsd left a dot or a blank at the end of argv[0].  The title of a
	# master called x has 27 characters.
	local length name
	for length in 2 10 24 25 26 27 28 29 40 200; do
		name=$(printf "%0$((length - 2))d" 0)
		[ "$length" -gt 2 ] || name=.
		mkdir -p "$name"
		name=$name/x
		cp "$ECHOD" "$name"
		PORT=$(free_port)
		ECHOD=$name start workers=1
		title "$SERVER" | cat -A
		[ "$(title "$SERVER"; echo end)" = "x: master [$HOST:$PORT]
end" ]
		behead "$SERVER"
	done
}
