/*
 * Log lines: formatting, the sinks, and reopening the dated file.
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

#include "base/clock.h"

#define LINE_MAX_BYTES 1024
/* A dated file that could not be opened is tried again after, ms. */
#define RETRY_MS 60000

static const char *const level_names[] = { "debug", "verbose", "notice",
	"warning" };

static struct {
	struct log_settings set;
	bool open;
	int fd;			/* the file, or -1 */
	int syslog_fd;		/* an unconnected datagram socket, or -1 */
	char path[PATH_MAX];	/* of the open file */
	char tried[PATH_MAX];	/* last opened or tried */
	char role[32];
	char warning[LINE_MAX_BYTES];	/* the last one */
	bool console_is_socket;
	const _Atomic uint32_t *level;	/* log_follow(), or NULL */
	unsigned lost;		/* lines no console or file would take */
} state = { .fd = -1, .syslog_fd = -1, .role = "master" };

/* Make the directories above `path`, as mkdir -p does. */
static int
make_parents(const char *path)
{
	char dir[PATH_MAX];
	char *p;

	if (strlen(path) >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(dir, path);
	for (p = strchr(dir + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dir, 0755) == 0) {
			if (chown(dir, state.set.uid, state.set.gid) == -1)
				return -1;
		} else if (errno != EEXIST)
			return -1;
		*p = '/';
	}
	return 0;
}

/* The name the pattern has at time `t`; false if it does not fit. */
static bool
name_at(time_t t, char *name, size_t size)
{
	struct tm tm;

	if (strchr(state.set.file, '%') == NULL)
		return snprintf(name, size, "%s", state.set.file) < (int)size;
	localtime_r(&t, &tm);
	return strftime(name, size, state.set.file, &tm) != 0;
}

static int
open_file(void)
{
	char name[PATH_MAX];
	int fd;

	if (!name_at(time(NULL), name, sizeof(name))) {
		snprintf(state.tried, sizeof(state.tried), "%s",
		    state.set.file);
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(state.tried, name);
	if (make_parents(name) == -1)
		return -1;
	/* O_NONBLOCK: opening a FIFO that nobody reads must not hang. */
	fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK, 0644);
	if (fd == -1)
		return -1;
	if (state.set.uid != (uid_t)-1 &&
	    fchown(fd, state.set.uid, state.set.gid) == -1) {
		close(fd);
		return -1;
	}
	if (state.fd == -1)
		state.fd = fd;
	else if (dup3(fd, state.fd, O_CLOEXEC) == -1) {
		close(fd);
		return -1;
	} else
		close(fd);
	strcpy(state.path, name);
	return 0;
}

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

int
log_open(const struct log_settings *s)
{
	state.set = *s;
	tzset();
	open_console();
	if (s->file != NULL && open_file() == -1)
		return -1;
	/*
	 * Not syslog(3): it closes and reopens its socket by itself, and in a
	 * shared descriptor table the number would meanwhile be a client's.
	 */
	if (s->syslog) {
		state.syslog_fd = socket(AF_UNIX,
		    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (state.syslog_fd == -1) {
			strcpy(state.tried, "/dev/log");
			return -1;
		}
	}
	state.open = true;
	return 0;
}

int
log_reopen(void)
{
	if (state.set.file == NULL)
		return 0;
	if (open_file() == -1) {
		log_warn("logfile %s: cannot open, still writing to the "
		    "former file", state.tried);
		return -1;
	}
	return 0;
}

uint64_t
log_rotate(void)
{
	char current[PATH_MAX], later[PATH_MAX];
	time_t now = time(NULL), t;

	if (state.set.file == NULL || strchr(state.set.file, '%') == NULL)
		return CLOCK_NEVER;
	if (!name_at(now, current, sizeof(current)))
		return CLOCK_NEVER;
	if (strcmp(current, state.path) != 0 && log_reopen() == -1)
		return RETRY_MS;
	/* The first full minute that gives another name; whatever the pattern
	 * holds and whenever summer time begins. */
	for (t = now - now % 60 + 60; t < now + 86400; t += 60)
		if (name_at(t, later, sizeof(later)) &&
		    strcmp(current, later) != 0)
			break;
	return (uint64_t)(t - now) * 1000;
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

const char *
log_path(void)
{
	return state.tried;
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
	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
		return false;
	return write(fd, line, len) == (ssize_t)len;
}

static void
emit(enum log_level level, const char *text)
{
	char line[LINE_MAX_BYTES + 128];
	char when[32];
	struct timeval tv;
	struct tm tm;
	bool console, taken = true;
	int n;

	if (!state.open) {
		n = snprintf(line, sizeof(line), "echod: %s\n", text);
		(void)!write(STDERR_FILENO, line, (size_t)n);
		return;
	}
	if (state.syslog_fd != -1)
		to_syslog(level, text);
	console = state.set.console != -1 &&
	    (int)level >= state.set.console_level;
	if (!console && state.fd == -1)
		return;
	gettimeofday(&tv, NULL);
	localtime_r(&tv.tv_sec, &tm);
	strftime(when, sizeof(when), "%F %T", &tm);
	n = snprintf(line, sizeof(line), "%s.%03d %s[%ld] %s: %s\n", when,
	    (int)(tv.tv_usec / 1000), state.role, (long)getpid(),
	    level_names[level], text);
	if (console)
		taken = to_fd(state.set.console, state.console_is_socket,
		    line, (size_t)n);
	if (state.fd != -1)
		taken = to_fd(state.fd, false, line, (size_t)n) && taken;
	if (!taken)
		state.lost++;
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
		strcpy(state.warning, text);
	if (state.lost > 0 && state.open) {
		char note[64];
		unsigned lost = state.lost;

		state.lost = 0;
		snprintf(note, sizeof(note), "%u log lines lost before this",
		    lost);
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
