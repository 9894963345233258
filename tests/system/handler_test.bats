#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Finding broken promises of handlers (echod-handler-test): each one with the
# shortest input that shows it, none in those that keep all, and each fault of
# the tester's own engine.

load ../lib/common

BUILD=${TOP_BUILDDIR:-$TOP_SRCDIR/build}
HANDLER_TEST=$BUILD/src/echod-handler-test
SAMPLES=$BUILD/tests/programs

# breaks NAME NUMBER INPUT [TEXT]: the module breaks this promise and no other,
# with this input.
breaks() {
	run "$HANDLER_TEST" "$SAMPLES/broken/$1.so"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "broken: $2 ("* ]]
	[[ $output == *", input $3: "* ]]
	[[ $output == *"${4:-}"* ]]
}

# For what is seen by the sandbox only.
watched() {
	"$ECHOD" -T | grep -q '^sandbox = yes ' ||
		skip "this tester was built without libseccomp"
}

@test "handlers that keep every promise pass" {
	local name seen=0
	for name in "$SAMPLES"/good/*.so; do
		run "$HANDLER_TEST" "$name"
		echo "$output"
		[ "$status" -eq 0 ]
		[ "$output" = "$name: no broken promise" ]
		seen=$((seen + 1))
	done
	[ "$seen" -eq 7 ]
}

@test "every module that ships keeps every promise" {
	local module seen=0
	echo "to be or not to be" >quote
	printf 'PING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nHELLO 3\r\nQUIT\r\n' >input
	for module in "$BUILD"/modules/*.so; do
		local options=()
		[ "${module##*/}" != qotd.so ] || options=(-o "file=$DIR/quote")
		run "$HANDLER_TEST" "${options[@]}" "$module" input
		echo "$output"
		[ "$status" -eq 0 ]
		seen=$((seen + 1))
	done
	[ "$seen" -ge 5 ]
}

# bats test_tags=quick
@test "promise 1: the same output however the input is cut" {
	breaks cut 1 '"\r\n" (2 bytes)' 'expected "." and FIN, got ".." and FIN'
}

# bats test_tags=quick
@test "promise 2: a repeated DATA changes nothing" {
	breaks repeat 2 '"x" (1 byte)' 'changed its state again'
}

@test "promise 3: a step that is made again does the same" {
	breaks redo 3 '"\n" (1 byte)' 'expected "1\n" and FIN, got "2\n" and FIN'
}

@test "promise 4: the same output whatever dies" {
	breaks kill 4 '"\n" (1 byte)' 'a kill at point '
}

@test "promise 5: it ends after the end of the input" {
	breaks end 5 '"" (0 bytes)' 'a drain at byte 0'
}

@test "promise 6: it does not wait for input if no more fits" {
	breaks full 6 '"xxxxxxxxxxxxxxxx" (16 bytes)'
}

@test "promise 7: it stays within its memory" {
	breaks overread 7 '"\r" (1 byte)' 'reaches over the edge of in'
	breaks overwrite 7 '"x" (1 byte)' 'writes beside the 3 bytes of `out`'
	breaks length 7 '"x" (1 byte)' 'it wrote more than out_max'
	breaks unwritten 7 '"\n" (1 byte)' 'unused memory had another content'
	breaks input 7 '"x" (1 byte)' 'writes to in'
	breaks state 7 '"xxxxxxxx" (8 bytes)' 'writes beside its state of 8 bytes'
}

@test "promise 8: the state is all that it keeps" {
	breaks static 8 '"x\n" (2 bytes)' 'by another worker'
	breaks static-begin 8 '"" (0 bytes)' 'another connection of the same worker'
	breaks config 8 '"xx" (2 bytes)' 'keeps an address in config'
	breaks address 8 '"" (0 bytes)' 'an address of the module'
	breaks config-address 8 '"" (0 bytes)' 'configure() stores an address'
}

@test "promise 9: a late timer is a timer" {
	breaks late 9 '"" (0 bytes)' 'a timer came 1 ms late'
	breaks storm 9 '"" (0 bytes)' 'after 256 TIMER steps at the same time'
}

@test "promise 10: a step ends, with an answer" {
	breaks crash 10 '"\000" (1 byte)' 'touches memory that is not there (SIGSEGV)'
	breaks hang 10 '"\n\n" (2 bytes)' 'does not return within'
	breaks nonsense 10 '"xxxx" (4 bytes)' 'no enum echod_next (returned 4'
	breaks nothing 10 '"" (0 bytes)' 'asked to go on, and consumed and wrote nothing'
	breaks leave 10 '"h" (1 byte)' 'ends the process'
}

@test "promise 10: a step makes no system call" {
	watched
	breaks file 10 '"l" (1 byte)' 'makes the system call open'
}

