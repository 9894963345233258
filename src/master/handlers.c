/* SPDX-License-Identifier: ISC */
/*
 * The handlers of the services: the table over starts and reloads.
 */
#include "master/handlers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "handler/services.h"
#include "lib/clock.h"
#include "lib/descriptor_close.h"
#include "lib/descriptor_keep.h"
#include "shared/totals.h"

/* Between two looks whether the connections of a removed service, or of a
 * former handler, are gone, ms. */
#define HANDLERS_LOOK_MS 1000
#define HANDLERS_LOOK_FORMER_MS 10000
/* After the deadline workers have closed the last ones, ms. */
#define HANDLERS_GRACE_MS 1000

/* ---- the table */

static bool
handlers_is(const struct handler_entry *e, const char *service)
{
	return e->state != ENTRY_FREE && strcmp(e->service, service) == 0;
}

/* A connection may go on with `n` as if nothing had happened. */
static bool
handlers_is_same(const struct handler_entry *e, const struct image_entry *n)
{
	return strcmp(e->name, n->name) == 0 &&
	    strcmp(e->version, n->version) == 0 &&
	    strcmp(e->path, n->path) == 0 && e->device == n->device &&
	    e->inode == n->inode && e->mtime_ns == n->mtime_ns &&
	    e->file_size == n->size && e->data_size == n->data_size &&
	    e->data_mark == n->data_mark &&
	    e->state_version == n->state_version &&
	    e->state_size == n->state_size && e->in_max == n->in_max &&
	    e->out_max == n->out_max;
}

/* Why connections of `e` cannot move to `n`; NULL if they can. */
static const char *
handlers_why_not(const struct handler_entry *e, const struct image_entry *n,
    char *text, size_t size)
{
	if (e->state_version != n->state_version && !n->migrates)
		snprintf(text, size,
		    "its state has version %u, that of connections has %u, "
		    "and it has no migrate()",
		    n->state_version, e->state_version);
	else if (e->state_version == n->state_version &&
	    e->state_size != n->state_size)
		snprintf(text, size,
		    "its state has %u bytes, that of connections has %u, "
		    "and both have version %u",
		    n->state_size, e->state_size, e->state_version);
	else if (n->in_max < e->in_max)
		snprintf(text, size,
		    "its in_max is %u, and connections may hold %u bytes",
		    n->in_max, e->in_max);
	else
		return NULL;
	return text;
}

/* The entries that are used, and those that such entries lead to. */
static uint64_t
handlers_needed(const struct handler_table *t, uint64_t used)
{
	uint64_t needed = used;

	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if ((used & handler_table_bit(i)) != 0 &&
		    t->entry[i].state == ENTRY_REPLACED)
			needed |= handler_table_bit(t->entry[i].successor);
	return needed;
}

/* Forget entries that nobody needs.  The descriptors are for
 * handlers_commit(). */
static void
handlers_sweep(struct handler_table *t, uint64_t used)
{
	uint64_t needed = handlers_needed(t, used);

	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		struct handler_entry *e = &t->entry[i];

		if ((e->state == ENTRY_FORMER || e->state == ENTRY_REPLACED) &&
		    (needed & handler_table_bit(i)) == 0)
			*e = (struct handler_entry){ .state = ENTRY_FREE };
	}
}

/* The number of a service: the one that it has, else one that nobody has.
 * Returns -1 if there is none. */
static int
handlers_number(const struct handler_table *t, const char *service)
{
	uint64_t taken = 0;

	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		if (handlers_is(&t->entry[i], service))
			return t->entry[i].number;
		if (t->entry[i].state != ENTRY_FREE)
			taken |= UINT64_C(1) << t->entry[i].number;
	}
	for (int n = 0; n < SERVICE_NUMBERS; n++)
		if ((taken & UINT64_C(1) << n) == 0)
			return n;
	return -1;
}

static void
handlers_fill(struct handler_entry *e, const struct image_entry *n, int number)
{
	*e = (struct handler_entry){
		.state = ENTRY_CURRENT,
		.number = (uint8_t)number,
		.migrates = n->migrates != 0,
		.code_fd = -1,
		.data_fd = -1,
		.data_size = n->data_size,
		.data_mark = n->data_mark,
		.state_version = n->state_version,
		.state_size = n->state_size,
		.in_max = n->in_max,
		.out_max = n->out_max,
		.device = n->device,
		.inode = n->inode,
		.mtime_ns = n->mtime_ns,
		.file_size = n->size,
	};
	strlcpy(e->service, n->service, sizeof(e->service));
	strlcpy(e->name, n->name, sizeof(e->name));
	strlcpy(e->version, n->version, sizeof(e->version));
	strlcpy(e->path, n->path, sizeof(e->path));
}

