#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The destinations of log lines: a syslog daemon of either kind, the journal,
# descriptors, removed files, full disks, a clock that is set, directories of
# other users.  No line arrives twice, and no line is lost without a report.

load ../lib/common

# Make a /dev for this test, with a /dev/log; `in_room` runs commands in there.
make_room() {
	need_root
	unshare --mount true 2>/dev/null ||
		skip "unshare --mount is not permitted"
	cat >inside <<-'END'
	set -e
	mkdir real
	mount --rbind /dev real
	mount -t tmpfs tmpfs /dev
	for node in null zero random urandom; do
		touch "/dev/$node"
		mount --bind "real/$node" "/dev/$node"
	done
	ln -s /proc/self/fd /dev/fd
	mount -t tmpfs tmpfs /run
	mkdir -p small /run/systemd/journal
	mount -t tmpfs -o size=64k tmpfs small
	touch furnished
	exec tail -f /dev/null
	END
	unshare --mount sh inside 2>inside.err 3>&- 4>&- &
	ROOM=$!
	PIDS+=("$ROOM")
	wait_for 10 furnished_or_dead
	[ -e furnished ] || skip "mount is not permitted"
}

furnished_or_dead() {
	[ -e furnished ] || dead "$ROOM"
}

in_room() {
	# shellcheck disable=SC2016 # for that shell
	nsenter --target "$ROOM" --mount -- sh -c 'cd "$0" && exec "$@"' \
		"$DIR" "$@"
}

# spawn_in_room NAME COMMAND...: run it in the background.  $SPAWNED is the pid
# of the command, not of a shell around it.
spawn_in_room() {
	local name=$1
	shift
	rm -f "$name.pid"
	# shellcheck disable=SC2016 # for that shell
	in_room sh -c 'echo $$ >"$0.pid"; exec "$@"' "$name" "$@" &
	PIDS+=("$!")
	wait_for 10 test -s "$name.pid"
	SPAWNED=$(cat "$name.pid")
	PIDS+=("$SPAWNED")
}

# Start a server in the room; its log is ./log.
start_in_room() {
	local args=(-o "port=$PORT" -o "bind=$HOST") a
	for a in "$@"; do
		args+=(-o "$a")
	done
	: >log
	spawn_in_room server "$ECHOD" "${args[@]}" >log 2>err 3>&- 4>&-
	SERVER=$SPAWNED
	wait_for 10 echoes
}

# A syslog daemon in the room, `syslog` or `syslog_stream`; what arrives is in
# ./$2.
syslog_daemon() {
	rm -f listening
	in_room rm -f /dev/log
	# shellcheck disable=SC2086 # two words
	spawn_in_room daemon $CLIENT "$1" /dev/log listening >"$2" 2>&1 \
		3>&- 4>&-
	DAEMON=$SPAWNED
	wait_for 10 test -e listening
}

kill_a_worker() {
	local pid
	pid=$(workers | head -n 1)
	kill -KILL "$pid"
	wait_for 5 gone "$pid"
}

# A client connects and leaves, and a worker logs it.
a_client() {
	$CLIENT churn 1
}

end_of() {
	kill -KILL "$1"
	wait_for 5 dead "$1"
}

stop_in_room() {
	kill -TERM "$SERVER"
	wait_for 10 dead "$SERVER"
}

# --- syslog

@test "syslog by a stream socket: every line arrives, with NUL at its end" {
	# Formerly every line was lost without a report, by EPROTOTYPE.
	make_room
	syslog_daemon syslog_stream messages
	start_in_room syslog-enabled=yes loglevel=verbose
	a_client
	kill_a_worker
	stop_in_room
	wait_for 5 grep -q 'stopped in' messages
	[ "$(grep -c . messages)" -eq "$(grep -c . log)" ]
	grep -qE '^<13[0-9]>.* echod\[[0-9]+\]: worker [0-9]+: .* accepted' \
		messages
	not grep -v '^<' messages
	not grep -E 'lost|/dev/log' log
}

