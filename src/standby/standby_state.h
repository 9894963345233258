/* SPDX-License-Identifier: ISC */
/*
 * The standby as the master has it: struct standby, which standby.c owns.
 */
#ifndef ECHOD_STANDBY_STANDBY_STATE_H
#define ECHOD_STANDBY_STANDBY_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Times are clock_ms(). */
struct standby {
	bool over;	  /* the service ends: no other one */
	bool told;	  /* that there is none, and why */
	pid_t ended;	  /* reaped, and not logged; 0: none */
	int status;	  /* of it, from wait(2) */
	uint64_t started; /* the last one */
	uint64_t start_at;
	unsigned backoff; /* ms that the next one has to wait */
	/* After an exec: the standby of the program before. */
	pid_t before; /* 0: none, or it is gone */
	int before_pidfd;
	uint64_t handover; /* number of it, arena.h */
	pid_t former;	   /* the master before, not logged; 0: none */
	uint64_t log_by;   /* it is logged then at the latest */
	/* Workers of a former master are replaced one by one. */
	unsigned leaving;  /* slot + 1 of the one that was asked; 0: none */
	unsigned replaced; /* slot + 1 of the last one; 0: none */
	uint64_t deadline; /* of these two */
};

#endif
