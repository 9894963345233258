/* SPDX-License-Identifier: ISC */
/*
 * Which records are visited: the bits and the sums.
 */
#include "worker/recovery/slices.h"

#include <stdlib.h>

int
slices_begin(struct slices *s, const struct arena *a, const struct slot *slot)
{
	*s = (struct slices){
		.end = arena_end(a),
		.held = atomic_load(&slot->held),
		.blocks = atomic_load(&slot->blocks),
	};
	/* Pages that are not used are not made. */
	s->visited = calloc((a->capacity + 63) / 64, sizeof(*s->visited));
	return s->visited == NULL ? -1 : 0;
}

void
slices_end(struct slices *s, struct slot *slot)
{
	free(s->visited);
	s->visited = NULL;
	atomic_fetch_sub(&slot->held, s->held - s->counted_held);
	if (!s->blocks_exact)
		atomic_fetch_sub(&slot->blocks, s->blocks - s->counted_blocks);
}

void
slices_search(struct slices *s)
{
	s->searching = true;
	s->next_socket = 0;
}
