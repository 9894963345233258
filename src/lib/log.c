/* SPDX-License-Identifier: ISC */
/*
 * The log: formatting lines, delivering them to the sinks, and keeping the
 * descriptors of the sinks current.
 */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/log_file.h"
#include "lib/log_sink.h"
#include "lib/log_syslog.h"

#define TEXT_BYTES 1024
/* A text with date, process and level. */
#define LINE_BYTES (TEXT_BYTES + 128)
#define PACKET_BYTES 2048
#define ALL_SINKS ((1U << LOG_SINKS) - 1)
/* The "sink" of a packet that asks the master to check the paths. */
#define PACKET_CHECK LOG_SINKS
/* The "sink" of a line of the administration process, "PID TEXT": this, plus
 * the level. */
#define PACKET_ADMIN (LOG_SINKS + 1)
#define PACKET_LAST (PACKET_ADMIN + LOG_LEVEL_WARNING)

/* The master checks at this interval whether each path still leads to what is
 * open, in ms. */
#define CHECK_MS 1000
/* A worker asks for that check again after this time, in ms.  It is longer
 * than CHECK_MS, since the worker that asked last may have died. */
#define ASK_MS 5000
/* A file that could not be opened is tried again, and the losses of a sink are
 * reported again, after this time in ms. */
#define RETRY_MS 60000
/* The number of packets that one step takes. */
#define PACKETS_MOST 64

static struct {
	struct log_settings set;
	bool open;
	bool remote;  /* the master writes all lines of this process */
	pid_t opener; /* the master */
	struct log_file file;
	int syslog_fd;	/* or -1 */
	int packets[2]; /* a pipe: the master reads, workers write; or -1 */
	char role[32];
	char warning[TEXT_BYTES]; /* the last one */
	const char *console_name;
	bool console_is_socket, console_is_journal;
	const _Atomic uint32_t *level; /* log_follow(), or NULL */
	uint64_t check_at;	       /* clock_ms() of the check; 0: none */
	uint64_t retry_at;	       /* the file could not be opened */
	bool refreshing;	       /* log_refresh() must not nest */
} state = { .file = { .fd = -1 },
	.syslog_fd = -1,
	.packets = { -1, -1 },
	.role = "master" };

static const char *const level_names[] = {
#define LOG_LEVEL_ROW(id, name, priority) name,
	LOG_LEVELS(LOG_LEVEL_ROW)
#undef LOG_LEVEL_ROW
};

static const int priorities[] = {
#define LOG_LEVEL_ROW(id, name, priority) priority,
	LOG_LEVELS(LOG_LEVEL_ROW)
#undef LOG_LEVEL_ROW
};

#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

/* A line: one time and one text for all sinks. */
struct line {
	enum log_level level;
	struct timeval when;
	struct tm tm;
	const char *role, *text;
	long pid;
};

static bool
log_is_master(void)
{
	return getpid() == state.opener;
}

/* Whether the descriptor leads to the journal: JOURNAL_STREAM holds its
 * device and inode (systemd.exec(5)).  The variable alone proves nothing,
 * since a child process inherits it and may write elsewhere. */
static bool
log_is_journal(int fd)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return false;
	errno = 0;
	device = strtoull(text, &end, 10);
	if (*end != ':' || end[1] < '0' || end[1] > '9')
		return false;
	inode = strtoull(end + 1, &end, 10);
	return *end == '\0' && errno == 0 && fstat(fd, &st) == 0 &&
	    st.st_dev == device && st.st_ino == inode;
}

/* --- Lines for the master.  The pipe keeps packets apart (O_DIRECT, pipe(2)):
 * one write is one read. */

/* Send a packet: the line and its sink.  Returns 0 or errno. */
static int
log_send_packet(unsigned sink, const char *line, size_t len)
{
	char packet[PACKET_BYTES];

	if (len > sizeof(packet) - 2)
		len = sizeof(packet) - 2;
	packet[0] = (char)sink;
	memcpy(packet + 1, line, len);
	/* The table that all processes share keeps both ends open: there is
	 * always a reader. */
	return write(state.packets[1], packet, len + 1) == -1 ? errno : 0;
}

/* Take a packet: `line` has PACKET_BYTES and is terminated.  Returns its sink,
 * or -1 if there is none.  A worker wrote it, so nothing of it is trusted. */
