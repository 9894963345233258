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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsd/string.h>

#include "admin/connections.h"
#include "admin/metrics.h"
#include "config/value.h"
#include "master/sample.h"
#include "lib/key_values.h"
#include "lib/clock.h"
#include "master/admin_link.h"
#include "master/admin_requests.h"
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
#include "shared/request.h"
#include "tap.h"
#include "worker/balance/handoff.h"

/* A worker that exits at once. */
static int
entry(const struct config *c, const struct arena *a,
    const struct worker_place *place)
{
	(void)c;
	(void)a;
	(void)place;
	return 0;
}

static struct master *
master(void)
{
	static struct pidfile pidfile = PIDFILE_NONE;
	static struct master m;

	m.config = &rig.config;
	m.arena = rig.arena;
	m.service = rig.service;
	m.service_fd = rig.service_fd;
	m.admin.socket = m.admin.program = -1;
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

/* A worker dies while the arena says that there are no workers.  The master
 * kept its pid for ever, which another process may get. */
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

	m->service->workers = SLOTS - 1;
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
	m->service->dropped = 1;
	m->service->listener[1].fd = -1;
	drop_begin(&m->drop, &m->arena, m->service);
	m->child[0].respawn_at = clock_ms() + 10000;
	m->child[1].pid = 1;
	atomic_store(&slot(0)->state, SLOT_UNATTENDED);
	atomic_store(&slot(1)->state, SLOT_READY);
	scaling_step(m);
	return slot(1)->adopt == 1 && is_empty(fd);
}

/* The descriptors of listeners are forged: none of them is changed or closed.
 */
static bool
not_listening(void)
{
	struct arena_header *h = rig.arena.header;
	struct listen_state s = listen_save(rig.service);
	int fd = victim();

	for (unsigned i = 0; i < 2 * ARENA_LISTENERS_MAX; i++)
		h->listener[i].fd = fd;
	for (unsigned k = 0; k < SLOTS; k++)
		slot(k)->wake_fd = slot(k)->watch_fd = fd;
	h->master_wake_fd = fd;
	h->dropped = 5;
	(void)hand_over_keep(&rig.arena, rig.service, false);
	if (fcntl(fd, F_GETFD) != 0)
		return false;
	listen_restore(&rig.arena, rig.service, &s);
	listen_drop(&rig.arena, rig.service);
	return is_open(fd) && is_open(rig.listener);
}

/* The next program finds true values, not forged ones that make it give back.
 */
static bool
next(void)
{
	struct service_state *s;
	struct arena a;
	char why[256] = "";
	int fd;

	rig.service->totals.reloads = 7;
	memset(rig.arena.header, 0xff, sizeof(*rig.arena.header));
	service_publish(&rig.arena, rig.service);
	if (arena_attach(&a, rig.arena.fd, why, sizeof(why)) == -1 ||
	    (s = service_make(&a, &fd, rig.service_fd, why, sizeof(why))) ==
		NULL) {
		printf("# %s\n", why);
		return false;
	}
	return s->workers == SLOTS && s->listeners == 1 &&
	    s->listener[0].fd == rig.listener && s->totals.reloads == 7 &&
	    arena_stop_deadline(&a) == 0;
}

/* What a worker can do with the descriptor of the service state, which is in
 * its table. */
static bool
sealed(void)
{
	size_t size = sizeof(*rig.service);
	int fd = rig.service_fd;
	void *p;

	errno = 0;
	if (pwrite(fd, "x", 1, 0) != -1 || ftruncate(fd, 0) != -1 ||
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) !=
		MAP_FAILED)
		return false;
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	return p != MAP_FAILED &&
	    mprotect(p, size, PROT_READ | PROT_WRITE) == -1;
}

