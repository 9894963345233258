/* SPDX-License-Identifier: ISC */
/*
 * The arguments of a command, as much of them as the state keeps.
 */
#include <string.h>
#include <strings.h>

#include "resp.h"

/* A command of `n` arguments begins. */
void
arguments_begin(struct resp_state *state, int32_t n)
{
	state->arguments = state->missing = n;
	state->bulk = -1;
	state->kept = 0;
	state->cut = 0;
	state->text_used = 0;
}

void
arguments_keep(struct resp_state *state, const char *data, size_t n)
{
	size_t room = RESP_TEXT_MAX - state->text_used, most = RESP_KEEP_MAX;
	char *to = state->text + state->text_used;

	if (state->kept == RESP_ARGUMENTS_MAX || room == 0)
		return;
	if (most > room - 1)
		most = room - 1;
	if (n > most) {
		state->cut |= UINT64_C(1) << state->kept;
		n = most;
	}
	memcpy(to, data, n);
	to[n] = '\0';
	state->text_used = (uint16_t)(state->text_used + n + 1);
	state->length[state->kept++] = (uint8_t)n;
}

const char *
arguments_get(const struct resp_state *state, int n)
{
	const char *text = state->text;

	if (n >= state->kept)
		return "";
	while (n-- > 0)
		text += state->length[n] + 1;
	return text;
}

size_t
arguments_length(const struct resp_state *state, int n)
{
	return n < state->kept ? state->length[n] : 0;
}

bool
arguments_cut(const struct resp_state *state, int n)
{
	return n >= state->kept || (state->cut >> n & 1) != 0;
}

bool
arguments_is(const struct resp_state *state, int n, const char *word)
{
	return !arguments_cut(state, n) &&
	    strcasecmp(arguments_get(state, n), word) == 0;
}

bool
arguments_number(const struct resp_state *state, int n, int64_t *number)
{
	return !arguments_cut(state, n) &&
	    number_read(arguments_get(state, n), arguments_length(state, n),
		number);
}

bool
number_read(const char *text, size_t n, int64_t *number)
{
	bool negative = n > 0 && text[0] == '-';
	int64_t value = 0;
	size_t i = negative;

	if (i == n || (text[i] == '0' && n > 1))
		return false;
	/* Negative all the time: the range is longer there. */
	for (; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, text[i] - '0', &value))
			return false;
	}
	if (!negative && value == INT64_MIN)
		return false;
	*number = negative ? value : -value;
	return true;
}
