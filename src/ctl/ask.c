/*
 * Asking the master: one request, one answer.
 */
#include "ctl/ask.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/utf8.h"

/* A master that does not answer for so long is in trouble, s. */
#define PATIENCE_S 15
/* The longest request, with what ends it. */
#define REQUEST_BYTES 1100

void
ask_warnx(const char *fmt, ...)
{
	va_list ap;

	fputs("echoctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
ask_clean(char *text)
{
	uint32_t point;

	for (char *p = text; *p != '\0';) {
		size_t n = utf8_character(p, &point);

		/* Of a byte alone a terminal may make anything; C1, from 0x80
		 * on, it takes for orders. */
		if (n == 0 || (point < ' ' && *p != '\n' && *p != '\t') ||
		    (point >= 0x7f && point <= 0x9f))
			memset(p, '?', n == 0 ? 1 : n);
		p += n == 0 ? 1 : n;
	}
}

static int
dial(const char *path)
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
	    sizeof(patience)) == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO,
	    &patience, sizeof(patience)) == 0 &&
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Returns NULL with errno set if there is nobody to ask. */
static FILE *
send_request(const char *path, const char *request)
{
	char line[REQUEST_BYTES];
	int fd, saved, n = snprintf(line, sizeof(line), "%s\n", request);
	FILE *f = NULL;

	if (n >= (int)sizeof(line)) {
		errno = EMSGSIZE;
		return NULL;
	}
	fd = dial(path);
	if (fd == -1)
		return NULL;
	/* One that turns us away may have closed already: its reason is there
	 * to be read all the same.  In one go: part of a line is another. */
	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != -1 || errno == EPIPE ||
	    errno == ECONNRESET)
		f = fdopen(fd, "r");
	if (f != NULL)
		return f;
	saved = errno;
	close(fd);
	errno = saved;
	return NULL;
}

/* Say why nobody has answered, and what that means. */
static void
ask_explain(const char *path, int error)
{
	struct stat st;
	const char *why = strerror(error), *hint = "";

	if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		why = "it is no socket";
	else if (error == ENOENT || error == ENOTDIR)
		hint = "; echod does not run, or its control-socket is "
		    "another";
	else if (error == ECONNREFUSED)
		hint = "; echod does not run";
	else if (error == EACCES)
		hint = "; ask as root, as the user of echod or, with "
		    "control-socket-mode 0660, as a member of its group";
	else if (error == EAGAIN)
		why = "no answer";
	else if (error == ENODATA)
		why = "closed without an answer";
	ask_warnx("%s: %s%s", path, why, hint);
}

FILE *
ask_open(const char *path, const char *request)
{
	FILE *f = send_request(path, request);

	if (f == NULL)
		ask_explain(path, errno);
	return f;
}

char *
ask_quietly(const char *path, const char *request)
{
	FILE *f = send_request(path, request);
	char *answer = NULL;
	size_t size = 0;
	ssize_t n;
	int error;

	if (f == NULL)
		return NULL;
	n = getdelim(&answer, &size, '\0', f);
	error = ferror(f) ? errno : ENODATA;
	fclose(f);
	if (n > 0) {
		ask_clean(answer);
		return answer;
	}
	free(answer);
	errno = error;
	return NULL;
}

char *
ask(const char *path, const char *request)
{
	char *answer = ask_quietly(path, request);

	if (answer == NULL)
		ask_explain(path, errno);
	return answer;
}

bool
ask_is_error(const char *answer)
{
	return strncmp(answer, "error: ", 7) == 0 ||
	    strncmp(answer, "{\"error\":", 9) == 0;
}

double
ask_number(const char *json, const char *name)
{
	char key[64];
	const char *p;

	snprintf(key, sizeof(key), "\"%s\":", name);
	p = strstr(json, key);
	return p == NULL ? 0 : strtod(p + strlen(key), NULL);
}
