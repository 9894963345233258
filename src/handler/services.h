/* SPDX-License-Identifier: ISC */
/*
 * What a configuration asks of handlers.
 */
#ifndef ECHOD_HANDLER_SERVICES_H
#define ECHOD_HANDLER_SERVICES_H

#include "config/config.h"
#include "handler/image.h"

/* Fill in `r` with the services of `c`, whose texts `r` names as long as `c`
 * and the next call last. */
void services_request(const struct config *c, struct image_request *r);

#endif
