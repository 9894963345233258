/* SPDX-License-Identifier: ISC */
/*
 * The module under test: loaded, checked, configured; its static variables can
 * be put back to what a new worker would have.
 */
#ifndef ECHOD_HANDLER_TEST_MODULE_H
#define ECHOD_HANDLER_TEST_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include "echod/handler.h"

struct module {
	const struct echod_handler *handler;
	char *config; /* what configure() filled in; NULL without */
	size_t config_size;
};

/* Load the module of a file and configure it.  Returns false with a reason in
 * tester->error. */
bool module_load(struct module *m, const char *path,
    const struct echod_option *options, size_t count);

/* Give the module's static variables the values that they had after
 * module_load(): so does a new process. */
void module_renew(void);

/* The name of the memory that a word in `bytes` points to: "the heap".  NULL if
 * there is none. */
const char *module_address_in(const void *bytes, size_t size);

#endif
