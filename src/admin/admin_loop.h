/* SPDX-License-Identifier: ISC */
/*
 * The loop of the administration process.
 */
#ifndef ECHOD_ADMIN_ADMIN_LOOP_H
#define ECHOD_ADMIN_ADMIN_LOOP_H

/* Answer until the master says that it is enough, or is gone. */
void admin_loop_run(void);

#endif
