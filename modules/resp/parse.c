/* SPDX-License-Identifier: ISC */
/*
 * Requests: arrays of bulk strings, and inline commands.
 *
 *   "*N"		"$N"			  the last bulk
 *	count -------> length <-----------> bulk string -----------------> count
 *	  ^ |	      (bulk -1)  others	    (bulk >= 0)
 *	  +-+ inline
 *
 * Limits and errors are those of Redis 7, and so are its liberties: two bytes
 * follow a bulk string, whatever they are, and a line with a NUL has no end.
 * An error of the protocol is a reply and the end.
 */
#include <limits.h>
#include <string.h>

#include "resp.h"

#define PARSE_BULK_MAX (INT64_C(512) * 1024 * 1024)
/* The CRLF behind a bulk string. */
#define PARSE_END 2

static size_t
parse_left(const struct resp *r)
{
	return r->step->in_len - r->step->consume;
}

static const char *
parse_at(const struct resp *r)
{
	return r->step->in + r->step->consume;
}

static int
parse_fail(struct resp *r, const char *why)
{
	reply_error(r, "Protocol error: %s", why);
	return ECHOD_FINISH;
}

/* There is no whole line.  If no more input fits, there will be none. */
static int
parse_need(struct resp *r, const char *why)
{
	if (parse_left(r) < RESP_IN_MAX)
		return ECHOD_WAIT;
	return parse_fail(r, why);
}

/* The length of the line up to CR, if the LF has arrived, too. */
static bool
parse_line(const struct resp *r, size_t *length)
{
	const char *line = parse_at(r);
	const char *cr = memchr(line, '\r', parse_left(r));

	if (cr == NULL)
		return false;
	*length = (size_t)(cr - line);
	return *length + 2 <= parse_left(r) &&
	    memchr(line, '\0', *length) == NULL;
}

static int
parse_count(struct resp *r)
{
	size_t length;
	int64_t n;

	if (!parse_line(r, &length))
		return parse_need(r, "too big mbulk count string");
	if (!number_read(parse_at(r) + 1, length - 1, &n) || n > INT_MAX)
		return parse_fail(r, "invalid multibulk length");
	r->step->consume += length + 2;
	if (n <= 0) {
		commands_end(r);
		return RESP_ON;
	}
	arguments_begin(r->state, (int32_t)n);
	return RESP_ON;
}

static int
parse_length(struct resp *r)
{
	size_t length;
	int64_t n;

	if (!parse_line(r, &length))
		return parse_need(r, "too big bulk count string");
	if (*parse_at(r) != '$') {
		reply_error(r, "Protocol error: expected '$', got '%c'",
		    *parse_at(r));
		return ECHOD_FINISH;
	}
	if (!number_read(parse_at(r) + 1, length - 1, &n) || n < 0 ||
	    n > PARSE_BULK_MAX)
		return parse_fail(r, "invalid bulk length");
	r->step->consume += length + 2;
	r->state->bulk = n + PARSE_END;
	r->state->pieces = false;
	return RESP_ON;
}

/* All of the argument was consumed. */
static int
parse_argument_end(struct resp *r, bool message)
{
	r->state->bulk = -1;
	if (--r->state->missing > 0)
		return RESP_ON;
	if (!message)
		return commands_execute(r);
	commands_end(r);
	return RESP_ON;
}

/* A message is the only thing that leaves as it comes, before its end is
 * there: it may have 512 MB. */
static int
parse_pieces(struct resp *r, bool message)
{
	struct resp_state *state = r->state;
	size_t n = parse_left(r);

	if (state->bulk > PARSE_END) {
		if ((int64_t)n > state->bulk - PARSE_END)
			n = (size_t)state->bulk - PARSE_END;
		r->step->consume += n;
		state->bulk -= (int64_t)n;
		if (!message || reply_silent(r))
			return RESP_ON;
		/* Nothing can follow it in this step. */
		r->step->pass = n;
		return ECHOD_WAIT;
	}
	if (n < PARSE_END)
		return ECHOD_WAIT;
	r->step->consume += PARSE_END;
	if (message)
		reply_raw(r, "\r\n");
	return parse_argument_end(r, message);
}

static int
parse_argument(struct resp *r)
{
	struct resp_state *state = r->state;
	size_t all = (size_t)state->bulk, need = all;
	bool message = state->missing == 1 && commands_is_message(state);

	if (state->pieces)
		return parse_pieces(r, message);
	if (all > RESP_WHOLE_MAX)
		need = RESP_KEEP_MAX + 1;
	if (parse_left(r) < need)
		return ECHOD_WAIT;
	if (need < all) {
		state->pieces = true;
		if (message)
			reply_bulk_length(r, all - PARSE_END);
		else
			arguments_keep(state, parse_at(r), need);
		return parse_pieces(r, message);
	}
	if (message)
		reply_bulk(r, parse_at(r), all - PARSE_END);
	else
		arguments_keep(state, parse_at(r), all - PARSE_END);
	r->step->consume += all;
	return parse_argument_end(r, message);
}

