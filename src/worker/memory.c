/* SPDX-License-Identifier: ISC */
/*
 * The limit of the memory that clients' pending bytes take.
 */
#include "worker/memory.h"

#include <errno.h>

#include "lib/clock.h"
#include "worker/connection/close.h"
#include "worker/connection/socket_error.h"
#include "worker/connection/tcp_info.h"
#include "worker/connection/window.h"

/* A window that was not used for so long, and up to twice that, is released,
 * ms. */
#define TRIM_MS 500
/* How long memory may stay full before a connection is closed for it, ms: a
 * client that reads slowly, or that is in the middle of a line, may finish. */
#define PATIENCE_MS 100
/* Memory stays full until it is below maxmemory-clients by this part. */
#define MARGIN 8
#define BLOCKS_MAX (SPILL_BLOCKS + OUTPUT_BLOCKS) /* of a connection */
/* Bytes that are much. */
#define MUCH (SPILL_LINE / 2)

/* maxmemory-clients, in blocks; 0: no limit. */
static uint64_t
memory_most(const struct worker *w)
{
	return w->config->maxmemory_clients.n / SPILL_BLOCK;
}

/* At or below so many blocks, memory is not full any more. */
static uint64_t
memory_enough(const struct worker *w)
{
	return memory_most(w) - memory_most(w) / MARGIN;
}

static uint64_t
memory_total(const struct worker *w)
{
	uint64_t n = 0;

	for (unsigned k = 0; k < arena_workers(w->arena); k++) {
		/* Below 0 for a while if a death has left it too low. */
		int32_t blocks = (int32_t)
		    atomic_load_explicit(&w->arena->slot[k].blocks,
			memory_order_relaxed);

		n += blocks > 0 ? (uint32_t)blocks : 0;
	}
	return n;
}

void
memory_look(struct worker *w)
{
	unsigned missed;

	if (w->memory_full || w->draining || memory_most(w) == 0 ||
	    memory_total(w) <= memory_most(w))
		return;
	w->memory_full = true;
	timer_set(&w->timers, TIMER_MEMORY, clock_ms() + PATIENCE_MS);
	/* The largest windows may be in other slots, whose workers may be
	 * asleep. */
	for (unsigned k = 0; k < arena_workers(w->arena); k++)
		if (k != w->number)
			siblings_wake(&w->siblings, k);
	if (log_rate_limit(&w->memory_shortages, &missed))
		log_warnx(
		    "clients' unfinished lines and unread replies take "
		    "more than maxmemory-clients, %llu bytes: those that hold "
		    "most are read no further, then closed; %u times more "
		    "unlogged",
		    w->config->maxmemory_clients.n, missed);
}

void
memory_took(struct worker *w, int fd, size_t input, size_t output)
{
	struct connection *c = worker_connection(w, fd);

	window_grow(w->slot, c, input, output);
	c->used = 1;
	timer_start(&w->timers, TIMER_TRIM, TRIM_MS);
	memory_look(w);
}

/* The timer is set again only if a window was used since the last time: a quiet
 * worker is not woken. */
void
memory_trim(struct worker *w)
{
	if (active_trim(&w->active))
		timer_start(&w->timers, TIMER_TRIM, TRIM_MS);
}

/* Pause `fd` or read it again, and watch it accordingly. */
static void
memory_watch(struct worker *w, int fd, uint8_t paused)
{
	worker_connection(w, fd)->paused = paused;
	(void)close_unless_watched(w, fd);
}

void
memory_pause(struct worker *w, int fd, uint32_t events)
{
	w->moved++;
	if ((events & (EPOLLERR | EPOLLHUP)) != 0)
		socket_error_close(w, fd, ECONNRESET);
	else
		memory_watch(w, fd, 1);
}

void
memory_relieve(struct worker *w)
{
	w->memory_full = false;
	timer_clear(&w->timers, TIMER_MEMORY);
	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	     fd = arena_next(w->arena, w->number, fd + 1))
		if (worker_connection(w, fd)->paused != 0)
			memory_watch(w, fd, 0);
}

/* How many windows have how many blocks. */
struct memory_sizes {
	uint32_t all[BLOCKS_MAX + 1], own[BLOCKS_MAX + 1];
	uint64_t total;
	uint32_t mine;
};

/* Counted from the records: a death leaves them correct. */
static void
memory_measure(const struct worker *w, struct memory_sizes *m)
{
	uint32_t ours = owner_word(CONN_OPEN, w->number);
	unsigned end = arena_end(w->arena);

	*m = (struct memory_sizes){ .total = 0 };
	for (unsigned fd = 0; fd < end; fd++) {
		const struct connection *c = &w->arena->connection[fd];
		uint32_t owner = connection_owner(c);
		/* Read once: another worker may write to it. */
		unsigned n = __atomic_load_n(&c->blocks, __ATOMIC_RELAXED) +
		    __atomic_load_n(&c->output_blocks, __ATOMIC_RELAXED);

		if (n > BLOCKS_MAX)
			n = BLOCKS_MAX;
		if (n == 0 ||
		    (owner_state(owner) != CONN_OPEN &&
			owner_state(owner) != CONN_OFFERED))
			continue;
		m->all[n]++;
		m->total += n;
		if (owner == ours) {
			m->own[n]++;
			m->mine += n;
		}
	}
}

/*
 * Close this worker's part of the largest windows, so that all workers together
 * free `excess` blocks: all of them see the same sizes.
 */
static void
memory_evict(struct worker *w, const struct memory_sizes *m, uint64_t excess)
{
	unsigned n = BLOCKS_MAX;
	uint32_t some, closed = 0;

	while (n > 1 && excess >= (uint64_t)n * m->all[n]) {
		excess -= (uint64_t)n * m->all[n];
		n--;
	}
	/* Those with more than n blocks, and some of those with n. */
	some = m->all[n] == 0
	    ? 0
	    : (uint32_t)(((excess + n - 1) / n * m->own[n] + m->all[n] - 1) /
		  m->all[n]);
	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	     fd = arena_next(w->arena, w->number, fd + 1)) {
		unsigned blocks = connection_blocks(worker_connection(w, fd));

		if (blocks < n || (blocks == n && some == 0))
			continue;
		if (blocks == n)
			some--;
		close_connection(w, fd, CLOSE_MEMORY, 0);
		closed++;
	}
	if (closed > 0)
		log_verbose("%u connections closed for want of memory", closed);
}

void
memory_judge(struct worker *w)
{
	struct memory_sizes m;

	memory_measure(w, &m);
	atomic_store_explicit(&w->slot->blocks, m.mine, memory_order_relaxed);
	w->slices.blocks_exact = true;
	if (m.total > memory_enough(w))
		memory_evict(w, &m, m.total - memory_enough(w));
	if (memory_total(w) <= memory_enough(w))
		memory_relieve(w);
	else
		timer_set(&w->timers, TIMER_MEMORY, clock_ms() + PATIENCE_MS);
}

unsigned
memory_shed(struct worker *w)
{
	unsigned n = 0;

	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	     fd = arena_next(w->arena, w->number, fd + 1)) {
		size_t held = connection_blocks(worker_connection(w, fd)) *
		    SPILL_BLOCK;

		/* The kernel's queues count as our memory, too (cgroup v2). */
		if (held + tcp_info_unread(fd) + tcp_info_unacknowledged(fd) <
		    MUCH)
			continue;
		close_connection(w, fd, CLOSE_MEMORY, 0);
		n++;
	}
	return n;
}
