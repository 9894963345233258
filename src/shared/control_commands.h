/* SPDX-License-Identifier: ISC */
/*
 * The commands of the control socket and of echoctl(8), each written once.
 *
 * The table: CONTROL_COMMANDS(X, OWN) has a row for each command, in the order
 * in which they are listed.
 *
 *   X(name, least, most, changes, arguments, outcome, help)
 *	A command that the control socket answers.
 *   OWN(name, help)
 *	A command of echoctl alone, which asks others.
 *
 *   name	the command, and part of C names: status
 *   least	words of a request, the command included
 *   most	the same, at most
 *   changes	A request of so many words or more changes something; one of
 *		fewer words only reads.  0: it always reads.
 *   arguments	the arguments on the socket, as a string: "[on|off]"
 *   outcome	where an administrator sees whether a change was made, as a
 *		string
 *   help	what the command does, as a string without a full stop
 *
 * A server makes its dispatch table of it:
 *
 *	#define ROW(name, least, most, changes, arguments, outcome, help) \
 *		{ #name, least, most, commands_##name, #name arguments },
 *	#define NONE(name, help)
 *	CONTROL_COMMANDS(ROW, NONE)
 *
 * (A usage text wants a space before arguments that are not empty.)
 *
 * The protocol, on a stream socket: a client sends one line of up to 1023
 * bytes and gets one answer; then the server closes.  The line is a command
 * with its arguments, words between spaces or tabs.  Before the command may
 * stand, in any order and each once:
 *
 *   json	The answer is one JSON array or object, in UTF-8, and a newline.
 *		A refusal is an object with the one member "error".
 *   framed	The answer is followed by one byte NUL if it is whole.  Neither
 *		text nor JSON has such a byte.
 *
 * A client knows an answer as whole
 *   - by the NUL, if it asked for that;
 *   - in JSON, by the syntax;
 *   - if the request changes something, by its one line: "ok: ..." or
 *     "error: ..." and a newline;
 *   - in the list of connections, by its last line: "NUMBER connections",
 *     with the number of rows that came before.
 * The end of the stream says nothing: the server may have died.  Before a
 * request is read a server refuses with an unframed line "error: ...".
 *
 * What a client may conclude if a server closes without an answer:
 *   - ECONNRESET, or EPIPE from send(2): the request was not read, unix(7).
 *     A server reads a request in full before it carries out any of it, and
 *     never closes a connection with unread input on purpose.
 *   - end of file: the request may have been carried out.
 */
#ifndef ECHOD_SHARED_CONTROL_COMMANDS_H
#define ECHOD_SHARED_CONTROL_COMMANDS_H

#include "lib/log_levels.h"

/* The words before a command. */
#define CONTROL_JSON "json"
#define CONTROL_FRAMED "framed"
/* Longest request, with its newline. */
#define CONTROL_REQUEST_BYTES 1024

/* clang-format off */
#define CONTROL_COMMANDS(X, OWN) \
	X(status, 1, 1, 0, "", "", \
	    "the service on one screen") \
	X(workers, 1, 2, 2, "[NUMBER]", "echoctl workers", \
	    "its workers; or how many there are to be") \
	X(connections, 1, 4, 0, \
	    "[worker=NUMBER] [peer=PREFIX] [service=NAME]", "", \
	    "its clients") \
	OWN(top, \
	    "rates, live; q quits") \
	X(metrics, 1, 1, 0, "", "", \
	    "all numbers, for Prometheus") \
	X(config, 1, 1, 0, "", "", \
	    "every directive and its origin") \
	X(reload, 1, 1, 1, "", "echoctl status", \
	    "reload program and configuration, and wait") \
	X(stop, 1, 1, 1, "", "echoctl status", \
	    "stop the service") \
	X(reopen, 1, 1, 1, "", "the log", \
	    "open the log file anew") \
	X(close, 2, 2, 1, "ADDRESS:PORT", "echoctl connections", \
	    "close a client's connection") \
	X(loglevel, 1, 2, 2, "[" LOG_LEVEL_CHOICE "]", \
	    "echoctl loglevel", \
	    "the level of the log; or another one") \
	X(drain, 1, 2, 1, "[on|off]", "echoctl status", \
	    "let health checks fail, or succeed again") \
	X(renew, 1, 1, 1, "", "echoctl status", \
	    "start the administration process anew") \
	X(help, 1, 1, 0, "", "", \
	    "the requests of the control socket")
/* clang-format on */

#endif
