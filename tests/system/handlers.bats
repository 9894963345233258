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
	[ "$(nm -D --defined-only "$1" | awk '$2 != "w" { print $3 }')" = echod_handler ]
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

@test "the example of echod-handler(3) compiles as it stands there" {
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
