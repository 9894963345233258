/* SPDX-License-Identifier: ISC */
/*
 * The administration process, as the master has it.
 */
#ifndef ECHOD_MASTER_ADMIN_STATE_H
#define ECHOD_MASTER_ADMIN_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 *	NONE		a service without control socket and metrics
 *	RUNNING   <---- WAITING		the next one is due at start_at
 *	   |		 ^
 *	   |  it dies	 |
 *	   +-------------+
 *	   |		 |  it is gone
 *	   +-> FINISHING-+		told to answer what it has begun
 *	   |
 *	   +-> IMPOSSIBLE		it is of another version
 */
enum admin_phase {
	ADMIN_NONE,
	ADMIN_RUNNING,
	ADMIN_FINISHING,
	ADMIN_WAITING,
	ADMIN_IMPOSSIBLE
};

struct admin {
	enum admin_phase phase;
	int program; /* what is executed; -1: none */
	pid_t pid;   /* 0: none, or it has ended ... */
	int status;  /* ... with this */
	int pidfd;   /* 0: none */
	int socket;  /* request_pair(); -1: none */
	/* While it is started: its record and the ends of its socketpair, -1 or
	 * 0: none.  A successor of this master closes them. */
	int starting[3];
	bool stopped;		 /* by a signal, SIGSTOP for one */
	bool restart;		 /* it is to be replaced */
	uint64_t started;	 /* clock_ms() */
	uint64_t start_at;	 /* ADMIN_WAITING */
	uint64_t end_at;	 /* ADMIN_FINISHING: killed then */
	unsigned backoff;	 /* ms that the next start has to wait */
	unsigned deaths;	 /* in a row */
	uint64_t ping_at, heard; /* clock_ms() */
};

#endif
