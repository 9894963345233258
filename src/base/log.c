/*
 * Log lines: formatting and the sinks.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/log_file.h"

#define LINE_MAX_BYTES 1024
/* A dated file that could not be opened is tried again after, ms. */
#define RETRY_MS 60000

static const char *const level_names[] = { "debug", "verbose", "notice",
	"warning" };

static struct {
	struct log_settings set;
	bool open;
	struct log_file file;
	int syslog_fd;		/* an unconnected datagram socket, or -1 */
	char role[32];
	char warning[LINE_MAX_BYTES];	/* the last one */
	bool console_is_socket;
	const _Atomic uint32_t *level;	/* log_follow(), or NULL */
	unsigned lost;		/* lines no console or file would take */
	int lost_error;		/* errno of the last one */
} state = { .file = { .fd = -1 }, .syslog_fd = -1, .role = "master" };

/*
 * A terminal or a pipe that nobody reads must not stop us: write to it through
 * an open file of our own that does not block (O_NONBLOCK on the one we were
 * given would be our parent's too).
 */
static void
open_console(void)
{
	char name[32];
	struct stat st;
	int fd;

	if (state.set.console == -1 || fstat(state.set.console, &st) == -1)
		return;
	state.console_is_socket = S_ISSOCK(st.st_mode);
	if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
		return;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", state.set.console);
	fd = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd != -1)
		state.set.console = fd;
}

/* Open the file, or go on with the one that was open before us; why, is told
 * once there is a log. */
static int
open_first_file(const struct log_settings *s, int *error)
{
	*error = 0;
	if (s->file == NULL)
		return 0;
	if (log_file_open(&state.file) == 0)
		return 0;
	if (s->inherited == -1)
		return -1;
	*error = errno;
	state.file.fd = s->inherited;
	(void)fcntl(state.file.fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

int
log_open(const struct log_settings *s)
{
	int error;

	state.set = *s;
	state.file.pattern = s->file;
	state.file.uid = s->uid;
	state.file.gid = s->gid;
	tzset();
	open_console();
	if (open_first_file(s, &error) == -1)
		return -1;
	/*
	 * Not syslog(3): it closes and reopens its socket by itself, and in a
	 * shared descriptor table the number would meanwhile be a client's.
	 */
	if (s->syslog) {
		state.syslog_fd = socket(AF_UNIX,
		    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (state.syslog_fd == -1) {
			strcpy(state.file.tried, "/dev/log");
			return -1;
		}
	}
	state.open = true;
	errno = error;
	if (error != 0)
		log_warn("logfile %s: cannot open, still writing to the former "
		    "file", state.file.tried);
	return 0;
}

int
log_reopen(void)
{
	if (state.file.pattern == NULL)
		return 0;
	if (log_file_open(&state.file) == -1) {
		log_warn("logfile %s: cannot open, still writing to the "
		    "former file", state.file.tried);
		return -1;
	}
	return 0;
}

uint64_t
log_rotate(void)
{
	bool now = false;
	uint64_t in;

	if (state.file.pattern == NULL)
		return CLOCK_NEVER;
	in = log_file_next(&state.file, &now);
	if (now && log_reopen() == -1)
		return RETRY_MS;
	return in;
}

void
log_leave_console(void)
{
	int null;

	/* Not closed: workers know the number, and it must not be a client's
	 * one day. */
	if (state.set.console > STDERR_FILENO) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null != -1) {
			(void)dup3(null, state.set.console, O_CLOEXEC);
			close(null);
		}
	}
	state.set.console = -1;
}

int
log_descriptor(void)
{
	return state.file.fd;
}

int
log_syslog_descriptor(void)
{
	return state.syslog_fd;
}

const char *
log_path(void)
{
	return state.file.tried;
}

void
log_set_role(const char *role)
{
	snprintf(state.role, sizeof(state.role), "%s", role);
}

const char *
log_last_warning(void)
{
	return state.warning;
}

void
log_follow(const _Atomic uint32_t *level)
{
	state.level = level;
}

bool
log_wants(enum log_level level)
{
	int least = state.level == NULL ? state.set.level :
	    (int)atomic_load_explicit(state.level, memory_order_relaxed);

	return !state.open || (int)level >= least;
}

/* RFC 3164 section 4.1, as syslog(3) sends it. */
static void
to_syslog(enum log_level level, const char *text)
{
	static const int severities[] = { LOG_DEBUG, LOG_INFO, LOG_NOTICE,
		LOG_WARNING };
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };
	char line[LINE_MAX_BYTES + 128], when[32];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%b %e %T", &tm);
	n = snprintf(line, sizeof(line), "<%d>%s %s[%ld]: %s: %s",
	    state.set.syslog_facility | severities[level], when,
	    state.set.syslog_ident, (long)getpid(), state.role, text);
	if (n >= (int)sizeof(line))
		n = (int)sizeof(line) - 1;
	/* Unconnected on purpose: a restarted syslog daemon is found again.
	 * One that is absent loses the line; there is nobody to tell. */
	(void)sendto(state.syslog_fd, line, (size_t)n,
	    MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&sun, sizeof(sun));
}

