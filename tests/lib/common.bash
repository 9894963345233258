# SPDX-License-Identifier: ISC
# All bats files share this: a directory and ports for each test, the start and
# the stop of an echod, and waits for a condition with a deadline.
#
# ECHOD and TOP_SRCDIR come from the Makefile; by hand:
#	ECHOD=$PWD/build/src/echod bats tests/system/serve.bats

TOP_SRCDIR=${TOP_SRCDIR:-$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)}
ECHOD=${ECHOD:-$TOP_SRCDIR/build/src/echod}
ECHOCTL=${ECHOCTL:-$(dirname "$ECHOD")/echoctl}
CLIENT="python3 $TOP_SRCDIR/tests/lib/client.py"
# One for all trees: the suites of two may run at a time.
PORTS_FILE=${PORTS_FILE:-${TMPDIR:-/tmp}/echod-test-ports.$(id -u)}
LOAD=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs/load
PIDS=()

# A free TCP port, below the range that the kernel gives to clients.  Tests
# that run at the same time take one port after the other.
free_port() {
	local n
	while :; do
		exec 9>"$PORTS_FILE.lock"
		flock 9
		n=$(cat "$PORTS_FILE" 2>/dev/null || echo 0)
		n=$(((n + 1) % 10000))
		echo "$n" >"$PORTS_FILE"
		exec 9>&-
		n=$((21000 + n))
		ss -Htln "sport = :$n" | grep -q . || break
	done
	echo "$n"
}

setup() {
	DIR=$BATS_TEST_TMPDIR
	PORT=$(free_port)
	cd "$DIR" || return 1
	export HOST=127.0.0.1 PORT
}

# For "make coverage": a killed process does not report the lines that it ran.
# The second SIGTERM, a moment later, means now.
end_gently() {
	local pid n
	for n in 1 2; do
		for pid in "${PIDS[@]}"; do
			kill -TERM "$pid" 2>/dev/null || true
		done
		sleep 0.2
	done
	for pid in "${PIDS[@]}"; do
		wait_for 5 dead "$pid" || true
	done
}

# Kill a master and its standby: nobody takes the master's place.  A master that
# is stopped makes no other standby.
behead() {
	kill -STOP "$1" || return
	pkill -KILL -P "$1" -f ': standby$' || true
	kill -KILL "$1"
}

# End the processes that this test started, by pid.
teardown() {
	local pid
	[ -z "${ECHOD_COVERAGE:-}" ] || end_gently
	for pid in "${PIDS[@]}"; do
		behead "$pid" 2>/dev/null || true
	done
	for pid in "${PIDS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	if [ "${BATS_TEST_COMPLETED:-}" != 1 ] && [ -f "$DIR/log" ]; then
		echo "--- the end of the server's log:"
		tail -n 20 "$DIR/log"
	fi
	# The successor goes on, so a test may not notice this by itself.
	if [ "${BATS_TEST_FILENAME##*/}" != sandbox.bats ] &&
	    [ "${BATS_TEST_FILENAME##*/}" != loading.bats ] &&
	    [ -f "$DIR/log" ] && grep -a 'workers never make' "$DIR/log"; then
		return 1
	fi
}

# within SECONDS COMMAND...: the command succeeds before the time is up.
within() {
	local deadline=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.02
	done
}

# wait_for SECONDS COMMAND...: wait until the command succeeds, and fail when
# the time is up.  The real limit is longer, because a machine may stand still.
wait_for() {
	local patience=$(($1 * 5))
	shift
	within "$patience" "$@" || {
		echo "gave up waiting for: $*"
		return 1
	}
}

# never SECONDS COMMAND...: the command does not succeed during this time.
never() {
	not within "$@"
}

# Start a server in the foreground.  The arguments are assignments for `-o`.
# Its standard output is $DIR/log, its pid $SERVER. It reads no file in $DIR.
start() {
	local args=(-o "port=$PORT" -o "bind=$HOST") a
	for a in "$@"; do
		args+=(-o "$a")
	done
	start_raw "${args[@]}"
}

