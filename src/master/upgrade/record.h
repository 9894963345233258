/* SPDX-License-Identifier: ISC */
/*
 * The upgrade record: what one program tells the next, in a memfd.
 *
 * The record is a list of "key=value" strings (lib/key_values.h).  A program
 * ignores keys that it does not know, so different versions can read each
 * other's records.
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
	char layout[96];	/* its layout_words() */
	char program[PATH_MAX]; /* executable_path(), executable_directory() */
	char directory[PATH_MAX];
	int pid;   /* of the master */
	int arena; /* descriptors; -1: none */
	int service;
	int executable; /* of the program that runs */
	int pidfile;
	int log;
	int handlers; /* the image of the next program's, image.h; -1: none */
	int control, metrics; /* the administrator's listeners */
	int admin;	      /* pid of the administration process; 0: none */
	int admin_socket;     /* request_pair(); -1: none */
	int standby;	      /* its pid; 0: none */
	uint64_t number;      /* of the handover, arena.h */
	uint64_t began;	      /* clock_ms() when workers were told to leave */
	uint64_t connections; /* held then */
	bool again;	      /* another reload was asked for */
	struct outcome asked, later; /* as in struct reload */
	char checked[64];	     /* version that passed the check */
	char failure[1024];	     /* why the next program gave back */
	struct config config;	     /* as it runs */
	struct resolved resolved;    /* by the check */
	unsigned listeners;
	char listener[ARENA_LISTENERS_MAX][LISTENER_NAME];
};

/* Write a new record: all of `t` except `record`, `checked` and `failure`.
 * Returns its descriptor, close-on-exec, or -1 with errno set. */
int record_write(const struct upgrade_record *t);

/* Read a record.  Returns 0, or -1 with a reason in `why`. */
int record_read(struct upgrade_record *t, int record, char *why, size_t size);

/* Read the record that this process was started with, and remove the variable
 * that names it from the environment.  Returns 1, 0 if there is no record, or
 * -1 with a reason in `why`. */
int record_inherit(struct upgrade_record *t, char *why, size_t size);

/* Add the addresses that names of `bind` stand for.  Returns 0, or -1 with
 * errno set. */
int record_add_resolved(int record, const struct resolved *r);

#endif
