#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The process of a pid file: signals reach only the echod that holds the file,
# and other users cannot disturb this.

load ../lib/common

# lock KIND FILE: a process of the user nobody locks FILE until the test ends,
# by flock(2), or by fcntl(2) for reading or writing.  Its pid is $LOCKER.
lock() {
	local kind=$1 file=$2
	rm -f locked
	# The directory of python3 may be closed to this user.
	cat >locker.py <<-'END'
	import fcntl, os, sys, time
	os.setgroups([])
	os.setgid(65534)
	os.setuid(65534)
	kind, name = sys.argv[1:3]
	f = open(name, "r+" if kind == "write" else "r")
	if kind == "flock":
	    fcntl.flock(f, fcntl.LOCK_EX)
	else:
	    fcntl.lockf(f, fcntl.LOCK_EX if kind == "write" else fcntl.LOCK_SH)
	print("locked", flush=True)
	time.sleep(300)
	END
	python3 locker.py "$kind" "$file" >locked 2>&1 3>&- 4>&- &
	LOCKER=$!
	PIDS+=("$LOCKER")
	wait_for 10 grep -q locked locked || {
		cat locked
		return 1
	}
}

# A process that is no echod; its pid is $STRANGER.
stranger() {
	sleep 300.5 3>&- 4>&- &
	STRANGER=$!
	PIDS+=("$STRANGER")
}

# says STATUS PATTERN ARGUMENT...: echod exits with STATUS and a line that
# matches.
says() {
	local want=$1 pattern=$2 status=0
	shift 2
	timeout 60 "$ECHOD" "$@" >said 2>&1 3>&- 4>&- || status=$?
	echo "status $status: $(cat said)"
	[ "$status" -eq "$want" ]
	grep -qE -- "$pattern" said
	# No process has such a number.
	not grep -qE 'pid -|process -|process 0' said
}

runs() {
	says 0 "^.*echod is running, pid $SERVER\$" -o pidfile=pid -s status
}

reachable() {
	open_directory
	need_root
	command -v setpriv >/dev/null || skip "setpriv is not installed"
}

# A user that can read a file can lock it.  Formerly such a lock prevented a
# start ("already running, pid -1"), and with it `-s stop` of root reached the
# process whose number was in the file.
@test "a lock of a stranger does not make the number in the file an echod's" {
	reachable
	stranger
	local kind s
	for kind in flock read write; do
		rm -f pid
		echo "$STRANGER" >pid
		chmod 666 pid
		lock "$kind" pid
		for s in stop reload reopen kill; do
			says 1 "-s $s: no echod is running with pidfile $DIR/pid: .*process" \
				-o pidfile=pid -s "$s"
		done
		if [ "$kind" = write ]; then
			says 4 "locked by process $LOCKER \(python3\), which is not an echod" \
				-o pidfile=pid -s status
		else
			says 1 "it names process $STRANGER, which is sleep" \
				-o pidfile=pid -s status
		fi
		kill -0 "$STRANGER"
		kill -0 "$LOCKER"
	done
}

@test "a lock of a stranger does not keep the service from starting" {
	reachable
	local kind warnings
	for kind in flock read write; do
		rm -f pid
		: >pid
		chmod 666 pid
		lock "$kind" pid
		start pidfile=pid
		echoes
		runs
		warnings=$(cat log err | grep -c "pidfile $DIR/pid: " || true)
		if [ "$kind" = flock ]; then
			[ "$warnings" -eq 0 ]	# it is in nobody's way
		else
			[ "$warnings" -eq 1 ]
			grep -q "locked by process $LOCKER (python3), which is not an echod; another file has taken its place" err
		fi
		[ "$(cat pid)" = "$SERVER" ]
		[ "$(find . -name 'pid.*')" = '' ]
		says 1 "pidfile $DIR/pid: already running, pid $SERVER\$" \
			-o pidfile=pid -o "port=$PORT" -o "bind=$HOST"
		"$ECHOD" -o pidfile=pid -s stop
		finish
		[ "$STATUS" -eq 0 ]
		kill -0 "$LOCKER"
	done
}

@test "a lock that comes while the service runs changes nothing" {
	reachable
	start pidfile=pid
	lock flock pid
	runs
	"$ECHOD" -o pidfile=pid -s reload
	runs
	"$ECHOD" -o pidfile=pid -s stop
	finish
	start pidfile=pid
	runs
}

