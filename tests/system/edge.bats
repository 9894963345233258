#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Access control: allow, deny, maxclients-per-ip, accept-rate, and the PROXY
# protocol.

load ../lib/common

# say TEXT: send it, with the escapes of printf, and print the answer.
say() {
	printf "$@" | nc.openbsd -N -w 5 "$HOST" "$PORT"
}

# The same from another loopback address.
say_from() {
	local from=$1
	shift
	printf "$@" | nc.openbsd -s "$from" -N -w 5 "$HOST" "$PORT"
}

# header VERSION_COMMAND FAMILY LENGTH REST: a version 2 header, for printf.
header() {
	printf '%s' '\r\n\r\n\0\r\nQUIT\n' "$1" "$2" "$3" "$4"
}

# hold N FROM: open N connections, and echo one line on each.
hold() {
	client hold_from "$1" "$2" "held.$2"
	wait_for 10 test -f "held.$2"
}

refusals() {
	grep -c 'denied\|over limit' log
}

# --- addresses

# bats test_tags=quick
@test "allow: only those, and without a word to others" {
	start 'allow=127.0.0.2 127.0.1.0/24' loglevel=verbose
	[ "$(say_from 127.0.0.2 'in\n')" = in ]
	[ "$(say_from 127.0.1.77 'in\n')" = in ]
	[ -z "$(say_from 127.0.2.1 'out\n')" ]
	[ -z "$(say 'out\n')" ]
	logged '127.0.2.1:[0-9]+ refused: its address is not allowed; 0 more refused unlogged'
	logged 'closed: denied'
}

@test "deny wins over allow" {
	start allow=127.0.0.0/8 deny=127.0.0.3/32
	[ -z "$(say_from 127.0.0.3 'out\n')" ]
	[ "$(say_from 127.0.0.4 'in\n')" = in ]
}

@test "a prefix that does not end at a byte" {
	start deny=127.0.64.0/18
	[ -z "$(say_from 127.0.64.1 'out\n')" ]
	[ -z "$(say_from 127.0.127.254 'out\n')" ]
	[ "$(say_from 127.0.128.1 'in\n')" = in ]
	[ "$(say_from 127.0.63.254 'in\n')" = in ]
}

@test "IPv6 networks" {
	HOST=::1
	ip -6 addr show dev lo 2>/dev/null | grep -q ::1 || skip "no IPv6 here"
	start 'deny=::1'
	[ -z "$(say 'out\n')" ]
	stop
	start 'deny=::2/127 2001:db8::/32' allow=::/0
	[ "$(say 'in\n')" = in ]
}

@test "networks that are none are errors that name them" {
	local text
	while read -r text reason; do
		run "$ECHOD" -t -o "deny=$text"
		echo "$text: $output"
		[ "$status" -eq 78 ]
		[[ $output == *"$reason"* ]]
	done <<-'END'
	10.0.0.1/8 "10.0.0.1/8" has bits behind its prefix
	10.0.0.0/33 the prefix is not 0 to 32
	::/129 the prefix is not 0 to 128
	10.0.0.0/ the prefix is not 0 to 32
	10.0.0.0/+8 the prefix is not 0 to 32
	10.0.0 is not an IPv4 or IPv6 address
	localhost is not an IPv4 or IPv6 address
	::1%lo is not an IPv4 or IPv6 address
	END
	"$ECHOD" -T -o 'allow=10.0.0.0/8   ::1 0.0.0.0/0' >dump
	grep -q '^allow = 10.0.0.0/8 ::1 0.0.0.0/0 ' dump
}

