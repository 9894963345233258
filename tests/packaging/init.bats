#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The init script against the exit statuses of the Linux Standard Base, with
# the service in every state, and the other files of etc/ for service
# managers.  Everything is installed below a directory of the test.

load ../lib/common

# configure_for PREFIX OPTION...: configure with a cache that the tests share.
configure_for() {
	"$TOP_SRCDIR/configure" -q --cache-file="$BATS_FILE_TMPDIR/cache" \
		--prefix="$1" --with-user="$(id -un)" "${@:2}"
}

# The files for a prefix, once for all tests.  The program is not built again.
setup_file() {
	local b=$BATS_FILE_TMPDIR/build p=$BATS_FILE_TMPDIR/p
	mkdir "$b" && cd "$b" || return 1
	# shellcheck disable=SC2024 # it is our own file
	{
		configure_for "$p" &&
			make -s etc/echod.openrc install-data
	} >out 2>&1 3>&- || {
		cat out
		return 1
	}
	mkdir -p "$p/sbin"
	cp "$ECHOD" "$p/sbin/echod"
	cp "$(dirname "$ECHOD")/echod-admin" "$p/sbin/echod-admin"
}

# setup() of common.bash, and a port for the service.  Nothing of an earlier
# test is left in the prefix.
eval "lib_$(declare -f setup teardown | sed 's/^teardown/lib_teardown/')"
setup() {
	lib_setup
	P=$BATS_FILE_TMPDIR/p
	B=$BATS_FILE_TMPDIR/build
	INIT=$P/etc/init.d/echod
	PIDFILE=$P/var/run/echod/echod.pid
	rm -rf "${P:?}/var" "$P/etc/default/echod"
	sed -e "s/^port = .*/port = $PORT/" -e "s/^bind = .*/bind = $HOST/" \
		-e 's/^# shutdown-timeout = .*/shutdown-timeout = 5/' \
		"$B/etc/redis.conf" >"$P/etc/echod/redis.conf"
}

# The service is not our child; its pid is in the pid file.
teardown() {
	local pid
	for pid in $(cat "$PIDFILE" "$DIR/pid" 2>/dev/null); do
		case $(readlink "/proc/$pid/exe" 2>/dev/null) in
		"$P/sbin/"*) PIDS+=("$pid") ;;
		esac
	done
	lib_teardown
}

# lsb STATUS ACTION: the init script exits with STATUS.
lsb() {
	local want=$1 got=0
	shift
	timeout 60 "$INIT" "$@" >out 2>&1 3>&- 4>&- || got=$?
	[ "$got" -eq "$want" ] || {
		echo "$* exited with $got, not $want, and said:"
		cat out
		return 1
	}
}

root_only() {
	[ "$(id -u)" -eq 0 ] || skip "the init script wants root"
}

misconfigure() {
	echo 'port = none' >"$P/etc/echod/redis.conf"
}

served() {
	echoes "$PORT"
}

@test "stopped: each action exits as LSB says" {
	root_only
	lsb 3 status
	lsb 0 stop
	lsb 7 reload
	lsb 7 force-reload
	lsb 0 try-restart
	lsb 3 status
	lsb 0 configtest
	lsb 2
	lsb 3 no-such-action
	[ ! -e "$PIDFILE" ]
}

@test "running: each action exits as LSB says" {
	root_only
	lsb 0 start
	served
	lsb 0 status
	cp "$PIDFILE" pid
	lsb 0 start
	cmp "$PIDFILE" pid
	lsb 0 reload
	lsb 0 force-reload
	cmp "$PIDFILE" pid
	served
	lsb 0 restart
	not cmp "$PIDFILE" pid
	cp "$PIDFILE" pid
	lsb 0 try-restart
	not cmp "$PIDFILE" pid
	served
	lsb 0 stop
	lsb 3 status
	[ ! -e "$PIDFILE" ]
	not served
}

@test "a reload takes a new configuration, and keeps connections" {
	root_only
	local line
	lsb 0 start
	exec 5<>"/dev/tcp/$HOST/$PORT"
	echo before >&5
	read -r -t 60 line <&5
	[ "$line" = before ]
	echo 'workers = 3' >>"$P/etc/echod/redis.conf"
	lsb 0 reload
	three() { [ "$(worker_count "$(cat "$PIDFILE")")" -eq 3 ]; }
	wait_for 5 three
	echo after >&5
	read -r -t 60 line <&5
	[ "$line" = after ]
	exec 5>&-
	lsb 0 stop
}

