/* SPDX-License-Identifier: ISC */
/*
 * The status page for people: page.html is a template, which this fills in.
 *
 *   {{FORMAT KEY}}	the value of this name
 *   {{#LIST}}ROW{{/LIST}}
 *			ROW for each item of the list, and before them once in a
 *			<template>, for the script
 */
#include "admin/page.h"

#include <stdbool.h>
#include <string.h>

#include "admin/json_write.h"
#include "admin/quote.h"
#include "admin/row.h"
#include "admin/status.h"
#include "lib/clock.h"

/* Samples in the page itself, as a table; the script has all of them. */
#define PAGE_SAMPLES 12

/* make writes them from page.html, page.css and page.js. */
static const char page_html[] =
#include "admin/page.html.h"
    ;
static const char page_css[] =
#include "admin/page.css.h"
    ;
static const char page_js[] =
#include "admin/page.js.h"
    ;

struct page {
	const struct view *view;
	struct totals totals;
	struct service_list services;
	FILE *out;
};

/* Samples that the master does not write now. */
static unsigned
page_samples(const struct view *v)
{
	uint64_t n = atomic_load(&v->service->totals.samples);

	return n < ARENA_SAMPLES ? (unsigned)n : ARENA_SAMPLES - 1;
}

/* The sample with `i` newer ones. */
static const struct sample *
page_sample(const struct view *v, unsigned i)
{
	const struct service_totals *t = &v->service->totals;

	return &t->sample[(atomic_load(&t->samples) - 1 - i) % ARENA_SAMPLES];
}

/* Thousandths of a second's change. */
static uint64_t
page_rate(const struct sample *from, const struct sample *to, uint64_t before,
    uint64_t after)
{
	return to->at > from->at && after > before
	    ? (uint64_t)((double)(after - before) * 1e6 /
		  (double)(to->at - from->at))
	    : 0;
}

static void
page_add_rates(const struct view *v, unsigned i, struct row *r)
{
	static const struct sample none;
	bool known = i + 1 < page_samples(v);
	const struct sample *to = known ? page_sample(v, i) : &none;
	const struct sample *from = known ? page_sample(v, i + 1) : &none;

#define ADD(member, metric, help, worker_metric, worker_help, key, ...) \
	row_add(r, "rate." key, ROW_MILLI, 0, \
	    page_rate(from, to, from->member, to->member));
	SLOT_COUNTERS(ADD)
#undef ADD
}

/* The items of the lists.  False: item `i` is not shown. */

static bool
page_sample_row(const struct page *p, unsigned i, struct row *r)
{
	if (i + 1 >= page_samples(p->view))
		return false;
	row_number(r, "ago", 0,
	    clock_until(clock_ms(), page_sample(p->view, i)->at) / 1000);
	row_number(r, "connections", 0, page_sample(p->view, i)->connections);
	page_add_rates(p->view, i, r);
	return true;
}

static bool
page_worker_row(const struct page *p, unsigned i, struct row *r)
{
	status_worker_row(p->view, i, r);
	return true;
}

static bool
page_listener_row(const struct page *p, unsigned i, struct row *r)
{
	status_listener_row(p->view, i, r);
	return true;
}

static bool
page_service_row(const struct page *p, unsigned i, struct row *r)
{
	status_service_row(&p->services.item[i], r);
	return true;
}

static bool
page_closed_row(const struct page *p, unsigned i, struct row *r)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s", close_reason_label(i));
	for (char *c = name; (c = strchr(c, '_')) != NULL;)
		*c = ' ';
	row_text(r, "name", 0, name);
	row_number(r, "count", 0, p->totals.closed[i]);
	return true;
}

static bool
page_death_row(const struct page *p, unsigned i, struct row *r)
{
	row_text(r, "name", 0, status_death((int)i));
	row_number(r, "count", 0, p->view->service->totals.deaths[i]);
	return p->view->service->totals.deaths[i] > 0;
}

struct page_list {
	const char *name;
	unsigned items;
	bool (*row)(const struct page *p, unsigned i, struct row *r);
	const char *bar; /* the value that a <meter> shows, or NULL */
};

/* What <meter> shows at most. */
static uint64_t
page_most(const struct page *p, const struct page_list *l)
{
	uint64_t most = 1;

	for (unsigned i = 0; l->bar != NULL && i < l->items; i++) {
		const struct row_value *v;
		struct row r = { 0 };

		(void)l->row(p, i, &r);
		v = row_find(&r, l->bar, strlen(l->bar));
		if (v != NULL && v->number > most)
			most = v->number;
	}
	return most;
}

/* "12.3 kB": three digits or so, and `unit`. */
static void
page_short(FILE *out, double n, const char *unit)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
	int i = 0, digits = 0;

	while (n >= 999.5 && i < 5) {
		n /= 1000;
		i++;
	}
	if (i > 0 || n < (double)(long)n || n > (double)(long)n)
		digits = n < 9.95 ? 2 : n < 99.5 ? 1 : 0;
	fprintf(out, "%.*f%s%s%s", digits, n,
	    i > 0 || *unit != '\0' ? "\302\240" : "", prefixes[i], unit);
}

/* "12 345", with narrow blanks. */
static void
page_exact(FILE *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu",
	    (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			fputs("\342\200\257", out);
		fputc(digits[i], out);
	}
}

