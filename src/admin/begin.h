/* SPDX-License-Identifier: ISC */
/*
 * What the administration process is started with.
 */
#ifndef ECHOD_ADMIN_BEGIN_H
#define ECHOD_ADMIN_BEGIN_H

#include "admin/view.h"

/* Take the descriptors and the record that the master gives, map what is to be
 * read, and stay no longer than the master.  The log is open afterwards.
 * Returns 0, or the status to exit with, and the reason is logged. */
int begin_admin(struct view *v);

#endif
