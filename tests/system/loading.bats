#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Modules: which files are loaded, by which processes, what a reload makes of
# another build of one, and what a module can do to others.  That is nothing.

load ../lib/common

# A sanitizer would turn the signals of crashes into exits.
export ASAN_OPTIONS=handle_segv=0:handle_sigbus=0

MODULES=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs/modules

# module NAME [AS]: put this module into $DIR, in one step, so that the file is
# another one.
module() {
	cp "$MODULES/$1.so" "$DIR/next.so"
	chmod 755 "$DIR/next.so"
	mv -f "$DIR/next.so" "$DIR/${2:-$1}.so"
}

# configure NAME [LINE...]: a configuration with this module on line 4.
configure() {
	printf '%s\n' "port = $PORT" "bind = $HOST" "pidfile = $DIR/pid" \
		"handler = $DIR/$1.so" "workers = 2" "supervised = auto" \
		"${@:2}" >conf
}

serve() {
	unset NOTIFY_SOCKET
	start_raw -c conf
}

# refused CONFIGURED TEXT: -t and a start have this to say, with file and line.
refused() {
	run "$ECHOD" -t -c conf
	echo "$output"
	[ "$status" -eq 78 ]
	[[ $output == *"conf:$1: "*"$2"* ]]
	run timeout 60 "$ECHOD" -c conf
	echo "$output"
	[ "$status" -eq 78 ]
	[[ $output == *"conf:$1: "*"$2"* ]]
}

reload() {
	run "$ECHOD" -c conf -s reload
	echo "$output"
	[ "$status" -eq 0 ]
}

# The reload is refused with this reason, and the service goes on.
reload_refused() {
	run "$ECHOD" -c conf -s reload
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *"$1"* ]]
	logged "reload refused: .*; nothing has changed"
}

# Connection 5 sends a line and gets one, in $REPLY.
dial() {
	exec 5<>"/dev/tcp/$HOST/$PORT"
}

ask() {
	printf '%s\n' "$1" >&5
	IFS= read -r -t 60 REPLY <&5
	echo "$1 -> $REPLY"
}

# ---- which modules there are

@test "a module of another ABI, or that is none: -t and a start name it" {
	local m
	for m in abi:'its ABI is 2, this echod has 1' \
		size:'its struct echod_handler has 8 bytes' \
		state:'its state_size is 4097, the limit is 4096' \
		no-symbol:'it has no symbol echod_handler'; do
		module "${m%%:*}"
		configure "${m%%:*}"
		refused 4 "handler: $DIR/${m%%:*}.so: ${m#*:}"
	done
	configure none
	refused 4 "handler: $DIR/none.so: there is no such file"
	configure dead
	head -c 4000 "$DIR/size.so" >dead.so
	chmod 755 dead.so
	refused 4 "handler: $DIR/dead.so: "
	sed -i 's|^handler = .*|handler = no-such|' conf
	refused 4 'handler: "no-such" is not built in (echo, raw, discard), and there is no file /'
}

# bats test_tags=quick
@test "a file or a directory that others can write to is not loaded" {
	module count1
	configure count1
	chmod 666 count1.so
	refused 4 "handler: $DIR/count1.so: others can write to it"
	chmod 755 count1.so
	mkdir -m 777 open
	mv count1.so open
	ln -s open/count1.so count1.so
	refused 4 "handler: $DIR/count1.so: $DIR/open: others can write to it"
	chmod 755 open
	"$ECHOD" -t -c conf
}

@test "root and the user of the service may own a module, and nobody else" {
	need_root
	open_directory
	module constructor
	configure constructor 'user = nobody'
	chown daemon constructor.so
	refused 4 "handler: $DIR/constructor.so: it belongs to user $(id -u daemon)"
	chown nobody constructor.so
	: >mark
	chmod 666 mark
	NAUGHTY_MARK=$DIR/mark "$ECHOD" -t -c conf
	# The module's code has run, with the rights of the service only.
	cut -d' ' -f2 mark | sort -u | tee users
	[ "$(cat users)" = "$(id -u nobody)" ]
	export NAUGHTY_MARK=$DIR/mark
	serve
	dial
	ask hello
	[ "$REPLY" = hello ]
	cut -d' ' -f2 mark | sort -u | tee users
	[ "$(cat users)" = "$(id -u nobody)" ]
}

@test "the master never loads a module" {
	export NAUGHTY_MARK=$DIR/mark
	module constructor
	configure constructor
	serve
	wait_for 10 workers_are 2
	not grep -q "^$SERVER " mark
	grep -q "^$(workers | head -n 1) " mark
	reload
	not grep -q "^$SERVER " mark
	# Nor maps it.
	not grep -q constructor.so "/proc/$SERVER/maps"
	grep -q constructor.so "/proc/$(workers | head -n 1)/maps"
}