@test "a stream daemon that comes again is found, by a worker's line too" {
	make_room
	syslog_daemon syslog_stream first
	start_in_room syslog-enabled=yes loglevel=verbose workers=1
	local before
	before=$(in_room readlink "/proc/$SERVER/fd/"* | grep -c socket)
	wait_for 5 grep -q 'ready on' first
	end_of "$DAEMON"
	syslog_daemon syslog_stream second
	# The worker cannot connect, so the master does, and writes the line.
	a_client
	wait_for 5 grep -q ': worker 0: .* accepted' second
	a_client
	wait_for 5 grep -q ': worker 0: .* closed' second
	kill_a_worker
	wait_for 5 grep -q ': master: .*SIGKILL' second
	# The daemon still listens, but no longer at this path.
	local second=$DAEMON
	syslog_daemon syslog_stream third
	wait_for 10 eval 'a_client; grep -q accepted third'
	end_of "$second"
	a_client
	not logged 'lost'
	# The descriptor is the same from the start to the end.
	[ "$(in_room readlink "/proc/$SERVER/fd/"* | grep -c socket)" \
		-eq "$before" ]
}

@test "a daemon of the other kind in its place is found" {
	make_room
	syslog_daemon syslog first
	start_in_room syslog-enabled=yes loglevel=verbose workers=1
	wait_for 5 grep -q 'ready on' first
	end_of "$DAEMON"
	syslog_daemon syslog_stream second
	a_client
	wait_for 5 grep -q ': worker 0: .* accepted' second
	end_of "$DAEMON"
	syslog_daemon syslog third
	a_client
	wait_for 5 grep -q ': worker 0: .* closed' third
	kill_a_worker
	wait_for 5 grep -q ': master: .*SIGKILL' third
	not logged 'lost'
}

@test "no syslog daemon: one warning in the other logs, and a count when it comes" {
	make_room
	start_in_room syslog-enabled=yes loglevel=verbose logfile=file
	for _ in {1..5}; do
		a_client
	done
	kill_a_worker
	wait_for 5 logged SIGKILL
	[ "$(grep -c 'warning: syslog /dev/log: No such file' log)" -eq 1 ]
	[ "$(grep -c 'warning: syslog /dev/log: No such file' file)" -eq 1 ]
	syslog_daemon syslog messages
	a_client
	wait_for 5 grep -qE 'warning|lost' messages
	head -n 1 messages | grep -qE \
	    ': [1-9][0-9]* log lines lost before this: No such file'
	# The other logs lost nothing.
	not grep 'lost before this' log
	not grep 'lost before this' file
	stop_in_room
}

@test "a syslog daemon that does not read: counted there, told here, nobody waits" {
	make_room
	cat >deaf.py <<-'END'
	import os, socket, sys, time
	s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
	s.bind("/dev/log")
	s.listen(5)
	open("listening", "w").close()
	peer = s.accept()[0]
	while not os.path.exists("read"):
	    time.sleep(0.02)
	with open("messages", "wb", 0) as f:
	    while data := peer.recv(65536):
	        f.write(data.replace(b"\0", b"\n"))
	END
	spawn_in_room deaf python3 deaf.py 3>&- 4>&-
	wait_for 10 test -e listening
	start_in_room syslog-enabled=yes loglevel=debug
	timeout 60 $CLIENT churn 2000
	wait_for 10 logged 'warning: syslog /dev/log: Resource temporarily'
	touch read
	wait_for 5 eval 'kill -USR1 "$SERVER"; grep -aq SIGUSR1 messages'
	stop_in_room
	grep -qE ': [1-9][0-9]* log lines lost before this: Resource' messages
	# No message is glued to another.
	not grep -avE '^<[0-9]+>[^<]*$' messages
}

# --- the journal

# Run a server with its standard output ($1=1) or error (2) to the journal.
start_in_journal() {
	local stream=$1 args=(-o "port=$PORT" -o "bind=$HOST") a
	shift
	for a in "$@"; do
		args+=(-o "$a")
	done
	$CLIENT journal "$stream" "$ECHOD" "${args[@]}" >journal 2>err \
		3>&- 4>&- &
	JOURNAL=$!
	PIDS+=("$JOURNAL")
	wait_for 10 eval "grep -q 'ready on' journal || dead $JOURNAL"
	SERVER=$(pgrep -P "$JOURNAL" || true)
	PIDS+=(${SERVER:+"$SERVER"})
}

