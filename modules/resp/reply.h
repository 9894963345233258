/* SPDX-License-Identifier: ISC */
/*
 * Replies: each type of RESP2 and RESP3 that the commands need.
 *
 * The protocol of the connection decides how a reply is written.  If the client
 * asked for silence, nothing is written.  A reply that does not fit sets
 * resp.full.
 */
#ifndef ECHOD_MODULES_RESP_REPLY_H
#define ECHOD_MODULES_RESP_REPLY_H

#include "resp.h"

bool reply_silent(const struct resp *r);
void reply_bytes(struct resp *r, const char *data, size_t n);
/* Ready for the wire, with its CRLF. */
void reply_raw(struct resp *r, const char *text);
void reply_status(struct resp *r, const char *text);
/* "-ERR ..."; if the text begins with "-", the code is its own.  CR and LF are
 * written as spaces, since arguments may be cited. */
void reply_error(struct resp *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void reply_integer(struct resp *r, int64_t n);
void reply_null(struct resp *r);
/* The start of a bulk string of `n` bytes, which is all but the bytes. */
void reply_bulk_length(struct resp *r, size_t n);
void reply_bulk(struct resp *r, const char *data, size_t n);
void reply_string(struct resp *r, const char *text);
void reply_text(struct resp *r, const char *text);
void reply_array(struct resp *r, size_t n);
void reply_set(struct resp *r, size_t n);
void reply_map(struct resp *r, size_t pairs);

#endif