/* A word of an inline command without its quotes: the bytes from `skip` on, as
 * many as there is room for. */
struct parse_word {
	char *to;
	size_t skip, room;
	size_t length; /* of the word in all */
};

static bool
parse_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
parse_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
parse_word_add(struct parse_word *w, char c)
{
	if (w->length >= w->skip && w->length - w->skip < w->room)
		w->to[w->length - w->skip] = c;
	w->length++;
}

/* What follows the backslash.  Returns the place behind it. */
static const char *
parse_escape(struct parse_word *w, const char *p, const char *end)
{
	static const char names[] = "nrtba", bytes[] = "\n\r\t\b\a";
	const char *name;

	if (*p == 'x' && end - p > 2 && parse_hex(p[1]) >= 0 &&
	    parse_hex(p[2]) >= 0) {
		parse_word_add(w,
		    (char)(parse_hex(p[1]) << 4 | parse_hex(p[2])));
		return p + 3;
	}
	name = memchr(names, *p, sizeof(names) - 1);
	parse_word_add(w, name != NULL ? bytes[name - names] : *p);
	return p + 1;
}

/* Returns the place behind the word, or NULL if its quotes have no end or
 * something follows them. */
static const char *
parse_word(struct parse_word *w, const char *p, const char *end)
{
	char quote = 0;

	for (w->length = 0; p < end; p++) {
		if (quote == 0) {
			if (strchr(" \n\r\t", *p) != NULL)
				return p;
			if (*p == '"' || *p == '\'')
				quote = *p;
			else
				parse_word_add(w, *p);
		} else if (*p == quote) {
			p++;
			return p == end || parse_is_blank(*p) ? p : NULL;
		} else if (*p == '\\' && quote == '"' && p + 1 < end) {
			p = parse_escape(w, p + 1, end) - 1;
		} else if (*p == '\\' && quote == '\'' && p + 1 < end &&
		    p[1] == '\'') {
			parse_word_add(w, *++p);
		} else {
			parse_word_add(w, *p);
		}
	}
	return quote == 0 ? p : NULL;
}

/* A message that is an inline word.  Returns false if only a part of it fits
 * into the output. */
static bool
parse_inline_message(struct resp *r, const char *word, const char *end,
    size_t length)
{
	struct resp_state *state = r->state;
	struct echod_step *s = r->step;
	struct parse_word w;

	if (reply_silent(r))
		return true;
	if (state->sent == 0)
		reply_bulk_length(r, length);
	w.to = s->out + s->write;
	w.skip = state->sent;
	w.room = s->out_max - s->write - PARSE_END;
	(void)parse_word(&w, word, end);
	if (length - state->sent > w.room) {
		s->write += w.room;
		state->sent += (uint32_t)w.room;
		return false;
	}
	s->write += length - state->sent;
	state->sent = 0;
	reply_raw(r, "\r\n");
	return true;
}

static int
parse_inline(struct resp *r)
{
	char kept[RESP_KEEP_MAX + 1];
	struct parse_word w = { .to = kept, .room = sizeof(kept) };
	struct resp_state *state = r->state;
	const char *p = parse_at(r), *word = p;
	const char *newline = memchr(p, '\n', parse_left(r)), *end = newline;
	size_t line;

	if (newline == NULL || memchr(p, '\0', (size_t)(newline - p)) != NULL)
		return parse_need(r, "too big inline request");
	line = (size_t)(newline - p) + 1;
	if (end > p && end[-1] == '\r')
		end--;
	arguments_begin(state, 0);
	for (;;) {
		while (p < end && parse_is_blank(*p))
			p++;
		if (p == end)
			break;
		word = p;
		if ((p = parse_word(&w, p, end)) == NULL)
			return parse_fail(r, "unbalanced quotes in request");
		arguments_keep(state, kept,
		    w.length < sizeof(kept) ? w.length : sizeof(kept));
		state->arguments++;
	}
	if (commands_is_message(state) &&
	    !parse_inline_message(r, word, end, w.length))
		return ECHOD_AGAIN;
	r->step->consume += line;
	if (state->arguments > 0 && !commands_is_message(state))
		return commands_execute(r);
	commands_end(r);
	return RESP_ON;
}

int
parse_item(struct resp *r)
{
	if (r->state->missing > 0)
		return r->state->bulk < 0 ? parse_length(r) : parse_argument(r);
	return *parse_at(r) == '*' ? parse_count(r) : parse_inline(r);
}
