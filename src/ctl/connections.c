/* SPDX-License-Identifier: ISC */
/*
 * The command connections: the list, sorted if that is asked for.
 *
 * A list that need not be sorted is printed as it comes: it may be longer than
 * memory.  echod does not sort, which takes time.
 */
#include "ctl/connections.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/message.h"
#include "ctl/request.h"
#include "shared/control_commands.h"

/* Keys and their columns in text.  Of numbers the largest comes first. */
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

struct list {
	FILE *in;
	const struct key *key; /* NULL: not sorted */
	bool json;
	bool printed;	    /* something of it */
	bool first;	    /* no row of JSON is printed yet */
	struct row *row;    /* those that are to be sorted */
	size_t count, room; /* of `row` */
};

enum list_state {
	LIST_WHOLE,
	LIST_CUT,
	LIST_FOREIGN,
	LIST_REFUSED
};

static const struct key *
connections_key(const char *name)
{
	for (size_t i = 0; name != NULL && i < KEYS; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

bool
connections_knows(const char *key)
{
	return connections_key(key) != NULL;
}

/* The largest numbers first; equal ones, and texts, as strcmp(3) has them. */
static int
connections_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? 1 : -1;
	return strcmp(x->line, y->line);
}

static void
connections_forget(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->row[i].line);
	free(l->row);
	l->row = NULL;
	l->count = l->room = 0;
}

/* Print a line or an element of an array. */
static void
connections_print(struct list *l, const char *line)
{
	if (l->json)
		printf("%s%s", l->first ? "[\n" : ",\n", line);
	else
		puts(line);
	l->first = false;
	l->printed = true;
}

/* Take a row of the list: print it or keep it for sorting. */
static void
connections_take(struct list *l, const char *line, double number)
{
	if (l->key == NULL) {
		connections_print(l, line);
		return;
	}
	if (l->count == l->room) {
		size_t room = l->room == 0 ? 1024 : l->room * 2;
		struct row *row = reallocarray(l->row, room, sizeof(*row));

		if (row == NULL)
			goto fail;
		l->row = row;
		l->room = room;
	}
	l->row[l->count].line = strdup(line);
	l->row[l->count].number = number;
	if (l->row[l->count].line == NULL)
		goto fail;
	l->count++;
	return;
fail:
	message_warnx("%s", strerror(errno));
	exit(CTL_FAILED);
}

static void
connections_print_sorted(struct list *l)
{
	/* There is no array where there is no row, and qsort(3) wants one. */
	if (l->count > 0)
		qsort(l->row, l->count, sizeof(l->row[0]), connections_compare);
	for (size_t i = 0; i < l->count; i++)
		connections_print(l, l->row[i].line);
}

/* --- text: a line of titles, rows, "NUMBER connections" */

