/* SPDX-License-Identifier: ISC */
/*
 * Replies of each type, in the words of RESP2 and RESP3.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "resp.h"

bool
reply_silent(const struct resp *r)
{
	return r->state->silence >= RESP_SKIP;
}

void
reply_bytes(struct resp *r, const char *data, size_t n)
{
	struct echod_step *s = r->step;

	if (reply_silent(r))
		return;
	if (n > s->out_max - s->write) {
		r->full = true;
		return;
	}
	memcpy(s->out + s->write, data, n);
	s->write += n;
}

void
reply_raw(struct resp *r, const char *text)
{
	reply_bytes(r, text, strlen(text));
}

void
reply_status(struct resp *r, const char *text)
{
	reply_raw(r, "+");
	reply_raw(r, text);
	reply_raw(r, "\r\n");
}

void
reply_error(struct resp *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	if (text[0] != '-')
		reply_raw(r, "-ERR ");
	reply_raw(r, text);
	reply_raw(r, "\r\n");
}

/* A line of a type and a number. */
static void
reply_number(struct resp *r, char type, int64_t n)
{
	char line[32];
	int length = snprintf(line, sizeof(line), "%c%" PRId64 "\r\n", type, n);

	reply_bytes(r, line, (size_t)length);
}

void
reply_integer(struct resp *r, int64_t n)
{
	reply_number(r, ':', n);
}

void
reply_null(struct resp *r)
{
	reply_raw(r, r->state->protocol > 2 ? "_\r\n" : "$-1\r\n");
}

void
reply_bulk_length(struct resp *r, size_t n)
{
	reply_number(r, '$', (int64_t)n);
}

void
reply_bulk(struct resp *r, const char *data, size_t n)
{
	reply_bulk_length(r, n);
	reply_bytes(r, data, n);
	reply_raw(r, "\r\n");
}

void
reply_string(struct resp *r, const char *text)
{
	reply_bulk(r, text, strlen(text));
}

void
reply_text(struct resp *r, const char *text)
{
	if (r->state->protocol == 2) {
		reply_string(r, text);
		return;
	}
	reply_number(r, '=', (int64_t)strlen(text) + 4);
	reply_raw(r, "txt:");
	reply_raw(r, text);
	reply_raw(r, "\r\n");
}

void
reply_array(struct resp *r, size_t n)
{
	reply_number(r, '*', (int64_t)n);
}

void
reply_set(struct resp *r, size_t n)
{
	reply_number(r, r->state->protocol > 2 ? '~' : '*', (int64_t)n);
}

void
reply_map(struct resp *r, size_t pairs)
{
	if (r->state->protocol > 2)
		reply_number(r, '%', (int64_t)pairs);
	else
		reply_number(r, '*', (int64_t)pairs * 2);
}
