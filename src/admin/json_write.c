/* SPDX-License-Identifier: ISC */
/*
 * A writer of JSON: it places commas, quotes and brackets.
 */
#include "admin/json_write.h"

#include <stdlib.h>

#include "admin/quote.h"

struct json_writer
json_write_begin(FILE *out)
{
	return (struct json_writer){ .out = out };
}

/* What comes before a value. */
static void
json_write_item(struct json_writer *j, const char *key)
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
json_write_open(struct json_writer *j, const char *key, const char *brackets,
    bool lines)
{
	json_write_item(j, key);
	if (j->depth == JSON_DEPTH)
		abort(); /* a mistake of the caller */
	fputc(brackets[0], j->out);
	j->open[j->depth].close = brackets[1];
	j->open[j->depth].lines = lines;
	j->open[j->depth].items = false;
	j->depth++;
}

void
json_write_object(struct json_writer *j, const char *key)
{
	json_write_open(j, key, "{}", false);
}

void
json_write_array(struct json_writer *j, const char *key)
{
	json_write_open(j, key, "[]", false);
}

void
json_write_lines(struct json_writer *j, const char *key)
{
	json_write_open(j, key, "[]", true);
}

void
json_write_close(struct json_writer *j)
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
json_write_string(struct json_writer *j, const char *key, const char *text)
{
	json_write_item(j, key);
	quote_json(j->out, text);
}

void
json_write_number(struct json_writer *j, const char *key, uint64_t n)
{
	json_write_item(j, key);
	fprintf(j->out, "%llu", (unsigned long long)n);
}

void
json_write_bool(struct json_writer *j, const char *key, bool b)
{
	json_write_item(j, key);
	fputs(b ? "true" : "false", j->out);
}

void
json_write_null(struct json_writer *j, const char *key)
{
	json_write_item(j, key);
	fputs("null", j->out);
}

void
json_write_milli(struct json_writer *j, const char *key, uint64_t n)
{
	json_write_item(j, key);
	fprintf(j->out, "%llu.%03llu", (unsigned long long)n / 1000,
	    (unsigned long long)n % 1000);
}