/* The entry for `n`: the one that is the same, or a new one.  -1 if there is no
 * room. */
static int
handlers_place(struct handler_table *t, const struct image_entry *n)
{
	int free = -1, number = handlers_number(t, n->service);

	for (int i = HANDLER_ENTRIES - 1; i >= 0; i--) {
		struct handler_entry *e = &t->entry[i];

		if (e->state == ENTRY_FREE)
			free = i;
		else if (handlers_is(e, n->service) && handlers_is_same(e, n)) {
			e->state = ENTRY_CURRENT;
			e->deadline = 0;
			return i;
		}
	}
	if (free != -1 && number != -1)
		handlers_fill(&t->entry[free], n, number);
	return number == -1 ? -1 : free;
}

/* The service has handler `n` from now on, in entry `to`.  Say what becomes of
 * entry `i`.  Returns -1 with the reason in `text` if its connections must move
 * and cannot. */
static int
handlers_follow(struct handler_table *t, unsigned i, unsigned to,
    const struct image_entry *n, bool used, bool must, char *text, size_t size)
{
	struct handler_entry *e = &t->entry[i];
	bool same = strcmp(e->name, n->name) == 0;

	if (same && (!used || handlers_why_not(e, n, text, size) == NULL)) {
		e->state = ENTRY_REPLACED;
		e->successor = (uint8_t)to;
		e->deadline = 0;
		return 0;
	}
	if (same && must)
		return -1;
	/* A reload never changes the protocol of a connection. */
	if (e->state != ENTRY_REPLACED) {
		e->state = ENTRY_FORMER;
		e->deadline = 0;
	}
	return 0;
}

static int
handlers_plan_service(struct handler_table *t, const struct image_entry *n,
    const struct image_service *s, uint64_t used, char *why, size_t size)
{
	const struct handler_table before = *t;
	int to = handlers_place(t, n);
	char text[192];

	if (to == -1) {
		snprintf(why, size,
		    "%s: connections still have too many former handlers, or "
		    "services",
		    s->where);
		return -1;
	}
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		const struct handler_entry *e = &before.entry[i];
		bool must = e->state == ENTRY_CURRENT ||
		    (e->state == ENTRY_REPLACED &&
			before.entry[e->successor].state == ENTRY_CURRENT);

		if (i == (unsigned)to || !handlers_is(e, n->service) ||
		    handlers_follow(t, i, (unsigned)to, n,
			(used & handler_table_bit(i)) != 0, must, text,
			sizeof(text)) == 0)
			continue;
		snprintf(why, size, "%s: %s: %s", s->where,
		    n->path[0] != '\0' ? n->path : n->name, text);
		return -1;
	}
	return 0;
}

int
handlers_plan(struct handler_table *t, const struct image *image,
    const struct image_request *r, uint64_t used, uint64_t deadline, char *why,
    size_t size)
{
	handlers_sweep(t, used);
	for (unsigned s = 0; s < image->services; s++)
		if (handlers_plan_service(t, &image->entry[s], &r->service[s],
			used, why, size) == -1)
			return -1;
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		struct handler_entry *e = &t->entry[i];
		bool stays = e->state == ENTRY_FREE ||
		    e->state == ENTRY_REPLACED || e->state == ENTRY_REMOVED;

		for (unsigned s = 0; s < image->services && !stays; s++)
			stays = handlers_is(e, image->entry[s].service);
		if (stays)
			continue;
		/* Clients may wait in the queue of its listener. */
		e->successor = e->state == ENTRY_CURRENT ? (uint8_t)i
							 : HANDLER_ENTRIES;
		e->state = ENTRY_REMOVED;
		e->deadline = deadline;
	}
	handlers_sweep(t, used);
	return 0;
}

/* ---- what connections have */

