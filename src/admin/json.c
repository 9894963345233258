/* SPDX-License-Identifier: ISC */
/*
 * A writer of JSON: it places commas, quotes and brackets.
 */
#include "admin/json.h"

#include <stdlib.h>

#include "admin/quote.h"

struct json
json_begin(FILE *out)
{
	return (struct json){ .out = out };
}

/* What comes before a value. */
static void
json_item(struct json *j, const char *key)
{
	if (j->depth > 0) {
		bool lines = j->open[j->depth - 1].lines;

		if (j->open[j->depth - 1].items)
			fputc(',', j->out);
		if (lines)
			fputc('\n', j->out);
		j->open[j->depth - 1].items = true;
	}
	if (key != NULL) {
		quote_json(j->out, key);
		fputc(':', j->out);
	}
}

static void
json_open(struct json *j, const char *key, const char *brackets, bool lines)
{
	json_item(j, key);
	if (j->depth == JSON_DEPTH)
		abort(); /* a mistake of the caller */
	fputc(brackets[0], j->out);
	j->open[j->depth].close = brackets[1];
	j->open[j->depth].lines = lines;
	j->open[j->depth].items = false;
	j->depth++;
}

void
json_object(struct json *j, const char *key)
{
	json_open(j, key, "{}", false);
}

void
json_array(struct json *j, const char *key)
{
	json_open(j, key, "[]", false);
}

void
json_lines(struct json *j, const char *key)
{
	json_open(j, key, "[]", true);
}

void
json_close(struct json *j)
{
	if (j->depth == 0)
		abort(); /* a mistake of the caller */
	j->depth--;
	if (j->open[j->depth].lines)
		fputc('\n', j->out);
	fputc(j->open[j->depth].close, j->out);
	if (j->depth == 0)
		fputc('\n', j->out);
}

void
json_string(struct json *j, const char *key, const char *text)
{
	json_item(j, key);
	quote_json(j->out, text);
}

void
json_number(struct json *j, const char *key, uint64_t n)
{
	json_item(j, key);
	fprintf(j->out, "%llu", (unsigned long long)n);
}

void
json_bool(struct json *j, const char *key, bool b)
{
	json_item(j, key);
	fputs(b ? "true" : "false", j->out);
}

void
json_null(struct json *j, const char *key)
{
	json_item(j, key);
	fputs("null", j->out);
}

void
json_milli(struct json *j, const char *key, uint64_t n)
{
	json_item(j, key);
	fprintf(j->out, "%llu.%03llu", (unsigned long long)n / 1000,
	    (unsigned long long)n % 1000);
}
