# SPDX-License-Identifier: ISC
# The tests of reloads share this: a server with its own configuration file and
# program, functions that change both, and checks of the result.  Load
# common.bash first.

UPGRADES=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs

# conf NAME=VALUE...: write ./echod.conf with our port, address and pid file,
# and the assignments.
conf() {
	local -A value=([port]=$PORT [bind]=$HOST [pidfile]=pid)
	local a name
	for a in "$@"; do
		value[${a%%=*}]=${a#*=}
	done
	for name in "${!value[@]}"; do
		echo "$name = ${value[$name]}"
	done >echod.conf.new
	mv echod.conf.new echod.conf
}

# Start a server with ./echod.conf and more arguments.
serve() {
	start_raw -c echod.conf "$@"
}

# put FILE: make FILE the program.  The file is renamed into place, because a
# running executable cannot be written to.
put() {
	mkdir -p bin
	# The program of the administration process stands beside it.
	ln -sf "$UPGRADES/echod-admin" bin/echod-admin
	cp "$1" bin/new
	chmod 755 bin/new
	mv -f bin/new bin/echod
}

# put_script LINE...: the same with a shell script.
put_script() {
	printf '%s\n' '#!/bin/sh' "$@" >script
	put script
}

# Make a private copy of the program, which put can replace.
own_program() {
	GENUINE=$ECHOD
	put "$ECHOD"
	ECHOD=$DIR/bin/echod
}

outcomes() {
	grep -caE ' (reloaded|reload refused|reload failed): ' "$DIR/${LOG:-log}"
}

outcomes_are() {
	[ "$(outcomes)" -eq "$1" ]
}

more_outcomes_than() {
	[ "$(outcomes)" -gt "$1" ]
}

# Ask for a reload by signal $1; $OUTCOME is the line of the log about it.
ask() {
	local before
	before=$(outcomes) || true
	kill -"${1:-USR2}" "$SERVER"
	wait_for 20 more_outcomes_than "$before"
	outcome
}

outcome() {
	# The line may quote a mistake that is not text.
	OUTCOME=$(LC_ALL=C grep -aoE '(reloaded|reload refused|reload failed): .*' \
		"$DIR/${LOG:-log}" | tail -n 1)
	echo "$OUTCOME"
}

# Ask for a reload, which must succeed.
reloaded() {
	ask "$@"
	[[ $OUTCOME == 'reloaded: '* ]]
}

# A client that has sent half a line; it lives until the end of the test.
half() {
	exec 5<>"/dev/tcp/$HOST/$PORT"
	printf 'before\nhalf a ' >&5
	local answer
	read -r -t 60 answer <&5
	[ "$answer" = before ]
}

# The client sends the other half, and the first half again.
whole() {
	printf 'line\nhalf a ' >&5
	local answer
	read -r -t 60 answer <&5
	[ "$answer" = 'half a line' ]
}

# The state that a refused reload must not change.
state() {
	echo "pid file: $(cat pid 2>&1)"
	echo "descriptors: $(find "/proc/$SERVER/fd" -type l | wc -l)"
	echo "workers: $(worker_count)"
	echo "listeners: $(ss -Htlnp | grep -F "pid=$SERVER," |
		awk '{ print $4, $3 }' | sort | tr '\n' ' ')"
	echo "log: $(readlink "/proc/$SERVER/fd/"* | grep '\.log$')"
	echo "program: $("/proc/$SERVER/exe" -v)"
}

same_state() {
	diff before <(state)
}

# Remember the state.  has_not_changed proves later that it is the same.
remember() {
	half
	state >before
}

has_not_changed() {
	whole
	wait_for 10 same_state || {
		same_state
		return 1
	}
	echoes
}

# refuses PATTERN: a reload is refused with this reason.
refuses() {
	remember
	ask
	[[ $OUTCOME =~ ^reload\ refused:\ $1\;\ nothing\ has\ changed$ ]]
	has_not_changed
}

# gives_back PATTERN: a reload fails after the new program has been executed,
# and the former program continues.
gives_back() {
	remember
	ask
	[[ $OUTCOME =~ ^reload\ failed:\ $1\;\ echod\ [0-9.]+\ carries\ on\ as\ before,\ 1\ connections\ kept, ]]
	has_not_changed
}

# told NAME OLD NEW: the log has the line about this change.
told() {
	grep -qF -- " reload: $1: $2 -> $3" "$DIR/${LOG:-log}"
}

listening() {
	[ -n "$(ss -Htln "sport = :$1")" ]
}

refused() {
	! nc.openbsd -z -w 2 "$1" "$2"
}

# launch LOG ARGUMENT...: run a daemon with pid file $DIR/pid.  Its pid is
# $SERVER, its log is below $DIR.
launch() {
	LOG=$1
	shift
	timeout 60 "$ECHOD" -o daemonize=yes "$@" >"$DIR/out" 2>"$DIR/err" \
	    3>&- 4>&- 5>&- || {
		cat "$DIR/out" "$DIR/err"
		return 1
	}
	SERVER=$(cat "$DIR/pid")
	PIDS+=("$SERVER")
}

