/* SPDX-License-Identifier: ISC */
/*
 * Memory between guard pages.
 */
#include "handler-test/guard.h"

#include <err.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARDS 16
#define GUARD_FAILED 2

static struct {
	const char *name;
	const struct guard *guard;
} guards[GUARDS];
static size_t guards_used;

static size_t
guard_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void
guard_map(struct guard *g, const char *name, size_t size, bool fixed)
{
	size_t page = guard_page();
	char *room;
	int fd = memfd_create(name, MFD_CLOEXEC);

	g->size = (size + page - 1) / page * page;
	if (g->size == 0)
		g->size = page;
	room = mmap(NULL, g->size + 2 * page, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd == -1 || room == MAP_FAILED ||
	    ftruncate(fd, (off_t)g->size) == -1)
		err(GUARD_FAILED, "memory for %s", name);
	g->view = mmap(room + page, g->size,
	    fixed ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
	    fd, 0);
	g->alias = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	if (g->view == MAP_FAILED || g->alias == MAP_FAILED)
		err(GUARD_FAILED, "memory for %s", name);
	close(fd);
	if (guards_used < GUARDS) {
		guards[guards_used].name = name;
		guards[guards_used].guard = g;
		guards_used++;
	}
}

void
guard_hide(const struct guard *g, bool hide)
{
	(void)mprotect(g->view, g->size, hide ? PROT_NONE : PROT_READ);
}

const char *
guard_name(const void *address, bool *edge)
{
	const char *at = address;
	size_t page = guard_page();

	for (size_t i = 0; i < guards_used; i++) {
		const struct guard *g = guards[i].guard;

		if (at < g->view - page || at >= g->view + g->size + page)
			continue;
		*edge = at < g->view || at >= g->view + g->size;
		return guards[i].name;
	}
	return NULL;
}
