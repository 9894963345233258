# SPDX-License-Identifier: ISC
# The checks inside a guest share this: reports of results, waits, a connection
# that lasts through all checks, and other versions of the package.
# shellcheck shell=bash

export LC_ALL=C DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2034 # for those that read this
conf=/etc/echod/redis.conf pidfile=/run/echod/echod.pid
# The master's pid at the begin of the connection; the checks set it.
was=
cd /vm || exit 1

# check TEXT COMMAND...: one assertion.  COMMAND is a function; its first
# failure ends it.
check() {
	local text=$1 said
	shift
	said=$(
		exec 2>&1 </dev/null
		set -eE
		trap 'echo "failed: $BASH_COMMAND"' ERR
		"$@"
	)
	# shellcheck disable=SC2181 # "if" would have set -e count for nothing
	if [ $? -eq 0 ]; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		echo "$said" | tail -n 25
	fi
}

skip() {
	echo "ok - $1 # SKIP $2"
}

not() {
	if "$@"; then
		return 1
	fi
}

# soon SECONDS COMMAND...
soon() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || {
			echo "not so in time: $*"
			return 1
		}
		sleep 0.2
	done
}

# served [PORT]
served() {
	[ "$(printf 'ping\n' | timeout 20 nc -N -w 10 127.0.0.1 "${1:-6379}")" = ping ]
}

master() {
	cat $pidfile
}

same_master() {
	[ "$(master)" = "$was" ]
}

workers() {
	pgrep -P "$(master)" -f '^echod: worker'
}

standby() {
	pgrep -P "$(master)" -f '^echod: standby'
}

# kill_master SIGNAL: kill the master; its standby becomes the master.
kill_master() {
	local next
	soon 60 standby
	next=$(standby)
	kill -s "$1" "$(master)"
	soon 60 master_is "$next"
}

master_is() {
	[ "$(master)" = "$1" ]
}

logged() {
	cat /var/log/echod/*.log | grep -q -- "$1"
}

# set NAME VALUE in the configuration
directive() {
	sed -i -E "s|^(# )?$1 = .*|$1 = $2|" $conf
	grep -qx "$1 = $2" $conf
}

# Add lines that the configuration must not have.
spoil() {
	cp $conf /vm/good.conf
	echo 'port = none' >>$conf
}

mend() {
	cp /vm/good.conf $conf
}

# Open a connection on descriptor 5, which lasts longer than a single check.
hold() {
	exec 5<>/dev/tcp/127.0.0.1/6379
}

held() {
	local line word=$RANDOM
	echo "$word" >&5
	read -r -t 20 line <&5
	[ "$line" = "$word" ]
}

under_load() {
	rm -f loaded enough
	./load -p 6379 -t 600 -f loaded -e enough small:10 pipeline:2 large:1 \
		partial:2 halfclose:1 churn:1 idle:50 >figures 2>&1 </dev/null 5>&- &
	load=$!
	soon 120 test -e loaded
}

load_is_happy() {
	touch enough
	wait "$load" || {
		cat figures
		return 1
	}
}

# repack NAME VERSION [PROGRAM]: make NAME.deb with this version and program.
repack() {
	rm -rf "tree.$1"
	dpkg-deb -R old.deb "tree.$1"
	sed -i "s/^Version: .*/Version: $2/" "tree.$1/DEBIAN/control"
	[ -z "${3:-}" ] || cp "$3" "tree.$1/usr/sbin/echod"
	[ ! -e "${3:-}-admin" ] || cp "$3-admin" "tree.$1/usr/libexec/echod/echod-admin"
	dpkg-deb --root-owner-group -Znone -b "tree.$1" "$1.deb" >/dev/null
	rm -rf "tree.$1"
}

install() {
	apt-get install -y --allow-downgrades --reinstall -o Dpkg::Use-Pty=0 \
		"./$1.deb" >said 2>&1
}

# Another program takes the port until give_port.
take_port() {
	nc -lk 0.0.0.0 6379 >/dev/null 2>&1 </dev/null 5>&- &
	echo $! >taker
	soon 20 taken
}

taken() {
	ss -Htln 'sport = :6379' | grep -q .
}

give_port() {
	kill "$(cat taker)"
}
