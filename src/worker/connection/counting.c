/* SPDX-License-Identifier: ISC */
/*
 * Counters after a death.
 */
#include "worker/connection/counting.h"

void
counting_undo(const struct worker *w, unsigned k)
{
	struct slot *s = &w->arena->slot[k];
	/* Read once, and checked: another process can write to it. */
	const struct counting was = s->counting;
	struct slot_counters *count = &s->count[was.service % SERVICE_NUMBERS];
	uint32_t fd = was.fd - 1;

	if (was.fd != 0 && fd < w->arena->capacity &&
	    was.reason < CLOSE_REASONS &&
	    connection_owner(worker_connection(w, (int)fd)) ==
		owner_word((enum connection_state)was.state, k)) {
		atomic_store(&count->accepted, was.accepted);
		atomic_store(&count->closed[was.reason], was.closed);
		atomic_store(&count->rx_closed, was.rx_closed);
		atomic_store(&count->tx_closed, was.tx_closed);
	}
	store_barrier();
	atomic_store(&s->counting.fd, 0);
}
