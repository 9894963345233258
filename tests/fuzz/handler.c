/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing the handlers: whatever the splits, what goes back is what came; what
 * is held is bounded; discard gives nothing.
 *
 * Input: the handler, how many bytes the server can hold, then segments, each
 * a length and so many bytes.
 */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "handler/handler.h"

#define MOST 4096

/* A connection as serve.c drives it. */
static struct {
	const struct handler *handler;
	size_t window; /* bytes it can hold */
	char pending[MOST], in[MOST], out[MOST];
	size_t held, got, given;
} run;

static struct result
rule(size_t fresh, bool end)
{
	const struct handler *h = run.handler;
	/* With bounds of its own. */
	char *copy = malloc(run.held);
	struct result r, again;

	must(copy != NULL);
	memcpy(copy, run.pending, run.held);
	if (end) {
		r = h->eof(copy, run.held);
		again = h->eof(copy, run.held);
	} else {
		r = h->data(copy, run.held, fresh, run.window - run.held);
		/* After a recovery all are fresh. */
		again = h->data(copy, run.held, run.held,
		    run.window - run.held);
	}
	must(r.action == again.action && r.bytes == again.bytes);
	free(copy);
	return r;
}

static void
settle(size_t fresh, bool end)
{
	while (run.held > 0) {
		struct result r = rule(fresh, end);

		if (r.action == HOLD) {
			must(end || run.held < run.window);
			return;
		}
		must(r.bytes > 0 && r.bytes <= run.held);
		if (r.action == REPLY) {
			memcpy(run.out + run.given, run.pending, r.bytes);
			run.given += r.bytes;
		}
		run.held -= r.bytes;
		memmove(run.pending, run.pending + r.bytes, run.held);
		fresh = 0;
	}
}

/* As much as there is room for at a time. */
static void
feed(const uint8_t *data, size_t n)
{
	while (n > 0) {
		size_t room = run.window - run.held;
		size_t part = n < room ? n : room;

		must(room > 0);
		memcpy(run.pending + run.held, data, part);
		memcpy(run.in + run.got, data, part);
		run.held += part;
		run.got += part;
		settle(part, false);
		data += part;
		n -= part;
	}
}

static void
check(enum handler_kind kind, bool end)
{
	const char *last;

	if (kind == HANDLER_DISCARD) {
		must(run.given == 0 && run.held == 0);
		return;
	}
	must(memcmp(run.out, run.in, run.given) == 0);
	must(run.given + run.held == run.got);
	must((!end && kind != HANDLER_RAW) || run.held == 0);
	last = memrchr(run.in, '\n', run.got);
	must(last == NULL || run.given > (size_t)(last - run.in));
}

int
fuzz_handler(const uint8_t *data, size_t size)
{
	enum handler_kind kind;

	if (size < 2)
		return 0;
	memset(&run, 0, sizeof(run));
	kind = data[0] % HANDLER_KINDS;
	run.handler = handler_of(kind);
	run.window = 1 + data[1];
	data += 2;
	size -= 2;
	while (size > 0) {
		size_t n = *data++;

		size--;
		if (n > size)
			n = size;
		if (run.got + n > MOST)
			break;
		feed(data, n);
		check(kind, false);
		data += n;
		size -= n;
	}
	settle(0, true);
	check(kind, true);
	return 0;
}
