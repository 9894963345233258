/* SPDX-License-Identifier: ISC */
/*
 * Log lines: formatting them, and delivering them to the sinks.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <syslog.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/log_post.h"
#include "lib/log_state.h"
#include "lib/log_syslog.h"

/* Later than the master looks after it was asked, ms. */
#define POKE_MS 5000
#define LOG_SINKS_ALL ((1U << LOG_SINKS) - 1)

static const char *const level_names[] = { "debug", "verbose", "notice",
	"warning" };
static const int severities[] = { LOG_DEBUG, LOG_INFO, LOG_NOTICE,
	LOG_WARNING };

/* A line on its way: one moment and one text for all sinks. */
struct line {
	enum log_level level;
	struct timeval when;
	struct tm tm;
	const char *role, *text;
	long pid;
};

/* Whose line is written, if it is another's. */
static struct {
	const char *role;
	long pid;
} speaker;

const char *
log_level_name(uint32_t level)
{
	return level <= LOG_LEVEL_WARNING ? level_names[level] : "?";
}

/* RFC 3164 section 4.1, as syslog(3) sends it. */
static size_t
log_emit_format_syslog(char *line, size_t size, const struct line *l)
{
	char when[32];

	strftime(when, sizeof(when), "%b %e %T", &l->tm);
	snprintf(line, size, "<%d>%s %s[%ld]: %s: %s",
	    log_state.set.syslog_facility | severities[l->level], when,
	    log_state.set.syslog_ident, l->pid, l->role,
	    l->text);
	return strlen(line);
}

/* The journal notes all the rest by itself, sd-daemon(3). */
static size_t
log_emit_format(char *line, size_t size, const struct line *l, bool journal)
{
	char when[32];

	if (journal) {
		snprintf(line, size, "<%d>%s: %s\n", severities[l->level],
		    l->role, l->text);
		return strlen(line);
	}
	strftime(when, sizeof(when), "%F %T", &l->tm);
	snprintf(line, size, "%s.%03d %s[%ld] %s: %s\n", when,
	    (int)(l->when.tv_usec / 1000), l->role, l->pid,
	    level_names[l->level], l->text);
	return strlen(line);
}

/* To a sink at once; what it says of it is errno, or 0. */
static int
log_emit_deliver_line(enum log_sink sink, const char *line, size_t len)
{
	struct log_sink_state *s = &log_shared()->sink[sink];
	bool master = log_is_master();
	int error;

	switch (sink) {
	case LOG_SINK_CONSOLE:
		return log_sink_write(s, log_state.set.console,
		    log_state.console_is_socket, '\n', line, len);
	case LOG_SINK_FILE:
		return log_sink_write(s, log_state.file.fd, false, '\n', line,
		    len);
	default:
		error = log_syslog_send(log_state.syslog_fd, master, line, len);
		if (error == 0 || master || log_syslog_is_busy(error))
			return error;
		return log_post_send(sink, line, len);
	}
}

static size_t
log_emit_format_for(enum log_sink sink, char *line, const struct line *l)
{
	if (sink == LOG_SINK_SYSLOG)
		return log_emit_format_syslog(line, LOG_LINE_BYTES, l);
	return log_emit_format(line, LOG_LINE_BYTES, l,
	    sink == LOG_SINK_CONSOLE && log_state.console_is_journal);
}

/* The line, after one that says how many did not get there. */
static int
log_emit_deliver(enum log_sink sink, const struct line *l)
{
	struct log_sink_state *s = &log_shared()->sink[sink];
	uint32_t lost = atomic_exchange(&s->lost, 0);
	char line[LOG_LINE_BYTES], note[128];
	struct line gap = *l;
	int error;

	if (lost > 0) {
		snprintf(note, sizeof(note),
		    "%u log lines lost before this: "
		    "%s",
		    lost, strerror(atomic_load(&s->error)));
		gap.level = LOG_LEVEL_WARNING;
		gap.text = note;
		error = log_emit_deliver_line(sink, line,
		    log_emit_format_for(sink, line, &gap));
		if (error != 0) {
			atomic_fetch_add(&s->lost, lost);
			return error;
		}
	}
	return log_emit_deliver_line(sink, line,
	    log_emit_format_for(sink, line, l));
}

