/* SPDX-License-Identifier: ISC */
/*
 * The memory that clients' pending bytes take.
 */
#include "worker/memory.h"

#include <errno.h>

#include "lib/clock.h"
#include "worker/balance/handoff.h"
#include "worker/connection/close.h"
#include "worker/connection/socket_error.h"
#include "worker/connection/tcp_info.h"
#include "worker/events.h"

/* A window that was not used for so long, and up to twice that, is given back,
 * ms. */
#define TRIM_MS 500
/* How long memory may stay full before somebody is closed for it: who is slow
 * to read, or in the middle of a line, may yet be done, ms. */
#define PATIENCE_MS 100
/* It is full until it is below maxmemory-clients by this part. */
#define MARGIN 8
/* Bytes that are much. */
#define MUCH (SPILL_LINE / 2)

void
memory_add(struct slot *s, const struct connection *c)
{
	atomic_store_explicit(&s->blocks,
	    atomic_load_explicit(&s->blocks, memory_order_relaxed) + c->blocks,
	    memory_order_relaxed);
}

void
memory_remove(struct slot *s, const struct connection *c)
{
	uint32_t n = atomic_load_explicit(&s->blocks, memory_order_relaxed);

	atomic_store_explicit(&s->blocks, n > c->blocks ? n - c->blocks : 0,
	    memory_order_relaxed);
}

void
memory_count(struct slot *s, struct connection *c, size_t end)
{
	size_t blocks = (end + SPILL_BLOCK - 1) / SPILL_BLOCK;

	if (blocks <= c->blocks)
		return;
	memory_remove(s, c);
	c->blocks = (uint8_t)(blocks < SPILL_BLOCKS ? blocks : SPILL_BLOCKS);
	memory_add(s, c);
}

/* maxmemory-clients, in blocks; 0: no limit. */
static uint64_t
memory_most(const struct worker *w)
{
	return w->config->maxmemory_clients.n / SPILL_BLOCK;
}

/* Below that, memory is full no more. */
static uint64_t
memory_enough(const struct worker *w)
{
	return memory_most(w) - memory_most(w) / MARGIN;
}

static uint64_t
memory_total(const struct worker *w)
{
	uint64_t n = 0;

	for (unsigned k = 0; k < arena_workers(w->arena); k++)
		n += atomic_load_explicit(&w->arena->slot[k].blocks,
		    memory_order_relaxed);
	return n;
}

void
memory_look(struct worker *w)
{
	unsigned missed;

	if (w->full || w->draining || memory_most(w) == 0 ||
	    memory_total(w) <= memory_most(w))
		return;
	w->full = true;
	w->memory_at = clock_ms() + PATIENCE_MS;
	/* The largest may be theirs, and they may be asleep. */
	for (unsigned k = 0; k < arena_workers(w->arena); k++)
		if (k != w->number)
			handoff_wake(w, k);
	if (log_rate_limit(&w->memory, &missed))
		log_warnx(
		    "clients' unfinished lines and unread replies take "
		    "more than maxmemory-clients, %llu bytes: those that hold "
		    "most are read no further, then closed; %u times more "
		    "unlogged",
		    w->config->maxmemory_clients.n, missed);
}

void
memory_took(struct worker *w, int fd, size_t end)
{
	struct connection *c = worker_connection(w, fd);

	memory_count(w->slot, c, end);
	c->used = 1;
	if (w->trim_at == CLOCK_NEVER)
		w->trim_at = clock_ms() + TRIM_MS;
	memory_look(w);
}

void
memory_release(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	c->flags &= (uint8_t)~CONN_SPILLED;
	store_barrier();
	arena_release_window(w->arena, fd);
	store_barrier();
	memory_remove(w->slot, c);
	c->blocks = 0;
}

/*
 * Those that are not hot have nothing to be given back: it was when they
 * cooled.  There is no next time unless somebody has used a window since the
 * last, so a quiet worker is not woken.
 */
