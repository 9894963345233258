/* SPDX-License-Identifier: ISC */
/*
 * What the master tells the administration process.
 */
#ifndef ECHOD_MASTER_ADMIN_LINK_H
#define ECHOD_MASTER_ADMIN_LINK_H

#include "master/master.h"
#include "shared/request.h"

/* Send it a message, if there is such a process; one that does not read misses
 * it. */
void admin_link_tell(const struct master *m, enum message_kind kind,
    uint32_t sequence, const char *text);

/* Tell it what came of the reload that its requests among `o` asked for. */
void admin_link_tell_outcome(const struct master *m, const struct outcome *o,
    bool done, const char *text);

#endif
