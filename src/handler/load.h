/* SPDX-License-Identifier: ISC */
/*
 * Modules: finding the file of a handler, and loading it.
 *
 * Loading runs code of the module.  The master never does that: a child of it
 * does (handler/image.h), and each worker, before its sandbox.
 */
#ifndef ECHOD_HANDLER_LOAD_H
#define ECHOD_HANDLER_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "echod/handler.h"

#define LOAD_PATH 256

/* The file of a module. */
struct load_file {
	int fd;		      /* close-on-exec; -1: the handler is built in */
	char path[LOAD_PATH]; /* "" then */
	uint64_t device, inode, mtime_ns, size;
};

/*
 * Open the file of the module that `handler` names: an absolute path, or a
 * plain name, which is looked for beside this program, as it is built or
 * installed, and in HANDLERSDIR.  The file belongs to root or to `user`,
 * and nobody else can write to it or replace it.  No code runs.  Returns 0, or
 * -1 with a reason in `why`.
 */
int load_open(const char *handler, uid_t user, struct load_file *f, char *why,
    size_t size);

/* Load the module in `fd`, which stays open and in place as long as the process
 * lives.  `path` is for messages, and for systems without /proc.  Returns what
 * it exports, checked, or NULL with a reason in `why`. */
const struct echod_handler *load_module(int fd, const char *path, char *why,
    size_t size);

#endif
