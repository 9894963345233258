/* SPDX-License-Identifier: ISC */
/*
 * Amounts of memory, as Redis writes them: 100mb, 1g, 5%.
 */
#include "config/memory_size.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bsd/string.h>

#include "lib/limits.h"

/* One client can hold this many bytes, so a lower limit makes no sense. */
#define MEMORY_LEAST 131072
/* An amount in bytes has at most 19 digits. */
#define MEMORY_MOST 9999999999999999999ULL

static const struct {
	const char *name;
	unsigned long long bytes;
} units[] = {
	/* an amount is formatted with the first that divides it */
	{ "gb", 1ULL << 30 },
	{ "mb", 1ULL << 20 },
	{ "kb", 1ULL << 10 },
	{ "g", 1000000000 },
	{ "m", 1000000 },
	{ "k", 1000 },
	{ "b", 1 },
	{ "", 1 },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static int
memory_size_parse_percent(struct memory_size *m, unsigned long long n,
    char *why, size_t size)
{
	if (n < 1 || n > 100) {
		snprintf(why, size,
		    "\"%llu%%\" is not 1%% to 100%% of the memory there is", n);
		return -1;
	}
	*m = (struct memory_size){ MEMORY_PERCENT, n };
	return 0;
}

int
memory_size_parse(struct memory_size *m, const char *text, char *why,
    size_t size)
{
	unsigned long long n = 0;
	size_t digits = strspn(text, "0123456789");

	if (strcasecmp(text, "auto") == 0) {
		*m = (struct memory_size){ MEMORY_AUTO, 0 };
		return 0;
	}
	if (digits > 0 && digits <= 19 && (text[0] != '0' || digits == 1))
		n = strtoull(text, NULL, 10);
	else
		digits = 0;
	if (digits > 0 && strcmp(text + digits, "%") == 0)
		return memory_size_parse_percent(m, n, why, size);
	for (size_t i = 0; i < UNITS && digits > 0; i++) {
		if (strcasecmp(units[i].name, text + digits) != 0)
			continue;
		if (n > MEMORY_MOST / units[i].bytes)
			break;
		n *= units[i].bytes;
		if (n != 0 && n < MEMORY_LEAST) {
			snprintf(why, size,
			    "\"%.64s\" is less than %dkb, "
			    "which one client may take (0: no limit)",
			    text, MEMORY_LEAST >> 10);
			return -1;
		}
		*m = (struct memory_size){ MEMORY_BYTES, n };
		return 0;
	}
	snprintf(why, size,
	    "\"%.64s\" is not an amount of memory (100mb, 1gb, "
	    "5%%, auto, or 0 for no limit)",
	    text);
	return -1;
}

void
memory_size_format(const struct memory_size *m, char *text, size_t size)
{
	size_t i = 0;

	if (m->kind == MEMORY_AUTO) {
		strlcpy(text, "auto", size);
		return;
	}
	if (m->kind == MEMORY_PERCENT) {
		snprintf(text, size, "%llu%%", m->n);
		return;
	}
	while (units[i].bytes > 1 && m->n % units[i].bytes != 0)
		i++;
	snprintf(text, size, "%llu%s", m->n / units[i].bytes,
	    m->n == 0 || units[i].bytes == 1 ? "" : units[i].name);
}

void
memory_size_settle(struct memory_size *m, unsigned percent, char *note,
    size_t size)
{
	char what[160], whole[32];
	struct memory_size all = { MEMORY_BYTES, 0 };

	if (m->kind == MEMORY_BYTES)
		return;
	if (m->kind == MEMORY_PERCENT)
		percent = (unsigned)m->n;
	/* Rounded down to whole megabytes, for readable numbers. */
	all.n = limits_memory(what, sizeof(what));
	m->n = all.n < UINT64_MAX / 100 ? all.n * percent / 100
					: all.n / 100 * percent;
	if (m->n >= 1 << 20)
		m->n = m->n >> 20 << 20;
	if (m->n < MEMORY_LEAST)
		m->n = MEMORY_LEAST;
	if (all.n >= 1 << 20)
		all.n = all.n >> 20 << 20;
	memory_size_format(&all, whole, sizeof(whole));
	snprintf(note, size, "%s%u%% of %s, %s",
	    m->kind == MEMORY_AUTO ? "auto: " : "", percent, whole, what);
	m->kind = MEMORY_BYTES;
}
