/* SPDX-License-Identifier: ISC */
/*
 * The upgrade record.
 */
#include "master/upgrade/record.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "config/serialize.h"
#include "config/services.h"
#include "config/value.h"
#include "lib/key_values.h"
#include "master/upgrade/executable.h"

/* Items that are a number or a text in struct upgrade_record. */
static const struct item {
	const char *key;
	enum {
		ITEM_TEXT,
		ITEM_INT,
		ITEM_U64,
		ITEM_BOOL
	} type;
	size_t offset, size;
} items[] = {
#define ITEM(key, type, member) \
	{ \
		key, type, offsetof(struct upgrade_record, member), \
		    sizeof(((struct upgrade_record *)0)->member) \
	}
	ITEM("version", ITEM_TEXT, version),
	ITEM("layout", ITEM_TEXT, layout),
	ITEM("program", ITEM_TEXT, program),
	ITEM("directory", ITEM_TEXT, directory),
	ITEM("pid", ITEM_INT, pid),
	ITEM("arena", ITEM_INT, arena),
	ITEM("service", ITEM_INT, service),
	ITEM("image", ITEM_INT, executable),
	ITEM("pidfile", ITEM_INT, pidfile),
	ITEM("log", ITEM_INT, log),
	ITEM("handlers", ITEM_INT, handlers),
	ITEM("control", ITEM_INT, control),
	ITEM("metrics", ITEM_INT, metrics),
	ITEM("admin", ITEM_INT, admin),
	ITEM("admin-socket", ITEM_INT, admin_socket),
	ITEM("standby", ITEM_INT, standby),
	ITEM("handover", ITEM_U64, number),
	ITEM("began", ITEM_U64, began),
	ITEM("connections", ITEM_U64, connections),
	ITEM("again", ITEM_BOOL, again),
	/* Added by the next program. */
	ITEM("checked", ITEM_TEXT, checked),
	ITEM("failure", ITEM_TEXT, failure),
#undef ITEM
};

#define ITEMS (sizeof(items) / sizeof(items[0]))

struct writer {
	int record;
	bool failed;
};

static void
record_put(void *to, const char *key, const char *value)
{
	struct writer *w = to;

	if (key_values_add(w->record, key, value) == -1)
		w->failed = true;
}

static void
record_put_item(struct writer *w, const struct upgrade_record *t,
    const struct item *item)
{
	const char *p = (const char *)t + item->offset;
	char text[32];
	int number;
	uint64_t u64;

	switch (item->type) {
	case ITEM_TEXT:
		if (*p != '\0')
			record_put(w, item->key, p);
		return;
	case ITEM_INT:
		memcpy(&number, p, sizeof(number));
		snprintf(text, sizeof(text), "%d", number);
		break;
	case ITEM_U64:
		memcpy(&u64, p, sizeof(u64));
		snprintf(text, sizeof(text), "%llu", (unsigned long long)u64);
		break;
	case ITEM_BOOL:
		snprintf(text, sizeof(text), "%d", *(const bool *)p);
		break;
	}
	record_put(w, item->key, text);
}

static void
record_put_resolved(struct writer *w, const struct resolved *r, unsigned i)
{
	char text[ADDRESS_NAME_SIZE + ADDRESS_SIZE];

	snprintf(text, sizeof(text), "%s %s", r->entry[i].name,
	    r->entry[i].host);
	record_put(w, "resolved", text);
}

int
record_write(const struct upgrade_record *t)
{
	struct writer w = { memfd_create("echod-takeover", MFD_CLOEXEC),
		false };
	char text[OUTCOME_TEXT];

	if (w.record == -1)
		return -1;
	for (size_t i = 0; i < ITEMS; i++)
		record_put_item(&w, t, &items[i]);
	for (unsigned i = 0; i < t->listeners; i++)
		record_put(&w, "listener", t->listener[i]);
	record_put(&w, "asked", outcome_format(&t->asked, text, sizeof(text)));
	record_put(&w, "later", outcome_format(&t->later, text, sizeof(text)));
	config_save(&t->config, record_put, &w);
	for (unsigned i = 0; i < t->resolved.count; i++)
		record_put_resolved(&w, &t->resolved, i);
	if (!w.failed)
		return w.record;
	int saved = errno;
	close(w.record);
	errno = saved;
	return -1;
}