@test "stale pid file: status 1, start starts, stop removes it" {
	root_only
	local gone
	sleep 0 &
	gone=$!
	wait "$gone"
	mkdir -p "${PIDFILE%/*}"
	echo "$gone" >"$PIDFILE"
	lsb 1 status
	lsb 7 reload
	lsb 0 try-restart
	lsb 1 status
	lsb 0 stop
	lsb 3 status
	echo "$gone" >"$PIDFILE"
	lsb 0 start
	lsb 0 status
	served
	lsb 0 stop
}

@test "the pid of somebody else in the pid file is left alone" {
	root_only
	tail -f /dev/null 3>&- &
	PIDS+=($!)
	mkdir -p "${PIDFILE%/*}"
	echo "$!" >"$PIDFILE"
	lsb 1 status
	lsb 7 reload
	lsb 0 stop
	kill -0 "$!"
}

@test "an empty pid file is no service" {
	root_only
	mkdir -p "${PIDFILE%/*}"
	: >"$PIDFILE"
	lsb 3 status
	lsb 0 start
	lsb 0 status
	lsb 0 stop
	[ ! -e "$PIDFILE" ]
}

@test "killed -9: status 1, and start waits for its workers' last clients" {
	root_only
	lsb 0 start
	cp "$PIDFILE" pid
	client hold 5 ready
	wait_for 10 test -f ready
	behead "$(cat pid)"
	wait_for 5 gone "$(cat pid)"
	lsb 1 status
	lsb 0 start
	lsb 0 status
	not cmp "$PIDFILE" pid
	served
	lsb 0 stop
	lsb 3 status
}

# has_standby: the service of the pid file has a standby.
has_standby() {
	[ -n "$(standby "$(cat "$PIDFILE")")" ]
}

@test "killed -9 with a standby: each action finds the new master" {
	root_only
	lsb 0 start
	local action
	for action in status reload try-restart stop; do
		wait_for 10 has_standby
		cp "$PIDFILE" pid
		standby "$(cat pid)" >next
		kill -KILL "$(cat pid)"
		lsb 0 "$action"
		[ "$action" != status ] || {
			cat out
			grep -q "pid $(cat next)" out
		}
		[ "$action" = stop ] || served
		[ "$action" = stop ] || [ "$action" = try-restart ] ||
			cmp "$PIDFILE" next
	done
	lsb 3 status
	not served
}

@test "a start that fails: exit status 1, nothing left, nothing running" {
	root_only
	tail -f /dev/null | nc.openbsd -lk "$HOST" "$PORT" >/dev/null 3>&- &
	PIDS+=($!)
	listening() { ss -Htln "sport = :$PORT" | grep -q .; }
	wait_for 5 listening
	lsb 1 start
	grep -q 'Address already in use' out
	lsb 3 status
}

@test "a wrong configuration: 6, and the service that runs is kept" {
	root_only
	lsb 0 start
	cp "$PIDFILE" pid
	misconfigure
	lsb 6 configtest
	grep -q 'redis.conf:1: port' out
	lsb 6 reload
	lsb 6 restart
	lsb 6 try-restart
	lsb 0 status
	cmp "$PIDFILE" pid
	served
	# It can be stopped nevertheless.
	lsb 0 stop
	lsb 3 status
	lsb 6 start
	lsb 3 status
}

@test "no configuration: 6; no program: 5; stop needs neither" {
	root_only
	mv "$P/etc/echod/redis.conf" conf
	lsb 6 start
	mv conf "$P/etc/echod/redis.conf"
	mv "$P/sbin/echod" program
	lsb 5 start
	lsb 5 reload
	lsb 0 stop
	lsb 3 status
	mv program "$P/sbin/echod"
}

@test "not root: 4" {
	root_only
	command -v setpriv >/dev/null || skip "setpriv is not installed"
	lsb 0 start
	local action
	for action in start stop restart reload configtest; do
		# Other users may not enter the directory of the tests.
		run setpriv --reuid 65534 --regid 65534 --clear-groups \
			sh -s "$action" <"$INIT"
		[ "$status" -eq 4 ]
	done
	lsb 0 stop
}

@test "the replaced program is still seen as the service, and reloaded into" {
	root_only
	lsb 0 start
	cp "$PIDFILE" pid
	cp "$P/sbin/echod" new
	mv new "$P/sbin/echod"
	lsb 0 status
	lsb 0 reload
	current() { [ "$(readlink "/proc/$(cat pid)/exe")" = "$P/sbin/echod" ]; }
	wait_for 5 current
	lsb 0 status
	lsb 0 stop
}

