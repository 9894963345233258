#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The configuration and the command line: accepted values and their effect,
# refused values and the messages.

load ../lib/common

# bats file_tags=quick

# conf TEXT: write the text, with the escapes of printf, to ./conf.
conf() {
	printf '%b' "$1" >conf
}

# dump ARGUMENT...: write the output of -T to ./dump.
dump() {
	"$ECHOD" "$@" -T >dump 2>err || {
		cat err
		return 1
	}
}

# shown NAME VALUE ORIGIN: ./dump has exactly this, once.
shown() {
	local got
	got=$(sed -nE "s/^$1 = (.*[^ ]) +# (.*)\$/\\1|\\2/p" dump)
	[ "$got" = "$2|$3" ] || {
		echo "$1: expected $2|$3, got $got"
		return 1
	}
}

# The value of directive $1 in ./dump, without the origin.
value() {
	sed -nE "s/^$1 = (.*[^ ]) +# .*\$/\\1/p" dump
}

# The default of $1 according to ./dump, without the limits of this machine.
default() {
	if grep -qE "^$1 = .* # default, auto(:.*)?\$" dump; then
		echo auto
	elif grep -qE "^$1 = .* # default, changed from" dump; then
		sed -nE "s/^$1 = .* changed from ([a-z]+):.*/\\1/p" dump
	elif grep -qE "^$1 = .* # default, clamped from" dump; then
		sed -nE "s/^$1 = .* clamped from ([0-9]+):.*/\\1/p" dump
	else
		value "$1"
	fi
}

directives() {
	sed -n 's/ = .*//p' dump
}

listening() {
	[ -n "$(ss -Htln "sport = :$PORT")" ]
}

# refused PATTERN ARGUMENT...: standard error has one line, which matches,
# standard output has none, the status is 78, and no process listens.
refused() {
	local pattern=$1 status=0
	shift
	timeout 60 "$ECHOD" "$@" >out 2>err 3>&- 4>&- || status=$?
	echo "status $status: $(cat out err)"
	[ "$status" -eq 78 ]
	grep -qE -- "$pattern" err
	[ "$(wc -l <err)" -eq 1 ]
	[ ! -s out ]
	not listening
}

# bad LINES PATTERN: LINES, from line 2 on, are refused with a message that
# begins with file and line.
bad() {
	conf "# a comment\n$1\n"
	refused "^echod: conf:$2" -c conf -o "port=$PORT" -o "bind=$HOST"
}

# usage_error ARGUMENT...: the status is 2, and standard error has a message.
usage_error() {
	local status=0
	timeout 60 "$ECHOD" "$@" >out 2>err 3>&- 4>&- || status=$?
	echo "status $status: $(cat out err)"
	[ "$status" -eq 2 ]
	[ ! -s out ]
	[ -s err ]
	not listening
}

# Copy the unchanged redis.conf of Debian to ./redis-debian.conf.
debian_redis_conf() {
	if [ -r /etc/redis/redis.conf ]; then
		cp /etc/redis/redis.conf redis-debian.conf
		return
	fi
	command -v dpkg >/dev/null || skip "no redis.conf, not a Debian system"
	timeout 60 apt-get download redis-server >/dev/null 2>&1 ||
		skip "no redis.conf, apt-get download redis-server failed"
	dpkg -x redis-server_*.deb deb
	cp deb/etc/redis/redis.conf redis-debian.conf
}

# --- accepted values

@test "without a file and arguments: defaults, and -T says so" {
	dump
	shown bind 0.0.0.0 default
	shown port 6379 default
	[ "$(grep -c . dump)" -ge 20 ]
	not grep -vE ' # default(, (auto(:.*)?|(clamped|changed) from .*))?$' dump
}

@test "./redis.conf is used when it is there and -c is not given" {
	echo 'port = 7001' >redis.conf
	echo 'port = 7002' >conf
	dump
	shown port 7001 redis.conf:1
	dump -c conf
	shown port 7002 conf:1
	dump --config conf
	shown port 7002 conf:1
}

@test "name = value and name value mean the same" {
	for line in 'port = 7001' 'port 7001' 'port=7001' 'port\t7001' \
	    'port =7001' 'port= 7001' '  port   =   7001  '; do
		conf "$line\n"
		dump -c conf
		shown port 7001 conf:1
	done
	conf 'bind 127.0.0.1 -::1\n'
	dump -c conf
	shown bind '127.0.0.1 -::1' conf:1
}

@test "quotes of both kinds" {
	conf 'port = "7001"\nsyslog-ident = '"'a b'"'\nbind "127.0.0.1 ::1"\n'
	dump -c conf
	shown port 7001 conf:1
	shown syslog-ident 'a b' conf:2
	shown bind '127.0.0.1 ::1' conf:3
	conf 'logfile = "/tmp/with # and ; in it"\npidfile ""\n'
	dump -c conf
	shown logfile '"/tmp/with # and ; in it"' conf:1
	shown pidfile '""' conf:2
}

@test "comments, blank lines, blanks" {
	conf '# port 1\n; port 2\n\n   \t \n  # port 3\nport 7001 # one\n'
	dump -c conf
	shown port 7001 conf:6
	conf 'port = "7001" ; two\nloglevel = debug# three\ntimeout = 5;four\n'
	dump -c conf
	shown port 7001 conf:1
	shown loglevel debug conf:2
	shown timeout 5 conf:3
}

@test "CRLF line ends, and a last line without an end" {
	conf '# dos\r\n\r\nport = 7001\r\nbind 127.0.0.1\r\nlogfile ""\r\nhandler raw'
	dump -c conf
	shown port 7001 conf:3
	shown bind 127.0.0.1 conf:4
	shown logfile '""' conf:5
	shown handler raw conf:6
}

@test "letter case of names, of yes and no, and of choices does not matter" {
	conf 'PORT 7001\nTcp-Backlog = 12\nDaemonize YES\nloglevel Warning\n'
	dump -c conf -o HANDLER=RAW
	shown port 7001 conf:1
	shown tcp-backlog 12 conf:2
	shown daemonize yes conf:3
	shown loglevel warning conf:4
	shown handler raw 'command line'
}

@test "maxmemory-clients: Redis's units, a percentage, or 0" {
	conf 'maxmemory-clients 1GB\n'
	dump -c conf
	shown maxmemory-clients 1gb conf:1
	# Formerly ten digits and a unit were printed in a form that is no
	# amount.
	dump -o maxmemory-clients=9990000000000
	shown maxmemory-clients 9755859375kb 'command line'
	dump -o maxmemory-clients=9755859375kb
	dump -o maxmemory-clients=0
	shown maxmemory-clients 0 'command line'
	dump -o maxmemory-clients=5%
	grep -qE '^maxmemory-clients = [0-9]+mb +# command line, 5% of [0-9]+' dump
	bad 'maxmemory-clients 1.5g' '2: maxmemory-clients: "1.5g" is not an amount'
	bad 'maxmemory-clients 1kb' '2: maxmemory-clients: "1kb" is less than 128kb'
	bad 'maxmemory-clients 101%' '2: maxmemory-clients: "101%" is not 1% to'
}

@test "every directive can be given, at both of its bounds" {
	conf 'bind 127.0.0.1 ::1 * ::*\nport 65535\ntcp-backlog 65535\n'
	conf "$(cat conf)\ntcp-keepalive 0\ntimeout 0\nmaxclients 1\nworkers 1\n"
	conf "$(cat conf)\nhandler discard\nshutdown-timeout 0\n"
	conf "$(cat conf)\nshutdown-delay 86400\ndaemonize no\npidfile /tmp/p\n"
	conf "$(cat conf)\nsupervised no\nuser root\ngroup root\n"
	conf "$(cat conf)\nloglevel debug\nlogfile /tmp/l-%F\nsyslog-enabled yes\n"
	conf "$(cat conf)\nsyslog-ident x\nsyslog-facility daemon\n"
	conf "$(cat conf)\nwatchdog-timeout 86400\n"
	conf "$(cat conf)\nmaxclients-per-ip 1000000\nallow ::/0 0.0.0.0/0\n"
	conf "$(cat conf)\ndeny 10.0.0.1\naccept-rate 1000000\naccept-burst 1\n"
	conf "$(cat conf)\naccept-rate-per-ip 1000000\nproxy-protocol-timeout 3600\n"
	conf "$(cat conf)\nproxy-protocol optional\nproxy-trusted ::1/128\n"
	conf "$(cat conf)\ncontrol-socket /tmp/s\ncontrol-socket-mode 0660\n"
	conf "$(cat conf)\nmetrics-port 0\nmetrics-bind ::1\nsandbox no\n"
	conf "$(cat conf)\nmaxmemory-clients 100%\nstandby no\n"
	[ "$(id -u)" -eq 0 ] || skip "only root may name user root"
	dump -c conf
	not grep default dump
	shown bind '127.0.0.1 ::1 0.0.0.0 ::' conf:1
	shown port 65535 conf:2
	shown maxclients 1 conf:6
	shown syslog-facility daemon conf:20
}

