/* SPDX-License-Identifier: ISC */
/*
 * The master's sleep: all that it waits for, in one call.
 */
#include "master/sleep.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/signals.h"

/* Children are waited for by their descriptors, too: SIGCHLD can be lost. */
static struct pollfd
sleep_child(pid_t pid, int pidfd)
{
	return (
	    struct pollfd){ pid != 0 && pidfd != 0 ? pidfd : -1, POLLIN, 0 };
}

static struct pollfd
sleep_standby(const struct master *m, bool leaving)
{
	unsigned seat = service_standby_seat(m->service);

	return sleep_child(leaving ? 0 : m->service->seat[seat].pid,
	    m->service->seat[seat].pidfd);
}

void
sleep_until(struct master *m, uint64_t wake)
{
	enum {
		WAKE,
		ADMIN,
		ADMIN_END,
		LOG,
		CHECKER,
		STANDBY,
		CHILD
	};
	/* Its requests and its death are the next program's then. */
	bool leaving = m->reload.phase == RELOAD_LEAVING;
	/* poll(2) ignores entries of -1. */
	struct pollfd p[CHILD + CONFIG_WORKERS_MAX] = {
		{ m->service->master_wake_fd, POLLIN, 0 },
		{ m->admin.pid != 0 && !leaving ? m->admin.socket : -1, POLLIN,
		    0 },
		sleep_child(leaving ? 0 : m->admin.pid, m->admin.pidfd),
		{ log_watch(), POLLIN, 0 },
		sleep_child(m->reload.checker.pid, m->reload.checker.pidfd),
		sleep_standby(m, leaving),
	};
	unsigned workers = m->service->workers;
	struct timespec ts;
	eventfd_t ignored;

	for (unsigned k = 0; k < workers; k++)
		p[CHILD + k] = sleep_child(m->child[k].pid, m->child[k].pidfd);
	pace_round(&m->pace);
	if (ppoll(p, CHILD + workers, clock_left(wake, clock_ms(), &ts),
		signals_open_mask()) <= 0)
		return;
	if (p[WAKE].revents != 0)
		(void)eventfd_read(p[WAKE].fd, &ignored);
	for (unsigned k = 0; k < workers; k++)
		m->child[k].ended = p[CHILD + k].revents != 0;
}