/* The entry that the record names, in the half that counts. */
static uint64_t
handlers_of(const struct connection *c)
{
	enum connection_state state = owner_state(connection_owner(c));

	return state == CONN_OPEN || state == CONN_OFFERED
	    ? handler_table_bit(connection_half(c)->entry % HANDLER_ENTRIES)
	    : 0;
}

uint64_t
handlers_used(const struct arena *a)
{
	uint64_t used = 0;

	for (unsigned fd = 0; fd < arena_end(a); fd++)
		used |= handlers_of(&a->connection[fd]);
	return used;
}

/* ---- start and reload */

int
handlers_check(int memfd, const struct config *c,
    const struct service_state *before, char *why, size_t size)
{
	static struct handler_table t;
	static struct image_request r;
	static struct image image;

	services_request(c, &r);
	if (image_make(memfd, &r, why, size) == -1)
		return -1;
	/* Workers share the table of descriptors with the master. */
	if (image_seal(memfd) == -1) {
		snprintf(why, size, "handlers: a module keeps the image: %s",
		    strerror(errno));
		return -1;
	}
	if (image_read(memfd, &r, &image, why, size) == -1)
		return -1;
	memset(&t, 0, sizeof(t));
	if (before != NULL)
		t = before->handlers;
	return handlers_plan(&t, &image, &r,
	    before != NULL ? before->handlers_used : 0, 0, why, size);
}

/* Open the file and the data of an entry that is new. */
static int
handlers_open_entry(struct handler_entry *e, int memfd,
    const struct image_entry *n, const char *handler, uid_t owner, char *why,
    size_t size)
{
	struct load_file file;

	if (e->path[0] != '\0' && e->code_fd == -1) {
		if (load_open(handler, owner, &file, why, size) == -1)
			return -1;
		e->code_fd = file.fd;
		if (strcmp(file.path, e->path) != 0 ||
		    file.device != e->device || file.inode != e->inode ||
		    file.mtime_ns != e->mtime_ns || file.size != e->file_size) {
			snprintf(why, size,
			    "%s: it has changed since its check", e->path);
			return -1;
		}
	}
	if (e->data_size == 0 || e->data_fd != -1)
		return 0;
	e->data_fd = image_data(memfd, n);
	if (e->data_fd != -1)
		return 0;
	snprintf(why, size, "memory for the options of handler %s: %s", e->name,
	    strerror(errno));
	return -1;
}

/*
 * No client is served while this runs, so it avoids a look at each connection.
 * Since the check only current handlers can have got their first connections.
 */
static int
handlers_follow_image(struct master *m, const struct image *image,
    const struct image_request *r, uint64_t deadline, char *why, size_t size)
{
	const struct handler_table *before = &m->service->handlers;
	uint64_t used = m->service->handlers_used;

	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if (before->entry[i].state == ENTRY_CURRENT)
			used |= handler_table_bit(i);
	m->handlers = *before;
	if (handlers_plan(&m->handlers, image, r, used, deadline, why, size) ==
	    0)
		return 0;
	m->handlers = *before;
	return handlers_plan(&m->handlers, image, r, handlers_used(&m->arena),
	    deadline, why, size);
}

static uint64_t
handlers_numbers(const struct handler_table *t)
{
	uint64_t used = 0;

	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if (t->entry[i].state != ENTRY_FREE)
			used |= UINT64_C(1) << t->entry[i].number;
	return used;
}

/* A service that is new may get a number that another one has had. */
static void
handlers_begin_numbers(const struct master *m)
{
	uint64_t new = handlers_numbers(&m->handlers) &
	    ~handlers_numbers(&m->service->handlers);

	for (unsigned n = 0; n < SERVICE_NUMBERS; n++)
		if ((new &UINT64_C(1) << n) != 0)
			totals_begin_service(&m->arena, m->service, n);
}

int
handlers_open(struct master *m, int memfd, char *why, size_t size)
{
	static struct image_request r;
	static struct image image;
	const struct config *c = m->config;
	uint64_t deadline = clock_ms() + (uint64_t)c->shutdown_timeout * 1000;

	services_request(c, &r);
	if (image_read(memfd, &r, &image, why, size) == -1 ||
	    handlers_follow_image(m, &image, &r, deadline, why, size) == -1)
		return -1;
	handlers_begin_numbers(m);
	for (unsigned s = 0; s < image.services; s++)
		for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
			struct handler_entry *e = &m->handlers.entry[i];

			if (e->state == ENTRY_CURRENT &&
			    handlers_is(e, image.entry[s].service) &&
			    handlers_open_entry(e, memfd, &image.entry[s],
				r.service[s].handler, image_owner(&r), why,
				size) == -1)
				return -1;
		}
	return 0;
}

