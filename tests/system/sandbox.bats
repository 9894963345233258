#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The sandbox: the calls that a worker cannot make, the end of a worker that
# makes one, and the presence of the filter.

load ../lib/common

built_in() {
	"$ECHOD" -T | grep -q '^sandbox = yes ' ||
		skip "this echod was built without libseccomp"
}

# Start an echod whose clients give commands to its workers.
start_naughty() {
	built_in
	ECHOD=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs/echod-naughty
	start workers=1 "$@"
}

# Field $2 of the status of process $1.
status_of() {
	awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"
}

# Make a worker do $1: this client is closed without an echo.
ended() {
	[ -z "$(printf '%s\n' "$1" | nc.openbsd -N -w 10 "$HOST" "$PORT")" ]
}

# A bystander, whose half line must come back whole in any case.
bystand() {
	exec 5<>"/dev/tcp/$HOST/$PORT"
	printf 'half a ' >&5
}

unharmed() {
	local line
	echo "line" >&5
	read -r -t 60 line <&5
	[ "$line" = "half a line" ]
	printf 'half a ' >&5
}

# The log has the $1th death by a forbidden call, and the call was $2.
told() {
	[ "$(grep -c 'made a system call' log)" -eq "$1" ] &&
		grep 'made a system call' log | tail -n 1 |
		grep -q "warning: worker 0 .* that workers never make: $2\$"
}

# times N REGEX: N lines of the log match.
times() {
	[ "$(grep -cE "$2" log)" -eq "$1" ]
}

