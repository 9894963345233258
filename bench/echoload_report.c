/* SPDX-License-Identifier: ISC */
/*
 * The report: as text for people, as JSON for programs.
 */
#include <math.h>
#include <string.h>

#include "echoload.h"

/* With more of the CPUs' time stolen, latencies are the hypervisor's. */
#define STEAL_LIMIT 0.01

/* A client busier than this may be what limits the rate. */
#define BUSY_LIMIT 0.9

/* An open loop has kept up if it has echoed this share of what was due. */
#define KEPT_UP 0.99

const char *const failure_names[FAILURES] = {
	[FAIL_REFUSED] = "refused",
	[FAIL_RESET] = "reset",
	[FAIL_EOF] = "eof",
	[FAIL_WRONG] = "wrong",
	[FAIL_TIMEOUT] = "timeout",
	[FAIL_OTHER] = "other",
};

static const struct {
	const char *text, *json;
	double part;
} quantiles[] = {
	{ "p50", "p50", 0.5 },
	{ "p90", "p90", 0.9 },
	{ "p99", "p99", 0.99 },
	{ "p99.9", "p999", 0.999 },
	{ "p99.99", "p9999", 0.9999 },
};
#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static const char *
mode_of(const struct options *o)
{
	if (o->churn)
		return "churn";
	return o->rate > 0 ? "open" : "closed";
}

static double
rate_of(const struct result *r, const struct measures *m)
{
	return m->seconds > 0 ? (double)r->messages / m->seconds : 0;
}

/* One message of grace: those in flight at the two ends need not match. */
static bool
kept_up(const struct result *r)
{
	return (double)r->messages + 1 >= KEPT_UP * (double)r->due;
}

/* The slowest connection's messages as a share of the fastest one's. */
static double
fairness_of(const struct result *r)
{
	return r->most > 0 ? (double)r->least / (double)r->most : 0;
}

/* Standard deviation by mean. */
static double
variation_of(const struct options *o, const struct result *r)
{
	double mean = r->sum / o->connections;
	double variance = r->squares / o->connections - mean * mean;

	return mean > 0 && variance > 0 ? sqrt(variance) / mean : 0;
}

static double
cpu_per_message(const struct result *r, const struct measures *m)
{
	if (m->server_cpu < 0 || r->messages == 0)
		return -1;
	return m->server_cpu * 1e6 / (double)r->messages;
}

/* --- Text --- */

static void
text_head(const struct options *o, const struct measures *m)
{
	if (o->label[0] != '\0')
		printf("%s: ", o->label);
	if (o->churn)
		printf("churn, %u at a time", o->connections);
	else if (o->rate > 0)
		printf("open loop at %llu/s, %u connections",
		    (unsigned long long)o->rate, o->connections);
	else
		printf("closed loop, %u connections", o->connections);
	if (o->idle > 0)
		printf(" and %u idle", o->idle);
	printf(", %zu B", o->size);
	if (o->pipeline > 1)
		printf(", pipeline %u", o->pipeline);
	printf(", %u thread%s, %.2f s%s\n", o->threads,
	    o->threads == 1 ? "" : "s", m->seconds,
	    o->check ? "" : ", not checked");
}

static void
text_messages(const struct options *o, const struct result *r,
    const struct measures *m)
{
	printf("%s %llu, %.0f/s", o->churn ? "connections " : "messages    ",
	    (unsigned long long)r->messages, rate_of(r, m));
	if (m->seconds > 0)
		printf(", %.2f MB/s each way",
		    (double)r->bytes / 1e6 / m->seconds);
	if (o->rate > 0)
		printf(", %s (%llu due)",
		    kept_up(r) ? "kept up" : "DID NOT KEEP UP",
		    (unsigned long long)r->due);
	if (r->unanswered > 0)
		printf(", %llu unanswered at the end",
		    (unsigned long long)r->unanswered);
	putchar('\n');
}

static void
text_latency(const struct options *o, const struct result *r)
{
	const struct hist *h = &r->latency;

	if (h->count == 0)
		return;
	fputs("latency (us)", stdout);
	for (size_t i = 0; i < QUANTILES; i++)
		printf(" %s %.0f ", quantiles[i].text,
		    hist_quantile(h, quantiles[i].part) / 1e3);
	printf(" max %.0f  mean %.0f", (double)h->max / 1e3,
	    hist_mean(h) / 1e3);
	if (o->pipeline > 1)
		printf("  of a burst");
	else if (o->rate > 0)
		printf("  since due");
	printf("\nfairness     %.3f slowest/fastest connection, deviation "
	       "%.1f %%\n",
	    fairness_of(r), 100 * variation_of(o, r));
}

