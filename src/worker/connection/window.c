/* SPDX-License-Identifier: ISC */
/*
 * The size of windows.
 */
#include "worker/connection/window.h"

void
window_add(struct slot *s, const struct connection *c)
{
	atomic_store_explicit(&s->blocks,
	    atomic_load_explicit(&s->blocks, memory_order_relaxed) + c->blocks,
	    memory_order_relaxed);
}

void
window_remove(struct slot *s, const struct connection *c)
{
	uint32_t n = atomic_load_explicit(&s->blocks, memory_order_relaxed);

	atomic_store_explicit(&s->blocks, n > c->blocks ? n - c->blocks : 0,
	    memory_order_relaxed);
}

void
window_grow(struct slot *s, struct connection *c, size_t end)
{
	size_t blocks = (end + SPILL_BLOCK - 1) / SPILL_BLOCK;

	if (blocks <= c->blocks)
		return;
	window_remove(s, c);
	c->blocks = (uint8_t)(blocks < SPILL_BLOCKS ? blocks : SPILL_BLOCKS);
	window_add(s, c);
}

void
window_release(const struct arena *a, struct slot *s, int fd)
{
	struct connection *c = &a->connection[fd];

	c->flags &= (uint8_t)~CONN_SPILLED;
	store_barrier();
	arena_release_window(a, fd);
	store_barrier();
	window_remove(s, c);
	c->blocks = 0;
}

size_t
window_room(const struct connection *c)
{
	size_t most = (c->blocks > 0 ? c->blocks : 1) * SPILL_BLOCK;
	size_t used = (size_t)(c->rx - c->window_base);

	return most > used ? most - used : 0;
}