@test "promise 11: migrate converts a state, or refuses it" {
	breaks migrate 11 '"" (0 bytes)' 'writes beside the state of 4 bytes'
}

@test "every broken sample has its test" {
	local f seen=0
	for f in "$SAMPLES"/broken/*.so; do
		f=${f##*/}
		echo "$f"
		grep -qE "(breaks|broken/)[ ]?${f%.so}\b" "$BATS_TEST_FILENAME"
		seen=$((seen + 1))
	done
	[ "$seen" -ge 26 ]
}

@test "a fault that only the user's input shows is found, and shrunk" {
	run "$HANDLER_TEST" -e 'a\x00b\r\n' "$SAMPLES/broken/crash.so"
	[ "$status" -eq 1 ]
	printf 'GET /\n\n\nx' | "$HANDLER_TEST" "$SAMPLES/broken/hang.so" - >said ||
		[ $? -eq 1 ]
	grep -F 'input "\n\n" (2 bytes)' said
}

@test "each fault of an engine is noticed, by the handler that can" {
	local mutants=$SAMPLES/handler-test-mutants n handler
	# By the numbers of engine.h.
	while read -r n handler _; do
		echo "$n $handler"
		run "$mutants" -M "$n" "$SAMPLES/good/$handler.so"
		[ "$status" -eq 1 ]
	done <<-'END'
	1 line	epoch before data
	2 line	the current half is written
	3 sum	output before the commit
	4 endless	a step while output is unsent
	5 clock	our FIN is not subtracted
	6 beat	OPEN by a store of its own
	7 sum	one state
	8 line	recv while passed input is unsent
	9 line	a fast path in two stores
	10 sum	the client's FIN as a byte
	11 beat	OPEN sets seen
	12 hurry	wake outside the commit
	13 line	tx not from the kernel
	14 hurry	seen before epoch
	END
	run "$mutants" "$SAMPLES/good/hurry.so"
	[ "$status" -eq 0 ]
}

# bats test_tags=quick
@test "a module that is none is refused with a reason" {
	run "$HANDLER_TEST" "$SAMPLES/broken/refused.so"
	echo "$output"
	[ "$status" -eq 2 ]
	[[ $output == *refused.so:\ its\ state_size\ is\ 5000,\ the\ limit\ is\ 4096 ]]
	run "$HANDLER_TEST" ./nothing.so
	[ "$status" -eq 2 ]
	[[ $output == *nothing.so:\ No\ such\ file\ or\ directory ]]
	run "$HANDLER_TEST" "$SAMPLES/modules/no-symbol.so"
	[ "$status" -eq 2 ]
	[[ $output == *no\ symbol\ echod_handler ]]
	run "$HANDLER_TEST" "$SAMPLES/modules/abi.so"
	[ "$status" -eq 2 ]
	[[ $output == *its\ ABI\ is\ 2* ]]
}

# bats test_tags=quick
@test "wrong options have status 2" {
	local line="$SAMPLES/good/line.so"
	run "$HANDLER_TEST"
	[ "$status" -eq 2 ]
	run "$HANDLER_TEST" -S x "$line"
	[ "$status" -eq 2 ]
	run "$HANDLER_TEST" -o nothing "$line"
	[ "$status" -eq 2 ]
	run "$HANDLER_TEST" -o a=b "$line"
	[ "$status" -eq 2 ]
	[[ $output == *line.so:\ it\ has\ no\ options ]]
	run "$HANDLER_TEST" "$line" nofile
	[ "$status" -eq 2 ]
	[[ $output == *nofile:\ No\ such\ file\ or\ directory ]]
	[[ $("$HANDLER_TEST" -h) == usage:* ]]
	[[ $("$HANDLER_TEST" -V) == "echod-handler-test $("$ECHOD" -v | cut -d' ' -f2)" ]]
}

@test "-v counts the work, and a seed repeats it" {
	"$HANDLER_TEST" -v -S 7 "$SAMPLES/good/sum.so" >first
	"$HANDLER_TEST" -v -S 7 "$SAMPLES/good/sum.so" >second
	cat first
	diff first second
	grep -qE ' [0-9]{2,} inputs, [0-9]{4,} connections, .* [0-9]{5,} steps, [0-9]{4,} kills$' first
}

# bats test_tags=quick
@test "every option of --help is in echod-handler-test.1, and no other" {
	rendered() {
		command -v mandoc >/dev/null || skip "mandoc is not installed"
		mandoc -Tascii "$TOP_SRCDIR/man/$1" | sed 's/.\x08//g'
	}
	diff <("$HANDLER_TEST" -h | sed -nE 's/^  (-.).*/\1/p' | sort) \
		<(rendered echod-handler-test.1 | sed -nE 's/^ {5}(-[a-zA-Z]) .*/\1/p;
			s/^ {5}(-[a-zA-Z])$/\1/p' | sort -u)
}
