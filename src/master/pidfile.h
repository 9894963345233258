/*
 * The pid file: who may have it, and what it says.
 */
#ifndef ECHOD_MASTER_PIDFILE_H
#define ECHOD_MASTER_PIDFILE_H

#include <limits.h>
#include <sys/types.h>

/* Held by a lock on its descriptor, which a reload hands on. */
struct pidfile {
	int fd;			/* -1: none */
	char path[PATH_MAX];
};

#define PIDFILE_NONE { -1, "" }

/*
 * Make the file `path` ours.  Returns 0; 1 if another process has it, whose
 * pid (-1 if it cannot be read) is stored in `other`; or -1 with errno set.
 */
int pidfile_claim(struct pidfile *p, const char *path, pid_t *other);

/* Write our pid.  Returns 0, or -1 with errno set. */
int pidfile_enter(const struct pidfile *p);

/* Empty it, remove it if that is permitted, and let go of it. */
void pidfile_release(struct pidfile *p);

/* Who has the pid file `path`.  Returns the pid; 0 if nobody does; or -1 with
 * errno set. */
pid_t pidfile_holder(const char *path);

#endif
