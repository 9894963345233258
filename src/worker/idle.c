/*
 * Clients that have been silent for `timeout` are closed.
 *
 * Nothing is recorded when a connection is active: the stream positions tell.
 * A sweep notes them, and one that finds them unchanged for long enough has
 * found an idle client.  The hot path pays nothing, a server without
 * connections is not woken, and a client is closed up to two sweeps late: a
 * quarter of the timeout, two minutes at most.
 */
#include "worker/idle.h"

#include "base/clock.h"
#include "worker/close.h"
#include "worker/kernel.h"

/* ms between sweeps */
static uint64_t
interval(const struct worker *w)
{
	uint64_t ms = (uint64_t)w->config->timeout * 1000 / 8;

	return ms > 60000 ? 60000 : ms;
}

void
idle_init(struct worker *w)
{
	/* At once: the worker before may have been about to. */
	w->sweep_at = w->config->timeout == 0 ? CLOCK_NEVER : clock_ms();
}

void
idle_sweep(struct worker *w)
{
	uint32_t now = (uint32_t)(clock_ms() / 100);
	uint32_t limit = w->config->timeout * 10;

	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	    fd = arena_next(w->arena, w->number, fd + 1)) {
		struct connection *c = worker_connection(w, fd);

		if (c->rx + c->tx != c->idle_mark) {
			c->idle_mark = c->rx + c->tx;
			c->idle_since = now;
		} else if (now - c->idle_since >= limit &&
		    kernel_unread(fd) == 0)	/* it has spoken: we are late */
			close_connection(w, fd, CLOSE_IDLE, 0);
	}
	w->sweep_at = clock_ms() + interval(w);
}
