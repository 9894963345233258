/* SPDX-License-Identifier: ISC */
/*
 * The model checker of the workers: the interface between its parts.
 *
 * The functions of src/worker, src/shared and src/handler are the real ones,
 * compiled so that every access to memory calls a hook (hooks.c).  Workers are
 * coroutines of one process; they call the kernel of kernel.c.  A run is a
 * sequence of choices (explore.c): which worker goes on, which worker dies,
 * what a call returns.  All sequences within the limits of a scene are run,
 * each from the beginning.
 */
#ifndef ECHOD_TESTS_EXPLORE_H
#define ECHOD_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "echod/handler.h"
#include "shared/arena.h"

#define SLOTS 3 /* the most workers of a scene */
#define DESCRIPTORS 16
#define CLIENTS 3
#define NOBODY UINT_MAX

/* How often things may go wrong in a run. */
struct limits {
	unsigned deaths; /* SIGKILL, at any store or call */
	unsigned stops;	 /* a worker stands still while others go on */
	unsigned faults; /* calls with an unusual outcome */
	unsigned early;	 /* events that come before all is quiet */
};

/* An event from outside. */
enum happening {
	END,
	CONNECTS, /* client `who`, and says `text` */
	SAYS,	  /* client `who`: `text` */
	FINISHES, /* client `who` sends its FIN */
	RESETS,	  /* client `who` is gone */
	STOPS,	  /* the service is told to stop */
	LEAVES,	  /* worker `who`, as at a reload */
	RETIRES,  /* worker `who`: a sibling takes over */
	RELOADS,  /* all workers leave, and new ones start */
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
	const struct echod_handler *handler;
	struct event before[8]; /* during which nothing goes wrong */
	struct event script[8];
	struct limits quick, full; /* of make check, of make model */
	unsigned maxclients;	   /* 0: plenty */
	/* Of workers that start after RELOADS; NULL: the same. */
	const struct echod_handler *next;
	const char *header; /* that clients send first */
};

/* The master's pidfd, which does not die. */
#define PIDFD 2

/* The service. */

extern struct arena arena;
extern struct config config;
extern const struct scene *scene;

/* The number of the worker that runs; NOBODY: no worker runs. */
unsigned running(void);

/* True if slot `k` has a worker. */
bool is_alive(unsigned k);

/* The running worker may die here (`deadly`), or others may go on. */
void point(const char *what, uintptr_t where, bool deadly);

/* One of `n` outcomes of a call; 0 is the usual one. */
unsigned outcome(unsigned n);

/* The next event may come now. */
void perhaps_event(void);

/* The running worker sleeps until `ready(k)`, or until `wake`. */
void sleep_until(uint64_t wake);

/* A property does not hold: the run ends here. */
void violated(const char *property, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* A line of the trace, which is printed for a run that went wrong. */
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- kernel.c */

extern uint64_t model_now; /* ms */

void kernel_reset(void);
void kernel_event(const struct event *e);

/* As eventfd_write(2) to the slot's descriptor. */
void kernel_wake(unsigned k);

/* SIGTERM for slot k's worker, which ends its sleep. */
void kernel_signal(unsigned k, bool pending);

/* True if an event has come for which slot k's worker waits. */
bool kernel_ready(unsigned k);

/* Clients that received a FIN send theirs.  True if any did. */
bool kernel_answers(void);

/* The running worker writes to the arena at `p`. */
void kernel_written(const void *p);

/* All is quiet, and the script is over: check what must hold then. */
void kernel_at_rest(void);

#endif