# In a directory that the user cannot write to, no other file can take the
# place of this one.
@test "a locked pid file that cannot be replaced: it serves, and is found" {
	reachable
	cp "$ECHOD" echod
	mkdir fixed
	: >fixed/pid
	chown 65534 fixed/pid
	lock read fixed/pid
	: >log
	setpriv --reuid=65534 --regid=65534 --clear-groups "$DIR/echod" \
		-o "port=$PORT" -o "bind=$HOST" -o "pidfile=$DIR/fixed/pid" >log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 is_ready_or_dead
	cat log err
	grep -q "locked by process $LOCKER .*; going on without a lock" err
	echoes
	says 0 "running, pid $SERVER" -o pidfile=fixed/pid -s status
	says 1 "already running, pid $SERVER" -o pidfile=fixed/pid -o port=1
	kill -KILL "$LOCKER"
	wait_for 5 gone "$LOCKER"
	says 1 "already running, pid $SERVER" -o pidfile=fixed/pid -o port=1
	"$ECHOD" -o pidfile=fixed/pid -s stop
	finish
	[ "$STATUS" -eq 0 ]
}

@test "the lock outlives reloads, of any way to write the path of the file" {
	own() {
		runs
		says 1 "already running, pid $SERVER\$" -o pidfile=pid \
			-o port=1
	}
	mkdir dir
	ln -s . here
	for path in pid ./pid dir/../pid here/pid "$DIR/pid"; do
		echo "pidfile = $path" >conf
		if [ "$path" = pid ]; then
			start_raw -c conf -o "port=$PORT" -o "bind=$HOST"
		else
			"$ECHOD" -c conf -s reload
		fi
		own
		[ "$(cat pid)" = "$SERVER" ]
	done
	# The close of a second descriptor of the file would release the lock.
	"$ECHOD" -c conf -s reload
	own
	[ "$(find "/proc/$SERVER/fd" -lname "$DIR/pid" | wc -l)" -eq 1 ]
	stop
	[ ! -e pid ]
}

@test "somebody looks at the descriptors all the time: the lock outlives reloads" {
	start pidfile=pid
	(trap 'exit 0' TERM
		while ls "/proc/$SERVER/fd" "/proc/$SERVER/fdinfo"; do :; done) \
		>/dev/null 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	for _ in {1..5}; do
		"$ECHOD" -o pidfile=pid -s reload
		runs
	done
}

@test "a pid file that was removed, or is another's: the service is found, and a reload makes it anew" {
	start pidfile=pid
	stranger
	rm pid
	runs
	says 1 'Address already in use' -o pidfile=pid -o "port=$PORT" \
		-o "bind=$HOST"
	echo "$STRANGER" >pid
	runs
	"$ECHOD" -o pidfile=pid -s reload
	[ "$(cat pid)" = "$SERVER" ]
	runs
	rm pid
	"$ECHOD" -o pidfile=pid -s stop
	finish
	[ "$STATUS" -eq 0 ]
	kill -0 "$STRANGER"
}

@test "what is no file of its own is not written to" {
	echo keep >victim
	ln victim pid
	start pidfile=pid
	runs
	[ "$(cat victim)" = keep ]
	grep -q 'another name, too; another file has taken its place' err
	stop
	mkfifo fifo
	says 1 "pidfile $DIR/fifo: not a regular file" -o pidfile=fifo -o port=1
	says 1 'pidfile /dev/null: not a regular file' -o pidfile=/dev/null \
		-o port=1
	ln -s victim link
	says 1 "pidfile $DIR/link: Too many levels" -o pidfile=link -o port=1
	[ "$(cat victim)" = keep ]
}

# With fs.protected_regular, the kernel refuses O_CREAT for a file of another
# user in a directory such as /tmp.
@test "a pid file that is there is opened, not created" {
	command -v strace >/dev/null || skip "strace is not installed"
	: >pid
	# A traced process cannot look for leaks.
	ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=open,openat,openat2 -o trace "$ECHOD" -o pidfile=pid \
		-o "port=$PORT" -o "bind=$HOST" >log 2>&1 3>&- 4>&- &
	local tracer=$!
	PIDS+=("$tracer")
	wait_for 20 grep -q ' ready on ' log
	"$ECHOD" -o pidfile=pid -s stop
	wait "$tracer"
	grep -q "$DIR/pid\"" trace
	not grep "$DIR/pid\".*O_CREAT" trace
}