@test "relative paths are made absolute, where it was started" {
	dump -o pidfile=run/pid -o logfile=log/%F.log
	shown pidfile "$PWD/run/pid" 'command line'
	shown logfile "$PWD/log/%F.log" 'command line'
	dump -o pidfile= -o logfile=
	shown pidfile '""' 'command line'
}

@test "workers auto is the number of processors" {
	dump -o workers=auto
	not grep -q quota dump || skip "a CPU quota is in force"
	dump -o workers=auto
	shown workers "$(nproc)" 'command line, auto'
	taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')" \
		"$ECHOD" -T >dump
	shown workers 1 'default, auto'
}

# Formerly half a processor had as many workers as the machine has processors.
@test "workers auto counts the CPU quota of the cgroup, and those above it" {
	need_root
	[ "$(nproc)" -gt 1 ] || skip "needs two processors"
	local group=/sys/fs/cgroup/cpu
	[ -e "$group/cpu.shares" ] || group=/sys/fs/cgroup
	group=$group/echod-test.$$
	mkdir -p "$group/inner" 2>/dev/null || skip "no cgroup can be made"
	if [ -e "$group/cpu.cfs_quota_us" ]; then
		echo 50000 >"$group/cpu.cfs_quota_us"
	else
		echo 50000 100000 >"$group/cpu.max"
	fi || {
		rmdir "$group/inner" "$group"
		skip "no quota can be set"
	}
	local status=0
	sh -c "echo \$\$ >'$group/inner/cgroup.procs' &&
	    exec '$ECHOD' -T" >dump || status=$?
	wait_for 5 rmdir "$group/inner"
	rmdir "$group"
	[ "$status" -eq 0 ] || skip "the cgroup takes no process"
	shown workers 1 'default, auto: 0.5 CPUs of quota'
}

@test "-o overrides the file, the last -o wins, and -T shows it" {
	conf 'port = 7001\ntimeout = 7\n'
	dump -c conf -o port=7002 --option timeout=8 -o port=7003
	shown port 7003 'command line'
	shown timeout 8 'command line'
	dump -o "port = 7004" -c conf
	shown port 7004 'command line'
	shown timeout 7 conf:2
}

@test "-T shows the line each value came from" {
	conf '\n# one\nport 7001\n\nsave 60 1\n; two\ntimeout = 3\n'
	dump -c "$DIR/conf"
	shown port 7001 "$DIR/conf:3"
	shown timeout 3 "$DIR/conf:7"
	shown bind 0.0.0.0 default
}

@test "-T shows what maxclients was clamped to, and both numbers why" {
	conf 'maxclients 5000\nworkers 2\nbind 127.0.0.1\n'
	(ulimit -n 100 && dump -c conf)
	cat dump
	[[ $(grep '^maxclients' dump) =~ ^maxclients\ =\ ([0-9]+)\ .*conf:1,\ clamped\ from\ 5000:\ .*\ 100\ descriptors,\ ([0-9]+) ]]
	[ $((BASH_REMATCH[1] + BASH_REMATCH[2])) -eq 100 ]
	[ "${BASH_REMATCH[1]}" -ge 1 ]
	# A value that fits is left alone.
	(ulimit -n 100 && dump -c conf -o maxclients=10)
	shown maxclients 10 'command line'
}

@test "no descriptor left for clients is a mistake" {
	conf 'workers 4\nmaxclients 10\n'
	(ulimit -n 20 &&
		refused '^echod: conf:2: maxclients: .*\b20 descriptors' \
			-c conf -o "port=$PORT")
}

@test "a clamped service warns once and serves as many" {
	(ulimit -n 100 && exec "$ECHOD" -o "port=$PORT" -o "bind=$HOST" \
		-o workers=2 >log 2>err 3>&- 4>&-) &
	SERVER=$!
	PIDS+=("$SERVER")
	wait_for 10 is_ready_or_dead
	[ "$(grep -c 'warning: maxclients .*clamped from 10000' log)" -eq 1 ]
	echoes
}

@test "what -T prints loads again and means the same" {
	conf 'bind 127.0.0.1 -::1\nport 7001\nworkers auto\nlogfile "a #;b-%F"\n'
	conf "$(cat conf)\npidfile \"it's; mine\"\nsyslog-ident a\"b\nuser \"\"\n"
	for limit in 100 1000; do
		(ulimit -n "$limit" && "$ECHOD" -c conf -o timeout=9 -T) >first
		"$ECHOD" -c first -T >second
		diff <(sed 's/ *# [^#]*$//' first) <(sed 's/ *# [^#]*$//' second)
		[ "$(grep -c ' # first:' second)" -eq "$(grep -c . second)" ]
	done
	grep -q '^timeout = 9 ' second
}

