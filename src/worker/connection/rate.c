/* SPDX-License-Identifier: ISC */
/*
 * How many clients are accepted in a second.
 */
#include "worker/connection/rate.h"

#include <time.h>

#include "lib/clock.h"

#define SECOND UINT64_C(1000000) /* in us */

/* An entry for an address: the upper bits of its key, and the time at which its
 * next client is due, in us of CLOCK_MONOTONIC, modulo half a year. */
#define TIME_BITS 44
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)
/* Places at which the entry of an address may be. */
#define WAYS 4

static uint64_t
rate_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec / 1000;
}

/* When the next client of the service is due. */
static _Atomic uint64_t *
rate_due(const struct worker *w, unsigned entry)
{
	return &w->arena->header
		    ->accept_due[w->handler[entry].number % SERVICE_NUMBERS];
}

/* A burst may be ahead of the rate. */
unsigned
rate_wait(const struct worker *w, unsigned entry)
{
	const struct service_config *c = w->handler[entry].service;
	uint64_t due, now, ahead;

	if (c->accept_rate == 0)
		return 0;
	due = atomic_load(rate_due(w, entry));
	now = rate_now();
	ahead = (uint64_t)(c->accept_burst - 1) * SECOND / c->accept_rate;
	if (due <= now + ahead)
		return 0;
	return (unsigned)((due - now - ahead + 999) / 1000);
}

void
rate_take(const struct worker *w, unsigned entry)
{
	_Atomic uint64_t *due = rate_due(w, entry);
	unsigned rate = w->handler[entry].service->accept_rate;
	uint64_t was = atomic_load(due), now, next;

	if (rate == 0)
		return;
	now = rate_now();
	do
		next = (was > now ? was : now) + SECOND / rate;
	while (!atomic_compare_exchange_weak(due, &was, next));
}

/* Else clients that connect and leave in a loop would use up the rate. */
void
rate_return(struct worker *w, unsigned entry)
{
	_Atomic uint64_t *due = rate_due(w, entry);
	unsigned rate = w->handler[entry].service->accept_rate;
	uint64_t was = atomic_load(due), interval;

	if (rate == 0)
		return;
	interval = SECOND / rate;
	while (was > interval &&
	    !atomic_compare_exchange_weak(due, &was, was - interval))
		;
	if (timer_is_set(&w->timers, TIMER_ACCEPT))
		timer_sooner(&w->timers, TIMER_ACCEPT, clock_ms());
}

/* How far the address of an entry is ahead of its rate, us.  At most a second's
 * worth of clients is accepted ahead: a higher value is old, or nonsense. */
static uint64_t
rate_ahead(uint64_t entry, uint64_t now)
{
	uint64_t ahead = (entry - now) & TIME_MASK;

	return ahead > SECOND ? 0 : ahead;
}

/* The entry with this tag among WAYS; else the entry to replace, which is the
 * least ahead.  The address of a replaced entry begins anew. */
static _Atomic uint64_t *
rate_place(_Atomic uint64_t *way, uint64_t tag, uint64_t now)
{
	_Atomic uint64_t *best = way;
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t entry = atomic_load(&way[i]);
		uint64_t ahead = rate_ahead(entry, now);

		if (entry >> TIME_BITS == tag)
			return &way[i];
		if (ahead < least) {
			least = ahead;
			best = &way[i];
		}
	}
	return best;
}

bool
rate_allows(const struct worker *w, unsigned entry, uint64_t key)
{
	uint64_t rate = w->handler[entry].service->accept_rate_per_ip;
	uint64_t tag, now, was, ahead;
	_Atomic uint64_t *way, *place;

	if (rate == 0)
		return true;
	/* The same address at another service is another one. */
	key += w->handler[entry].number * UINT64_C(0x9e3779b97f4a7c15);
	way = &w->arena->rate[key % (ARENA_RATES / WAYS) * WAYS];
	tag = key >> TIME_BITS;
	now = rate_now() & TIME_MASK;
	do {
		place = rate_place(way, tag, now);
		was = atomic_load(place);
		ahead = was >> TIME_BITS == tag ? rate_ahead(was, now) : 0;
		if (ahead > (rate - 1) * (SECOND / rate))
			return false;
	} while (!atomic_compare_exchange_strong(place, &was,
	    tag << TIME_BITS | ((now + ahead + SECOND / rate) & TIME_MASK)));
	return true;
}
