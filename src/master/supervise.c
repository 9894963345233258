/*
 * Telling the service manager: sd_notify(3)'s protocol, which is one datagram
 * to the AF_UNIX socket named by NOTIFY_SOCKET.
 */
#include "master/supervise.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

static bool enabled;

bool
supervise_wanted(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && (path[0] == '/' || path[0] == '@');
}

void
supervise_enable(void)
{
	enabled = true;
}

void
supervise_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 1 };
	socklen_t len;
	static struct log_brake brake;
	unsigned missed;
	int fd;

	if (!enabled || path == NULL)
		return;
	if (strlen(path) >= sizeof(sun.sun_path)) {
		log_warnx("NOTIFY_SOCKET %s: too long", path);
		enabled = false;
		return;
	}
	memcpy(sun.sun_path, path, strlen(path));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path));
	if (path[0] == '@')
		sun.sun_path[0] = '\0';		/* unix(7), abstract */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A manager that does not read must not hold up the service. */
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience)) == -1 || sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&sun, len) == -1) {
		/* It may be busy: it is told the next time. */
		if (log_brake(&brake, &missed))
			log_warn("NOTIFY_SOCKET %s", path);
	}
	if (fd != -1)
		close(fd);
}

void
supervise_ready(const struct config *c, const char *names, const char *remark)
{
	char state[2048];

	snprintf(state, sizeof(state), "READY=1\nMAINPID=%ld\n"
	    "STATUS=Serving on %s with %u workers%s", (long)getpid(), names,
	    c->workers, remark);
	supervise_notify(state);
}