/* Returns 0, or -1 if the value is wrong. */
static int
record_take_item(struct upgrade_record *t, const struct item *item,
    const char *value)
{
	char *p = (char *)t + item->offset;
	const char *reason = NULL;
	long long n;
	int number;
	uint64_t u64;

	if (item->type == ITEM_TEXT)
		return strlcpy(p, value, item->size) < item->size ? 0 : -1;
	n = strtonum(value, item->type == ITEM_INT ? -1 : 0,
	    item->type == ITEM_INT	  ? INT_MAX
		: item->type == ITEM_BOOL ? 1
					  : LLONG_MAX,
	    &reason);
	if (reason != NULL)
		return -1;
	number = (int)n;
	u64 = (uint64_t)n;
	if (item->type == ITEM_INT)
		memcpy(p, &number, sizeof(number));
	else if (item->type == ITEM_U64)
		memcpy(p, &u64, sizeof(u64));
	else
		*(bool *)p = n != 0;
	return 0;
}

static int
record_take_listener(struct upgrade_record *t, const char *name)
{
	if (t->listeners == ARENA_LISTENERS_MAX)
		return -1;
	return strlcpy(t->listener[t->listeners++], name,
		   sizeof(t->listener[0])) < sizeof(t->listener[0])
	    ? 0
	    : -1;
}

/* "NAME ADDRESS", or "NAME " if it has none. */
static int
record_take_resolved(struct upgrade_record *t, const char *value)
{
	size_t len = strcspn(value, " ");
	char name[ADDRESS_NAME_SIZE];

	if (len >= sizeof(name) || value[len] == '\0')
		return -1;
	memcpy(name, value, len);
	name[len] = '\0';
	return resolved_add(&t->resolved, name, value + len + 1);
}

static int
record_take(void *to, const char *key, const char *value)
{
	struct upgrade_record *t = to;

	for (size_t i = 0; i < ITEMS; i++)
		if (strcmp(items[i].key, key) == 0)
			return record_take_item(t, &items[i], value);
	if (strcmp(key, "listener") == 0)
		return record_take_listener(t, value);
	if (strcmp(key, "resolved") == 0)
		return record_take_resolved(t, value);
	if (strcmp(key, "asked") == 0)
		return outcome_parse(&t->asked, value);
	if (strcmp(key, "later") == 0)
		return outcome_parse(&t->later, value);
	/* An unknown key, of another version, is no error. */
	return config_restore(&t->config, key, value) == -1 ? -1 : 0;
}

int
record_add_resolved(int record, const struct resolved *r)
{
	struct writer w = { record, false };

	for (unsigned i = 0; i < r->count; i++)
		record_put_resolved(&w, r, i);
	return w.failed ? -1 : 0;
}

int
record_read(struct upgrade_record *t, int record, char *why, size_t size)
{
	size_t length;
	char *text, problem[256];
	int result;

	memset(t, 0, sizeof(*t));
	t->record = record;
	t->arena = t->service = t->executable = t->pidfile = t->log = -1;
	t->handlers = t->control = t->metrics = t->admin_socket = -1;
	config_defaults(&t->config);
	text = key_values_text(record, &length);
	if (text == NULL) {
		if (errno == EINVAL || errno == EBADF)
			snprintf(why, size,
			    "takeover: descriptor %d is no record", record);
		else
			snprintf(why, size, "takeover: %s", strerror(errno));
		return -1;
	}
	result = key_values_each(text, length, record_take, t, problem,
	    sizeof(problem));
	if (result == -1)
		snprintf(why, size, "takeover: %s", problem);
	free(text);
	if (t->config.services == 0)
		config_make_service(&t->config);
	return result;
}

int
record_inherit(struct upgrade_record *t, char *why, size_t size)
{
	const char *number = getenv(EXECUTABLE_RECORD), *reason;
	int record;

	if (number == NULL)
		return 0;
	record = (int)strtonum(number, 3, INT_MAX, &reason);
	unsetenv(EXECUTABLE_RECORD);
	if (reason != NULL) {
		snprintf(why, size,
		    "takeover: " EXECUTABLE_RECORD "=%.32s is %s", number,
		    reason);
		return -1;
	}
	if (record_read(t, record, why, size) == -1)
		return -1;
	if (t->program[0] == '\0' || t->layout[0] == '\0') {
		snprintf(why, size, "takeover: the record is not whole");
		return -1;
	}
	return 1;
}
