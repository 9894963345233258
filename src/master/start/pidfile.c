/* SPDX-License-Identifier: ISC */
/*
 * The pid file.
 *
 * libbsd's pidfile_open(3bsd) is not used: its handle cannot be handed to the
 * next program.  To open the file anew would empty it for a moment, and needs
 * rights that the service has given up by then.  Any process can take its
 * flock(2).
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
/* The time between two tries, ms. */
#define LOOK_AGAIN 20
/* Tries if other processes change the file at the same time. */
#define TRIES 20
/* The workers of a master that was killed have shutdown-timeout and this time
 * to end, s. */
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

/* Root opens the file in a directory that may belong to `user`: a link that an
 * intruder has put there must not make us overwrite another file.  Returns a
 * descriptor, or -1 with errno set; EEXIST if the file came or went in
 * between. */
static int
pidfile_open(const char *path)
{
	int fd = open(path, FLAGS);

	/* The kernel may refuse O_CREAT for a file that exists:
	 * fs.protected_regular. */
	return fd == -1 && errno == ENOENT
	    ? open(path, FLAGS | O_CREAT | O_EXCL, 0644)
	    : fd;
}

/* Write the pid with one call: a reader never sees a part of it, or nothing. */
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
 * Put a new file in the place of one that other processes have locked.  The two
 * are exchanged, not renamed: so it is known afterwards which file was there,
 * if another echod does the same at the same time.  Returns the descriptor of
 * the new file, or -1 with errno set; EEXIST if another file was there.
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

/* The result of one try. */
enum claim {
	CLAIM_DONE,
	CLAIM_FAILED,
	CLAIM_AGAIN, /* the file has changed meanwhile */
	CLAIM_WAIT   /* workers that will end hold it */
};

struct reason {
	char *text;
	size_t size;
};

/* Another process has the file, as `found` says: replace the file.  If that is
 * not possible, go on without a lock, unless replacing is `needed` because the
 * file may be important to others. */
static enum claim
pidfile_evade(struct pidfile *p, const char *found, bool needed,
    struct reason *why)
{
	int new = pidfile_replace(p->fd, p->path);

	if (new == -1 && errno == EEXIST)
		return CLAIM_AGAIN;
	if (new == -1) {
		snprintf(why->text, why->size,
		    "%s; no other file can take its place: %s%s", found,
		    strerror(errno), needed ? "" : "; going on without a lock");
		return needed ? CLAIM_FAILED : CLAIM_DONE;
	}
	snprintf(why->text, why->size, "%s; another file has taken its place",
	    found);
	close(p->fd);
	p->fd = new;
	return CLAIM_DONE;
}

/* Find out whether an echod has the file. */
static enum claim
pidfile_find_holder(int fd, struct reason *why)
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

/* Lock the open file, or replace it. */
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
	result = pidfile_find_holder(p->fd, why);
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

/* True if a stop was asked for; its signal is blocked and waits. */
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

int
pidfile_move(const struct pidfile *p)
{
	if (p->fd == -1)
		return 0;
	/* The number first: if there is no lock for a moment, the number tells
	 * which process has the file open. */
	return pidfile_enter(p->fd) == -1 ? -1 : holder_move(p->fd);
}

void
pidfile_release(struct pidfile *p)
{
	if (p->fd == -1)
		return;
	/* If it cannot be removed, it must at least not contain a pid that
	 * another process may get. */
	(void)!ftruncate(p->fd, 0);
	if (pidfile_is_at(p, p->path))
		(void)unlink(p->path);
	close(p->fd);
	p->fd = -1;
}