@test "a module is found by its name beside a program that is not installed" {
	[ -e "$(dirname "$ECHOD")/../modules/daytime.so" ] ||
		skip "the modules are not built beside $ECHOD"
	configure x
	sed -i 's|^handler = .*|handler = daytime|' conf
	"$ECHOD" -t -c conf
	"$ECHOD" -T -c conf | grep -E '^# service default: handler daytime .*, /.*/modules/daytime\.so$'
}

# ---- options

@test "a wrong option is named by its own line" {
	module naughty
	configure naughty 'handler.text = x' 'handler.do = fly'
	refused 8 'handler.do: it cannot fly'
	configure naughty 'handler.what = x'
	refused 7 'handler.what: not an option of it'
	module no-options
	configure no-options 'handler.do = x'
	refused 7 'handler.do: handler naughty takes no options'
}

@test "a module that crashes or hangs in configure() is an error like another" {
	module naughty
	configure naughty 'handler.do = crash'
	refused 4 "handler: $DIR/naughty.so: its configure() was killed by SIGSEGV"
	configure naughty 'handler.do = exit'
	refused 4 'its configure() exited with status 0'
	configure naughty 'handler.do = hang'
	run "$ECHOD" -t -c conf
	[ "$status" -eq 78 ]
	[[ $output == *'its configure() takes longer than 5 s' ]]
}

@test "options reach the workers, and a reload changes them" {
	module naughty
	configure naughty 'handler.text = one'
	serve
	dial
	ask text
	[ "$REPLY" = one ]
	sed -i 's/= one/= two/' conf
	reload
	ask text
	[ "$REPLY" = two ]
	kill -KILL "$(workers | head -n 1)"
	ask text
	[ "$REPLY" = two ]
}

# ---- reloads

# bats test_tags=quick
@test "a reload into another build: connections keep their state" {
	module count1 module
	configure module
	serve
	dial
	ask a
	[ "$REPLY" = "1 v1" ]
	reload
	ask b
	[ "$REPLY" = "2 v1" ]
	module count2 module
	reload_refused "conf:4: handler: $DIR/module.so: its state has version 2, that of connections has 1, and it has no migrate()"
	ask c
	[ "$REPLY" = "3 v1" ]
	module count1-narrow module
	reload_refused "its in_max is 4095, and connections may hold 4096 bytes"
	module count2-migrates module
	reload
	ask d
	[ "$REPLY" = "4 v2" ]
	kill -KILL "$(workers | head -n 1)"
	ask e
	[ "$REPLY" = "5 v2" ]
	# Back again: version 2 becomes no version 1.
	module count1 module
	reload_refused "its state has version 1, that of connections has 2"
	exec 5>&-
	# Without connections anything is right.
	wait_for 10 sh -c "'$ECHOD' -c conf -s reload"
	dial
	ask f
	[ "$REPLY" = "1 v1" ]
}

@test "a reload into another handler: connections keep theirs" {
	module count1
	module naughty
	configure count1
	serve
	dial
	ask a
	[ "$REPLY" = "1 v1" ]
	exec 6<&5
	configure naughty
	reload
	exec 5<>"/dev/tcp/$HOST/$PORT"
	ask hello
	[ "$REPLY" = hello ]
	sed -i 's/^handler = .*/handler = echo/' conf
	reload
	ask again-not
	[ "$REPLY" = again-not ]
	exec 5<&6
	workers | xargs kill -KILL
	ask b
	[ "$REPLY" = "2 v1" ]
}

@test "a module that vanished, or became another: the reload is refused" {
	module count1
	configure count1
	serve
	dial
	ask a
	rm count1.so
	reload_refused "conf:4: handler: $DIR/count1.so: there is no such file"
	module abi count1
	reload_refused "its ABI is 2, this echod has 1"
	ask b
	[ "$REPLY" = "2 v1" ]
	# A worker needs no file, but what was loaded.
	rm count1.so
	workers | xargs kill -KILL
	ask c
	[ "$REPLY" = "3 v1" ]
}

@test "a module that changes between the check and the exec: all goes on as it was" {
	export NAUGHTY_MARK=$DIR/mark NAUGHTY_TOUCH=$DIR/constructor.so.now
	module constructor
	configure constructor 'handler.text = one'
	serve
	dial
	ask text
	[ "$REPLY" = one ]
	sed -i 's/= one/= two/' conf
	# The child of the check touches the file.
	: >constructor.so.now
	run "$ECHOD" -c conf -s reload
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *"$DIR/constructor.so: it has changed since its check"* ]]
	logged 'reload failed: .* carries on as before'
	ask text
	[ "$REPLY" = one ]
	workers | xargs kill -KILL
	ask text
	[ "$REPLY" = one ]
	reload
	ask text
	[ "$REPLY" = two ]
}

