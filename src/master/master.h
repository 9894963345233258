/* SPDX-License-Identifier: ISC */
/*
 * The master: starts the workers, replaces them, relays the stop, and goes
 * last.  Its loop reads as a list.
 */
#ifndef ECHOD_MASTER_MASTER_H
#define ECHOD_MASTER_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "master/listeners/addresses.h"
#include "master/start/admin_sockets.h"
#include "master/start/pidfile.h"
#include "shared/arena.h"
#include "shared/service.h"
#include "shared/outcome.h"
#include "shared/worker_place.h"

/* What a worker process runs; worker_main(), handed over by main(). */
typedef int worker_entry(const struct config *config, const struct arena *arena,
    const struct worker_place *place);

_Static_assert(ARENA_SLOTS_MAX <= CONFIG_WORKERS_MAX,
    "struct master and struct worker have a place for each slot");

struct child {
	pid_t pid;		/* 0: none */
	int pidfd;		/* 0: none */
	bool ended;		/* that is what its pidfd says */
	uint64_t started;	/* clock_ms() */
	uint64_t respawn_at;	/* CLOCK_NEVER: not wanted */
	unsigned backoff;	/* ms the next respawn has to wait */
	unsigned failed_starts; /* deaths in a row before it served */
	bool retiring;		/* it goes and its slot with it */
	unsigned adopt;		/* worker that takes its slot over, +1 */
	/* For the watchdog. */
	uint64_t heartbeat; /* as last seen */
	uint64_t since;	    /* clock_ms() it was seen first */
	uint64_t stopped;   /* clock_ms() of a SIGSTOP, or 0 */
	bool hung;	    /* killed for being stuck */
	unsigned oom;	    /* deaths in a row for want of memory */
};

enum stop_phase {
	STOP_NONE,
	STOP_DELAYED,
	STOP_DRAINING
};

struct stop {
	enum stop_phase phase;
	uint64_t began;	   /* clock_ms() of the first signal */
	uint64_t drain_at; /* end of shutdown-delay */
	uint64_t kill_at;  /* the deadline */
	bool over;	   /* it has passed: everybody is killed */
	unsigned killed;   /* workers that had to be */
};

enum reload_phase {
	RELOAD_NONE,
	RELOAD_CHECKING,
	RELOAD_LEAVING
};

struct reload {
	enum reload_phase phase;
	int executable;		     /* the next one, to be executed */
	int record;		     /* struct takeover, as a memfd */
	int output;		     /* what the check says, a memfd */
	pid_t checker;		     /* 0: it has ended ... */
	int checker_fd;		     /* its pidfd; 0: none */
	int status;		     /* ... with this */
	struct resolved resolved;    /* by the check */
	uint64_t deadline;	     /* of the phase */
	uint64_t began;		     /* workers were told to leave */
	bool again;		     /* another one was asked for */
	struct outcome asked, later; /* by those who wait to be told */
	unsigned drops;		     /* times it was asked for the last */
	uint64_t drop_at;	     /* shut and close dropped listeners */
};

enum admin_phase {
	ADMIN_NONE, /* there is to be none */
	ADMIN_RUNNING,
	ADMIN_FINISHING, /* told to finish; the next one starts then */
	ADMIN_WAITING,	 /* for the time to start the next one */
	ADMIN_IMPOSSIBLE /* of another version: none until a reload */
};

/* The administration process, as the master has it. */
struct admin {
	enum admin_phase phase;
	int program;	   /* what is executed; -1: none */
	pid_t pid;	   /* 0: none, or it has ended ... */
	int status;	   /* ... with this */
	int pidfd;	   /* 0: none */
	int socket;	   /* request_pair(); -1: none */
	bool stopped;	   /* by a signal, SIGSTOP for one */
	bool restart;	   /* it is to be replaced */
	uint64_t started;  /* clock_ms() */
	uint64_t start_at; /* ADMIN_WAITING */
	uint64_t end_at;   /* ADMIN_FINISHING: killed then */
	unsigned backoff;  /* ms the next start has to wait */
	unsigned deaths;   /* in a row */
	uint64_t ping_at, heard; /* clock_ms() */
};

struct master {
	const struct config *config;
	struct arena arena;
	struct service_state *service;
	int service_fd;
	const struct pidfile *pidfile;
	struct admin_sockets admin_sockets;
	struct admin admin;
	int executable; /* this one, executable_hold() */
	struct reload reload;
	worker_entry *entry;
	struct child child[CONFIG_WORKERS_MAX];
	struct stop stop;
	uint64_t watch_at;  /* the watchdog looks again */
	uint64_t oom_kills; /* that the kernel has counted ... */
	uint64_t oom_at;    /* ... and when they became more; or 0 */
};

/* Exit statuses of the program; EX_CONFIG is that of sysexits.h. */
enum exit_status {
	EXIT_CLEAN = 0,
	EXIT_NOT_STARTED = 1,
	EXIT_USAGE = 2,
	EXIT_CUT = 3, /* clients were cut or workers killed */
	EXIT_CONFIG = 78
};

/*
 * Start the workers and wait until each of them serves.  The arena holds the
 * listeners, and after a takeover the slots as the workers before left them.
 * Returns 0, or -1 with the reason logged and no worker left.
 */
int master_start(struct master *m, bool upgrade_record);

/* Serve until stopped; returns the program's exit status. */
int master_run(struct master *m);

#endif
