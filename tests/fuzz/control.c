/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing requests to the control socket: each has an answer, and one that is
 * asked for in JSON is JSON.  Lines are separated by newlines; the master they
 * are asked of stays the same.
 */
#include <ctype.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/utf8.h"
#include "ground.h"
#include "master.h"
#include "master/master.h"

#define LINES 8

static const char *value(const char *p, unsigned depth);

static const char *
blanks(const char *p)
{
	while (*p == ' ' || *p == '\n')
		p++;
	return p;
}

static const char *
string(const char *p)
{
	uint32_t point;

	must(*p == '"');
	for (p++; *p != '"'; p += utf8_character(p, &point)) {
		must(
		    (unsigned char)*p >= ' ' && utf8_character(p, &point) != 0);
		if (*p == '\\') {
			p++;
			must(*p != '\0' && strchr("\"\\u", *p) != NULL);
		}
	}
	return p + 1;
}

/* What is between brackets. */
static const char *
items(const char *p, char end, unsigned depth)
{
	p = blanks(p + 1);
	if (*p == end)
		return p + 1;
	for (;; p = blanks(p + 1)) {
		if (end == '}') {
			p = string(p);
			must(*p++ == ':');
		}
		p = blanks(value(p, depth + 1));
		if (*p == end)
			return p + 1;
		must(*p == ',');
	}
}

static const char *
value(const char *p, unsigned depth)
{
	must(depth < 8);
	p = blanks(p);
	if (*p == '{')
		return items(p, '}', depth);
	if (*p == '[')
		return items(p, ']', depth);
	if (*p == '"')
		return string(p);
	must(isalnum((unsigned char)*p) || *p == '-');
	while (isalnum((unsigned char)*p) || strchr("-+.", *p) != NULL) {
		must(*p != '\0');
		p++;
	}
	return p;
}

/* Two clients, as records have them. */
static void
people(const struct arena *a)
{
	struct connection *c = &a->connection[GROUND_FIRST];

	atomic_store(&a->header->descriptor_end, GROUND_FIRST + 2);
	atomic_store(&c[0].owner, owner_word(CONN_OPEN, 0));
	c[0].peer = (struct peer){ .address = { 127, 0, 0, 1 },
		.port = 80,
		.family = AF_INET };
	atomic_store(&c[1].owner, owner_word(CONN_OFFERED, 1));
	c[1].peer = (struct peer){ .address = { 0xfe, 0x80 },
		.scope = 2,
		.port = 9,
		.family = AF_INET6 };
	a->header->listeners = 1;
	strcpy(a->header->listener[0].name, "127.0.0.1:1");
}

int
fuzz_control(const uint8_t *data, size_t size)
{
	char text[1024], *rest = text, *line;
	struct arena *a = ground_arena();
	struct master *m = master_of(a);
	bool json;

	master_quiet();
	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	people(a);
	for (int i = 0; i < LINES && (line = strsep(&rest, "\n")) != NULL;
	     i++) {
		/* As control.c lets none pass. */
		for (char *p = line; *p != '\0'; p++)
			if ((unsigned char)*p < ' ')
				*p = ' ';
		char *answer = master_ask(m, line, &json);

		if (json)
			must(*blanks(value(answer, 0)) == '\0');
		free(answer);
	}
	master_close_opened();
	return 0;
}
