/* SPDX-License-Identifier: ISC */
/*
 * What one image of the program tells the next: a record in a memfd, and the
 * descriptors that go with it. (lib/key_values.h).
 */
#ifndef ECHOD_MASTER_UPGRADE_RECORD_H
#define ECHOD_MASTER_UPGRADE_RECORD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "config/addresses.h"
#include "shared/service.h"
#include "shared/outcome.h"
#include "shared/layout.h"

struct upgrade_record {
	int record;		/* the memfd */
	char version[64];	/* of the program that runs */
	char layout[96];	/* layout_words() of it */
	char program[PATH_MAX]; /* executable_path(), executable_directory() */
	char directory[PATH_MAX];
	int pid;   /* of the master */
	int arena; /* descriptors, -1 where there is none */
	int service;
	int executable; /* the image that was replaced */
	int pidfile;
	int log;
	int control, metrics;	     /* listeners */
	int admin;		     /* pid of that process; 0: none */
	int admin_socket;	     /* request_pair(); -1: none */
	uint64_t began;		     /* clock_ms(): workers told to leave */
	uint64_t connections;	     /* held then */
	bool again;		     /* another reload was asked for */
	struct outcome asked, later; /* who waits for the end of which */
	char checked[64];	     /* version that has passed the check */
	char failure[1024];	     /* why the next image gave it back */
	struct config config;	     /* as it runs */
	struct resolved resolved;    /* by the check, for the next */
	unsigned listeners;
	char listener[ARENA_LISTENERS_MAX][LISTENER_NAME];
};

/* Write all of `t` but `record`, `checked` and `failure` into a new record.
 * Returns its descriptor, close-on-exec, or -1 with errno set. */
int record_write(const struct upgrade_record *t);

/* Read a record.  Returns 0, or -1 with a reason in `why`. */
int record_read(struct upgrade_record *t, int record, char *why, size_t size);

/*
 * The record this process was started with: 1 and `t` is filled in, 0 if there
 * is none, -1 with a reason in `why`.  The environment names it no longer
 * afterwards.
 */
int record_inherit(struct upgrade_record *t, char *why, size_t size);

/* Add what names of `bind` were resolved to.  Returns 0, or -1 with errno
 * set. */
int record_add_resolved(int record, const struct resolved *r);

#endif
