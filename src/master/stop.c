/* SPDX-License-Identifier: ISC */
/*
 * A stop: one deadline for everything, and a summary at the end.
 */
#include "master/stop.h"

#include <signal.h>
#include <sys/eventfd.h>

#include "lib/exit_status.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "master/notify.h"
#include "master/upgrade/reload.h"

/* Workers cut their clients this long before the deadline, so that they have
 * ended when it comes, ms. */
#define MARGIN 200
/* The time that workers have after a second signal, ms. */
#define NOW 1000
/* Signals this close together are one request, ms: timeout(1), shells and
 * service managers signal a process and then its group. */
#define SAME_REQUEST 100

static const int stop_signals[] = { SIGTERM, SIGINT, SIGQUIT };

int
stop_asked(void)
{
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(int); i++)
		if (signals_take(stop_signals[i]) > 0)
			return stop_signals[i];
	return 0;
}

/* Signal pids, never the process group: it may have other processes. */
static void
stop_relay(const struct master *m, int signo)
{
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0)
			child_signal(&m->child[k], signo);
}

static void
stop_tell_workers(struct master *m)
{
	service_publish(&m->arena, m->service);
	stop_relay(m, SIGTERM);
	for (unsigned k = 0; k < m->service->workers; k++)
		(void)eventfd_write(m->service->slot[k].wake_fd, 1);
}

static void
stop_drain(struct master *m, uint64_t deadline)
{
	/* A slot that waits for its next worker needs the worker now, to drain.
	 * If a sibling adopts the slot, the sibling drains it. */
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid == 0)
			m->child[k].respawn_at = clock_ms();
	if (m->service->stop_deadline == 0 ||
	    deadline < m->service->stop_deadline)
		m->service->stop_deadline = deadline;
	/* Last: a standby takes up a stop that has all of this. */
	store_barrier();
	m->stop.phase = STOP_DRAINING;
	stop_tell_workers(m);
}

void
stop_take_up(struct master *m)
{
	if (m->stop.phase == STOP_DRAINING)
		stop_tell_workers(m);
}

void
stop_request(struct master *m, const char *source)
{
	const struct config *config = m->config;
	struct stop *s = &m->stop;
	uint64_t now = clock_ms();
	uint64_t timeout = (uint64_t)config->shutdown_timeout * 1000;

	if (s->phase == STOP_NONE) {
		s->began = now;
		s->drain_at = now + (uint64_t)config->shutdown_delay * 1000;
		s->kill_at = s->drain_at +
		    (timeout > MARGIN ? timeout : MARGIN);
		s->phase = STOP_DELAYED;
		reload_abandon(m);
		log_notice("%s: stopping, %u s at most", source,
		    config->shutdown_delay + config->shutdown_timeout);
		notify_tell(&m->notify, "STOPPING=1\nSTATUS=Stopping");
	} else if (now - s->began >= SAME_REQUEST && now + NOW < s->kill_at) {
		log_notice("%s again: stopping now", source);
		s->drain_at = now;
		s->kill_at = now + NOW;
		stop_drain(m, now);
	}
}

static bool
stop_all_gone(const struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0 ||
		    m->child[k].respawn_at != CLOCK_NEVER)
			return false;
	return true;
}

bool
stop_step(struct master *m)
{
	struct stop *s = &m->stop;
	uint64_t now = clock_ms();

	if (s->phase == STOP_DELAYED && now >= s->drain_at)
		stop_drain(m, s->kill_at - MARGIN);
	if (s->phase != STOP_DRAINING)
		return false;
	if (now >= s->kill_at && !s->over) {
		for (unsigned k = 0; k < m->service->workers; k++) {
			m->child[k].respawn_at = CLOCK_NEVER;
			if (m->child[k].pid != 0)
				s->killed++;
		}
		stop_relay(m, SIGKILL);
		s->over = true;
	}
	return stop_all_gone(m);
}

uint64_t
stop_next(const struct master *m)
{
	switch (m->stop.phase) {
	case STOP_DELAYED:
		return m->stop.drain_at;
	case STOP_DRAINING:
		return m->stop.over ? CLOCK_NEVER : m->stop.kill_at;
	default:
		return CLOCK_NEVER;
	}
}

/* Count the connections of workers that were killed, and in `bytes` what was
 * received from them and not echoed. */
static uint64_t
stop_abandoned(const struct arena *a, uint64_t *bytes)
{
	uint64_t n = 0;

	for (uint32_t fd = 0; fd < arena_end(a); fd++) {
		const struct connection *c = &a->connection[fd];
		enum connection_state s = owner_state(connection_owner(c));

		if (s != CONN_OPEN && s != CONN_OFFERED && s != CONN_CLAIMED)
			continue;
		n++;
		/* Impossible values were not written by our workers. */
		if (s != CONN_CLAIMED && connection_sane(c))
			*bytes += connection_pending(c);
	}
	return n;
}

int
stop_summary(const struct master *m)
{
	const struct arena *a = &m->arena;
	uint64_t ms = clock_ms() - m->stop.began;
	uint64_t unsent = 0;
	uint64_t cut = arena_closed(a, CLOSE_CUT) + stop_abandoned(a, &unsent);

	for (unsigned k = 0; k < m->service->workers; k++)
		unsent += slot_sum(&a->slot[k], bytes_cut);
	log_notice("stopped in %llu.%03llu s: %llu connections drained, "
		   "%llu cut, %llu bytes unsent, %u workers killed",
	    (unsigned long long)ms / 1000, (unsigned long long)ms % 1000,
	    (unsigned long long)arena_closed(a, CLOSE_DRAINED),
	    (unsigned long long)cut, (unsigned long long)unsent,
	    m->stop.killed);
	return cut > 0 || m->stop.killed > 0 ? EXIT_CUT : EXIT_CLEAN;
}
