/* SPDX-License-Identifier: ISC */
/*
 * The test of a configuration: echod -t, and the same by the next program
 * before a reload.
 */
#include "master/start/test.h"

#include <limits.h>
#include <stdio.h>

#include "lib/exit_status.h"
#include "lib/log.h"
#include "master/listeners/listen.h"
#include "master/start/admin_sockets.h"

int
test_configuration(const struct config *c, const struct upgrade_record *before)
{
	struct resolved resolved;
	char why[PATH_MAX];

	if (before != NULL
		? record_check(before, c, why, sizeof(why)) == -1
		: listen_check(NULL, 0, c, &resolved, why, sizeof(why)) == -1 ||
		    admin_sockets_check(c, NULL, why, sizeof(why)) == -1) {
		log_warnx("%s", why);
		return EXIT_CONFIG;
	}
	if (before != NULL &&
	    record_add(before->record, "checked", PACKAGE_VERSION) == -1) {
		log_warn("takeover");
		return EXIT_NOT_STARTED;
	}
	printf("echod: configuration %s is ok\n",
	    c->file[0] != '\0' ? c->file : "(built in)");
	return EXIT_CLEAN;
}
