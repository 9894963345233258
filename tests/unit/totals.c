/* SPDX-License-Identifier: ISC */
/*
 * What is counted of each service and of all together: the sum never falls,
 * whatever becomes of a service.
 */
#include <string.h>

#include "shared/totals.h"
#include "tap.h"

static struct arena a;
static struct service_state s;

static void
count(unsigned slot, unsigned service, unsigned n)
{
	struct slot_counters *c = &a.slot[slot].count[service];

	counter_add(&c->accepted, n);
	counter_add(&c->echoes, 10 * n);
	counter_add(&c->closed[CLOSE_EOF], 100 * n);
}

static bool
is(const struct totals *c, unsigned n)
{
	return c->accepted == n && c->echoes == 10 * n &&
	    c->closed[CLOSE_EOF] == 100 * n && c->closed[CLOSE_RESET] == 0;
}

static bool
service_is(unsigned service, unsigned n)
{
	struct totals c;

	totals_sum_service(&a, &s, service, &c);
	return is(&c, n);
}

static bool
all_are(unsigned n)
{
	struct totals c;

	totals_sum(&a, &s, &c);
	return is(&c, n) &&
	    slot_sum(&a.slot[0], accepted) + slot_sum(&a.slot[1], accepted) ==
	    n;
}

static void
test_counters(void)
{
	count(0, 0, 1);
	count(1, 0, 2);
	count(1, 5, 4);
	count(0, SERVICE_NUMBERS - 1, 8);
	ok(service_is(0, 3) && service_is(5, 4) && service_is(1, 0) &&
		service_is(SERVICE_NUMBERS - 1, 8),
	    "each service has its own");
	ok(all_are(15), "and they have a sum");
	totals_begin_service(&a, &s, 0);
	ok(service_is(0, 0) && service_is(5, 4), "a number begins at 0 again");
	ok(all_are(15), "the sum stays");
	count(0, 0, 16);
	totals_begin_service(&a, &s, 0);
	totals_begin_service(&a, &s, 1);
	ok(service_is(0, 0) && all_are(31), "as often as it is used again");
}

/* A million bytes, at most, whatever is in them. */
static void
test_connections(void)
{
	uint64_t n[SERVICE_NUMBERS];
	unsigned end = a.capacity;

	atomic_store(&a.header->descriptor_end, UINT32_MAX);
	for (unsigned fd = 0; fd < end; fd++)
		atomic_store(&a.service[fd], (uint8_t)(fd % 4));
	atomic_store(&a.service[1], UINT8_MAX);
	atomic_store(&a.service[2], SERVICE_NUMBERS + 1);
	atomic_store(&a.service[3], SERVICE_NUMBERS);
	totals_connections(&a, n);
	ok(n[0] == end / 4 - 1 && n[1] == end / 4 - 1 && n[2] == end / 4 - 1 &&
		n[3] == 0 && n[SERVICE_NUMBERS - 1] == 1,
	    "connections of each service; other marks are of none");
}

int
main(void)
{
	if (arena_create(&a, 3, 64, 64) == -1) {
		printf("Bail out! no arena\n");
		return 1;
	}
	/* The third slot has never had a worker. */
	s.slot[0].wake_fd = s.slot[1].wake_fd = 1;
	test_counters();
	test_connections();
	return tap_done();
}
