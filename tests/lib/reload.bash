# What the tests of reloads share: a server with a configuration file and a
# program of its own, ways to change both, and what must be true afterwards.
# For common.bash, load which first.

UPGRADES=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs

# conf NAME=VALUE...: write ./echod.conf anew: our port, address and pid file,
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

# put FILE: FILE is the program from now on.  Renamed into place, as an
# executable that runs cannot be written to.
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

# A copy of the program of our own, to be replaced by put.
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

# Ask for a reload, by signal $1; what the log says of it is $OUTCOME.
ask() {
	local before
	before=$(outcomes) || true
	kill -"${1:-USR2}" "$SERVER"
	wait_for 20 more_outcomes_than "$before"
	outcome
}

outcome() {
	# What is quoted of a mistake need not be text.
	OUTCOME=$(LC_ALL=C grep -aoE '(reloaded|reload refused|reload failed): .*' \
		"$DIR/${LOG:-log}" | tail -n 1)
	echo "$OUTCOME"
}

# Ask for a reload, and it must succeed.
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

# It sends the other half, and once more the first one.
whole() {
	printf 'line\nhalf a ' >&5
	local answer
	read -r -t 60 answer <&5
	[ "$answer" = 'half a line' ]
}

# What a reload that does not come to pass leaves alone.
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

# Remember the state; has_not_changed then proves that the service is as it
# was.
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

# refuses PATTERN: a reload is refused for that reason.
refuses() {
	remember
	ask
	[[ $OUTCOME =~ ^reload\ refused:\ $1\;\ nothing\ has\ changed$ ]]
	has_not_changed
}

# gives_back PATTERN: a reload fails after the program has been executed, and
# the one before carries on.
gives_back() {
	remember
	ask
	[[ $OUTCOME =~ ^reload\ failed:\ $1\;\ echod\ [0-9.]+\ carries\ on\ as\ before,\ 1\ connections\ kept, ]]
	has_not_changed
}

# told NAME OLD NEW: the log has that line.
told() {
	grep -qF -- " reload: $1: $2 -> $3" "$DIR/${LOG:-log}"
}

listening() {
	[ -n "$(ss -Htln "sport = :$1")" ]
}

refused() {
	! nc.openbsd -z -w 2 "$1" "$2"
}

# launch LOG ARGUMENT...: run as a daemon with pid file $DIR/pid; its pid is
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