# The directories of the log and the pid file belong to the user of the
# service.  An attacker with the rights of this user could put a link to
# /etc/shadow there.  Formerly root, at the next start, gave the file to this
# user or overwrote it.
@test "a link in place of the log or the pid file is not followed" {
	root_only
	echo secret >victim
	mkdir -p "${PIDFILE%/*}"
	ln -s "$DIR/victim" "$PIDFILE"
	lsb 1 start
	rm "$PIDFILE"
	# A link of root would be followed.
	getent passwd nobody >/dev/null || skip "there is no user nobody"
	chmod 600 victim
	rm -rf "${P:?}/var"
	open_directory
	chmod a+rx "$P"
	sed -i 's/^user = .*/user = nobody/' "$P/etc/echod/redis.conf"
	mkdir -p "$P/var/log/echod"
	ln -s "$DIR/victim" "$P/var/log/echod/$(date +echod-%Y-%m-%d.log)"
	chown -h nobody "$P/var/log/echod" "$P"/var/log/echod/*
	lsb 1 start
	cat out
	[ "$(stat -c %U victim)" = root ]
	[ "$(cat victim)" = secret ]
	lsb 3 status
}

@test "pid file gone: status 0, and stop stops this one, no other" {
	root_only
	"$P/sbin/echod" -o bind="$HOST" -o port="$(free_port)" -o workers=1 \
		-o pidfile="$DIR/pid" >other.log 2>&1 3>&- 4>&- &
	local other=$!
	PIDS+=("$other")
	wait_for 10 grep -q ' ready on ' other.log
	lsb 0 start
	cp "$PIDFILE" pid.was
	PIDS+=("$(cat pid.was)")
	rm "$PIDFILE"
	lsb 0 status
	grep -q "pid $(cat pid.was)" out
	lsb 0 start
	served
	lsb 0 stop
	wait_for 5 dead "$(cat pid.was)"
	not served
	kill -0 "$other"
	lsb 3 status
	# The same if the file names another process, or cannot be read.
	lsb 0 start
	cp "$PIDFILE" pid.was
	PIDS+=("$(cat pid.was)")
	rm "$PIDFILE"
	echo "$other" >"$PIDFILE"
	lsb 0 stop
	wait_for 5 dead "$(cat pid.was)"
	kill -0 "$other"
	rm -f "$PIDFILE"
	mkfifo "$PIDFILE"
	lsb 3 status
	lsb 0 stop
}

@test "a start has descriptors for maxclients, whatever init's own limit is" {
	root_only
	# If the limit may not be raised, the start continues with the present
	# one.
	(ulimit -n 1024; lsb 0 start)
	grep '^Max open files' "/proc/$(cat "$PIDFILE")/limits" >limit
	lsb 0 stop
	(ulimit -n 1024; ulimit -n 65536) || skip "the hard limit cannot be raised here"
	grep -q '^Max open files *[0-9]* *65536 ' limit
}

@test "what the script has to say is on lines of its own" {
	root_only
	lsb 0 start
	cat out
	head -n 1 out | grep -qE '^(.* )?Starting [^:]*: echod[ .]*$'
	not grep -q 'not found' out
	lsb 0 stop
	misconfigure
	lsb 6 start
	grep -q 'redis.conf:1: port' out
	not grep -q 'Starting.*redis.conf' out
	[ "$(grep -c Starting out)" -eq 1 ]
}

@test "directories: the log's is for adm to read, and what is not root's is left" {
	root_only
	getent passwd nobody >/dev/null || skip "there is no user nobody"
	local d=$P/var/log/echod a
	rm -rf "${P:?}/var"
	open_directory
	chmod a+rx "$P"
	sed -i 's/^user = .*/user = nobody/' "$P/etc/echod/redis.conf"
	lsb 0 start
	[ "$(stat -c %U:%a "${PIDFILE%/*}")" = nobody:755 ]
	[ "$(stat -c %U:%G:%a "$d")" = nobody:adm:2750 ]
	lsb 0 stop
	# A directory to be made in a directory of the user.
	mkdir -p "$P/var/home/user" "$P/etc/default"
	chown nobody "$P/var/home"
	echo "PIDFILE=$P/var/home/user/run/echod.pid" >"$P/etc/default/echod"
	lsb 1 start
	grep -q "$P/var/home/user is not root's alone" out
	[ ! -e "$P/var/home/user/run" ]
	# In a sticky directory that every user may write to, no file can be
	# replaced.
	mkdir "$P/var/tmp"
	chmod 1777 "$P/var/tmp"
	for a in dangling "$P/var/home"; do
		ln -sfn "$a" "$P/var/tmp/run"
		echo "PIDFILE=$P/var/tmp/run/run/echod.pid" >"$P/etc/default/echod"
		lsb 1 start
		[ ! -e "$P/var/home/run" ]
	done
}

@test "etc/default is read" {
	root_only
	mkdir -p "$P/etc/default"
	echo "ECHOD_OPTS='-o workers=3'" >"$P/etc/default/echod"
	lsb 0 start
	[ "$(worker_count "$(cat "$PIDFILE")")" -eq 3 ]
	lsb 0 stop
}

@test "another echod's number in the pid file: it is left alone" {
	root_only
	"$P/sbin/echod" -o "port=$(free_port)" -o "bind=$HOST" -o workers=1 \
		>other.log 2>&1 3>&- 4>&- &
	local other=$!
	PIDS+=("$other")
	wait_for 10 grep -q ' ready on ' other.log
	mkdir -p "${PIDFILE%/*}"
	echo "$other" >"$PIDFILE"
	lsb 1 status
	lsb 7 reload
	lsb 0 start
	served
	lsb 0 status
	grep -q "pid $(cat "$PIDFILE")" out
	echo "$other" >"$PIDFILE"
	lsb 0 stop
	not served
	kill -0 "$other"
	echo "$other" >"$PIDFILE"
	lsb 0 stop
	kill -0 "$other"
	lsb 3 status
}

# A user that may read the pid file may lock it.  Formerly the script waited
# for this lock with flock(1), so the lock of a stranger delayed every start
# and stop.
@test "a stranger's lock on the pid file holds up nothing" {
	root_only
	lsb 0 start
	for _ in 1 2; do
		exec 7<"$PIDFILE"
		flock 7
		lsb 0 status
		lsb 0 reload
		lsb 0 restart
		exec 7<&-
	done
	lsb 0 stop
	lsb 3 status
}

@test "a pid file that is gone: status, reload, stop" {
	root_only
	lsb 0 start
	local pid
	pid=$(cat "$PIDFILE")
	PIDS+=("$pid")
	rm "$PIDFILE"
	lsb 0 status
	grep -q "pid $pid" out
	lsb 0 reload
	[ "$(cat "$PIDFILE")" = "$pid" ]
	rm "$PIDFILE"
	lsb 0 stop
	not served
	lsb 3 status
}

@test "a reload that is refused, or fails: not 0, and the reason is said" {
	root_only
	lsb 0 start
	cp "$P/etc/echod/redis.conf" good
	sed -i 's/^user = .*/user = nobody/' "$P/etc/echod/redis.conf"
	lsb 1 reload
	grep -q 'refused: user and group cannot change' out
	sed 's|^logfile = .*|logfile = /dev/null/log|' good \
		>"$P/etc/echod/redis.conf"
	lsb 1 reload
	grep -q 'failed: logfile /dev/null/log: Not a directory' out
	served
	lsb 0 stop
}

# openrc FUNCTION: run it as OpenRC does.
openrc() {
	local status=0
	timeout 60 sh -c 'ebegin() { echo "$*"; }
		ewarn() { echo "$*"; }
		eend() { return "$1"; }
		script=$1; shift
		RC_CMD=$1
		. "$script"
		"$@"' openrc "$B/etc/echod.openrc" "$@" >out 2>&1 3>&- 4>&- ||
		status=$?
	cat out
	return "$status"
}

@test "OpenRC: status, reload with its reason, and stop" {
	root_only
	local status=0
	mkdir -p "${PIDFILE%/*}"
	openrc status || status=$?
	[ "$status" -eq 3 ]
	lsb 0 start
	openrc status | grep -q "pid $(cat "$PIDFILE")"
	openrc reload
	sed -i 's/^user = .*/user = nobody/' "$P/etc/echod/redis.conf"
	not openrc reload
	grep -q 'refused: user and group cannot change' out
	served
	openrc stop
	not served
	tail -f /dev/null 3>&- &
	PIDS+=($!)
	echo "$!" >"$PIDFILE"
	openrc stop
	kill -0 "$!"
}

@test "all shell that is made from .in files is clean" {
	command -v shellcheck >/dev/null || skip "shellcheck is not installed"
	shellcheck "$INIT"
	# OpenRC reads variables that look unused.
	shellcheck -s sh -e SC2034 "$B/etc/echod.openrc"
	shellcheck -s bash "$TOP_SRCDIR"/etc/*.bash-completion
}

@test "nothing is left to substitute, and the configuration is good" {
	not grep -rnE '@[A-Za-z_]+@' "$P/etc" "$P/lib" "$B/etc"
	"$ECHOD" -t -c "$B/etc/redis.conf"
	"$ECHOD" -T -c "$B/etc/redis.conf" >dump
	grep -q "^pidfile = \"*$PIDFILE\"* " dump
	grep -q "^logfile = \"*$P/var/log/echod/echod-%Y-%m-%d.log\"* " dump
	# If the rule does not find its line, it leaves the line without a
	# message.
	local name
	for name in pidfile logfile supervised user control-socket; do
		grep -E "^$name = .*redis.conf:" dump
	done
}

# Formerly ten thousand silent clients of one address filled the service for
# ever.
@test "the installed configuration bounds what one address can take" {
	"$ECHOD" -T -c "$B/etc/redis.conf" >dump
	local name
	for name in timeout tcp-keepalive maxclients-per-ip; do
		grep -E "^$name = [1-9][0-9]* .*redis.conf:" dump
	done
}

# unit [CONFIGURE OPTION]: make ./echod.service as it is installed.
unit() {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	installed_unit "$@"
}

installed_unit() {
	if [ $# -eq 0 ]; then
		cp "$P/lib/systemd/system/echod.service" .
		return
	fi
	local b=$BATS_FILE_TMPDIR/b$1
	if [ ! -e "$b/done" ]; then
		mkdir "$b"
		(
			cd "$b" && configure_for "$P" "$@" &&
				make -s install-data DESTDIR="$b/d" && : >"done"
		) >out 2>&1 3>&- || {
			cat out
			return 1
		}
	fi
	cp "$b/d$P/lib/systemd/system/echod.service" .
}

# Formerly the unit had both types.  A # was to hide one of them, but make took
# it for the begin of a comment.  An older systemd complained, and a newer one
# used the last type.
@test "the installed unit has one type, the one that configure was told" {
	installed_unit
	[ "$(grep -c '^#*Type=' echod.service)" -eq 1 ]
	grep -qx 'Type=notify' echod.service
	not grep -q ReloadSignal echod.service
	installed_unit --disable-notify-reload
	cmp echod.service "$P/lib/systemd/system/echod.service"
	installed_unit --enable-notify-reload
	[ "$(grep -c '^#*Type=' echod.service)" -eq 1 ]
	grep -qx 'Type=notify-reload' echod.service
	grep -qx 'ReloadSignal=SIGCONT' echod.service
}

# Formerly systemd ended the service with its master.
@test "the installed unit outlives its master, where systemd can" {
	installed_unit --enable-exit-type
	grep -qx 'NotifyAccess=all' echod.service
	grep -qx 'ExitType=cgroup' echod.service
	grep -q '^SuccessExitStatus=SIGKILL ' echod.service
	[ "$(sed -n 's/^RestartForceExitStatus=//p' echod.service)" = \
		"$(sed -n 's/^SuccessExitStatus=\(SIG.*\)/\1/p' echod.service)" ]
	installed_unit --disable-exit-type
	not grep -q ExitType echod.service
	installed_unit
	not grep -q '@[A-Z]' echod.service
}

# A signal cannot report that the reload was refused.
@test "the unit of either type reloads by a command that tells what became of it" {
	local option
	for option in --enable-notify-reload --disable-notify-reload; do
		installed_unit $option
		[ "$(grep -c '^ExecReload=' echod.service)" -eq 1 ]
		grep -qx "ExecReload=$P/sbin/echod -c $P/etc/echod/redis.conf -o pidfile=$PIDFILE -s reload" \
			echod.service
		grep -q "^ExecStart=.* -o pidfile=$PIDFILE" echod.service
	done
}

@test "systemd-analyze verify has nothing to say about the unit" {
	local version option
	unit
	version=$(systemd-analyze --version | awk 'NR == 1 { print $2 }')
	for option in --disable-notify-reload --enable-notify-reload; do
		if [ "$option" = --enable-notify-reload ] && [ "${version%%.*}" -lt 253 ]; then
			continue
		fi
		unit $option
		MANPATH=$P/share/man run systemd-analyze verify --man=no ./echod.service
		echo "$output"
		[ "$status" -eq 0 ]
		not grep -q 'echod.service' <<<"$output"
	done
}

@test "systemd-analyze security: an exposure of 1.5 at most" {
	unit
	systemd-analyze --help | grep -q -- --offline || skip "systemd-analyze has no --offline"
	systemd-analyze security --no-pager --offline=true --threshold=15 \
		./echod.service | tail -n 3
}

@test "TimeoutStopSec is above shutdown-timeout" {
	local most
	most=$("$ECHOD" -T | sed -n 's/^shutdown-timeout = \([0-9]*\).*/\1/p')
	[ "$(sed -n 's/^TimeoutStopSec=//p' "$P/lib/systemd/system/echod.service")" -gt "$most" ]
}

# Print the system calls of a @SET of systemd, each on a line.
calls_of() {
	local name
	systemd-analyze syscall-filter --no-pager "$1" </dev/null | sed -n 's/^ \+\([@a-z0-9_-]\+\)$/\1/p' |
		while read -r name; do
			case $name in
			@*) calls_of "$name" ;;
			*) echo "$name" ;;
			esac
		done
}