# bats test_tags=quick
@test "status: running, dead, stopped and unknown" {
	says 3 "no echod is running with pidfile $DIR/pid\$" -o pidfile=pid \
		-s status
	start pidfile=pid
	runs
	stop
	: >pid
	says 3 "no echod is running with pidfile $DIR/pid\$" -o pidfile=pid \
		-s status
	sleep 0 3>&- &
	wait "$!"
	echo "$!" >pid
	says 1 "no echod is running with pidfile $DIR/pid\$" -o pidfile=pid \
		-s status
	mkdir directory
	says 4 "pidfile $DIR/pid/x: Not a directory" -o pidfile=pid/x -s status
	says 4 'names no pidfile' -s status
}

@test "a master that was killed: no signal, and a start waits for its workers" {
	start pidfile=pid workers=2 standby=no
	local first=$SERVER frozen
	frozen=$(workers | head -n 1)
	PIDS+=("$frozen")
	kill -STOP "$frozen"
	behead "$first"
	wait_for 5 gone "$first"
	says 150 "the workers of process $first, which was killed, are still finishing" \
		-o pidfile=pid -s status
	says 1 'are still finishing' -o pidfile=pid -s stop
	(wait_for 10 grep -q 'still finishing' err && kill -CONT "$frozen") \
		3>&- 4>&- &
	rm -f err
	start pidfile=pid shutdown-timeout=30
	grep -q "pidfile $DIR/pid: the workers of process $first, which was killed" err
	[ "$SERVER" != "$first" ]
	runs
	echoes
}

has_standby() {
	[ -n "$(standby)" ]
}

# The number in the file and the pid of the lock are those of the new master.
@test "a master that was killed, and its standby: the file is the new master's" {
	start pidfile=pid
	for _ in 1 2 3 4 5; do
		wait_for 10 has_standby
		SERVER=$(standby)
		PIDS+=("$SERVER")
		kill -KILL "$(cat pid)"
		runs
		[ "$(cat pid)" = "$SERVER" ]
		says 1 "already running, pid $SERVER\$" -o pidfile=pid -o port=1
	done
	# The lock itself: with another number in the file.
	echo 1 >pid
	runs
	rm pid
	runs
	"$ECHOD" -o pidfile=pid -s reload
	[ "$(cat pid)" = "$SERVER" ]
	runs
	"$ECHOD" -o pidfile=pid -s stop
	wait_for 10 dead "$SERVER"
	wait_for 5 eval '! [ -e pid ]'
	says 3 'no echod is running' -o pidfile=pid -s status
}

# A lock for reading is in nobody's way, so the new master may find one.
@test "a stranger locks the file while the master changes: the service is found" {
	reachable
	start pidfile=pid
	cat >reader.py <<-'END'
	import fcntl
	f = open("pid")
	print("here", flush=True)
	while True:
	    try:
	        fcntl.lockf(f, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 0x6563686f64)
	        fcntl.lockf(f, fcntl.LOCK_UN, 1, 0x6563686f64)
	    except OSError:
	        pass
	END
	python3 reader.py >reading 2>&1 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 grep -q here reading
	for _ in 1 2 3 4 5; do
		wait_for 10 has_standby
		SERVER=$(standby)
		PIDS+=("$SERVER")
		kill -KILL "$(cat pid)"
		wait_for 5 runs
		says 1 "already running, pid $SERVER\$" -o pidfile=pid -o port=1
	done
}

@test "-s kill ends the service, and its standby" {
	start pidfile=pid
	wait_for 10 has_standby
	local second
	second=$(standby)
	PIDS+=("$second")
	"$ECHOD" -o pidfile=pid -s kill
	wait_for 5 dead "$SERVER"
	wait_for 5 dead "$second"
	released() {
		"$ECHOD" -o pidfile=pid -s status >said 2>&1 || [ $? -eq 1 ]
	}
	wait_for 20 released
	cat said
	grep -q 'no echod is running' said
}

@test "one that waits for the workers of another can be stopped" {
	start pidfile=pid shutdown-timeout=60 standby=no
	local first=$SERVER frozen
	frozen=$(workers | head -n 1)
	PIDS+=("$frozen")
	kill -STOP "$frozen"
	behead "$first"
	wait_for 5 gone "$first"
	"$ECHOD" -o pidfile=pid -o "port=$PORT" -o "bind=$HOST" \
		-o shutdown-timeout=3600 >log 2>err 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 5 grep -q 'still finishing' err
	kill -INT "$SERVER"
	wait_for 5 dead "$SERVER"
	finish
	[ "$STATUS" -eq 1 ]
}

# --- processes that cannot be seen

