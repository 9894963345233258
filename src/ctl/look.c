/*
 * One look at the metrics.
 */
#include "ctl/look.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "ctl/ask.h"

static const struct {
	const char *name;
	int column;
} series[] = {
	{ "connections", CONNECTIONS },
	{ "connections_accepted_total", ACCEPTED },
	{ "echoes_total", ECHOES },
	{ "received_bytes_total", RECEIVED },
	{ "sent_bytes_total", SENT },
	{ "worker_connections", CONNECTIONS },
	{ "worker_accepted_total", ACCEPTED },
	{ "worker_echoes_total", ECHOES },
	{ "worker_received_bytes_total", RECEIVED },
	{ "worker_sent_bytes_total", SENT },
	{ "worker_ready", READY },
};

static void
look_take_single(struct look *l, const char *name, double n)
{
	const struct {
		const char *name;
		double *to;
	} singles[] = {
		{ "uptime_seconds", &l->uptime },
		{ "draining", &l->draining },
		{ "stopping", &l->stopping },
		{ "max_connections", &l->most },
		{ "connections_refused_total", &l->refused },
		{ "worker_deaths_total", &l->deaths },
		{ "connections_saved_total", &l->saved },
		{ "reloads_total", &l->reloads },
		{ "last_reload_pause_seconds", &l->pause },
		{ "listener_queue", &l->waiting },
	};

	/* Of those that have labels, the sum. */
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
		if (strcmp(singles[i].name, name) == 0)
			*singles[i].to += n;
}

/* One line of the metrics: echod_NAME{worker="2"} 17 */
static void
look_take(struct look *l, char *line)
{
	char *name = line + strlen("echod_"), *end = strpbrk(name, "{ ");
	char *value = strrchr(line, ' ');
	const char *label = strstr(line, "{worker=\"");
	unsigned k = label == NULL ? 0 :
	    (unsigned)strtoul(label + 9, NULL, 10);
	double n;

	if (end == NULL || value == NULL || k >= LOOK_WORKERS)
		return;
	n = strtod(value, NULL);
	/* Who answers may not be the master; no sum of these is infinite. */
	if (!(n >= 0 && n < 1e18))
		n = 0;
	*end = '\0';
	look_take_single(l, name, n);
	for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++) {
		if (strcmp(series[i].name, name) != 0)
			continue;
		if (label == NULL)
			l->total.value[series[i].column] = n;
		else
			l->worker[k].value[series[i].column] = n;
		if (label != NULL && k >= l->workers)
			l->workers = k + 1;
	}
}

int
look_at(struct look *l, const char *path)
{
	char *answer = ask(path, "metrics"), *rest = answer, *line;

	memset(l, 0, sizeof(*l));
	if (answer == NULL)
		return -1;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strncmp(line, "echod_", 6) == 0)
			look_take(l, line);
	free(answer);
	l->at = clock_ms();
	return 0;
}
