/* SPDX-License-Identifier: ISC */
/*
 * Asking the control socket: one request, one answer.
 *
 * The process that answers may be restarted at any moment; the listening
 * socket stays, so that a request waits in its queue, and one that is under
 * way sees the end of the stream.  A request is repeated for some seconds if
 * it only reads, or if it has certainly not been read.
 */
#ifndef ECHOD_CTL_REQUEST_H
#define ECHOD_CTL_REQUEST_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/answer.h"

struct request {
	const char *path; /* of the control socket */
	const char *line; /* without its newline */
	enum answer_form form;
	/* It changes something: where to see whether it has; else NULL. */
	const char *outcome;
	/* Called once if an answer takes longer than usual, or NULL.  Not
	 * called for a request that changes something. */
	void (*waiting)(void);
	/* The signal mask while it waits: a signal ends it with EINTR.  NULL:
	 * no signal does. */
	const sigset_t *mask;
	bool keys; /* input on standard input ends it, too */

	uint64_t began; /* clock_ms(); 0: not yet */
	unsigned tries;
	bool told;
};

/* Say on standard error that administration is coming back. */
void request_say_waiting(void);

/*
 * Send the request and wait for its answer to begin.  Returns a descriptor to
 * read the answer from, or -1 with errno set:
 *   EAGAIN	no answer in time
 *   EINTR	a signal or a key, see `mask` and `keys`
 *   ECONNRESET	the server closed before it read the request
 *   ENODATA	the server closed without an answer
 * and as connect(2) and send(2).
 */
int request_open(struct request *r);

/*
 * The whole answer, to be freed, or NULL with errno set: as above, and
 *   EBADMSG	the answer ends in the middle
 *   EPROTO	the answer is of another form
 * Control characters are in it as they came.
 */
char *request_ask(struct request *r);

/* After a failure for the reason `error`: true if the request should be made
 * again, after a pause that is over.  If not, errno is the reason to name. */
bool request_repeats(struct request *r, int error);

/* Write into `text` why the request failed for the reason `error`, and how to
 * go on: "PATH: Connection refused; echod does not run".  */
void request_explain(const struct request *r, int error, char *text,
    size_t size);

/* Do that to standard error. */
void request_warn(const struct request *r, int error);

/* request_ask(), cleaned, with the reason of a failure on standard error. */
char *request_ask_loudly(struct request *r);

#endif