# The same, but the arguments go to the server unchanged.
start_raw() {
	: >"$DIR/log"
	"$ECHOD" "$@" >"$DIR/log" 2>"$DIR/err" 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 is_ready_or_dead
	grep -q ' ready on ' "$DIR/log" || {
		cat "$DIR/log" "$DIR/err"
		return 1
	}
}

is_ready_or_dead() {
	grep -q ' ready on ' "$DIR/log" || ! kill -0 "$SERVER"
}

# Pids of the server's workers, by slot number.  A dead worker that waits to be
# reaped is left out, because a later kill may not find it.
workers() {
	ps -o pid=,args= --ppid "${1:-$SERVER}" | sort -k4n |
		awk '!/<defunct>$/ && !/: (admin|standby)$/ { print $1 }'
}

# The pid of the standby.
standby() {
	ps -o pid=,args= --ppid "${1:-$SERVER}" |
		awk '!/<defunct>$/ && /: standby$/ { print $1 }'
}

# The pid of the administration process.
admin() {
	ps -o pid=,args= --ppid "${1:-$SERVER}" |
		awk '!/<defunct>$/ && /echod: admin/ { print $1 }'
}

# shellcheck disable=SC2120 # some pass the master's pid
worker_count() {
	workers "$@" | grep -c .
}

# stop [SIGNAL]: end the server; its exit status is in $STATUS, its log in
# $DIR/log.
stop() {
	kill -"${1:-TERM}" "$SERVER"
	finish
}

# Wait for the server to end by itself.
finish() {
	STATUS=0
	wait "$SERVER" || STATUS=$?
}

logged() {
	grep -qE -- "$1" "$DIR/log"
}

# One line is echoed.
echoes() {
	[ "$(printf 'ping\n' | nc.openbsd -N -w 5 "$HOST" "${1:-$PORT}")" = ping ]
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# not COMMAND...: succeeds if it fails.  (A bare `! command` in the middle of a
# test never fails the test: errexit does not apply to it.)
not() {
	if "$@"; then
		echo "succeeded, but should not: $*"
		return 1
	fi
}

# A client.py command in the background; its pid in $CLIENT_PID.
client() {
	timeout 60 $CLIENT "$@" >client.out 2>&1 3>&- &
	CLIENT_PID=$!
	PIDS+=("$CLIENT_PID")
}

# The client found no fault.
client_is_happy() {
	wait "$CLIENT_PID" || {
		cat client.out
		return 1
	}
}

# Run the load in the background; its figures go to ./figures.
under_load() {
	"$LOAD" -p "$PORT" -t 120 -f loaded -e enough "$@" >figures 2>&1 3>&- &
	LOAD_PID=$!
	PIDS+=("$LOAD_PID")
	wait_for 20 test -f loaded
}

# End the load.  Every byte came back, and every byte was right.
load_is_happy() {
	touch enough
	wait "$LOAD_PID" || {
		cat figures
		return 1
	}
}

workers_are() {
	[ "$(worker_count)" -eq "$1" ]
}

# The titles of $2 workers show $1 connections; their numbers differ by one at
# most.
even() {
	ps -o args= --ppid "$SERVER" | sed -n 's/.*\[\([0-9]*\) conn.*/\1/p' |
		sort -n | awk -v want="$1" -v workers="$2" '
		    { n += $1; if (NR == 1) low = $1; high = $1 }
		    END { exit !(NR == workers && n == want && high - low <= 1) }'
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

# Other users than root may reach $DIR.
open_directory() {
	local d=$DIR
	while :; do
		chmod a+rx "$d"
		[ "$d" != "$BATS_RUN_TMPDIR" ] && [ "$d" != / ] || break
		d=$(dirname "$d")
	done
}

# The process is dead, or a zombie, because PID 1 of some machines does not
# reap.
dead() {
	[ ! -d "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
}
