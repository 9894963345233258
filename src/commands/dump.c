/* SPDX-License-Identifier: ISC */
/*
 * The dump: echod -T.
 */
#include "commands/dump.h"

#include <stdio.h>
#include <unistd.h>

#include "config/addresses.h"
#include "config/serialize.h"
#include "handler/services.h"
#include "lib/exit_status.h"
#include "lib/log.h"

/* The modules that the services have, as comments. */
static int
dump_handlers(const struct config *c)
{
	static struct image_request r;
	static struct image image;
	int memfd = image_memfd();
	char why[IMAGE_WHY];

	services_request(c, &r);
	if (memfd == -1) {
		log_warn("memory for handlers");
		return -1;
	}
	if (image_make(memfd, &r, why, sizeof(why)) == -1 ||
	    image_read(memfd, &r, &image, why, sizeof(why)) == -1) {
		log_warnx("%s", why);
		close(memfd);
		return -1;
	}
	close(memfd);
	for (unsigned i = 0; i < image.services; i++) {
		const struct image_entry *e = &image.entry[i];

		if (e->path[0] != '\0')
			printf("# service %s: handler %s %s, %s\n", e->service,
			    e->name, e->version, e->path);
	}
	return 0;
}

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
		return dump_handlers(c) == 0 ? EXIT_CLEAN : EXIT_CONFIG;
	log_warnx("%s", c->mistake);
	if (c->mistakes > 1)
		log_warnx("%u more mistakes", c->mistakes - 1);
	return EXIT_CONFIG;
}