static void
page_value(FILE *out, const char *format, const struct row_value *v)
{
	double n = (double)v->number / (v->kind == ROW_MILLI ? 1000 : 1);

	if (v->kind == ROW_TEXT)
		quote_html(out, v->text);
	else if (v->kind == ROW_NONE)
		fputs("none", out);
	else if (strncmp(format, "short ", 6) == 0)
		page_short(out, n, "");
	else if (strncmp(format, "bytes ", 6) == 0)
		page_short(out, n, "B");
	else if (strncmp(format, "exact ", 6) == 0)
		page_exact(out, v->number);
	else if (strncmp(format, "duration ", 9) == 0)
		status_duration(out, v->number);
	else
		fprintf(out, "%llu%s", (unsigned long long)v->number,
		    strncmp(format, "ms ", 3) == 0 ? "\302\240ms" : "");
}

/* Write from `text` up to `end`, with the values of `r`; NULL: with none.  It
 * stops before a list, and returns where. */
static const char *
page_fill(FILE *out, const char *text, const char *end, const struct row *r)
{
	while (text < end) {
		const char *open = memmem(text, (size_t)(end - text), "{{", 2);
		const char *close, *key;
		const struct row_value *v = NULL;

		if (open == NULL)
			open = end;
		(void)fwrite(text, 1, (size_t)(open - text), out);
		if (open == end || open[2] == '#')
			return open;
		close = strstr(open, "}}");
		key = strchr(open, ' ') + 1;
		if (r != NULL)
			v = row_find(r, key, (size_t)(close - key));
		if (v != NULL)
			page_value(out, open + 2, v);
		text = close + 2;
	}
	return end;
}

/* Write the list that begins at `text` ("{{#workers}}").  Returns what follows
 * it. */
static const char *
page_fill_list(const struct page *p, const char *text)
{
	const struct view *v = p->view;
	const struct page_list lists[] = {
		{ "samples", PAGE_SAMPLES, page_sample_row, NULL },
		{ "workers", v->service->workers, page_worker_row,
		    "connections" },
		{ "listeners", v->service->listeners, page_listener_row, NULL },
		{ "services", p->services.count, page_service_row,
		    "connections" },
		{ "closed", CLOSE_REASONS, page_closed_row, "count" },
		{ "deaths", ARENA_SIGNALS, page_death_row, NULL },
	};
	const char *name = text + 3, *body = strstr(name, "}}") + 2;
	const char *end = strstr(body, "{{/");
	int length = (int)(body - 2 - name);

	fprintf(p->out, "<template data-rows=\"%.*s\">", length, name);
	(void)page_fill(p->out, body, end, NULL);
	fputs("</template>\n", p->out);
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		const struct page_list *l = &lists[k];
		uint64_t most;

		if (strncmp(l->name, name, (size_t)length) != 0)
			continue;
		most = page_most(p, l);
		for (unsigned i = 0; i < l->items; i++) {
			struct row r = { 0 };

			if (!l->row(p, i, &r))
				continue;
			row_number(&r, "most", 0, most);
			(void)page_fill(p->out, body, end, &r);
		}
	}
	return strstr(end, "}}") + 2;
}

void
page_write(const struct view *v, FILE *out)
{
	const char *end = page_html + sizeof(page_html) - 1;
	const struct service_totals *t = &v->service->totals;
	static struct page p;
	struct row r = { 0 };

	p.view = v;
	p.out = out;
	totals_sum(v->arena, v->service, &p.totals);
	service_list_read(v, &p.services);
	status_row(v, &p.totals, &r);
	row_number(&r, "closed.over_limit", 0, p.totals.closed[CLOSE_LIMIT]);
	row_number(&r, "last_reload.pause", 0, t->pause);
	row_add(&r, "last_reload.ago", t->reloaded == 0 ? ROW_NONE : ROW_MILLI,
	    0, clock_ms() - t->reloaded);
	page_add_rates(v, 0, &r);
	for (const char *at = page_html; at < end;) {
		at = page_fill(out, at, end, &r);
		if (at < end)
			at = page_fill_list(&p, at);
	}
}

void
page_write_style(const struct view *v, FILE *out)
{
	(void)v;
	fputs(page_css, out);
}

void
page_write_script(const struct view *v, FILE *out)
{
	(void)v;
	fputs(page_js, out);
}

static void
page_samples_json(const struct view *v, struct json_writer *j)
{
	unsigned n = page_samples(v);
	uint64_t now = clock_ms();

	json_write_object(j, "samples");
	json_write_array(j, "ago");
	for (unsigned i = n; i > 0; i--)
		json_write_milli(j, NULL,
		    clock_until(now, page_sample(v, i - 1)->at));
	json_write_close(j);
#define WRITE(member, metric, help, worker_metric, worker_help, key, ...) \
	json_write_array(j, key); \
	for (unsigned i = n; i > 0; i--) \
		json_write_number(j, NULL, page_sample(v, i - 1)->member); \
	json_write_close(j);
	WRITE(connections, , , , , "connections", )
	SLOT_COUNTERS(WRITE)
#undef WRITE
	json_write_close(j);
}

void
page_write_json(const struct view *v, FILE *out)
{
	struct json_writer j = json_write_begin(out);
	struct totals c;

	totals_sum(v->arena, v->service, &c);
	json_write_object(&j, NULL);
	status_json(v, &c, &j, "status");
	status_workers_json(v, &j, "workers");
	page_samples_json(v, &j);
	json_write_close(&j);
}
