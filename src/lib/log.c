/* SPDX-License-Identifier: ISC */
/*
 * The log: opening it, and keeping what is open the right thing.
 */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/log_post.h"
#include "lib/log_state.h"
#include "lib/log_syslog.h"

/* How often is looked whether paths still lead to what is open, ms. */
#define LOOK_MS 1000
/* Lines of workers taken at a time. */
#define POST_MOST 64

struct log_state log_state = { .file = { .fd = -1 },
	.syslog_fd = -1,
	.role = "master" };

/*
 * A terminal or a pipe that nobody reads must not stop us: write to it through
 * an open file of our own that does not block (O_NONBLOCK on the one we were
 * given would be our parent's too).
 */
static void
log_open_console(void)
{
	char name[32];
	struct stat st;
	int fd;

	log_state.console_name = log_state.set.console == STDERR_FILENO
	    ? "standard error"
	    : "standard output";
	if (log_state.set.console == -1 ||
	    fstat(log_state.set.console, &st) == -1)
		return;
	log_state.console_is_socket = S_ISSOCK(st.st_mode);
	log_state.console_is_journal = journal_is(log_state.set.console);
	if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
		return;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", log_state.set.console);
	fd = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd != -1)
		log_state.set.console = fd;
}

/* What workers must know of the file that is open now. */
static void
log_tell_file(void)
{
	struct log_shared *s = log_shared();

	atomic_store(&s->from,
	    log_file_is_dated(&log_state.file) ? log_state.file.from
					       : INT64_MIN);
	atomic_store(&s->until,
	    log_file_is_dated(&log_state.file) ? log_state.file.until
					       : INT64_MAX);
	atomic_store(&s->doubled,
	    log_state.set.console != -1 &&
		log_sink_is_same(log_state.set.console, log_state.file.fd));
	atomic_store(&s->sink[LOG_SINK_FILE].cut, 0);
}

/* Open the file, or go on with the one that was open before us; why, is told
 * once there is a log. */
static int
log_open_first_file(const struct log_settings *s, int *error)
{
	*error = 0;
	if (s->file == NULL)
		return 0;
	if (log_file_open(&log_state.file, time(NULL)) == 0) {
		log_tell_file();
		return 0;
	}
	if (s->inherited == -1)
		return -1;
	*error = errno;
	log_file_inherit(&log_state.file, s->inherited, time(NULL));
	log_tell_file();
	return 0;
}

int
log_open(const struct log_settings *s)
{
	int error;

	log_state.set = *s;
	log_state.opener = getpid();
	log_state.file.pattern = s->file;
	log_state.file.owner = (struct safe_owner){ s->uid, s->gid };
	tzset();
	log_open_console();
	if (log_open_first_file(s, &error) == -1)
		return -1;
	if (s->syslog) {
		log_state.syslog_fd = log_syslog_open();
		if (log_state.syslog_fd == -1) {
			strlcpy(log_state.file.tried, LOG_SYSLOG_PATH,
			    sizeof(log_state.file.tried));
			return -1;
		}
	}
	/* Without it, what workers cannot deliver is lost, and counted. */
	(void)log_post_open();
	log_state.open = true;
	errno = error;
	if (error != 0)
		log_warn("logfile %s: cannot open, still writing to the former "
			 "file",
		    log_state.file.tried);
	return 0;
}

void
log_open_posted(int fd)
{
	log_post_use(fd);
	log_state.posted = true;
	log_state.open = true;
}

static int
log_file_anew(time_t now)
{
	if (log_file_open(&log_state.file, now) == 0) {
		log_state.retry_at = 0;
		log_tell_file();
		return 0;
	}
	log_state.retry_at = clock_ms() + LOG_RETRY_MS;
	log_warn("logfile %s: cannot open, still writing to the former file",
	    log_state.file.tried);
	return -1;
}

int
log_reopen(void)
{
	int r;

	if (log_state.file.pattern == NULL)
		return 0;
	log_state.refreshing = true; /* its own lines need no look */
	r = log_file_anew(time(NULL));
	log_state.refreshing = false;
	return r;
}

/* The file that lines of now belong to. */
void
log_refresh(time_t now)
{
	bool left;

	if (log_state.file.fd == -1 || log_state.refreshing ||
	    clock_ms() < log_state.retry_at ||
	    !log_file_is_stale(&log_state.file, now))
		return;
	log_state.refreshing = true;
	left = log_file_covers(&log_state.file, now);
	if (log_file_anew(now) == 0 && left)
		log_notice("logfile %s: it was removed, renamed or replaced; "
			   "opened anew",
		    log_state.file.path);
	log_state.refreshing = false;
}

static void
log_look(void)
{
	log_refresh(time(NULL));
	if (log_state.syslog_fd != -1)
		log_syslog_look(log_state.syslog_fd);
}

/* Take what workers have left to us. */
static void
log_collect(void)
{
	char line[LOG_POST_BYTES];
	size_t len;
	int sink;

	for (int i = 0;
	     i < POST_MOST && (sink = log_post_take(line, &len)) != -1; i++)
		if (sink >= LOG_POST_ADMIN)
			log_emit_for_admin(
			    (enum log_level)(sink - LOG_POST_ADMIN), line);
		else if (sink != LOG_POST_LOOK)
			log_emit_for_worker((enum log_sink)sink, line, len);
		else {
			log_look();
			log_state.look_at = clock_ms() + LOOK_MS;
		}
}

void
log_step(void)
{
	time_t now = time(NULL);

	log_collect();
	if (log_state.file.fd != -1 && !log_file_covers(&log_state.file, now))
		log_refresh(now);
	if (log_state.look_at == 0 || clock_ms() < log_state.look_at)
		return;
	/* Once more for those lines that came since; the next asks again. */
	log_state.look_at = 0;
	atomic_store(&log_shared()->poked, 0);
	log_look();
}

uint64_t
log_next(void)
{
	uint64_t next = log_state.look_at != 0 ? log_state.look_at
					       : CLOCK_NEVER;
	time_t left;

	if (log_state.file.fd == -1 || !log_file_is_dated(&log_state.file))
		return next;
	left = log_state.file.until - time(NULL);
	return clock_earlier(next,
	    left > 0 ? clock_ms() + (uint64_t)left * 1000 : log_state.retry_at);
}

int
log_watch(void)
{
	return log_post_descriptor();
}

bool
log_is_master(void)
{
	return getpid() == log_state.opener;
}

void
log_leave_console(void)
{
	int null;

	/* Not closed: workers know the number, and it must not be a client's
	 * one day. */
	if (log_state.set.console > STDERR_FILENO) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null != -1) {
			(void)dup3(null, log_state.set.console, O_CLOEXEC);
			close(null);
		}
	}
	log_state.set.console = -1;
}

int
log_descriptor(void)
{
	return log_state.file.fd;
}

int
log_syslog_descriptor(void)
{
	return log_state.syslog_fd;
}

const char *
log_path(void)
{
	return log_state.file.tried;
}

void
log_set_role(const char *role)
{
	snprintf(log_state.role, sizeof(log_state.role), "%s", role);
}

const char *
log_last_warning(void)
{
	return log_state.warning;
}

void
log_follow(const _Atomic uint32_t *level)
{
	log_state.level = level;
}

bool
log_wants(enum log_level level)
{
	int least = log_state.level == NULL
	    ? log_state.set.level
	    : (int)atomic_load_explicit(log_state.level, memory_order_relaxed);

	return !log_state.open || (int)level >= least;
}