@test "what -T prints loads again: blanks and quotes at the ends" {
	conf 'syslog-ident = "  a "\n'
	dump -c conf
	mv dump first
	dump -c first
	diff <(sed 's/ *# .*//' first) <(sed 's/ *# .*//' dump)
	[[ $(value syslog-ident) =~ ^[\"\']\ \ a\ [\"\']$ ]]
	conf "syslog-ident = '\"a'\n"
	dump -c conf
	mv dump first
	dump -c first
	diff <(sed 's/ *# .*//' first) <(sed 's/ *# .*//' dump)
}

@test "what -T prints loads again: long paths, and quotes of both kinds" {
	local deep
	deep=$(printf '%0200d/' 1 2 3)
	mkdir -p "$deep"
	(cd "$deep" && conf 'logfile log\n')
	# After a value, the comment that names this file is long, too.
	dump -c "$DIR/$deep/conf" -o "pidfile=it's"
	mv dump first
	[ "$(wc -L <first)" -gt 600 ]
	dump -c first
	diff <(sed 's/ *# .*//' first) <(sed 's/ *# .*//' dump)
	refused '^echod: -o logfile: has quotes of both kinds' \
		-o "logfile=\"it's" -o "port=$PORT"
	refused '^echod: -o syslog-ident: has quotes of both kinds' \
		-o "syslog-ident=a\"b;it's" -o "port=$PORT"
	dump -o "syslog-ident=a\"b it's"
	mv dump first
	dump -c first
	diff <(sed 's/ *# .*//' first) <(sed 's/ *# .*//' dump)
	# This path does not fit into a line.
	mkdir "$deep/$deep" 2>/dev/null || mkdir -p "$deep/$deep"
	cd "$deep/$deep"
	refused '^echod: -o logfile: x: File name too long' -o logfile=x
}

# Fuzzing found that the output of -T lost a vertical tab at an end.
@test "a control character in a name or path is an error" {
	bad 'syslog-ident = "a\v"' '2: syslog-ident: byte 2 is a control character, \\x0b'
	bad 'pidfile = "/a\tb"' '2: pidfile: byte 3 is a control character, \\x09'
	refused '-o logfile: byte 1 is a control character' -o $'logfile=\x1b[2J'
}

@test "-T says why a value is not the one that was given" {
	conf 'daemonize yes\nsupervised systemd\n'
	dump -c conf
	grep -E '^daemonize = no +# conf:1, .' dump ||
		grep -E '^daemonize = yes +# conf:1' dump
	conf 'supervised auto\n'
	(unset NOTIFY_SOCKET && dump -c conf)
	grep -E '^supervised = no +# conf:1, .*auto' dump ||
		grep -E '^supervised = auto +# conf:1' dump
}

@test "a dump that cannot be written is an error" {
	[ -c /dev/full ] || skip "no /dev/full"
	local status=0
	"$ECHOD" -T >/dev/full || status=$?
	[ "$status" -ne 0 ]
}

# --- refused values

@test "an unknown directive, with the name that was meant" {
	bad 'prot 1' '2: unknown directive "prot".* "port"'
	bad 'prot = 1' '2: unknown directive "prot".* "port"'
	bad 'time-out 3' '2: unknown directive "time-out".* "timeout"'
	bad 'port 1\nmaxclient 9' '3: unknown directive "maxclient".* "maxclients"'
	bad 'maxmemorie 9' '2: unknown directive "maxmemorie".* "maxmemory"'
	bad 'PROT 1' '2: unknown directive "PROT".* "port"'
}

@test "an unknown directive that is like no other" {
	bad 'zzyzx 1' '2: unknown directive "zzyzx"$'
	bad 'zzyzx' '2: unknown directive "zzyzx"$'
}

@test "numbers out of range, with the range" {
	bad 'port 0' '2: port: "0" .*\(1 to 65535\)$'
	bad 'port = 65536' '2: port: "65536" .*\(1 to 65535\)$'
	bad 'port 99999999999999999999' '2: port: .*\(1 to 65535\)$'
	bad 'workers 0' '2: workers: "0" .*\(1 to 256\)$'
	bad 'workers 257' '2: workers: "257" .*\(1 to 256\)$'
	bad 'maxclients 0' '2: maxclients: "0" .*\(1 to 1000000\)$'
	bad 'tcp-backlog 0' '2: tcp-backlog: "0" '
	bad 'tcp-keepalive 32768' '2: tcp-keepalive: "32768" '
	bad 'shutdown-timeout 86401' '2: shutdown-timeout: "86401" '
}

@test "what is not a plain decimal number" {
	bad 'port 99abc' '2: port: "99abc" '
	bad 'port 010' '2: port: "010" '
	bad 'port 0x10' '2: port: "0x10" '
	bad 'port 1e3' '2: port: "1e3" '
	bad 'port +7' '2: port: "\+7" '
	bad 'port -1' '2: port: "-1" '
	bad 'timeout = -1' '2: timeout: "-1" '
	bad 'port 1 2' '2: port: "1 2" '
	bad 'port " 7"' '2: port: " 7" '
	bad 'port auto' '2: port: "auto" '
	bad 'workers many' '2: workers: "many" '
}

@test "empty values" {
	bad 'port' '2: port: "" '
	bad 'port =' '2: port: "" '
	bad 'port = # 7' '2: port: "" '
	bad 'port ""' '2: port: "" '
	bad 'daemonize' '2: daemonize: "" '
	bad 'loglevel' '2: loglevel: "" '
	bad 'bind' '2: bind: no address'
	bad 'bind ""' '2: bind: no address'
}

@test "neither yes nor no" {
	bad 'daemonize maybe' '2: daemonize: "maybe" is neither yes nor no'
	bad 'daemonize 1' '2: daemonize: "1" is neither yes nor no'
	bad 'syslog-enabled true' '2: syslog-enabled: "true" is neither yes nor no'
}

@test "none of the choices, which are named" {
	bad 'loglevel loud' \
		'2: loglevel: "loud" .* debug, verbose, notice, warning$'
	bad 'handler cat' '2: handler: "cat" is not built in \(echo, raw, discard\)'
	bad 'supervised upstart' '2: supervised: "upstart" .* no, systemd, auto$'
	bad 'syslog-facility local8' '2: syslog-facility: "local8" .*local7'
}

@test "a directive given twice, with both lines" {
	bad 'timeout 1\n\ntimeout = 2' '4: timeout: .*\bline 2$'
	bad 'timeout 1\ntimeout 1' '3: timeout: .*\bline 2$'
	bad 'timeout 1\nTimeOut 2' '3: timeout: .*\bline 2$'
	# This holds even if the command line overrides both.
	bad 'port 1\nport 2' '3: port: .*\bline 2$'
}

@test "what is not an address" {
	bad 'bind local:host' '2: bind: "local:host" is not'
	bad 'bind 127.0.0.1 300.1.1.1' '2: bind: "300.1.1.1" is not'
	bad 'bind 127.0.0.1,::1' '2: bind: "127.0.0.1,::1" is not'
	bad 'bind -' '2: bind: "" is not'
	bad 'bind --::1' '2: bind: "-::1" is not'
	bad 'bind [::1]' '2: bind: "\[::1\]" is not'
	bad 'bind 127.0.0.1:80' '2: bind: "127.0.0.1:80" is not'
}

@test "addresses in the forms of inet_aton(3), as lax as 010 for a number" {
	bad 'bind 1' '2: bind: "1" is not'
	bad 'bind 127.1' '2: bind: "127.1" is not'
	bad 'bind 0177.0.0.1' '2: bind: "0177.0.0.1" is not'
}

@test "16 addresses are taken, 17 are too many" {
	local list
	list=$(printf '127.0.0.%d ' {1..16})
	conf "bind $list\n"
	dump -c conf
	shown bind "${list% }" conf:1
	bad "bind $list 127.0.0.17" '2: bind: more than 16'
}

@test "quotes that are not closed, and text after them" {
	bad 'logfile "/tmp/x' '2: logfile: quote is not closed'
	bad "logfile '/tmp/x" '2: logfile: quote is not closed'
	bad "logfile \"/tmp/x'" '2: logfile: quote is not closed'
	bad 'port "1" 2' '2: port: text after the closing quote'
	bad 'port = "1"2' '2: port: text after the closing quote'
	bad 'port "1" "2"' '2: port: text after the closing quote'
}

# Redis and iniparser 4.2 read a backslash as an escape; iniparser 4.1 does
# not.
@test "a backslash in quotes is an error" {
	bad 'logfile "/tmp/x\\x2fy"' '2: logfile: backslash in quotes'
	bad "syslog-ident 'a\\\\'" '2: syslog-ident: backslash in quotes'
	refused '^echod: -o logfile: has .* backslash' -o 'logfile=a\b#' \
		-o "port=$PORT"
	conf 'syslog-ident a\\b\n'
	dump -c conf
	shown syslog-ident 'a\b' conf:1
	mv dump first
	dump -c first
	[ "$(value syslog-ident)" = 'a\b' ]
}

@test "a trailing backslash does not continue the line" {
	bad 'port 1\\\\\ntimeout 2' '2: port: .*backslash'
	bad 'logfile /tmp/x\\\\' '2: logfile: .*backslash'
}

# written ARGUMENT...: the same as dump.  Whether the handlers take their options
# does not matter.
written() {
	"$ECHOD" "$@" -T >dump 2>err || grep -q 'takes no options$' err
}

# in_section NAME: the part of ./dump about this service becomes ./dump.
in_section() {
	sed -n "/^\\[service $1]\$/,/^\$/p" dump >part
	[ -s part ]
	cp part dump
}

@test "sections: each service has what it sets, and inherits the rest" {
	conf "port 7000\ntimeout 9\nmaxclients 50\n[service web]\nport = 7001\n[ Service  a.B-c_1 ] # two\nport 7002\nTIMEOUT 8\nmaxclients 0\nhandler discard\n"
	dump -c conf
	cp dump all
	shown workers "$(value workers)" "default, auto$(sed -n 's/^workers .*auto//p' dump)"
	[ "$(grep -c '^workers' dump)" -eq 1 ]
	in_section web
	shown port 7001 conf:5
	shown timeout 9 'conf:2, inherited'
	shown maxclients 0 default
	shown handler echo default
	cp all dump
	in_section a.B-c_1
	shown port 7002 conf:7
	shown timeout 8 conf:8
	shown maxclients 0 conf:9
	shown handler discard conf:10
	# The dump is a file that says the same.
	dump -c all
	diff <(sed 's/ *#.*//' all) <(sed 's/ *#.*//' dump)
}

@test "sections: options of a handler are inherited with it" {
	conf 'handler.a = 1\nhandler.b "2 2" # two\n[service one]\nport 7001\nhandler.b 3\nhandler.c "x;y"\n[service two]\nport 7002\nhandler raw\nhandler.c 4\n'
	written -c conf
	cp dump all
	in_section one
	shown handler.a 1 'conf:1, inherited'
	shown handler.b 3 conf:5
	shown handler.c '"x;y"' conf:6
	cp all dump
	in_section two
	shown handler.c 4 conf:10
	not grep -q 'handler\.[ab]' dump
}

@test "sections: include, and -o" {
	conf 'port 7001\ntimeout 5\n[service in]\nport 7002\n'
	mv conf included
	conf 'timeout 1\n[service out]\ninclude included\ntcp-backlog 7\n'
	written -c conf -o service.out.timeout=6 -o service.IN.handler.x=y -o maxclients=70
	cp dump all
	grep -q '^maxclients = 70 .*# command line$' dump
	in_section out
	shown port 7001 included:1
	shown timeout 6 'command line'
	shown tcp-backlog 7 conf:4
	cp all dump
	in_section in
	shown port 7002 included:4
	shown timeout 1 'conf:1, inherited'
	shown tcp-backlog 511 default
	shown handler.x y 'command line'
	refused '-o service.no.port=1: no section' -c conf -o service.no.port=1
	refused '-o service.out: workers: all services have it in common' -c conf -o service.out.workers=1
	refused '-o service.out: unknown directive "prot"; did you mean "port"' -c conf -o service.out.prot=1
	refused '-o service.out.port: "x" is not a plain' -c conf -o service.out.port=x
}

@test "sections: mistakes name file, line and thing" {
	bad '[service]' '2: \[service\] has no name; sections are \[service NAME\]$'
	bad '[service  ]' '2: .* has no name'
	bad '[service a' '2: section has no \]: \[service a$'
	bad '[service a] x' '2: text after the section'
	bad '[service a b]' '2: section: "a b" is no name of a service'
	bad '[service a/b]' '2: section: "a/b" is no name'
	bad "[service $(printf '%032d' 0)]" '2: section: "0+" is no name'
	bad '[service web]\nport 1\n[service WEB]' '4: service web is there already, from conf:2$'
	bad '[service a]\nworkers 3' '3: workers: all services have it in common'
	bad '[service a]\nprot 3' '3: unknown directive "prot"; did you mean "port"\?'
	bad '[service a]\nmaxmemory 3' '3: unknown directive "maxmemory"$'
	bad '[service a]\nport 1\nport 2' '4: port: given twice, first in line 3'
	bad '[service a]\nport x' '3: port: "x" is not'
	bad '[service a]\nport 8\nhandler cat' '4: handler: "cat" is not built in'
	bad 'handler c/t' '2: handler: "c/t" is neither the name of a handler'
	bad 'handler /a/$X' '2: handler: only a shell'
	bad 'handler.a 1\nhandler.a 2' '3: handler.a: given twice, first in line 2'
	bad 'handler.A 1' '2: handler.: "A" is no name of an option'
	bad 'handler. 1' '2: handler.: "" is no name of an option'
	bad '[service a]\nhander.x 1' '3: unknown directive "hander.x"; did you mean "handler.NAME"\?'
	bad 'hanlder.x 1' '2: unknown directive "hanlder.x"; did you mean "handler.NAME"\?'
	refused '-o handler.a: has quotes of both kinds' -o "handler.a=\"it's"
	bad "$(printf 'handler.o%d x\\n' {1..17})" '18: handler.o17: more than 16 options'
	bad "$(printf 'handler.o%d x\\n' {1..16})[service a]\nhandler.x 1" \
		'18: service a: more than 16 options of its handler, with those that it inherits'
	bad "$(printf '[service s%d]\\n' {1..17})" '18: more than 16 services'
}

@test "sections: two services on one address" {
	bad '[service a]\nport 7001\n[service b]\nport 7001' \
		"5: service b: $HOST port 7001 is that of another service: conf:3: service a, which has $HOST"
	bad '[service a]\nbind *\nport 7001\n[service b]\nport 7001' \
		"6: service b: $HOST port 7001 is .*: conf:4: service a, which has 0.0.0.0"
	bad '[service a]\nport 7001\n[service b]\nbind 127.0.0.9 0.0.0.0\nport 7001' \
		"6: service b: 0.0.0.0 port 7001 is .*: conf:3: service a, which has $HOST"
	bad '[service a]\nport 7001\n[service b]\n[service c]' \
		"5: service c: $HOST port $PORT is .*: conf:4: service b"
	bad '[service a]\nport 7001\nbind ::1\n[service b]\nbind ::0\nport 7001' \
		'7: service b: :: port 7001 is .*: conf:3: service a, which has ::1'
	conf "[service a]\nport 7001\nbind 127.0.0.2\n[service b]\nport 7001\nbind 127.0.0.3\n[service c]\nbind ::1\nport 7001"
	"$ECHOD" -t -c conf
	bad "metrics-port 7001\n[service a]\n[service b]\nport 7001" \
		'2: metrics-port: 7001 is the port of service b'
}

@test "a section header" {
	bad '[server]\nport 1' '2: unknown section \[server\]; .*\[service NAME\]'
	bad 'port 1\n  [a]' '3: unknown section \[a\]'
}

@test "a NUL byte" {
	printf '# a comment\nport 1\0000\n' >conf
	refused '^echod: conf:2: .*NUL' -c conf -o "port=$PORT"
	printf '# a \0 comment\nport 1\n' >conf
	refused '^echod: conf:1: .*NUL' -c conf -o "port=$PORT"
}

# --- invisible characters

@test "a UTF-8 byte order mark is skipped, and one of UTF-16 is told" {
	conf '\xef\xbb\xbfport = 7001\n'
	dump -c conf
	shown port 7001 conf:1
	conf '\xef\xbb\xbf# a comment\nport = 7001\n'
	dump -c conf
	shown port 7001 conf:2
	printf '\xff\xfep\0o\0r\0t\0 \x007\0' >conf
	refused '^echod: conf: .*\\xff\\xfe.*UTF-16.*UTF-8' -c conf
	bad 'port = 7001\n\xef\xbb\xbftimeout = 1' \
		'3: unknown directive "\\xef\\xbb\\xbftimeout".*byte order mark.*"timeout"'
}

# Formerly the message was: unknown directive "port"; did you mean "port"?
@test "what cannot be seen in a name is shown" {
	bad 'port\xc2\xa0= 1' '2: unknown directive "port\\xc2\\xa0": .*no-break space.* "port"'
	bad 'port\xc2\xa01' '2: unknown directive "port\\xc2\\xa01": '
	bad '\xe2\x80\x8bport 1' '2: unknown directive "\\xe2\\x80\\x8bport": .*"port"'
	bad 'po\xadrt 1' '2: unknown directive "po\\xadrt": .*not UTF-8'
	bad 'po\x07rt 1' '2: unknown directive "po\\x07rt": .*control character'
	bad '\xd1\x80ort 1' '2: unknown directive "\\xd1\\x80ort"; .*"port"'
	bad '\xc2\xa0' '2: unknown directive "\\xc2\\xa0"'
	bad '[\xc2\xa0]' '2: unknown section \[\\xc2\\xa0\]'
	bad 'maxmemory\xc2\xa01' '2: unknown directive "maxmemory\\xc2\\xa01".*"maxmemory"'
}

@test "what cannot be seen in a value is shown" {
	bad 'port = \xc2\xa01' '2: port: byte 1 is a no-break space, \\xc2\\xa0$'
	bad 'port = 1\xc2\xa0' '2: port: byte 2 is a no-break space, \\xc2\\xa0$'
	bad 'port = 1\xc2\xa0# 2' '2: port: byte 2 is a no-break space'
	bad 'port "1"\xe3\x80\x80' '2: port: text after the closing quote: \\xe3\\x80\\x80$'
	bad 'port = 1\v' '2: port: byte 2 is a control character, \\x0b$'
	bad 'port 1\rtimeout 2\r' '2: port: byte 2 is a control character, \\x0d$'
	bad 'bind = \xe2\x80\x93::1' '2: bind: byte 1 is not ASCII, \\xe2\\x80\\x93$'
	bad 'bind 127.0.0.1\xc2\xa0::1' '2: bind: byte 10 is a no-break space'
	bad 'allow 10.0.0.1 \xe2\x80\x8b::1' '2: allow: byte 10 is a zero-width space'
	bad 'daemonize y\xd0\xb5s' '2: daemonize: byte 2 is not ASCII, \\xd0\\xb5$'
	bad 'logfile = \xc2\xa0/tmp/x' '2: logfile: byte 1 is a no-break space'
	bad 'logfile = /tmp/a\xe2\x80\xaeb' '2: logfile: byte 7 is .*, \\xe2\\x80\\xae$'
	bad 'logfile = /tmp/\xe9' '2: logfile: byte 6 is not UTF-8, \\xe9$'
	bad 'logfile = \xe2\x80\x9c/tmp/x\xe2\x80\x9d' '2: logfile: begins with \\xe2\\x80\\x9c'
}

@test "what cannot be seen on the command line is shown" {
	refused '^echod: -o port: byte 1 is a no-break space, \\xc2\\xa0$' \
		-o "bind=$HOST" -o $'port=\xc2\xa07'
	refused '^echod: -o: unknown directive "po\\xc2\\xa0rt": .*"port"' \
		-o "port=$PORT" -o $'po\xc2\xa0rt=7'
	refused '^echod: -o \\x1b\[2J: expected name=value' \
		-o "port=$PORT" -o $'\x1b[2J'
	refused '^echod: -o logfile: byte 2 is not UTF-8, \\xff$' \
		-o "port=$PORT" -o $'logfile=a\xff'
}

@test "letters of all languages are fine in paths, and anything in comments" {
	conf 'logfile = d\xc3\xa9j\xc3\xa0/\xe6\x97\xa5.log # \xe9\xc2\xa0\n'
	conf "$(cat conf)\n# \xff\n\f\nrequirepass \xff\xc2\xa0\n"
	dump -c conf
	shown logfile "$PWD/déjà/日.log" conf:1
	start_raw -c conf -o "port=$PORT" -o "bind=$HOST"
	grep -q ready déjà/日.log
	stop
}

# --- shells

# Formerly a directory called ~ was made.
@test "a path that needs a shell is refused, with a hint" {
	bad 'logfile = ~/x' '2: logfile: only a shell .*"~/x".*whole path.*\./~'
	bad 'pidfile ~root/x' '2: pidfile: only a shell .*"~root/x"'
	bad 'control-socket "~/s"' '2: control-socket: only a shell .*"~/s"'
	bad 'include ~/x' '2: include: only a shell .*"~/x"'
	bad 'logfile = $HOME/x' '2: logfile: only a shell .*"\$HOME/x"'
	bad 'pidfile = /run/${NAME}.pid' '2: pidfile: only a shell .*"\$\{NAME\}.pid"'
	refused '^echod: -o logfile: only a shell' -o 'logfile=~/x' \
		-o "port=$PORT"
	[ ! -e '~' ]
	dump -o 'logfile=./~/a~b/$'
	shown logfile "$PWD/./~/a~b/\$" 'command line'
}

@test "lines that are too long" {
	local x
	x=$(printf '%02000d' 0)
	bad "syslog-ident $x" '2: syslog-ident: .*too long'
	bad "$x 1" '2: expected .*name = value'
	bad "syslog-ident ${x:0:64}" '2: syslog-ident: .*longer than 63 bytes'
	conf "# $x\nsave $x\nport 7001\nsyslog-ident a # $x\n"
	dump -c conf
	shown port 7001 conf:3
	shown syslog-ident a conf:4
}

@test "what is no directive at all" {
	bad '= 5' '2: .*"name = value"'
	bad '=' '2: .*"name = value"'
	bad '{ "port": 1 }' '2: unknown directive "\{"'
	bad '\0177ELF\0002\0001\0377\0376' '2: unknown directive "'
}

@test "no file there, or a directory" {
	refused '^echod: no/such: No such file' -c no/such -o "port=$PORT"
	mkdir dir
	refused '^echod: dir: Is a directory' -c dir -o "port=$PORT"
	mkdir redis.conf
	refused '^echod: redis.conf: Is a directory' -o "port=$PORT"
}

@test "a file that may not be read" {
	conf 'port 1\n'
	chmod 0 conf
	[ ! -r conf ] || skip "root may read everything"
	refused '^echod: conf: Permission denied' -c conf -o "port=$PORT"
}

@test "users and groups that do not exist, a group without a user" {
	bad 'user no-such-user' '2: user: no such user: no-such-user'
	bad 'user root\ngroup no-such-group' \
		'3: group: no such group: no-such-group'
	bad "group $(id -gn)" '2: group: .*without user'
}

@test "user = NAME with more behind it is no access rule of Redis" {
	# As an access rule it would leave the service running as root.
	bad 'user = nobody nogroup' '2: user: '
}

@test "mistakes in -o" {
	refused '^echod: -o port: .*name=value' -o "bind=$HOST" -o port
	refused '^echod: -o =1: .*name=value' -o =1 -o "port=$PORT"
	refused '^echod: -o: unknown directive "prot".* "port"' \
		-o "port=$PORT" -o prot=1
	refused '^echod: -o: unknown directive "zzyzx"$' \
		-o "port=$PORT" -o zzyzx=1
	refused '^echod: -o port: "99abc" ' -o "bind=$HOST" -o port=99abc
	refused '^echod: -o port: "" ' -o "bind=$HOST" -o port=
	refused '^echod: -o user: no such user' -o "port=$PORT" \
		-o user=no-such-user
}

@test "a mistake in the file is one even where -o overrides it" {
	conf 'timeout x\n'
	refused '^echod: conf:1: timeout: ' -c conf -o timeout=1 -o "port=$PORT"
}

@test "with daemonize a mistake is still told, and nobody is left" {
	bad 'daemonize yes\ntimeout x' '3: timeout: '
}

# --- files that are included

@test "include: where it stands, relative to the file that says it" {
	mkdir -p etc/more
	printf 'port 1\ninclude more/a.conf\ntimeout 3\n' >etc/main.conf
	printf 'port 2\ntimeout 2\ninclude b.conf\n' >etc/more/a.conf
	printf 'maxclients 9\ninclude "%s/etc/c d"\n' "$PWD" >etc/more/b.conf
	printf 'handler = raw\nsave 1 1\n' >'etc/c d'
	dump -c etc/main.conf
	# The last line that is read counts, in any file.
	shown port 2 etc/more/a.conf:1
	shown timeout 3 etc/main.conf:3
	shown maxclients 9 etc/more/b.conf:1
	shown handler raw "$PWD/etc/c d:1"
	# The result is the same from another directory.
	(cd / && "$ECHOD" -T -c "$DIR/etc/main.conf") >dump
	shown maxclients 9 "$DIR/etc/more/b.conf:1"
	# The output of -T has every directive.
	mv dump first
	dump -c first
	diff <(sed 's/ *# .*//' first) <(sed 's/ *# .*//' dump)
	dump -c etc/main.conf -o port=7
	shown port 7 'command line'
}

@test "include: patterns, in order, and those that match nothing" {
	mkdir -p 'a[1]/conf.d'
	printf 'include conf.d/*.conf\ninclude none/*.conf\ninclude x?\n' \
		>'a[1]/main'
	printf 'timeout 1\nport 1\n' >'a[1]/conf.d/10.conf'
	printf 'timeout 2\n' >'a[1]/conf.d/20.conf'
	printf 'nonsense\n' >'a[1]/conf.d/30.conf.bak'
	dump -c 'a[1]/main'
	shown timeout 2 'a[1]/conf.d/20.conf:1'
	shown port 1 'a[1]/conf.d/10.conf:2'
	# A file can be included twice.
	printf 'include m\ntimeout 5\ninclude m\n' >conf
	echo 'timeout 4' >m
	dump -c conf
	shown timeout 4 m:1
}

@test "include: a byte order mark, CRLF, quotes, comments, any letter case" {
	conf 'INCLUDE = "m" # all of it\r\nInclude n ; and this\r\n'
	printf '\xef\xbb\xbfport = 7001\r\n' >m
	printf '\xef\xbb\xbf# none\ntimeout 4' >n
	dump -c conf
	shown port 7001 m:1
	shown timeout 4 n:2
}

@test "include: mistakes are told with the file and line they are in" {
	conf 'port 1\ninclude m\n'
	echo 'timeout x' >m
	refused '^echod: m:1: timeout: "x" ' -c conf -o "port=$PORT"
	echo 'prot x' >m
	refused '^echod: m:1: unknown directive "prot"; .*"port"' -c conf
	printf '\nuser no-such-user\n' >m
	refused '^echod: m:2: user: no such user' -c conf -o "port=$PORT"
	printf 'timeout 1\ntimeout 1\n' >m
	refused '^echod: m:2: timeout: given twice, first in line 1' -c conf
	printf '# \0\n' >m
	refused '^echod: m:1: NUL' -c conf
	printf '\xfe\xff\0p' >m
	refused '^echod: conf:2: include: m: .*UTF-16' -c conf
	# One file gives a directive once, even with an include in between.
	conf 'port 1\ninclude m\nport 2\n'
	: >m
	refused '^echod: conf:3: port: given twice, first in line 1' -c conf
	refused '^echod: -o include: .*file' -o include=m -o "port=$PORT"
}

@test "include: what cannot be read is an error, in the line that includes" {
	bad 'include none' '2: include: none: No such file'
	bad 'include sub/none' '2: include: sub/none: No such file'
	bad 'include' '2: include: no file given'
	bad 'include ""' '2: include: no file given'
	bad 'include "m' '2: include: quote is not closed'
	mkdir sub
	bad 'include sub' '2: include: sub: Is a directory'
	bad 'include su*' '2: include: sub: Is a directory'
	mkfifo fifo
	bad 'include fifo' '2: include: fifo: not a regular file'
	bad 'include f*' '2: include: fifo: not a regular file'
	bad 'include /dev/null' '2: include: /dev/null: not a regular file'
	bad 'include a\xc2\xa0' '2: include: byte 2 is a no-break space'
}

@test "include: what may not be read is an error, too" {
	mkdir sub
	: >m
	: >sub/m
	chmod 0 m sub
	[ ! -r m ] || skip "root may read everything"
	bad 'include m' '2: include: m: Permission denied'
	bad 'include sub/*' '2: include: sub: Permission denied'
	chmod 755 sub
}

@test "include: circles, depth and number have an end" {
	conf 'include conf\n'
	refused '^echod: conf:1: include: conf: .*loop' -c conf
	conf 'include m\n'
	ln conf n
	echo 'include n' >m
	refused '^echod: m:1: include: n: .*loop' -c conf
	local i
	for i in {1..16}; do
		echo "include d$((i + 1))" >"d$i"
	done
	echo 'port 7001' >d17
	dump -c d1
	shown port 7001 d17:1
	echo 'include d1' >d0
	refused '^echod: d16:1: include: more than 16 files deep' -c d0
	mkdir many
	for i in {1..257}; do
		echo "timeout $i" >"many/$i"
	done
	conf 'include many/*\n'
	refused '^echod: conf:1: include: more than 256 files' -c conf
	rm many/257
	dump -c conf
	shown timeout 99 many/99:1
}

@test "include: many names of files find room, or an error says so" {
	local i long line
	long=$(printf '%0200d' 0)
	mkdir "$long" "$long/$long"
	# Each file sets the value, and the next file overrides it.
	for i in {100..199}; do
		echo "timeout $i" >"$long/$long/$i"
	done
	conf "include $long/$long/*\n"
	dump -c conf
	shown timeout 199 "$long/$long/199:1"
	# Here each of them counts.
	rm -r "$long"
	mkdir -p "$long/$long/$long"
	i=100
	for line in 'timeout 1' 'tcp-keepalive 1' 'maxclients 1' \
	    'accept-rate 1' 'accept-burst 1' 'shutdown-timeout 1' \
	    'shutdown-delay 1' 'watchdog-timeout 1' 'workers 1' 'port 1' \
	    'tcp-backlog 1' 'handler raw' 'loglevel debug' 'daemonize no'; do
		echo "$line" >"$long/$long/$long/$i"
		i=$((i + 1))
	done
	conf "include $long/$long/$long/*\n"
	refused '/113:1: the names of included files are longer than 8192' \
		-c conf
	rm "$long/$long/$long/113"
	dump -c conf
	shown loglevel debug "$long/$long/$long/112:1"
}

@test "include: a reload reads the files anew, and -T and echoctl name them" {
	conf "port $PORT\nbind $HOST\ninclude *.inc\n"
	printf 'timeout 5\ncontrol-socket %s/s\n' "$DIR" >a.inc
	start_raw -c conf
	"$ECHOCTL" -c conf config >dump
	shown timeout 5 a.inc:1
	"$ECHOCTL" -s s --json config >json
	grep -q '"name":"timeout","value":"5","file":"a.inc","origin":"file","line":1' json
	printf '\ntimeout 6\n' >b.inc
	kill -USR2 "$SERVER"
	wait_for 10 logged 'timeout: 5 -> 6'
	wait_for 10 logged 'reloaded: '
	"$ECHOCTL" -s s config >dump
	shown timeout 6 b.inc:2
	# A mistake in one file, and the service keeps its configuration.
	echo 'timeout x' >c.inc
	kill -USR2 "$SERVER"
	wait_for 10 logged 'c.inc:1: timeout: "x"'
	"$ECHOCTL" -s s config >dump
	shown timeout 6 b.inc:2
	stop
	[ "$STATUS" -eq 0 ]
}

# --- the command line

@test "-t says ok, exits 0 and binds nothing" {
	start
	conf "port $PORT\nbind $HOST\n"
	run "$ECHOD" -t -c conf
	[ "$status" -eq 0 ]
	[ "$output" = 'echod: configuration conf is ok' ]
	run "$ECHOD" --test -o "port=$PORT" -o daemonize=yes
	[ "$status" -eq 0 ]
	[[ $output == *ok ]]
	echoes
	stop
	"$ECHOD" -t -c conf
	not listening
}

@test "-t makes no file" {
	mkdir empty
	cd empty
	"$ECHOD" -t -o pidfile=pid -o logfile=log -o daemonize=yes
	"$ECHOD" -T -o pidfile=pid -o logfile=log -o daemonize=yes
	[ -z "$(ls -A)" ]
}

@test "-t refuses what a start would refuse" {
	refused '^echod: -o port: ' -t -o port=0
	refused '^echod: -o port: ' -T -o port=0
	refused '^echod: -o port: ' --check -o port=0
}

@test "usage errors exit 2" {
	usage_error -z -o "port=$PORT"
	usage_error --no-such-option -o "port=$PORT"
	usage_error -o "port=$PORT" one two
	usage_error -c conf -o "port=$PORT" two
	usage_error ''
	usage_error -c ''
	usage_error -o "port=$PORT" -c
	usage_error -c conf -o
	usage_error --check=now -o "port=$PORT"
	local many=()
	for _ in {1..65}; do
		many+=(-o "port=$PORT")
	done
	usage_error "${many[@]}"
}

# Formerly the last of two actions was done without a message.
@test "two actions are one too many" {
	local two
	for two in '-t -s stop' '-s stop -t' '-T -t' '--check -T' '-s stop -s reload'; do
		# shellcheck disable=SC2086 # words
		usage_error $two -o "port=$PORT"
		grep -qE '^echod: (-t|-T|-s|--check) and (-t|-T|-s|--check): one at a time' err
	done
	"$ECHOD" -t -t
}

@test "the file may be given without -c, as to redis-server" {
	conf "port $PORT\nbind $HOST\n"
	start_raw conf -o workers=1
	logged 'configuration conf$'
	echoes
	"$ECHOD" conf --check
	kill -HUP "$SERVER"
	finish
	run "$ECHOD" -t conf
	[ "$output" = 'echod: configuration conf is ok' ]
	refused '^echod: missing: No such file' missing
	usage_error stop -o "port=$PORT"
	grep -qx 'echod: unexpected argument: stop; did you mean -s stop' err
}

@test "a file without -c is loaded again by a reload" {
	conf "port $PORT\nbind $HOST\npidfile pid\n"
	start_raw conf
	echo 'workers = 3' >>conf
	"$ECHOD" conf -s reload
	[ "$(worker_count)" -eq 3 ]
}

@test "-h and -v and their long forms exit 0" {
	"$ECHOD" -h >short
	"$ECHOD" --help >long
	cmp short long
	grep -q '^usage: echod' short
	[[ $("$ECHOD" -v) =~ ^echod\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	[ "$("$ECHOD" --version)" = "$("$ECHOD" -v)" ]
	# The configuration does not matter.
	echo nonsense >redis.conf
	"$ECHOD" -v
	"$ECHOD" -h
}

@test "every option that --help names is accepted" {
	conf ''
	local option argument seen=0 status
	while read -r option argument; do
		status=0
		local also=(-t)
		case $argument in
		FILE) argument=conf ;;
		NAME=VALUE) argument=timeout=1 ;;
		SIGNAL) argument=status also=() ;;
		*) argument= ;;
		esac
		case $option in
		--check | --dump) also=() ;;
		esac
		"$ECHOD" "$option" ${argument:+"$argument"} "${also[@]}" \
			-o "port=$PORT" >out 2>err || status=$?
		echo "$option $argument: $status $(cat err)"
		case $option in
		--signal) [ "$status" -eq 4 ] ;; # it is given no pidfile
		--check) [ "$status" -eq 1 ] ;; # nobody is there
		*) [ "$status" -eq 0 ] ;;
		esac
		seen=$((seen + 1))
	done < <("$ECHOD" --help | grep -oE -- '(^|[ ,])--[a-z-]+( [A-Z][A-Z=]+)?' |
		sed 's/^[ ,]*//')
	[ "$seen" -ge 7 ]
	for option in $("$ECHOD" -h | grep -oE '^ +-[a-zA-Z],' | tr -d ' ,'); do
		[[ $option =~ ^-[cos]$ ]] || "$ECHOD" "$option"
	done
}

