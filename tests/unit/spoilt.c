/* SPDX-License-Identifier: ISC */
/*
 * An intruder has written anything into the arena: readers stay in bounds.
 * Each case once led out of bounds; tests/fuzz or a reader found it.  Each runs
 * in a process of its own, since it may end in a fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsd/string.h>

#include "admin/metrics.h"
#include "admin/status.h"
#include "lib/clock.h"
#include "master/listeners/listen.h"
#include "master/master.h"
#include "rig.h"
#include "shared/worker_exit.h"
#include "tap.h"
#include "worker/balance/handoff.h"
#include "worker/connection/serve.h"
#include "worker/loop.h"

static struct master *
master(void)
{
	static struct master m;

	m.config = &rig.config;
	m.arena = rig.arena;
	m.service = rig.service;
	m.service_fd = rig.service_fd;
	for (unsigned k = 0; k < CONFIG_WORKERS_MAX; k++)
		m.child[k].respawn_at = CLOCK_NEVER;
	return &m;
}

/* The output of `write`; the caller frees it. */
static char *
text_of(void (*write)(struct master *m, FILE *out))
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		die("open_memstream");
	write(master(), out);
	fclose(out);
	return text;
}

static void
write_all(struct master *m, FILE *out)
{
	status_write(&(struct view){ &m->arena, m->service, m->config, NULL },
	    out, false);
	status_write(&(struct view){ &m->arena, m->service, m->config, NULL },
	    out, true);
	status_workers(&(struct view){ &m->arena, m->service, m->config, NULL },
	    out, true);
	metrics_write(&(struct view){ &m->arena, m->service, m->config, NULL },
	    out);
}

/* Impossible counts of slots, workers, listeners and records. */
static bool
counts(void)
{
	struct arena_header *h = rig.arena.header;
	char *text;

	h->slots = h->capacity = h->descriptors = UINT32_MAX;
	h->listeners = h->dropped = UINT32_MAX;
	atomic_store(&h->workers, UINT32_MAX);
	atomic_store(&h->descriptor_end, UINT32_MAX);
	text = text_of(write_all);
	free(text);
	worker_up(0);
	(void)recover(&rig.w, 0);
	handoff_accept(&rig.w);
	balance(&rig.balance, &rig.w);
	handoff_withdraw(&rig.w);
	(void)listen_names(rig.service);
	return arena_workers(&rig.arena) == SLOTS &&
	    arena_end(&rig.arena) == DESCRIPTORS &&
	    arena_open_listeners(&rig.arena) == 2 * ARENA_LISTENERS_MAX;
}

/* Texts that are not terminated, and that contain syntax. */
static bool
texts(void)
{
	struct arena_header *h = rig.arena.header;
	char *text;
	bool good;

	memset(h->listener, '"', sizeof(h->listener));
	h->listeners = 2;
	h->dropped = 0;
	text = text_of(write_all);
	/* A worker reads the names there; the master does not. */
	good = strstr(text, "\"\"\"") == NULL &&
	    strlen(arena_listener(&rig.arena, 1).name) == LISTENER_NAME - 1 &&
	    strchr(arena_listener(&rig.arena, 1).name, '"') == NULL;
	free(text);
	return good;
}

/* One more listener than fits would be written behind the list. */
static bool
listeners(void)
{
	struct arena_header *h = rig.arena.header;
	struct service_state *o = rig.service;
	struct listen_numbers numbers = { { 0 } };

	o->listeners = o->dropped = ARENA_LISTENERS_MAX;
	for (unsigned i = 0; i < 2 * ARENA_LISTENERS_MAX; i++)
		o->listener[i].fd = -1;
	atomic_store(&h->drop, DROP_TAKEN);
	return listen_open(&rig.arena, rig.service, &rig.config, &numbers, NULL,
		   &(struct addresses){ .count = 0 }) == -1 &&
	    atomic_load(&h->drop) == DROP_TAKEN &&
	    o->dropped == ARENA_LISTENERS_MAX;
}

/* An index into the active set, which is empty. */
static bool
active(void)
{
	struct pair p = opened();

	(void)succeed();
	p.c->active = 0x7ffffff0;
	active_touch(&rig.w.active, p.fd);
	if (!is_active(&p))
		return false;
	p.c->active = 0x7ffffff0;
	active_remove(&rig.w.active, p.fd);
	return echoes(&p);
}

/* Offered by the dead worker to a slot that does not exist. */
static bool
nowhere(void)
{
	struct pair p = offered(0, 0xffffff);

	return settled(1, 0, succeed()) && is_owned(&p, CONN_OPEN, 0) &&
	    is_watched(&p) && echoes(&p);
}

/* The pending bytes are in no window, and before the scratch buffer. */
static bool
unspilled(void)
{
	struct pair p = opened();

	p.c->rx = 60000;
	passed(&p, 60000);
	return settled(0, 1, succeed()) && !is_open(p.fd);
}

/* The same for a record that recovery does not find: its number is beyond
 * descriptor_end. */
