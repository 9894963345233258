/* SPDX-License-Identifier: ISC */
/*
 * Quote of the day (RFC 865): one quotation, then the end.  The day and the
 * client's port choose it.  The option "file" names a file of quotations, with
 * a line "%" between two.
 *
 * It teaches: options, a file that is read once for all workers, and chance.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "echod/handler.h"

#define QOTD_TEXT 511	/* "less than 512 characters" */
#define QOTD_COUNT 2000 /* the last one stays empty */
#define QOTD_DAY_MS 86400000

/* The block that configure() fills in, for every worker.  Workers map it at
 * addresses of their own, so it holds no pointers. */
struct qotd_config {
	uint32_t count;
	struct qotd_text {
		uint16_t length;
		char text[QOTD_TEXT];
	} quotation[QOTD_COUNT];
};
_Static_assert(sizeof(struct qotd_config) <= ECHOD_CONFIG_LIMIT, "it fits");

/* Returns NULL, or what is wrong with the file. */
static const char *
qotd_read(struct qotd_config *c, FILE *f)
{
	char *line = NULL;
	const char *wrong = NULL;
	size_t size = 0;
	ssize_t n;

	while (wrong == NULL && (n = getline(&line, &size, f)) > 0) {
		struct qotd_text *q = &c->quotation[c->count];

		n -= line[n - 1] == '\n';
		if (n == 1 && line[0] == '%')
			c->count += q->length > 0;
		else if (c->count == QOTD_COUNT - 1)
			wrong = "is one too many";
		else if (q->length + (size_t)n + 2 > QOTD_TEXT)
			wrong = "is not less than 512 characters long";
		else {
			memcpy(q->text + q->length, line, (size_t)n);
			memcpy(q->text + q->length + n, "\r\n", 2);
			q->length += (uint16_t)(n + 2);
		}
	}
	free(line);
	if (wrong == NULL && ferror(f))
		return strerror(errno);
	if (wrong == NULL)
		c->count += c->quotation[c->count].length > 0;
	return wrong == NULL && c->count == 0 ? "is missing" : wrong;
}

static size_t
qotd_configure(const struct echod_option *options, size_t count, void *config,
    char *error, size_t error_size)
{
	struct qotd_config *c = config;
	const char *path = "", *wrong;
	FILE *f;

	for (size_t n = 0; n < count; n++) {
		if (strcmp(options[n].name, "file") != 0) {
			snprintf(error, error_size, "%s: not an option of qotd",
			    options[n].name);
			return 0;
		}
		path = options[n].value;
	}
	if (*path != '/')
		snprintf(error, error_size, "file: not an absolute path");
	else if ((f = fopen(path, "re")) == NULL)
		snprintf(error, error_size, "file: %s: %s", path,
		    strerror(errno));
	else {
		wrong = qotd_read(c, f);
		if (wrong != NULL)
			snprintf(error, error_size, "file: %s: quotation %u %s",
			    path, c->count + 1, wrong);
		fclose(f);
	}
	return sizeof(c->count) + c->count * sizeof(c->quotation[0]);
}

static int
qotd_step(struct echod_step *s)
{
	const struct qotd_config *c = s->config;
	const struct qotd_text *q;
	uint64_t chance;

	/* From what the step is told: if it is made again after a death, it
	 * says the same.  rand(3) gives the same numbers to each worker. */
	chance = (s->unix_ms / QOTD_DAY_MS << 16 | s->peer->port) *
	    0x9e3779b97f4a7c15u;
	q = &c->quotation[(chance >> 32) % c->count];
	memcpy(s->out, q->text, q->length);
	s->write = q->length;
	return ECHOD_FINISH;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "qotd",
	.version = "1",
	.in_max = 1,
	.out_max = QOTD_TEXT + 1,
	.configure = qotd_configure,
	.step = qotd_step,
};