@test "the unit's system call filter permits what echod calls" {
	unit
	command -v strace >/dev/null || skip "strace is not installed"
	grep -qx 'SystemCallFilter=@system-service seccomp' echod.service
	{ calls_of @system-service; echo seccomp; } | sort -u >may
	[ "$(wc -l <may)" -gt 100 ]
	{ calls_of @privileged; calls_of @resources; } | sort -u >not
	comm -23 may not >permitted
	strace -f -o trace "$ECHOD" -o bind="$HOST" -o port="$PORT" -o workers=2 \
		-o supervised=auto -o pidfile="$DIR/pid" >log 2>&1 3>&- 4>&- &
	PIDS+=($!)
	local tracer=$!
	wait_for 20 test -s pid
	SERVER=$(cat pid)
	wait_for 20 is_ready_or_dead
	served
	kill -USR2 "$SERVER"
	wait_for 20 logged 'took over|reloaded'
	served
	kill -TERM "$SERVER"
	wait "$tracer" || true
	sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' trace | sort -u >called
	[ "$(wc -l <called)" -gt 30 ]
	# clone3 may answer ENOSYS; the calls of the loader are in every set.
	run comm -23 called permitted
	echo "$output"
	[ -z "$output" ]
}

@test "bash completes options and directives" {
	local rc=/usr/share/bash-completion/bash_completion
	[ -r "$rc" ] || skip "bash-completion is not installed"
	run bash -c ". $rc; . '$TOP_SRCDIR/etc/echod.bash-completion'
		COMP_WORDS=('$ECHOD' -o work) COMP_CWORD=2 COMP_LINE='$ECHOD -o work'
		COMP_POINT=\${#COMP_LINE}
		_echod 2>/dev/null; echo \"\${COMPREPLY[*]}\""
	echo "$output"
	[ "$output" = workers= ]
}

# complete_echoctl WORD...: what bash offers for the last one.
complete_echoctl() {
	local rc=/usr/share/bash-completion/bash_completion
	[ -r "$rc" ] || skip "bash-completion is not installed"
	bash -c ". $rc; . '$TOP_SRCDIR/etc/echoctl.bash-completion'
		COMP_WORDS=('$ECHOCTL' \"\$@\") COMP_CWORD=\$# COMP_LINE=\"$ECHOCTL \$*\"
		COMP_POINT=\${#COMP_LINE}
		_echoctl 2>/dev/null; echo \"\${COMPREPLY[*]}\"" - "$@"
}

# They come from --help, which is made of the table of commands.
@test "bash completes the commands of echoctl, their keywords and options" {
	[ "$(complete_echoctl re)" = 'reload reopen renew' ]
	[ "$(complete_echoctl -s x dr)" = drain ]
	[ "$(complete_echoctl drain o)" = 'on off' ]
	[ "$(complete_echoctl loglevel v)" = verbose ]
	[ "$(complete_echoctl workers '')" = '' ]
	[ "$(complete_echoctl connections --so)" = '--sort --socket' ]
	[ "$(complete_echoctl connections --sort i)" = 'idle in' ]
	[ "$(complete_echoctl --j)" = --json ]
}