@test "a program that gives back: the former module goes on" {
	local programs=${TOP_BUILDDIR:-$TOP_SRCDIR/build}/tests/programs
	module count1 module
	cp "$ECHOD" echod
	ECHOD=$DIR/echod
	configure module
	serve
	dial
	ask a
	module count2-migrates module
	cp "$programs/echod-stillborn" next
	mv next echod
	run "$ECHOD" -c conf -s reload
	echo "$output"
	[ "$status" -ne 0 ]
	ask b
	[ "$REPLY" = "2 v1" ]
	workers | xargs kill -KILL
	ask c
	[ "$REPLY" = "3 v1" ]
}

@test "services have modules and options of their own, and give them up" {
	local one two
	one=$PORT two=$(free_port)
	module count1
	module naughty
	printf '%s\n' "bind = $HOST" "pidfile = $DIR/pid" 'workers = 2' \
		'supervised = auto' '[service one]' "port = $one" \
		"handler = $DIR/count1.so" '[service two]' "port = $two" \
		"handler = $DIR/naughty.so" 'handler.text = second' >conf
	"$ECHOD" -T -c conf >dump
	grep -qxF "# service one: handler count 1.0, $DIR/count1.so" dump
	grep -qxF "# service two: handler naughty 1.0, $DIR/naughty.so" dump
	serve
	dial
	ask a
	[ "$REPLY" = "1 v1" ]
	exec 6<&5 5<>"/dev/tcp/$HOST/$two"
	ask text
	[ "$REPLY" = second ]
	ls -l "/proc/$SERVER/fd" >before
	grep -qF "$DIR/count1.so" before
	# The connection of a removed service drains; its module is closed.
	sed -i '/^.service one/,/^handler/d' conf
	reload
	[ -z "$(timeout 60 cat <&6)" ]
	exec 6<&-
	closed() { not grep -qF "$DIR/count1.so" <(ls -l "/proc/$SERVER/fd"); }
	wait_for 20 closed
	ask text
	[ "$REPLY" = second ]
	# An error names the section's line.
	module abi naughty
	reload_refused "conf:7: handler: $DIR/naughty.so: its ABI is 2"
}

descriptors() {
	find "/proc/$SERVER/fd" -type l | wc -l
}

has_descriptors() {
	[ "$(descriptors)" -le "$1" ]
}

@test "reloads leave no descriptors of former modules" {
	local n
	module count1
	configure count1
	serve
	reload
	n=$(descriptors)
	for _ in 1 2 3 4 5 6; do
		module count1
		reload
	done
	wait_for 10 has_descriptors "$n"
}

# A worker that died in dlopen(3) left the file open in the table that all share.
@test "a worker that dies while it loads leaves no descriptor" {
	local n
	export NAUGHTY_MARK=$DIR/mark NAUGHTY_LOSE=$DIR/lose
	module constructor
	configure constructor
	serve
	n=$(descriptors)
	: >lose
	kill -KILL "$(workers | head -n 1)"
	wait_for 10 not test -e lose
	wait_for 10 workers_are 2
	wait_for 10 has_descriptors "$n"
	not grep -q passwd <(ls -l "/proc/$SERVER/fd")
	dial
	ask hello
	[ "$REPLY" = hello ]
}

@test "a worker that cannot load a module says so; the others serve" {
	need_root
	open_directory
	module count1
	configure count1 'user = nobody'
	serve
	chmod 700 count1.so
	kill -KILL "$(workers | head -n 1)"
	wait_for 10 logged "worker 0.*service default: handler count: $DIR/count1.so: .*Permission denied"
	dial
	ask a
	[ "$REPLY" = "1 v1" ]
	chmod 755 count1.so
	wait_for 20 workers_are 2
}

# ---- what a module can do to others

# Make a worker do $1: this client is closed and gets nothing.
ended() {
	[ -z "$(printf '%s\n' "$1" | nc.openbsd -N -w 20 "$HOST" "$PORT")" ]
}

sandboxed() {
	"$ECHOD" -T | grep -q '^sandbox = yes ' ||
		skip "this echod was built without libseccomp"
}

# misdeed TEXT DEED...: each costs its client the connection, with this text in
# the log, and a bystander of the same service nothing.
misdeed() {
	local text=$1 n=0 deed
	shift
	module naughty
	configure naughty 'workers = 1'
	sed -i '/^workers = 2/d' conf
	serve
	dial
	for deed in "$@"; do
		echo "$deed"
		n=$((n + 1))
		ended "$deed"
		times_logged() { [ "$(grep -cE "$text" log)" -ge "$n" ]; }
		wait_for 20 times_logged
		ask "line-$n"
		[ "$REPLY" = "line-$n" ]
	done
	exec 5>&-
	stop
	[ "$STATUS" -eq 0 ]
}