/* Of another day than the open file, or that has no name any more, and we
 * cannot open the right one. */
static bool
log_emit_give_to_master(const struct line *l)
{
	const struct log_shared *s = log_shared();
	char line[LOG_LINE_BYTES];

	return !log_is_master() &&
	    (l->when.tv_sec < atomic_load(&s->from) ||
		l->when.tv_sec >= atomic_load(&s->until) ||
		log_sink_is_removed(log_state.file.fd)) &&
	    log_post_send(LOG_SINK_FILE, line,
		log_emit_format(line, sizeof(line), l, false)) == 0;
}

static void log_emit_emit(enum log_level level, const char *text,
    unsigned sinks);

/* What a log loses is said where there is somebody to read it. */
static void
log_emit_tell_loss(enum log_sink sink, unsigned others)
{
	const struct log_sink_state *s = &log_shared()->sink[sink];
	const char *kind[] = { "", "logfile ", "syslog " };
	const char *name[] = { log_state.console_name, log_state.file.path,
		LOG_SYSLOG_PATH };
	char text[LOG_TEXT_BYTES];

	snprintf(text, sizeof(text), "%s%.800s: %s; %u log lines lost there",
	    kind[sink], name[sink], strerror(atomic_load(&s->error)),
	    atomic_load(&s->lost));
	log_emit_emit(LOG_LEVEL_WARNING, text, others);
}

static void
log_emit_lose(enum log_sink sink, int error, unsigned others)
{
	struct log_sink_state *s = &log_shared()->sink[sink];
	uint64_t now = clock_ms(), told = atomic_load(&s->told);

	atomic_fetch_add(&s->lost, 1);
	atomic_store(&s->error, error);
	if ((told == 0 || now - told >= LOG_RETRY_MS) && others != 0 &&
	    atomic_compare_exchange_strong(&s->told, &told, now))
		log_emit_tell_loss(sink, others);
}

void
log_tell_losses(void)
{
	const struct log_shared *s = log_shared();

	for (unsigned k = 0; k < LOG_SINKS; k++)
		if (log_state.open && atomic_load(&s->sink[k].lost) > 0)
			log_emit_tell_loss(k, LOG_SINKS_ALL & ~(1U << k));
}

/* Have the master look whether paths still lead to what is open, at most once
 * in POKE_MS; it says when it has. */
static void
log_emit_poke(void)
{
	struct log_shared *s = log_shared();
	uint64_t now = clock_ms(), before = atomic_load(&s->poked);

	/* A worker may have died between this and the next. */
	if ((before == 0 || now - before >= POKE_MS) &&
	    atomic_compare_exchange_strong(&s->poked, &before, now) &&
	    log_post_send(LOG_POST_LOOK, "", 0) != 0)
		atomic_store(&s->poked, 0);
}

