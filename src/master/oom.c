/* SPDX-License-Identifier: ISC */
/*
 * The kernel's want of memory.
 *
 * What clients hold is in the arena, so the death of a worker gives nothing
 * back, and its successor dies of the next line.  If the master follows, all
 * is lost.
 */
#include "master/oom.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"

/* Added to what the kernel takes into account, thousandths of the memory there
 * is (oom_score_adj, proc(5)). */
#define EXPOSURE 300
#define EXPOSURE_MOST 1000
/* A kill that the kernel counts is that of a worker which ended so little time
 * before or after, ms. */
#define SAME_TIME 2000
/* Deaths in a row that are not the first. */
#define AGAIN 2
/* A worker that lived longer than that is the first of a row, ms. */
#define IN_A_ROW 60000

void
oom_begin(struct master *m)
{
	m->oom_kills = limits_oom_kills();
	m->oom_at = 0;
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
	/* It may have ended already. */
	(void)fprintf(f, "%d\n", adj);
	(void)fclose(f);
}

bool
oom_killed(struct master *m, unsigned k, int status)
{
	struct child *c = &m->child[k];
	uint64_t now = clock_ms(), kills;

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || c->hung) {
		c->oom = 0;
		return false;
	}
	kills = limits_oom_kills();
	if (kills != m->oom_kills)
		m->oom_at = now;
	m->oom_kills = kills;
	/* Anybody can send this signal, and all goes on. */
	if (m->oom_at == 0 || now - m->oom_at > SAME_TIME) {
		c->oom = 0;
		return false;
	}
	if (now - c->started > IN_A_ROW)
		c->oom = 0;
	if (++c->oom < AGAIN)
		return true;
	atomic_store(&m->arena.slot[k].shed, 1);
	log_warnx("worker %u has been killed for want of memory %u times in a "
		  "row: the next one closes clients that hold much of it",
	    k, c->oom);
	return true;
}
