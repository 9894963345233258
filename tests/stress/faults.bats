#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# System calls fail.  Clients are served as usual, or the log has the reason.
# No process hangs, spins, loses or invents a byte, or leaves a descriptor
# open.
#
# These are some of the cases that "make faults" runs.  A case with a star has
# failed once.

load ../lib/common

# For a build with sanitizers: no check for leaks, which fails under strace,
# and another library may come before theirs.
export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}

fail_calls() {
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace"
	export ECHOD
	timeout 300 "$TOP_SRCDIR/tests/stress/faults/run" -v -j 4 "$@" 3>&-
}

@test "accept4: out of descriptors, forbidden, clients gone: a rest, no spin *" {
	fail_calls 'serve/accept4/EMFILE/1+/*' 'serve/accept4/EPERM/1+/*' \
		'serve/accept4/ECONNABORTED/1+/*' 'serve/accept4/EINVAL/1+/*'
}

@test "epoll_ctl: no room: clients wait, none is closed, accepting goes on *" {
	fail_calls 'serve/epoll_ctl/ENOSPC/1+/*' 'start/epoll_ctl/ENOMEM/3' \
		'death/epoll_ctl/ENOSPC/1+/*' 'reload/epoll_ctl/ENOMEM/4'
}

@test "recv and send: no memory, or nothing though there is: no spin *" {
	fail_calls 'serve/recvfrom/ENOMEM/1+/*' 'serve/recvfrom/EAGAIN/1+/*' \
		'serve/sendto/ENOBUFS/1+/*' 'serve/recvfrom/ECONNRESET/1/*'
}

@test "recovery that the kernel does not answer: closed and said, no byte wrong *" {
	fail_calls 'death/ioctl/ENOTTY/1+/*' 'death/ioctl/EFAULT/1+/*' \
		'death/getsockopt/ENOPROTOOPT/1/*' 'death/getpeername/*/1/*'
}

@test "clone3: no process to be had at start, after deaths, at a reload *" {
	fail_calls 'start/clone3/EAGAIN/1' 'start/clone3/ENOSYS/1+' \
		'death/clone3/EAGAIN/1+' 'reload/clone3/EAGAIN/1..3'
}

@test "reload: image, memory, descriptors not to be had: refused and said *" {
	fail_calls 'reload/execve/ENOMEM/1' 'reload/execveat/ETXTBSY/1' \
		'reload/memfd_create/ENFILE/1' 'reload/fcntl/EMFILE/5'
}

@test "the master's own clients: out of descriptors: no spin *" {
	fail_calls 'quiet/accept4/ENFILE/1+/*' 'serve/ppoll/ENOMEM/1+/*'
}

@test "a log that takes nothing, and a stop meanwhile" {
	fail_calls 'log/write/ENOSPC/1+' 'stop/write/EIO/1+'
}

@test "echoctl: what fails is said *" {
	fail_calls 'ctl/connect/EAGAIN/1' 'ctl/write/ENOSPC/1'
}

@test "who cannot give up root does not serve" {
	need_root
	fail_calls 'user/setgroups/EPERM/1' 'user/setresgid/EPERM/1' \
		'user/setresuid/EAGAIN/1'
}

# One call in eight fails, and of the others one in four transfers less.
@test "short reads, short writes, interruptions: not a byte is lost" {
	local shim=$TOP_BUILDDIR/tests/stress/faults/shim.so
	[ -e "$shim" ] || skip "no shim.so"
	export ASAN_OPTIONS=verify_asan_link_order=0
	LD_PRELOAD=$shim start workers=2
	under_load small:10 pipeline:5 medium:3 large:1 partial:5 halfclose:2 \
		churn:2 slow:1
	for pid in $(workers); do kill -KILL "$pid"; done
	wait_for 30 workers_are 2
	kill -USR2 "$SERVER"
	wait_for 30 logged ' reloaded: '
	sleep 0.5
	load_is_happy
	stop
	[ "$STATUS" -eq 0 ]
}

@test "a full disk: the log says how many lines it cost and why *" {
	start logfile=/dev/full
	echoes
	stop
	[ "$STATUS" -eq 0 ]
	# This line is in the log of standard output, which lost none.
	logged 'warning: logfile /dev/full: No space left .*; 1 log lines lost there'
	tail -n 2 log | grep -qE ': No space left .*; [4-9] log lines lost there'
	not logged 'lost before this'
}

fake_clock() {
	echo "$1" >clock.new
	mv clock.new clock
}

new_year() {
	echoes
	[ -s "log-$(($(date +%Y) + $1))" ]
}

@test "the clock set forward and back: clients stay, the log's name follows *" {
	local lib
	lib=$(find /usr/lib* -name libfaketime.so.1 2>/dev/null | head -n 1)
	[ -n "$lib" ] || skip "no libfaketime"
	fake_clock +0
	export FAKETIME_TIMESTAMP_FILE=$DIR/clock FAKETIME_NO_CACHE=1 \
		FAKETIME_DONT_FAKE_MONOTONIC=1
	# libfaketime opens files in the workers.
	LD_PRELOAD=$lib start workers=2 timeout=60 watchdog-timeout=1 \
		sandbox=no \
		logfile="$DIR/log-%Y" loglevel=verbose
	client across ready go
	wait_for 30 test -f ready
	fake_clock +730d
	wait_for 30 new_year 2
	fake_clock -730d
	wait_for 30 new_year -2
	touch go
	client_is_happy
	not logged 'closed: idle|is stuck|has been'
	stop
	[ "$STATUS" -eq 0 ]
}