@test "--check: 0 and one line from a running service" {
	start
	run "$ECHOD" --check -o "port=$PORT" -o "bind=$HOST"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *" $PORT: ok"* ]]
	# A service on every address is asked on the loopback address.
	"$ECHOD" --check -o "port=$PORT"
	conf "port $PORT\ndaemonize yes\n"
	"$ECHOD" --check -c conf
}

@test "--check: 1 and one line where nobody is" {
	run "$ECHOD" --check -o "port=$PORT" -o "bind=$HOST"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"$PORT"*refused* ]]
}

@test "--check: 1 where nobody answers" {
	start workers=1
	local worker
	worker=$(workers)
	PIDS+=("$worker")
	kill -STOP "$worker"
	run "$ECHOD" --check -o "port=$PORT" -o "bind=$HOST"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"$PORT: no answer" ]]
}

@test "--check knows what each handler answers" {
	start handler=discard
	"$ECHOD" --check -o "port=$PORT" -o handler=discard
	run "$ECHOD" --check -o "port=$PORT"
	[ "$status" -eq 1 ]
	[[ $output == *"wrong answer" ]]
	stop
	start handler=raw
	"$ECHOD" --check -o "port=$PORT" -o handler=raw
	run "$ECHOD" --check -o "port=$PORT" -o handler=discard
	[ "$status" -eq 1 ]
}

