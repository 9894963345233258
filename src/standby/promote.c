/* SPDX-License-Identifier: ISC */
/*
 * What a standby does that has become the master.
 *
 * The accounts of the former master are those of an interrupted process: a
 * descriptor that it names may be closed, and the number may be a client's.
 * So no descriptor is closed that is not of the kind that it should be.
 */
#include "standby/promote.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "lib/wait_status.h"
#include "master/admin_child.h"
#include "master/handlers.h"
#include "master/listeners/listen.h"
#include "master/recorded.h"
#include "master/notify.h"
#include "master/start/pidfile.h"
#include "master/stop.h"
#include "master/upgrade/reload.h"

/* The kernel tells how the former master ended as soon as a process has reaped
 * it.  We wait for that so long, ms. */
#define PROMOTE_PATIENCE 20

/* The workers of the former master serve.  Slots without one need one. */
static void
promote_children(struct master *m)
{
	struct service_state *s = m->service;
	uint64_t now = clock_ms();

	for (unsigned k = 0; k < s->workers; k++) {
		struct child *c = &m->child[k];

		c->pid = s->slot[k].pid;
		c->pidfd = c->pid != 0 ? s->slot[k].pidfd : 0;
		c->foreign = c->pid != 0;
		c->ended = false;
		c->since = now;
		atomic_store(&m->arena.slot[k].pid, c->pid);
		if (c->pid != 0) {
			c->respawn_at = CLOCK_NEVER;
			if (c->started == 0)
				c->started = now;
		} else if (c->respawn_at == CLOCK_NEVER && !c->retiring &&
		    !m->stop.over && m->started &&
		    atomic_load(&m->arena.slot[k].state) != SLOT_DRAINED)
			c->respawn_at = now;
	}
	m->standby.leaving = m->standby.replaced = 0;
}

static void
promote_tell_manager(struct master *m)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", (long)getpid());
	/* A program that is executed later reads it again. */
	if (getenv("WATCHDOG_PID") != NULL)
		(void)setenv("WATCHDOG_PID", text, 1);
	snprintf(text, sizeof(text), "MAINPID=%ld", (long)getpid());
	notify_tell(&m->notify, text);
}

void
promote_log(struct master *m)
{
	struct standby *s = &m->standby;
	const char *how = "is gone";
	char words[96];
	int status;

	if (s->former == 0)
		return;
	if (pidfd_status(m->service->former_pidfd, &status)) {
		snprintf(words, sizeof(words), "was %s",
		    wait_status_words(status));
		how = words;
	} else if (clock_ms() < s->log_by)
		return;
	log_warnx("the master (pid %ld) %s: pid %ld has taken its place",
	    (long)s->former, how, (long)getpid());
	s->former = 0;
}

void
promote(struct master *m)
{
	m->standby.former = m->service->pid;
	m->standby.log_by = clock_ms() + PROMOTE_PATIENCE;
	log_take_over();
	/* First of all: systemd may take a death that it learns of before this
	 * for a failure of the service. */
	promote_tell_manager(m);
	if (pidfile_move(m->pidfile) == -1)
		log_warn("pidfile %s", m->pidfile->path);
	m->service->pid = (int32_t)getpid();
	m->service->totals.takeovers++;
	promote_children(m);
	/* The former master may have read a file. */
	m->handlers_lost = true;
	recorded_choose();
	oom_begin(&m->oom);
	m->pace = (struct pace){ .level = 0 };
	service_publish(&m->arena, m->service);
	admin_child_take_up(m);
	reload_drop(m);
	stop_take_up(m);
	listen_announce(m->service);
}
