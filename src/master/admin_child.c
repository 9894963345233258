/* SPDX-License-Identifier: ISC */
/*
 * The administration process, as the master's child.
 */
#include "master/admin_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/serialize.h"
#include "lib/clock.h"
#include "lib/key_values.h"
#include "lib/descriptor_close.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "lib/wait_status.h"
#include "master/admin_link.h"
#include "master/admin_program.h"
#include "master/admin_requests.h"
#include "master/oom.h"
#include "master/reap.h"
#include "master/upgrade/executable.h"
#include "shared/request.h"

/* The next process starts at once.  If it dies soon, the one after it starts
 * after a pause, which doubles, ms. */
#define BACKOFF_FIRST 100
#define BACKOFF_MOST 1000
/* A death after a longer life counts as the first one, ms. */
#define GOOD_AGE 10000
/* Deaths in a row that are logged; of those that follow, one a minute. */
#define DEATHS_LOGGED 5
#define LOG_AGAIN 60000
/* One that is told to finish is killed after, ms. */
#define FINISH_PATIENCE 1000
#define END_PATIENCE 300
/* Between two looks whether there is memory again, ms. */
#define OOM_PAUSE 500
/* Pings in watchdog-timeout. */
#define PINGS 4

void
admin_child_init(struct master *m)
{
	m->admin = (struct admin){ .program = -1, .socket = -1 };
}

int
admin_child_open(struct master *m, bool checked)
{
	char why[PATH_MAX + 512];

	if (!admin_program_wanted(m->config))
		return 0;
	if (checked || admin_program_check(m->config, why, sizeof(why)) == 0)
		m->admin.program = admin_program_open(why, sizeof(why));
	if (m->admin.program != -1)
		return 0;
	log_warnx("%s", why);
	return -1;
}

struct writer {
	int record;
	bool failed;
};

static void
admin_child_put(void *to, const char *key, const char *value)
{
	struct writer *w = to;

	if (key_values_add(w->record, key, value) == -1)
		w->failed = true;
}

/* Returns the record that it starts with, or -1 with errno set. */
static int
admin_child_record(const struct master *m)
{
	struct writer w = { memfd_create("echod-admin", MFD_CLOEXEC), false };
	char pid[16];

	if (w.record == -1)
		return -1;
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	admin_child_put(&w, ADMIN_KEY_MASTER, pid);
	config_save(m->config, admin_child_put, &w);
	if (!w.failed)
		return w.record;
	close(w.record);
	errno = ENOSPC;
	return -1;
}

/* The listener, if the number still is a listener: a worker can have closed it,
 * and a client can have got its number. */
static int
admin_child_listener(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	return fd != -1 &&
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) ==
		    0 &&
		listens != 0
	    ? fd
	    : -1;
}

/* Close what is not needed after a start, nor after one that a death of the
 * former master interrupted; then a number may be a client's by now. */
static void
admin_child_end_start(struct admin *a)
{
	descriptor_close_file(a->starting[0]);
	for (unsigned i = 1; i < 3; i++)
		if (a->starting[i] > STDERR_FILENO &&
		    request_is_pair(a->starting[i]))
			close(a->starting[i]);
	a->starting[0] = a->starting[1] = a->starting[2] = -1;
}

/* Returns its pid, or -1 with errno set. */
static pid_t
admin_child_execute(const struct master *m, int record, int socket)
{
	static char name[] = "echod: admin";
	char *argv[] = { name, NULL };
	_Atomic uint32_t *copied = &m->arena.header->copied;
	const struct executable_child child = {
		.path = admin_program_path(),
		.argv = argv,
		.null = true,
		.end = ADMIN_DESCRIPTORS,
		.n = 9,
		.give = {
		    { m->admin.program, ADMIN_PROGRAM },
		    { -1, STDOUT_FILENO },
		    { socket, ADMIN_MASTER },
		    { record, ADMIN_RECORD },
		    { m->arena.fd, ADMIN_ARENA },
		    { m->service_fd, ADMIN_SERVICE },
		    { log_remote_descriptor(), ADMIN_LOG },
		    { admin_child_listener(m->admin_sockets.control),
			ADMIN_CONTROL },
		    { admin_child_listener(m->admin_sockets.metrics),
			ADMIN_METRICS },
		},
	};
	uint32_t before = atomic_load(copied);
	pid_t pid;

	/* Until it is executed it has a copy of every descriptor. */
	atomic_store(copied, 1);
	pid = executable_start(&child);
	atomic_store(copied, before);
	return pid;
}

