/* SPDX-License-Identifier: ISC */
/*
 * A row of named values, and its forms.
 */
#include "admin/row.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct row_value *
row_next(struct row *r, const char *key, enum row_kind kind, int width)
{
	struct row_value *v = &r->value[r->values];

	if (r->values == ROW_VALUES)
		abort(); /* a mistake of the caller */
	r->values++;
	v->key = key;
	v->kind = kind;
	v->width = width;
	v->number = 0;
	v->text = "";
	return v;
}

void
row_add(struct row *r, const char *key, enum row_kind kind, int width,
    uint64_t n)
{
	row_next(r, key, kind, width)->number = n;
}

void
row_number(struct row *r, const char *key, int width, uint64_t n)
{
	row_next(r, key, ROW_NUMBER, width)->number = n;
}

void
row_text(struct row *r, const char *key, int width, const char *text)
{
	row_next(r, key, ROW_TEXT, width)->text = text;
}

const struct row_value *
row_find(const struct row *r, const char *key, size_t length)
{
	for (unsigned i = 0; i < r->values; i++)
		if (strncmp(r->value[i].key, key, length) == 0 &&
		    r->value[i].key[length] == '\0')
			return &r->value[i];
	return NULL;
}

void
row_members(const struct row *r, struct json_writer *j)
{
	for (unsigned i = 0; i < r->values; i++) {
		const struct row_value *v = &r->value[i];

		switch (v->kind) {
		case ROW_NUMBER:
			json_write_number(j, v->key, v->number);
			break;
		case ROW_MILLI:
			json_write_milli(j, v->key, v->number);
			break;
		case ROW_TEXT:
			json_write_string(j, v->key, v->text);
			break;
		case ROW_FLAG:
			json_write_bool(j, v->key, v->number != 0);
			break;
		case ROW_NONE:
			json_write_null(j, v->key);
			break;
		}
	}
}

void
row_object(const struct row *r, struct json_writer *j, const char *key)
{
	json_write_object(j, key);
	row_members(r, j);
	json_write_close(j);
}

/* Write a line of what `text` says of each value that has a column; the last
 * column ends with its text. */
static void
row_columns(const struct row *r, FILE *out,
    const char *(*text)(const struct row_value *v, char *room, size_t size))
{
	const char *before = "";
	char room[64];

	for (unsigned i = 0; i < r->values; i++) {
		const struct row_value *v = &r->value[i];
		bool last = i + 1 == r->values || r->value[i + 1].width == 0;

		if (v->width == 0)
			continue;
		fprintf(out, "%s%*s", before,
		    last && v->width < 0 ? 0 : v->width,
		    text(v, room, sizeof(room)));
		before = " ";
	}
	fputc('\n', out);
}

static const char *
row_head(const struct row_value *v, char *room, size_t size)
{
	size_t i;

	for (i = 0; v->key[i] != '\0' && i + 1 < size; i++)
		room[i] = (char)toupper((unsigned char)v->key[i]);
	room[i] = '\0';
	return room;
}

static const char *
row_cell(const struct row_value *v, char *room, size_t size)
{
	unsigned long long n = v->number;

	switch (v->kind) {
	case ROW_TEXT:
		return v->text;
	case ROW_MILLI:
		snprintf(room, size, "%llu.%03llu", n / 1000, n % 1000);
		return room;
	case ROW_NUMBER:
		snprintf(room, size, "%llu", n);
		return room;
	case ROW_FLAG:
		return n != 0 ? "yes" : "no";
	case ROW_NONE:
		break;
	}
	return "-";
}

void
row_heads(const struct row *r, FILE *out)
{
	row_columns(r, out, row_head);
}

void
row_line(const struct row *r, FILE *out)
{
	row_columns(r, out, row_cell);
}
