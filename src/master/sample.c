/* SPDX-License-Identifier: ISC */
/*
 * Samples of the counters, taken now and then for charts.
 */
#include "master/sample.h"

#include "lib/clock.h"
#include "shared/totals.h"

/* Between samples, ms. */
#define SAMPLE_MS 5000

void
sample_step(const struct master *m)
{
	struct service_totals *t = &m->service->totals;
	struct totals c;
	uint64_t samples;

	if (clock_ms() < sample_next(m))
		return;
	totals_sum(&m->arena, m->service, &c);
	samples = atomic_load(&t->samples);
	t->sample[samples % ARENA_SAMPLES] = (struct sample){ clock_ms(),
		c.connections, c.accepted, c.echoes, c.rx, c.tx };
	atomic_store(&t->samples, samples + 1);
}

uint64_t
sample_next(const struct master *m)
{
	const struct service_totals *t = &m->service->totals;
	uint64_t samples = atomic_load(&t->samples);

	if (m->config->metrics_port == 0)
		return CLOCK_NEVER;
	if (samples == 0)
		return 0;
	return t->sample[(samples - 1) % ARENA_SAMPLES].at + SAMPLE_MS;
}
