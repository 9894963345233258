/* SPDX-License-Identifier: ISC */
/*
 * Service state: making it, handing it on, and saying in the arena what workers
 * are to know of it.
 */
#include "shared/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif

/* Bytes that are not printable may be commands for a terminal. */
static void
service_clean(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* Make this process the only one that can write to `fd`.  Returns the
 * descriptor to go on with, or -1 with errno set. */
static int
service_seal(int fd)
{
	char path[32];
	int again;

	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) == 0)
		return fd;
	/* Before Linux 5.1: a mapping by a descriptor for reading cannot be
	 * made one for writing.  Without /proc there is no such descriptor. */
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	if (again == -1)
		return fd;
	close(fd);
	return again;
}

/* A memfd that only this process can write, by the mapping returned, which is
 * at `where` if that is not NULL.  NULL with errno set. */
static struct service_state *
service_map(void *where, int *fd)
{
	struct service_state *s;
	struct stat st;
	int saved;

	*fd = memfd_create("echod-service", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd == -1)
		return NULL;
	if (ftruncate(*fd, sizeof(*s)) == 0 && fstat(*fd, &st) == 0) {
		s = mmap(where, sizeof(*s), PROT_READ | PROT_WRITE,
		    MAP_SHARED | (where != NULL ? MAP_FIXED : 0), *fd, 0);
		if (s != MAP_FAILED) {
			(void)madvise(s, sizeof(*s), MADV_DONTFORK);
			*fd = service_seal(*fd);
			s->own.device = st.st_dev;
			s->own.inode = st.st_ino;
			return s;
		}
	}
	saved = errno;
	close(*fd);
	*fd = -1;
	errno = saved;
	return NULL;
}

static void
service_no_clone(struct service_state *s)
{
	atomic_store(&s->scratch.intent, CLONE_FOR_NOTHING);
	s->scratch.pid = 0;
	s->scratch.pidfd = -1;
}

/* Fill in from another program's.  Returns the reason if it cannot be. */
static const char *
service_copy(struct service_state *s, int old)
{
	static struct service_state was;
	ssize_t n = pread(old, &was, sizeof(was), 0);

	if (n == -1)
		return strerror(errno);
	if (n != sizeof(was) || was.magic != SERVICE_MAGIC ||
	    was.version != ARENA_VERSION || was.workers > ARENA_SLOTS_MAX ||
	    was.listeners > ARENA_LISTENERS_MAX ||
	    was.dropped > ARENA_LISTENERS_MAX)
		return "not the state of a service";
	was.own.device = s->own.device;
	was.own.inode = s->own.inode;
	*s = was;
	/* Processes of the program before, and descriptors that an exec
	 * closes. */
	memset(s->seat, 0, sizeof(s->seat));
	s->former_pidfd = s->nobody_fd = s->coming_fd = 0;
	service_no_clone(s);
	s->stop_deadline = 0;
	for (unsigned k = 0; k < ARENA_SLOTS_MAX; k++) {
		s->slot[k].pid = 0;
		s->slot[k].pidfd = 0;
	}
	return NULL;
}

struct service_state *
service_make(const struct arena *a, int *fd, int old, char *why, size_t size)
{
	struct service_state *s = service_map(NULL, fd);
	const char *problem = s == NULL ? strerror(errno) : NULL;
	struct stat st;

	if (problem == NULL && old != -1)
		problem = service_copy(s, old);
	if (problem != NULL) {
		if (s != NULL)
			service_destroy(s, *fd);
		snprintf(why, size, "service state: %s", problem);
		return NULL;
	}
	if (old == -1) {
		s->magic = SERVICE_MAGIC;
		s->version = ARENA_VERSION;
		s->descriptors = arena_descriptors(a);
		s->started = clock_ms();
		service_no_clone(s);
	}
	s->pid = (int32_t)getpid();
	if (fstat(a->fd, &st) == 0) {
		s->arena.device = st.st_dev;
		s->arena.inode = st.st_ino;
	}
	return s;
}

const struct service_state *
service_look(int fd, char *why, size_t size)
{
	const struct service_state *s = MAP_FAILED;
	struct stat st;

	if (fstat(fd, &st) == 0) {
		errno = EINVAL;
		if (st.st_size == sizeof(*s))
			s = mmap(NULL, sizeof(*s), PROT_READ, MAP_SHARED, fd,
			    0);
	}
	if (s == MAP_FAILED) {
		snprintf(why, size, "service state: %s", strerror(errno));
		return NULL;
	}
	if (s->magic == SERVICE_MAGIC && s->version == ARENA_VERSION)
		return s;
	munmap((void *)(uintptr_t)s, sizeof(*s));
	snprintf(why, size, "service state: another layout version");
	return NULL;
}

int
service_keep(struct service_state *s, int *fd)
{
	static struct service_state copy;
	struct stat st;
	int new;

	if (fstat(*fd, &st) == 0 && st.st_dev == s->own.device &&
	    st.st_ino == s->own.inode)
		return 0;
	copy = *s;
	if (service_map(s, &new) == NULL)
		return -1;
	copy.own.device = s->own.device;
	copy.own.inode = s->own.inode;
	*s = copy;
	/* The former number is another process's descriptor by now. */
	*fd = new;
	return 0;
}

void
service_let_inherit(struct service_state *s, bool inherit)
{
	(void)madvise(s, sizeof(*s), inherit ? MADV_DOFORK : MADV_DONTFORK);
}

void
service_destroy(struct service_state *s, int fd)
{
	munmap(s, sizeof(*s));
	close(fd);
}

void
service_publish(const struct arena *a, const struct service_state *s)
{
	struct arena_header *h = a->header;

	h->magic = ARENA_MAGIC;
	h->version = s->version;
	h->slots = a->slots;
	h->capacity = a->capacity;
	__atomic_store_n(&h->descriptors, s->descriptors, __ATOMIC_RELAXED);
	memcpy(h->listener, s->listener, sizeof(h->listener));
	__atomic_store_n(&h->listeners, s->listeners, __ATOMIC_RELAXED);
	__atomic_store_n(&h->dropped, s->dropped, __ATOMIC_RELAXED);
	h->master_wake_fd = s->master_wake_fd;
	for (unsigned k = 0; k < a->slots && k < ARENA_SLOTS_MAX; k++) {
		/* A slot without them has never had a worker, and its page need
		 * not be there. */
		if (s->slot[k].wake_fd == 0)
			continue;
		a->slot[k].wake_fd = s->slot[k].wake_fd;
		a->slot[k].watch_fd = s->slot[k].watch_fd;
	}
	atomic_store(&h->workers, s->workers);
	atomic_store(&h->generation, atomic_load(&s->generation));
	atomic_store(&h->stop_deadline, s->stop_deadline);
	atomic_store(&h->loglevel, atomic_load(&s->loglevel));
	/* A search that goes further than necessary finds nothing.  The next
	 * program refuses an arena whose search ends beyond the records. */
	if (atomic_load(&h->descriptor_end) > a->capacity)
		atomic_store(&h->descriptor_end, a->capacity);
}

void
service_refuse(struct service_state *s, const char *why)
{
	struct service_totals *t = &s->totals;

	t->reloads_refused++;
	strlcpy(t->refusal, why, sizeof(t->refusal));
	service_clean(t->refusal);
}

bool
arena_has_memfd(const struct arena *a, const struct service_state *s)
{
	struct stat st;

	if (fstat(a->fd, &st) == -1)
		return false;
	errno = EBADF;
	return st.st_dev == s->arena.device && st.st_ino == s->arena.inode;
}
