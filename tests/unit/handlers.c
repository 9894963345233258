/* SPDX-License-Identifier: ISC */
/*
 * The handlers: what goes back does not depend on how the input was split.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "handler/handler.h"
#include "shared/connection.h"
#include "tap.h"

/* A connection as serve.c drives it, with memory for a socket. */
struct run {
	char pending[SPILL_LINE];
	size_t len;
	char out[4 * SPILL_LINE];
	size_t out_len;
	bool fault; /* the handler broke its contract */
};

static void
settle(const struct handler *h, struct run *r, size_t fresh, bool eof)
{
	while (r->len > 0) {
		size_t room = SPILL_LINE - r->len;
		struct result ru = eof
		    ? h->eof(r->pending, r->len)
		    : h->data(r->pending, r->len, fresh, room);

		if (ru.action == HOLD) {
			r->fault = r->fault || (room == 0 && !eof);
			return;
		}
		if (ru.bytes == 0 || ru.bytes > r->len) {
			r->fault = true;
			return;
		}
		if (ru.action == REPLY) {
			memcpy(r->out + r->out_len, r->pending, ru.bytes);
			r->out_len += ru.bytes;
		}
		r->len -= ru.bytes;
		memmove(r->pending, r->pending + ru.bytes, r->len);
		fresh = 0;
	}
}

static void
feed(const struct handler *h, struct run *r, const char *in, size_t n)
{
	memcpy(r->pending + r->len, in, n);
	r->len += n;
	settle(h, r, n, false);
}

/* Feed `n` bytes in pieces of random size; returns true if contract and
 * property held: what is out is in, up to the last whole line. */
static bool
random_split(const struct handler *h, const char *in, size_t n, unsigned seed,
    struct run *r)
{
	size_t done = 0;

	memset(r, 0, sizeof(*r));
	srand(seed);
	while (done < n) {
		size_t room = SPILL_LINE - r->len;
		size_t piece = 1 + (size_t)rand() % (rand() % 2 ? 20 : 70000);

		if (piece > room)
			piece = room;
		if (piece > n - done)
			piece = n - done;
		feed(h, r, in + done, piece);
		done += piece;
		if (memcmp(r->out, in, r->out_len) != 0)
			return false;
	}
	return !r->fault;
}

int
main(void)
{
	static struct run r;
	static char in[3 * SPILL_LINE];
	bool good = true;
	size_t n;

	memset(&r, 0, sizeof(r));
	feed(&handler_echo, &r, "ab", 2);
	ok(r.out_len == 0, "echo holds the start of a line");
	feed(&handler_echo, &r, "c\nd", 3);
	ok(r.out_len == 4 && memcmp(r.out, "abc\n", 4) == 0 && r.len == 1,
	    "echo releases a line with its newline, and holds the next");
	feed(&handler_echo, &r, "\n\n\0\r\nx", 6);
	ok(r.out_len == 10 && memcmp(r.out + 4, "d\n\n\0\r\n", 6) == 0,
	    "NUL and CR are ordinary bytes");
	settle(&handler_echo, &r, 0, true);
	ok(r.len == 0 && r.out_len == 11 && r.out[10] == 'x',
	    "what is unterminated at EOF goes back");

	memset(&r, 0, sizeof(r));
	memset(in, 'l', sizeof(in));
	feed(&handler_echo, &r, in, SPILL_LINE - 1);
	ok(r.out_len == 0, "a line of 64 KiB - 1 is held");
	feed(&handler_echo, &r, in, 1);
	ok(r.out_len == SPILL_LINE && r.len == 0,
	    "a line that outgrows 64 KiB is passed on");

	memset(&r, 0, sizeof(r));
	feed(&handler_raw, &r, "no newline", 10);
	ok(r.out_len == 10, "raw gives back at once");
	memset(&r, 0, sizeof(r));
	feed(&handler_discard, &r, "line\n", 5);
	ok(r.out_len == 0 && r.len == 0, "discard gives nothing back");

	for (unsigned seed = 0; seed < 200 && good; seed++) {
		srand(seed + 1000);
		for (n = 0; n < sizeof(in); n++)
			in[n] = rand() % (seed % 2 ? 50 : 30000) == 0
			    ? '\n'
			    : (char)rand();
		good = random_split(&handler_echo, in, sizeof(in), seed, &r);
		if (!good)
			printf("# echo, seed %u\n", seed);
		settle(&handler_echo, &r, 0, true);
		good = good && r.out_len == sizeof(in) &&
		    memcmp(r.out, in, sizeof(in)) == 0;
		good = good &&
		    random_split(&handler_raw, in, sizeof(in), seed, &r) &&
		    r.out_len == sizeof(in);
	}
	ok(good,
	    "200 random splits: output is input, nothing too long is held");
	return tap_done();
}
