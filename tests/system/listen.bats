#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The addresses of echod: the same answer about `bind` from the test, the
# start, the check of a reload and the takeover; names; addresses that come
# later; passed sockets; ports that are given up.

load ../lib/common
load ../lib/reload

# Make a network and an /etc for this test.  `in_room` runs commands in there,
# and ECHOD is a program in there.
room() {
	need_root
	unshare -nm true 2>/dev/null || skip "no namespaces"
	unshare -nm tail -f /dev/null 3>&- 4>&- &
	ROOM=$!
	PIDS+=("$ROOM")
	wait_for 10 room_is_ours
	in_room ip link set lo up
	cat >echod-in-room <<-END
	#!/bin/sh
	exec nsenter -t $ROOM -n -m --wd="$DIR" -- "$ECHOD" "\$@"
	END
	chmod +x echod-in-room
	ECHOD=$DIR/echod-in-room
}

room_is_ours() {
	[ "$(readlink "/proc/$ROOM/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

in_room() {
	nsenter -t "$ROOM" -n -m --wd="$DIR" -- "$@"
}

# echoes_in_room ADDRESS: the service echoes there.
echoes_in_room() {
	[ "$(echo ping | in_room timeout 5 nc.openbsd -N "$1" "$PORT")" = ping ]
}

# listens ADDRESS...: ss shows these listeners and no others.
listens() {
	diff <(printf '%s\n' "$@" | sort) <(ss -Htln "sport = :$PORT" |
		awk '{ print $4 }' | sed 's/:[0-9]*$//' | sort)
}

# --- one answer

# Formerly `-t` and a reload accepted lists that the next start refused.  The
# start bound each word, the others compared words with the existing addresses.
verdict() {
	local list=$1
	shift
	echo "bind = $list"
	run "$ECHOD" -t -o "bind=$list" -o "port=$PORT"
	echo "$output"
	[ "$status" -eq 0 ]
	# What was left out is told.
	[[ $output =~ "is given twice"|"is included in" ]]
	HOST=$list start
	listens "$@"
	(HOST=127.0.0.1 && echoes)
	stop
	[ "$STATUS" -eq 0 ]
	PORT=$(free_port)
	conf
	serve
	conf "bind=$list"
	reloaded
	wait_for 10 listens "$@"
	reloaded			# and again, with these there
	listens "$@"
	stop
	PORT=$(free_port)
}

@test "an address twice is one listener, for the test, the start and a reload" {
	verdict '127.0.0.1 127.0.0.1' 127.0.0.1
	verdict '127.0.0.1 ::ffff:127.0.0.1' 127.0.0.1
	verdict '::ffff:7f00:1 -127.0.0.1' 127.0.0.1
	[ ! -e /proc/net/if_inet6 ] ||
		verdict '::1 0:0:0:0:0:0:0:1 127.0.0.1' '[::1]' 127.0.0.1
}

@test "an address within * is served by that listener, in every order" {
	verdict '0.0.0.0 127.0.0.1' 0.0.0.0
	verdict '127.0.0.1 *' 0.0.0.0
	verdict '127.0.0.1 -127.0.0.2 ::ffff:0:0' 0.0.0.0
	[ ! -e /proc/net/if_inet6 ] ||
		verdict '::1 127.0.0.1 ::* *' '[::]' 0.0.0.0
}

# bats test_tags=quick
@test "an IPv4 address within IPv6 is one of IPv4" {
	"$ECHOD" -T -o 'bind=::ffff:127.0.0.1 -::ffff:7f00:2' >dump
	grep -qE '^bind = 127.0.0.1 -127.0.0.2 ' dump
	HOST=::ffff:127.0.0.1 start
	logged " ready on 127.0.0.1:$PORT "
}

# Formerly the check took every conflict on its own port for one with its own
# listeners, and the takeover failed.
@test "refused by the check, not by the takeover: what another process has" {
	conf
	serve
	# This holds even if the other process shares its port.
	for shared in 1 0; do
		python3 -c "import socket, time; s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, $shared)
s.bind(('127.0.0.2', $PORT)); s.listen(); time.sleep(600)" 3>&- 4>&- &
		PIDS+=("$!")
		wait_for 10 listens "$HOST" 127.0.0.2
		for b in 127.0.0.2 "$HOST 127.0.0.2"; do
			conf "bind=$b"
			refuses "bind 127.0.0.2:$PORT: Address already in use"
		done
		[ "$shared" = 0 ] || kill "${PIDS[-1]}"
		[ "$shared" = 0 ] || wait_for 10 listens "$HOST"
	done
	conf bind=0.0.0.0
	refuses "bind 0.0.0.0:$PORT: Address already in use"
	not logged 'reload failed'
}

@test "refused by the check, not by the takeover: metrics where somebody listens" {
	local mine other
	run "$ECHOD" -t -o "metrics-port=$(free_port)" -o "port=$PORT"
	[[ $output != *'built without'* ]] || skip "built without libmicrohttpd"
	conf
	serve
	other=$(free_port)
	python3 -c "import socket, time; s = socket.socket()
s.bind(('127.0.0.1', $other)); s.listen(); time.sleep(600)" 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 listening "$other"
	conf "metrics-port=$other"
	refuses "metrics 127.0.0.1 port $other: Address already in use"
	conf "metrics-port=$other" metrics-bind=192.0.2.1
	refuses "metrics 192.0.2.1 port $other: Cannot assign requested address"
	run "$ECHOD" -t -c echod.conf
	[ "$status" -eq 78 ]
	[[ $output == "echod: metrics 192.0.2.1 port $other: Cannot assign"* ]]
	# The former port of the service is in use until the service gives it
	# up.
	mine=$PORT
	PORT=$other
	kill "${PIDS[-1]}"
	wait_for 10 eval "! listening $other"
	conf "metrics-port=$mine"
	ask
	[[ $OUTCOME == "reload refused: metrics 127.0.0.1 port $mine: Address already in use"* ]]
	PORT=$mine
	whole
	not logged 'reload failed'
}

@test "refused by the check, not by the takeover: a control socket where a file is" {
	conf
	serve
	echo precious >file
	python3 -c "import socket, time; s = socket.socket(socket.AF_UNIX)
s.bind('theirs'); s.listen(); time.sleep(600)" 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 test -S theirs
	conf control-socket=file
	refuses "control-socket $DIR/file: File exists"
	run "$ECHOD" -t -c echod.conf
	[ "$status" -eq 78 ]
	[[ $output == "echod: control-socket $DIR/file: File exists" ]]
	conf control-socket=theirs
	refuses "control-socket $DIR/theirs: Address already in use"
	[ "$(cat file)" = precious ]
	not logged 'reload failed'
}

# Sockets that root made do not belong to the service's user, which cannot
# share them.
@test "user: to 0.0.0.0 and back" {
	need_root
	open_directory
	own_program
	for b in "$HOST" 0.0.0.0 "$HOST" "0.0.0.0 $HOST"; do
		conf "bind=$b" user=nobody pidfile=
		chmod 644 echod.conf
		if [ -e log ]; then reloaded; else serve; fi
		wait_for 10 listens "${b% *}"
		echoes
	done
	not logged 'reload (refused|failed)'
}

@test "-t: an address that the machine has not is an error, or is told" {
	run "$ECHOD" -t -o "bind=$HOST 192.0.2.1" -o "port=$PORT"
	[ "$status" -eq 78 ]
	[ "$output" = "echod: bind 192.0.2.1:$PORT: Cannot assign requested address" ]
	run "$ECHOD" -t -o "bind=$HOST -192.0.2.1" -o "port=$PORT"
	[ "$status" -eq 0 ]
	[[ $output == *"bind 192.0.2.1:$PORT: not available, skipped"* ]]
	run "$ECHOD" -t -o "bind=-192.0.2.1" -o "port=$PORT"
	[ "$status" -eq 78 ]
	[[ $output == *"none of the 1 addresses is available"* ]]
}

@test "-t: the port of the service that runs is no error" {
	start
	run "$ECHOD" -t -o "bind=$HOST 127.0.0.1" -o "port=$PORT"
	[ "$status" -eq 0 ]
	run "$ECHOD" -t -o 'bind=0.0.0.0' -o "port=$PORT"
	[ "$status" -eq 0 ]
	[ "$output" = 'echod: configuration (built in) is ok' ]
	echoes
}

@test "a link-local address without its interface says what is missing" {
	[ -e /proc/net/if_inet6 ] || skip "no IPv6"
	run "$ECHOD" -t -o bind=fe80::1
	[ "$status" -eq 78 ]
	[[ $output == *'name of its interface'* ]]
}

# --- ports below 1024

# Formerly the message was "need root, which was given up: restart", even if
# the service had never been root.
@test "a port below 1024: what it takes" {
	need_root
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -eq 1024 ] ||
		skip "everybody may"
	open_directory
	own_program
	local as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	run "${as[@]}" -- "$ECHOD" -t -o "bind=$HOST" -o port=997
	[ "$status" -eq 78 ]
	[[ $output == *"bind $HOST:997: Permission denied; ports below 1024 take CAP_NET_BIND_SERVICE"* ]]
	run "${as[@]}" -- "$ECHOD" -o "bind=$HOST" -o port=997
	[ "$status" -eq 1 ]
	[[ $output == *"ports below 1024 take CAP_NET_BIND_SERVICE"* ]]
	cat >as <<-END
	#!/bin/sh
	exec setpriv --reuid=65534 --regid=65534 --clear-groups \
		--inh-caps=+net_bind_service --ambient-caps=+net_bind_service \
		-- "$ECHOD" "\$@"
	END
	chmod 755 as
	ECHOD=$DIR/as
	start_raw -o "bind=$HOST" -o port=997
	logged "ready on $HOST:997"
}

# --- addresses that come later

@test "an address that comes later is served from then on, and again" {
	room
	conf "bind=$HOST -192.0.2.10"
	serve
	logged "bind 192.0.2.10:$PORT: not available, skipped until it is"
	logged " ready on $HOST:$PORT "
	for _ in 1 2 3; do
		in_room ip addr add 192.0.2.10/32 dev lo
		echoes_in_room 192.0.2.10
		wait_for 10 logged "bind 192.0.2.10:$PORT: available now"
		ps -o args= -p "$SERVER" | grep -qF "$HOST:$PORT 192.0.2.10:$PORT"
		in_room ip addr del 192.0.2.10/32 dev lo
		reloaded
		: >log
	done
	stop
	[ "$STATUS" -eq 0 ]
}

# bats test_tags=quick
@test "an address that comes later, below 1024 and without root" {
	room
	open_directory
	PORT=997
	conf "bind=$HOST -192.0.2.10" user=nobody pidfile=
	chmod 644 echod.conf
	serve
	in_room ip addr add 192.0.2.10/32 dev lo
	echoes_in_room 192.0.2.10
	[ "$(ps -o uid= -p "$SERVER")" -ne 0 ]
}

echo0() {
	in_room ip tuntap add echo0 mode tap
	in_room ip link set echo0 up
	in_room ip -6 addr add fe80::77/64 dev echo0 nodad
}

# The kernel binds no address of a missing link, so echod tries again.
@test "an address of an interface that comes later" {
	room
	in_room ip tuntap add echo0 mode tap 2>/dev/null || skip "no TAP devices"
	in_room ip link del echo0
	conf "bind=$HOST -fe80::77%echo0" workers=3
	serve
	logged "bind .fe80::77%echo0.:$PORT: not available, skipped"
	echo0
	wait_for 10 logged "bind .fe80::77%echo0.:$PORT: available now"
	for _ in 1 2 3 4 5 6; do echoes_in_room fe80::77%echo0; done
	reloaded
	echoes_in_room fe80::77%echo0
	# Another link of the same name, to which no listener is bound.
	in_room ip link del echo0
	echo0
	reloaded
	echoes_in_room fe80::77%echo0
	stop
	[ "$STATUS" -eq 0 ]
}

@test "--check asks an address that is there" {
	room
	conf "bind=-192.0.2.10 $HOST"
	serve
	run "$ECHOD" -c echod.conf --check
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == "echod on $HOST port $PORT: ok"* ]]
}

