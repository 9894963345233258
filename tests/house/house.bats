#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The rules of the house: which folder may include which, the home of each
# dangerous call, and the agreement of documents and program.

load ../lib/common

# bats file_tags=quick

sources() {
	find "$TOP_SRCDIR/src" -name '*.[ch]' | sort
}

# The public header and the modules.
modules() {
	find "$TOP_SRCDIR/include" "$TOP_SRCDIR/modules" -name '*.[ch]' | sort
}

# The files of tests/ whose names match one of the patterns.
tests() {
	local pattern match=()
	for pattern in "$@"; do
		match+=(-o -name "$pattern")
	done
	find "$TOP_SRCDIR/tests" -type f \( "${match[@]:1}" \) | sort
}

# Print "folder file included" for each of our includes.  A file above all
# folders, such as main.c, is in the folder "top".
includes() {
	(cd "$TOP_SRCDIR/src" && find . -name '*.[ch]' -exec grep -HE \
		'^[[:space:]]*#[[:space:]]*include[[:space:]]+"' {} +) |
		sed -E 's|^\./([^:]*):[^"]*"([^"]*)".*|\1 \2|' | sort |
		awk '{ folder = $1
			if (!sub("/.*", "", folder))
				folder = "top"
			print folder, $0 }'
}

# may FOLDER REGEX: files of the folder include only files that match.
may() {
	local found
	found=$(includes | awk -v f="$1" '$1 == f')
	[ -n "$found" ]
	if grep -vE "^$1 [^ ]+ ($2)\$" <<<"$found"; then
		return 1
	fi
}

# Put the sources without comments and strings, but with their line numbers,
# below $BATS_FILE_TMPDIR; once for all tests, because this takes a while.
setup_file() {
	python3 - "$TOP_SRCDIR/src" "$BATS_FILE_TMPDIR/src" <<-'END'
	import os, re, sys
	for folder, _, names in os.walk(sys.argv[1]):
	    target = sys.argv[2] + folder[len(sys.argv[1]):]
	    os.makedirs(target)
	    for name in names:
	        if re.search(r'\.[ch]$', name):
	            text = open(os.path.join(folder, name)).read()
	            text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"',
	                lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
	            open(os.path.join(target, name), "w").write(text)
	END
}

# Print the lines of code that match, as path:number:line.
code_with() {
	(cd "$BATS_FILE_TMPDIR/src" && grep -rnE "$1" .) | sed 's|^\./||'
}

# home REGEX FILE: this file, and no other, has code that matches.
home() {
	code_with "$1" | tee hits
	grep -q "^$2:" hits
	if grep -v "^$2:" hits; then
		return 1
	fi
}

dump() {
	"$ECHOD" -T >dump
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
		sed -nE "s/^$1 = (.*[^ ]) +# .*\$/\\1/p" dump
	fi
}

# The text of man page $1, as one line without formatting.
rendered() {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	[ -s "$TOP_SRCDIR/man/$1" ]
	mandoc -Tascii -O width=200 "$TOP_SRCDIR/man/$1" | sed 's/.\x08//g' |
		tr -s ' \n' ' '
}

# The shell scripts of the tree that are written by hand.
scripts() {
	(cd "$TOP_SRCDIR" && find . \( -name .git -o -name build-aux -o -name 'build*' \
		-type d -o -name autom4te.cache -o -name aclocal.m4 \
		-o -name 'configure*' -o -name '*.in' -o -path './_*' \) -prune \
		-o -type f -print) | sed "s|^\.|$TOP_SRCDIR|" | sort | while read -r f; do
		case $f in
		*.sh | *.bash | *.bats) echo "$f" ;;
		*)
			if head -n 1 "$f" | tr -d '\0' |
			    grep -qE '^#!.*\b(ba|da|)sh\b'; then
				echo "$f"
			fi
			;;
		esac
	done
}

# --- the sources