/* Returns its pid, or -1 with errno set. */
static pid_t
admin_child_spawn(struct master *m)
{
	int *record = &m->admin.starting[0], *end = &m->admin.starting[1];
	pid_t pid = -1;
	int saved;

	*record = end[0] = end[1] = -1;
	if (arena_has_memfd(&m->arena, m->service) &&
	    service_keep(m->service, &m->service_fd) == 0 &&
	    (*record = admin_child_record(m)) != -1 && request_pair(end) == 0)
		pid = admin_child_execute(m, *record, end[1]);
	saved = errno;
	if (pid != -1) {
		m->admin.socket = end[0];
		end[0] = -1;
	}
	admin_child_end_start(&m->admin);
	errno = saved;
	return pid;
}

/* When the next one starts. */
static void
admin_child_schedule(struct master *m)
{
	struct admin *a = &m->admin;
	uint64_t now = clock_ms();

	if (a->started != 0 && now - a->started >= GOOD_AGE)
		a->backoff = a->deaths = 0;
	a->start_at = now + a->backoff;
	a->backoff = a->backoff == 0	    ? BACKOFF_FIRST
	    : a->backoff * 2 > BACKOFF_MOST ? BACKOFF_MOST
					    : a->backoff * 2;
	a->phase = ADMIN_WAITING;
}

static void
admin_child_start(struct master *m)
{
	static struct log_rate_limit rate;
	struct admin *a = &m->admin;
	unsigned missed;
	pid_t pid = admin_child_spawn(m);

	a->started = clock_ms();
	if (pid == -1) {
		if (log_rate_limit(&rate, &missed))
			log_warnx("the administration process cannot be "
				  "started: %s: %s%s",
			    admin_program_path(), strerror(errno),
			    limits_why_no_process(errno));
		admin_child_schedule(m);
		return;
	}
	oom_expose(pid);
	a->phase = ADMIN_RUNNING;
	a->pid = pid;
	a->pidfd = pidfd_make(pid);
	a->stopped = a->restart = false;
	a->heard = a->started;
	a->ping_at = 0;
}

void
admin_child_begin(struct master *m)
{
	if (m->admin.program != -1)
		admin_child_start(m);
}

static void
admin_child_kill(const struct master *m)
{
	if (m->admin.pid != 0)
		(void)kill(m->admin.pid, SIGKILL);
}

void
admin_child_inherit(struct master *m, const struct upgrade_record *t)
{
	struct admin *a = &m->admin;

	if (t->admin <= 0 || !reap_is_child(t->admin))
		return;
	a->phase = ADMIN_RUNNING;
	a->pid = t->admin;
	a->pidfd = pidfd_make(a->pid);
	a->socket = t->admin_socket;
	a->started = a->heard = clock_ms();
}

static void
admin_child_forget(struct master *m)
{
	struct admin *a = &m->admin;

	pidfd_close(&a->pidfd);
	if (a->socket != -1)
		close(a->socket);
	a->socket = -1;
	/* The clients that waited for these are gone. */
	outcome_forget_admin(&m->reload.asked);
	outcome_forget_admin(&m->reload.later);
}

void
admin_child_replace(struct master *m)
{
	struct admin *a = &m->admin;

	if (a->pid == 0) {
		admin_child_forget(m);
		a->phase = ADMIN_NONE;
		admin_child_begin(m);
		return;
	}
	admin_link_tell(m, MESSAGE_FINISH, 0, "");
	a->phase = ADMIN_FINISHING;
	a->end_at = clock_ms() + FINISH_PATIENCE;
}

void
admin_child_take_up(struct master *m)
{
	struct admin *a = &m->admin;

	/* It follows its parent by itself, PR_SET_PDEATHSIG. */
	if (pidfd_is(a->pidfd)) {
		(void)pidfd_signal(a->pidfd, SIGKILL);
		close(a->pidfd);
	}
	if (a->socket != -1 && request_is_pair(a->socket))
		close(a->socket);
	if (a->socket == a->starting[1])
		a->starting[1] = -1;
	admin_child_end_start(a);
	a->pid = a->pidfd = 0;
	a->socket = -1;
	atomic_store(&m->arena.header->copied, 0);
	outcome_forget_admin(&m->reload.asked);
	outcome_forget_admin(&m->reload.later);
	if (a->phase == ADMIN_NONE || a->phase == ADMIN_IMPOSSIBLE)
		return;
	a->phase = m->started && a->program != -1 ? ADMIN_WAITING : ADMIN_NONE;
	a->start_at = clock_ms();
}