# --- names

# hosts LINE...: write /etc/hosts of the room.
hosts() {
	printf '%s\n' "$@" >hosts
	in_room mountpoint -q /etc/hosts ||
		in_room mount --bind "$DIR/hosts" /etc/hosts
}

@test "a name stands for all its addresses; a reload asks anew" {
	room
	hosts '127.0.0.1 localhost' '127.0.0.3 echo.test' '::1 echo.test'
	conf "bind=echo.test" workers=2
	serve
	logged "ready on .*127.0.0.3:$PORT"
	logged "ready on .*\[::1\]:$PORT"
	for h in 127.0.0.3 ::1; do echoes_in_room $h; done
	"$ECHOD" -T -c echod.conf >dump
	grep -qE '^bind = echo.test  ' dump
	grep -qE '^# bind: echo.test is (127.0.0.3 ::1|::1 127.0.0.3)$' dump
	"$ECHOD" -c echod.conf --check
	hosts '127.0.0.4 echo.test' '::1 echo.test'
	reloaded
	for h in 127.0.0.4 ::1; do echoes_in_room $h; done
	wait_for 10 logged "127.0.0.3:$PORT is listened on no longer"
	not logged "\[::1\]:$PORT is listened on no longer"
	# A name that cannot be resolved refuses the reload; the message names
	# it.
	hosts '127.0.0.1 localhost'
	run "$ECHOD" -t -c echod.conf
	[ "$status" -eq 78 ]
	[[ $output == *'bind: echo.test: '* ]]
	ask
	[[ $OUTCOME == 'reload refused: bind: echo.test: '*'; nothing has changed' ]]
	for h in 127.0.0.4 ::1; do echoes_in_room $h; done
}