static int
log_take_packet(char *line, size_t *len)
{
	char packet[PACKET_BYTES];
	ssize_t n;

	if (state.packets[0] == -1)
		return -1;
	n = read(state.packets[0], packet, sizeof(packet));
	if (n < 1 || (unsigned char)packet[0] > PACKET_LAST)
		return -1;
	*len = (size_t)n - 1;
	memcpy(line, packet + 1, *len);
	line[*len] = '\0';
	return packet[0];
}

/* --- The file. */

/* Publish what workers must know of the open file. */
static void
log_publish_file(void)
{
	struct log_shared *s = log_shared();
	bool dated = log_file_is_dated(&state.file);

	atomic_store(&s->from, dated ? state.file.from : INT64_MIN);
	atomic_store(&s->until, dated ? state.file.until : INT64_MAX);
	atomic_store(&s->doubled,
	    state.set.console != -1 &&
		log_sink_is_same(state.set.console, state.file.fd));
	atomic_store(&s->sink[LOG_SINK_FILE].cut, 0);
}

static int
log_open_file(time_t now)
{
	if (log_file_open(&state.file, now) == 0) {
		state.retry_at = 0;
		log_publish_file();
		return 0;
	}
	state.retry_at = clock_ms() + RETRY_MS;
	log_warn("logfile %s: cannot open, still writing to the former file",
	    state.file.tried);
	return -1;
}

/* See that the open file is the one for lines of time `now`. */
static void
log_refresh(time_t now)
{
	bool moved;

	if (state.file.fd == -1 || state.refreshing ||
	    clock_ms() < state.retry_at || !log_file_is_stale(&state.file, now))
		return;
	state.refreshing = true;
	moved = log_file_covers(&state.file, now);
	if (log_open_file(now) == 0 && moved)
		log_notice("logfile %s: it was removed, renamed or replaced; "
			   "opened again",
		    state.file.path);
	state.refreshing = false;
}

int
log_reopen(void)
{
	int r;

	if (state.file.pattern == NULL)
		return 0;
	state.refreshing = true; /* its own lines need no refresh */
	r = log_open_file(time(NULL));
	state.refreshing = false;
	return r;
}

/* --- Formatting. */

const char *
log_level_name(uint32_t level)
{
	return level < LEVELS ? level_names[level] : "?";
}

int
log_level_find(const char *name)
{
	for (unsigned i = 0; i < LEVELS; i++)
		if (strcmp(name, level_names[i]) == 0)
			return (int)i;
	return -1;
}

/* RFC 3164 section 4.1, as syslog(3) sends it. */
static size_t
log_format_syslog(char *line, size_t size, const struct line *l)
{
	char when[32];

	strftime(when, sizeof(when), "%b %e %T", &l->tm);
	snprintf(line, size, "<%d>%s %s[%ld]: %s: %s",
	    state.set.syslog_facility | priorities[l->level], when,
	    state.set.syslog_ident, l->pid, l->role, l->text);
	return strlen(line);
}

/* The journal adds time, program and pid to a line by itself.  It takes the
 * priority from "<4>" before the line, sd-daemon(3). */
static size_t
log_format(char *line, size_t size, const struct line *l, bool journal)
{
	char when[32];

	if (journal) {
		snprintf(line, size, "<%d>%s: %s\n", priorities[l->level],
		    l->role, l->text);
		return strlen(line);
	}
	strftime(when, sizeof(when), "%F %T", &l->tm);
	snprintf(line, size, "%s.%03d %s[%ld] %s: %s\n", when,
	    (int)(l->when.tv_usec / 1000), l->role, l->pid,
	    level_names[l->level], l->text);
	return strlen(line);
}

static size_t
log_format_for(enum log_sink sink, char *line, const struct line *l)
{
	if (sink == LOG_SINK_SYSLOG)
		return log_format_syslog(line, LINE_BYTES, l);
	return log_format(line, LINE_BYTES, l,
	    sink == LOG_SINK_CONSOLE && state.console_is_journal);
}

/* --- Delivering. */

/* Write a formatted line to a sink.  Returns 0 or errno. */
static int
log_deliver_text(enum log_sink sink, const char *line, size_t len)
{
	struct log_sink_state *s = &log_shared()->sink[sink];
	bool master = log_is_master();
	int error;

	switch (sink) {
	case LOG_SINK_CONSOLE:
		return log_sink_write(s, state.set.console,
		    state.console_is_socket, '\n', line, len);
	case LOG_SINK_FILE:
		return log_sink_write(s, state.file.fd, false, '\n', line, len);
	default:
		error = log_syslog_send(state.syslog_fd, master, line, len);
		if (error == 0 || master || log_syslog_is_busy(error))
			return error;
		return log_send_packet(sink, line, len);
	}
}