# A container and its host share the volume of a pid file.  The number is that
# of the container, usually 1.  Formerly `-s stop` on the host reached process
# 1 of the host.
@test "from outside of a container: the service is hit, and process 1 is not" {
	unshare --pid --fork --mount-proc true 2>/dev/null ||
		skip "unshare --pid is not permitted"
	cat >host <<-'END'
	trap 'echo hit >>hit' TERM USR1 HUP
	unshare --pid --fork --mount-proc "$ECHOD" -o "bind=$HOST" \
		-o "port=$PORT" -o pidfile=pid >log 2>&1 &
	n=500
	until grep -q ' ready on ' log || [ "$n" -eq 0 ]; do
		n=$((n - 1)); sleep 0.02
	done
	cat pid >number
	inside=$(cat "/proc/$!/task/$!/children")
	"$ECHOD" -o pidfile=pid -s status >status 2>&1
	echo "$? $(cat status)" >status
	echo "$inside" | tr -d ' ' >inside
	for s in reload reopen stop; do
		"$ECHOD" -o pidfile=pid -s "$s" >>said 2>&1
		echo "$?" >>results
	done
	wait "$!"
	END
	export ECHOD
	timeout 60 unshare --pid --fork --mount-proc --kill-child bash host \
		3>&- 4>&- || true
	cat status results said log
	[ "$(cat number)" = 1 ]
	[ ! -e hit ]
	[ "$(cat status)" = "0 echod is running, pid $(cat inside)" ]
	[ "$(tr '\n' ' ' <results)" = '0 0 0 ' ]
	logged 'echod -s reload: reloading'
	logged 'stopped in'
}

@test "from inside of a container: a service of the host's is not to be seen, nor hit" {
	unshare --pid --fork --mount-proc true 2>/dev/null ||
		skip "unshare --pid is not permitted"
	start pidfile=pid
	unshare --pid --fork --mount-proc "$ECHOD" -o pidfile=pid -s stop \
		>out 2>err 3>&- 4>&- && false
	cat err
	grep -qE 'no echod is (visible|running) with pidfile .*(not visible from here|which was killed)' err
	not grep -qE 'process (-|0)' err
	unshare --pid --fork --mount-proc "$ECHOD" -o pidfile=pid -o port=1 \
		-o shutdown-timeout=0 >out 2>err 3>&- 4>&- && false
	cat err
	not grep -qE 'pid (-|0)' err
	runs
	echoes
}

# In a name space of its own the next number can be chosen.
@test "the number of a killed master, which a stranger has now: no signal" {
	unshare --pid --fork --mount-proc sh -c \
		'echo 500 >/proc/sys/kernel/ns_last_pid' 2>/dev/null ||
		skip "the next pid cannot be chosen"
	cat >inside <<-'END'
	"$ECHOD" -o "bind=$HOST" -o "port=$PORT" -o pidfile=pid -o workers=1 \
		-o shutdown-timeout=40 -o standby=no >log 2>&1 &
	master=$!
	n=500
	until grep -q ' ready on ' log || [ "$n" -eq 0 ]; do
		n=$((n - 1)); sleep 0.02
	done
	exec 5<>"/dev/tcp/$HOST/$PORT"
	echo line >&5; read -r line <&5
	kill -KILL "$master"
	wait "$master"
	echo $((master - 1)) >/proc/sys/kernel/ns_last_pid
	sleep 30.5 &
	echo "$! $master $(cat pid)" >numbers
	for s in stop reload kill reopen; do
		"$ECHOD" -o pidfile=pid -s "$s" >>said 2>&1
		echo "$?" >>results
	done
	kill -0 "$!" && echo alive >>numbers
	END
	export ECHOD
	timeout 60 unshare --pid --fork --mount-proc --kill-child bash inside \
		3>&- 4>&- || true
	cat numbers said results
	[ "$(tr '\n' ' ' <results)" = '1 1 1 1 ' ]
	read -r a b c <numbers
	[ "$a $a" = "$b $c" ]
	grep -qx alive numbers
}

# Only the initial name space reports the number of a dead process.
@test "the same on the machine itself" {
	need_root
	[ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] ||
		skip "in a PID namespace of its own"
	[ -w /proc/sys/kernel/ns_last_pid ] || skip "the next pid cannot be chosen"
	start pidfile=pid workers=1 shutdown-timeout=60 standby=no
	local master=$SERVER frozen n s
	frozen=$(workers)
	PIDS+=("$frozen")
	kill -STOP "$frozen"
	behead "$master"
	wait "$master" || true
	for n in {1..200}; do
		echo $((master - 1)) >/proc/sys/kernel/ns_last_pid
		sleep 300.5 3>&- 4>&- &
		PIDS+=("$!")
		[ "$!" -ne "$master" ] || break
		kill -KILL "$!"
		[ "$n" -lt 200 ] || skip "others have taken the number"
	done
	says 150 "the workers of an echod that was killed are still finishing; its pid, $master, now belongs to another process \([a-z]+\)" \
		-o pidfile=pid -s status
	for s in stop reload kill reopen; do
		says 1 "its pid, $master, now belongs to another" -o pidfile=pid -s "$s"
	done
	kill -0 "$master"
}