# The takeover serves no client, so it must not wait for a resolver.  It must
# not get another answer than the check.
@test "names are resolved by the check of a reload, not by the takeover" {
	room
	echo 'nameserver 127.0.0.1' >resolv.conf
	in_room mount --bind "$DIR/resolv.conf" /etc/resolv.conf
	# A function in the background would be a shell, which would end
	# without its command.
	nsenter -t "$ROOM" -n -m --wd="$DIR" -- \
		python3 "$TOP_SRCDIR/tests/lib/resolver.py" >asked 3>&- 4>&- &
	PIDS+=("$!")
	wait_for 10 grep -q ready asked
	conf bind=echo.test
	serve
	[ "$(grep -c asked asked)" -eq 1 ] || skip "something else asks, too"
	for n in 2 3; do
		reloaded
		[ "$(grep -c asked asked)" -eq "$n" ]
		echoes_in_room "127.0.1.$n"
	done
}

@test "a name with - before it need not resolve; of the others, one address must be here" {
	room
	hosts '127.0.0.3 echo.test' '192.0.2.7 echo.test' '192.0.2.8 far.test'
	conf "bind=echo.test -nobody.test -far.test"
	serve
	logged 'bind: nobody.test: .*; skipped'
	logged "bind 192.0.2.7:$PORT: not available, skipped"
	echoes_in_room 127.0.0.3
	in_room ip addr add 192.0.2.8/32 dev lo
	echoes_in_room 192.0.2.8
	stop
	run "$ECHOD" -t -o "bind=127.0.0.1 nobody.test"
	[ "$status" -eq 78 ]
	[[ $output == *'bind: nobody.test: '* ]]
	in_room ip addr del 192.0.2.8/32 dev lo
	run "$ECHOD" -o "bind=127.0.0.1 far.test" -o "port=$PORT"
	[ "$status" -eq 1 ]
	[[ $output == *'bind: far.test: this machine has none of its addresses'* ]]
	run "$ECHOD" -o "bind=-nobody.test"
	[ "$status" -eq 1 ]
	[[ $output == *'bind: nobody.test: '*', and nothing is left' ]]
}

