/* SPDX-License-Identifier: ISC */
/*
 * What the administration process is started with: descriptors of its own, a
 * record, two mappings.
 */
#include "admin/begin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/unistd.h>

#include "admin/master_link.h"
#include "config/serialize.h"
#include "config/services.h"
#include "config/value.h"
#include "lib/key_values.h"
#include "lib/log.h"

struct record {
	pid_t master;
	struct config *config;
};

static int
begin_take(void *to, const char *key, const char *value)
{
	struct record *r = to;
	const char *reason = NULL;

	if (strcmp(key, ADMIN_KEY_MASTER) == 0) {
		r->master = (pid_t)strtonum(value, 1, INT_MAX, &reason);
		return reason == NULL ? 0 : -1;
	}
	return config_restore(r->config, key, value) == -1 ? -1 : 0;
}

/* Returns 0, or -1 with the reason logged. */
static int
begin_read_record(struct record *r)
{
	char *text, why[256];
	size_t length;
	int result;

	text = key_values_text(ADMIN_RECORD, &length);
	if (text == NULL) {
		log_warn("the record that the master gives");
		return -1;
	}
	result = key_values_each(text, length, begin_take, r, why, sizeof(why));
	free(text);
	if (r->config->services == 0)
		config_make_service(r->config);
	if (result == 0 && r->master > 0)
		return 0;
	log_warnx("the record that the master gives: %s",
	    result == 0 ? "it names no master" : why);
	return -1;
}

/* This process is of no use without the master.  A master that died before the
 * call is noticed by its absence. */
static bool
begin_follow(pid_t master)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == master;
}

/* The same memfd for reading: a mapping by that cannot be made one for writing
 * later.  Without /proc it is the one that was given. */
static int
begin_reopen(int fd)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	return again == -1 ? fd : again;
}

/* Returns 0, or -1 with the reason logged. */
static int
begin_map(struct view *v)
{
	static struct arena arena;
	char why[256];

	if (arena_look(&arena, begin_reopen(ADMIN_ARENA), why, sizeof(why)) ==
	    -1) {
		log_warnx("%s", why);
		return -1;
	}
	v->arena = &arena;
	v->service = service_look(begin_reopen(ADMIN_SERVICE), why,
	    sizeof(why));
	if (v->service != NULL)
		return 0;
	log_warnx("%s", why);
	return -1;
}

int
begin_admin(struct view *v)
{
	static struct config config;
	struct record r = { 0, &config };

	closefrom(ADMIN_DESCRIPTORS);
	log_set_role("admin");
	log_open_remote(ADMIN_LOG);
	config_defaults(&config);
	if (begin_read_record(&r) == -1)
		return ADMIN_FAILED;
	if (!begin_follow(r.master))
		exit(ADMIN_FINISHED);
	v->config = &config;
	if (begin_map(v) == -1)
		return ADMIN_MISMATCH;
	log_follow((const _Atomic uint32_t *)&v->service->loglevel);
	/* Nothing of these is needed any more, nor what was opened anew. */
	close(ADMIN_PROGRAM);
	close(ADMIN_RECORD);
	close(ADMIN_ARENA);
	close(ADMIN_SERVICE);
	closefrom(ADMIN_DESCRIPTORS);
	master_link_begin(ADMIN_MASTER, r.master);
	return 0;
}
