#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The packages build, and lintian finds nothing.  Their life, from the
# installation to the purge, keeps every connection and leaves nothing at the
# end.

load ../lib/common

# Each step runs once, in the order of the tests; its output is in $WORK.
setup_file() {
	export WORK=$BATS_FILE_TMPDIR
	command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null || return 0
	export VERSION
	VERSION=$("$ECHOD" -v)
	VERSION=${VERSION#echod }
	# The contents of a release, and no more.
	if timeout 120 make -s -C "$TOP_BUILDDIR" distdir \
		distdir="$WORK/echod-$VERSION" >"$WORK/release" 2>&1 3>&-; then
		build_package >"$WORK/build.log" 2>&1 3>&- || true
	fi
}

build_package() {
	chmod -R u+w "$WORK/echod-$VERSION" &&
		tar czf "$WORK/echod-$VERSION.tar.gz" -C "$WORK" "echod-$VERSION" &&
		cd "$WORK/echod-$VERSION" &&
		env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u CFLAGS \
			DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" \
			timeout 300 dpkg-buildpackage -us -uc -b -d
}

tool() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# The package, or the reason for its absence.
package() {
	tool dpkg-buildpackage
	tool dh
	tool dh_apparmor
	DEB=$(echo "$WORK"/echod_*.deb)
	[ -f "$DEB" ] || {
		cat "$WORK/release"
		tail -n 40 "$WORK/build.log"
		return 1
	}
}

# repack NAME VERSION PROGRAM: make the package with another program.
repack() {
	dpkg-deb -R "$DEB" "$1"
	sed -i "s/^Version: .*/Version: $2/" "$1/DEBIAN/control"
	cp "$3" "$1/usr/sbin/echod"
	[ ! -e "$3-admin" ] || cp "$3-admin" "$1/usr/libexec/echod/echod-admin"
	dpkg-deb --root-owner-group -b "$1" "shared/$1.deb" >/dev/null
}

# Make a system by debootstrap in ./root.  If this takes too long, the
# directory stays empty, and the room uses the system of this machine.  The
# system is kept for a month, if there is a place for it.
bootstrap_root() {
	local mirror suite depends cache=${XDG_CACHE_HOME:-$HOME/.cache}/echod-test
	mkdir -p root
	command -v debootstrap >/dev/null || return 0
	# shellcheck disable=SC2016 # apt's names
	read -r mirror suite < <(apt-get indextargets --format '$(SITE) $(RELEASE)' \
		'Created-By: Packages' 'Component: main' 2>/dev/null |
		grep -v security | head -n 1) || return 0
	depends=$(dpkg-deb -f "$DEB" Depends | sed 's/([^)]*)//g; s/|[^,]*//g' | tr -d ' ')
	cache=$cache/$suite.$(cksum <<<"$mirror $depends" | tr ' ' .).tar.gz
	if [ -n "$(find "$cache" -mtime -30 2>/dev/null)" ] &&
		tar xpzf "$cache" --numeric-owner -C root; then
		return
	fi
	rm -rf --one-file-system root
	timeout 150 debootstrap --variant=minbase --include="$depends" "$suite" root \
		"$mirror" >debootstrap.log 2>&1 3>&- || {
		rm -rf --one-file-system root
		mkdir root
		return
	}
	mkdir -p "${cache%/*}" && tar cf "$cache.$$" -I 'gzip -1' \
		--numeric-owner -C root . && mv "$cache.$$" "$cache" ||
		rm -f "$cache.$$"
}

@test "dpkg-buildpackage makes echod, echod-dev and echod-dbgsym" {
	package
	ls "$WORK"/echod_*.deb "$WORK"/echod-dev_*.deb "$WORK"/echod-dbgsym_*.deb
	dpkg-deb -c "$DEB" >list
	local f
	for f in ./usr/sbin/echod ./etc/echod/redis.conf ./etc/init.d/echod \
		./usr/libexec/echod/echod-admin \
		./usr/share/man/man8/echod.8.gz ./var/log/echod/; do
		grep -q " $f\$" list
	done
	grep -q '/echod.service$' list
	grep -q '/echod.socket$' list
	for f in apparmor.d/echod needrestart/restart.d/echod.service; do
		grep -q " ./etc/$f\$" list
	done
	not grep -q ' ./etc/redis' list
	dpkg-deb --ctrl-tarfile "$DEB" | tar xO ./conffiles >conffiles
	grep -qx /etc/echod/redis.conf conffiles
}

@test "echod-dev is what a handler needs, and finds the modules of echod" {
	package
	dpkg-deb -c "$WORK"/echod-dev_*.deb >list
	local f
	for f in bin/echod-handler-test include/echod/handler.h \
		share/pkgconfig/echod.pc share/man/man3/echod-handler.3.gz \
		share/man/man1/echod-handler-test.1.gz \
		share/doc/echod-dev/handlers.md share/echod/template/handler.c; do
		grep -q " ./usr/$f\$" list
	done
	grep -q ' ./usr/share/doc/echod-dev/examples/template -> ' list
	dpkg-deb -x "$DEB" echod
	dpkg-deb -x "$WORK"/echod-dev_*.deb echod-dev
	tool pkg-config
	export PKG_CONFIG_LIBDIR=$DIR/echod-dev/usr/share/pkgconfig
	[ -f "echod$(pkg-config --variable=handlersdir echod)/daytime.so" ]
	# The program looks for them there, and the man page says so.
	grep -q "$(pkg-config --variable=handlersdir echod)" echod/usr/sbin/echod
	grep -q "Pa $(pkg-config --variable=handlersdir echod)\$" \
		"$TOP_SRCDIR/man/echod-handler.3"
	[ -f "echod-dev$(pkg-config --variable=templatedir echod)/Makefile" ]
	# A shared object is not a program, so it is stripped and not executable.
	[ ! -x echod/usr/lib/echod/handlers/daytime.so ]
}

@test "lintian finds no error and no warning" {
	package
	tool lintian
	run timeout 300 lintian -EvIL +pedantic --fail-on error,warning "$WORK"/*.changes
	echo "$output"
	[ "$status" -eq 0 ]
	not grep -E '^[EW]: ' <<<"$output"
}

@test "the program is hardened" {
	package
	if command -v blhc >/dev/null; then
		blhc --debian "$WORK/build.log"
	fi
	tool readelf
	dpkg-deb -x "$DEB" x
	local program
	for program in sbin/echod libexec/echod/echod-admin \
		lib/echod/handlers/qotd.so; do
		readelf -hW "x/usr/$program" | grep -q 'Type: *DYN'
		readelf -lW "x/usr/$program" | grep -q GNU_RELRO
		readelf -dW "x/usr/$program" | grep -qE 'BIND_NOW|FLAGS.*NOW'
		readelf -sW --dyn-syms "x/usr/$program" >symbols
		grep -q __stack_chk_fail symbols
		grep -q '_chk@' symbols
	done
}

@test "rpmbuild makes an RPM of a release" {
	package
	tool rpmbuild
	# How it is optimized was looked at in the other package.
	timeout 300 rpmbuild --define "_topdir $DIR/rpm" --nodeps --nocheck \
		--define 'optflags -O0' -tb "$WORK/echod-$VERSION.tar.gz" >rpm.log 2>&1 || {
		tail -n 40 rpm.log
		return 1
	}
	rpm -qlp rpm/RPMS/*/echod-devel-"$VERSION"-1*.rpm | tee list
	grep -qx /usr/bin/echod-handler-test list
	grep -qx /usr/include/echod/handler.h list
	grep -qx /usr/share/echod/template/Makefile list
	rpm -qlp rpm/RPMS/*/echod-"$VERSION"-1*.rpm | tee list
	grep -q '/echod/handlers/daytime.so$' list
	not grep handler.h list
	grep -qx /usr/sbin/echod list
	grep -qx /usr/libexec/echod/echod-admin list
	grep -qx /etc/echod/redis.conf list
	if command -v rpmlint >/dev/null; then
		rpmlint rpm/RPMS/*/*.rpm
	fi
}

@test "AppArmor's profile can be read, and maintainer scripts are clean" {
	package
	dpkg-deb -R "$DEB" x
	if command -v shellcheck >/dev/null; then
		shellcheck x/DEBIAN/preinst x/DEBIAN/p*rm \
			"$TOP_SRCDIR/debian/echod.postinst" \
			x/etc/needrestart/restart.d/echod
	fi
	tool apparmor_parser
	[ -e /etc/apparmor.d/tunables/global ] || skip "AppArmor's abstractions are not installed"
	apparmor_parser --skip-kernel-load --skip-cache x/etc/apparmor.d/echod
}

@test "installed, upgraded under load, removed, purged" {
	package
	[ "$(id -u)" -eq 0 ] || skip "wants root"
	unshare --mount --pid --net --uts --ipc --fork true 2>/dev/null ||
		skip "namespaces are not to be had here"
	mkdir shared
	cp "$DEB" shared/old.deb
	cp "$LOAD" "$TOP_SRCDIR/tests/packaging/life" shared
	repack new 9.9.9-1 "$TOP_BUILDDIR/tests/programs/echod-next"
	repack foreign 9.9.9-2 "$TOP_BUILDDIR/tests/programs/echod-foreign"
	bootstrap_root
	if [ -e root/bin ]; then
		mkdir -p root/room
	else
		echo "# in a copy of this machine's system" >&3
	fi
	ROOM_SHARED=$DIR/shared timeout 200 "$TOP_SRCDIR/tests/packaging/room" \
		"$DIR/root" /room/life /room >life.log 2>&1 3>&- || {
		cat life.log
		return 1
	}
	local step
	for step in policy install upgrade foreign stopped remove again busy purge; do
		grep -qx "done: $step" life.log
	done
	not grep -iE 'warning: unable|error processing' life.log
}