static void
memory_trim(struct worker *w)
{
	bool again = false;

	w->trim_at = CLOCK_NEVER;
	for (unsigned i = 0; i < w->active_count; i++) {
		int fd = w->active[i].fd;
		struct connection *c = worker_connection(w, fd);

		if (c->used != 0) {
			c->used = 0;
			again = true;
		} else if (c->blocks > 0 && connection_pending(c) == 0)
			memory_release(w, fd);
	}
	if (again)
		w->trim_at = clock_ms() + TRIM_MS;
}

size_t
memory_room(const struct connection *c)
{
	size_t most = (c->blocks > 0 ? c->blocks : 1) * SPILL_BLOCK;
	size_t used = (size_t)(c->rx - c->window_base);

	return most > used ? most - used : 0;
}

/* Watch `fd` for what its record says. */
static void
memory_watch(struct worker *w, int fd, uint8_t paused)
{
	worker_connection(w, fd)->paused = paused;
	if (events_add(w, fd) == -1)
		close_connection(w, fd, CLOSE_ERROR, errno);
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
	w->full = false;
	w->memory_at = CLOCK_NEVER;
	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	     fd = arena_next(w->arena, w->number, fd + 1))
		if (worker_connection(w, fd)->paused != 0)
			memory_watch(w, fd, 0);
}

/* How many windows have how many blocks. */
struct memory_sizes {
	uint32_t all[SPILL_BLOCKS + 1], own[SPILL_BLOCKS + 1];
	uint64_t total;
	uint32_t mine;
};

/* Counted from the records, which a death leaves right. */
static void
memory_measure(const struct worker *w, struct memory_sizes *m)
{
	uint32_t ours = owner_word(CONN_OPEN, w->number);
	unsigned end = arena_end(w->arena);

	*m = (struct memory_sizes){ .total = 0 };
	for (unsigned fd = 0; fd < end; fd++) {
		const struct connection *c = &w->arena->connection[fd];
		uint32_t held = connection_owner(c);
		/* Read once: another worker may be writing anything. */
		unsigned n = __atomic_load_n(&c->blocks, __ATOMIC_RELAXED);

		if (n > SPILL_BLOCKS)
			n = SPILL_BLOCKS;
		if (n == 0 ||
		    (owner_state(held) != CONN_OPEN &&
			owner_state(held) != CONN_OFFERED))
			continue;
		m->all[n]++;
		m->total += n;
		if (held == ours) {
			m->own[n]++;
			m->mine += n;
		}
	}
}

/*
 * Close the largest until `excess` blocks are free, or rather our part of them:
 * all workers see the same sizes.
 */
static void
memory_evict(struct worker *w, const struct memory_sizes *m, uint64_t excess)
{
	unsigned n = SPILL_BLOCKS;
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
		unsigned blocks = worker_connection(w, fd)->blocks;

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

static void
memory_judge(struct worker *w)
{
	struct memory_sizes m;

	memory_measure(w, &m);
	atomic_store_explicit(&w->slot->blocks, m.mine, memory_order_relaxed);
	if (m.total > memory_enough(w))
		memory_evict(w, &m, m.total - memory_enough(w));
	if (memory_total(w) <= memory_enough(w))
		memory_relieve(w);
	else
		w->memory_at = clock_ms() + PATIENCE_MS;
}

void
memory_step(struct worker *w)
{
	uint64_t now = clock_ms();

	if (now >= w->trim_at)
		memory_trim(w);
	if (now >= w->memory_at)
		memory_judge(w);
}

unsigned
memory_shed(struct worker *w)
{
	unsigned n = 0;

	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	     fd = arena_next(w->arena, w->number, fd + 1)) {
		size_t held = worker_connection(w, fd)->blocks * SPILL_BLOCK;

		/* The kernel's queues are paid for by us, too (cgroup v2). */
		if (held + tcp_info_unread(fd) + tcp_info_unacknowledged(fd) <
		    MUCH)
			continue;
		close_connection(w, fd, CLOSE_MEMORY, 0);
		n++;
	}
	return n;
}
