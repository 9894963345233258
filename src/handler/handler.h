/* SPDX-License-Identifier: ISC */
/*
 * The seam between the server and its business.
 *
 * A handler sees bytes and rules on them; it never sees a descriptor, poll(2)
 * or a process.  The server shows it the input that is not settled yet, and
 * the handler says what happens to the first bytes of it: they are replied
 * (go back to the client as they are), dropped, or held until more arrives.
 * A ruling takes effect only after the call has returned, and the same input
 * gets the same ruling, so a call that a SIGKILL interrupted is simply made
 * again.
 */
#ifndef ECHOD_HANDLER_HANDLER_H
#define ECHOD_HANDLER_HANDLER_H

#include <stddef.h>

#include "config/config.h"

enum action {
	HOLD,
	REPLY,
	DROP
};

struct result {
	enum action action;
	size_t bytes; /* from the start of the input; 0 with HOLD */
};

struct handler {
	const char *name;
	/*
	 * Rule on `in`, the `len` > 0 bytes of input not yet settled, of which
	 * the last `fresh` were not shown before (a hint, for speed; after a
	 * recovery all are fresh).  `room` is how many bytes more the server
	 * can hold; a handler must not HOLD when it is 0.  Called again for
	 * what is left after a REPLY or DROP, until it rules HOLD or nothing
	 * is left.
	 */
	struct result (
	    *data)(const char *in, size_t len, size_t fresh, size_t room);
	/* The same when no more input will come (the client has closed its
	 * side, or the service drains).  What it holds is dropped. */
	struct result (*eof)(const char *in, size_t len);
};

extern const struct handler handler_echo;    /* a line, when it is whole */
extern const struct handler handler_raw;     /* RFC 862: at once */
extern const struct handler handler_discard; /* RFC 863: nothing back */

/* The handler of a kind. */
const struct handler *handler_of(enum handler_kind kind);

#endif