# bats test_tags=quick
@test "lines for the journal: priority, role and text, and nothing twice" {
	# Formerly every line had priority 6, and time, pid and level twice.
	start_in_journal 1 loglevel=debug workers=1
	a_client
	kill_a_worker
	wait_for 5 grep -q SIGKILL journal
	kill -TERM "$SERVER"
	wait "$JOURNAL"
	cat journal
	not grep -vE '^<[4-7]>(master|worker [0-9]+): .' journal
	grep -q '^<5>master: ready on ' journal
	grep -q '^<4>master: .*SIGKILL' journal
	grep -q '^<6>worker 0: .* accepted' journal
	[ "$(grep -c 'ready on' journal)" -eq 1 ]
}

@test "the log file beside the journal is what it always is" {
	start_in_journal 1 logfile=file
	grep -q '^<5>master: ready on ' journal
	grep -qE '^[0-9]{4}-.* master\[[0-9]+\] notice: ready on ' file
}

@test "errors at the start are errors in the journal" {
	start_in_journal 2 "bind=192.0.2.1"
	cat journal
	grep -qE '^<3>bind 192.0.2.1:[0-9]+: Cannot assign' journal
	not grep -q 'echod:' journal
	# Standard output does not lead to the journal.
	start_in_journal 2 "port=0"
	grep -q '^<3>-o port: ' journal
}

@test "JOURNAL_STREAM that is another's, or nonsense, means nothing" {
	local value
	for value in 1:2 x 1: :2 1:2:3 -1:5 "$(stat -c '%d:%i' .)x"; do
		JOURNAL_STREAM=$value start
		logged '^[0-9]{4}-.* notice: ready on '
		stop
	done
	: >log
	JOURNAL_STREAM=$(stat -c '%d:%i' log) start
	logged '^<5>master: ready on '
}

@test "syslog in the journal's hands: no line twice" {
	make_room
	in_room ln -s /run/systemd/journal/dev-log /dev/log
	in_room $CLIENT syslog /run/systemd/journal/dev-log listening \
		>messages 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -e listening
	in_room $CLIENT journal 1 "$ECHOD" -o "port=$PORT" -o "bind=$HOST" \
		-o syslog-enabled=yes -o workers=1 >journal 2>err 3>&- 4>&- &
	JOURNAL=$!
	PIDS+=("$JOURNAL")
	wait_for 10 eval 'cat journal messages | grep -q "ready on"'
	SERVER=$(sed -nE 's/.*echod\[([0-9]+)\]: master: ready.*/\1/p' messages)
	PIDS+=("$SERVER")
	kill_a_worker
	wait_for 5 eval 'cat journal messages | grep -q SIGKILL'
	kill -TERM "$SERVER"
	wait "$JOURNAL"
	wait_for 5 eval 'cat journal messages | grep -q "stopped in"'
	cat journal messages | sed -E 's/.*(master|worker [0-9]+)(\[[0-9]+\] [a-z]+)?: //' |
		sort | uniq -d >twice
	cat twice
	[ ! -s twice ]
	grep -q 'SIGKILL' messages
}

# --- descriptors

@test "logfile = /dev/stdout is standard output, once" {
	local name
	ln -s /dev/stdout link
	ln -s link again
	for name in /dev/stdout /dev/fd/1 /proc/self/fd/1 /dev//stdout \
	    "$DIR/link" again; do
		echo "$name"
		start "logfile=$name"
		kill -USR1 "$SERVER"
		wait_for 5 logged 'no log file to reopen'
		stop
		[ "$STATUS" -eq 0 ]
		[ "$(grep -c ' ready on ' log)" -eq 1 ]
		[ "$(grep -c 'stopped in' log)" -eq 1 ]
		[ -L link ]
	done
}

@test "logfile = /dev/stderr is standard error, and nothing else" {
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o logfile=/dev/stderr \
		>out 2>log 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 logged 'ready on'
	kill -HUP "$SERVER"
	finish
	[ "$(grep -c 'ready on' log)" -eq 1 ]
	[ ! -s out ]
}