/* It has died without being told to. */
static void
admin_child_died(struct master *m)
{
	static uint64_t told;
	struct admin *a = &m->admin;
	uint64_t now = clock_ms();

	if (WIFEXITED(a->status) && WEXITSTATUS(a->status) == ADMIN_MISMATCH) {
		a->phase = ADMIN_IMPOSSIBLE;
		log_warnx("%s is of another version: no control socket and no "
			  "metrics until a reload",
		    admin_program_path());
		return;
	}
	admin_child_schedule(m);
	if (++a->deaths > DEATHS_LOGGED && now - told < LOG_AGAIN)
		return;
	told = now;
	log_warnx("the administration process %s; the next one starts in %llu "
		  "ms",
	    wait_status_words(a->status),
	    (unsigned long long)clock_until(a->start_at, now));
}

/* reap() has seen its end. */
static void
admin_child_ended(struct master *m)
{
	struct admin *a = &m->admin;

	admin_child_forget(m);
	if (a->program == -1)
		a->phase = ADMIN_NONE;
	else if (a->phase == ADMIN_FINISHING || a->restart) {
		a->backoff = a->deaths = 0;
		admin_child_start(m);
	} else
		admin_child_died(m);
}

/* Replace a process that does not answer: it is stopped, or in a loop. */
static void
admin_child_watch(struct master *m, uint64_t now)
{
	struct admin *a = &m->admin;
	uint64_t timeout = (uint64_t)m->config->watchdog_timeout * 1000;

	if (timeout == 0)
		return;
	/* We are late ourselves: that is not its fault. */
	if (a->ping_at != 0 && now > a->ping_at + timeout / PINGS)
		a->heard = now;
	if (now - a->heard >= timeout) {
		log_warnx("the administration process (pid %ld) has been %s "
			  "for %u s: killing it",
		    (long)a->pid, a->stopped ? "stopped" : "stuck",
		    m->config->watchdog_timeout);
		admin_child_kill(m);
		a->heard = now;
	}
	if (now >= a->ping_at) {
		admin_link_tell(m, MESSAGE_PING, 0, "");
		a->ping_at = now + timeout / PINGS;
	}
}

/* Clients wait while workers are replaced.  In a stop that does not happen. */
static bool
admin_child_must_wait(const struct master *m)
{
	return m->stop.phase == STOP_NONE && service_has_foreign(m->service);
}

void
admin_child_step(struct master *m)
{
	struct admin *a = &m->admin;
	uint64_t now;

	if (m->reload.phase == RELOAD_LEAVING)
		return; /* the next program's */
	if (a->pid != 0 && a->socket != -1 && !admin_requests_step(m)) {
		/* It has ended, most likely, and is to be reaped. */
		admin_child_kill(m);
		close(a->socket);
		a->socket = -1;
	}
	/* After the requests, whose time is noted. */
	now = clock_ms();
	if (a->phase == ADMIN_RUNNING && a->restart && a->pid != 0)
		admin_child_replace(m);
	if ((a->phase == ADMIN_RUNNING || a->phase == ADMIN_FINISHING) &&
	    a->pid == 0)
		admin_child_ended(m);
	else if (a->phase == ADMIN_RUNNING)
		admin_child_watch(m, now);
	else if (a->phase == ADMIN_FINISHING && now >= a->end_at) {
		admin_child_kill(m);
		a->end_at = now + FINISH_PATIENCE;
	} else if (a->phase == ADMIN_WAITING && now >= a->start_at &&
	    !admin_child_must_wait(m)) {
		/* Its start takes memory.  While there is none and no worker
		 * is there to be killed, the kernel may kill the master. */
		if (oom_is_recent(&m->oom))
			a->start_at = now + OOM_PAUSE;
		else
			admin_child_start(m);
	}
}

uint64_t
admin_child_next(const struct master *m)
{
	const struct admin *a = &m->admin;

	if (m->reload.phase == RELOAD_LEAVING)
		return CLOCK_NEVER;
	switch (a->phase) {
	case ADMIN_RUNNING:
		return m->config->watchdog_timeout == 0 ? CLOCK_NEVER
							: a->ping_at;
	case ADMIN_FINISHING:
		return a->end_at;
	case ADMIN_WAITING:
		return !admin_child_must_wait(m) ? a->start_at : CLOCK_NEVER;
	default:
		return CLOCK_NEVER;
	}
}

void
admin_child_end(struct master *m)
{
	struct admin *a = &m->admin;
	struct pollfd p = { a->pidfd, POLLIN, 0 };

	if (a->pid != 0) {
		admin_link_tell(m, MESSAGE_FINISH, 0, "");
		if (a->pidfd == 0 || poll(&p, 1, END_PATIENCE) <= 0)
			admin_child_kill(m);
		(void)reap_one(a->pid);
		a->pid = 0;
		admin_child_forget(m);
	}
	a->phase = ADMIN_NONE;
}