void
handlers_resume(struct master *m)
{
	m->handlers = m->service->handlers;
}

int
handlers_keep(const struct handler_table *t, bool keep)
{
	int r = 0;

	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		const struct handler_entry *e = &t->entry[i];

		if (e->state != ENTRY_FREE)
			r |= descriptor_keep(e->code_fd, keep) |
			    descriptor_keep(e->data_fd, keep);
	}
	return r;
}

static bool
handlers_have(const struct handler_table *t, int fd)
{
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if (t->entry[i].state != ENTRY_FREE &&
		    (t->entry[i].code_fd == fd || t->entry[i].data_fd == fd))
			return true;
	return false;
}

void
handlers_commit(struct master *m)
{
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		const struct handler_entry *e = &m->service->handlers.entry[i];

		if (e->state == ENTRY_FREE)
			continue;
		if (e->code_fd > STDERR_FILENO &&
		    !handlers_have(&m->handlers, e->code_fd))
			descriptor_close_file(e->code_fd);
		if (e->data_fd > STDERR_FILENO &&
		    !handlers_have(&m->handlers, e->data_fd))
			descriptor_close_file(e->data_fd);
	}
	(void)handlers_keep(&m->handlers, false);
	m->service->handlers = m->handlers;
}

/* ---- files that nobody closes any more */

/* True for a regular file, open for reading, that is none of the master's: it
 * has no other such file but those of modules. */
static bool
handlers_is_lost(const struct master *m, int fd)
{
	int flags = fcntl(fd, F_GETFL), seals;
	struct stat st;

	if (fd <= STDERR_FILENO || flags == -1 || (flags & O_PATH) != 0 ||
	    (flags & O_ACCMODE) != O_RDONLY || fstat(fd, &st) == -1 ||
	    !S_ISREG(st.st_mode))
		return false;
	/* A memfd has more seals than a file of tmpfs. */
	seals = fcntl(fd, F_GET_SEALS);
	return (seals == -1 || seals == F_SEAL_SEAL) &&
	    !handlers_have(&m->handlers, fd);
}

static bool
handlers_is_loading(const struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0 &&
		    atomic_load(&m->arena.slot[k].state) == SLOT_EMPTY)
			return true;
	return false;
}

/* A worker that dies while it loads a module leaves the files that dlopen(3)
 * has open, and a master those that it reads: the table of descriptors lives
 * on. */
static void
handlers_close_lost(struct master *m)
{
	DIR *d;
	const struct dirent *e;

	if (!m->handlers_lost || handlers_is_loading(m) ||
	    service_has_foreign(m->service))
		return;
	m->handlers_lost = false;
	d = opendir("/proc/self/fd");
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		int fd = (int)strtonum(e->d_name, 0, INT_MAX, NULL);

		if (fd != dirfd(d) && handlers_is_lost(m, fd))
			close(fd);
	}
	closedir(d);
}

/* ---- services that are gone */

void
handlers_step(struct master *m)
{
	uint64_t now = clock_ms(), used;
	bool removed = false;

	handlers_close_lost(m);
	if (now < handlers_next(m))
		return;
	used = handlers_used(&m->arena);
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		struct handler_entry *e = &m->handlers.entry[i];

		if (e->state != ENTRY_REMOVED)
			continue;
		if (now >= e->deadline + HANDLERS_GRACE_MS ||
		    ((handlers_needed(&m->handlers, used) &
			 handler_table_bit(i)) == 0 &&
			m->service->dropped == 0))
			*e = (struct handler_entry){ .state = ENTRY_FREE };
		else
			removed = true;
	}
	handlers_sweep(&m->handlers, used);
	handlers_commit(m);
	m->handlers_look = now +
	    (removed ? HANDLERS_LOOK_MS : HANDLERS_LOOK_FORMER_MS);
}

uint64_t
handlers_next(const struct master *m)
{
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if (m->handlers.entry[i].state != ENTRY_FREE &&
		    m->handlers.entry[i].state != ENTRY_CURRENT)
			return m->handlers_look;
	return CLOCK_NEVER;
}