/* To those of `sinks` that take lines of this level. */
static void
log_emit_emit(enum log_level level, const char *text, unsigned sinks)
{
	struct log_shared *s = log_shared();
	struct line l = { .level = level,
		.role = speaker.pid != 0 ? speaker.role : log_state.role,
		.text = text,
		.pid = speaker.pid != 0 ? speaker.pid : getpid() };
	unsigned wanted = 0;
	int error[LOG_SINKS] = { 0 };

	gettimeofday(&l.when, NULL);
	localtime_r(&l.when.tv_sec, &l.tm);
	if (log_state.syslog_fd != -1)
		wanted |= 1 << LOG_SINK_SYSLOG;
	if (log_state.file.fd != -1)
		wanted |= 1 << LOG_SINK_FILE;
	if (log_state.set.console != -1 &&
	    (int)level >= log_state.set.console_level &&
	    (log_state.file.fd == -1 || atomic_load(&s->doubled) == 0))
		wanted |= 1 << LOG_SINK_CONSOLE;
	wanted &= sinks;
	if (wanted & 1 << LOG_SINK_SYSLOG) {
		error[LOG_SINK_SYSLOG] = log_emit_deliver(LOG_SINK_SYSLOG, &l);
		/* Both lead to the journal: one line is enough, and this one
		 * has the ident and the facility. */
		if (wanted & 1 << LOG_SINK_CONSOLE &&
		    log_state.console_is_journal &&
		    atomic_load(&s->journals) != 0)
			wanted &= ~(1U
			    << (error[LOG_SINK_SYSLOG] == 0 ? LOG_SINK_CONSOLE
							    : LOG_SINK_SYSLOG));
	}
	if (wanted & 1 << LOG_SINK_FILE) {
		if (log_is_master())
			log_refresh(l.when.tv_sec);
		if (!log_emit_give_to_master(&l))
			error[LOG_SINK_FILE] = log_emit_deliver(LOG_SINK_FILE,
			    &l);
	}
	if (wanted & 1 << LOG_SINK_CONSOLE)
		error[LOG_SINK_CONSOLE] = log_emit_deliver(LOG_SINK_CONSOLE,
		    &l);
	for (unsigned k = 0; k < LOG_SINKS; k++)
		if (wanted & 1 << k && error[k] != 0)
			log_emit_lose(k, error[k], sinks & ~(1U << k));
	if (!log_is_master())
		log_emit_poke();
}

void
log_emit_for_worker(enum log_sink sink, const char *line, size_t len)
{
	int error;

	if (sink == LOG_SINK_FILE && log_state.file.fd != -1)
		log_refresh(time(NULL));
	else if (sink != LOG_SINK_SYSLOG || log_state.syslog_fd == -1)
		return;
	error = log_emit_deliver_line(sink, line, len);
	if (error != 0)
		log_emit_lose(sink, error, LOG_SINKS_ALL & ~(1U << sink));
}

void
log_emit_for_admin(enum log_level level, char *line)
{
	char *text;
	long pid = strtol(line, &text, 10);

	/* It is a worker's, perhaps, that pretends. */
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (pid <= 0 || *text != ' ' || !log_wants(level))
		return;
	speaker.role = "admin";
	speaker.pid = pid;
	log_emit_emit(level, text + 1, LOG_SINKS_ALL);
	speaker.pid = 0;
}

/* To the master. */
static void
log_emit_post(enum log_level level, const char *text)
{
	char line[LOG_LINE_BYTES];

	snprintf(line, sizeof(line), "%ld %s", (long)getpid(), text);
	(void)log_post_send(LOG_POST_ADMIN + (unsigned)level, line,
	    strlen(line));
}

/* Before there is a log: as a shell shows it, or the journal. */
static void
log_emit_emit_early(const char *text)
{
	char line[LOG_LINE_BYTES];

	snprintf(line, sizeof(line),
	    journal_is(STDERR_FILENO) ? "<3>%s\n" : "echod: %s\n", text);
	(void)!write(STDERR_FILENO, line, strlen(line));
}

static void
log_emit_vline(enum log_level level, int error, const char *fmt, va_list ap)
{
	char text[LOG_TEXT_BYTES];
	size_t len;
	int n;

	n = vsnprintf(text, sizeof(text), fmt, ap);
	len = n < 0		       ? 0
	    : (size_t)n < sizeof(text) ? (size_t)n
				       : sizeof(text) - 1;
	if (error != 0)
		snprintf(text + len, sizeof(text) - len, ": %s",
		    strerror(error));
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (level == LOG_LEVEL_WARNING)
		strlcpy(log_state.warning, text, sizeof(log_state.warning));
	if (log_state.posted)
		log_emit_post(level, text);
	else if (log_state.open)
		log_emit_emit(level, text, LOG_SINKS_ALL);
	else
		log_emit_emit_early(text);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	log_emit_vline(level, 0, fmt, ap);
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
	log_emit_vline(level, saved, fmt, ap);
	va_end(ap);
	errno = saved;
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