@test "--check asks an address the service did not have to skip" {
	# In a network of its own, so that nothing leaves the machine.
	unshare --net true 2>/dev/null || skip "unshare --net is not permitted"
	cat >inside <<-'END'
	ip link set lo up
	"$ECHOD" -o "port=$PORT" -o "bind=-192.0.2.1 127.0.0.1" >log 2>err &
	for _ in $(seq 200); do
		grep -q ' ready on ' log && break
		sleep 0.02
	done
	"$ECHOD" --check -o "port=$PORT" -o "bind=-192.0.2.1 127.0.0.1"
	status=$?
	kill "$!"
	wait "$!"
	exit "$status"
	END
	export ECHOD
	unshare --net sh inside 3>&- 4>&-
}

# --- users that ask and do not start

# The caller is neither root nor `user`, or has few descriptors, or the file
# has a mistake in the meantime.
@test "--check, -T and -s by a user who could not start it" {
	need_root
	open_directory
	command -v setpriv >/dev/null || skip "setpriv is not installed"
	cp "$ECHOD" echod
	conf "port $PORT\nbind $HOST\nuser daemon\npidfile $DIR/pid\n"
	chmod 644 conf
	start_raw -c conf
	local as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	"${as[@]}" ./echod -c conf --check
	"${as[@]}" ./echod -c conf -s status
	"${as[@]}" ./echod -c conf -T >dump
	shown user daemon 'conf:3, a start would fail: only root can become daemon'
	run "${as[@]}" ./echod -c conf -s stop
	[ "$status" -eq 1 ]
	[[ $output == "echod: -s stop: pid $SERVER: Operation not permitted" ]]
	run "${as[@]}" ./echod -c conf -t
	[ "$status" -eq 78 ]
	echoes
}

