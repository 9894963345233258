/* SPDX-License-Identifier: ISC */
/*
 * Kills for want of memory.
 *
 * The data of clients is in the arena, so the death of a worker frees nothing,
 * and its successor may die of the next line.  If the kernel then kills the
 * master, all connections are lost.
 */
#include "master/oom.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"

/* Added to a child's oom_score_adj, in thousandths of all memory, proc(5). */
#define OOM_WORKER 300
#define OOM_ADMIN 900
#define EXPOSURE_MOST 1000
/* The kernel's count and the death of a worker belong together if they are not
 * further apart than this, ms. */
#define SAME_TIME 2000
/* The death in a row from which on the next worker sheds. */
#define AGAIN 2
/* A worker that lived longer than this begins a new row, ms. */
#define IN_A_ROW 60000
/* The reserve: pieces, and the bytes of a piece, which a worker needs until it
 * is the process that the kernel kills first. */
#define RESERVE_PIECES 16
#define RESERVE_PIECE ((size_t)128 << 10)

/* Take the reserve, or what was released of it. */
static void
oom_refill(struct oom *o)
{
	char *p;

	if (o->pieces == RESERVE_PIECES)
		return;
	if (o->pieces > 0)
		(void)munmap(o->reserve, o->pieces * RESERVE_PIECE);
	o->pieces = 0;
	p = mmap(NULL, (size_t)RESERVE_PIECES * RESERVE_PIECE,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return;
	/* A worker has no copy of it. */
	(void)madvise(p, (size_t)RESERVE_PIECES * RESERVE_PIECE, MADV_DONTFORK);
	memset(p, 1, (size_t)RESERVE_PIECES * RESERVE_PIECE);
	o->reserve = p;
	o->pieces = RESERVE_PIECES;
}

/* The master's own oom_score_adj, and `more`, as text. */
static void
oom_score(char *text, size_t size, int more)
{
	int adj = 0;
	FILE *f = fopen("/proc/self/oom_score_adj", "re");

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own number */
	if (f == NULL || fscanf(f, "%d", &adj) != 1)
		adj = 0;
	if (f != NULL)
		fclose(f);
	adj = adj + more < EXPOSURE_MOST ? adj + more : EXPOSURE_MOST;
	snprintf(text, size, "%d", adj);
}

static void
oom_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	/* A write that fails means that the process has ended already. */
	(void)!write(fd, text, strlen(text));
	close(fd);
}

void
oom_expose(pid_t pid)
{
	char path[64], text[16];

	oom_score(text, sizeof(text), OOM_ADMIN);
	snprintf(path, sizeof(path), "/proc/%ld/oom_score_adj", (long)pid);
	oom_write(path, text);
}

void
oom_expose_self(const char *score)
{
	oom_write("/proc/self/oom_score_adj", score);
}

void
oom_begin(struct oom *o)
{
	o->kills = limits_oom_kills();
	o->at = 0;
	o->pieces = 0;
	oom_score(o->score, sizeof(o->score), OOM_WORKER);
	oom_refill(o);
}

void
oom_make_room(struct oom *o)
{
	uint64_t now = clock_ms();

	if (o->at == 0)
		return;
	if (now - o->at > IN_A_ROW)
		oom_refill(o);
	else if (now - o->at <= SAME_TIME && o->pieces > 0) {
		o->pieces--;
		(void)munmap(o->reserve + o->pieces * RESERVE_PIECE,
		    RESERVE_PIECE);
	}
}

/* Note whether the kernel has killed for want of memory since the last call. */
static void
oom_look(struct oom *o, uint64_t now)
{
	uint64_t kills = limits_oom_kills();

	if (kills != o->kills)
		o->at = now;
	o->kills = kills;
}

bool
oom_is_recent(struct oom *o)
{
	uint64_t now = clock_ms();

	oom_look(o, now);
	return o->at != 0 && now - o->at <= SAME_TIME;
}

bool
oom_killed(struct oom *o, struct child *c, struct slot *s, unsigned k,
    int status)
{
	uint64_t now = clock_ms();

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || c->hung) {
		c->oom = 0;
		return false;
	}
	oom_look(o, now);
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