# DEED[:CALL]...: deeds of naughty.c, and the name of the call if it is
# another.  The backoff after repeated deaths makes a long list slow, so there
# are several tests.
denied() {
	local deed call n=0
	start_naughty
	bystand
	for deed in "$@"; do
		call=${deed#*:}
		deed=${deed%:*}
		echo "$deed"
		n=$((n + 1))
		ended "$deed"
		wait_for 10 told "$n" "$call"
		wait_for 10 times "$n" 'worker 0 .* killed by SIGSYS'
		wait_for 10 times "$n" 'closed: its input to handler echo crashed worker 0 \(SIGSYS\)'
		unharmed
	done
	# Only the guilty clients were closed.
	exec 5>&-
	stop
	[ "$STATUS" -eq 0 ]
}

@test "files: denied, and that client is closed" {
	denied open:openat openat2 unlink mmap-file:mmap memfd:memfd_create
}

# bats test_tags=quick
@test "programs and code: denied" {
	denied execve execveat mmap-exec:mmap mprotect-exec:mprotect
}

@test "other processes: denied" {
	denied clone3 ptrace kill tgkill tgkill-other:tgkill \
		vm-write:process_vm_writev
}

# fork(3) of glibc 2.41 blocks every signal, so the log cannot have its name.
@test "fork(3): denied, if without a name" {
	start_naughty
	bystand
	ended fork
	wait_for 10 times 1 'worker 0 .* killed by SIGSYS'
	wait_for 10 times 1 'closed: its input to handler echo crashed worker 0 \(SIGSYS\)'
	if logged 'made a system call'; then
		told 1 clone
	fi
	unharmed
}

@test "sockets of its own: denied" {
	denied socket socketpair connect bind listen accept
}

@test "arguments that no worker gives: denied" {
	denied accept-cloexec:accept4 send-oob:sendto send-to:sendto \
		getsockopt ioctl prctl
}

@test "the rest: denied" {
	denied sendmsg setsockopt dup dup2 fcntl ftruncate watch:epoll_ctl
}

@test "this process: denied" {
	denied madvise sigaction:rt_sigaction writev io-uring:io_uring_setup \
		bpf setuid
}

@test "calls without a name, and those of other architectures: denied" {
	built_in
	[ "$(uname -m)" = x86_64 ] || skip "for x86_64"
	denied 'unknown:number 9999' 'x32:number [0-9]*'
}

@test "a program for i386 is no way out" {
	built_in
	[ "$(uname -m)" = x86_64 ] || skip "for x86_64"
	start_naughty
	bystand
	printf 'i386\n' | nc.openbsd -N -w 10 "$HOST" "$PORT" >answer || true
	# A kernel without such programs kills the worker in another way.
	[ ! -s answer ]
	wait_for 10 logged 'worker 0 .* killed by SIG(SYS|SEGV)'
	unharmed
}

# --- damage that the sandbox allows

# Formerly the master believed the arena.  An arena without workers made it
# forget their pids.  A stop in the arena that no one had asked for killed each
# successor.  Wrong descriptors made it read from, write to and close others.
# A reload ended the service, because the arena could not be attached.
@test "a spoilt arena: the master knows better, reloads and stops" {
	start_naughty control-socket="$DIR/control"
	bystand
	ended spoil
	wait_for 10 logged 'worker 0 .* killed by SIGABRT'
	unharmed
	"$ECHOCTL" -s control status >status
	grep -q "^listening    $HOST:$PORT, " status
	grep -q '^workers      1, 1 ready$' status
	grep -q '^deaths       SIGABRT 1$' status
	grep -q '^reloads      0, 0 refused, 0 connections kept$' status
	"$ECHOCTL" -s control reload
	unharmed
	# Workers that died before the stop are reaped, and living ones get the
	# stop.
	exec 5>&-
	stop
	[ "$STATUS" -eq 0 ]
}

# Their descriptors are in a table that no worker shares.
@test "connections of the metrics are out of a worker's reach" {
	command -v curl >/dev/null || skip "curl is not installed"
	local metrics
	metrics=$(free_port)
	"$ECHOD" -t -o "metrics-port=$metrics" || skip "built without metrics"
	start_naughty metrics-port="$metrics"
	bystand
	curl -sf "http://$HOST:$metrics/healthz"
	exec 6<>"/dev/tcp/$HOST/$metrics"
	printf 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n' >&6
	exec 7<>"/dev/tcp/$HOST/$metrics"
	printf 'GET / HTTP/1.1\r\n' >&7
	# The library has the client now.
	curl -sf "http://$HOST:$metrics/healthz"
	local before
	before=$(admin)
	[ "$(printf 'hang-up %s\n' "$metrics" |
		nc.openbsd -N -w 10 "$HOST" "$PORT")" = "hang-up $metrics" ]
	printf 'Host: x\r\n\r\n' >&7
	read -r -t 20 -u 7 line
	[ "${line%% *}" = HTTP/1.1 ]
	exec 6>&- 7>&-
	curl -sf "http://$HOST:$metrics/healthz"
	[ "$(admin)" = "$before" ]
	unharmed
}

# bats test_tags=quick
@test "workers have the filter, and no new privileges; the master has neither" {
	built_in
	start workers=2
	local pid
	for pid in $(workers); do
		[ "$(status_of "$pid" Seccomp)" -eq 2 ]
		[ "$(status_of "$pid" NoNewPrivs)" -eq 1 ]
	done
	[ "$(status_of "$SERVER" Seccomp)" = "$(status_of $$ Seccomp)" ]
	[ "$(status_of "$SERVER" NoNewPrivs)" = "$(status_of $$ NoNewPrivs)" ]
	# The successors have the filter, too.
	local old
	old=$(workers | head -n 1)
	kill -KILL "$old"
	wait_for 10 replaced "$old"
	wait_for 10 filtered
}

# Worker $1 is gone, and there are two workers again.
replaced() {
	! workers | grep -qx "$1" && workers_are 2
}

# filtered [HOW]: every worker has the filter (2) or has none (0).
filtered() {
	local pid
	for pid in $(workers); do
		[ "$(status_of "$pid" Seccomp)" -eq "${1:-2}" ] || return 1
	done
}

@test "abort, heap corruption and SIGSYS by kill end as they do without" {
	start_naughty
	bystand
	ended abort
	wait_for 10 logged 'crashed worker 0 \(SIGABRT\)'
	unharmed
	ended corrupt
	wait_for 10 times 2 'crashed worker 0 \(SIGABRT\)'
	grep -q 'free()' err
	unharmed
	kill -SYS "$(workers)"
	wait_for 10 logged 'worker 0 .* killed by SIGSYS'
	unharmed
	not logged 'made a system call'
}

@test "memory can be had, stops end, and a line goes back" {
	start_naughty
	[ "$(printf 'memory\n' | nc.openbsd -N -w 10 "$HOST" "$PORT")" = memory ]
	local pid
	pid=$(workers)
	exec 5<>"/dev/tcp/$HOST/$PORT"
	kill -STOP "$pid"
	kill -CONT "$pid"
	echo again >&5
	read -r -t 60 line <&5
	[ "$line" = again ]
	[ "$(workers)" = "$pid" ]
}

# The rest of the loop came from one branch, the filter from another.  So a
# worker that made no progress was killed for resting.  "echoctl close" caused
# this now and then: its own descriptor on the socket keeps events coming for a
# moment.  Faults cannot be injected here, because the filter sees them.
@test "a worker may rest" {
	start_naughty
	local pid
	pid=$(workers)
	[ "$(printf 'nap\n' | nc.openbsd -N -w 10 "$HOST" "$PORT")" = nap ]
	[ "$(workers)" = "$pid" ]
}

@test "log: it is made, and the worker lives" {
	start_naughty sandbox=log
	local pid
	pid=$(workers)
	filtered
	[ "$(printf 'dup\nopen\n' | nc.openbsd -N -w 10 "$HOST" "$PORT")" = \
		$'dup\nopen' ]
	[ "$(workers)" = "$pid" ]
}

@test "no: there is no filter, but no new privileges either way" {
	ECHOD=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs/echod-naughty
	start sandbox=no workers=1
	filtered "$(status_of $$ Seccomp)"
	[ "$(status_of "$(workers)" NoNewPrivs)" -eq 1 ]
	[ "$(printf 'dup\n' | nc.openbsd -N -w 10 "$HOST" "$PORT")" = dup ]
}

# bats test_tags=quick
@test "a reload puts it in force, and out of force, and closes nobody" {
	built_in
	[ "$(status_of $$ Seccomp)" -eq 0 ] || skip "there is a filter already"
	printf 'bind = %s\nport = %s\nsandbox = no\n' "$HOST" "$PORT" >conf
	start_raw -c conf
	bystand
	filtered 0
	sed -i 's/sandbox = no/sandbox = yes/' conf
	kill -USR2 "$SERVER"
	wait_for 20 times 1 ' reloaded: '
	filtered 2
	unharmed
	sed -i 's/sandbox = yes/sandbox = no/' conf
	kill -USR2 "$SERVER"
	wait_for 20 times 2 ' reloaded: '
	filtered 0
	unharmed
}

@test "syslog, log file and its rotation, from within the sandbox" {
	built_in
	start logfile="$DIR/file" loglevel=verbose syslog-enabled=yes \
		proxy-protocol=optional maxclients-per-ip=100 workers=1
	local pid
	pid=$(workers)
	echoes
	wait_for 10 grep -q ' closed: client EOF' file
	mv file file.1
	kill -USR1 "$SERVER"
	wait_for 10 logged 'SIGUSR1: log file reopened'
	[ "$(printf 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nx\n' |
		nc.openbsd -N -w 10 "$HOST" "$PORT")" = x ]
	wait_for 10 grep -q '192.0.2.1:1 closed' file
	[ "$(workers)" = "$pid" ]
	not logged 'killed by'
}

@test "a kernel without filters: one warning, and service" {
	built_in
	command -v strace >/dev/null || skip "strace is not installed"
	strace -f -qq -o trace -e trace=seccomp,prctl \
		-e inject=seccomp:error=ENOSYS -e inject=prctl:error=EINVAL \
		"$ECHOD" -o "bind=$HOST" -o "port=$PORT" -o workers=3 \
		-o pidfile="$DIR/pid" >log 2>err 3>&- 4>&- &
	local tracer=$!
	PIDS+=("$tracer")
	wait_for 20 test -s pid
	SERVER=$(cat pid)
	PIDS+=("$SERVER")
	wait_for 20 logged ' ready on '
	echoes
	wait_for 10 times 1 'warning: sandbox: workers can make any system call'
	kill -TERM "$SERVER"
	wait "$tracer"
	times 1 'warning: sandbox: workers can make any system call'
}

@test "a build without libseccomp: off by default, and an error if asked for" {
	"$ECHOD" -T | grep -q '^sandbox = no .* changed from yes' ||
		skip "this echod has it"
	run "$ECHOD" -t -o sandbox=yes
	[ "$status" -eq 78 ]
	[[ $output == *'sandbox: this echod was built without libseccomp'* ]]
	"$ECHOD" -t -o sandbox=no
}
