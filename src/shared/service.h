/* SPDX-License-Identifier: ISC */
/*
 * Service state: what the master alone decides and counts, in a memfd of its
 * own.
 *
 * The master maps it for reading and writing, the administration process for
 * reading.  Workers have no mapping of it (MADV_DONTFORK).  The descriptor
 * stands in the table that workers share, but nobody can write by it: a seal
 * (F_SEAL_FUTURE_WRITE, Linux 5.1) forbids that once the master has its
 * mapping; on older kernels the descriptor is one for reading only.
 *
 * Workers read a part of it in the arena, where service_publish() says it; the
 * master never reads it there.  The next program copies all of it into a memfd
 * of its own.
 *
 * The standby (standby/standby.h) has the mapping of the master.  It takes the
 * master's place at any instruction of the master: the order of the stores to
 * `generation`, `seat`, `scratch` and `slot` matters (master/clone.c).
 */
#ifndef ECHOD_SHARED_SERVICE_H
#define ECHOD_SHARED_SERVICE_H

#include "shared/arena.h"
#include "shared/counters.h"
#include "shared/handler_table.h"

#define SERVICE_MAGIC UINT64_C(0x6563696672657365)

/* What was counted at one time, for charts; rates are the differences. */
struct sample {
	uint64_t at; /* clock_ms(); 0: none yet */
	uint64_t connections;
	SLOT_COUNTERS(COUNTER_MEMBER)
};

#define ARENA_SAMPLES 120
#define ARENA_SIGNALS 65 /* signal numbers, 0 stands for an exit */

/* What became of the service as a whole. */
struct service_totals {
	uint64_t deaths[ARENA_SIGNALS]; /* of workers, by signal */
	SERVICE_COUNTERS(COUNTER_MEMBER)
	uint64_t reloaded;	  /* clock_ms() of the last one, or 0 */
	uint64_t pause;		  /* ms that nobody was served at it */
	char refusal[256];	  /* why the last one was refused, or "" */
	_Atomic uint64_t samples; /* ever taken; the next one's place */
	struct sample sample[ARENA_SAMPLES];
};

/* What the service as a whole is doing. */
enum service_mode {
	SERVICE_SERVING,
	SERVICE_RELOADING,
	SERVICE_STOPPING
};

/* What a process is made for; a worker is CLONE_FOR_SLOT + its slot. */
enum clone_intent {
	CLONE_FOR_NOTHING,
	CLONE_FOR_STANDBY,
	CLONE_FOR_SLOT
};

struct service_state {
	uint64_t magic;
	uint32_t version; /* ARENA_VERSION: both layouts have one */
	uint32_t descriptors;
	uint64_t started; /* clock_ms() */
	int32_t pid;	  /* of the master */
	uint32_t mode;	  /* enum service_mode */
	uint32_t workers;
	uint32_t listeners, dropped;
	struct listener listener[2 * ARENA_LISTENERS_MAX];
	/* The names of services, by number; "" or a former one if the number
	 * is not in use. */
	char service[SERVICE_NUMBERS][32];
	/* Connections that wait to be accepted, and may wait, when the master
	 * looked last. */
	struct {
		uint32_t waiting, limit;
	} queue[ARENA_LISTENERS_MAX];
	/*
	 * One more at each takeover.  The master has the seat `generation % 2`,
	 * its standby has the other one.
	 */
	_Atomic uint32_t generation;
	struct {
		int32_t pid; /* 0: nobody has it */
		/* A number that is never another descriptor's: the pidfd, or
		 * an eventfd.  Nobody has the seat if it is readable.  0: none
		 * yet. */
		int32_t pidfd;
	} seat[2];
	int32_t former_pidfd; /* the same, of the master before */
	/* What stands in a seat that nobody has, and in one that somebody may
	 * have in a moment: a readable eventfd, and one that is not. */
	int32_t nobody_fd, coming_fd;
	/* A process that is being made: what for, and what the kernel has
	 * stored. */
	struct {
		_Atomic uint32_t intent; /* enum clone_intent, or + a slot */
		int32_t pid;		 /* 0: none was made */
		int32_t pidfd;		 /* -1: none */
	} scratch;
	int32_t master_wake_fd; /* these 0: none yet */
	struct {
		int32_t wake_fd, watch_fd;
		/* Its number is never another descriptor's.  It is that of
		 * the worker `pid`, or of a former one, or an eventfd. */
		int32_t pidfd;
		int32_t pid;	     /* of its worker; 0: none */
		uint32_t generation; /* of the master that made it */
		uint32_t stopped;    /* 1: by a signal, SIGSTOP for one */
	} slot[ARENA_SLOTS_MAX];
	uint64_t stop_deadline;
	_Atomic uint32_t loglevel; /* enum log_level */
	uint32_t draining;	   /* 1: health checks are to fail */
	struct handler_table handlers;
	/* The entries that connections had at the last reload, as a set of
	 * handler_table_bit(): for its check. */
	uint64_t handlers_used;
	struct service_totals totals;
	/* The memfds, by which they are known again. */
	struct {
		uint64_t device, inode;
	} arena, own;
};

/*
 * Make the service state of arena `a`, which is new, in a new memfd `*fd`; or,
 * with an `old` memfd that another program has left, as that says.  Returns
 * the mapping, or NULL with a reason in `why`.
 */
struct service_state *service_make(const struct arena *a, int *fd, int old,
    char *why, size_t size);

/* Map it for reading.  Returns NULL with a reason in `why`. */
const struct service_state *service_look(int fd, char *why, size_t size);

/*
 * See that `*fd` is the memfd still: a process that shares the descriptors can
 * close it.  If it is not, the state moves to a new one, and its address stays
 * the same.  Returns 0, or -1 with errno set.
 */
int service_keep(struct service_state *s, int *fd);

void service_destroy(struct service_state *s, int fd);

/* Say in the arena what workers are to know.  To be done after a change of it,
 * before a worker starts, and before another program takes the arena over. */
void service_publish(const struct arena *a, const struct service_state *s);

/* True if a->fd is the arena's memfd still.  False with errno set. */
bool arena_has_memfd(const struct arena *a, const struct service_state *s);

/* The seat of the master, and that of the standby. */
static inline unsigned
service_master_seat(const struct service_state *s)
{
	return atomic_load(&s->generation) % 2;
}

static inline unsigned
service_standby_seat(const struct service_state *s)
{
	return 1 - service_master_seat(s);
}

/* True if the worker of slot `k` is the child of a former master. */
static inline bool
service_is_foreign(const struct service_state *s, unsigned k)
{
	return s->slot[k].pid != 0 &&
	    s->slot[k].generation != atomic_load(&s->generation);
}

/* True if a former master has left workers that are not replaced yet. */
static inline bool
service_has_foreign(const struct service_state *s)
{
	for (unsigned k = 0; k < s->workers; k++)
		if (service_is_foreign(s, k))
			return true;
	return false;
}

/* Let the standby have the mapping, or not: workers have none. */
void service_let_inherit(struct service_state *s, bool inherit);

/* Take down that a reload was refused, and why: printable characters of it. */
void service_refuse(struct service_state *s, const char *why);

#endif
