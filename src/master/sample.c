/* SPDX-License-Identifier: ISC */
/*
 * Samples of the counters at regular times, for charts.
 */
#include "master/sample.h"

#include "lib/clock.h"
#include "shared/service.h"
#include "shared/totals.h"

/* The time between two samples, ms. */
#define SAMPLE_MS 5000

void
sample_step(const struct config *config, const struct arena *a,
    struct service_state *s)
{
	struct service_totals *t = &s->totals;
	struct totals c;
	uint64_t samples;

	if (clock_ms() < sample_next(config, s))
		return;
	totals_sum(a, s, &c);
	samples = atomic_load(&t->samples);
#define COPY(member, ...) .member = c.member,
	t->sample[samples % ARENA_SAMPLES] = (struct sample){ .at = clock_ms(),
		.connections = c.connections,
		SLOT_COUNTERS(COPY) };
#undef COPY
	atomic_store(&t->samples, samples + 1);
}

uint64_t
sample_next(const struct config *config, const struct service_state *s)
{
	const struct service_totals *t = &s->totals;
	uint64_t samples = atomic_load(&t->samples);

	if (config->metrics_port == 0)
		return CLOCK_NEVER;
	if (samples == 0)
		return 0;
	return t->sample[(samples - 1) % ARENA_SAMPLES].at + SAMPLE_MS;
}
