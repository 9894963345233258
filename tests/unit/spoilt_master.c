/* SPDX-License-Identifier: ISC */
/*
 * The master, and a worker that an attacker has taken over.  The attacker can
 * write anything into the arena, and can do anything to the descriptors that
 * master and worker share.  It must not lead the master to other processes or
 * descriptors, or out of bounds.  Each case runs in a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsd/string.h>

#include "admin/control_socket.h"
#include "admin/metrics.h"
#include "config/value.h"
#include "master/sample.h"
#include "lib/clock.h"
#include "master/instances.h"
#include "master/listeners/drop.h"
#include "master/listeners/listen.h"
#include "master/master.h"
#include "master/reap.h"
#include "master/scaling.h"
#include "master/spawn.h"
#include "master/upgrade/hand_over.h"
#include "master/upgrade/record.h"
#include "master/upgrade/reload.h"
#include "rig.h"
#include "tap.h"

/* A worker that exits at once. */
static int
entry(const struct config *c, const struct arena *a, unsigned k, pid_t parent)
{
	(void)c;
	(void)a;
	(void)k;
	(void)parent;
	return 0;
}

static struct master *
master(void)
{
	static struct pidfile pidfile = PIDFILE_NONE;
	static struct master m;

	m.config = &rig.config;
	m.arena = rig.arena;
	m.entry = entry;
	m.pidfile = &pidfile;
	m.admin_sockets = (struct admin_sockets)ADMIN_SOCKETS_NONE;
	for (unsigned k = 0; k < CONFIG_WORKERS_MAX; k++)
		m.child[k].respawn_at = CLOCK_NEVER;
	return &m;
}

/* A file that must not be written to. */
static int
victim(void)
{
	return checked(memfd_create("victim", 0), "memfd_create");
}

static bool
is_empty(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == 0;
}

/* A worker dies while the arena says that there are no workers.  The master kept
 * its pid for ever, which another process may get. */
static bool
forgotten(void)
{
	struct master *m = master();
	uint64_t deadline = clock_ms() + PATIENCE;

	checked(spawn(m, 0), "spawn");
	atomic_store(&rig.arena.header->workers, 0);
	while (m->child[0].pid != 0 && clock_ms() < deadline)
		reap(m);
	return m->child[0].pid == 0;
}

/* The master started more workers than the service has. */
static bool
uninvited(void)
{
	struct master *m = master();

	m->arena.service->workers = SLOTS - 1;
	atomic_store(&rig.arena.header->workers, UINT32_MAX);
	/* As in slots that never had a worker. */
	m->child[SLOTS - 1].respawn_at = 0;
	spawn_due(m);
	return m->child[SLOTS - 1].pid == 0;
}

/* A forged stop ended each worker that was started. */
static bool
stopped(void)
{
	atomic_store(&rig.arena.header->stop_deadline, 1);
	checked(spawn(master(), 0), "spawn");
	return arena_stop_deadline(&rig.arena) == 0;
}

/* The descriptors that wake workers are forged. */
static bool
woken(void)
{
	struct master *m = master();
	int fd = victim();

	for (unsigned k = 0; k < SLOTS; k++)
		slot(k)->wake_fd = fd;
	m->arena.service->dropped = 1;
	m->arena.service->listener[1].fd = -1;
	drop_begin(&m->drop, &m->arena);
	m->child[0].respawn_at = clock_ms() + 10000;
	m->child[1].pid = 1;
	atomic_store(&slot(0)->state, SLOT_UNATTENDED);
	atomic_store(&slot(1)->state, SLOT_READY);
	scaling_step(m);
	return slot(1)->adopt == 1 && is_empty(fd);
}

/* The descriptors of listeners are forged: none of them is changed or closed. */
static bool
not_listening(void)
{
	struct arena_header *h = rig.arena.header;
	struct listen_state s = listen_save(&rig.arena);
	int fd = victim();

	for (unsigned i = 0; i < 2 * ARENA_LISTENERS_MAX; i++)
		h->listener[i].fd = fd;
	for (unsigned k = 0; k < SLOTS; k++)
		slot(k)->wake_fd = slot(k)->watch_fd = fd;
	h->master_wake_fd = fd;
	h->dropped = 5;
	(void)hand_over_keep(&rig.arena, false);
	if (fcntl(fd, F_GETFD) != 0)
		return false;
	listen_restore(&rig.arena, &s);
	listen_drop(&rig.arena);
	return is_open(fd) && is_open(rig.listener);
}

/* The next program finds true values, not forged ones that make it give back. */
static bool
next(void)
{
	struct arena a;
	char why[256] = "";

	rig.arena.service->totals.reloads = 7;
	memset(rig.arena.header, 0xff, sizeof(*rig.arena.header));
	service_publish(&rig.arena);
	if (arena_attach(&a, rig.arena.fd, why, sizeof(why)) == -1) {
		printf("# %s\n", why);
		return false;
	}
	return a.service->workers == SLOTS && a.service->listeners == 1 &&
	    a.service->listener[0].fd == rig.listener &&
	    a.service->totals.reloads == 7 && arena_stop_deadline(&a) == 0;
}

/* Neither the next program nor the one before would find the arena. */
static bool
memfd(void)
{
	if (!arena_has_memfd(&rig.arena))
		return false;
	checked(dup2(rig.listener, rig.arena.fd), "dup2");
	return !arena_has_memfd(&rig.arena) && errno == EBADF;
}

