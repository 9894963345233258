/* SPDX-License-Identifier: ISC */
/*
 * The handlers, called by serve.c over a socket: the output does not depend on
 * how the input was split.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler/handler.h"
#include "sockets.h"
#include "tap.h"
#include "worker/connection/serve.h"

/* A connection, with its input in one piece of memory and the output that its
 * client has received. */
static struct run {
	struct worker w;
	struct connection *c;
	struct serve_view view;
	int fd, client;
	char out[4 * SPILL_LINE];
	size_t out_len;
	bool good; /* the handler kept its contract */
} run;

static struct arena arena;
static struct service_config service;

static void
begin(const struct echod_handler *handler, char *in)
{
	int pair[2];

	if (run.fd > 0) {
		close(run.fd);
		close(run.client);
	}
	memset(&run, 0, sizeof(run));
	checked(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	run.fd = pair[0];
	run.client = pair[1];
	run.w.arena = &arena;
	run.w.slot = &arena.slot[0];
	run.w.handler[0].h = handler;
	run.w.handler[0].service = &service;
	run.c = &arena.connection[run.fd];
	memset(run.c, 0, sizeof(*run.c));
	run.view.mem = in;
	run.view.out = arena_scratch_output(&arena, 0);
	run.good = true;
}

/* The client receives the output. */
static void
hear(void)
{
	ssize_t n;

	while ((n = recv(run.client, run.out + run.out_len,
		    sizeof(run.out) - run.out_len, MSG_DONTWAIT)) > 0)
		run.out_len += (size_t)n;
}

static void
settle(void)
{
	enum serve_progress p;

	while ((p = serve_settle(&run.w, run.fd, run.c, &run.view)) ==
		SERVE_BLOCKED ||
	    p == SERVE_MORE)
		hear();
	hear();
	/* A handler that holds input although there is no room for more would
	 * hold it for ever. */
	run.good = run.good && p == SERVE_SETTLED && connection_sane(run.c) &&
	    connection_pending(run.c) < SPILL_LINE;
}

/* The next `n` bytes of the input arrive. */
static void
feed(size_t n)
{
	run.c->rx += n;
	settle();
}

static void
end(void)
{
	run.c->flags |= CONN_EOF;
	settle();
}

/* The first `n` bytes of the input arrive in pieces of random size.  Returns
 * true if the output is a beginning of the input all the time. */
static bool
random_split(size_t n, unsigned seed)
{
	srand(seed);
	while (run.c->rx < n) {
		size_t room = SPILL_LINE - connection_pending(run.c);
		size_t piece = 1 + (size_t)rand() % (rand() % 2 ? 20 : 70000);

		if (piece > room)
			piece = room;
		if (piece > n - run.c->rx)
			piece = n - run.c->rx;
		feed(piece);
		if (!run.good ||
		    memcmp(run.out, run.view.mem, run.out_len) != 0)
			return false;
	}
	return true;
}

static void
test_echo(void)
{
	static char text[] = "abc\nd\n\n\0\r\nx";
	static char line[SPILL_LINE];

	begin(&handler_echo, text);
	feed(2);
	ok(run.out_len == 0, "echo holds the start of a line");
	feed(3);
	ok(run.out_len == 4 && memcmp(run.out, text, 4) == 0 &&
		connection_pending(run.c) == 1,
	    "echo releases a line with its newline, and holds the next");
	feed(6);
	ok(run.out_len == 10 && memcmp(run.out, text, 10) == 0,
	    "NUL and CR are ordinary bytes");
	end();
	ok(connection_pending(run.c) == 0 && run.out_len == 11 &&
		run.out[10] == 'x',
	    "an unterminated line is echoed at EOF");

	memset(line, 'l', sizeof(line));
	begin(&handler_echo, line);
	feed(SPILL_LINE - 1);
	ok(run.out_len == 0, "a line of 64 KiB - 1 is held");
	feed(1);
	ok(run.out_len == SPILL_LINE && connection_pending(run.c) == 0,
	    "a line that outgrows 64 KiB is passed on");
}

static void
test_others(void)
{
	static char text[] = "line\nno newline";

	begin(&handler_raw, text);
	feed(10);
	ok(run.out_len == 10, "raw echoes at once");
	begin(&handler_discard, text);
	feed(5);
	ok(run.out_len == 0 && connection_pending(run.c) == 0,
	    "discard echoes nothing");
}

static void
test_splits(void)
{
	static char in[3 * SPILL_LINE];
	bool good = true;

	for (unsigned seed = 0; seed < 200 && good; seed++) {
		srand(seed + 1000);
		for (size_t n = 0; n < sizeof(in); n++)
			in[n] = rand() % (seed % 2 ? 50 : 30000) == 0
			    ? '\n'
			    : (char)rand();
		begin(&handler_echo, in);
		good = random_split(sizeof(in), seed);
		end();
		good = good && run.out_len == sizeof(in) &&
		    memcmp(run.out, in, sizeof(in)) == 0;
		begin(&handler_raw, in);
		good = good && random_split(sizeof(in), seed) &&
		    run.out_len == sizeof(in);
		if (!good)
			printf("# seed %u\n", seed);
	}
	ok(good,
	    "200 random splits: output is input, and nothing too long "
	    "is held");
}

int
main(void)
{
	alarm(120);
	checked(arena_create(&arena, 1, 64, 64), "arena_create");
	test_echo();
	test_others();
	test_splits();
	return tap_done();
}