@test "a handler that makes a system call is killed and named" {
	sandboxed
	misdeed 'closed: its input to handler naughty crashed worker 0 \(SIGSYS\)' \
		open fork
	logged 'that workers never make: openat$'
}

# bats test_tags=quick
@test "a handler that crashes costs its client, and is named" {
	misdeed 'closed: its input to handler naughty crashed worker 0 \(SIG(SEGV|BUS|ABRT)\)' \
		null abort
}

@test "a handler that writes beyond its bounds costs its client" {
	misdeed 'closed: its input to handler naughty crashed worker 0 \(SIG(SEGV|BUS)\)' \
		wild state
}

@test "a handler that answers nonsense costs its client" {
	misdeed 'closed: handler naughty: ' much
	misdeed 'closed: handler naughty: ' consume
	misdeed 'closed: handler naughty: ' pass
	misdeed 'closed: handler naughty: ' again
	misdeed 'closed: handler naughty: ' nonsense
}

@test "a handler that crashes before its client says anything costs it" {
	local n good
	good=$(free_port)
	module naughty
	printf '%s\n' "bind = $HOST" 'workers = 2' '[service bad]' \
		"port = $PORT" "handler = $DIR/naughty.so" \
		'handler.text = greet' '[service good]' "port = $good" >conf
	serve
	exec 5<>"/dev/tcp/$HOST/$good"
	for n in 1 2 3 4 5 6 7 8; do
		ended hello
		ask "line-$n"
		[ "$REPLY" = "line-$n" ]
	done
	wait_for 20 logged 'closed: its input to handler naughty crashed worker'
}

@test "a handler that never returns costs its client" {
	module naughty
	configure naughty 'watchdog-timeout = 1'
	serve
	dial
	exec 6<>"/dev/tcp/$HOST/$PORT"
	echo loop >&6
	ask a
	[ "$REPLY" = a ]
	[ -z "$(timeout 60 cat <&6)" ]
	wait_for 20 logged 'closed: .*handler naughty'
	ask b
	[ "$REPLY" = b ]
}

@test "a handler in C++ that throws costs its client" {
	command -v g++ >/dev/null || skip "g++ is not installed"
	sandboxed
	g++ -I"$TOP_SRCDIR/include" -fPIC -shared -o next.so \
		"$TOP_SRCDIR/tests/programs/modules/throws.cc"
	mv next.so throws.so
	chmod 755 throws.so
	configure throws
	serve
	dial
	ask hello
	[ "$REPLY" = hello ]
	ended throw
	wait_for 20 logged 'closed: its input to handler throws crashed worker'
	ask again
	[ "$REPLY" = again ]
}

# The backoff after a death would keep the service from its innocent clients:
# one death after the other doubled it, up to five seconds.
@test "a hundred clients that kill their workers at once punish nobody else" {
	sandboxed
	module naughty
	configure naughty
	serve
	timeout 120 python3 - "$PORT" <<-'END'
	import socket, sys, threading, time
	port, stop, worst, wrong = int(sys.argv[1]), False, [0], []

	def dial():
	    s = socket.create_connection(("127.0.0.1", port))
	    s.settimeout(60)
	    return s

	def innocent(n):
	    s, i = dial(), 0
	    while not stop:
	        line = b"innocent %d %d\n" % (n, i)
	        i += 1
	        began = time.monotonic()
	        s.sendall(line)
	        got = b""
	        while not got.endswith(b"\n"):
	            part = s.recv(100)
	            if not part:
	                wrong.append("cut")
	                return
	            got += part
	        worst[0] = max(worst[0], time.monotonic() - began)
	        if got != line:
	            wrong.append(got)

	good = [threading.Thread(target=innocent, args=(n,)) for n in range(16)]
	for t in good:
	    t.start()
	bad = [dial() for _ in range(100)]
	began = time.monotonic()
	for i, s in enumerate(bad):
	    s.sendall(b"open\n" if i % 2 else b"null\n")
	for s in bad:
	    try:
	        if s.recv(100):
	            wrong.append("an answer")
	    except ConnectionResetError:
	        pass
	took = time.monotonic() - began
	new = dial()
	new.sendall(b"hello\n")
	if new.recv(100) != b"hello\n":
	    wrong.append("no service")
	stop = True
	for t in good:
	    t.join()
	print("# %.2f s for 100, innocents waited %.0f ms at most, wrong: %s" %
	    (took, worst[0] * 1000, wrong[:3]))
	sys.exit(bool(wrong) or took > 60)
	END
	[ "$(grep -c 'closed: its input to handler naughty crashed' log)" -eq 100 ]
	# No worker waited for seconds.
	not grep -E 'next one in [0-9]{3,} ms' log
}