static bool
overlooked(void)
{
	struct pair p = opened();

	p.c->rx = 60000;
	passed(&p, 60000);
	rig.arena.header->descriptor_end = 0;
	(void)succeed();
	say(&p, "line\n");
	turn(PATIENCE);
	return !is_open(p.fd) && closed(0, CLOSE_ERROR) == 1;
}

/* The same for a record that the worker had before it adopted a slot, when it
 * serves that client again. */
static bool
own(void)
{
	struct pair p = opened(), q = accepted(0);

	enter(&q, 1);
	(void)succeed();
	p.c->rx = 60000;
	passed(&p, 60000);
	p.c->phase = PHASE_FINISHING;
	(void)recover(&rig.w, 1);
	say(&p, "line\n");
	turn(PATIENCE);
	return !is_open(p.fd) && is_owned(&q, CONN_OPEN, 0) && echoes(&q);
}

/* The same for a record that is offered. */
static bool
unspilled_offer(void)
{
	struct pair p = offered(1, 0);

	worker_up(0);
	p.c->rx = 60000;
	passed(&p, 60000);
	arena_handoff(&rig.arena, 0)[p.fd / 64] |= UINT64_C(1) << (p.fd % 64);
	handoff_accept(&rig.w);
	return !is_open(p.fd) && slot(0)->held == 0;
}

/* An impossible record, for a descriptor that is not a client's. */
static bool
stranger(void)
{
	int fd = checked(open("/dev/null", O_RDWR), "open");
	struct connection *c = &rig.arena.connection[fd];

	note_end(fd);
	c->rx = UINT64_MAX;
	atomic_store(&c->owner, owner_word(CONN_OPEN, 0));
	return settled(0, 1, succeed()) && is_open(fd) &&
	    connection_owner(c) == CONN_FREE;
}

/* The same for the record that the operation names. */
static bool
strange_operation(void)
{
	int fd = slot(0)->wake_fd;

	note_end(fd);
	atomic_store(&rig.arena.connection[fd].owner, owner_word(CONN_OPEN, 0));
	name(OP_SERVE, fd, 0);
	(void)succeed();
	return is_open(fd);
}

/* The last word of a handoff bitmap has bits beyond the last record. */
static bool
handoff(void)
{
	struct arena a;
	struct connection *beyond;
	unsigned few = 40;

	if (arena_create(&a, SLOTS, few, few) == -1)
		return false;
	a.header->descriptor_end = few;
	atomic_store(&a.header->workers, SLOTS);
	worker_up(0);
	rig.w.arena = &a;
	rig.w.slot = &a.slot[0];
	beyond = &a.connection[few + 1];
	atomic_store(&beyond->owner, owner_word(CONN_OFFERED, 0));
	arena_handoff(&a, 0)[0] = UINT64_C(1) << (few + 1);
	handoff_accept(&rig.w);
	return connection_owner(beyond) == owner_word(CONN_OFFERED, 0);
}

/* A slot to adopt that does not exist. */
static bool
adopt(void)
{
	uint64_t deadline = clock_ms() + PATIENCE;
	struct worker_place place;
	int status = 0;
	pid_t pid;

	atomic_store(&slot(0)->adopt, INT32_MAX);
	checked((int)write(slot(0)->wake_fd, &(uint64_t){ 1 }, 8), "write");
	place = place_of(0);
	place.master = getpid();
	pid = checked(fork(), "fork");
	if (pid == 0)
		_exit(worker_main(&rig.config, &rig.arena, &place));
	while (atomic_load(&slot(0)->adopt) != 0 && clock_ms() < deadline)
		(void)poll(NULL, 0, 2);
	atomic_store(&slot(0)->leave, 1);
	(void)kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == WORKER_LEFT;
}

/* More slots than a master has places for workers. */
static bool
slots(void)
{
	struct arena a, b;
	char why[256] = "";

	return arena_create(&a, ARENA_SLOTS_MAX + 1, 8, 8) == 0 &&
	    arena_attach(&b, a.fd, why, sizeof(why)) == -1 &&
	    strcmp(why, "arena: impossible sizes") == 0;
}

/* If the arena were cut, every reader would fault. */
static bool
cut(void)
{
	return ftruncate(rig.arena.fd, 0) == -1 && errno == EPERM &&
	    rig.arena.header->magic == ARENA_MAGIC;
}

static const struct {
	bool (*action)(void);
	const char *what;
} cases[] = {
	{ counts, "impossible counts" },
	{ texts, "texts that are not terminated" },
	{ listeners, "more listeners than there is room for: refused" },
	{ active, "an index into the active set" },
	{ nowhere, "a connection offered to no slot goes on" },
	{ unspilled, "pending bytes in no window: closed" },
	{ overlooked, "the same, unseen by recovery: closed" },
	{ own, "the same, of a worker that adopts a slot: closed" },
	{ unspilled_offer, "the same, when offered: closed" },
	{ stranger, "a spoilt record closes no file" },
	{ strange_operation, "nor does the operation's" },
	{ handoff, "bits beyond the last record" },
	{ adopt, "a slot to adopt that does not exist" },
	{ slots, "more slots than places: refused" },
	{ cut, "the arena cannot be cut" },
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