# A dual-stack balancer names IPv4 clients as ::ffff:a.b.c.d, a translator as
# 64:ff9b::a.b.c.d.  Formerly rules for IPv4 did not apply to them, and all of
# them counted as one client, because they share a /64.
@test "one client has one spelling: rules, counts and the log" {
	start proxy-protocol=on 'deny=192.0.2.0/24 ::ffff:203.0.113.0/120' \
		allow=::ffff:0:0/96 loglevel=verbose
	local a
	for a in ::ffff:192.0.2.1 ::ffff:c000:201 64:ff9b::192.0.2.1 \
	    ::FFFF:203.0.113.7; do
		[ -z "$(say_as "$a")" ]
		[ -z "$(say_as2 "$a")" ]
	done
	[ "$(refusals)" -eq 8 ]
	[ -z "$(say "$(proxy_v1 TCP4 203.0.113.7)out\n")" ]
	logged ' 192.0.2.1:1000 closed: denied'
	[ "$(say_as ::ffff:198.51.100.1)" = in ]
	[ "$(say_as2 64:ff9b::198.51.100.1)" = in ]
	[ "$(grep -c ' 198.51.100.1:1000 closed: client EOF' log)" -eq 2 ]
	# These are no IPv4 addresses, so they are not allowed.
	[ -z "$(say_as 2001:db8::1)" ]
	[ -z "$(say_as 64:ff9b:1::198.51.100.1)" ]
	stop
	start proxy-protocol=on maxclients-per-ip=1
	exec 5<>"/dev/tcp/$HOST/$PORT"
	printf "$(proxy_v1 TCP6 ::ffff:198.51.100.1)first\n" >&5
	[ "$(timeout 60 head -n 1 <&5)" = first ]
	[ "$(say_as ::ffff:203.0.113.9)" = in ]
	[ -z "$(say "$(proxy_v1 TCP4 198.51.100.1)second\n")" ]
	logged '198.51.100.1:1000 refused: maxclients-per-ip 1 reached'
	exec 5>&-
}

# proxy_v1 PROTOCOL ADDRESS: a header, for printf.
proxy_v1() {
	local to=::1
	[ "$1" = TCP6 ] || to=192.0.2.9
	printf '%s' "PROXY $1 $2 $to 1000 7\\r\\n"
}

# say_as ADDRESS: send a line as an IPv6 client of a balancer.
say_as() {
	say "$(proxy_v1 TCP6 "$1")in\n"
}

# The same with a header of version 2.
say_as2() {
	python3 -c 'import socket, struct, sys
a = socket.inet_pton(socket.AF_INET6, sys.argv[1])
sys.stdout.buffer.write(b"\r\n\r\n\0\r\nQUIT\n\x21\x21" +
    struct.pack("!H", 36) + a + a + struct.pack("!HH", 1000, 7) + b"in\n")' "$1" |
		nc.openbsd -N -w 5 "$HOST" "$PORT"
}

@test "networks of IPv4 addresses that are spelt as IPv6 are networks of IPv4" {
	"$ECHOD" -T -o 'deny=::ffff:192.0.2.0/120 ::ffff:0:0/96 ::/0 64:ff9b::c000:201' \
		>dump
	grep -q '^deny = 192.0.2.0/24 0.0.0.0/0 ::/0 192.0.2.1 ' dump
	run "$ECHOD" -t -o deny=::ffff:192.0.2.1/104
	[ "$status" -eq 78 ]
	[[ $output == *'"::ffff:192.0.2.1/104" has bits behind its prefix'* ]]
}

# --- numbers

# bats test_tags=quick
@test "maxclients-per-ip: so many from one address, others come in" {
	start maxclients-per-ip=3 workers=2
	hold 3 127.0.0.2
	[ "$(say_from 127.0.0.2 'x\n')" = $'-ERR max number of clients reached\r' ]
	logged '127.0.0.2:[0-9]+ refused: maxclients-per-ip 3 reached'
	[ "$(say_from 127.0.0.3 'in\n')" = in ]
	# A death neither resets a count nor leaves one behind.
	for pid in $(workers); do kill -KILL "$pid"; done
	[ "$(say_from 127.0.0.2 'x\n')" = $'-ERR max number of clients reached\r' ]
	touch enough
	client_is_happy
	wait_for 5 lets_in 127.0.0.2
}

lets_in() {
	[ "$(say_from "$1" 'in\n')" = in ]
}

