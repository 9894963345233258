#!/usr/bin/env bats
# The sandbox: what a worker cannot do, what becomes of one that tries, and
# that the filter is on.

load ../lib/common

built_in() {
	"$ECHOD" -T | grep -q '^sandbox = yes ' ||
		skip "this echod was built without libseccomp"
}

# An echod whose clients tell its workers what to do.
start_naughty() {
	built_in
	ECHOD=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs/echod-naughty
	start workers=1 "$@"
}

# Field $2 of the status of process $1.
status_of() {
	awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"
}

# Have a worker do $1: that client is closed without an echo.
ended() {
	[ -z "$(printf '%s\n' "$1" | nc.openbsd -N -w 10 "$HOST" "$PORT")" ]
}

# A bystander whose half line must come back whole, whatever happens.
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

# The $1th death by a forbidden call was told, and it was $2.
told() {
	[ "$(grep -c 'made a system call' log)" -eq "$1" ] &&
		grep 'made a system call' log | tail -n 1 |
		grep -q "warning: worker 0 .* that workers never make: $2\$"
}

# times N REGEX: so many lines of the log match.
times() {
	[ "$(grep -cE "$2" log)" -eq "$1" ]
}

# DEED[:CALL]...: those of naughty.c, and the names of the calls if they are
# others.  The brake on deaths in quick succession makes a list of many slow,
# hence several tests.
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
	# Nobody but the guilty was closed.
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

# That of glibc 2.41 has every signal blocked, so that nobody hears its name.
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
	# A kernel without such programs has killed it another way.
	[ ! -s answer ]
	wait_for 10 logged 'worker 0 .* killed by SIG(SYS|SEGV)'
	unharmed
}

# --- what is not denied

# The master went by what the arena says: with no worker in it, it forgot the
# pids of those it had; of a stop that nobody asked for, each successor died;
# with its descriptors, it read from, wrote to and closed others; and a reload
# was the end of the service, for want of an arena that could be attached.
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
	# What died before the stop is reaped, and who lives is told of it.
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
	# It is taken by now.
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
	# So have those that replace them.
	local old
	old=$(workers | head -n 1)
	kill -KILL "$old"
	wait_for 10 replaced "$old"
	wait_for 10 filtered
}

# Worker $1 is gone, and there are two again.
replaced() {
	! workers | grep -qx "$1" && workers_are 2
}

# filtered [HOW]: every worker is, 2, or is not, 0.
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

# The loop's rest, when nothing moves, came from one branch and the filter from
# another: a worker that could not get on was killed for resting.  "echoctl
# close" did that now and then, as its own descriptor on the socket keeps events
# coming for a moment.  Faults cannot be injected here: the filter sees those.
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
