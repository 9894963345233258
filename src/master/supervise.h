/*
 * Telling the service manager: sd_notify(3)'s protocol.
 */
#ifndef ECHOD_MASTER_SUPERVISE_H
#define ECHOD_MASTER_SUPERVISE_H

#include <stdbool.h>

#include "config/config.h"

/* True if a service manager wants to be told (NOTIFY_SOCKET is set). */
bool supervise_wanted(void);

/* From now on supervise_notify() sends; before, it does nothing. */
void supervise_enable(void);

/* Send assignments separated by newlines, e.g. "READY=1".  A manager that
 * cannot be reached is warned about once. */
void supervise_notify(const char *state);

/* Send that the service is ready, on addresses called `names`; `remark` goes
 * behind the status. */
void supervise_ready(const struct config *c, const char *names,
    const char *remark);

#endif