@test "logfile = /dev/stdout: a pipe, a socket, another user, a reload" {
	local as=()
	mkfifo pipe
	cat pipe >log &
	PIDS+=("$!")
	[ "$(id -u)" -ne 0 ] || as=(-o user=daemon)
	open_directory
	mkdir bin
	cp "$ECHOD" bin/echod
	chmod 755 bin bin/echod
	"$DIR/bin/echod" -o "port=$PORT" -o "bind=$HOST" "${as[@]}" \
		-o logfile=/dev/stdout >pipe 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 logged 'ready on'
	kill -USR2 "$SERVER"
	wait_for 10 logged 'reloaded: '
	stop
	wait_for 5 logged 'stopped in'
	[ "$(grep -c ' ready on ' log)" -eq 1 ]
	[ "$(grep -c 'reloaded: ' log)" -eq 1 ]
	# A socket in the place of the journal's stream, which is not a stream.
	$CLIENT journal 1 env -u JOURNAL_STREAM "$DIR/bin/echod" \
		-o "port=$PORT" -o "bind=$HOST" "${as[@]}" \
		-o logfile=/dev/stdout >log 2>err 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 logged 'ready on'
	PIDS+=("$(pgrep -P "$!")")
	[ "$(grep -c ' ready on ' log)" -eq 1 ]
	[ ! -s err ]
}

@test "the standard output of another process, by its path in /proc" {
	# In containers, the standard output of PID 1.
	mkfifo pipe
	cat pipe >log &
	PIDS+=("$!")
	tail -f /dev/null >pipe 3>&- 4>&- &
	local other=$!
	PIDS+=("$other")
	wait_for 5 test "/proc/$other/fd/1" -ef pipe
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" \
		-o "logfile=/proc/$other/fd/1" >out 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 logged 'ready on'
	stop
	wait_for 5 logged 'stopped in'
	cmp log out
}

# refused PATTERN ASSIGNMENT...: the assignment is a mistake in the
# configuration.
refused() {
	local pattern=$1 args=() a status=0
	shift
	for a in "$@"; do
		args+=(-o "$a")
	done
	"$ECHOD" -t "${args[@]}" 2>err || status=$?
	cat err
	[ "$status" -eq 78 ]
	grep -qE -- "$pattern" err
}

@test "names of descriptors that cannot be used are mistakes" {
	refused 'logfile: /dev/stdout is standard output, which a daemon' \
		logfile=/dev/stdout daemonize=yes
	refused 'logfile: /dev/fd/2 is standard error, which a daemon' \
		logfile=/dev/fd/2 daemonize=yes
	refused 'logfile: /dev/fd/7 is descriptor 7: the log can only go to' logfile=/dev/fd/7
	refused 'logfile: /dev/stdin is descriptor 0: the log can only go to' logfile=/dev/stdin
	refused 'pidfile: /dev/stdout is the name of a descr' pidfile=/dev/stdout
	refused 'control-socket: /dev/fd/9 is the name of a desc' \
		control-socket=/dev/fd/9
	"$ECHOD" -t -o logfile=/dev/null -o daemonize=yes
	"$ECHOD" -t -o logfile=/dev/fdx -o daemonize=yes
}

@test "a log file that is standard output: no line twice" {
	: >log
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o logfile=log \
		>>log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 logged 'ready on'
	[ "$(grep -c 'ready on' log)" -eq 1 ]
	# A renamed file is no longer standard output.
	mv log older
	kill -USR1 "$SERVER"
	wait_for 5 logged 'SIGUSR1: .*reopened'
	wait_for 5 grep -q 'SIGUSR1: .*reopened' older
}

# --- files that are removed

# bats test_tags=quick
@test "a log file that is removed in use is made anew, by a worker's line too" {
	start logfile=logs/file loglevel=verbose workers=1
	rm logs/file
	kill_a_worker
	wait_for 5 grep -q SIGKILL logs/file
	grep -q 'it was removed, renamed or replaced' logs/file
	rm -r logs
	# A worker sees that the file has no name, and gives the line to the
	# master.
	a_client
	wait_for 10 grep -q closed logs/file
	grep -q accepted logs/file
	[ "$(stat -L -c %i "/proc/$SERVER/fd/"* | grep -cx \
		"$(stat -c %i logs/file)")" -ge 1 ]
	# Another file takes its place.
	mv logs/file logs/other
	echo foreign >logs/file
	kill_a_worker
	wait_for 5 grep -q SIGKILL logs/file
	not grep -q SIGKILL logs/other
	grep -qx foreign logs/file
}

@test "one that cannot be made anew is told once, and lines go on to the former" {
	need_root
	open_directory
	mkdir logs
	start user=daemon logfile=logs/file workers=1
	mv logs/file logs/former
	local n
	for n in 1 2 3; do
		kill_a_worker
		wait_for 5 eval '[ "$(grep -c SIGKILL logs/former)" -eq '$n' ]'
	done
	[ "$(grep -c 'logs/file: cannot open, still writing' log)" -eq 1 ]
	[ ! -e logs/file ]
}