/* The totals are as the master has counted them. */
static bool
books(void)
{
	struct master *m = master();
	char *text = NULL;
	size_t length = 0;
	FILE *out;
	bool good;

	memset(&rig.arena.header->totals, 0xff, sizeof(struct service_totals));
	rig.arena.header->started = UINT64_MAX;
	atomic_store(&rig.arena.header->draining, 1);
	out = open_memstream(&text, &length);
	sample_step(m->config, &m->arena);
	metrics_write(&(struct view){ &m->arena, m->arena.service, m->config },
	    out);
	fclose(out);
	good = strstr(text, "echod_reloads_total 0\n") != NULL &&
	    strstr(text, "echod_draining 0\n") != NULL &&
	    strstr(text, "18446744073709551615") == NULL;
	free(text);
	return good;
}

/* No answer has bytes that move a terminal's cursor. */
static bool
refusal(void)
{
	service_refuse(&rig.arena, "\033[2J\302\2330m!");
	return strcmp(rig.arena.service->totals.refusal, "?[2J??0m!") == 0;
}

/* --- the control socket */

static struct master *
controlled(void)
{
	struct master *m = master();
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	/* An abstract one, of a name that the kernel chooses. */
	m->admin_sockets.control = checked(socket(AF_UNIX,
					       SOCK_STREAM | SOCK_NONBLOCK, 0),
	    "socket");
	checked(bind(m->admin_sockets.control, (struct sockaddr *)&sun,
		    sizeof(sun.sun_family)),
	    "bind");
	checked(listen(m->admin_sockets.control, 5), "listen");
	control_socket_begin(m);
	return m;
}

/* A client of it that says something. */
static int
ask(const struct master *m, const char *text)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);
	int fd = checked(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	checked(getsockname(m->admin_sockets.control, (struct sockaddr *)&sun,
		    &len),
	    "getsockname");
	checked(connect(fd, (struct sockaddr *)&sun, len), "connect");
	checked((int)send(fd, text, strlen(text), MSG_NOSIGNAL), "send");
	return fd;
}

static void
put_in(const struct master *m, int fd, uint32_t index)
{
	struct epoll_event e = { .events = EPOLLOUT | EPOLLIN,
		.data.u32 = index };

	(void)m;
	checked(epoll_ctl(control_socket_watch(), EPOLL_CTL_ADD, fd, &e),
	    "epoll_ctl");
}

/* An index beyond the clients, and one of no client: without a sandbox, anybody
 * can put it in. */
static bool
indices(void)
{
	struct master *m = controlled();
	int a = checked(dup(rig.arena.service->slot[0].wake_fd), "dup");

	put_in(m, a, 0x7ffffff0);
	put_in(m, rig.arena.service->slot[1].wake_fd, 3);
	for (int i = 0; i < 3; i++)
		control_socket_step(m);
	return true;
}

/* Orders, by a client of the service in the place of an administrator. */
static bool
orders(void)
{
	struct master *m = controlled();
	struct pair p = accepted(0);
	int fd, admin_sockets = ask(m, "wor");

	/* The number that its descriptor gets. */
	fd = checked(dup(0), "dup");
	close(fd);
	control_socket_step(m); /* it is let in */
	say(&p, "stop\n");
	checked(dup2(p.fd, fd), "dup2");
	put_in(m, fd, 0);
	control_socket_step(m);
	control_socket_step(m);
	close(admin_sockets);
	return m->stop.phase == STOP_NONE;
}

/* An administrator is understood, also in pieces, and is told the truth. */
static bool
understood(void)
{
	struct master *m = controlled();
	int admin_sockets = ask(m, "sto");
	char answer[64] = "";

	control_socket_step(m);
	control_socket_step(m);
	checked((int)send(admin_sockets, "p\n", 2, MSG_NOSIGNAL), "send");
	control_socket_step(m);
	(void)!recv(admin_sockets, answer, sizeof(answer) - 1, 0);
	return m->stop.phase != STOP_NONE && strncmp(answer, "ok: ", 4) == 0;
}

/* A slot's instance is closed, and its number free: none of the master's gets
 * it, nor the other way round. */
static bool
numbers(void)
{
	struct master *m = master();
	int fd, theirs = rig.arena.service->slot[0].watch_fd;

	close(theirs);
	m = controlled();
	if (control_socket_watch() == theirs)
		return false;
	close(control_socket_watch());
	fd = instances_make(m);
	return fd != -1 && fd != control_socket_watch() && fd != theirs;
}

/* The upgrade record is written to after it was read. */
static bool
record(void)
{
	static struct upgrade_record t;
	char why[256] = "", *text;
	size_t length = 0;
	int fd, again;

	strlcpy(t.version, "1", sizeof(t.version));
	config_defaults(&t.config);
	fd = checked(record_write(&t), "record_write");
	text = record_text(fd, &length);
	checked(record_add(fd, "version", "666"), "record_add");
	again = checked(record_again(text, length), "record_again");
	free(text);
	return record_read(&t, again, why, sizeof(why)) == 0 &&
	    strcmp(t.version, "1") == 0;
}

static const struct {
	bool (*action)(void);
	const char *what;
} cases[] = {
	{ forgotten, "no pid of a dead worker is kept" },
	{ uninvited, "no worker is started that nobody wanted" },
	{ stopped, "no stop that nobody asked for" },
	{ woken, "no descriptor is written to but what wakes" },
	{ not_listening, "none is closed or changed but a listener" },
	{ next, "the next program finds what is true" },
	{ memfd, "an arena whose descriptor is gone is not handed over" },
	{ books, "totals are the master's own" },
	{ refusal, "nothing for a terminal in why a reload was refused" },
	{ indices, "events that are no client's" },
	{ orders, "orders come by the control socket only" },
	{ understood, "and are obeyed if they do" },
	{ numbers, "no two epoll instances have one number" },
	{ record, "the record is given back as it was" },
};

int
main(void)
{
	rig_begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_up();
		ok(survives(cases[i].action), "%s", cases[i].what);
		rig_down();
	}
	return tap_done();
}
