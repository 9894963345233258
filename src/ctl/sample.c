/* SPDX-License-Identifier: ISC */
/*
 * One sample of the service's figures: its status and its workers, in JSON.
 */
#include "ctl/sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "ctl/message.h"
#include "ctl/request.h"
#include "shared/control_commands.h"

/* What the figures are called, in the status and for a worker. */
static const char *const members[FIGURES] = {
	[FIGURE_connections] = "connections",
#define NAME(member, metric, help, worker_metric, worker_help, key, ...) \
	[FIGURE_##member] = (key),
	SLOT_COUNTERS(NAME)
#undef NAME
};

static void
sample_figures(struct figures *f, struct answer_reader *reader,
    const json_t *object)
{
	for (size_t i = 0; i < FIGURES; i++)
		f->value[i] = answer_number(reader, object, members[i]);
}

/* Text for a terminal, cut to the room there is. */
static void
sample_text(char *text, size_t size, struct answer_reader *reader,
    const json_t *object, const char *name)
{
	strlcpy(text, answer_string(reader, object, name), size);
	message_clean(text);
}

static void
sample_row(struct sample_row *row, struct answer_reader *reader,
    const json_t *item)
{
	sample_text(row->state, sizeof(row->state), reader, item, "state");
	sample_figures(&row->figures, reader, item);
}

static void
sample_services(struct sample_rows *rows, struct answer_reader *reader,
    const json_t *services)
{
	const json_t *item;
	size_t i;

	json_array_foreach(services, i, item)
	{
		struct sample_row *row = &rows->row[rows->count];

		if (rows->count == SAMPLE_ROWS) {
			answer_mistake(reader, "a list of so few services");
			return;
		}
		rows->count++;
		sample_text(row->name, sizeof(row->name), reader, item,
		    "service");
		sample_row(row, reader, item);
	}
}

static void
sample_status(struct sample *s, struct answer_reader *reader,
    const json_t *status)
{
	const json_t *closed, *deaths, *listeners, *reload, *item;
	const char *name;
	size_t i;

	sample_text(s->mode, sizeof(s->mode), reader, status, "mode");
	s->uptime = answer_number(reader, status, "uptime");
	s->max_connections = answer_number(reader, status, "maxclients");
	s->saved = answer_number(reader, status, "saved") +
	    answer_number(reader, status, "kept");
	s->reloads = answer_number(reader, status, "reloads");
	sample_figures(&s->total, reader, status);
	closed = answer_member(reader, status, "closed", JSON_OBJECT);
	s->refused = answer_number(reader, closed, "over_limit");
	reload = answer_member(reader, status, "last_reload", JSON_OBJECT);
	s->pause = answer_number(reader, reload, "pause");
	deaths = answer_member(reader, status, "deaths", JSON_OBJECT);
	for (void *at = json_object_iter((json_t *)deaths); at != NULL;
	     at = json_object_iter_next((json_t *)deaths, at)) {
		name = json_object_iter_key(at);
		s->deaths += answer_number(reader, deaths, name);
	}
	listeners = answer_member(reader, status, "listeners", JSON_ARRAY);
	json_array_foreach(listeners, i, item)
	    s->waiting += answer_number(reader, item, "waiting");
	sample_services(&s->services, reader,
	    answer_member(reader, status, "services", JSON_ARRAY));
}

static void
sample_workers(struct sample_rows *rows, struct answer_reader *reader,
    const json_t *workers)
{
	struct sample_row *row;
	const json_t *item;
	size_t i;

	if (!json_is_array(workers))
		answer_mistake(reader, "a list of workers");
	json_array_foreach(workers, i, item)
	{
		double k = answer_number(reader, item, "worker");

		if (k >= SAMPLE_ROWS) {
			answer_mistake(reader, "a list of so few workers");
			return;
		}
		if (k >= rows->count)
			rows->count = (unsigned)k + 1;
		row = &rows->row[(unsigned)k];
		snprintf(row->name, sizeof(row->name), "%u", (unsigned)k);
		sample_row(row, reader, item);
	}
}

/* Ask for the JSON of `line`.  NULL with errno set, and the reason in `why`. */
static json_t *
sample_ask(const char *path, const char *line, const struct sample_wait *wait,
    char *why, size_t size)
{
	struct request r = { .path = path,
		.line = line,
		.form = ANSWER_JSON,
		.waiting = wait->waiting,
		.mask = wait->mask,
		.keys = wait->keys };
	char *answer = request_ask(&r);
	const char *reason;
	json_t *parsed;
	int saved = errno;

	if (answer == NULL) {
		request_explain(&r, saved, why, size);
		errno = saved;
		return NULL;
	}
	parsed = answer_parse(answer);
	reason = answer_error_text(answer);
	if (reason == NULL)
		reason = answer_error_json(parsed);
	if (reason != NULL) {
		snprintf(why, size, "%.*s", (int)strcspn(reason, "\n"), reason);
		message_clean(why);
		json_decref(parsed);
		parsed = NULL;
		errno = EPERM;
	}
	free(answer);
	return parsed;
}

int
sample_take(struct sample *s, const char *path, const struct sample_wait *wait,
    char *why, size_t size)
{
	struct answer_reader reader = { "" };
	json_t *status, *workers;

	memset(s, 0, sizeof(*s));
	status = sample_ask(path, CONTROL_JSON " status", wait, why, size);
	if (status == NULL)
		return -1;
	workers = sample_ask(path, CONTROL_JSON " workers", wait, why, size);
	if (workers == NULL) {
		json_decref(status);
		return -1;
	}
	s->at = clock_ms();
	sample_status(s, &reader, status);
	sample_workers(&s->workers, &reader, workers);
	json_decref(status);
	json_decref(workers);
	if (reader.wrong[0] == '\0')
		return 0;
	snprintf(why, size, "%s: the answer is not one of echod: %s", path,
	    reader.wrong);
	errno = EPROTO;
	return -1;
}

const struct sample_row *
sample_before(const struct sample_rows *now, const struct sample_rows *then,
    unsigned i)
{
	const char *name = now->row[i].name;

	if (i < then->count && strcmp(then->row[i].name, name) == 0)
		return &then->row[i];
	for (unsigned k = 0; k < then->count; k++)
		if (strcmp(then->row[k].name, name) == 0)
			return &then->row[k];
	return &now->row[i];
}