@test "logrotate -f does not take the file of the day away" {
	need_root
	command -v logrotate >/dev/null || skip "logrotate is not installed"
	open_directory
	local name
	name=logs/echod-$(date +%F).log
	mkdir logs
	sed -e "s|@pkglogdir@|$DIR/logs|" -e '/su @serviceuser@/d' \
		"$TOP_SRCDIR/etc/echod.logrotate.in" >conf
	echo 'of old' >logs/echod-2020-01-01.log
	touch -d '20 days ago' logs/echod-2020-01-01.log
	start "logfile=$DIR/logs/echod-%Y-%m-%d.log" workers=1
	logrotate -s state -f conf
	grep -q 'ready on' logs/*
	kill_a_worker
	wait_for 5 grep -q SIGKILL "$name"
	# By itself logrotate keeps the files of the last two weeks only.
	local n
	for n in 1 2 3; do
		# Pretend that it is the next day.
		sed -i -E "s/ 20[0-9-]+:[0-9]+:[0-9]+:[0-9]+$/ 2020-1-2-0:0:0/" state
		logrotate -s state conf
	done
	ls logs
	not ls logs | grep 2020
	grep -q SIGKILL "$name"
}

# --- a full disk

@test "a full disk glues no lines together, and counts in the log that lost them" {
	make_room
	start_in_room logfile=small/file loglevel=debug workers=2
	in_room dd if=/dev/zero of=small/filling bs=1k count=100 \
		2>/dev/null || true
	local n
	for n in {1..40}; do
		$CLIENT churn 10
	done
	in_room rm small/filling
	kill_a_worker
	wait_for 5 in_room grep -q SIGKILL small/file
	in_room cat small/file >file
	cat file
	# A truncated line stands alone.
	not grep -aE '.20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:.]+ (master|worker)' file
	grep -qE 'warning: [1-9][0-9]* log lines lost before this: No space' file
	[ "$(grep -c 'warning: logfile .*small/file: No space left' log)" -eq 1 ]
	not grep 'lost before this' log
	# One log has all lines.  The other log has all except the counted
	# ones.
	local lost
	lost=$(sed -nE 's/.* ([0-9]+) log lines lost .*/\1/p' file |
		awk '{ n += $1 } END { print n }')
	stop_in_room
	in_room grep -acE '^20.*[a-z0-9)]$' small/file >have
	echo "lost $lost, have $(cat have), log $(grep -c . log)"
	[ "$lost" -gt 50 ]
}

# --- the clock

@test "a clock that is set leaves no line in the wrong day's file" {
	if grep -q __asan_init "$ECHOD"; then
		skip "faketime's preload does not go with AddressSanitizer"
	fi
	local library
	library=$(find /usr/lib /usr/local/lib -name libfaketime.so.1 2>/dev/null |
		head -n 1)
	[ -n "$library" ] || skip "libfaketime is not installed"
	# A file sets the clock, at once for all processes.  The sandbox would
	# deny reading the file.
	echo '@2026-01-01 12:00:00' >clock
	TZ=UTC LD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=$DIR/clock \
		FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 \
		FAKETIME_DONT_FAKE_MONOTONIC=1 start_raw -o "port=$PORT" \
		-o "bind=$HOST" -o sandbox=no -o workers=1 -o loglevel=verbose \
		-o logfile=logs/%F.log
	local day
	for day in 2026-01-05 2026-01-03 2026-01-09 2026-01-01; do
		echo "@$day 12:00:00" >clock
		# The line of a worker comes first.
		a_client
		wait_for 5 grep -q "^$day .* accepted" "logs/$day.log"
		kill_a_worker
		wait_for 5 grep -q "^$day .* SIGKILL" "logs/$day.log"
	done
	for day in 2026-01-05 2026-01-03 2026-01-09 2026-01-01; do
		not grep -v "^$day " "logs/$day.log"
	done
}

# --- directories of other users

