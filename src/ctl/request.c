/* SPDX-License-Identifier: ISC */
/*
 * Asking the control socket: one request, one answer.
 */
#include "ctl/request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "ctl/message.h"
#include "shared/control_commands.h"

/* A service that says nothing for so long is in trouble, s. */
#define PATIENCE_S 15
/* A request is repeated for so long, ms; administration is back in 1000. */
#define REPEAT_MS 5000
/* Longer than an answer takes, ms. */
#define USUAL_MS 500
/* The pause before a repetition, ms: it doubles up to a bound. */
#define PAUSE_MS 10
#define PAUSE_MAX_MS 200
/* More is no answer. */
#define ANSWER_MAX (64 << 20)

void
request_say_waiting(void)
{
	message_warnx("no answer yet: the administration of echod is coming "
		      "back");
}

static int
request_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == 0 &&
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void
request_tell(struct request *r)
{
	if (r->told || r->outcome != NULL || clock_ms() < r->began + USUAL_MS)
		return;
	r->told = true;
	if (r->waiting != NULL)
		r->waiting();
}

/* Sleep until `fd` has something, or until `wake`.  Returns 1, 0 when it is
 * time, or -1 with errno set. */
static int
request_sleep(const struct request *r, int fd, uint64_t wake)
{
	struct pollfd p[] = {
		{ fd, POLLIN, 0 },
		{ r->keys ? STDIN_FILENO : -1, POLLIN, 0 },
	};
	struct timespec ts;
	int n = ppoll(p, 2, clock_left(wake, clock_ms(), &ts), r->mask);

	if (n == -1 && errno == EINTR && r->mask == NULL)
		return 0;
	if (n > 0 && p[0].revents == 0) {
		errno = EINTR;
		return -1;
	}
	return n;
}

/* Wait until there is more of the answer.  Returns 0, or -1 with errno set:
 * ENODATA at its end. */
static int
request_wait(struct request *r, int fd)
{
	uint64_t deadline = clock_ms() + PATIENCE_S * 1000, wake;
	ssize_t n;
	char byte;

	while (clock_ms() < deadline) {
		wake = r->told || r->outcome != NULL ? deadline
						     : r->began + USUAL_MS;
		n = request_sleep(r, fd, clock_earlier(wake, deadline));
		if (n == -1)
			return -1;
		request_tell(r);
		if (n == 0)
			continue;
		n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
		if (n == 0)
			errno = ENODATA;
		if (n != -1 || (errno != EAGAIN && errno != EINTR))
			return n > 0 ? 0 : -1;
	}
	errno = EAGAIN;
	return -1;
}

/* One attempt of request_open(). */
static int
request_try(struct request *r)
{
	char line[CONTROL_REQUEST_BYTES + 1];
	int saved, fd,
	    n = snprintf(line, sizeof(line), "%s%s\n",
		r->form == ANSWER_FRAMED ? CONTROL_FRAMED " " : "", r->line);
	bool sent;

	if (n > CONTROL_REQUEST_BYTES) {
		errno = EMSGSIZE;
		return -1;
	}
	fd = request_connect(r->path);
	if (fd == -1)
		return -1;
	/* In one go: part of a line is another one. */
	sent = send(fd, line, (size_t)n, MSG_NOSIGNAL) == n;
	/* A server that refuses us may have closed already: its reason is
	 * there to be read all the same. */
	if ((sent || errno == EPIPE || errno == ECONNRESET) &&
	    request_wait(r, fd) == 0)
		return fd;
	saved = !sent && errno == ENODATA ? ECONNRESET : errno;
	close(fd);
	errno = saved;
	return -1;
}

bool
request_repeats(struct request *r, int error)
{
	unsigned pause = PAUSE_MS << (r->tries < 5 ? r->tries : 5);
	/* It was not read, or reading it again does no harm. */
	bool harmless = error == ECONNRESET ||
	    (r->outcome == NULL && (error == ENODATA || error == EBADMSG));

	if (!harmless || clock_ms() >= r->began + REPEAT_MS) {
		errno = error;
		return false;
	}
	request_tell(r);
	r->tries++;
	if (pause > PAUSE_MAX_MS)
		pause = PAUSE_MAX_MS;
	return request_sleep(r, -1, clock_ms() + pause) != -1;
}

