/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 8: configure() stores an address.
 */
#include "echod/handler.h"

#include <string.h>

static size_t
config_configure(const struct echod_option *options, size_t count, void *config,
    char *error, size_t error_size)
{
	const char *name = "greeting";

	(void)error;
	(void)error_size;
	if (count > 0)
		name = options[0].name;
	memcpy(config, &name, sizeof(name));
	return sizeof(name);
}

static int
config_step(struct echod_step *s)
{
	s->consume = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "config-address",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.configure = config_configure,
	.step = config_step,
};