# Make a library to preload.  It refuses the calls that kernels with
# fs.protected_regular=2, and filters of system calls, refuse.
make_shim() {
	if grep -q __asan_init "$ECHOD"; then
		skip "a preload does not go with AddressSanitizer"
	fi
	command -v cc >/dev/null || skip "there is no cc"
	cat >shim.c <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <errno.h>
	#include <fcntl.h>
	#include <stdarg.h>
	#include <sys/stat.h>
	#include <unistd.h>
	static int denied(int dir, const char *path, int flags)
	{
		struct stat f;
		return (flags & O_CREAT) && fstatat(dir, path, &f, 0) == 0 &&
		    S_ISREG(f.st_mode) && f.st_uid != geteuid();
	}
	#define TAKE mode_t mode = 0; va_list ap; va_start(ap, flags); \
		if (flags & O_CREAT) mode = va_arg(ap, mode_t); va_end(ap);
	#define OPEN(name) int name(const char *path, int flags, ...) { \
		int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name); \
		TAKE if (denied(AT_FDCWD, path, flags)) { errno = EACCES; \
		return -1; } return real(path, flags, mode); }
	#define OPENAT(name) int name(int dir, const char *path, int flags, ...) { \
		int (*real)(int, const char *, int, ...) = \
		    dlsym(RTLD_NEXT, #name); \
		TAKE if (denied(dir, path, flags)) { errno = EACCES; \
		return -1; } return real(dir, path, flags, mode); }
	OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)
	#define NEVER(name, ...) int name(__VA_ARGS__) \
		{ errno = EPERM; return -1; }
	#ifdef NO_CHOWN
	NEVER(chown, const char *p, uid_t u, gid_t g)
	NEVER(lchown, const char *p, uid_t u, gid_t g)
	NEVER(fchown, int fd, uid_t u, gid_t g)
	NEVER(fchownat, int fd, const char *p, uid_t u, gid_t g, int f)
	#endif
	END
	cc -shared -fPIC "$@" -o shim.so shim.c -ldl
}

@test "a log file of user's in /tmp is opened at the second start, too" {
	# fs.protected_regular: O_CREAT on an existing file is refused even to
	# root.
	need_root
	open_directory
	make_shim
	mkdir tmp
	chmod 1777 tmp
	local n
	for n in 1 2; do
		LD_PRELOAD=$DIR/shim.so start user=daemon logfile=tmp/file
		kill -USR1 "$SERVER"
		wait_for 5 grep -q 'SIGUSR1: log file reopened' tmp/file
		stop
		[ "$STATUS" -eq 0 ]
	done
	[ "$(grep -c 'ready on' tmp/file)" -eq 2 ]
	[ "$(stat -c %U tmp/file)" = daemon ]
	# A file of root in a directory of root is still given to the user.
	mkdir mine
	: >mine/file
	LD_PRELOAD=$DIR/shim.so start user=daemon logfile=mine/file
	[ "$(stat -c %U mine/file)" = daemon ]
}

@test "where there is nothing to change, no owner is changed" {
	# The filter of the systemd unit refuses chown.  Formerly a logfile in
	# a new directory failed.
	make_shim -DNO_CHOWN
	LD_PRELOAD=$DIR/shim.so start logfile=a/b/file
	grep -q 'ready on' a/b/file
	stop
	need_root
	open_directory
	mkdir theirs
	chown daemon theirs
	LD_PRELOAD=$DIR/shim.so start user=daemon logfile=theirs/a/file
	[ "$(stat -c %U theirs/a)" = daemon ]
	stop
	LD_PRELOAD=$DIR/shim.so start user=daemon logfile=theirs/a/file
}

@test "the group of a directory with the setgid bit stays that of its files" {
	need_root
	open_directory
	mkdir theirs mine
	chown daemon:adm theirs
	chown root:adm mine
	chmod 2750 theirs
	chmod 2755 mine
	start user=daemon logfile=theirs/a/file
	[ "$(stat -c %U:%G theirs/a/file)" = daemon:adm ]
	stop
	start user=daemon logfile=mine/file
	[ "$(stat -c %U:%G mine/file)" = daemon:adm ]
	stop
	start user=daemon logfile=mine/a/file
	[ "$(stat -c %U:%G mine/a/file)" = daemon:adm ]
	stop
	# A /var/log that a group can write, as on some systems.
	mkdir ours
	chgrp adm ours
	chmod 775 ours
	start user=daemon logfile=ours/file
	[ "$(stat -c %U:%G ours/file)" = "daemon:$(id -gn daemon)" ]
}