@test "maxclients-per-ip is the same after a reload" {
	start_raw -o "port=$PORT" -o "bind=$HOST" -o maxclients-per-ip=2
	hold 2 127.0.0.2
	kill -USR2 "$SERVER"
	wait_for 10 logged ' reloaded: '
	not lets_in 127.0.0.2
	touch enough
	client_is_happy
}

@test "maxclients-per-ip counts an IPv6 /64 as one" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	unshare -n true 2>/dev/null || skip "no network namespaces here"
	cat >inside <<-'END'
	ip link set lo up
	for a in 1 2 3; do ip -6 addr add 2001:db8:0:1::$a/128 dev lo nodad; done
	ip -6 addr add 2001:db8:0:2::1/128 dev lo nodad
	"$ECHOD" -o port=6379 -o bind=::1 -o maxclients-per-ip=2 >log 2>&1 &
	server=$!
	until grep -q ' ready on ' log; do sleep 0.02; done
	say() { printf 'in\n' | nc.openbsd -s "$1" -N -w 5 ::1 6379; }
	coproc A { nc.openbsd -s 2001:db8:0:1::1 ::1 6379; }
	exec 5>&"${A[1]}"
	coproc B { nc.openbsd -s 2001:db8:0:1::2 ::1 6379; } 2>/dev/null
	exec 6>&"${B[1]}"
	sleep 0.3
	say 2001:db8:0:1::3
	say 2001:db8:0:2::1
	kill "$server" "$A_PID" "$B_PID"
	END
	ECHOD=$ECHOD timeout 60 unshare -n bash inside >said
	cat said log
	[ "$(tr -d '\r' <said | tr '\n' ' ')" = '-ERR max number of clients reached in ' ]
}

@test "accept-rate: a burst at once, the others wait their turn and all are served" {
	start accept-rate=20 accept-burst=5 workers=2
	local began
	began=$(date +%s%N)
	client hold_from 15 127.0.0.1 held
	wait_for 10 test -f held
	# 5 come at once, 10 at 20 a second.  This takes half a second, less
	# one interval.
	[ $(($(date +%s%N) - began)) -ge 400000000 ]
	touch enough
	client_is_happy
	not logged refused
}

@test "accept-rate does not hold up a stop" {
	start accept-rate=1 accept-burst=1
	echoes
	client queued 10 queued go
	wait_for 10 test -f queued
	stop
	touch go
	client_is_happy
	[ "$STATUS" -eq 0 ]
}

# Formerly each of these clients took a token of accept-rate, and they filled
# the queue.
@test "accept-rate: two loops that connect and leave keep nobody out" {
	start accept-rate=2 accept-burst=2 workers=2
	comers 127.0.0.1 1
	comers 127.0.0.1 2
	local n
	for n in 1 2 3; do
		[ "$(printf 'in\n' | nc.openbsd -N -w 60 "$HOST" "$PORT")" = in ]
	done
	touch enough
}

# comers ADDRESS N [TEXT]: N clients connect, send TEXT and leave.
comers() {
	client comers "$1" "coming.$2" "${3:-}"
	wait_for 10 test -f "coming.$2"
}

@test "accept-rate: who is turned away does not use it up" {
	start accept-rate=2 accept-burst=1 deny=127.0.0.2
	comers 127.0.0.2 1 x
	local n
	for n in 1 2 3; do
		[ "$(printf 'in\n' | nc.openbsd -N -w 60 "$HOST" "$PORT")" = in ]
	done
	touch enough
}

# Clients that send something count.
@test "accept-rate-per-ip: one address does not use up the rate of all" {
	start accept-rate=20 accept-burst=2 accept-rate-per-ip=2 loglevel=verbose
	comers 127.0.0.2 1 x
	comers 127.0.0.2 2 x
	local n
	for n in 3 4 5; do
		[ "$(printf 'in\n' | nc.openbsd -s "127.0.0.$n" -N -w 60 "$HOST" "$PORT")" = in ]
	done
	wait_for 10 logged '127.0.0.2:[0-9]+ refused: accept-rate-per-ip 2 exceeded'
	logged 'closed: over limit'
	# A death does not lose the count.
	for pid in $(workers); do kill -KILL "$pid"; done
	[ "$(printf 'in\n' | nc.openbsd -s 127.0.0.6 -N -w 60 "$HOST" "$PORT")" = in ]
	touch enough
}

