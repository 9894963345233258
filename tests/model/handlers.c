/* SPDX-License-Identifier: ISC */
/*
 * The handlers of the scenes.
 */
#include "handlers.h"

#include <string.h>

#include "handler/handler.h"
#include "shared/connection.h"

#define IN_MAX 8
#define OUT_MAX 8
/* Between two beats, ms. */
#define BEAT 40

struct echod_handler scene_echo, scene_raw, scene_discard;

/* clang-format off */
#define HANDLER(function, version_, size_) \
	.abi = ECHOD_ABI, .size = sizeof(struct echod_handler), \
	.name = #function, .version = "1", .state_version = (version_), \
	.state_size = (size_), .in_max = IN_MAX, .out_max = OUT_MAX, \
	.step = (function)
/* clang-format on */

void
handlers_begin(void)
{
	scene_echo = handler_echo;
	scene_raw = handler_raw;
	scene_discard = handler_discard;
	scene_echo.in_max = scene_raw.in_max = scene_discard.in_max = IN_MAX;
}

static int
copy(struct echod_step *s)
{
	for (size_t i = 0; i < s->in_len; i++)
		s->out[i] = s->in[i];
	s->consume = s->write = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler scene_copy = { HANDLER(copy, 0, 0) };

/* One byte for each, which depends on all before. */
static unsigned
summed(unsigned sum, char c)
{
	return sum * 31 + (unsigned char)c + 7;
}

struct sum {
	unsigned sum;
};

static int
sum(struct echod_step *s)
{
	struct sum *state = s->state;

	for (size_t i = 0; i < s->in_len; i++) {
		state->sum = summed(state->sum, s->in[i]);
		s->out[i] = (char)(state->sum >> 3);
	}
	s->consume = s->write = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler scene_sum = { HANDLER(sum, 1, sizeof(struct sum)) };

/* The same, but the state is larger, begins with something else, and is not
 * zero at any time. */
struct sum_next {
	unsigned magic, count, sum;
};

#define MAGIC 0x5a5a5a5a

static int
sum_next(struct echod_step *s)
{
	struct sum_next *state = s->state;

	if (s->event == ECHOD_OPEN && state->magic == 0)
		state->magic = MAGIC;
	if (state->magic != MAGIC)
		return -1;
	for (size_t i = 0; i < s->in_len; i++) {
		state->count++;
		state->sum = summed(state->sum, s->in[i]);
		s->out[i] = (char)(state->sum >> 3);
	}
	s->consume = s->write = s->in_len;
	return ECHOD_WAIT;
}

static int
sum_migrate(uint32_t from, const void *old, size_t old_size, void *state)
{
	const struct sum *before = old;
	struct sum_next *now = state;

	if (from != 1 || old_size != sizeof(*before))
		return -1;
	now->magic = MAGIC;
	now->sum = before->sum;
	return 0;
}

const struct echod_handler scene_sum_next = {
	HANDLER(sum_next, 2, sizeof(struct sum_next)), .migrate = sum_migrate
};

/* A version with as little state as the first one: it lies at the same
 * place. */
struct sum_small {
	unsigned inverse;
};

static int
sum_small(struct echod_step *s)
{
	struct sum_small *state = s->state;

	if (s->event == ECHOD_OPEN)
		state->inverse = ~state->inverse;
	for (size_t i = 0; i < s->in_len; i++) {
		state->inverse = ~summed(~state->inverse, s->in[i]);
		s->out[i] = (char)(~state->inverse >> 3);
	}
	s->consume = s->write = s->in_len;
	return ECHOD_WAIT;
}

static int
sum_small_migrate(uint32_t from, const void *old, size_t old_size, void *state)
{
	const struct sum *before = old;

	if (from != 1 || old_size != sizeof(*before))
		return -1;
	((struct sum_small *)state)->inverse = ~before->sum;
	return 0;
}

const struct echod_handler scene_sum_small = { HANDLER(sum_small, 3,
						   sizeof(struct sum_small)),
	.migrate = sum_small_migrate };

static int
greeter(struct echod_step *s)
{
	if (s->event == ECHOD_OPEN) {
		s->out[0] = 'h';
		s->out[1] = 'i';
		s->write = 2;
	} else
		s->consume = s->pass = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler scene_greeter = { HANDLER(greeter, 0, 0) };

/* Ten letters, three at a time.  Input is counted in between, and the count is
 * said at the end. */
struct chargen {
	unsigned said, heard;
};

#define LETTERS 10

static int
chargen(struct echod_step *s)
{
	struct chargen *state = s->state;

	for (; s->write < 3 && state->said < LETTERS; s->write++)
		s->out[s->write] = (char)('A' + state->said++);
	if (state->said < LETTERS)
		return ECHOD_AGAIN;
	for (; s->consume < s->in_len && s->write < OUT_MAX; s->consume++)
		s->out[s->write++] = (char)('0' + ++state->heard % 10);
	return ECHOD_WAIT;
}

const struct echod_handler scene_chargen = { HANDLER(chargen, 0,
    sizeof(struct chargen)) };

/* Three beats; those that are left come at the end. */
struct heartbeat {
	unsigned beats;
};

static int
heartbeat(struct echod_step *s)
{
	struct heartbeat *state = s->state;
	unsigned until = state->beats + (s->event == ECHOD_TIMER);

	if (s->event == ECHOD_OPEN)
		s->wake_ms = s->now_ms + BEAT;
	if (s->event == ECHOD_EOF)
		until = 3;
	while (state->beats < until)
		s->out[s->write++] = (char)('1' + state->beats++);
	if (s->event == ECHOD_TIMER && state->beats < 3)
		s->wake_ms = s->now_ms + BEAT;
	if (s->event != ECHOD_TIMER)
		s->consume = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler scene_heartbeat = { HANDLER(heartbeat, 0,
    sizeof(struct heartbeat)) };

/* All that a window holds is passed, and then asked for again. */
static int
wide(struct echod_step *s)
{
	s->consume = s->pass = s->in_len;
	return s->in_len > 0 ? ECHOD_AGAIN : ECHOD_WAIT;
}

const struct echod_handler scene_wide = { .abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "wide",
	.version = "1",
	.in_max = SPILL_LINE,
	.out_max = 1,
	.step = wide };

static int
later(struct echod_step *s)
{
	if (s->event == ECHOD_TIMER || s->event == ECHOD_EOF ||
	    (s->flags & ECHOD_FULL) != 0)
		s->consume = s->pass = s->in_len;
	else if (s->in_len > 0 && s->wake_ms == 0)
		s->wake_ms = s->now_ms + BEAT;
	return ECHOD_WAIT;
}

const struct echod_handler scene_later = { HANDLER(later, 0, 0) };

/* What was taken and not said. */
struct tick {
	unsigned char count;
	char bytes[7];
};

static int
tick(struct echod_step *s)
{
	struct tick *state = s->state;

	if (s->event == ECHOD_TIMER || s->event == ECHOD_EOF ||
	    s->in_len > sizeof(state->bytes) - state->count)
		for (; s->write < state->count; s->write++)
			s->out[s->write] = state->bytes[s->write];
	if (s->write > 0)
		state->count = 0;
	if (s->event == ECHOD_EOF)
		s->consume = s->pass = s->in_len;
	while (s->consume < s->in_len && state->count < sizeof(state->bytes))
		state->bytes[state->count++] = s->in[s->consume++];
	if (state->count > 0 && s->wake_ms == 0)
		s->wake_ms = s->now_ms + BEAT;
	return ECHOD_WAIT;
}

const struct echod_handler scene_tick = { HANDLER(tick, 0,
    sizeof(struct tick)) };

static int
daytime(struct echod_step *s)
{
	static const char day[] = "Monday\n";

	for (; day[s->write] != '\0'; s->write++)
		s->out[s->write] = day[s->write];
	return ECHOD_FINISH;
}

const struct echod_handler scene_daytime = { HANDLER(daytime, 0, 0) };

/* Three bytes at a time: the first is written twice, the others are passed. */
static int
pieces(struct echod_step *s)
{
	if (s->in_len >= 3) {
		s->out[0] = s->out[1] = s->in[0];
		s->write = 2;
		s->pass = 2;
		s->consume = 3;
	} else if (s->event == ECHOD_EOF)
		s->consume = s->pass = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler scene_pieces = { HANDLER(pieces, 0, 0) };

static int
quit(struct echod_step *s)
{
	const char *q = memchr(s->in, 'q', s->in_len);

	s->consume = s->pass = q == NULL ? s->in_len : (size_t)(q - s->in);
	/* What is written comes before what is passed: so in two steps. */
	if (q != s->in || s->in_len == 0)
		return ECHOD_WAIT;
	s->out[0] = '!';
	s->write = 1;
	return ECHOD_FINISH;
}

const struct echod_handler scene_quit = { HANDLER(quit, 0, 0) };

/* Raw, until a '!': alone it resets the connection, else the answer is
 * nonsense. */
static int
strict(struct echod_step *s)
{
	const char *mark = memchr(s->in, STRICT_MARK, s->in_len);

	if (mark != NULL && mark == s->in)
		return s->in_len == 1 ? ECHOD_ABORT : 99;
	s->consume = s->pass = mark == NULL ? s->in_len
					    : (size_t)(mark - s->in);
	return ECHOD_WAIT;
}

const struct echod_handler scene_strict = { HANDLER(strict, 0, 0) };

struct trailer {
	unsigned heard, said;
};

static int
trailer(struct echod_step *s)
{
	struct trailer *state = s->state;

	state->heard += (unsigned)s->in_len;
	s->consume = s->in_len;
	if (s->event == ECHOD_EOF || s->event == ECHOD_MORE) {
		s->out[0] = (char)('a' + state->heard++);
		s->write = 1;
		return ++state->said < 3 ? ECHOD_AGAIN : ECHOD_FINISH;
	}
	return ECHOD_WAIT;
}

const struct echod_handler scene_trailer = { HANDLER(trailer, 0,
    sizeof(struct trailer)) };
