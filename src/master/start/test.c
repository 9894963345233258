/* SPDX-License-Identifier: ISC */
/*
 * The test of a configuration.
 */
#include "master/start/test.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/descriptor_name.h"
#include "lib/exit_status.h"
#include "lib/key_values.h"
#include "lib/log.h"
#include "master/admin_program.h"
#include "master/handlers.h"
#include "master/listeners/listen.h"
#include "master/start/admin_sockets.h"
#include "master/upgrade/executable.h"
#include "shared/arena.h"
#include "shared/layout.h"
#include "shared/service.h"

/* A resolver may take longer than the check has.  Then this is its last line,
 * and says why. */
static void
test_announce_names(const struct config *c)
{
	char list[512] = "";

	for (unsigned k = 0; k < c->services; k++) {
		const struct bind_list *b = &c->service[k].bind;

		for (unsigned i = 0; i < b->count; i++)
			if (b->address[i].named) {
				strlcat(list, " ", sizeof(list));
				strlcat(list, b->address[i].host, sizeof(list));
			}
	}
	if (*list != '\0')
		log_warnx("bind: waiting for the resolver, for%s", list);
}

/* What cannot change while the service runs. */
static int
test_upgrade(const struct upgrade_record *t, const struct config *c, char *why,
    size_t size)
{
	if (strcmp(t->layout, layout_words()) != 0) {
		snprintf(why, size,
		    "its arena layout is %s, that of the running program is %s",
		    layout_words(), t->layout);
		return -1;
	}
	if (strcmp(c->user, t->config.user) != 0 ||
	    strcmp(c->group, t->config.group) != 0) {
		snprintf(why, size,
		    "user and group cannot change from \"%s\" "
		    "\"%s\" to \"%s\" \"%s\" without a restart",
		    t->config.user, t->config.group, c->user, c->group);
		return -1;
	}
	if (t->config.daemonize && descriptor_name(c->logfile) != -1) {
		snprintf(why, size, "logfile: %s is what a daemon gives up",
		    c->logfile);
		return -1;
	}
	return 0;
}

/* In a reload, the image is the next program's. */
static int
test_handlers(const struct upgrade_record *t, const struct config *c, char *why,
    size_t size)
{
	const struct service_state *s = NULL;
	int memfd, r;

	if (t != NULL) {
		s = service_look(EXECUTABLE_CHECK_STATE, why, size);
		if (s == NULL)
			return -1;
		return handlers_check(EXECUTABLE_CHECK_IMAGE, c, s, why, size);
	}
	memfd = image_memfd();
	if (memfd == -1) {
		snprintf(why, size, "memory for handlers: %s", strerror(errno));
		return -1;
	}
	r = handlers_check(memfd, c, NULL, why, size);
	close(memfd);
	return r;
}

/* The steps are those that a start or a resume takes; nothing is changed.
 * Returns 0, or -1 with a reason in `why`. */
static int
test_all(const struct upgrade_record *t, const struct config *c, char *why,
    size_t size)
{
	const char *names[ARENA_LISTENERS_MAX];
	struct resolved resolved;

	if (t != NULL) {
		if (test_upgrade(t, c, why, size) == -1)
			return -1;
		for (unsigned i = 0; i < t->listeners; i++)
			names[i] = t->listener[i];
		test_announce_names(c);
	}
	if (listen_check(t != NULL ? names : NULL, t != NULL ? t->listeners : 0,
		c, &resolved, why, size) == -1 ||
	    admin_sockets_check(c, t != NULL ? &t->config : NULL, why, size) ==
		-1 ||
	    admin_program_check(c, why, size) == -1 ||
	    test_handlers(t, c, why, size) == -1)
		return -1;
	if (t == NULL ||
	    (record_add_resolved(t->record, &resolved) == 0 &&
		key_values_add(t->record, "checked", PACKAGE_VERSION) == 0))
		return 0;
	snprintf(why, size, "takeover: %s", strerror(errno));
	return -1;
}

int
test_configuration(const struct config *c, const struct upgrade_record *before)
{
	char why[PATH_MAX + IMAGE_WHY];

	if (test_all(before, c, why, sizeof(why)) == -1) {
		log_warnx("%s", why);
		return EXIT_CONFIG;
	}
	printf("echod: configuration %s is ok\n",
	    c->file[0] != '\0' ? c->file : "(built in)");
	return EXIT_CLEAN;
}
