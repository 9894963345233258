/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 10: it opens a file for a client that says "l".
 */
#include "echod/handler.h"

#include <fcntl.h>
#include <unistd.h>

static int
file_step(struct echod_step *s)
{
	for (; s->consume < s->in_len; s->consume++)
		if (s->in[s->consume] == 'l')
			close(open("/etc/passwd", O_RDONLY));
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "file",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.step = file_step,
};
