/* SPDX-License-Identifier: ISC */
/*
 * The signals that the master records.
 */
#ifndef ECHOD_MASTER_RECORDED_H
#define ECHOD_MASTER_RECORDED_H

/* Record them from now on; what was recorded before is forgotten. */
void recorded_choose(void);

/* Signals that this program has recorded and not acted on are sent again: they
 * wait, blocked, for the program that goes on. */
void recorded_pass_on(void);

#endif
