# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# The common part of the two Apache peers: mod_echo with one or the other MPM.

modules=/usr/lib/apache2/modules

# The most connections: each has a process or a thread of its own.
# shellcheck disable=SC2034 # for the scripts that source this
clients=1200

apache_there() {
	need apache2
	[ -e "$modules/mod_echo.so" ] || skip "mod_echo of Apache is not there"
}

# Write DIR/apache.conf and exec the server: apache DIR PORT MPM. Standard
# input is the part of the configuration for this MPM.
apache() {
	local user=''

	[ "$(id -u)" != 0 ] || user=$'User www-data\nGroup www-data'
	rm -f "$1/apache.pid"
	cat >"$1/apache.conf" <<EOF
ServerRoot $1
ServerName localhost
PidFile $1/apache.pid
ErrorLog /dev/stderr
LogLevel error
DefaultRuntimeDir $1
Mutex sem
LoadModule mpm_$3_module $modules/mod_mpm_$3.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule echo_module $modules/mod_echo.so
$user
Listen 127.0.0.1:$2 echo
ListenBacklog 1024
AcceptFilter echo none
Timeout 86400
GracefulShutdownTimeout 1
ProtocolEcho On
$(cat)
EOF
	PATH=$PATH:/usr/sbin exec apache2 -d "$1" -f "$1/apache.conf" \
		-DFOREGROUND
}
