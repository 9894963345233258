/* SPDX-License-Identifier: ISC */
/*
 * The syslog socket: making it, sending, and finding a restarted daemon.
 */
#include "lib/log_syslog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log_sink.h"

/* /dev/log is a link to this socket if the journal listens on it,
 * systemd-journald.socket(8). */
#define JOURNALS_PATH "/run/systemd/journal/dev-log"

static const struct sockaddr_un daemon_at = { .sun_family = AF_UNIX,
	.sun_path = LOG_SYSLOG_PATH };

/* The socket file that a stream was connected to. */
static struct stat connected_to;

static bool
log_syslog_is_journals(void)
{
	struct stat here, journals;

	return stat(LOG_SYSLOG_PATH, &here) == 0 &&
	    stat(JOURNALS_PATH, &journals) == 0 &&
	    here.st_dev == journals.st_dev && here.st_ino == journals.st_ino;
}

/* A datagram socket is not connected, so the next datagram finds a restarted
 * daemon by itself. */
static int
log_syslog_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	atomic_store(&log_shared()->journals, log_syslog_is_journals());
	if (fd == -1 || type == SOCK_DGRAM)
		return fd;
	if (stat(LOG_SYSLOG_PATH, &connected_to) == 0 &&
	    connect(fd, (const struct sockaddr *)&daemon_at,
		sizeof(daemon_at)) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
log_syslog_open(void)
{
	atomic_store(&log_shared()->stream, 0);
	return log_syslog_socket(SOCK_DGRAM);
}

/* Put a new socket in the place of `fd`.  Returns 0 or errno. */
static int
log_syslog_replace(int fd, int type)
{
	struct log_shared *s = log_shared();
	int other = log_syslog_socket(type), error = 0;

	if (other == -1)
		return errno;
	/* The incomplete line was sent to the former daemon. */
	atomic_store(&s->sink[LOG_SINK_SYSLOG].cut, 0);
	if (dup3(other, fd, O_CLOEXEC) == -1)
		error = errno;
	else
		atomic_store(&s->stream, type == SOCK_STREAM);
	close(other);
	return error;
}

/* In a stream each message ends with NUL, as syslog(3) sends it. */
static int
log_syslog_try(int fd, const char *line, size_t len)
{
	struct log_shared *s = log_shared();

	if (atomic_load(&s->stream) != 0)
		return log_sink_write(&s->sink[LOG_SINK_SYSLOG], fd, true, '\0',
		    line, len + 1);
	return sendto(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&daemon_at, sizeof(daemon_at)) == -1
	    ? errno
	    : 0;
}

bool
log_syslog_is_busy(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

int
log_syslog_send(int fd, bool may_connect, const char *line, size_t len)
{
	struct log_shared *s = log_shared();
	int error = log_syslog_try(fd, line, len);

	/* A datagram that found no daemon needs no other socket. */
	if (error == 0 || !may_connect || log_syslog_is_busy(error) ||
	    (error != EPROTOTYPE && atomic_load(&s->stream) == 0))
		return error;
	error = log_syslog_replace(fd, SOCK_STREAM);
	if (error == EPROTOTYPE)
		error = log_syslog_replace(fd, SOCK_DGRAM);
	return error != 0 ? error : log_syslog_try(fd, line, len);
}

void
log_syslog_check(int fd)
{
	struct stat st;

	atomic_store(&log_shared()->journals, log_syslog_is_journals());
	if (atomic_load(&log_shared()->stream) != 0 &&
	    stat(LOG_SYSLOG_PATH, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    (st.st_dev != connected_to.st_dev ||
		st.st_ino != connected_to.st_ino) &&
	    log_syslog_replace(fd, SOCK_STREAM) == EPROTOTYPE)
		(void)log_syslog_replace(fd, SOCK_DGRAM);
}
