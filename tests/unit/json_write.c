/* SPDX-License-Identifier: ISC */
/*
 * The writer of JSON, and rows of values: commas, lines and brackets.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/json_write.h"
#include "admin/row.h"
#include "tap.h"

static char *text;
static size_t size;

static FILE *
begin(void)
{
	free(text);
	return open_memstream(&text, &size);
}

static void
is(FILE *out, const char *want, const char *what)
{
	fclose(out);
	ok(strcmp(text, want) == 0, "%s", what);
	if (strcmp(text, want) != 0)
		printf("# %s instead of %s\n", text, want);
}

static void
test_nesting(void)
{
	struct json_writer j = json_write_begin(begin());

	json_write_object(&j, NULL);
	json_write_number(&j, "a", UINT64_MAX);
	json_write_array(&j, "b");
	json_write_close(&j);
	json_write_array(&j, "c");
	json_write_bool(&j, NULL, true);
	json_write_null(&j, NULL);
	json_write_object(&j, NULL);
	json_write_string(&j, "\"", "\n");
	json_write_close(&j);
	json_write_milli(&j, NULL, 1005);
	json_write_close(&j);
	json_write_close(&j);
	is(j.out,
	    "{\"a\":18446744073709551615,\"b\":[],\"c\":[true,null,"
	    "{\"\\\"\":\"\\u000a\"},1.005]}\n",
	    "commas where there is something before");
}

static void
test_lines(void)
{
	struct json_writer j = json_write_begin(begin());

	json_write_lines(&j, NULL);
	json_write_close(&j);
	is(j.out, "[\n]\n", "no line");
	j = json_write_begin(begin());
	json_write_lines(&j, NULL);
	json_write_number(&j, NULL, 1);
	json_write_lines(&j, NULL);
	json_write_number(&j, NULL, 2);
	json_write_close(&j);
	json_write_number(&j, NULL, 3);
	json_write_close(&j);
	is(j.out, "[\n1,\n[\n2\n],\n3\n]\n", "a line for each");
}

/* A long list is written in pieces, each to a stream of its own. */
static void
test_pieces(void)
{
	struct json_writer j = json_write_begin(begin());

	json_write_lines(&j, NULL);
	json_write_number(&j, NULL, 1);
	is(j.out, "[\n1", "a piece");
	j.out = begin();
	json_write_number(&j, NULL, 2);
	json_write_close(&j);
	is(j.out, ",\n2\n]\n", "the next");
}

static void
test_row(void)
{
	struct row r = { 0 };
	struct json_writer j = json_write_begin(begin());

	row_text(&r, "name", -6, "a\"b");
	row_number(&r, "count", 7, 12);
	row_add(&r, "age", ROW_MILLI, 7, 1002);
	row_add(&r, "ago", ROW_NONE, 5, 0);
	row_text(&r, "state", -9, "up");
	row_add(&r, "on", ROW_FLAG, 0, 1);
	row_object(&r, &j, NULL);
	is(j.out,
	    "{\"name\":\"a\\\"b\",\"count\":12,\"age\":1.002,\"ago\":null,"
	    "\"state\":\"up\",\"on\":true}\n",
	    "a row in JSON");
	j.out = begin();
	row_heads(&r, j.out);
	row_line(&r, j.out);
	is(j.out,
	    "NAME     COUNT     AGE   AGO STATE\n"
	    "a\"b         12   1.002     - up\n",
	    "a row as a line, its values without a width left out");
	ok(row_find(&r, "agent", 2) == NULL &&
		row_find(&r, "ages", 3) != NULL &&
		row_find(&r, "ages", 3)->number == 1002,
	    "a value by its whole name");
}

int
main(void)
{
	test_nesting();
	test_lines();
	test_pieces();
	test_row();
	free(text);
	return tap_done();
}