static bool
to_fd(int fd, bool is_socket, const char *line, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (is_socket)
		return send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
		    (ssize_t)len;
	/* Where the descriptor blocks all the same: POLLOUT on a pipe promises
	 * PIPE_BUF bytes, more than a line. */
	errno = EAGAIN;
	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
		return false;
	errno = ENOSPC;		/* which a short write does not set */
	return write(fd, line, len) == (ssize_t)len;
}

static void
emit(enum log_level level, const char *text)
{
	char line[LINE_MAX_BYTES + 128];
	char when[32];
	struct timeval tv;
	struct tm tm;
	bool console;
	int error = 0, n;

	if (!state.open) {
		n = snprintf(line, sizeof(line), "echod: %s\n", text);
		(void)!write(STDERR_FILENO, line, (size_t)n);
		return;
	}
	if (state.syslog_fd != -1)
		to_syslog(level, text);
	console = state.set.console != -1 &&
	    (int)level >= state.set.console_level;
	if (!console && state.file.fd == -1)
		return;
	gettimeofday(&tv, NULL);
	localtime_r(&tv.tv_sec, &tm);
	strftime(when, sizeof(when), "%F %T", &tm);
	n = snprintf(line, sizeof(line), "%s.%03d %s[%ld] %s: %s\n", when,
	    (int)(tv.tv_usec / 1000), state.role, (long)getpid(),
	    level_names[level], text);
	if (console && !to_fd(state.set.console, state.console_is_socket,
	    line, (size_t)n))
		error = errno;
	if (state.file.fd != -1 && !to_fd(state.file.fd, false, line,
	    (size_t)n))
		error = errno;
	if (error == 0)
		return;
	state.lost++;
	state.lost_error = error;
}

static void
vline(enum log_level level, int error, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	size_t len;
	int n;

	n = vsnprintf(text, sizeof(text), fmt, ap);
	len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n :
	    sizeof(text) - 1;
	if (error != 0)
		snprintf(text + len, sizeof(text) - len, ": %s",
		    strerror(error));
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (level == LOG_LEVEL_WARNING)
		strlcpy(state.warning, text, sizeof(state.warning));
	if (state.lost > 0 && state.open) {
		char note[128];
		unsigned lost = state.lost;

		state.lost = 0;
		snprintf(note, sizeof(note), "%u log lines lost before this: "
		    "%s", lost, strerror(state.lost_error));
		emit(LOG_LEVEL_WARNING, note);
		if (state.lost > 0)	/* still blocked */
			state.lost = lost;
	}
	emit(level, text);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	vline(level, 0, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_line_errno(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	vline(level, saved, fmt, ap);
	va_end(ap);
	errno = saved;
}

bool
log_brake(struct log_brake *b, unsigned *missed)
{
	uint64_t now = clock_ms();

	if (now < b->next) {
		b->held++;
		return false;
	}
	b->next = now + 1000;
	*missed = b->held;
	b->held = 0;
	return true;
}
