/* SPDX-License-Identifier: ISC */
/*
 * Charts and numbers of the status page.
 */
#include "admin/page_chart.h"

/* Of the drawing, in its own units. */
#define WIDTH 240
#define HEIGHT 50
/* Fewer samples than these do not fill it. */
#define SHORTEST 12

void
page_short(char *text, size_t size, double n, const char *unit)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
	int i = 0;

	while (n >= 999.5 && i < 5) {
		n /= 1000;
		i++;
	}
	snprintf(text, size,
	    i == 0 && n == (double)(long)n ? "%.0f%s%s%s"
		: n < 9.95		   ? "%.2f%s%s%s"
		: n < 99.5		   ? "%.1f%s%s%s"
					   : "%.0f%s%s%s",
	    n, i > 0 || *unit != '\0' ? "\302\240" : "", prefixes[i], unit);
}

void
page_exact(char *text, size_t size, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu",
	    (unsigned long long)n);
	size_t used = 0;

	for (int i = 0; i < len && used + 5 < size; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			used += (size_t)snprintf(text + used, size - used,
			    "\342\200\257");
		text[used++] = digits[i];
	}
	text[used] = '\0';
}

/* The `i`th of the samples there are, the oldest first. */
static const struct sample *
page_chart_sample(const struct service_totals *t, uint64_t i)
{
	uint64_t samples = atomic_load(&t->samples);
	uint64_t first = samples > ARENA_SAMPLES ? samples - ARENA_SAMPLES : 0;

	return &t->sample[(first + i) % ARENA_SAMPLES];
}

static double
page_chart_counter(const struct sample *s, enum series series)
{
	switch (series) {
	case SERIES_ACCEPTED:
		return (double)s->accepted;
	case SERIES_ECHOES:
		return (double)s->echoes;
	case SERIES_BYTES:
		return (double)(s->rx + s->tx);
	default:
		return (double)s->connections;
	}
}

/* A number now, or so much a second since the sample before. */
static double
page_chart_value(const struct service_totals *t, uint64_t i, enum series series)
{
	const struct sample *s = page_chart_sample(t, i),
			    *before = page_chart_sample(t, i - 1);
	double n = page_chart_counter(s, series);

	if (series == SERIES_CONNECTIONS)
		return n;
	return s->at > before->at && n > page_chart_counter(before, series)
	    ? (n - page_chart_counter(before, series)) * 1000 /
		(double)(s->at - before->at)
	    : 0;
}

/* Returns the highest value; stores the last one. */
static double
page_chart_collect(const struct service_totals *t, enum series series,
    double *values, unsigned *count)
{
	uint64_t samples = atomic_load(&t->samples);
	double most = 0;

	if (samples > ARENA_SAMPLES)
		samples = ARENA_SAMPLES;

	*count = 0;
	for (uint64_t i = 1; i < samples; i++) {
		double n = page_chart_value(t, i, series);

		values[(*count)++] = n;
		most = n > most ? n : most;
	}
	return most;
}

/* The newest value is at the right; the course grows from there. */
static void
page_chart_draw(const double *values, unsigned count, double most, FILE *out)
{
	const double step = (double)WIDTH /
	    (count > SHORTEST ? count - 1 : SHORTEST - 1);
	double x0 = WIDTH - step * (double)(count > 0 ? count - 1 : 0);

	fprintf(out,
	    "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=none "
	    "aria-hidden=true><line class=b x1=0 x2=%d y1=%d y2=%d></line>",
	    WIDTH, HEIGHT, WIDTH, HEIGHT - 1, HEIGHT - 1);
	for (int area = 1; area >= 0 && count > 1; area--) {
		fprintf(out, "<path class=%c d=\"", area ? 'f' : 'l');
		if (area)
			fprintf(out, "M%.1f %dL", x0, HEIGHT - 1);
		for (unsigned i = 0; i < count; i++)
			fprintf(out, "%c%.1f %.1f",
			    i > 0      ? ' '
				: area ? ' '
				       : 'M',
			    x0 + step * i,
			    HEIGHT - 1 -
				(most > 0 ? values[i] / most * (HEIGHT - 4)
					  : 0));
		if (area)
			fprintf(out, " %d %dZ", WIDTH, HEIGHT - 1);
		fputs("\"></path>", out);
	}
	fputs("</svg>", out);
}

static void
page_chart_write_span(FILE *out, uint64_t ms)
{
	unsigned s = (unsigned)(ms / 1000);

	fprintf(out, s < 90 ? "last %u s" : "last %u min",
	    s < 90 ? s : (s + 30) / 60);
}

void
page_chart(const struct service_totals *t, enum series s, const char *title,
    double now, const char *of, FILE *out)
{
	const char *unit = s == SERIES_BYTES ? "B" : "";
	double values[ARENA_SAMPLES], most;
	unsigned count;
	char text[32], top[32];

	most = page_chart_collect(t, s, values, &count);
	if (now < 0)
		now = count > 0 ? values[count - 1] : 0;
	page_short(text, sizeof(text), now, unit);
	page_short(top, sizeof(top), most, unit);
	fprintf(out, "<div class=card><h2>%s</h2><div class=big>%s <small>",
	    title, text);
	if (of != NULL)
		fprintf(out, "of %s", of);
	else
		fputs("/ s", out);
	fputs("</small></div>", out);
	page_chart_draw(values, count, most, out);
	fputs("<div class=ends><span>", out);
	if (count > 0)
		page_chart_write_span(out,
		    page_chart_sample(t, count)->at -
			page_chart_sample(t, 0)->at);
	fprintf(out, "</span><span>peak %s</span></div></div>\n", top);
}