@test "--check, -T and -s where a start would not have what it needs" {
	conf "port $PORT\nbind $HOST\npidfile pid\n"
	start_raw -c conf
	(ulimit -n 24 && "$ECHOD" -c conf --check && "$ECHOD" -c conf -s status &&
		dump -c conf)
	[[ $(grep '^maxclients =' dump) == *'a start would fail: the limit of 24 descriptors'* ]]
	echo 'user no-such-user' >>conf
	echo "metrics-port $PORT" >>conf
	run "$ECHOD" -c conf -t
	[ "$status" -eq 78 ]
	[[ $output == 'echod: conf:4: user: no such user: no-such-user' ]]
	"$ECHOD" -c conf --check
	dump -c conf
	shown user no-such-user 'conf:4, a start would fail: no such user: no-such-user'
	[[ $(grep '^metrics-port' dump) == *'a start would fail: '* ]]
	"$ECHOD" -c conf -s stop
	finish
	[ "$STATUS" -eq 0 ]
}

@test "a mistake elsewhere in the file keeps nobody from asking" {
	local ctl mistake n
	ctl=$ECHOCTL
	conf "port $PORT\nbind $HOST\npidfile pid\ncontrol-socket $DIR/ctl\n"
	start_raw -c conf
	cp conf good
	printf 'timeout x\nworkers 1\n' >included
	for mistake in 'prot = 1' 'timeout x' 'nonsense' \
	    'logfile "a' 'workers 1\nworkers 2' 'a\0b' 'tcp-backlog 99999999' \
	    'include nowhere/file' 'include included' 'include conf'; do
		printf "$mistake\n" | cat - good >conf
		"$ECHOD" -c conf --check
		"$ECHOD" -c conf -s status
		"$ctl" -c conf status | grep -q '^echod'
		# The output has the mistake and everything else.
		local status=0
		"$ECHOD" -c conf -T >dump 2>err || status=$?
		[ "$status" -eq 78 ]
		diff err <("$ECHOD" -c conf -t 2>&1)
		n=$(grep -an "^port " conf | cut -d: -f1)
		shown port "$PORT" "conf:$n"
	done
	# It may be that of any service.
	printf '[section]\n' | cat - good >conf
	"$ECHOD" -c conf -s status
	"$ctl" -c conf status | grep -q '^echod'
	run "$ECHOD" -c conf --check
	[ "$status" -eq 78 ]
	[[ $output == 'echod: conf:1: unknown section [section];'* ]]
	printf 'prot = 1\ntimeout x\n' | cat - good >conf
	run "$ECHOD" -c conf -s reload
	[ "$status" -eq 1 ]
	[[ $output == *'-s reload: refused: conf:1: unknown directive "prot"'* ]]
	run "$ctl" -c conf reload
	[ "$status" -eq 1 ]
	[[ $output == *'refused: conf:1: unknown directive "prot"'* ]]
	"$ECHOD" -c conf -s stop
	finish
	[ "$STATUS" -eq 0 ]
}

