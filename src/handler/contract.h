/* SPDX-License-Identifier: ISC */
/*
 * What echod/handler.h asks of a handler, checked: by the service for every
 * step, by the loader, and by echod-handler-test(1).
 */
#ifndef ECHOD_HANDLER_CONTRACT_H
#define ECHOD_HANDLER_CONTRACT_H

#include <stddef.h>

#include "echod/handler.h"

/* Bytes that follow a state and do not belong to it, up to the next 64. */
#define CONTRACT_ALIGN 64

/* Check what a module exports.  Returns 0, or -1 with a reason in `why`: "its
 * ABI is 2, this echod has 1". */
int contract_check_handler(const struct echod_handler *h, char *why,
    size_t size);

/* The reason why `next` with `s` is no answer to the step that `s` tells of;
 * NULL if it is one. */
const char *contract_broken(const struct echod_handler *h,
    const struct echod_step *s, int next);

#endif