@test "accept-rate-per-ip counts the address in a PROXY header" {
	start proxy-protocol=on proxy-trusted=127.0.0.1 accept-rate-per-ip=1
	local n=0 client
	for client in 1 2 3 4 5; do
		[ "$(say_as "::ffff:192.0.2.$client")" = in ]
	done
	# Now the rate is exceeded.
	until [ -z "$(say_as ::ffff:192.0.2.9)" ]; do
		n=$((n + 1))
		[ "$n" -lt 100 ]
	done
	logged '192.0.2.9:1000 refused: accept-rate-per-ip 1 exceeded'
}

# --- the PROXY protocol

V1='PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n'
V2='\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x67\x00\x50'

# bats test_tags=quick
@test "PROXY version 1 and 2: the client's address is the one in the log" {
	start proxy-protocol=on loglevel=verbose
	[ "$(say "${V1}one\n")" = one ]
	wait_for 5 logged '192.0.2.7:4711 closed: client EOF, 47 bytes in, 4 out'
	[ "$(say "${V2}two\n")" = two ]
	wait_for 5 logged '192.0.2.7:4711 closed: client EOF, 32 bytes in, 4 out'
	[ "$(say 'PROXY TCP6 2001:db8::7 ::1 4711 80\r\nsix\n')" = six ]
	wait_for 5 logged '\[2001:db8::7\]:4711 closed: client EOF'
	[ "$(say "$(header '\x21' '\x21' '\x00\x24' '\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\0\x50')six\n")" = six ]
	wait_for 5 logged '\[2001:db8::8\]:4711 closed: client EOF'
}

@test "PROXY: --check speaks it, too" {
	start proxy-protocol=on
	"$ECHOD" --check -o "port=$PORT" -o "bind=$HOST" -o proxy-protocol=on
	not logged refused
	run "$ECHOD" --check -o "port=$PORT" -o "bind=$HOST"
	[ "$status" -eq 1 ]
}

@test "PROXY: byte by byte, and with half a line behind it" {
	start proxy-protocol=on
	timeout 60 python3 - "$PORT" <<-'END'
	import socket, sys, time
	v1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"
	v2 = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x12\x67\0\x50")
	for head in v1, v2:
	    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
	    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
	    s.settimeout(5)
	    for b in head + b"half a ":
	        s.sendall(bytes([b]))
	        time.sleep(0.002)
	    s.sendall(b"line\nmore")
	    assert s.recv(100) == b"half a line\n"
	    s.shutdown(socket.SHUT_WR)
	    assert s.recv(100) == b"more"
	END
}

@test "PROXY: UNKNOWN, LOCAL and UNIX leave the address as it is" {
	start proxy-protocol=on loglevel=verbose
	[ "$(say 'PROXY UNKNOWN\r\nu\n')" = u ]
	[ "$(say 'PROXY UNKNOWN ffff::1 some thing\r\nv\n')" = v ]
	[ "$(say "$(header '\x20' '\x00' '\x00\x00' '')l\n")" = l ]
	[ "$(say "$(header '\x20' '\x11' '\x00\x0c' '123456789012')m\n")" = m ]
	[ "$(say "$(header '\x21' '\x31' '\x00\xd8' "$(printf '%0216d' 0)")x\n")" = x ]
	[ "$(grep -c '127.0.0.1:[0-9]* closed: client EOF' log)" -eq 5 ]
}

