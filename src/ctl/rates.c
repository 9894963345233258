/* SPDX-License-Identifier: ISC */
/*
 * What `echoctl top` shows of the service and of each worker: one table.
 */
#include "ctl/rates.h"

#include <stdio.h>
#include <string.h>

const struct rates_column rates_columns[FIGURES] = {
	[FIGURE_connections] = { "CONNECTIONS", 11, "connections", 'c',
	    "connections", false },
#define RATE(member, metric, help, worker_metric, worker_help, key, title, \
    letter) \
	[FIGURE_##member] = { title, 9, key "_per_second", letter, key, true },
	SLOT_COUNTERS(RATE)
#undef RATE
};

double
rates_value(const struct figures *now, const struct figures *then,
    enum figure f, uint64_t ms)
{
	double change = now->value[f] - then->value[f];

	if (!rates_columns[f].per_second)
		return now->value[f];
	/* A slot that was removed and is back counts from 0. */
	return ms == 0 || change < 0 ? 0 : change * 1000 / (double)ms;
}

void
rates_text(char *text, size_t size, const struct figures *now,
    const struct figures *then, enum figure f, uint64_t ms)
{
	static const char units[] = " kMGTPE";
	double n = rates_value(now, then, f, ms);
	int i = 0, width = rates_columns[f].width;

	while (
	    rates_columns[f].per_second && n >= 999.5 && units[i + 1] != '\0') {
		n /= 1000;
		i++;
	}
	if (i == 0)
		snprintf(text, size, "%*.0f", width, n);
	else
		snprintf(text, size, "%*.*f%c", width - 1,
		    n < 9.95	   ? 2
			: n < 99.5 ? 1
				   : 0,
		    n, units[i]);
}

static void
rates_append(char *line, size_t size, const char *text)
{
	size_t n = strlen(line);

	snprintf(line + n, size - n, " %s", text);
}

void
rates_titles(char *line, size_t size)
{
	char text[32];

	line[0] = '\0';
	for (size_t f = 0; f < FIGURES; f++) {
		snprintf(text, sizeof(text), "%*s", rates_columns[f].width,
		    rates_columns[f].title);
		rates_append(line, size, text);
	}
}

void
rates_values(char *line, size_t size, const struct figures *now,
    const struct figures *then, uint64_t ms)
{
	char text[32];

	line[0] = '\0';
	for (size_t f = 0; f < FIGURES; f++) {
		rates_text(text, sizeof(text), now, then, (enum figure)f, ms);
		rates_append(line, size, text);
	}
}
