/* SPDX-License-Identifier: ISC */
/*
 * The dump: echod -T.
 */
#include "commands/dump.h"

#include <stdio.h>

#include "config/addresses.h"
#include "config/serialize.h"
#include "lib/exit_status.h"
#include "lib/log.h"

int
dump(const struct config *c)
{
	/* A file with a mistake is dumped as far as it could be read. */
	bool read = c->mistakes == 0 || c->file[0] != '\0';

	if (read)
		addresses_dump(c, stdout);
	if (read && config_dump(c, stdout) == -1)
		return EXIT_NOT_STARTED; /* lib/output.c gives the reason */
	if (c->mistakes == 0)
		return EXIT_CLEAN;
	log_warnx("%s", c->mistake);
	if (c->mistakes > 1)
		log_warnx("%u more mistakes", c->mistakes - 1);
	return EXIT_CONFIG;
}
