/*
 * Taking note of workers that ended; the one home of waitpid(2).
 */
#include "master/reap.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "state/worker_exit.h"

/* A worker that lives shorter is a quick death, ms. */
#define QUICK_MS 1000
#define BRAKE_FIRST_MS 50
#define BRAKE_MOST_MS 5000

const char *
reap_words(int status)
{
	static char words[64];

	if (WIFSIGNALED(status))
		snprintf(words, sizeof(words), "killed by %s%s",
		    signals_name(WTERMSIG(status)),
		    WCOREDUMP(status) ? " (core dumped)" : "");
	else
		snprintf(words, sizeof(words), "exited with status %d",
		    WEXITSTATUS(status));
	return words;
}

int
reap_one(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return status;
}

/* The first respawn is at once; deaths in quick succession wait longer each
 * time, so that a worker that cannot live does not busy the machine. */
static void
schedule(struct child *c)
{
	uint64_t now = clock_ms();

	if (now - c->started >= QUICK_MS)
		c->brake = 0;
	c->respawn_at = now + c->brake;
	c->brake = c->brake == 0 ? BRAKE_FIRST_MS : c->brake * 2;
	if (c->brake > BRAKE_MOST_MS)
		c->brake = BRAKE_MOST_MS;
}

static void
ended(struct master *m, unsigned k, int status)
{
	struct child *c = &m->child[k];
	struct slot *s = &m->arena.slot[k];
	pid_t pid = c->pid;
	bool left = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_LEFT;

	c->pid = 0;
	atomic_store(&s->pid, 0);
	c->respawn_at = CLOCK_NEVER;
	if (m->stop.phase == STOP_DRAINING) {
		bool drained = atomic_load(&s->state) == SLOT_DRAINED;

		if (!drained && !left)
			log_warnx("worker %u (pid %ld) %s while stopping, "
			    "%u connections held", k, (long)pid,
			    reap_words(status), atomic_load(&s->held));
		/* What it held is still to be drained, if there is time. */
		if (!drained && clock_ms() < m->stop.kill_at)
			c->respawn_at = clock_ms();
		return;
	}
	if (left) {
		log_notice("worker %u (pid %ld) left on request", k,
		    (long)pid);
		c->respawn_at = clock_ms();
		return;
	}
	schedule(c);
	log_warnx("worker %u (pid %ld) %s, %u connections held; next one in "
	    "%llu ms", k, (long)pid, reap_words(status),
	    atomic_load(&s->held),
	    (unsigned long long)(c->respawn_at - clock_ms()));
}

void
reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		/* Strangers are possible: PID 1 of a container gets them. */
		for (unsigned k = 0; k < m->arena.header->workers; k++)
			if (m->child[k].pid == pid)
				ended(m, k, status);
}