/* Control bytes may be meant for a terminal. */
static void
log_clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/* Deliver the line, after a line that says how many lines were lost. */
static int
log_deliver(enum log_sink sink, const struct line *l)
{
	struct log_sink_state *s = &log_shared()->sink[sink];
	uint32_t lost = atomic_exchange(&s->lost, 0);
	char line[LINE_BYTES], note[128];
	struct line gap = *l;
	int error;

	if (lost > 0) {
		snprintf(note, sizeof(note),
		    "%u log lines lost before this: %s", lost,
		    strerror(atomic_load(&s->error)));
		gap.level = LOG_LEVEL_WARNING;
		gap.text = note;
		error = log_deliver_text(sink, line,
		    log_format_for(sink, line, &gap));
		if (error != 0) {
			atomic_fetch_add(&s->lost, lost);
			return error;
		}
	}
	return log_deliver_text(sink, line, log_format_for(sink, line, l));
}

/* Send the line to the master if the open file is of another day or has no
 * name: a worker cannot open the right file. */
static bool
log_defer_to_master(const struct line *l)
{
	const struct log_shared *s = log_shared();
	char line[LINE_BYTES];

	return !log_is_master() &&
	    (l->when.tv_sec < atomic_load(&s->from) ||
		l->when.tv_sec >= atomic_load(&s->until) ||
		log_sink_is_removed(state.file.fd)) &&
	    log_send_packet(LOG_SINK_FILE, line,
		log_format(line, sizeof(line), l, false)) == 0;
}

static void log_emit(enum log_level level, const char *text, unsigned sinks);
static void log_write(struct line *l, unsigned sinks);

/* Report what a sink loses to the other sinks. */
static void
log_tell_loss(enum log_sink sink, unsigned others)
{
	const struct log_sink_state *s = &log_shared()->sink[sink];
	const char *kind[] = { "", "logfile ", "syslog " };
	const char *name[] = { state.console_name, state.file.path,
		LOG_SYSLOG_PATH };
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "%s%.800s: %s; %u log lines lost there",
	    kind[sink], name[sink], strerror(atomic_load(&s->error)),
	    atomic_load(&s->lost));
	log_emit(LOG_LEVEL_WARNING, text, others);
}

static void
log_lose(enum log_sink sink, int error, unsigned others)
{
	struct log_sink_state *s = &log_shared()->sink[sink];
	uint64_t now = clock_ms(), told = atomic_load(&s->told);

	atomic_fetch_add(&s->lost, 1);
	atomic_store(&s->error, error);
	if ((told == 0 || now - told >= RETRY_MS) && others != 0 &&
	    atomic_compare_exchange_strong(&s->told, &told, now))
		log_tell_loss(sink, others);
}

void
log_tell_losses(void)
{
	const struct log_shared *s = log_shared();

	for (unsigned k = 0; k < LOG_SINKS; k++)
		if (state.open && atomic_load(&s->sink[k].lost) > 0)
			log_tell_loss(k, ALL_SINKS & ~(1U << k));
}

/* Ask the master to check the paths, at most once in ASK_MS until it has. */
static void
log_ask_for_check(void)
{
	struct log_shared *s = log_shared();
	uint64_t now = clock_ms(), before = atomic_load(&s->asked);

	if ((before == 0 || now - before >= ASK_MS) &&
	    atomic_compare_exchange_strong(&s->asked, &before, now) &&
	    log_send_packet(PACKET_CHECK, "", 0) != 0)
		atomic_store(&s->asked, 0);
}

/* The sinks that take lines of this level, as bits. */
static unsigned
log_sinks_for(enum log_level level)
{
	unsigned sinks = 0;

	if (state.syslog_fd != -1)
		sinks |= 1 << LOG_SINK_SYSLOG;
	if (state.file.fd != -1)
		sinks |= 1 << LOG_SINK_FILE;
	if (state.set.console != -1 && (int)level >= state.set.console_level &&
	    (state.file.fd == -1 || atomic_load(&log_shared()->doubled) == 0))
		sinks |= 1 << LOG_SINK_CONSOLE;
	return sinks;
}