# asked PATTERN ARGUMENT...: the status is 78, and the message names the
# mistake.
asked() {
	refused "$@"
}

@test "a mistake in what is asked with is an error all the same" {
	conf 'port 99999999\n'
	asked '^echod: conf:1: port: ' -c conf --check
	conf 'prot 7000\n'
	asked '^echod: conf:1: unknown directive "prot"' -c conf --check
	conf 'pidfile a\npidfile b\n'
	asked '^echod: conf:2: pidfile: given twice' -c conf -s stop
	conf 'pidflie a\n'
	asked '^echod: conf:1: unknown directive "pidflie"' -c conf -s stop
	asked '^echod: conf: No such file|^echod: none: No such file' -c none -s stop
	asked '^echod: none: No such file' -c none --check
	asked '^echod: none: No such file' -c none -T
	# A mistake of the command line does not name the file.
	local file
	for file in conf none; do
		conf 'pidfile "a\n'
		run "$ECHOD" -c "$file" -o pidfile=b -s status
		[ "$status" -eq 3 ]
		[[ $output == *"no echod is running with pidfile $DIR/b" ]]
	done
	run "$ECHOCTL" -c conf status
	[ "$status" -eq 1 ]
	[[ $output == 'echoctl: conf:1: pidfile: quote is not closed' ]]
}

# --- nothing is demanded before it is needed

# A deployment has removed the directory in which the service was started.
@test "a working directory that was removed" {
	conf "port $PORT\nbind $HOST\npidfile $DIR/pid\n"
	mkdir gone release
	cd gone
	rmdir "$DIR/gone"
	"$ECHOD" -v
	"$ECHOD" -h >/dev/null
	"$ECHOD" -t
	"$ECHOD" -T >/dev/null
	"$ECHOD" -t -c "$DIR/conf"
	run "$ECHOD" -t -c conf
	[ "$status" -eq 78 ]
	[ "$output" = 'echod: conf: No such file or directory' ]
	run "$ECHOD" -t -o pidfile=pid
	[ "$status" -eq 78 ]
	[ "$output" = 'echod: -o pidfile: pid: a relative path, and getcwd(2) finds no working directory' ]
	run "$ECHOD" -o pidfile=pid -s stop
	[ "$status" -eq 78 ]
	[[ $output == *'getcwd(2) finds no working directory'* ]]
	start_raw -c "$DIR/conf"
	"$ECHOD" -c "$DIR/conf" --check
	"$ECHOD" -c "$DIR/conf" -s reload
	"$ECHOD" -c "$DIR/conf" -s stop
	finish
	[ "$STATUS" -eq 0 ]
	# The directory is removed while the service runs.
	cd "$DIR/release"
	start_raw -c "$DIR/conf"
	cd "$DIR"
	rmdir release
	"$ECHOD" -c conf -s reload
	cp conf before
	sed -i 's/^pidfile .*/pidfile relative/' conf
	run "$ECHOD" -c before -s reload
	[ "$status" -eq 1 ]
	[ "$output" = "echod: -s reload: failed: pidfile $DIR/release/relative: No such file or directory" ]
	echoes
}

@test "no /proc" {
	need_root
	if grep -q __asan_init "$ECHOD"; then skip "AddressSanitizer needs /proc"; fi
	unshare --mount true 2>/dev/null ||
		skip "unshare --mount is not permitted"
	conf "port $PORT\nbind $HOST\npidfile $DIR/pid\n"
	: >log
	cat >inside <<-'END'
	mount -t tmpfs none /proc
	"$ECHOD" -v && "$ECHOD" -h && "$ECHOD" -t && "$ECHOD" -T &&
		"$ECHOD" -t -c "$DIR/conf" || exit
	"$ECHOD" -c "$DIR/conf" >log &
	n=500
	until grep -q ' ready on ' log || [ "$n" -eq 0 ]; do
		n=$((n - 1)); sleep 0.02
	done
	"$ECHOD" -c "$DIR/conf" --check && "$ECHOD" -c "$DIR/conf" -s reload &&
		"$ECHOD" -c "$DIR/conf" --check &&
		"$ECHOD" -c "$DIR/conf" -s stop && wait "$!"
	END
	export ECHOD DIR
	unshare --mount bash inside >out 2>err 3>&- 4>&- || {
		cat out err log
		return 1
	}
	cat err
	[ ! -s err ]
	logged 'reloaded: '
	logged 'stopped in'
}