static double
connections_column(const char *line, const struct key *key)
{
	if (key == NULL || key->text)
		return 0;
	for (int i = 0; i < key->column; i++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return strtod(line, NULL);
}

/* Whether `line` is the last one of a list with `rows` rows. */
static bool
connections_is_end(const char *line, size_t rows)
{
	char *end;

	return line[0] >= '0' && line[0] <= '9' &&
	    strtoull(line, &end, 10) == rows &&
	    strcmp(end, " connections") == 0;
}

/* LIST_CUT if there is to be more. */
static enum list_state
connections_judge_title(const char *line)
{
	if (answer_error_text(line) != NULL) {
		answer_print_error(answer_error_text(line), false);
		return LIST_REFUSED;
	}
	return strncmp(line, "PEER ", 5) == 0 ? LIST_CUT : LIST_FOREIGN;
}

static enum list_state
connections_read_text(struct list *l)
{
	enum list_state state = LIST_CUT;
	char *line = NULL, *title = NULL;
	size_t size = 0, rows = 0;
	ssize_t n;

	/* What cannot be written need not be read. */
	while (state == LIST_CUT && !ferror(stdout) &&
	    (n = getline(&line, &size, l->in)) > 0 && line[n - 1] == '\n') {
		line[n - 1] = '\0';
		message_clean(line);
		if (title == NULL) {
			state = connections_judge_title(line);
			title = strdup(line);
			if (state == LIST_CUT && l->key == NULL)
				connections_print(l, line);
		} else if (connections_is_end(line, rows)) {
			state = LIST_WHOLE;
			if (l->key != NULL)
				connections_print(l, title);
			connections_print_sorted(l);
			connections_print(l, line);
		} else {
			connections_take(l, line,
			    connections_column(line, l->key));
			rows++;
		}
	}
	free(line);
	free(title);
	return state;
}

/* --- JSON: an array of objects */

/* The next character that is no white space. */
static int
connections_next(FILE *in)
{
	int c;

	do
		c = getc(in);
	while (c == ' ' || c == '\n' || c == '\r' || c == '\t');
	return c;
}

/* The number that a row is sorted by. */
static double
connections_member(const struct list *l, const json_t *row,
    struct answer_reader *reader)
{
	if (!json_is_object(row))
		answer_mistake(reader, "a list of connections");
	if (l->key == NULL)
		return 0;
	if (!l->key->text)
		return answer_number(reader, row, l->key->name);
	(void)answer_string(reader, row, l->key->name);
	return 0;
}

/* Read one row.  Returns LIST_WHOLE if it is one. */
static enum list_state
connections_read_row(struct list *l)
{
	struct answer_reader reader = { "" };
	json_error_t error;
	/* It reads up to the last brace and no further. */
	json_t *row = json_loadf(l->in, JSON_DISABLE_EOF_CHECK, &error);
	double number;
	char *line;

	if (row == NULL)
		return feof(l->in) || ferror(l->in) ? LIST_CUT : LIST_FOREIGN;
	number = connections_member(l, row, &reader);
	/* echod has milliseconds, which 15 digits are enough for. */
	line = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(row);
	if (line != NULL && reader.wrong[0] == '\0') {
		message_clean(line);
		connections_take(l, line, number);
	} else if (reader.wrong[0] != '\0')
		message_warnx("a row of the list: %s", reader.wrong);
	free(line);
	return line != NULL && reader.wrong[0] == '\0' ? LIST_WHOLE
						       : LIST_FOREIGN;
}

/* Read what begins with `c` and is no array: a refusal, if it is echod's. */
static enum list_state
connections_read_refusal(struct list *l, int c)
{
	static const enum list_state states[] = {
		[ANSWER_WHOLE] = LIST_FOREIGN,
		[ANSWER_CUT] = LIST_CUT,
		[ANSWER_FOREIGN] = LIST_FOREIGN,
	};
	enum list_state state = LIST_CUT;
	char *text = NULL;
	const char *reason;
	json_t *answer;
	size_t size = 0;
	ssize_t n;

	(void)ungetc(c, l->in);
	n = getdelim(&text, &size, '\0', l->in);
	if (n > 0) {
		state = states[answer_check(text, (size_t)n, ANSWER_JSON)];
		answer = answer_parse(text);
		reason = answer_error_text(text);
		if (reason == NULL)
			reason = answer_error_json(answer);
		if (state == LIST_FOREIGN && reason != NULL) {
			answer_print_error(reason, true);
			state = LIST_REFUSED;
		}
		json_decref(answer);
	}
	free(text);
	return state;
}

static enum list_state
connections_read_json(struct list *l)
{
	enum list_state state;
	int c = connections_next(l->in);

	if (c != '[')
		return connections_read_refusal(l, c);
	/* Nothing comes after the end; what does is not looked at. */
	c = connections_next(l->in);
	while (c != ']') {
		(void)ungetc(c, l->in);
		state = connections_read_row(l);
		if (state != LIST_WHOLE || ferror(stdout))
			return state;
		c = connections_next(l->in);
		if (c == ',')
			c = connections_next(l->in);
		else if (c != ']')
			return c == EOF ? LIST_CUT : LIST_FOREIGN;
	}
	connections_print_sorted(l);
	puts(l->first ? "[\n]" : "\n]");
	return LIST_WHOLE;
}

/* One attempt.  Returns the exit status, or -1 with errno set. */
static int
connections_ask(struct request *r, struct list *l)
{
	static const int reasons[] = {
		[LIST_CUT] = EBADMSG,
		[LIST_FOREIGN] = EPROTO,
	};
	enum list_state state;
	int fd = request_open(r);

	if (fd == -1)
		return -1;
	l->in = fdopen(fd, "r");
	if (l->in == NULL) {
		close(fd);
		return -1;
	}
	l->first = true;
	state = l->json ? connections_read_json(l) : connections_read_text(l);
	fclose(l->in);
	connections_forget(l);
	if (state == LIST_WHOLE || state == LIST_REFUSED || ferror(stdout))
		return state == LIST_WHOLE ? CTL_OK : CTL_FAILED;
	errno = reasons[state];
	return -1;
}

int
connections_run(const struct arguments *a)
{
	char line[512];
	struct request r = { .path = a->path,
		.line = line,
		.waiting = request_say_waiting };
	struct list l = { .key = connections_key(a->sort), .json = a->json };
	int status;

	snprintf(line, sizeof(line), "%sconnections%s%.16s%s%.64s%s%.64s",
	    a->json ? CONTROL_JSON " " : "",
	    a->worker != NULL ? " worker=" : "",
	    a->worker != NULL ? a->worker : "", a->peer != NULL ? " peer=" : "",
	    a->peer != NULL ? a->peer : "",
	    a->service != NULL ? " service=" : "",
	    a->service != NULL ? a->service : "");
	r.form = a->json ? ANSWER_JSON : ANSWER_LIST;
	do {
		status = connections_ask(&r, &l);
	} while (status == -1 && errno == EBADMSG && !l.printed &&
	    request_repeats(&r, errno));
	if (status != -1)
		return status;
	request_warn(&r, errno);
	return CTL_FAILED;
}
