/* SPDX-License-Identifier: ISC */
/*
 * The promises, tried with one conversation.
 */
#ifndef ECHOD_HANDLER_TEST_CHECKS_H
#define ECHOD_HANDLER_TEST_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handler-test/module.h"
#include "handler-test/tester.h"

struct check {
	const char *input;
	size_t size;
	uint64_t seed;
	enum promise aim; /* 0: all promises; or end when this is broken */
	bool light;	  /* a few runs only: there are many such inputs */
};

/* Memory for the checks of this module, once. */
void checks_begin(const struct module *m);

/* Findings are in tester->finding. */
void checks_input(const struct check *c);

#endif