@test "without /proc: status, reload, stop, and a second start" {
	need_root
	if grep -q __asan_init "$ECHOD"; then skip "AddressSanitizer needs /proc"; fi
	unshare --mount true 2>/dev/null ||
		skip "unshare --mount is not permitted"
	start pidfile=pid
	cat >blind <<-'END'
	mount -t tmpfs none /proc
	set -x
	"$ECHOD" -o pidfile=pid -s status || exit
	"$ECHOD" -o pidfile=pid -o port=1 && exit 9
	"$ECHOD" -o pidfile=pid -s reload || exit
	"$ECHOD" -o pidfile=pid -s stop
	END
	export ECHOD
	unshare --mount sh blind >out 2>&1 3>&- 4>&- || {
		cat out
		return 1
	}
	cat out
	grep -qx "echod is running, pid $SERVER" out
	grep -q "already running, pid $SERVER" out
	finish
	[ "$STATUS" -eq 0 ]
}

@test "without the right to look at it, the service is known by its name" {
	reachable
	setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace true ||
		skip "capabilities cannot be given up"
	mkdir run
	chown 65534 run
	start pidfile=run/pid user=nobody
	not setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace \
		readlink "/proc/$SERVER/fd/0"
	setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace \
		"$ECHOD" -o pidfile=run/pid -s status
	setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace \
		"$ECHOD" -o pidfile=run/pid -s stop
	finish
	[ "$STATUS" -eq 0 ]
}

# systemd runs ExecReload= of a unit in this way with PrivateUsers= and
# ProtectProc=.
@test "in a user namespace of its own, to which /proc does not show the service" {
	reachable
	mkdir run
	chown 65534 run
	start pidfile=run/pid user=nobody
	cp "$ECHOD" echod
	cat >unit <<-'END'
	mount -t proc -o hidepid=2 proc /proc || exit 77
	ask() {
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			unshare --user ./echod -o pidfile=run/pid -s "$1"
	}
	setpriv --reuid=65534 --regid=65534 --clear-groups unshare --user \
		sh -c '! [ -e "/proc/$(cat run/pid)" ]' || exit 77
	set -e
	ask status
	ask reload
	ask stop
	END
	local status=0
	unshare --mount sh unit >out 2>&1 3>&- 4>&- || status=$?
	cat out
	[ "$status" -ne 77 ] || skip "hidepid= or unshare --user is not permitted"
	[ "$status" -eq 0 ]
	logged 'reloaded: '
	finish
	[ "$STATUS" -eq 0 ]
}

# --- faults that are errors, and faults that are none

# Formerly the service was "ready", and its pid file could not stop it.
@test "no room for the pid in its file: the start fails" {
	need_root
	unshare --mount true 2>/dev/null ||
		skip "unshare --mount is not permitted"
	cat >full <<-'END'
	mkdir disk
	mount -t tmpfs -o size=16k none disk || exit 77
	dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null
	"$ECHOD" -o "bind=$HOST" -o "port=$PORT" -o pidfile=disk/pid >log 2>err
	echo "$? $(ls disk)" >result
	# The same as a daemon, and at a reload.
	"$ECHOD" -o "bind=$HOST" -o "port=$PORT" -o pidfile=disk/pid \
		-o logfile=log -o daemonize=yes >>log 2>>err
	echo "$? $(ls disk)" >>result
	printf 'port = %s\nbind = %s\npidfile = pid\n' "$PORT" "$HOST" >conf
	"$ECHOD" -c conf >log 2>&1 &
	n=500
	until grep -q ' ready on ' log || [ "$n" -eq 0 ]; do
		n=$((n - 1)); sleep 0.02
	done
	sed -i 's|^pidfile = .*|pidfile = disk/pid|' conf
	"$ECHOD" -o pidfile=pid -s reload 2>>err
	echo "$? $(ls disk)" >>result
	"$ECHOD" -o pidfile=pid -s stop && wait
	END
	export ECHOD
	timeout 60 unshare --mount bash full 3>&- 4>&- || true
	cat result err log
	[ "$(cat result)" = '1 fill
1 fill
1 fill' ]
	[ "$(grep -c "pidfile $DIR/disk/pid: No space left on device" err)" -eq 3 ]
}