int
request_open(struct request *r)
{
	int fd;

	if (r->began == 0)
		r->began = clock_ms();
	do {
		fd = request_try(r);
		if (fd != -1)
			return fd;
	} while (request_repeats(r, errno));
	return -1;
}

/* Read all that `fd` has.  Returns the bytes, with a NUL behind them, or NULL
 * with errno set. */
static char *
request_read(struct request *r, int fd, size_t *len)
{
	size_t room = 4096;
	char *text = malloc(room), *more;
	ssize_t n = 0;

	for (*len = 0; text != NULL; *len += (size_t)n) {
		if (room - *len < 2) {
			more = realloc(text, room *= 2);
			if (more == NULL)
				break;
			text = more;
		}
		if (request_wait(r, fd) == -1)
			break;
		if (*len > ANSWER_MAX) {
			errno = EPROTO;
			break;
		}
		n = recv(fd, text + *len, room - *len - 1, 0);
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			break;
		if (n == -1)
			n = 0;
	}
	/* A reset in the middle of an answer is its end, too. */
	if (text != NULL && (errno == ENODATA || errno == ECONNRESET)) {
		text[*len] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* One attempt of request_ask(); NULL with errno set. */
static char *
request_ask_once(struct request *r)
{
	static const int reasons[] = { 0, EBADMSG, EPROTO };
	enum answer_state state;
	char *text;
	size_t len;
	int fd = request_open(r), saved;

	if (fd == -1)
		return NULL;
	text = request_read(r, fd, &len);
	saved = errno;
	close(fd);
	errno = saved;
	if (text == NULL)
		return NULL;
	state = answer_check(text, len, r->form);
	if (state == ANSWER_WHOLE)
		return text;
	free(text);
	errno = reasons[state];
	return NULL;
}

char *
request_ask(struct request *r)
{
	char *text;

	do {
		text = request_ask_once(r);
		if (text != NULL)
			return text;
		/* Others have been repeated already. */
	} while (errno == EBADMSG && request_repeats(r, errno));
	return NULL;
}

/* Whether a request that failed so may have been carried out. */
static bool
request_in_doubt(const struct request *r, int error)
{
	return r->outcome != NULL &&
	    (error == ENODATA || error == EBADMSG || error == EPROTO ||
		error == EAGAIN);
}

void
request_explain(const struct request *r, int error, char *text, size_t size)
{
	struct stat st;
	const char *why = strerror(error), *hint = "";

	if (stat(r->path, &st) == 0 && !S_ISSOCK(st.st_mode))
		why = "it is no socket";
	else if (error == ENOENT || error == ENOTDIR)
		hint = "; echod does not run, or its control-socket is another";
	else if (error == ECONNREFUSED)
		hint = "; echod does not run";
	else if (error == EACCES)
		hint = "; ask as root, as the user of echod or, with "
		       "control-socket-mode 0660, as a member of its group";
	else if (error == EAGAIN)
		why = "no answer";
	else if (error == ENODATA)
		why = "closed without an answer";
	else if (error == ECONNRESET)
		why = "closed before the request was read";
	else if (error == EBADMSG)
		why = "the answer ends in the middle";
	else if (error == EPROTO)
		why = "the answer is not one of echod";
	if (request_in_doubt(r, error))
		snprintf(text, size,
		    "%s: %s; \"%s\" may have been carried out or not: see %s, "
		    "and repeat it if it was not",
		    r->path, why, r->line, r->outcome);
	else
		snprintf(text, size, "%s: %s%s", r->path, why, hint);
}

void
request_warn(const struct request *r, int error)
{
	char text[512];

	request_explain(r, error, text, sizeof(text));
	message_warnx("%s", text);
}

char *
request_ask_loudly(struct request *r)
{
	char *answer;

	r->waiting = request_say_waiting;
	answer = request_ask(r);
	if (answer == NULL)
		request_warn(r, errno);
	else
		message_clean(answer);
	return answer;
}