/* It has no mapping of it either. */
static bool
unseen(void)
{
	int status = 0;
	pid_t pid = checked(fork(), "fork");

	if (pid == 0) {
		/* Sanitizers have a handler of their own. */
		(void)signal(SIGSEGV, SIG_DFL);
		rig.service->workers = 0;
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

/* Closed, and its number another file's: the master goes on with the same
 * state at the same address, and leaves that file alone. */
static bool
kept(void)
{
	struct service_state *s = rig.service;
	int fd = rig.service_fd, other = victim();

	s->totals.reloads = 9;
	if (service_keep(s, &fd) == -1 || fd != rig.service_fd)
		return false;
	checked(dup2(other, fd), "dup2");
	if (service_keep(s, &fd) == -1 || fd == rig.service_fd)
		return false;
	rig.service_fd = fd;
	return s->totals.reloads == 9 && is_empty(other) && sealed();
}

/* Neither the next program nor the one before would find the arena. */
static bool
memfd(void)
{
	if (!arena_has_memfd(&rig.arena, rig.service))
		return false;
	checked(dup2(rig.listener, rig.arena.fd), "dup2");
	return !arena_has_memfd(&rig.arena, rig.service) && errno == EBADF;
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

	memset(rig.arena.header, 0xff, sizeof(*rig.arena.header));
	out = open_memstream(&text, &length);
	sample_step(m->config, &m->arena, m->service);
	metrics_write(&(struct view){ &m->arena, m->service, m->config, NULL },
	    out);
	fclose(out);
	good = strstr(text, "echod_reloads_total 0\n") != NULL &&
	    strstr(text, "echod_draining 0\n") != NULL &&
	    strstr(text, "18446744073709551615") == NULL;
	free(text);
	return good;
}

/* A list of connections has no number that cannot be: none of the bytes that a
 * connection holds, and no service that there is not. */
static bool
listed(void)
{
	struct master *m = master();
	const struct view view = { &m->arena, m->service, m->config, NULL };
	struct pair p = opened();
	struct connection *c = p.c;
	struct connection_list list;
	char *text = NULL;
	size_t length = 0;
	FILE *out;
	bool good;

	c->rx = 1;
	c->tx = 7;
	for (unsigned i = 0; i < 2; i++) {
		c->half[i].consumed = 3;
		c->half[i].produced = 5;
		c->half[i].entry = 255;
	}
	atomic_store(&m->arena.service[p.fd], 255);
	out = open_memstream(&text, &length);
	connections_init(&list, true);
	connections_begin(&list, &view, out);
	while (list.active)
		connections_more(&list, &view, out);
	fclose(out);
	good = list.rows == 1 && strstr(text, "\"held\":0,") != NULL &&
	    strstr(text, "\"service\":\"\"") != NULL;
	free(text);
	return good;
}

/* No answer has bytes that move a terminal's cursor. */
static bool
refusal(void)
{
	service_refuse(rig.service, "\033[2J\302\2330m!");
	return strcmp(rig.service->totals.refusal, "?[2J??0m!") == 0;
}

/* --- requests of the administration process, which is us */

static struct master *
asked(int *end)
{
	struct master *m = master();
	int ends[2];

	checked(request_pair(ends), "request_pair");
	m->admin.socket = ends[0];
	m->admin.pid = getpid();
	*end = ends[1];
	return m;
}

static void
ask(int end, enum request_kind kind, uint64_t argument, uint32_t sequence)
{
	const struct request r = { .kind = kind,
		.sequence = sequence,
		.argument = argument };

	checked(request_send(end, &r, sizeof(r)), "request_send");
}

/* The kind of what was answered to request `sequence`; -1: nothing. */
static int
answered(int end, uint32_t sequence)
{
	struct message answer;
	pid_t from;

	if (request_receive(end, getpid(), &answer, sizeof(answer), &from) !=
		RECEIVED_IT ||
	    answer.sequence != sequence)
		return -1;
	return (int)answer.kind;
}

/* A request is obeyed, and answered. */
static bool
understood(void)
{
	int end;
	struct master *m = asked(&end);

	ask(end, REQUEST_DRAIN, 1, 1);
	ask(end, REQUEST_LOGLEVEL, LOG_LEVEL_WARNING, 2);
	return admin_requests_step(m) && m->service->draining == 1 &&
	    atomic_load(&rig.arena.header->loglevel) == LOG_LEVEL_WARNING &&
	    answered(end, 1) == MESSAGE_DONE &&
	    answered(end, 2) == MESSAGE_DONE && answered(end, 3) == -1;
}

/* What cannot be is refused, and nothing is done. */
static bool
nonsense(void)
{
	static const struct {
		uint32_t kind, sequence;
		uint64_t argument;
	} tries[] = {
		{ REQUEST_WORKERS, 1, 0 },
		{ REQUEST_WORKERS, 2, CONFIG_WORKERS_MAX + 1 },
		{ REQUEST_WORKERS, 3, UINT64_MAX },
		{ REQUEST_LOGLEVEL, 4, LOG_LEVEL_WARNING + 1 },
		{ REQUEST_DRAIN, 5, 2 },
		{ REQUEST_CLOSE, 6, 0 },
		{ REQUEST_CLOSE, 7, 12345 },
		{ REQUEST_STOP, 0, 0 },
		{ REQUEST_STOP, UINT32_MAX, 0 },
		{ REQUEST_STOP, 8, 1 },
		{ REQUEST_KINDS, 9, 0 },
		{ UINT32_MAX, 10, 0 },
	};
	int end;
	struct master *m = asked(&end);

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		ask(end, tries[i].kind, tries[i].argument, tries[i].sequence);
		if (!admin_requests_step(m) ||
		    answered(end, tries[i].sequence) != MESSAGE_REFUSED) {
			printf("# %zu\n", i);
			return false;
		}
	}
	return m->stop.phase == STOP_NONE && m->service->draining == 0;
}

/* Another process, which has the descriptor, too: a worker. */
static bool
foreign(void)
{
	int end, status = 0;
	struct master *m = asked(&end);
	pid_t pid = checked(fork(), "fork");

	if (pid == 0) {
		ask(end, REQUEST_STOP, 0, 1);
		(void)send(end, "", 0, 0); /* no end of it either */
		(void)send(end, "stop", 4, 0);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (!admin_requests_step(m) || m->stop.phase != STOP_NONE ||
	    answered(end, 1) != -1)
		return false;
	/* Of a wrong size, though it is the right process. */
	checked((int)send(end, "stop", 4, 0), "send");
	if (!admin_requests_step(m) || m->stop.phase != STOP_NONE)
		return false;
	close(end);
	return !admin_requests_step(m);
}

/* Its number is a client's of the service, by now: what that one says is no
 * request. */
static bool
client(void)
{
	int end;
	struct master *m = asked(&end);
	struct pair p = accepted(0);
	struct request stop = { .kind = REQUEST_STOP, .sequence = 1 };

	say_bytes(&p, (const char *)&stop, sizeof(stop));
	checked(dup2(p.fd, m->admin.socket), "dup2");
	(void)admin_requests_step(m);
	return m->stop.phase == STOP_NONE;
}

/* It does not read what it is told: the master does not wait. */
static bool
unread(void)
{
	int end;
	struct master *m = asked(&end);

	for (uint32_t i = 1; i < 2000; i++)
		admin_link_tell(m, MESSAGE_PING, 0, "");
	ask(end, REQUEST_DRAIN, 1, 1);
	return admin_requests_step(m) && m->service->draining == 1;
}

/* The connection with the cookie is asked for, by its slot; none else. */
static bool
closing(void)
{
	int end;
	struct master *m = asked(&end);
	struct pair p, q;
	struct request r = { .kind = REQUEST_CLOSE, .sequence = 1 };

	worker_up(0);
	p = opened();
	q = opened();
	r.place = (uint32_t)p.fd;
	r.argument = q.c->cookie;
	/* The record is another one's by now. */
	checked(request_send(end, &r, sizeof(r)), "request_send");
	if (!admin_requests_step(m) || answered(end, 1) != MESSAGE_REFUSED ||
	    p.c->close != 0)
		return false;
	r.argument = p.c->cookie;
	checked(request_send(end, &r, sizeof(r)), "request_send");
	if (!admin_requests_step(m) || answered(end, 1) != MESSAGE_DONE)
		return false;
	handoff_accept(&rig.w);
	return hears_end(&p) && echoes(&q) && closed(0, CLOSE_REQUEST) == 1;
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
	fd = checked(record_write(&t), "takeover_write");
	text = key_values_text(fd, &length);
	checked(key_values_add(fd, "version", "666"), "takeover_add");
	again = checked(key_values_again("echod-takeover", text, length),
	    "takeover_again");
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
	{ listed, "a list shows only what can be" },
	{ refusal, "nothing for a terminal in why a reload was refused" },
	{ sealed, "nobody else writes to the service state" },
	{ unseen, "no child has a mapping of it" },
	{ kept, "it outlives its descriptor" },
	{ understood, "requests of the administration process are obeyed" },
	{ nonsense, "those that cannot be are refused" },
	{ foreign, "another process's are ignored" },
	{ client, "a client's, too" },
	{ unread, "the master waits for nobody to read its answers" },
	{ closing, "a close is for one connection" },
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