@test "a device or a pipe that is the log file keeps its owner" {
	# Formerly logfile = /dev/null and a user gave /dev/null to this user.
	need_root
	open_directory
	mkfifo pipe
	mknod null c 1 3 2>/dev/null || cp -a /dev/null null
	exec 8<>pipe
	local file
	for file in pipe null; do
		start user=daemon "logfile=$file"
		[ "$(stat -c %U "$file")" = root ]
		stop
	done
	exec 8>&-
}

# Make files of root, which must stay unchanged.
make_victims() {
	need_root
	open_directory
	mkdir victim theirs
	echo secret >victim/file
	chmod 600 victim/file
	chown daemon theirs
}

victims_are_whole() {
	[ "$(stat -c %U:%a victim victim/file | tr '\n' ' ')" = \
		'root:755 root:600 ' ]
	[ "$(cat victim/file)" = secret ]
	[ "$(ls victim)" = file ]
}

# Run a command as the user of the service.
as_daemon() {
	setpriv --reuid=daemon --regid=daemon --clear-groups "$@"
}

try_to_start() {
	timeout 60 "$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o user=daemon \
		-o "logfile=$1" >log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 is_ready_or_dead
	kill -TERM "$SERVER" 2>/dev/null || true
	wait "$SERVER" || true
}

@test "links in a directory of user's lead root nowhere" {
	make_victims
	as_daemon ln -s ../victim theirs/folder
	as_daemon ln -s ../victim/file theirs/file
	as_daemon ln -s ../victim/new theirs/new
	local name
	for name in folder/file folder/new folder/sub/new file new; do
		echo "$name"
		try_to_start "theirs/$name"
		victims_are_whole
		grep -q "logfile $DIR/theirs/$name: Permission denied" err
	done
	# Hard links, if the kernel lets other users make them.
	mkdir shared
	chmod 1777 shared
	ln victim/file theirs/hard
	ln victim/file shared/hard
	for name in theirs/hard shared/hard; do
		try_to_start "$name"
		victims_are_whole
		grep -q "logfile $DIR/$name: Permission denied" err
	done
	# The user may follow its own links, as when it opens the file again.
	as_daemon mkdir theirs/own
	as_daemon ln -s own theirs/way
	as_daemon ln -s own/b theirs/log
	for name in way/a log; do
		start user=daemon "logfile=theirs/$name"
		stop
	done
	[ "$(stat -c %U theirs/own/a theirs/own/b | uniq)" = daemon ]
	# Root follows links of root.
	ln -s theirs/own mine
	start user=daemon logfile=mine/c
	[ "$(stat -c %U theirs/own/c)" = daemon ]
}

@test "root without user follows no links of others, symbolic or hard" {
	make_victims
	local name
	as_daemon ln -s ../victim/file theirs/file
	as_daemon ln -s ../victim theirs/folder
	as_daemon mkdir theirs/hard
	ln victim/file theirs/hard/file
	for name in file folder/new hard/file; do
		timeout 60 "$ECHOD" -o "port=$PORT" -o "bind=$HOST" \
			-o "logfile=theirs/$name" >log 2>err || true
		grep -qE "logfile .*: Too many (levels|links)" err
		victims_are_whole
	done
}

@test "an attacker that swaps names while root starts gets nothing" {
	make_victims
	cat >attack.py <<-'END'
	import os, pwd
	os.chdir("theirs")
	os.setgroups([])
	os.setgid(pwd.getpwnam("daemon").pw_gid)
	os.setuid(pwd.getpwnam("daemon").pw_uid)
	def go(f, *a):
	    try:
	        f(*a)
	    except OSError:
	        pass
	while not os.path.exists("../enough"):
	    for _ in range(200):
	        go(os.rmdir, "sub")
	        go(os.symlink, "../victim", "sub")
	        go(os.unlink, "sub")
	        go(os.unlink, "log")
	        go(os.symlink, "../victim/file", "log")
	        go(os.unlink, "log")
	        go(os.rename, "sub", "sub.old")
	    go(os.rename, "sub.old/file", "moved")
	END
	python3 attack.py 3>&- 4>&- &
	local attacker=$! n
	PIDS+=("$attacker")
	for n in {1..15}; do
		try_to_start theirs/sub/file
		victims_are_whole
		try_to_start theirs/log
		victims_are_whole
	done
	touch enough
	wait "$attacker"
}