static void
text_server(const struct options *o, const struct result *r,
    const struct measures *m)
{
	if (m->server_cpu < 0 && m->server_pss < 0)
		return;
	fputs("server      ", stdout);
	if (m->server_cpu >= 0)
		printf(" CPU %.3f s%s", m->server_cpu,
		    o->cgroup != NULL ? "" : " (coarse)");
	if (cpu_per_message(r, m) >= 0)
		printf(", %.2f us a %s", cpu_per_message(r, m),
		    o->churn ? "connection" : "message");
	if (m->server_pss >= 0)
		printf(", memory %.0f KiB (Pss)", m->server_pss);
	putchar('\n');
}

static void
text_failures(const struct options *o, const struct result *r)
{
	bool any = false;

	fputs("errors      ", stdout);
	for (int i = 0; i < FAILURES; i++)
		if (r->failures[i] > 0) {
			printf(" %s %llu", failure_names[i],
			    (unsigned long long)r->failures[i]);
			any = true;
		}
	if (r->failures[FAIL_OTHER] > 0)
		printf(" (%s)", strerror(r->other));
	puts(any ? "" : " none");
	if (r->strange[0] != '\0')
		printf("wrong bytes  begin with \"%s\"\n", r->strange);
	if (!o->churn && r->held < o->connections)
		printf("held         %u of %u connections at the end\n",
		    r->held, o->connections);
	if (r->idle_held < o->idle)
		printf("held         %u of %u idle connections at the end\n",
		    r->idle_held, o->idle);
}

static void
text(const struct options *o, const struct result *r, const struct measures *m)
{
	text_head(o, m);
	text_messages(o, r, m);
	text_latency(o, r);
	text_server(o, r, m);
	printf("client       CPU %.3f s, busy %.0f %%\n", m->client_cpu,
	    100 * r->busy);
	if (m->steal > STEAL_LIMIT)
		printf("machine      %.0f %% of the CPU time was stolen by the "
		       "hypervisor\n",
		    100 * m->steal);
	text_failures(o, r);
}

/* --- JSON --- */

static void
json_string(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", (unsigned)*s);
		else
			putchar(*s);
	putchar('"');
}

/* `key` with a value that is null if it is negative. */
static void
json_or_null(const char *key, double value, int digits)
{
	if (value < 0)
		printf(",\"%s\":null", key);
	else
		printf(",\"%s\":%.*f", key, digits, value);
}

static void
json_latency(const struct hist *h)
{
	printf(",\"latency_us\":{\"mean\":%.1f", hist_mean(h) / 1e3);
	for (size_t i = 0; i < QUANTILES; i++)
		printf(",\"%s\":%.1f", quantiles[i].json,
		    hist_quantile(h, quantiles[i].part) / 1e3);
	printf(",\"max\":%.1f}", (double)h->max / 1e3);
}

static void
json(const struct options *o, const struct result *r, const struct measures *m)
{
	fputs("{\"label\":", stdout);
	json_string(o->label);
	printf(",\"mode\":\"%s\",\"connections\":%u,\"idle\":%u,\"size\":%zu,"
	       "\"pipeline\":%u,\"threads\":%u,\"seconds\":%.3f,"
	       "\"messages\":%llu,\"rate\":%.1f,\"bytes\":%llu,\"errors\":{",
	    mode_of(o), o->connections, o->idle, o->size, o->pipeline,
	    o->threads, m->seconds, (unsigned long long)r->messages,
	    rate_of(r, m), (unsigned long long)r->bytes);
	for (int i = 0; i < FAILURES; i++)
		printf("%s\"%s\":%llu", i > 0 ? "," : "", failure_names[i],
		    (unsigned long long)r->failures[i]);
	putchar('}');
	json_latency(&r->latency);
	printf(",\"fairness\":%.4f,\"variation\":%.4f", fairness_of(r),
	    variation_of(o, r));
	json_or_null("server_cpu_s", m->server_cpu, 6);
	json_or_null("cpu_us_per_message", cpu_per_message(r, m), 4);
	json_or_null("server_pss_kib", m->server_pss, 0);
	printf(",\"client_cpu_s\":%.6f,\"client_busy\":%.4f", m->client_cpu,
	    r->busy);
	json_or_null("target_rate", o->rate > 0 ? (double)o->rate : -1, 0);
	printf(",\"kept_up\":%s",
	    o->rate == 0     ? "null"
		: kept_up(r) ? "true"
			     : "false");
	json_or_null("steal", m->steal, 4);
	printf(",\"unanswered\":%llu,\"held\":%u,\"idle_held\":%u}\n",
	    (unsigned long long)r->unanswered, r->held, r->idle_held);
}

void
report(const struct options *o, const struct result *r,
    const struct measures *m)
{
	if (o->json)
		json(o, r, m);
	else
		text(o, r, m);
	fflush(stdout);
	if (!o->quiet && r->busy > BUSY_LIMIT)
		fprintf(stderr,
		    "echoload: the client was busy %.0f %% of the "
		    "time: this may be its rate rather than the server's\n",
		    100 * r->busy);
}
