/* SPDX-License-Identifier: ISC */
/*
 * The pid file.
 *
 * Not libbsd's pidfile_open(3bsd): its handle cannot be handed to the next
 * image, opening anew would empty the file for a moment and needs rights that
 * the service has given up by then, and its flock(2) is anybody's to take.
 */
#include "master/start/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/holder.h"
#include "lib/log.h"
#include "lib/signals.h"

#define FLAGS (O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
/* How often one looks whether the file can be had now, ms. */
#define LOOK_AGAIN 20
/* Others may be at it at the same time. */
#define TRIES 20
/* Workers of a master that was killed have shutdown-timeout, and so long to be
 * gone, s. */
#define PATIENCE_S 5

static bool
pidfile_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool
pidfile_is_at(const struct pidfile *p, const char *path)
{
	struct stat ours, there;

	return p->fd != -1 && fstat(p->fd, &ours) == 0 &&
	    lstat(path, &there) == 0 && pidfile_same(&ours, &there);
}

/* Root opens it in a directory that may be `user`'s: a link laid there by an
 * intruder must not have another file overwritten.  Returns a descriptor, or
 * -1 with errno set, EEXIST if it came or went meanwhile. */
static int
pidfile_open(const char *path)
{
	int fd = open(path, FLAGS);

	/* O_CREAT where a file is can be refused, fs.protected_regular. */
	return fd == -1 && errno == ENOENT
	    ? open(path, FLAGS | O_CREAT | O_EXCL, 0644)
	    : fd;
}

/* In one go: a reader never sees half of it, or nothing. */
static int
pidfile_enter(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	errno = ENOSPC; /* which a short write does not set */
	return pwrite(fd, text, (size_t)n, 0) != n || ftruncate(fd, n) == -1
	    ? -1
	    : 0;
}

/*
 * A file that is locked by strangers is left to them: another takes its place.
 * Exchanged, not renamed, so that what was there is known afterwards; two of us
 * may be doing the same.  Returns its descriptor, or -1 with errno set, EEXIST
 * if the file was another one by then.
 */
