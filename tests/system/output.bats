#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Output that cannot be written: for every command, the program says so, and
# its exit status is not 0.  Formerly it was 0 for all but two commands, and
# `echoctl top | head -n 1` never ended.

load ../lib/common

# says WHY FILE COMMAND...: with FILE as standard output ("-": closed) the
# command fails and prints the reason.
says() {
	local why=$1 file=$2 status=0
	shift 2
	echo "$file: $*"
	if [ "$file" = - ]; then
		timeout 60 "$@" >&- 2>err.out || status=$?
	else
		timeout 60 "$@" >"$file" 2>err.out || status=$?
	fi
	cat err.out
	[ "$status" -eq 1 ]
	grep -qE "^echo(d|ctl): standard output: $why\$" err.out
}

refused() {
	says 'No space left on device' /dev/full "$@"
	says 'Bad file descriptor' - "$@"
}

# A client, whose address is in $PEER.
some_client() {
	exec 5<>"/dev/tcp/$HOST/$PORT"
	wait_for 5 sh -c "'$ECHOCTL' -s control connections | grep -q '^$HOST:'"
	PEER=$("$ECHOCTL" -s control connections | sed -n "s/^\($HOST:[0-9]*\) .*/\1/p")
}

# bats test_tags=quick
@test "echod: every option that prints" {
	[ -c /dev/full ] || skip "there is no /dev/full"
	start
	local option
	for option in -h --help -v --version -t --test -T --dump --check; do
		refused "$ECHOD" -o "port=$PORT" -o "bind=$HOST" "$option"
	done
}

@test "echoctl: every command and option, as text and as JSON" {
	[ -c /dev/full ] || skip "there is no /dev/full"
	start "control-socket=$DIR/control" "logfile=$DIR/file"
	local command words json seen=0
	refused "$ECHOCTL" --help
	refused "$ECHOCTL" --version
	for command in $("$ECHOCTL" --help | sed -nE 's/^  ([a-z]+) .*/\1/p') help; do
		for json in '' --json; do
			words=("$command")
			[ -z "$json" ] || words=("$json" "$command")
			seen=$((seen + 1))
			case $command:$json in
			metrics:--json) continue ;; # there is one format only
			stop:*) continue ;; # below
			top:*) words+=(--count 1) ;;
			close:*)
				some_client
				says 'No space left on device' /dev/full \
					"$ECHOCTL" -s control "${words[@]}" "$PEER"
				continue
				;;
			esac
			refused "$ECHOCTL" -s control "${words[@]}"
		done
	done
	[ "$seen" -ge 24 ]
	refused "$ECHOCTL" -s control connections --sort in
	says 'No space left on device' /dev/full "$ECHOCTL" -s control stop
}

@test "top ends with the reader of its pipe" {
	start "control-socket=$DIR/control"
	local line
	# It prints nothing for a second after each line, but notices the end
	# of the pipe at once.
	line=$(timeout 60 "$ECHOCTL" -s control top | head -n 1)
	[[ $line == UPTIME* ]]
	# The same with SIGPIPE ignored, as in processes that systemd starts.
	timeout 60 sh -c "trap '' PIPE; '$ECHOCTL' -s control --json top; echo \$? >status" |
		head -n 1 | grep -q '^{'
	wait_for 10 test -s status
	[ "$(cat status)" = 1 ]
}

@test "a service started with closed streams serves, and ends with 0" {
	"$ECHOD" -o "port=$PORT" -o "bind=$HOST" -o "logfile=$DIR/log" \
		<&- >&- 2>&- 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 echoes
	local n
	for n in 0 1 2; do
		[ "$(readlink "/proc/$SERVER/fd/$n")" = /dev/null ]
	done
	stop
	[ "$STATUS" -eq 0 ]
}
