/* SPDX-License-Identifier: ISC */
/*
 * Kills for want of memory.
 *
 * The data of clients is in the arena, so the death of a worker frees nothing,
 * and its successor may die of the next line.  If the kernel then kills the
 * master, all connections are lost.
 */
#include "master/oom.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"

/* Added to a worker's oom_score_adj, in thousandths of all memory, proc(5). */
#define EXPOSURE 300
#define EXPOSURE_MOST 1000
/* The kernel's count and the death of a worker belong together if they are not
 * further apart than this, ms. */
#define SAME_TIME 2000
/* The death in a row from which on the next worker sheds. */
#define AGAIN 2
/* A worker that lived longer than this begins a new row, ms. */
#define IN_A_ROW 60000

void
oom_begin(struct oom *o)
{
	o->kills = limits_oom_kills();
	o->at = 0;
}

void
oom_expose(pid_t pid)
{
	char path[64];
	int adj = 0;
	FILE *f = fopen("/proc/self/oom_score_adj", "re");

	if (f == NULL)
		return;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own number */
	if (fscanf(f, "%d", &adj) != 1)
		adj = 0;
	fclose(f);
	adj = adj + EXPOSURE < EXPOSURE_MOST ? adj + EXPOSURE : EXPOSURE_MOST;
	snprintf(path, sizeof(path), "/proc/%ld/oom_score_adj", (long)pid);
	f = fopen(path, "we");
	if (f == NULL)
		return;
	/* A write that fails means that the worker has ended already. */
	(void)fprintf(f, "%d\n", adj);
	(void)fclose(f);
}

bool
oom_killed(struct oom *o, struct child *c, struct slot *s, unsigned k,
    int status)
{
	uint64_t now = clock_ms(), kills;

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || c->hung) {
		c->oom = 0;
		return false;
	}
	kills = limits_oom_kills();
	if (kills != o->kills)
		o->at = now;
	o->kills = kills;
	/* A SIGKILL from elsewhere says nothing about memory. */
	if (o->at == 0 || now - o->at > SAME_TIME) {
		c->oom = 0;
		return false;
	}
	if (now - c->started > IN_A_ROW)
		c->oom = 0;
	if (++c->oom < AGAIN)
		return true;
	atomic_store(&s->shed, 1);
	log_warnx("worker %u has been killed for want of memory %u times in a "
		  "row: the next one closes clients that hold much of it",
	    k, c->oom);
	return true;
}
