#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Handlers outside of the tree: the header, the man page, the tutorial and the
# template, and the modules of echod with clients of their protocols.

load ../lib/common

BUILD=${TOP_BUILDDIR:-$TOP_SRCDIR/build}
STRICT="-Wall -Wextra -Werror -Wshadow -O2 -fPIC -shared -fvisibility=hidden"

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# compile COMPILER [OPTION]... FILE: make FILE.so of a handler, as strangers do.
compile() {
	local file=${*: -1}
	# shellcheck disable=SC2086 # a list of options
	"${@:1:$#-1}" $STRICT -I"$TOP_SRCDIR/include" -o "$file.so" "$file"
}

# The only name that a module shows is its handler's.
exports_handler() {
	[ "$(nm -D --defined-only "$1" | awk '$3 !~ /^__/ { print $3 }')" = echod_handler ]
}

# make install, in a directory of this test; the commands are in PATH.
install_here() {
	need pkg-config
	[ -e "$BUILD/Makefile" ] || skip "there is no Makefile in $BUILD"
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -C "$BUILD" install \
		prefix="$DIR/usr" >install.log 2>&1 3>&- || {
		tail install.log
		return 1
	}
	# It is looked for beside the program before the path of configure.
	ln -sf ../libexec/echod/echod-admin usr/sbin/
	mkdir -p tools
	printf '#!/bin/sh\nexec %s --define-prefix "$@"\n' \
		"$(command -v pkg-config)" >tools/pkg-config
	chmod +x tools/pkg-config
	PATH=$DIR/tools:$DIR/usr/sbin:$DIR/usr/bin:$PATH
	export PKG_CONFIG_PATH=$DIR/usr/lib/pkgconfig
}

# serve HANDLER [ASSIGNMENT]...: start a service of this handler.
serve() {
	local handler=$1
	shift
	start "handler=$handler" workers=2 "$@"
}

# Kill a worker ten times in a second, as long as the process $1 lives.
kill_while() {
	local victim
	while ! dead "$1"; do
		victim=$(workers | shuf -n 1)
		[ -z "$victim" ] || kill -KILL "$victim" || true
		sleep 0.1
	done
}

# --- the interface

@test "C and C++ compilers accept the header, before all others" {
	echo '#include "echod/handler.h"' >alone.c
	cp alone.c alone.cc
	local cc file
	for cc in "gcc -std=gnu99" "gcc -std=c17" "clang -std=gnu99" "clang -std=c17" \
		"g++ -std=c++11" "g++ -std=c++20" "clang++ -std=c++11" "clang++ -std=c++20"; do
		need "${cc%% *}"
		case $cc in
		*++*) file=alone.cc ;;
		*) file=alone.c ;;
		esac
		echo "$cc"
		# shellcheck disable=SC2086 # a command and its option
		$cc -Wall -Wextra -Werror -Wpedantic -fsyntax-only \
			-I"$TOP_SRCDIR/include" $file
	done
}

upper_in_c++() {
	cat >upper.cc <<-'END'
	#include <echod/handler.h>
	#include <algorithm>
	#include <cctype>

	static int
	upper_step(echod_step *s)
	{
		auto upper = [](unsigned char c) { return std::toupper(c); };

		std::transform(s->in, s->in + s->in_len, s->out, upper);
		s->consume = s->write = s->in_len;
		return ECHOD_WAIT;
	}

	const struct echod_handler echod_handler = { ECHOD_ABI,
		sizeof(struct echod_handler), "upper", "1", 0, 0, 4096, 4096,
		nullptr, upper_step, nullptr, "a", 1, 1, "A" };
	END
}

@test "a module can be written in C++" {
	upper_in_c++
	local cc
	for cc in g++ clang++; do
		need "$cc"
		compile "$cc" -std=c++11 upper.cc
		exports_handler upper.cc.so
	done
}