# A folder, and the only folders whose headers it may include.
@test "includes point down only" {
	[ "$(includes | wc -l)" -ge 80 ]
	may lib 'lib/.*'
	may config '(config|lib)/.*'
	may shared '(shared|lib)/.*'
	may handler '((handler|config|lib)/.*|echod/handler\.h)'
	may worker '((worker|handler|shared|config|lib)/.*|echod/handler\.h)'
	may handler-test '((handler-test|lib)/.*|handler/(contract|load)\.h|echod/handler\.h)'
	may ctl '((ctl|config|lib)/.*|shared/(control_commands|counters)\.h)'
	may commands '((commands|shared|config|lib)/.*|handler/(image|load|services)\.h)'
	may admin '(admin|shared|config|lib)/.*'
	may standby '(standby|master|shared|config|lib)/.*'
	may master '((master|standby|shared|config|lib)/.*|handler/(image|load|services)\.h)'
}

@test "no folder is without a rule" {
	local known='admin commands config ctl handler handler-test lib master shared standby worker'
	[ "$(cd "$TOP_SRCDIR/src" && find . -mindepth 1 -maxdepth 1 -type d ! -name '.*' |
		sed 's|^\./||' | sort | tr '\n' ' ')" = "$known " ]
}

# A header and its source count as one file.
@test "no file includes itself by way of others" {
	includes | sed 's/^[^ ]* //; s/\.[ch]\>//g' | awk '$1 != $2' | sort -u >edges
	[ "$(wc -l <edges)" -ge 80 ]
	if ! tsort edges >/dev/null 2>circles; then
		cat circles
		return 1
	fi
}

@test "every header stands beside its source" {
	local h bad=0
	for h in $(sources | grep '\.h$'); do
		[ ! -e "${h%.h}.c" ] || continue
		# Nothing but types, constants and inline functions.
		grep -qE '^[a-z].*\);$' "$h" || continue
		echo "${h#"$TOP_SRCDIR/src/"}"
		bad=1
	done
	[ "$bad" -eq 0 ]
}

c_files() {
	sources
	modules
	printf '%s\n' "$TOP_SRCDIR"/bench/*.[ch] "$TOP_SRCDIR"/tests/*/*.[ch]
}

@test "no line is over 80 columns" {
	local f bad=0
	for f in $(c_files); do
		expand "$f" | awk -v f="${f#"$TOP_SRCDIR/"}" 'length > 80 {
			print f ":" NR; bad = 1 } END { exit bad }' || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "clang-format would change nothing" {
	local tool
	tool=$(command -v clang-format-14) ||
		skip "clang-format-14 is not installed"
	# shellcheck disable=SC2046 # a list of names
	"$tool" --dry-run -Werror $(c_files)
}

@test "nobody includes what is above the folders, but what is there itself" {
	if includes | awk '$1 != "top" && $3 !~ "/"' | grep .; then
		return 1
	fi
}

@test "clone3 lives in src/master/clone.c" {
	home '\b(clone3?|SYS_clone3?|__NR_clone3?)\b' master/clone.c
}

@test "waitpid lives in src/master/reap.c, and for children that run modules in src/handler/image.c and src/handler-test/child.c" {
	home '\b(waitpid|waitid|wait3|wait4|wait) *\(' '\(master/reap\|handler/image\|handler-test/child\)\.c'
}

@test "sigaction lives in src/lib/signals.c" {
	home '\b(sigaction|signal|sigset|bsd_signal) *\(' lib/signals.c
}

@test "accept4 lives in src/worker/connection/accept.c, and for the administrator in src/admin/accept.c" {
	home '\baccept4? *\(' '\(worker/connection/accept\|admin/accept\)\.c'
}

@test "iniparser lives in src/config/reader.c" {
	home '\b(iniparser|dictionary)_' config/reader.c
	home '#[ ]*include *<iniparser' config/reader.c
}