@test "a name with too many addresses, and one that is also an address" {
	room
	local h=()
	for n in {1..17}; do h+=("127.0.1.$n many.test"); done
	hosts "${h[@]}" '127.0.0.1 me.test'
	run "$ECHOD" -t -o "bind=many.test"
	[ "$status" -eq 78 ]
	[[ $output == *'bind: many.test: more than 16 addresses'* ]]
	run "$ECHOD" -t -o "bind=127.0.0.1 me.test" -o "port=$PORT"
	[ "$status" -eq 0 ]
	[[ $output == *'127.0.0.1 (me.test) is given twice'* ]]
}

# --- sockets that were passed

# passed TIMES SOCKET... -- ARGUMENT...: start with sockets of a parent.
passed() {
	local given=()
	while [ "$1" != -- ]; do
		given+=("$1")
		shift
	done
	shift
	rm -f child
	python3 "$TOP_SRCDIR/tests/lib/passed.py" "${given[@]}" -- "$ECHOD" "$@" \
		>log 2>err 3>&- 4>&- &
	PARENT=$!
	PIDS+=("$PARENT")
	wait_for 10 passed_is_ready
	SERVER=$(cat child)
	PIDS+=("$SERVER")
}

passed_is_ready() {
	[ -s child ] && { grep -q ' ready on ' log || dead "$(cat child)"; }
}

ended() {
	grep -q "^ended with $1\$" log
}