# iniparser 4.1 reads a file by its name.
@test "no /proc, and /tmp is read-only: the configuration is read" {
	need_root
	if grep -q __asan_init "$ECHOD"; then skip "AddressSanitizer needs /proc"; fi
	unshare --mount true 2>/dev/null ||
		skip "unshare --mount is not permitted"
	[ -d /dev/shm ] || skip "there is no /dev/shm"
	conf "port $PORT\ninclude other\n"
	echo 'timeout "7" # s' >other
	cat >inside <<-'END'
	mount -t tmpfs none /proc && mount -t tmpfs none /dev/shm &&
		mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp &&
		"$ECHOD" -T -c "$DIR/conf" && ls -A /dev/shm >&2
	END
	export ECHOD DIR
	unshare --mount bash inside >dump 2>err
	shown port "$PORT" "$DIR/conf:1"
	shown timeout 7 "$DIR/other:1"
	[ ! -s err ]	# no file is left there
}

# --- Redis

@test "Redis's directives are counted and listed in one notice" {
	conf 'save 900 1\nsave ""\nappendonly no\nMaxMemory 2gb\nuser alice on +@all\n'
	start_raw -c conf -o "port=$PORT" -o "bind=$HOST"
	[ "$(grep -c 'Redis directives' log)" -eq 1 ]
	grep -qiE 'conf: 5 Redis directives .*: save save appendonly maxmemory user$' log
	echoes
}

@test "without any of them there is no such notice" {
	start
	not logged 'Redis directives'
}

# names WORD...: a file with each word as a directive loads, and ignores them
# all.
names() {
	local name
	for name; do
		echo "$name 1"
	done >conf
	dump -c conf
	not grep -q ' # conf:' dump
}

# Formerly the table of one version was used for files of any version.
@test "directives of Redis and Valkey of any version are known" {
	# Names of 2.x that later versions removed.
	names glueoutputbuf shareobjects shareobjectspoolsize vm-enabled \
		vm-swap-file vm-max-memory vm-page-size vm-pages vm-max-threads \
		hash-max-zipmap-entries hash-max-zipmap-value \
		list-max-ziplist-entries list-max-ziplist-value
	# Names of 3.x to 6.x.
	names slaveof slave-serve-stale-data slave-read-only slave-priority \
		slave-announce-ip repl-ping-slave-period min-slaves-to-write \
		min-slaves-max-lag cluster-slave-validity-factor masterauth \
		list-max-ziplist-size lua-time-limit lua-replicate-commands \
		gopher-enabled tracking-table-max-fill server_cpulist \
		bio_cpulist aof_rewrite_cpulist bgsave_cpulist \
		hash-max-ziplist-entries zset-max-ziplist-value io-threads-do-reads
	# Names that only files have.
	names rename-command loadmodule sentinel save client-output-buffer-limit
	# Names of 7 and 8, and of their modules.
	names enable-debug-command latency-tracking-info-percentiles \
		locale-collate hide-user-data-from-log lookahead \
		replica-full-sync-buffer-limit key-memory-histograms \
		stream-idmp-duration slowlog-entry-max-argc tls-auth-clients-user \
		cluster-slot-migration-handoff-max-lag-bytes \
		vset-force-single-threaded-execution search-timeout \
		search-_print-profile-clock ts-retention-policy bf-error-rate \
		cf-max-expansions ft.timeout
	# Names of Valkey.
	names primaryauth primaryuser dual-channel-replication-enabled \
		availability-zone unixsocketgroup extended-redis-compatibility \
		cluster-announce-client-ipv4 cluster-blacklist-ttl \
		prefetch-batch-max-size log-format log-timestamp-format \
		commandlog-execution-slower-than import-mode rdma-port mptcp \
		auto-failover-on-shutdown cluster-manual-failover-timeout \
		active-defrag-cycle-us rdb-version-check hash-seed
	# A name of no version is an error.
	bad 'vm-enable no' '2: unknown directive "vm-enable".*"vm-enabled"'
	bad 'serch-timeout 1' '2: unknown directive "serch-timeout"'
}

@test "what files of Redis 2.4 to 8 and of Valkey say of our directives" {
	# 2.4 and 2.6
	conf 'daemonize no\npidfile /var/run/redis.pid\nport 6379\ntimeout 0\n'
	conf "$(cat conf)\nloglevel verbose\nlogfile stdout\nsave 900 1\n"
	dump -c conf
	shown logfile '""' conf:6
	shown loglevel verbose conf:5
	# 2.8 to 6
	conf 'protected-mode yes\nport 6379\ntcp-backlog 511\ntimeout 0\n'
	conf "$(cat conf)\ntcp-keepalive 0\ndaemonize no\nsupervised no\n"
	conf "$(cat conf)\npidfile /var/run/redis_6379.pid\nloglevel notice\n"
	conf "$(cat conf)\nlogfile \"\"\nbind 127.0.0.1\nsave \"\"\n"
	dump -c conf
	shown tcp-keepalive 0 conf:5
	shown bind 127.0.0.1 conf:11
	# 7, 8, and Valkey
	conf 'bind 127.0.0.1 -::1\ntcp-keepalive 300\nshutdown-timeout 10\n'
	conf "$(cat conf)\npidfile /var/run/valkey_6379.pid\nbind * -::*\n"
	bad "$(cat conf)" '6: bind: given twice, first in line 2'
	sed -i '$d' conf
	dump -c conf
	shown bind '127.0.0.1 -::1' conf:2
	# A value that has no meaning here is an error.
	bad 'port 0' '2: port: "0"'
	bad 'loglevel nothing' '2: loglevel: "nothing" is none of'
	bad 'supervised upstart' '2: supervised: "upstart" is none of'
}

@test "the table of Redis's names is in order, and each name once" {
	local table=$TOP_SRCDIR/src/config/redis_names.txt
	grep -v '^#' "$table" >names
	[ "$(wc -l <names)" -gt 300 ]
	LC_ALL=C sort -u names | diff names -
	not grep -vE '^[a-z][a-z0-9_-]*[*]?$' names
}

@test "an access rule of Redis is not our user" {
	conf 'user alice on +@all ~* >secret\n'
	dump -c conf
	shown user '""' default
	conf 'user "nobody"\nuser alice on +@all\n'
	[ "$(id -u)" -eq 0 ] || skip "only root may name another user"
	dump -c conf
	shown user nobody conf:1
	conf 'user nobody # not an access rule\n'
	dump -c conf
	shown user nobody conf:1
}

@test "Debian's redis.conf: what it says of our directives is obeyed" {
	debian_redis_conf
	dump
	local name given line text
	given=0
	dump -c redis-debian.conf
	for name in bind port timeout tcp-backlog tcp-keepalive maxclients \
	    loglevel logfile pidfile daemonize; do
		line=$(grep -nE "^$name " redis-debian.conf) || continue
		text=${line#*:"$name" }
		given=$((given + 1))
		shown "$name" "$text" "redis-debian.conf:${line%%:*}"
	done
	# maxclients is commented out there; all others are set.
	[ "$given" -ge 9 ]
	shown bind '127.0.0.1 -::1' \
		"redis-debian.conf:$(grep -n '^bind ' redis-debian.conf | cut -d: -f1)"
}

@test "Debian's redis.conf: a service starts from it and echoes" {
	debian_redis_conf
	dump
	start_raw -c redis-debian.conf -o "port=$PORT" -o daemonize=no \
		-o logfile= -o pidfile=
	echoes
	local ignored
	ignored=$(awk 'NR == FNR { ours[$1]; next }
		NF && !/^ *#/ && !($1 in ours) { n++ } END { print n }' \
		dump redis-debian.conf)
	logged "redis-debian.conf: $ignored Redis directives"
	stop
	[ "$STATUS" -eq 0 ]
}

# --- the sample file

@test "the sample redis.conf loads" {
	[ -s "$TOP_SRCDIR/redis.conf" ]
	run "$ECHOD" -t -c "$TOP_SRCDIR/redis.conf"
	echo "$output"
	[ "$status" -eq 0 ]
	dump -c "$TOP_SRCDIR/redis.conf"
}

@test "the sample redis.conf names every directive with its default" {
	[ -s "$TOP_SRCDIR/redis.conf" ]
	dump
	local name want missing=0
	for name in $(directives); do
		want=$(default "$name")
		[ "$name" != logfile ] || want=
		if [ -n "$want" ]; then
			sed -nE "s/^(# )?$name = //p" "$TOP_SRCDIR/redis.conf" |
				sed -E 's/ +#.*$//' | grep -qxF -- "$want" && continue
		else
			grep -qE "^(# )?$name = ." "$TOP_SRCDIR/redis.conf" && continue
		fi
		echo "$name = $want is missing"
		missing=1
	done
	[ "$missing" -eq 0 ]
}

@test "what the sample redis.conf sets is the default, but for logfile" {
	[ -s "$TOP_SRCDIR/redis.conf" ]
	dump
	mv dump first
	dump -c "$TOP_SRCDIR/redis.conf"
	diff <(sed 's/ *# .*//' first | grep -v '^logfile') \
		<(sed 's/ *# .*//' dump | grep -v '^logfile')
}