@test "a module of the build shows its handler and nothing else, and is hardened" {
	need readelf
	[ "$(find "$BUILD/modules" -name '*.so' | wc -l)" -ge 5 ]
	local so
	for so in "$BUILD"/modules/*.so; do
		echo "$so"
		exports_handler "$so"
		readelf -lW "$so" | grep -q GNU_RELRO
		readelf -dW "$so" | grep -qE 'BIND_NOW|FLAGS.*NOW'
	done
}

# The program in the man page.
manual_example() {
	mandoc -Tascii -O width=200 "$TOP_SRCDIR/man/echod-handler.3" |
		sed 's/.\x08//g; 1,/^EXAMPLES/d; /^SEE ALSO/,$d' |
		sed -n '/^     #include/,$ s/^     //p'
}

@test "the example of echod-handler(3) compiles as it stands there, and keeps its promises" {
	need mandoc
	manual_example >count.c
	grep -q '^#include <echod/handler.h>' count.c
	grep -q '\.step = count_step,$' count.c
	local cc
	for cc in gcc clang; do
		need "$cc"
		compile "$cc" count.c
		exports_handler count.c.so
	done
	printf 'hello\n\nworld\nha' >input
	"$(dirname "$ECHOD")/echod-handler-test" "./count.c.so" input
}

@test "make install puts header, modules and template where echod.pc says" {
	install_here
	[ -f usr/include/echod/handler.h ]
	[ -f "$(pkg-config --variable=handlersdir echod)/daytime.so" ]
	[ -f "$(pkg-config --variable=templatedir echod)/Makefile" ]
	[ "$(pkg-config --modversion echod)" = "$("$ECHOD" -v | sed 's/echod //')" ]
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -C "$BUILD" uninstall \
		prefix="$DIR/usr" >uninstall.log 2>&1 3>&-
	[ "$(find usr -type f | wc -l)" -eq 0 ]
}

@test "the template builds outside of the tree" {
	install_here
	cp -r "$(pkg-config --variable=templatedir echod)" hello
	make -s -C hello CFLAGS="-O2 -Wall -Wextra -Werror -Wshadow"
	exports_handler hello/hello.so
	make -s -C hello install DESTDIR="$DIR/root"
	[ -f "root$(pkg-config --variable=handlersdir echod)/hello.so" ]
	make -s -C hello clean
	[ ! -e hello/hello.so ]
}

@test "the tutorial does what it says" {
	need cc
	need nc
	install_here
	python3 "$TOP_SRCDIR/tests/lib/tutorial.py" "$TOP_SRCDIR/doc/handlers.md" |
		sed "s/\\b7777\\b/$PORT/g" >tutorial
	mkdir here
	(cd here && timeout 120 bash ../tutorial) >said 2>&1 3>&- || {
		cat said
		return 1
	}
	grep -qE '^commands: [0-9]{2}$' said
}

# --- the modules, with clients

@test "the example of echod-handler(3), and a handler in C++, serve" {
	need mandoc
	need g++
	manual_example >count.c
	compile gcc count.c
	serve "$DIR/count.c.so"
	[ "$(printf 'hello\nworld\nha' | nc.openbsd -N -w 5 "$HOST" "$PORT")" = \
		$'1 hello\n2 world' ]
	stop
	upper_in_c++
	compile g++ -std=c++11 upper.cc
	serve "$DIR/upper.cc.so"
	[ "$(echo 'Hello, 2' | nc.openbsd -N -w 5 "$HOST" "$PORT")" = 'HELLO, 2' ]
}

@test "daytime: the line is now, and the end follows (RFC 867)" {
	serve daytime
	local before after line
	before=$(date +%s)
	# It does not wait for the client, and forgets its input.
	line=$(echo ignored | nc.openbsd -w 5 "$HOST" "$PORT")
	after=$(date +%s)
	[[ $line =~ ^[A-Z][a-z]+day,\ [A-Z][a-z]+\ [0-9]+,\ 20[0-9]+\ .*-UTC$'\r'$ ]]
	line=$(date -u -d "${line%-UTC*} UTC" +%s)
	[ "$before" -le "$line" ] && [ "$line" -le "$after" ]
}

@test "time: 32 bits in network order, and the end follows (RFC 868)" {
	serve time
	python3 - <<-'END'
	import os, socket, struct, time
	before = int(time.time())
	s = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])), 60)
	answer = s.makefile("rb").read()
	assert len(answer) == 4, answer
	now = struct.unpack("!I", answer)[0] - 2208988800
	assert before <= now <= time.time(), now
	END
}

# Clients, one after the other for two seconds, whose answer is this expression
# and then the end.
greeted() {
	python3 - "$1" <<-'END'
	import os, re, socket, sys, time
	where = (os.environ["HOST"], int(os.environ["PORT"]))
	end, seen = time.monotonic() + 2, 0
	while time.monotonic() < end or seen < 100:
	    s = socket.create_connection(where, 60)
	    if seen % 2:
	        s.sendall(b"ignored")
	    answer = s.makefile("rb").read()
	    s.close()
	    assert re.fullmatch(sys.argv[1].encode(), answer, re.S), answer
	    seen += 1
	print(seen, "connections")
	END
}

@test "daytime, time and qotd: every client has its answer while workers are killed" {
	printf 'One.\n%%\nTwo.\n' >quotations
	local handler client
	for handler in 'daytime [A-Z][^\n]*-UTC\r\n' 'time .{4}' 'qotd (One|Two)[.]\r\n'; do
		PORT=$(free_port)
		printf '%s\n' "port = $PORT" "bind = $HOST" "workers = 2" \
			"handler = ${handler%% *}" >conf
		[ "${handler%% *}" != qotd ] || echo "handler.file = $DIR/quotations" >>conf
		start_raw -c conf
		greeted "${handler#* }" &
		client=$!
		PIDS+=("$client")
		kill_while "$client"
		wait "$client"
		[ "$(grep -c killed log)" -ge 3 ]
		stop
	done
}

# A client of chargen that compares $1 megabytes with the pattern of the RFC,
# and then leaves.
compare_chargen() {
	python3 - "$1" <<-'END'
	import os, socket, sys
	ring = bytes(range(32, 127)) * 2
	turn = b"".join(ring[n:n + 72] + b"\r\n" for n in range(95))
	want, seen = turn * 200, 0
	s = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])), 60)
	while seen < int(sys.argv[1]) << 20:
	    s.sendall(b"ignored\n" * (seen % 3))
	    data = s.recv(1 << 19)
	    at = seen % len(turn)
	    assert data and data == want[at:at + len(data)], seen
	    seen += len(data)
	END
}

@test "chargen: the pattern of the RFC goes on while workers are killed (RFC 864)" {
	serve chargen
	compare_chargen 1000 &
	local client=$!
	PIDS+=("$client")
	kill_while "$client"
	wait "$client"
	[ "$(grep -c 'killed' log)" -ge 3 ]
	# A client that does not read costs nothing, and a drain ends it.
	exec 5<>"/dev/tcp/$HOST/$PORT"
	stop
	exec 5>&-
}

@test "qotd: one of the quotations, and the end follows (RFC 865)" {
	printf 'One.\n%%\nTwo,\nand more.\n' >quotations
	serve qotd "handler.file=$DIR/quotations"
	# The workers have what the start has read.
	rm quotations
	local n
	for n in {1..40}; do
		nc.openbsd -d -w 5 "$HOST" "$PORT" >"got.$n"
	done
	[ "$(cat got.* | sort | uniq | tr -d '\r')" = $'One.\nTwo,\nand more.' ]
}

@test "qotd: what is wrong with its file is said before the start" {
	local said
	said=$("$ECHOD" -t -o handler=qotd 2>&1) && return 1
	echo "$said"
	[[ $said == *file:* ]]
	{
		printf 'One.\n%%\n'
		printf '%0600d\n' 0
	} >quotations
	said=$("$ECHOD" -t -o handler=qotd -o "handler.file=$DIR/quotations" 2>&1) &&
		return 1
	echo "$said"
	[[ $said == *"$DIR/quotations: quotation 2 "* ]]
}

@test "out: every line comes back while workers are killed" {
	serve out
	timeout 60 "$LOAD" -p "$PORT" -t 3 >figures 2>&1 3>&- &
	local load=$!
	PIDS+=("$load")
	kill_while "$load"
	wait "$load" || {
		cat figures
		return 1
	}
}

@test "echod --check asks each module in its own way" {
	echo Hello >quotations
	local handler
	for handler in chargen daytime out qotd time; do
		echo "$handler"
		printf '%s\n' "port = $PORT" "bind = $HOST" "handler = $handler" >conf
		[ "$handler" != qotd ] || echo "handler.file = $DIR/quotations" >>conf
		start_raw -c conf
		"$ECHOD" -c conf --check
		# An answer of another protocol is none.
		if [ "$handler" != out ] && "$ECHOD" -c conf --check -o handler=out; then
			return 1
		fi
		stop
		PORT=$(free_port)
	done
}