inode() {
	ss -Htlne "sport = :$PORT" | grep -oE 'ino:[0-9]+'
}

# Formerly passed sockets were closed without a look, and then the address was
# in use.
# bats test_tags=quick
@test "a socket that was passed is used, by reloads too, and left open" {
	conf
	passed 2 "$HOST@$PORT" -- -c echod.conf
	logged "ready on $HOST:$PORT"
	[ "$(inode | sort -u | wc -l)" -eq 1 ]
	echoes
	half
	reloaded
	not grep -aq LISTEN_ "/proc/$SERVER/environ"
	whole
	echoes
	not logged 'warning: LISTEN_FDS'
	# The passed socket has the settings of our sockets.
	[ "$(ss -Htln "sport = :$PORT" | awk '{ print $3 }')" -eq 511 ]
	exec 5>&-
	kill "$SERVER"
	wait_for 20 ended 0
	# The next process has the socket again, because it was not shut down.
	wait_for 10 eval '[ "$(cat child)" != "$SERVER" ]'
	wait_for 20 eval '[ "$(grep -c " ready on " log)" -eq 2 ]'
	SERVER=$(cat child)
	PIDS+=("$SERVER")
	echoes
	kill "$SERVER"
}

@test "whoever connects between two starts of it is served by the next" {
	conf
	passed 2 "$HOST@$PORT" -- -c echod.conf
	kill "$SERVER"
	# A client of the stop itself may have nothing to be echoed yet.
	wait_for 10 logged ' stopped in '
	(echo ping | timeout 30 nc.openbsd -N "$HOST" "$PORT" >answer)
	[ "$(cat answer)" = ping ]
	SERVER=$(cat child)
	PIDS+=("$SERVER")
}

@test "sockets that bind does not name are told in one line, and closed" {
	local other
	other=$(free_port)
	conf
	passed 1 "$HOST@$other" "udp:$HOST@$other" "bound:127.0.0.9@$other" \
		"$HOST@$PORT" -- -c echod.conf
	[ "$(grep -c 'LISTEN_FDS' log)" -eq 1 ]
	logged "warning: LISTEN_FDS: passed and not used: a $HOST:$other is none of the addresses of bind with port; b is no TCP socket that listens; c is no TCP"
	echoes
	[ "$(find "/proc/$SERVER/fd" -lname 'socket:*' | wc -l)" -eq 1 ]
}

@test "the address of a socket that does not fit is in use: both are told" {
	conf bind=127.0.0.1
	passed 1 "0.0.0.0@$PORT" -- -c echod.conf
	wait_for 10 ended 1
	grep -q "bind 127.0.0.1:$PORT: Address already in use" err
	grep -q "LISTEN_FDS: passed and not used: a 0.0.0.0:$PORT " err
}

@test "sockets meant for another process are not touched" {
	conf
	PASSED_PID=1 passed 1 "127.0.0.9@$PORT" -- -c echod.conf
	logged 'warning: LISTEN_FDS=1: meant for process 1, and this is '
	echoes
}

# systemd makes such a socket for ListenStream=PORT.
@test "a passed socket for IPv6 and IPv4 stands for :: and 0.0.0.0" {
	[ -e /proc/net/if_inet6 ] || skip "no IPv6"
	conf 'bind=* ::*'
	passed 1 "dual:::@$PORT" -- -c echod.conf
	for _ in 1 2; do
		(HOST=127.0.0.1 && echoes)
		(HOST=::1 && echoes)
		[ "$(ss -Htln "sport = :$PORT" | grep -c .)" -eq 1 ]
		reloaded
	done
	kill "$SERVER"
	wait_for 20 ended 0
	conf 'bind=::'
	passed 1 "dual:::@$PORT" -- -c echod.conf
	grep -q 'takes IPv4 clients, too' log err
}

# The client comes as ::ffff:127.0.0.1.  Formerly no rule for IPv4 applied to
# it.
@test "an IPv4 client of a passed socket for IPv6 and IPv4 is one of IPv4" {
	[ -e /proc/net/if_inet6 ] || skip "no IPv6"
	conf 'bind=* ::*' deny=127.0.0.0/8 loglevel=verbose
	passed 1 "dual:::@$PORT" -- -c echod.conf
	(HOST=127.0.0.1 && not echoes)
	(HOST=::1 && echoes)
	logged ' 127.0.0.1:[0-9]+ refused: its address is not allowed'
	not logged ffff
}

