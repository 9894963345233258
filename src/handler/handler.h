/* SPDX-License-Identifier: ISC */
/*
 * The built-in handlers.  Their interface is that of modules, echod/handler.h.
 */
#ifndef ECHOD_HANDLER_HANDLER_H
#define ECHOD_HANDLER_HANDLER_H

#include "echod/handler.h"

extern const struct echod_handler handler_echo;	   /* whole lines */
extern const struct echod_handler handler_raw;	   /* RFC 862: at once */
extern const struct echod_handler handler_discard; /* RFC 863: nothing back */

/* The built-in handler called `name`, or NULL. */
const struct echod_handler *handler_builtin(const char *name);

/* Their names, for messages: "echo, raw, discard". */
#define HANDLER_BUILTIN_NAMES "echo, raw, discard"

#endif