/* Write a line of this process to those of `sinks` that take its level. */
static void
log_emit(enum log_level level, const char *text, unsigned sinks)
{
	struct line l = { .level = level,
		.role = state.role,
		.text = text,
		.pid = getpid() };

	log_write(&l, sinks);
}

/* The same for a line without a time. */
static void
log_write(struct line *l, unsigned sinks)
{
	unsigned wanted = log_sinks_for(l->level) & sinks;
	int error[LOG_SINKS] = { 0 };

	gettimeofday(&l->when, NULL);
	localtime_r(&l->when.tv_sec, &l->tm);
	if (wanted & 1 << LOG_SINK_SYSLOG) {
		error[LOG_SINK_SYSLOG] = log_deliver(LOG_SINK_SYSLOG, l);
		/* If both lead to the journal, one line is enough.  The line
		 * of syslog has the ident and the facility. */
		if (wanted & 1 << LOG_SINK_CONSOLE &&
		    state.console_is_journal &&
		    atomic_load(&log_shared()->journals) != 0)
			wanted &= ~(1U
			    << (error[LOG_SINK_SYSLOG] == 0 ? LOG_SINK_CONSOLE
							    : LOG_SINK_SYSLOG));
	}
	if (wanted & 1 << LOG_SINK_FILE) {
		if (log_is_master())
			log_refresh(l->when.tv_sec);
		if (!log_defer_to_master(l))
			error[LOG_SINK_FILE] = log_deliver(LOG_SINK_FILE, l);
	}
	if (wanted & 1 << LOG_SINK_CONSOLE)
		error[LOG_SINK_CONSOLE] = log_deliver(LOG_SINK_CONSOLE, l);
	for (unsigned k = 0; k < LOG_SINKS; k++)
		if (wanted & 1 << k && error[k] != 0)
			log_lose(k, error[k], sinks & ~(1U << k));
	if (!log_is_master())
		log_ask_for_check();
}

/* Write a line of the administration process, "PID TEXT".  A worker may have
 * sent it in its name. */
static void
log_emit_for_admin(enum log_level level, char *text)
{
	struct line l = { .level = level, .role = "admin" };
	char *end;

	l.pid = strtol(text, &end, 10);
	if (l.pid <= 0 || *end != ' ' || !log_wants(level))
		return;
	log_clean(end);
	l.text = end + 1;
	log_write(&l, ALL_SINKS);
}

/* Have the master write the line. */
static void
log_emit_remote(enum log_level level, const char *text)
{
	char line[LINE_BYTES];

	snprintf(line, sizeof(line), "%ld %s", (long)getpid(), text);
	(void)log_send_packet(PACKET_ADMIN + (unsigned)level, line,
	    strlen(line));
}

/* Deliver the formatted line of a worker. */
static void
log_deliver_for_worker(enum log_sink sink, const char *line, size_t len)
{
	int error;

	if (sink == LOG_SINK_FILE && state.file.fd != -1)
		log_refresh(time(NULL));
	else if (sink != LOG_SINK_SYSLOG || state.syslog_fd == -1)
		return;
	error = log_deliver_text(sink, line, len);
	if (error != 0)
		log_lose(sink, error, ALL_SINKS & ~(1U << sink));
}

/* Before log_open(): the form that a shell shows, or the journal. */
static void
log_emit_early(const char *text)
{
	char line[LINE_BYTES];

	snprintf(line, sizeof(line),
	    log_is_journal(STDERR_FILENO) ? "<3>%s\n" : "echod: %s\n", text);
	(void)!write(STDERR_FILENO, line, strlen(line));
}

void
log_line(enum log_level level, int error, const char *fmt, ...)
{
	char text[TEXT_BYTES];
	int saved = errno, n;
	size_t len;
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = n < 0		       ? 0
	    : (size_t)n < sizeof(text) ? (size_t)n
				       : sizeof(text) - 1;
	if (error != 0)
		snprintf(text + len, sizeof(text) - len, ": %s",
		    strerror(error));
	log_clean(text);
	if (level == LOG_LEVEL_WARNING)
		strlcpy(state.warning, text, sizeof(state.warning));
	if (state.remote)
		log_emit_remote(level, text);
	else if (state.open)
		log_emit(level, text, ALL_SINKS);
	else
		log_emit_early(text);
	errno = saved;
}

bool
log_wants(enum log_level level)
{
	int least = state.level == NULL
	    ? state.set.level
	    : (int)atomic_load_explicit(state.level, memory_order_relaxed);

	return !state.open || (int)level >= least;
}