@test "PROXY: fields behind the addresses, and a checksum that must be right" {
	start proxy-protocol=on
	local address='\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x67\x00\x50'
	[ "$(say "$(header '\x21' '\x11' '\x00\x11' "$address"'\x04\x00\x02ab')n\n")" = n ]
	[ "$(say "$(header '\x21' '\x11' '\x00\x13' "$address"'\x03\x00\x04\x24\x8d\x9b\x28')c\n")" = c ] || {
		# The checksum of this header, from another implementation.
		python3 - <<-'END'
		h = bytearray(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xc0\0\2\7\xc6\x33\x64\1\x12\x67\0\x50\3\0\4\0\0\0\0")
		c = 0xffffffff
		for b in h:
		    c ^= b
		    for _ in range(8):
		        c = c >> 1 ^ (0x82f63b78 if c & 1 else 0)
		print("%08x" % (c ^ 0xffffffff))
		END
		return 1
	}
	[ -z "$(say "$(header '\x21' '\x11' '\x00\x13' "$address"'\x03\x00\x04\x00\x00\x00\x00')c\n")" ]
	logged 'PROXY header: wrong checksum'
}

# bats test_tags=quick
@test "PROXY: headers that are wrong close the connection and are told" {
	start proxy-protocol=on loglevel=verbose
	local n=0 text
	while read -r text; do
		echo "$text"
		[ -z "$(say "${text}out\n")" ]
		n=$((n + 1))
	done <<-'END'
	PROXY TCP4 192.0.2.7 198.51.100.1 4711\\r\\n
	PROXY TCP4 192.0.2.7 198.51.100.1 4711 80 9\\r\\n
	PROXY TCP4 192.0.2.7 198.51.100.1  4711 80\\r\\n
	PROXY TCP4 192.0.2.256 198.51.100.1 4711 80\\r\\n
	PROXY TCP4 2001:db8::1 ::1 4711 80\\r\\n
	PROXY TCP6 192.0.2.7 198.51.100.1 4711 80\\r\\n
	PROXY TCP4 192.0.2.7 198.51.100.1 65536 80\\r\\n
	PROXY TCP4 192.0.2.7 198.51.100.1 04711 80\\r\\n
	PROXY TCP4 192.0.2.7 198.51.100.1 -1 80\\r\\n
	PROXY TCP5 192.0.2.7 198.51.100.1 4711 80\\r\\n
	PROXY UDP4 192.0.2.7 198.51.100.1 4711 80\\r\\n
	PROXY UNKNOWNX\\r\\n
	PROXY \\r\\n
	PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\\n
	PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\\0\\r\\n
	proxy TCP4 192.0.2.7 198.51.100.1 4711 80\\r\\n
	no header at all\\n
	GET / HTTP/1.0\\r\\n\\r\\n
	END
	# Version 3, command 2, family 4, a datagram, truncated addresses, too
	# long, a truncated field.
	for text in "$(header '\x31' '\x11' '\x00\x0c' 123456789012)" \
	    "$(header '\x22' '\x11' '\x00\x0c' 123456789012)" \
	    "$(header '\x21' '\x41' '\x00\x0c' 123456789012)" \
	    "$(header '\x21' '\x12' '\x00\x0c' 123456789012)" \
	    "$(header '\x21' '\x11' '\x00\x0b' 12345678901)" \
	    "$(header '\x21' '\x11' '\x20\x00' 123456789012)" \
	    "$(header '\x21' '\x11' '\x00\x0e' '123456789012\x04\x00')" \
	    "$(header '\x21' '\x11' '\x00\x0f' '123456789012\x04\x00\x01')"; do
		[ -z "$(say "${text}out\n")" ]
		n=$((n + 1))
	done
	[ "$n" -eq 26 ]
	wait_for 5 counts_denied "$n"
	# A truncated header is no header either.
	[ -z "$(say 'PROXY TCP4 192.0')" ]
	wait_for 5 counts_denied $((n + 1))
	[ "$(say "${V1}in\n")" = in ]
}

counts_denied() {
	[ "$(grep -c 'closed: denied' log)" -eq "$1" ]
}

@test "PROXY optional: with and without" {
	start proxy-protocol=optional loglevel=verbose
	[ "$(say 'plain\n')" = plain ]
	[ "$(say "${V1}one\n")" = one ]
	wait_for 5 logged '192.0.2.7:4711 closed'
	[ "$(say 'PROXIMA\n')" = PROXIMA ]
	[ "$(say 'P\n')" = P ]
	# The beginning of a signature and then EOF: no header can follow.
	[ "$(say 'PROX')" = PROX ]
	[ "$(say '\r\n' | od -An -tx1)" = ' 0d 0a' ]
	# With a complete signature it is a truncated header.
	[ -z "$(say 'PROXY TCP4')" ]
	logged 'refused: PROXY header is cut'
}

# The signature of version 2 begins with CR LF. Formerly CR LF was never
# echoed, because the rest of a signature might follow.
@test "PROXY optional: a line that may begin a header comes back after a second" {
	start proxy-protocol=optional
	local text
	for text in '\r\n' '\r\n\r\n' 'P' '\r\n\r\n\0\r\nQUI'; do
		exec 5<>"/dev/tcp/$HOST/$PORT"
		printf "$text" >&5
		printf '%b' "$text" | tr -d '\0' >want
		# The text is echoed only when its line has ended.
		[[ $text == *n ]] || printf '\n' | tee -a want >&5
		timeout 60 head -n "$(grep -c '' want)" <&5 | tr -d '\0' >got
		cmp want got
		exec 5>&-
	done
}

# Formerly such a client kept its place for ever, and so did a client that sent
# a byte now and then.
@test "PROXY on: a header that does not come gives the place up" {
	start proxy-protocol=on proxy-protocol-timeout=1 maxclients=2 \
		loglevel=verbose
	exec 5<>"/dev/tcp/$HOST/$PORT"
	timeout 60 python3 - "$PORT" <<-'END' &
	import socket, sys, time
	s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
	try:
	    for b in b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\nslow\n":
	        s.sendall(bytes([b]))
	        time.sleep(0.2)
	    sys.exit(s.recv(100) == b"slow\n")
	except OSError:
	    pass
	END
	PIDS+=("$!")
	wait_for 10 closed_denied 1
	wait_for 10 closed_denied 2
	logged 'refused: no (whole )?PROXY header within 1 s of its connection'
	[ "$(timeout 60 cat <&5)" = '' ]
	exec 5>&-
	[ "$(say "${V1}in\n")" = in ]
	wait "$!"
}

closed_denied() {
	[ "$(grep -c 'closed: denied' log)" -ge "$1" ]
}

@test "PROXY on: the wait outlives workers and reloads" {
	start_raw -o "port=$PORT" -o "bind=$HOST" -o proxy-protocol=on \
		-o proxy-protocol-timeout=2 -o workers=2
	exec 5<>"/dev/tcp/$HOST/$PORT" 6<>"/dev/tcp/$HOST/$PORT"
	printf 'PROXY TCP4 192.0' >&6
	for pid in $(workers); do kill -KILL "$pid"; done
	kill -USR2 "$SERVER"
	wait_for 10 logged ' reloaded: '
	[ "$(timeout 60 cat <&5)" = '' ]
	[ "$(timeout 60 cat <&6)" = '' ]
	logged 'refused: no (whole )?PROXY header within 2 s of its connection'
	exec 5>&- 6>&-
	[ "$(say "${V1}in\n")" = in ]
}

# Formerly a silent client counted for no address, and one address could hold
# 200 of 200 places.
@test "PROXY: until the header has come it is the socket's address that counts" {
	start proxy-protocol=optional deny=127.0.0.2 maxclients-per-ip=3 \
		proxy-protocol-timeout=3600
	[ -z "$(timeout 60 nc.openbsd -d -s 127.0.0.2 "$HOST" "$PORT")" ]
	logged '127.0.0.2:[0-9]+ refused: its address is not allowed'
	client silent_from 3 127.0.0.3 held
	wait_for 10 test -f held
	[ "$(timeout 60 nc.openbsd -d -s 127.0.0.3 "$HOST" "$PORT")" = $'-ERR max number of clients reached\r' ]
	[ "$(say_from 127.0.0.4 "${V1}in\n")" = in ]
	# A header that has already arrived counts.
	for pid in $(workers); do kill -STOP "$pid"; done
	say_from 127.0.0.3 "${V1}in\n" >got &
	wait_for 10 queued_bytes
	for pid in $(workers); do kill -CONT "$pid"; done
	wait "$!"
	[ "$(cat got)" = in ]
	touch enough
	client_is_happy
}

# A client has sent bytes, and no worker has read them.
queued_bytes() {
	ss -Htn state close-wait "sport = :$PORT" | grep -q '127.0.0.3'
}

@test "PROXY: a balancer's own address has no places to run out of" {
	start proxy-protocol=on proxy-trusted=127.0.0.1 maxclients-per-ip=1
	client silent_from 5 127.0.0.1 held
	wait_for 10 test -f held
	[ "$(say "${V1}in\n")" = in ]
	not logged refused
	touch enough
	client_is_happy
}

@test "PROXY: checks of a balancer are no clients and no trouble" {
	start proxy-protocol=on proxy-trusted=127.0.0.1 allow=192.0.2.0/24 \
		maxclients-per-ip=1 loglevel=verbose
	timeout 60 python3 - "$PORT" <<-'END'
	import socket, struct, sys
	def dial():
	    return socket.create_connection(("127.0.0.1", int(sys.argv[1])))
	for _ in range(3):
	    dial().close()
	    s = dial()
	    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
	    s.close()
	    s, t = dial(), dial()
	    for check in s, t:
	        check.sendall(b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0check\n")
	        assert check.recv(100) == b"check\n"
	END
	[ "$(grep -v 'running as root' log | grep -c warning)" -eq 0 ]
}

@test "proxy-trusted: that it is empty is said, and a warning if there are rules" {
	printf '%s\n' "port $PORT" "bind $HOST" >redis.conf
	start_raw -c redis.conf
	not logged 'proxy-trusted is empty'
	echo 'proxy-protocol on' >>redis.conf
	kill -USR2 "$SERVER"
	wait_for 10 logged ' reloaded: '
	logged 'notice: proxy-trusted is empty: every client can name itself by any address'
	stop
	start proxy-protocol=optional deny=192.0.2.1
	logged 'warning: proxy-trusted is empty: .* escape the rules'
	stop
	start proxy-protocol=optional deny=192.0.2.1 proxy-trusted=127.0.0.1
	not logged 'proxy-trusted is empty'
}

# Formerly each checksum field was checked over the whole header: 3 to 12 ms
# for the 344 fields of one header.
@test "PROXY: a second checksum is wrong, and so is a line that ends with LF" {
	start proxy-protocol=on
	local address='\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x67\x00\x50'
	[ -z "$(say "$(header '\x21' '\x11' '\x00\x1a' "$address"'\x03\x00\x04\x00\x00\x00\x00\x03\x00\x04\x00\x00\x00\x00')c\n")" ]
	logged 'PROXY header: more than one checksum'
	stop
	start proxy-protocol=on
	# The fault is known at once; the client does not end its side.
	exec 5<>"/dev/tcp/$HOST/$PORT"
	printf 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\nx\r\n' >&5
	[ -z "$(timeout 60 cat <&5)" ]
	exec 5>&-
	logged 'PROXY header: its line ends with LF alone, not with CR LF'
}

@test "PROXY off: a header is input as any other" {
	start
	[ "$(say "${V1}one\n" | od -c)" = "$(printf "${V1}one\n" | od -c)" ]
}

@test "proxy-trusted: others are refused, or are clients as any other" {
	start proxy-protocol=on proxy-trusted=127.0.0.2
	[ "$(say_from 127.0.0.2 "${V1}in\n")" = in ]
	[ -z "$(say_from 127.0.0.3 "${V1}out\n")" ]
	logged '127.0.0.3:[0-9]+ refused: not in proxy-trusted'
	stop
	start proxy-protocol=optional proxy-trusted=127.0.0.2
	[ "$(say_from 127.0.0.3 "${V1}x\n" | wc -l)" -eq 2 ]
	[ "$(say_from 127.0.0.2 "${V1}x\n" | wc -l)" -eq 1 ]
}

@test "allow, deny and maxclients-per-ip are about the address in the header" {
	start proxy-protocol=on deny=192.0.2.0/24 maxclients-per-ip=1 \
		proxy-trusted=127.0.0.1
	[ -z "$(say "${V1}out\n")" ]
	logged '192.0.2.7:4711 refused: its address is not allowed'
	exec 5<>"/dev/tcp/$HOST/$PORT" 6<>"/dev/tcp/$HOST/$PORT"
	printf 'PROXY TCP4 203.0.113.1 198.51.100.1 1 80\r\nfirst\n' >&5
	[ "$(timeout 60 head -n 1 <&5)" = first ]
	printf 'PROXY TCP4 203.0.113.2 198.51.100.1 1 80\r\nother\n' >&6
	[ "$(timeout 60 head -n 1 <&6)" = other ]
	[ -z "$(say 'PROXY TCP4 203.0.113.1 198.51.100.1 2 80\r\nsecond\n')" ]
	exec 5>&- 6>&-
}

@test "PROXY: kill -9 of the workers before, in and after the header" {
	start proxy-protocol=on workers=2
	exec 5<>"/dev/tcp/$HOST/$PORT"
	printf 'PROXY TCP4 192.0' >&5
	for pid in $(workers); do kill -KILL "$pid"; done
	printf '.2.7 198.51.100.1 4711 80\r\nhalf ' >&5
	wait_for 10 echoes_with_header
	for pid in $(workers); do kill -KILL "$pid"; done
	echo 'a line' >&5
	[ "$(timeout 60 head -n 1 <&5)" = 'half a line' ]
	exec 5>&-
}

echoes_with_header() {
	[ "$(say "${V1}ping\n")" = ping ]
}

@test "the real HAProxy, send-proxy and send-proxy-v2" {
	command -v haproxy >/dev/null || skip "haproxy is not installed"
	start proxy-protocol=on loglevel=verbose
	local version front
	for version in send-proxy send-proxy-v2 'send-proxy-v2 proxy-v2-options crc32c,unique-id'; do
		front=$(free_port)
		cat >haproxy.cfg <<-END
		defaults
		    mode tcp
		    timeout connect 5s
		    timeout client 5s
		    timeout server 5s
		listen echo
		    bind 127.0.0.1:$front
		    unique-id-format %ts
		    server one $HOST:$PORT $version
		END
		haproxy -db -f haproxy.cfg >haproxy.log 2>&1 3>&- &
		PIDS+=("$!")
		wait_for 10 echoes "$front"
		[ "$(printf 'through\n' | nc.openbsd -s 127.0.0.9 -N -w 5 "$HOST" "$front")" = through ]
		wait_for 5 logged '127.0.0.9:[0-9]+ closed: client EOF'
		: >log.seen
		kill "$!"
	done
	[ "$(grep -c '127.0.0.9:[0-9]* closed: client EOF' log)" -eq 3 ]
	not logged denied
}

listens() {
	ss -Htln "sport = :$1" | grep -q .
}

@test "the real nginx, proxy_protocol" {
	command -v nginx >/dev/null || skip "nginx is not installed"
	[ -e /usr/lib/nginx/modules/ngx_stream_module.so ] ||
		skip "nginx has no stream module"
	start proxy-protocol=on loglevel=verbose
	local front
	front=$(free_port)
	cat >nginx.conf <<-END
	load_module /usr/lib/nginx/modules/ngx_stream_module.so;
	daemon off;
	pid $DIR/nginx.pid;
	error_log $DIR/nginx.log;
	events {}
	stream {
	    server {
	        listen 127.0.0.1:$front;
	        proxy_pass $HOST:$PORT;
	        proxy_protocol on;
	    }
	}
	END
	nginx -e "$DIR/nginx.log" -c "$DIR/nginx.conf" >nginx.out 2>&1 3>&- &
	PIDS+=("$!")
	wait_for 10 listens "$front"
	# nginx closes both sides when one is closed, so keep ours open.
	[ "$( (printf 'through\n' && sleep 0.5) |
		nc.openbsd -s 127.0.0.9 -w 5 "$HOST" "$front")" = through ]
	wait_for 5 logged '127.0.0.9:[0-9]+ closed: client EOF'
	not logged denied
	kill "$!"
}
