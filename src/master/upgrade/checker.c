/* SPDX-License-Identifier: ISC */
/*
 * The check of a reload.
 */
#include "master/upgrade/checker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/descriptor_close.h"
#include "lib/pidfd.h"
#include "master/listeners/listen.h"
#include "master/upgrade/executable.h"

const char *
checker_begin(struct checker *c, int executable, int record, int image,
    int state, const struct arena *a, const struct service_state *s)
{
	const char *what = "memory for the check";
	int saved;

	*c = (struct checker)CHECKER_NONE;
	c->record = record;
	c->image = image;
	c->output = memfd_create("echod-check", MFD_CLOEXEC);
	if (c->output != -1) {
		what = executable_path();
		atomic_store(&a->header->copied, 1);
		listen_share(s, true);
		c->pid = executable_check(executable, record, c->output, image,
		    state);
		if (c->pid != -1) {
			c->pidfd = pidfd_make(c->pid);
			return NULL;
		}
		c->pid = 0;
	}
	saved = errno;
	checker_end(c, a, s);
	errno = saved;
	return what;
}

void
checker_ended(struct checker *c, int status)
{
	c->pid = 0;
	c->status = status;
	pidfd_close(&c->pidfd);
}

void
checker_said(const struct checker *c, char *line, size_t size)
{
	char text[4096], *p;
	ssize_t n;
	off_t end = lseek(c->output, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(text) - 1
	    ? end - (off_t)sizeof(text) + 1
	    : 0;

	n = pread(c->output, text, sizeof(text) - 1, from);
	text[n > 0 ? n : 0] = '\0';
	for (p = text + strlen(text); p > text && p[-1] == '\n';)
		*--p = '\0';
	p = strrchr(text, '\n');
	p = p == NULL ? text : p + 1;
	if (strncmp(p, "echod: ", 7) == 0)
		p += 7;
	strlcpy(line, p, size);
}

void
checker_end(struct checker *c, const struct arena *a,
    const struct service_state *s)
{
	if (pidfd_is(c->pidfd)) {
		(void)pidfd_signal(c->pidfd, SIGKILL);
		close(c->pidfd);
	} else if (c->pid != 0 && c->pidfd == 0)
		(void)kill(c->pid, SIGKILL);
	c->pidfd = 0;
	atomic_store(&a->header->copied, 0);
	listen_share(s, false);
	descriptor_close_file(c->record);
	descriptor_close_file(c->output);
	descriptor_close_file(c->image);
	c->record = c->output = c->image = -1;
	c->pid = 0;
}