@test "port 7 without root, by a socket unit" {
	need_root
	listening 7 && skip "port 7 is taken"
	command -v systemd-socket-activate >/dev/null ||
		skip "systemd-socket-activate is not installed"
	open_directory
	own_program
	PORT=7
	conf pidfile=
	chmod 644 echod.conf
	: >log
	systemd-socket-activate -l "$HOST:7" -- setpriv --reuid=65534 \
		--regid=65534 --clear-groups -- "$ECHOD" -c "$DIR/echod.conf" \
		>log 2>&1 3>&- 4>&- &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 listening 7
	wait_for 10 echoes
	[ "$(ps -o uid= -p "$SERVER")" -ne 0 ]
	reloaded
	echoes
	kill "$SERVER"
}

@test "the socket unit has what the sample configuration has" {
	local unit=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/etc/echod.socket port bind
	[ -s "$unit" ]
	port=$(sed -nE 's/^port = //p' "$TOP_SRCDIR/redis.conf")
	bind=$(sed -nE 's/^bind = //p' "$TOP_SRCDIR/redis.conf")
	grep -qx "ListenStream=$bind:$port" "$unit"
	grep -qx 'Accept=no' "$unit"
	command -v systemd-analyze >/dev/null || skip "systemd is not installed"
	cp "$unit" .
	printf '[Service]\nExecStart=/bin/true\n' >echod.service
	run systemd-analyze verify ./echod.socket
	echo "$output"
	[ -z "$(grep -v "Command 'man" <<<"$output" | grep -i 'echod.socket')" ]
}

# --- ports that are given up

# Formerly this needed a filter, and a privilege that the service does not
# have.
@test "a port that is given up: no warning, and nobody is reset, without root" {
	open_directory
	own_program
	local as=() first=$PORT other
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534
		--clear-groups --)
	other=$(free_port)
	conf pidfile=
	chmod 644 echod.conf
	printf '#!/bin/sh\nexec %s "$@"\n' "${as[*]} $ECHOD" >as
	chmod 755 as
	ECHOD=$DIR/as serve
	timeout 60 python3 - "$first" "$other" >clients 3>&- <<-'END' &
	import os, socket, sys, threading
	reset, served = [], []
	def client(port):
	    while not os.path.exists("enough"):
	        try:
	            s = socket.create_connection(("127.0.0.1", port), 0.3)
	        except OSError:      # refused, or nobody hears it
	            continue
	        try:
	            s.settimeout(20)
	            s.sendall(b"x\n")
	            (served if s.recv(9) == b"x\n" else reset).append(port)
	        except OSError as e:
	            reset.append(e)
	ts = [threading.Thread(target=client, args=(int(p),))
	    for p in sys.argv[1:] * 3]
	[t.start() for t in ts]
	[t.join() for t in ts]
	print(len(served) > 0, len(reset))
	END
	CLIENTS=$!
	PIDS+=("$CLIENTS")
	for n in 1 2 3 4 5 6 7 8; do
		[ $((n % 2)) -eq 0 ] && PORT=$first || PORT=$other
		conf pidfile=
		chmod 644 echod.conf
		reloaded
		wait_for 10 eval '[ "$(grep -c "no longer" log)" -eq '"$n"' ]'
	done
	touch enough
	wait "$CLIENTS"
	cat clients
	[ "$(cat clients)" = 'True 0' ]
	not logged 'may be reset'
}

# A handshake that began at the former port completes there, and no new
# handshake begins.  The bytes of the accepted client arrive.  Formerly the
# bound for SYNs also held for the accepted socket, and they did not.
@test "a handshake that began before a port is given up ends after it" {
	room
	[ -c /dev/net/tun ] || skip "no TUN devices"
	HOST=0.0.0.0
	local n old answer=
	for n in 1 2 3 4 5 6 7 8; do	# the machine may be too slow for it
		: >log
		PORT=$(free_port)
		old=$PORT
		conf shutdown-timeout=1
		serve
		PORT=$(free_port)
		conf shutdown-timeout=1
		answer=$(in_room timeout 60 python3 \
			"$TOP_SRCDIR/tests/lib/handshake.py" "$old" "kill -USR2 $SERVER
			until grep -q ' reloaded: ' log; do sleep 0.005; done")
		echo "$answer"
		stop
		[ "$answer" != 'echoed silence' ] || break
	done
	[ "$answer" = 'echoed silence' ]
}
