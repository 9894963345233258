/* SPDX-License-Identifier: ISC */
/*
 * The size of windows.
 */
#include "worker/connection/window.h"

/* Bytes as blocks, `most` at most. */
static uint8_t
window_blocks(size_t bytes, size_t most)
{
	size_t blocks = (bytes + SPILL_BLOCK - 1) / SPILL_BLOCK;

	return (uint8_t)(blocks < most ? blocks : most);
}

void
window_add(struct slot *s, const struct connection *c)
{
	atomic_store_explicit(&s->blocks,
	    atomic_load_explicit(&s->blocks, memory_order_relaxed) +
		connection_blocks(c),
	    memory_order_relaxed);
}

void
window_remove(struct slot *s, const struct connection *c)
{
	atomic_store_explicit(&s->blocks,
	    atomic_load_explicit(&s->blocks, memory_order_relaxed) -
		connection_blocks(c),
	    memory_order_relaxed);
}

void
window_grow(struct slot *s, struct connection *c, size_t input, size_t output)
{
	uint8_t in = window_blocks(input, SPILL_BLOCKS);
	uint8_t out = window_blocks(output, OUTPUT_BLOCKS);

	if (in <= c->blocks && out <= c->output_blocks)
		return;
	window_remove(s, c);
	if (in > c->blocks)
		c->blocks = in;
	if (out > c->output_blocks)
		c->output_blocks = out;
	window_add(s, c);
}

void
window_release(const struct arena *a, struct slot *s, int fd)
{
	struct connection *c = &a->connection[fd];

	c->flags &= (uint8_t) ~(CONN_SPILLED | CONN_OUTPUT);
	store_barrier();
	window_release_pages(a, fd);
	store_barrier();
	window_remove(s, c);
	c->blocks = 0;
	c->output_blocks = 0;
}

void
window_release_pages(const struct arena *a, int fd)
{
	const struct connection *c = &a->connection[fd];

	if (c->blocks > 0)
		arena_release_window(a, fd);
	if (c->output_blocks > 0)
		arena_release_output(a, fd);
}

size_t
window_room(const struct connection *c)
{
	size_t most = (c->blocks > 0 ? c->blocks : 1) * SPILL_BLOCK;
	size_t used = (size_t)(c->rx - c->window_base);

	return most > used ? most - used : 0;
}
