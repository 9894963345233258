/* SPDX-License-Identifier: ISC */
/*
 * The interface between the server and a protocol.
 *
 * A handler sees bytes and decides about them.  It never sees a descriptor,
 * poll(2) or a process.  The server calls it with the input that is not settled
 * yet.  The handler returns an action for the first bytes of the input: reply
 * (they are sent back to the client unchanged), drop, or hold until more
 * arrives.  A result takes effect only after the call has returned, and the
 * same input has the same result.  So a call that a SIGKILL interrupted is made
 * again.
 */
#ifndef ECHOD_HANDLER_HANDLER_H
#define ECHOD_HANDLER_HANDLER_H

#include <stddef.h>

#include "config/config.h"
#include "echod/handler.h"
/* The handlers. */
enum handler_kind {
	HANDLER_ECHO,
	HANDLER_RAW,
	HANDLER_DISCARD,
	HANDLER_KINDS
};

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
	 * The action for `in`, the `len` > 0 bytes of input that are not
	 * settled yet.  The last `fresh` of them are new to the handler (a
	 * hint, for speed; after a recovery all bytes are fresh).  `room` is
	 * how many more bytes the server can hold; a handler must not HOLD if
	 * `room` is 0.  After REPLY or DROP, the function is called again for
	 * the rest of the input, until it returns HOLD or nothing is left.
	 */
	struct result (
	    *data)(const char *in, size_t len, size_t fresh, size_t room);
	/* The same if no more input will come: the client has closed its side,
	 * or the service drains.  HOLD means DROP then. */
	struct result (*eof)(const char *in, size_t len);
};

extern const struct handler handler_echo;    /* whole lines */
extern const struct handler handler_raw;     /* RFC 862: at once */
extern const struct handler handler_discard; /* RFC 863: nothing back */

/* The kind called `name`, one of those. */
enum handler_kind handler_named(const char *name);

/* The handler of a kind. */
const struct handler *handler_of(enum handler_kind kind);

/* The built-in handler of this name, or NULL. */
const struct echod_handler *handler_builtin(const char *name);

#endif
