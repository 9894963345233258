/* SPDX-License-Identifier: ISC */
/*
 * The handlers image: what the handlers of a configuration are, in a memfd.
 *
 * A child loads the module of each service, gives it its options, and writes
 * down what it exports and what configure() has filled in.  So a start, a
 * reload and -t have one opinion, and the master runs no code of a module.  The
 * child did: what it wrote is checked like anything from outside.
 */
#ifndef ECHOD_HANDLER_IMAGE_H
#define ECHOD_HANDLER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "handler/load.h"

#define IMAGE_SERVICES 16
#define IMAGE_OPTIONS 16
#define IMAGE_NAME 64
#define IMAGE_PROBE 1024
#define IMAGE_WHY 1024

/* What the configuration says.  `where` names file, line and directive, for
 * messages: "redis.conf:12: handler". */
struct image_option {
	const char *name, *value, *where;
};

struct image_service {
	const char *name;
	const char *handler, *where;
	unsigned options;
	struct image_option option[IMAGE_OPTIONS];
};

struct image_request {
	unsigned services;
	struct image_service service[IMAGE_SERVICES];
	/* Of the service: root changes to them in the child.  "": it does
	 * not. */
	const char *user, *group;
};

/* What the handler of a service is. */
struct image_entry {
	char service[32];
	uint64_t asked; /* a mark of handler and options as they were */
	char name[IMAGE_NAME], version[IMAGE_NAME];
	char path[LOAD_PATH]; /* of the module; "": built in */
	uint64_t device, inode, mtime_ns, size; /* of its file */
	uint32_t state_version, state_size, in_max, out_max;
	uint32_t migrates; /* 1: it has migrate() */
	uint32_t probe_size, answer_size;
	uint32_t answers; /* 1: it says what its answer begins with */
	char probe[IMAGE_PROBE], answer[IMAGE_PROBE];
	uint32_t data_size; /* of what configure() filled in */
	uint64_t data_at;   /* in the memfd */
	uint64_t data_mark; /* of its bytes; image_read() makes it */
};

struct image {
	unsigned services;
	struct image_entry entry[IMAGE_SERVICES];
};

/* The user that may own modules, beside root. */
uid_t image_owner(const struct image_request *r);

/* An empty memfd, close-on-exec; -1 with errno set. */
int image_memfd(void);

/* Fill in the image.  Takes five seconds at most.  Returns 0, or -1 with a
 * reason in `why`, which names file, line and thing. */
int image_make(int memfd, const struct image_request *r, char *why,
    size_t size);

/* Nobody can write to the image from now on.  Returns 0, or -1 with errno
 * set. */
int image_seal(int memfd);

/* Read an image that image_make() of this version filled in, perhaps in another
 * process, for services that are still as in `r`.  Returns 0, or -1 with a
 * reason in `why`. */
int image_read(int memfd, const struct image_request *r, struct image *image,
    char *why, size_t size);

/* Copy what configure() filled in for `e` to a sealed memfd, close-on-exec.
 * Returns -1 if there is nothing (errno 0), or with errno set. */
int image_data(int memfd, const struct image_entry *e);

#endif
