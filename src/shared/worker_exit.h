/* SPDX-License-Identifier: ISC */
/*
 * Exit statuses of a worker process, for the master.
 */
#ifndef ECHOD_SHARED_WORKER_EXIT_H
#define ECHOD_SHARED_WORKER_EXIT_H

enum worker_exit {
	WORKER_DRAINED = 0, /* the slot's job is done, nothing is held */
	WORKER_LEFT = 10,   /* told to go between two operations */
	WORKER_FAILED = 11  /* cannot work; the log says why */
};

#endif
