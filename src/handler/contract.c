/* SPDX-License-Identifier: ISC */
/*
 * What echod/handler.h asks of a handler, checked.
 */
#include "handler/contract.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PROBE_LIMIT 1024
#define NAME_LIMIT 63

static int contract_fail(char *why, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
contract_fail(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -1;
}

/* Names appear in logs and metrics. */
static bool
contract_is_word(const char *s)
{
	size_t n = s == NULL ? 0 : strnlen(s, NAME_LIMIT + 1);

	if (n == 0 || n > NAME_LIMIT)
		return false;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~' || strchr("\"\\<>&", *s) != NULL)
			return false;
	return true;
}

int
contract_check_handler(const struct echod_handler *h, char *why, size_t size)
{
	/* Nothing behind `size` is read if it is another structure. */
	if (h->abi != ECHOD_ABI)
		return contract_fail(why, size,
		    "its ABI is %u, this echod has %u", h->abi, ECHOD_ABI);
	if (h->size != sizeof(*h))
		return contract_fail(why, size,
		    "its struct echod_handler has %u bytes, not %zu", h->size,
		    sizeof(*h));
	if (!contract_is_word(h->name))
		return contract_fail(why, size,
		    "its name is missing, or not 1 to %d printable characters",
		    NAME_LIMIT);
	if (!contract_is_word(h->version))
		return contract_fail(why, size,
		    "its version is missing, or not 1 to %d printable "
		    "characters",
		    NAME_LIMIT);
	if (h->state_size > ECHOD_STATE_LIMIT)
		return contract_fail(why, size,
		    "its state_size is %u, the limit is %u", h->state_size,
		    ECHOD_STATE_LIMIT);
	if (h->in_max == 0 || h->in_max > ECHOD_IN_LIMIT)
		return contract_fail(why, size, "its in_max is %u, not 1 to %u",
		    h->in_max, ECHOD_IN_LIMIT);
	if (h->out_max == 0 || h->out_max > ECHOD_OUT_LIMIT)
		return contract_fail(why, size,
		    "its out_max is %u, not 1 to %u", h->out_max,
		    ECHOD_OUT_LIMIT);
	if (h->step == NULL)
		return contract_fail(why, size, "it has no step function");
	if (h->probe_size > PROBE_LIMIT || h->answer_size > PROBE_LIMIT ||
	    (h->probe_size > 0 && h->probe == NULL) ||
	    (h->answer_size > 0 && h->answer == NULL))
		return contract_fail(why, size,
		    "its probe or answer is longer than %d bytes, or missing",
		    PROBE_LIMIT);
	return 0;
}

const char *
contract_broken(const struct echod_handler *h, const struct echod_step *s,
    int next)
{
	if (next < ECHOD_WAIT || next > ECHOD_ABORT)
		return "its step returned no enum echod_next";
	if (next == ECHOD_ABORT)
		return NULL;
	if (s->consume > s->in_len)
		return "it consumed more than there was";
	if (s->write > h->out_max)
		return "it wrote more than out_max";
	if (s->pass > s->consume)
		return "it passed more than it consumed";
	if (next == ECHOD_AGAIN && s->consume == 0 && s->write == 0)
		return "it asked to go on, and consumed and wrote nothing";
	if (s->event == ECHOD_DATA && next == ECHOD_WAIT && s->consume == 0 &&
	    (s->flags & ECHOD_FULL) != 0)
		return "it waits for input although no more fits";
	return NULL;
}
