/* SPDX-License-Identifier: ISC */
/*
 * What the next program gets.
 */
#include "master/upgrade/hand_over.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/descriptor_keep.h"
#include "lib/log.h"
#include "master/handlers.h"
#include "master/upgrade/executable.h"
#include "master/upgrade/record.h"
#include "shared/layout.h"

static void
hand_over_listener(struct upgrade_record *t, const struct listener *l)
{
	const char *port = strrchr(l->name, ':');

	if (t->listeners < ARENA_LISTENERS_MAX)
		strlcpy(t->listener[t->listeners++], l->name,
		    sizeof(t->listener[0]));
	/* A listener for both families stands for two names. */
	if ((l->flags & LISTENER_DUAL) != 0 && port != NULL &&
	    t->listeners < ARENA_LISTENERS_MAX)
		snprintf(t->listener[t->listeners++], sizeof(t->listener[0]),
		    "0.0.0.0%s", port);
}

int
hand_over_write(const struct master *m)
{
	static struct upgrade_record t;

	memset(&t, 0, sizeof(t));
	strlcpy(t.version, PACKAGE_VERSION, sizeof(t.version));
	strlcpy(t.layout, layout_words(), sizeof(t.layout));
	strlcpy(t.program, executable_path(), sizeof(t.program));
	strlcpy(t.directory, executable_directory(), sizeof(t.directory));
	t.pid = getpid();
	t.arena = m->arena.fd;
	t.service = m->service_fd;
	t.executable = m->executable;
	t.pidfile = m->pidfile->fd;
	t.log = log_descriptor();
	t.handlers = m->reload.checker.image;
	t.control = m->admin_sockets.control;
	t.metrics = m->admin_sockets.metrics;
	t.admin = m->admin.pid;
	t.admin_socket = m->admin.socket;
	t.standby = m->service->seat[service_standby_seat(m->service)].pid;
	t.began = m->reload.began;
	t.connections = arena_held(&m->arena);
	if (t.connections > m->service->descriptors)
		t.connections = m->service->descriptors;
	t.number = m->reload.number;
	t.again = m->reload.again;
	t.resolved = m->reload.resolved;
	t.asked = m->reload.asked;
	t.later = m->reload.later;
	t.config = *m->config;
	for (unsigned i = 0; i < m->service->listeners; i++)
		hand_over_listener(&t, &m->service->listener[i]);
	return record_write(&t);
}

int
hand_over_keep(const struct arena *a, const struct service_state *o, bool keep)
{
	int r = descriptor_keep(o->master_wake_fd, keep);

	r |= handlers_keep(&o->handlers, keep);
	for (unsigned i = 0; i < o->listeners + o->dropped; i++)
		r |= descriptor_keep(o->listener[i].fd, keep);
	for (unsigned k = 0; k < a->slots; k++) {
		r |= descriptor_keep(o->slot[k].wake_fd, keep);
		r |= descriptor_keep(o->slot[k].watch_fd, keep);
	}
	return r;
}

int
hand_over_keep_all(const struct master *m, int record, bool keep)
{
	return hand_over_keep(&m->arena, m->service, keep) |
	    descriptor_keep(m->service_fd, keep) |
	    descriptor_keep(record, keep) |
	    descriptor_keep(m->executable, keep) |
	    descriptor_keep(m->reload.checker.image, keep) |
	    descriptor_keep(m->pidfile->fd, keep) |
	    descriptor_keep(log_descriptor(), keep) |
	    admin_sockets_keep(&m->admin_sockets, keep) |
	    (m->admin.pid == 0 ? 0 : descriptor_keep(m->admin.socket, keep));
}

void
hand_over(struct master *m)
{
	int record, saved;

	/* These times belong to deaths that are settled: nothing is to report
	 * them later. */
	for (unsigned k = 0; k < m->arena.slots; k++)
		atomic_store(&m->arena.slot[k].died, 0);
	/* If the next program dies, the standby that this one leaves goes on.
	 */
	m->reload.number = (atomic_load(&m->arena.header->handover) >> 2) + 1;
	atomic_store(&m->arena.header->handover,
	    m->reload.number << 2 | HANDOVER_UNDECIDED);
	record = service_keep(m->service, &m->service_fd) == -1
	    ? -1
	    : hand_over_write(m);
	service_publish(&m->arena,
	    m->service); /* no worker can overwrite it now */
	/* A descriptor that does not survive would be missed too late. */
	if (record != -1 && arena_has_memfd(&m->arena, m->service) &&
	    hand_over_keep_all(m, record, true) == 0)
		executable_exec(m->reload.executable, record);
	saved = errno;
	(void)hand_over_keep_all(m, record, false);
	if (record != -1)
		close(record);
	errno = saved;
}