static int
pidfile_replace(int fd, const char *path)
{
	char name[PATH_MAX];
	struct stat ours, there;
	int new = -1, saved;

	if (snprintf(name, sizeof(name), "%s.%ld", path, (long)getpid()) >=
	    (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)unlink(name);
	new = open(name, FLAGS | O_CREAT | O_EXCL, 0644);
	if (new == -1)
		return -1;
	if (holder_lock(new) == -1 || pidfile_enter(new) == -1 ||
	    fstat(fd, &ours) == -1 ||
	    renameat2(AT_FDCWD, name, AT_FDCWD, path, RENAME_EXCHANGE) == -1)
		saved = errno;
	else if (lstat(name, &there) == 0 && pidfile_same(&ours, &there))
		saved = 0;
	else {
		(void)renameat2(AT_FDCWD, name, AT_FDCWD, path,
		    RENAME_EXCHANGE);
		saved = EEXIST;
	}
	(void)unlink(name);
	if (saved == 0)
		return new;
	close(new);
	errno = saved;
	return -1;
}

/* What one try comes to. */
enum claim {
	CLAIM_DONE,
	CLAIM_FAILED,
	CLAIM_AGAIN,
	CLAIM_WAIT
};

struct reason {
	char *text;
	size_t size;
};

/* The file is in somebody's hands, as `found` says; we may do without its
 * lock, but not write to one that can be another's. */
static enum claim
pidfile_evade(struct pidfile *p, const char *found, bool needed,
    struct reason *why)
{
	int new = pidfile_replace(p->fd, p->path);

	if (new == -1 && errno == EEXIST)
		return CLAIM_AGAIN;
	if (new == -1) {
		snprintf(why->text, why->size,
		    "%s; no other file can take "
		    "its place: %s%s",
		    found, strerror(errno),
		    needed ? "" : "; going on without a lock");
		return needed ? CLAIM_FAILED : CLAIM_DONE;
	}
	snprintf(why->text, why->size, "%s; another file has taken its place",
	    found);
	close(p->fd);
	p->fd = new;
	return CLAIM_DONE;
}

/* Whether an echod has it. */
static enum claim
pidfile_judge(int fd, struct reason *why)
{
	enum claim result = CLAIM_DONE;
	struct holder h;

	holder_find(&h, fd);
	if (h.state == HOLDER_ECHOD) {
		snprintf(why->text, why->size, "already running, pid %ld",
		    (long)h.pid);
		result = CLAIM_FAILED;
	} else if (h.state == HOLDER_ELSEWHERE) {
		snprintf(why->text, why->size, "already running: %s", h.found);
		result = CLAIM_FAILED;
	} else if (h.state == HOLDER_LEFT) {
		snprintf(why->text, why->size, "%s", h.found);
		result = CLAIM_WAIT;
	}
	holder_close(&h);
	return result;
}

/* The file is open. */
static enum claim
pidfile_take(struct pidfile *p, struct reason *why)
{
	bool locked = holder_lock(p->fd) == 0;
	enum claim result;
	struct holder h;
	struct stat st;

	if (!locked && errno != EAGAIN) {
		snprintf(why->text, why->size, "fcntl(F_SETLK): %s",
		    strerror(errno));
		return CLAIM_FAILED;
	}
	if (!pidfile_is_at(p, p->path) || fstat(p->fd, &st) == -1)
		return CLAIM_AGAIN;
	if (!S_ISREG(st.st_mode)) {
		snprintf(why->text, why->size, "not a regular file");
		return CLAIM_FAILED;
	}
	result = pidfile_judge(p->fd, why);
	if (result != CLAIM_DONE)
		return result;
	if (st.st_nlink > 1)
		return pidfile_evade(p, "it has another name, too", true, why);
	if (locked)
		return CLAIM_DONE;
	holder_in_the_way(&h, p->fd);
	return h.state == HOLDER_NONE ? CLAIM_AGAIN
				      : pidfile_evade(p, h.found, false, why);
}

static enum claim
pidfile_try(struct pidfile *p, struct reason *why)
{
	enum claim result;

	why->text[0] = '\0';
	p->fd = pidfile_open(p->path);
	if (p->fd == -1 && errno == EEXIST)
		return CLAIM_AGAIN;
	if (p->fd == -1) {
		snprintf(why->text, why->size, "%s", strerror(errno));
		return CLAIM_FAILED;
	}
	result = pidfile_take(p, why);
	if (result == CLAIM_DONE && pidfile_enter(p->fd) == -1) {
		snprintf(why->text, why->size, "%s", strerror(errno));
		pidfile_release(p);
		return CLAIM_FAILED;
	}
	if (result != CLAIM_DONE) {
		close(p->fd);
		p->fd = -1;
	}
	return result;
}

/* A stop that waits, blocked, for a service that does not serve yet. */
static bool
pidfile_interrupted(void)
{
	return signals_pending(SIGTERM) || signals_pending(SIGINT) ||
	    signals_pending(SIGQUIT);
}

/* Returns 0 with a warning in `why` or "", or -1 with a reason. */
static int
pidfile_try_for(struct pidfile *p, unsigned patience_ms, struct reason *why)
{
	const struct timespec moment = { .tv_nsec = LOOK_AGAIN * 1000000L };
	uint64_t deadline = clock_ms() + patience_ms;
	enum claim result, before = CLAIM_DONE;
	unsigned tries = 0;

	for (;;) {
		result = pidfile_try(p, why);
		if (result == CLAIM_DONE)
			return 0;
		if (result == CLAIM_AGAIN && ++tries == TRIES) {
			snprintf(why->text, why->size,
			    "it changes all the time");
			return -1;
		}
		if (result == CLAIM_FAILED || clock_ms() > deadline ||
		    pidfile_interrupted())
			return -1;
		if (result == CLAIM_WAIT && before != CLAIM_WAIT &&
		    patience_ms > 0)
			log_warnx("pidfile %s: %s", p->path, why->text);
		before = result;
		nanosleep(&moment, NULL);
	}
}

int
pidfile_claim(struct pidfile *p, const struct config *c, bool wait)
{
	unsigned patience = wait ? (c->shutdown_timeout + PATIENCE_S) * 1000
				 : 0;
	char text[512] = "";
	struct reason why = { text, sizeof(text) };
	int r;

	if (c->pidfile[0] == '\0')
		return 0;
	strlcpy(p->path, c->pidfile, sizeof(p->path));
	r = pidfile_try_for(p, patience, &why);
	if (text[0] != '\0')
		log_warnx("pidfile %s: %s", p->path, text);
	return r;
}

int
pidfile_hold(const struct pidfile *p)
{
	return p->fd == -1 ? 0 : holder_lock(p->fd);
}

void
pidfile_release(struct pidfile *p)
{
	if (p->fd == -1)
		return;
	/* Where its directory does not let us remove it, it shall at least not
	 * name a process that may be somebody else by then. */
	(void)!ftruncate(p->fd, 0);
	if (pidfile_is_at(p, p->path))
		(void)unlink(p->path);
	close(p->fd);
	p->fd = -1;
}
