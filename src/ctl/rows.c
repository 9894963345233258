/*
 * The list of connections: passed on as it comes, or sorted here, since the
 * master has no time for that.
 */
#include "ctl/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ask.h"

/* Columns of the text, and whether the largest comes first. */
static const struct key {
	const char *name;
	int column;
	bool text;
} keys[] = {
	{ "peer", 0, true },
	{ "worker", 1, false },
	{ "age", 2, false },
	{ "idle", 3, false },
	{ "in", 4, false },
	{ "out", 5, false },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

struct row {
	double number;
	char *line;
};

struct rows {
	struct row *row;
	size_t count, room;
};

static const struct key *
find(const char *name)
{
	for (size_t i = 0; name != NULL && i < KEYS; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

bool
rows_knows(const char *key)
{
	return find(key) != NULL;
}

static double
number_of(const char *line, const struct key *key, bool json)
{
	if (key->text)
		return 0;
	if (json)
		return ask_number(line, key->name);
	for (int i = 0; i < key->column; i++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return strtod(line, NULL);
}

/* The largest numbers first; equal ones, and texts, as strcmp(3) has them. */
static int
compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? 1 : -1;
	return strcmp(x->line, y->line);
}

static int
add(struct rows *r, const char *line, double number)
{
	if (r->count == r->room) {
		size_t room = r->room == 0 ? 1024 : r->room * 2;
		struct row *row = reallocarray(r->row, room, sizeof(*row));

		if (row == NULL)
			return -1;
		r->row = row;
		r->room = room;
	}
	r->row[r->count].line = strdup(line);
	r->row[r->count].number = number;
	if (r->row[r->count].line == NULL)
		return -1;
	r->count++;
	return 0;
}

static void
print_sorted(struct rows *r, bool json)
{
	/* There is no array where there is no row, and qsort(3) wants one. */
	if (r->count > 0)
		qsort(r->row, r->count, sizeof(r->row[0]), compare);
	for (size_t i = 0; i < r->count; i++)
		printf("%s%s\n", r->row[i].line,
		    json && i + 1 < r->count ? "," : "");
}

static void
forget(struct rows *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->row[i].line);
	free(r->row);
}

/* A row, without its newline and comma; false for the first and last lines. */
static bool
is_row(char *line, bool json, size_t lines)
{
	size_t len = strcspn(line, "\n");

	line[len] = '\0';
	if (!json)
		return lines > 0 && strstr(line, " connections") == NULL;
	if (len > 0 && line[len - 1] == ',')
		line[len - 1] = '\0';
	return line[0] == '{';
}

static bool
is_last(const char *line, bool json)
{
	return json ? line[0] == ']' : strstr(line, " connections") != NULL;
}

/* Returns true if the list was whole. */
static bool
pass_on(FILE *f, const struct rows_wish *wish, struct rows *rows, bool *failed)
{
	const struct key *key = find(wish->sort);
	char *line = NULL;
	size_t size = 0, lines = 0;
	bool whole = false;

	/* Nothing comes after the last line; what does is not looked at.  What
	 * cannot be written need not be read. */
	for (; !whole && !ferror(stdout) &&
	    getline(&line, &size, f) > 0; lines++) {
		ask_clean(line);
		if (lines == 0 && ask_is_error(line)) {
			fputs(line, wish->json ? stdout : stderr);
			*failed = true;
			break;
		}
		whole = is_last(line, wish->json);
		if (key == NULL)
			fputs(line, stdout);
		else if (is_row(line, wish->json, lines)) {
			if (add(rows, line, number_of(line, key,
			    wish->json)) == -1) {
				ask_warnx("%s", strerror(errno));
				*failed = true;
				break;
			}
		} else {
			if (whole)
				print_sorted(rows, wish->json);
			puts(line);
		}
	}
	free(line);
	return whole;
}

int
rows_print(const char *path, const struct rows_wish *wish)
{
	char request[512];
	struct rows rows = { NULL, 0, 0 };
	bool failed = false, whole;
	FILE *f;

	snprintf(request, sizeof(request), "%sconnections%s%.16s%s%.64s",
	    wish->json ? "json " : "",
	    wish->worker != NULL ? " worker=" : "",
	    wish->worker != NULL ? wish->worker : "",
	    wish->peer != NULL ? " peer=" : "",
	    wish->peer != NULL ? wish->peer : "");
	f = ask_open(path, request);
	if (f == NULL)
		return 1;
	whole = pass_on(f, wish, &rows, &failed);
	forget(&rows);
	fclose(f);
	if (!failed && !whole && !ferror(stdout))
		ask_warnx("%s: the list ends in the middle", path);
	return failed || !whole;
}
