/*
 * The hot connections: the poll set and each record's place in it.
 */
#include "worker/hot.h"

#include <stdlib.h>

int
hot_init(struct worker *w)
{
	const struct arena_header *h = w->arena->header;

	w->allocated = 64;
	w->poll = calloc(w->allocated, sizeof(*w->poll));
	w->quiet = calloc(w->allocated, sizeof(*w->quiet));
	if (w->poll == NULL || w->quiet == NULL)
		return -1;
	w->first_hot = POLL_LISTENERS + h->listeners;
	w->polled = w->first_hot;
	w->poll[POLL_WAKE] = (struct pollfd){ w->slot->wake_fd, POLLIN, 0 };
	w->poll[POLL_LOT] = (struct pollfd){ w->slot->park_fd, POLLIN, 0 };
	hot_listen(w, false);
	return 0;
}

void
hot_listen(struct worker *w, bool on)
{
	const struct arena_header *h = w->arena->header;

	/* poll(2) passes over negative descriptors. */
	for (unsigned i = 0; i < h->listeners; i++)
		w->poll[POLL_LISTENERS + i] = (struct pollfd){
			on ? h->listener[i].fd : -1, POLLIN, 0 };
	w->listening = on;
}

short
hot_events(const struct connection *c)
{
	if (c->phase != PHASE_LINGERING && connection_unsent(c) > 0)
		return POLLOUT;
	return POLLIN;
}

static int
grow(struct worker *w)
{
	unsigned n = w->allocated * 2;
	struct pollfd *poll = reallocarray(w->poll, n, sizeof(*poll));
	uint8_t *quiet;

	if (poll == NULL)
		return -1;
	w->poll = poll;
	quiet = reallocarray(w->quiet, n, sizeof(*quiet));
	if (quiet == NULL)
		return -1;
	w->quiet = quiet;
	w->allocated = n;
	return 0;
}

static void
count(struct worker *w)
{
	atomic_store_explicit(&w->slot->hot, w->polled - w->first_hot,
	    memory_order_relaxed);
}

int
hot_add(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if (w->polled == w->allocated && grow(w) == -1)
		return -1;
	c->hot = w->polled;
	w->poll[w->polled] = (struct pollfd){ fd, hot_events(c), 0 };
	w->quiet[w->polled] = 0;
	w->polled++;
	count(w);
	return 0;
}

void
hot_remove(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);
	unsigned last = w->polled - 1;

	if (c->hot == CONNECTION_NOT_HOT)
		return;
	w->poll[c->hot] = w->poll[last];
	w->quiet[c->hot] = w->quiet[last];
	worker_connection(w, w->poll[last].fd)->hot = c->hot;
	c->hot = CONNECTION_NOT_HOT;
	w->polled--;
	count(w);
}

void
hot_update(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if (c->hot != CONNECTION_NOT_HOT)
		w->poll[c->hot].events = hot_events(c);
}
