/* SPDX-License-Identifier: ISC */
/*
 * The model checker of the workers: what its parts say to each other.
 *
 * The functions of src/worker, src/state and src/handler are the real ones,
 * compiled so that every access to memory calls a hook (hooks.c).  Workers are
 * coroutines of one process; the kernel they call is kernel.c.  A run is a
 * row of choices (explore.c): who goes on, who dies, what a call returns.  All
 * rows within the limits of a scene are run, each from the beginning.
 */
#ifndef ECHOD_TESTS_EXPLORE_H
#define ECHOD_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "shared/arena.h"

#define SLOTS 3 /* the most workers of a scene */
#define DESCRIPTORS 16
#define CLIENTS 3
#define NOBODY UINT_MAX

/* What may go wrong in a run, and how often. */
struct limits {
	unsigned deaths; /* SIGKILL, at any store or call */
	unsigned stops;	 /* a worker stands still while others go on */
	unsigned faults; /* calls that do not do what is usual */
	unsigned early;	 /* events that come before all is quiet */
};

/* What happens to the service from outside. */
enum happening {
	END,
	CONNECTS, /* client `who` */
	SAYS,	  /* client `who`: `text` */
	FINISHES, /* client `who` sends its FIN */
	RESETS,	  /* client `who` is gone */
	STOPS,	  /* the service is told to stop */
	LEAVES,	  /* worker `who`, as at a reload */
	RETIRES,  /* worker `who`: a sibling takes over */
	PASSES	  /* `who` ms */
};

struct event {
	enum happening what;
	unsigned who;
	const char *text;
};

struct scene {
	const char *name;
	unsigned workers;
	enum handler_kind handler;
	struct event before[8]; /* nothing goes wrong yet */
	struct event script[8];
	struct limits quick, full; /* of make check, of make model */
	unsigned maxclients;	   /* 0: plenty */
};

/* The service. */
/* The master's pidfd, which does not die. */
#define PIDFD 2

extern struct arena arena;
extern struct config config;
extern const struct scene *scene;

/* The number of the worker that runs; NOBODY: none of them does. */
unsigned running(void);

/* Whether slot `k` has a worker. */
bool is_alive(unsigned k);

/* Here the running worker may die (`deadly`) or others may go on. */
void point(const char *what, uintptr_t where, bool deadly);

/* One of `n` outcomes of a call; 0 is the usual one. */
unsigned outcome(unsigned n);

/* Perhaps the next event comes now. */
void perhaps_event(void);

/* The running worker sleeps until `ready(k)`, or until `wake`. */
void sleep_until(uint64_t wake);

/* A named property does not hold: the run ends here. */
void violated(const char *property, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Part of the trace that is printed of a run that went wrong. */
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- kernel.c */

extern uint64_t now; /* ms */

void tcp_info_reset(void);
void tcp_info_event(const struct event *e);

/* As eventfd_write(2) to the slot's descriptor. */
void tcp_info_wake(unsigned k);

/* SIGTERM for slot k's worker, which ends its sleep. */
void tcp_info_signal(unsigned k, bool pending);

/* Whether what slot k's worker waits for has come. */
bool tcp_info_ready(unsigned k);

/* Clients that were told FIN say FIN; true if any did. */
bool tcp_info_answers(void);

/* The running worker writes to the arena at `p`. */
void tcp_info_written(const void *p);

/* All is quiet, and the script over: what must hold then. */
void tcp_info_at_rest(void);

#endif