@test "log levels are named in src/lib/log_levels.h" {
	local list
	grep -rlE '"([^"]*[^a-z"])?verbose([^a-z"][^"]*)?"' "$TOP_SRCDIR/src" | tee hits
	[ "$(cat hits)" = "$TOP_SRCDIR/src/lib/log_levels.h" ]
	# Documents have the same ones, in the same order.
	list=$("$ECHOD" -t -o loglevel=none 2>&1) || :
	list=${list#*none of }
	grep -qE "^#     ${list%%,*} " "$TOP_SRCDIR/redis.conf"
	[ "$(sed -nE 's/.*loglevel=\*\) set -- ([a-z ]+) ;;.*/\1/p' \
		"$TOP_SRCDIR/etc/echod.bash-completion")" = "${list//,/}" ]
}

@test "seccomp lives in src/lib/seccomp_filter.c, and the names of calls in src/lib/call_name.c" {
	home '\bseccomp_(init|load|rule_add|attr_set)\w* *\(' lib/seccomp_filter.c
	home '\bseccomp_syscall_resolve\w* *\(' lib/call_name.c
}

@test "libmicrohttpd lives in src/admin/http.c" {
	home '\bMHD_[a-z]\w* *\(' admin/http.c
}

@test "dlopen lives in src/handler/load.c, and the master never loads" {
	home '\bdl(open|sym|error) *\(' handler/load.c
	home '\bload_module *\(' '\(handler/\(load\|image\)\.[ch]\|worker/handlers\.c\|handler-test/module\.c\)'
}

@test "nothing jumps out of its stack" {
	[ -s "$BATS_FILE_TMPDIR/src/main.c" ]
	if code_with '\b(sigsetjmp|setjmp|siglongjmp|longjmp) *\(' | grep .; then
		return 1
	fi
}

@test "the pair of the administration process is made in src/shared/request.c" {
	home '\bsocketpair *\(' shared/request.c
}

@test "fork lives in src/master/start/daemonize.c, and for children that run modules in src/handler/image.c and src/handler-test/child.c" {
	home '\b(v?fork|daemon) *\(' '\(master/start/daemonize\|handler/image\|handler-test/child\)\.c'
}

@test "exec has one home at most" {
	code_with '\b(f?exec(l|v|le|ve|lp|vp|vpe|veat)|system|popen|posix_spawnp?) *\(' |
		tee hits
	[ "$(cut -d: -f1 hits | sort -u | wc -l)" -le 1 ]
}

@test "every source file starts with a comment that says what it owns" {
	# A sentence is words and a full stop, colon or semicolon after them.
	# shellcheck disable=SC2046 # a list of names
	python3 - $(sources) $(modules) $(tests '*.[ch]') <<-'END'
	import re, sys
	bad = False
	for name in sys.argv[1:]:
	    head = re.match(r'/\* SPDX-License-Identifier: ISC \*/\n/\*(.*?)\*/',
	        open(name).read(), re.S)
	    words = re.sub(r'\s+\*?\s*', ' ', head[1]).strip() if head else ''
	    if not re.match(r'\S.{15,}[.:;]', words):
	        print(name)
	        bad = True
	sys.exit(bad or len(sys.argv) < 60)
	END
}

@test "every test file starts with a comment" {
	local f
	for f in $(tests '*.bats' '*.bash'); do
		echo "$f"
		grep -vE '^#!|^# SPDX-' "$f" | head -n 1 |
			grep -qE '^# [A-Z].{10,}'
	done
}

# A source file in C has it in its head, see above.
@test "every script names its licence" {
	local f bad=0
	scripts >list
	[ "$(wc -l <list)" -ge 80 ]
	for f in $(cat list) $(tests '*.py'); do
		head -n 2 "$f" | grep -qxF '# SPDX-License-Identifier: ISC' &&
			continue
		echo "$f"
		bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "every source and test file is in Makefile.am" {
	local f bad=0
	for f in $(sources) $(modules) $(tests '*.bats' '*.bash' '*.py' '*.[ch]'); do
		f=${f#"$TOP_SRCDIR/"}
		grep -qE "(^|[[:space:]])$f([[:space:]]|\$)" \
			"$TOP_SRCDIR/Makefile.am" && continue
		echo "$f"
		bad=1
	done
	[ "$bad" -eq 0 ]
}

# --- documents

@test "echod.conf.5 lists exactly the directives, in their order" {
	[ -s "$TOP_SRCDIR/man/echod.conf.5" ]
	dump
	[ "$(grep -c . dump)" -ge 20 ]
	diff <(sed -n 's/ = .*//p' dump) \
		<(sed -nE 's/^\.It Ic ([a-z-]+).*/\1/p' "$TOP_SRCDIR/man/echod.conf.5")
}

@test "echod.conf.5 gives the default of each directive" {
	[ -s "$TOP_SRCDIR/man/echod.conf.5" ]
	dump
	local name want text bad=0
	for name in $(sed -n 's/ = .*//p' dump); do
		want=$(default "$name")
		[ "$want" != '""' ] || want=empty
		text=$(awk -v n="$name" '$1 == ".It" && $2 == "Ic" {
			on = $3 == n } on' "$TOP_SRCDIR/man/echod.conf.5" |
			tr -s '\n' ' ')
		[[ $text =~ The\ default\ is\ (\.[A-Z][a-z]\ )?"$want"\ ?\. ]] && continue
		echo "$name: no 'The default is $want.'"
		bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "every option of --help is in echod.8" {
	rendered echod.8 >page
	[ -s page ]
	local option seen=0
	for option in $("$ECHOD" --help | grep -oE -- '(^|[ ,[])--?[a-zA-Z-]+' |
	    tr -d ' ,[' | sort -u); do
		echo "$option"
		grep -qE -- "(^|[ ,[|])$option([], |]|\$)" page
		seen=$((seen + 1))
	done
	[ "$seen" -ge 13 ]
}

@test "every option in echod.8 is one of --help" {
	[ -s "$TOP_SRCDIR/man/echod.8" ]
	"$ECHOD" --help >help
	local option seen=0
	for option in $(sed -nE 's/^\.It Fl /Fl /p' "$TOP_SRCDIR/man/echod.8" |
	    grep -oE 'Fl -?[a-zA-Z-]+' | sed 's/^Fl /-/'); do
		echo "$option"
		grep -qE -- "(^|[ ,])$option([ ,]|\$)" help
		seen=$((seen + 1))
	done
	[ "$seen" -ge 13 ]
}

@test "every option and command of echoctl --help is in echoctl.8" {
	rendered echoctl.8 >page
	local word seen=0
	for word in $("$ECHOCTL" --help |
	    grep -oE -- '(^|[ ,[])--?[a-zA-Z-]+|^  [a-z]+' | tr -d ' ,[' | sort -u); do
		echo "$word"
		grep -qE -- "(^|[ ,[|])$word([], |]|\$)" page
		seen=$((seen + 1))
	done
	[ "$seen" -ge 23 ]
}

@test "echoctl.8 lists exactly the commands, in their order, with their keywords" {
	"$ECHOCTL" --help >help
	[ "$(grep -cE '^  [a-z]' help)" -ge 12 ]
	diff <(sed -nE 's/^  ([a-z]+).*/\1/p' help) \
		<(awk '/^The commands are/, /^\.Ss/' "$TOP_SRCDIR/man/echoctl.8" |
			sed -nE 's/^\.(It )?Ic ([a-z]+).*/\2/p' | awk '!seen[$0]++' |
			grep -xFf <(sed -nE 's/^  ([a-z]+).*/\1/p' help))
	rendered echoctl.8 >page
	local word
	for word in $(grep -oE '\[[a-z|]+\]' help | tr '[]|' '   '); do
		echo "$word"
		grep -qE "[ [|]${word}[], |.:]" page
	done
}

# The socket's own list, which names the commands that echoctl has itself not.
@test "echoctl --help has the commands of the control socket" {
	echo "port = $PORT" >conf
	start "control-socket=$DIR/control"
	"$ECHOCTL" -s control help >asked
	diff <("$ECHOCTL" --help | sed -nE 's/^  ([a-z]+).*/\1/p' | grep -vx top) \
		<(sed 's/ .*//' asked)
	# Where echoctl has options of its own, the socket has arguments.
	diff <("$ECHOCTL" --help | sed -nE 's/^  ([a-z]+( [^ a-z]*[A-Z[][^ ]*)?) *.*/\1/p' |
		grep -vx 'top\|connections') <(grep -v ^connections asked)
}

@test "ncurses lives in src/ctl/screen.c, and JSON is read by jansson" {
	home '\b(newterm|endwin|getch|mvaddnstr|resizeterm) *\(' ctl/screen.c
	# No text of an answer is taken apart by hand.
	if (cd "$BATS_FILE_TMPDIR/src" && grep -nE '\b(strstr|sscanf) *\(' ctl/*.c); then
		return 1
	fi
}

@test "echod.8 explains every exit status" {
	rendered echod.8 >page
	local status
	for status in 0 1 2 3 78; do
		echo "$status"
		sed 's/.*EXIT STATUS//' page | grep -qE "(^|[ ,.])$status([ ,.]|\$)"
	done
}

@test "the man pages are clean" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	[ -s "$TOP_SRCDIR/man/echod.8" ]
	[ -s "$TOP_SRCDIR/man/echod.conf.5" ]
	run mandoc -Tlint -W warning "$TOP_SRCDIR"/man/*.[1-9]
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "all shell is clean" {
	command -v shellcheck >/dev/null || skip "shellcheck is not installed"
	[ -s "$TOP_SRCDIR/bootstrap" ]
	[ -s "$TOP_SRCDIR/.ci/run" ]
	scripts >list
	cat list
	grep -qx "$TOP_SRCDIR/bootstrap" list
	grep -qx "$TOP_SRCDIR/.ci/run" list
	grep -qx "$TOP_SRCDIR/tests/lib/common.bash" list
	local check=(xargs -d '\n' -P "$(nproc)" -n 8 shellcheck -S warning)
	grep '\.bats$' list | "${check[@]}" --shell=bats
	# Files that are loaded use what SC2034 does not see.
	grep '\.bash$' list | "${check[@]}" --shell=bash -e SC2034
	grep -vE '\.(bats|bash)$' list | "${check[@]}"
}

@test "what is to be run can be run" {
	[ -x "$TOP_SRCDIR/bootstrap" ]
	[ -x "$TOP_SRCDIR/.ci/run" ]
}

@test "README.md says how to run and how to check, in less than 150 lines" {
	[ -s "$TOP_SRCDIR/README.md" ]
	grep -qF './bootstrap run' "$TOP_SRCDIR/README.md"
	grep -qF './bootstrap check' "$TOP_SRCDIR/README.md"
	[ "$(wc -l <"$TOP_SRCDIR/README.md")" -lt 150 ]
}

@test "NEWS, configure.ac and echod -v agree on the version" {
	[ -s "$TOP_SRCDIR/NEWS" ]
	local version
	version=$("$ECHOD" -v)
	version=${version#echod }
	[ -n "$version" ]
	grep -qE "(^|[^0-9.])${version//./\\.}([^0-9.]|\$)" "$TOP_SRCDIR/NEWS"
	grep -qF "AC_INIT([echod], [$version]" "$TOP_SRCDIR/configure.ac"
}

@test "the make targets that documents name are there" {
	# A document named "make bench", which was not in the tree.
	local target seen=0
	for target in $(grep -hoE '(`|^    )make [a-z][a-z-]+' "$TOP_SRCDIR"/*.md \
	    "$TOP_SRCDIR"/bench/*.md | sed -E 's/.*make ([a-z][a-z-]+).*/\1/' | sort -u); do
		echo "$target"
		case $target in
		check | install | distcheck | dist) ;; # automake's
		*) grep -qE "^$target:" "$TOP_SRCDIR/Makefile.am" ;;
		esac
		seen=$((seen + 1))
	done
	[ "$seen" -ge 4 ]
}

@test "no test sleeps for whole seconds" {
	local f bad=0
	for f in $(tests '*.bats' '*.bash'); do
		if grep -HnE '^[^#]*\bsleep [1-9][0-9]*([^0-9.]|$)' "$f"; then
			bad=1
		fi
	done
	[ "$bad" -eq 0 ]
}

@test "the pictures are drawn from their sources" {
	local dot svg text bad=0 seen=0
	for dot in "$TOP_SRCDIR"/doc/pictures/*.dot; do
		svg=${dot%.dot}.svg
		# Each line of each label is a text of the picture.
		while read -r text; do
			seen=$((seen + 1))
			grep -qF ">$text</text>" "$svg" && continue
			echo "${svg##*/}: no \"$text\""
			bad=1
		done < <(grep -oE 'label="[^"]*"' "$dot" |
			sed 's/^label="//; s/"$//; s/\\n/\n/g; s/&/\&amp;/g' |
			sed "s/'/\&#39;/g; s/-/\&#45;/g")
	done
	[ "$bad" -eq 0 ] && [ "$seen" -gt 60 ]
}
