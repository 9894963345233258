/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 8: it keeps an address in `config`, which is elsewhere in the
 * next step.
 */
#include "echod/handler.h"

#include <string.h>

static const char *greeting;

static size_t
config_configure(const struct echod_option *options, size_t count, void *config,
    char *error, size_t error_size)
{
	(void)options;
	(void)count;
	(void)error;
	(void)error_size;
	strcpy(config, "hello\n");
	return sizeof("hello\n");
}

static int
config_step(struct echod_step *s)
{
	if (greeting == NULL || s->event == ECHOD_OPEN)
		greeting = s->config;
	if (s->in_len == 0)
		return ECHOD_WAIT;
	s->consume = 1;
	s->write = strlen(greeting);
	memcpy(s->out, greeting, s->write);
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "config",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.configure = config_configure,
	.step = config_step,
};
