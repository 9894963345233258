/* SPDX-License-Identifier: ISC */
/*
 * The master's own copy of what it alone decides: taken from the arena while
 * there is no worker, and said in the arena again and again, in case somebody
 * has written there.
 */
#include "shared/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

/* What is not printable may be meant for a terminal. */
static void
service_clean(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int
service_make(struct arena *a)
{
	const struct arena_header *h = a->header;
	struct service_state *o = calloc(1, sizeof(*o));
	struct stat st;

	a->service = o;
	if (o == NULL)
		return -1;
	o->pid = (int32_t)getpid();
	o->version = h->version;
	o->descriptors = arena_descriptors(a);
	o->started = h->started;
	o->workers = arena_workers(a);
	o->listeners = arena_listeners(a);
	o->dropped = arena_dropped(a);
	for (unsigned i = 0; i < o->listeners + o->dropped; i++)
		o->listener[i] = arena_listener(a, i);
	o->master_wake_fd = h->master_wake_fd;
	for (unsigned k = 0; k < a->slots && k < ARENA_SLOTS_MAX; k++) {
		o->slot[k].wake_fd = a->slot[k].wake_fd;
		o->slot[k].watch_fd = a->slot[k].watch_fd;
	}
	atomic_store(&o->loglevel, atomic_load(&h->loglevel));
	o->draining = atomic_load(&h->draining) != 0;
	o->totals = h->totals;
	o->totals.refusal[sizeof(o->totals.refusal) - 1] = '\0';
	service_clean(o->totals.refusal);
	if (fstat(a->fd, &st) == 0) {
		o->device = st.st_dev;
		o->inode = st.st_ino;
	}
	return 0;
}

void
service_publish(const struct arena *a)
{
	const struct service_state *o = a->service;
	struct arena_header *h = a->header;

	h->magic = ARENA_MAGIC;
	h->version = o->version;
	h->slots = a->slots;
	h->capacity = a->capacity;
	__atomic_store_n(&h->descriptors, o->descriptors, __ATOMIC_RELAXED);
	h->started = o->started;
	memcpy(h->listener, o->listener, sizeof(h->listener));
	__atomic_store_n(&h->listeners, o->listeners, __ATOMIC_RELAXED);
	__atomic_store_n(&h->dropped, o->dropped, __ATOMIC_RELAXED);
	h->master_wake_fd = o->master_wake_fd;
	for (unsigned k = 0; k < a->slots && k < ARENA_SLOTS_MAX; k++) {
		a->slot[k].wake_fd = o->slot[k].wake_fd;
		a->slot[k].watch_fd = o->slot[k].watch_fd;
	}
	atomic_store(&h->workers, o->workers);
	atomic_store(&h->stop_deadline, o->stop_deadline);
	atomic_store(&h->loglevel, atomic_load(&o->loglevel));
	atomic_store(&h->draining, o->draining);
	h->totals = o->totals;
	/* A search that goes further than it need finds nothing there; one
	 * beyond the records would be refused by who takes over. */
	if (atomic_load(&h->descriptor_end) > a->capacity)
		atomic_store(&h->descriptor_end, a->capacity);
}

void
service_refuse(const struct arena *a, const char *why)
{
	struct service_totals *t = &a->service->totals;

	t->reloads_refused++;
	strlcpy(t->refusal, why, sizeof(t->refusal));
	service_clean(t->refusal);
}

bool
arena_has_memfd(const struct arena *a)
{
	struct stat st;

	if (fstat(a->fd, &st) == -1)
		return false;
	errno = EBADF;
	return st.st_dev == a->service->device &&
	    st.st_ino == a->service->inode;
}