bool
log_rate_limit(struct log_rate_limit *b, unsigned *missed)
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

/* --- Opening, and the master's part. */

/*
 * A terminal or a pipe that nobody reads must not block the service.  Write to
 * it through an open file description of our own that does not block:
 * O_NONBLOCK on the inherited one would apply to our parent, too.
 */
static void
log_open_console(void)
{
	char name[32];
	struct stat st;
	int fd;

	state.console_name = state.set.console == STDERR_FILENO
	    ? "standard error"
	    : "standard output";
	if (state.set.console == -1 || fstat(state.set.console, &st) == -1)
		return;
	state.console_is_socket = S_ISSOCK(st.st_mode);
	state.console_is_journal = log_is_journal(state.set.console);
	if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
		return;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", state.set.console);
	fd = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd != -1)
		state.set.console = fd;
}

/* Open the file, or go on with the file of the former program.  The caller
 * reports `*error` when there is a log. */
static int
log_open_first_file(const struct log_settings *s, int *error)
{
	*error = 0;
	if (s->file == NULL)
		return 0;
	if (log_file_open(&state.file, time(NULL)) == -1) {
		if (s->inherited == -1)
			return -1;
		*error = errno;
		log_file_inherit(&state.file, s->inherited, time(NULL));
	}
	log_publish_file();
	return 0;
}

int
log_open(const struct log_settings *s)
{
	int error;

	state.set = *s;
	state.opener = getpid();
	state.file.pattern = s->file;
	state.file.owner = (struct safe_owner){ s->uid, s->gid };
	tzset();
	log_open_console();
	if (log_open_first_file(s, &error) == -1)
		return -1;
	if (s->syslog) {
		state.syslog_fd = log_syslog_open();
		if (state.syslog_fd == -1) {
			strlcpy(state.file.tried, LOG_SYSLOG_PATH,
			    sizeof(state.file.tried));
			return -1;
		}
	}
	/* Without the pipe, a line that a worker cannot deliver is lost and
	 * counted. */
	(void)pipe2(state.packets, O_DIRECT | O_CLOEXEC | O_NONBLOCK);
	state.open = true;
	errno = error;
	if (error != 0)
		log_warn("logfile %s: cannot open, still writing to the former "
			 "file",
		    state.file.tried);
	return 0;
}

void
log_open_remote(int fd)
{
	state.packets[1] = fd;
	state.remote = state.open = true;
}

int
log_remote_descriptor(void)
{
	return state.packets[1];
}

static void
log_check_paths(void)
{
	log_refresh(time(NULL));
	if (state.syslog_fd != -1)
		log_syslog_check(state.syslog_fd);
}

static void
log_take_packets(void)
{
	char line[PACKET_BYTES];
	size_t len;
	int sink;

	for (int i = 0;
	     i < PACKETS_MOST && (sink = log_take_packet(line, &len)) != -1;
	     i++)
		if (sink >= PACKET_ADMIN)
			log_emit_for_admin((enum log_level)(
					       sink - PACKET_ADMIN),
			    line);
		else if (sink != PACKET_CHECK)
			log_deliver_for_worker((enum log_sink)sink, line, len);
		else {
			log_check_paths();
			state.check_at = clock_ms() + CHECK_MS;
		}
}

void
log_step(void)
{
	time_t now = time(NULL);

	log_take_packets();
	if (state.file.fd != -1 && !log_file_covers(&state.file, now))
		log_refresh(now);
	if (state.check_at == 0 || clock_ms() < state.check_at)
		return;
	/* This check is for the lines since the last one; the next line asks
	 * for another. */
	state.check_at = 0;
	atomic_store(&log_shared()->asked, 0);
	log_check_paths();
}

uint64_t
log_next(void)
{
	uint64_t next = state.check_at != 0 ? state.check_at : CLOCK_NEVER;
	time_t left;

	if (state.file.fd == -1 || !log_file_is_dated(&state.file))
		return next;
	left = state.file.until - time(NULL);
	return clock_earlier(next,
	    left > 0 ? clock_ms() + (uint64_t)left * 1000 : state.retry_at);
}

int
log_watch(void)
{
	return state.packets[0];
}

void
log_leave_console(void)
{
	int null;

	/* The descriptor is replaced and not closed: workers use its number,
	 * and a client must never get that number. */
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
log_take_over(void)
{
	state.opener = getpid();
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
