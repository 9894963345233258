/*
 * The service: brought up from nothing, or taken over from another image of
 * the program that ran it until now.
 */
#ifndef ECHOD_SERVICE_H
#define ECHOD_SERVICE_H

#include "config/config.h"
#include "master/takeover.h"

/* Start the service and run it until it is stopped.  Returns the program's
 * exit status. */
int service_start(const struct config *c);

/* Build the configuration of the program that takes over.  Returns 0, or -1
 * with `e` filled in. */
typedef int service_load(struct config *c, struct config_error *e);

/*
 * Take the service over from the image that wrote `t` and run it until it is
 * stopped.  If that cannot be, the image before is executed again and carries
 * on; returns only after a stop, or when that one cannot be executed either.
 */
int service_resume(struct config *c, const struct takeover *t,
    service_load *load);

#endif
