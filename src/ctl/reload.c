/* SPDX-License-Identifier: ISC */
/*
 * The command reload: ask for it, and wait for its result.
 *
 * A request that was accepted is not one that was carried out: the counters of
 * the status say what became of it.
 */
#include "ctl/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "ctl/message.h"
#include "ctl/request.h"
#include "shared/control_commands.h"

/* How long a reload may take, ms: more than the master's own patience. */
#define RELOAD_MS 30000
/* How long one may take to begin that perhaps was not asked for, ms. */
#define DOUBT_MS 3000

/* How many reloads were done, and how many were refused. */
struct tally {
	double done, refused;
	bool busy;
	char reason[400]; /* of the last refusal, or "" */
};

/* Returns false with errno set if the status is not to be had. */
static bool
reload_count(const char *path, struct tally *t)
{
	struct request r = { .path = path,
		.line = CONTROL_JSON " status",
		.form = ANSWER_JSON };
	struct answer_reader reader = { "" };
	char *answer = request_ask(&r);
	json_t *status;

	if (answer == NULL)
		return false;
	status = answer_parse(answer);
	free(answer);
	t->done = answer_number(&reader, status, "reloads");
	t->refused = answer_number(&reader, status, "reloads_refused");
	t->busy = strcmp(answer_string(&reader, status, "mode"), "reloading") ==
	    0;
	strlcpy(t->reason, answer_string(&reader, status, "refusal"),
	    sizeof(t->reason));
	message_clean(t->reason);
	json_decref(status);
	errno = EPROTO;
	return reader.wrong[0] == '\0';
}

/* Ask for it.  Returns 0 if it was accepted, ENODATA if perhaps, and -1 with
 * the reason said. */
static int
reload_ask(const struct arguments *a)
{
	struct request r = { .path = a->path,
		.outcome = "echoctl status",
		.line = a->json ? CONTROL_JSON " reload" : "reload",
		.form = a->json ? ANSWER_JSON : ANSWER_LINE };
	char *answer = request_ask(&r);
	json_t *parsed;
	bool ok;

	if (answer == NULL) {
		if (errno == ENODATA || errno == EBADMSG)
			return ENODATA;
		request_warn(&r, errno);
		return -1;
	}
	message_clean(answer);
	parsed = a->json ? answer_parse(answer) : NULL;
	ok = answer_error_text(answer) == NULL &&
	    answer_error_json(parsed) == NULL;
	if (!ok)
		(void)answer_print(answer, a->json);
	json_decref(parsed);
	free(answer);
	return ok ? 0 : -1;
}

/* Wait until the counters are not those of `before` any more.  Returns false
 * if they stay: errno is ENOENT if the socket is gone for good. */
static bool
reload_wait(const char *path, const struct tally *before, struct tally *now,
    bool doubt)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	uint64_t began = clock_ms();
	bool known;

	do {
		nanosleep(&moment, NULL);
		known = reload_count(path, now);
		/* The next program inherits the socket, its file included. */
		if (access(path, F_OK) == -1 && errno == ENOENT)
			return false;
		if (!known || now->busy)
			continue;
		if (now->done > before->done || now->refused > before->refused)
			return true;
		if (doubt && clock_ms() >= began + DOUBT_MS)
			break;
	} while (clock_ms() < began + RELOAD_MS);
	errno = ETIMEDOUT;
	return false;
}

static int
reload_fail(const struct arguments *a, const char *why, const char *more)
{
	char text[600];

	snprintf(text, sizeof(text), "%s%s", why, more);
	answer_print_error(text, a->json);
	return CTL_FAILED;
}

int
reload_run(const struct arguments *a)
{
	struct request first = { .path = a->path };
	struct tally before, now;
	int asked;

	if (!reload_count(a->path, &before)) {
		request_warn(&first, errno);
		return CTL_FAILED;
	}
	asked = reload_ask(a);
	if (asked == -1)
		return CTL_FAILED;
	if (!reload_wait(a->path, &before, &now, asked == ENODATA)) {
		if (errno == ENOENT)
			return reload_fail(a, a->path,
			    " is gone: "
			    "control-socket has changed, or echod has ended");
		return asked == ENODATA
		    ? reload_fail(a, a->path,
			  ": closed without an answer; "
			  "nothing was reloaded until now: repeat it")
		    : reload_fail(a, "the reload does not end", "");
	}
	if (now.done == before.done)
		return now.reason[0] == '\0'
		    ? reload_fail(a, "the reload was refused",
			  "; the log says why")
		    : reload_fail(a, "the reload was refused: ", now.reason);
	puts(a->json ? "{\"ok\":\"reloaded\"}" : "ok: reloaded");
	return CTL_OK;
}
