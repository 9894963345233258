/* SPDX-License-Identifier: ISC */
/*
 * A module that breaks one promise: the one that its client, its option or its
 * build asks for.  Other lines are echoed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "echod/handler.h"

#ifndef NAUGHTY_ABI
#define NAUGHTY_ABI ECHOD_ABI
#endif
#ifndef NAUGHTY_SIZE
#define NAUGHTY_SIZE sizeof(struct echod_handler)
#endif
#ifndef NAUGHTY_STATE
#define NAUGHTY_STATE 64
#endif

#ifdef NAUGHTY_CONSTRUCTOR
/* Whoever loads the module runs this, perhaps as root. */
static void __attribute__((constructor)) naughty_construct(void)
{
	const char *path = getenv("NAUGHTY_MARK");
	const char *lose = getenv("NAUGHTY_LOSE");
	const char *touch = getenv("NAUGHTY_TOUCH");
	FILE *f = path == NULL ? NULL : fopen(path, "ae");

	/* The file is another one from now on. */
	if (touch != NULL && unlink(touch) == 0) {
		char module[4096];
		size_t len = strlen(touch);

		if (len > 4 && len < sizeof(module)) {
			memcpy(module, touch, len - 4);
			module[len - 4] = '\0';
			(void)utimensat(AT_FDCWD, module, NULL, 0);
		}
	}
	if (f == NULL)
		return;
	fprintf(f, "%ld %ld\n", (long)getpid(), (long)geteuid());
	fclose(f);
	/* As if dlopen(3) had been cut short. */
	if (lose != NULL && unlink(lose) == 0) {
		(void)!open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		raise(SIGKILL);
	}
}
#endif

/* The option "do" names what configure() does; "text" is only stored. */
static size_t
naughty_configure(const struct echod_option *options, size_t count,
    void *config, char *error, size_t error_size)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const char *name = options[i].name, *value = options[i].value;

		if (strcmp(name, "text") == 0) {
			used = strlen(value) + 1;
			memcpy(config, value, used);
		} else if (strcmp(name, "do") != 0)
			snprintf(error, error_size, "%s: not an option of it",
			    name);
		else if (strcmp(value, "crash") == 0)
			raise(SIGSEGV);
		else if (strcmp(value, "hang") == 0)
			for (;;)
				pause();
		else if (strcmp(value, "exit") == 0)
			_exit(0);
		else if (strcmp(value, "overrun") == 0)
			memset(config, 1, ECHOD_CONFIG_LIMIT + 1);
		else if (strcmp(value, "much") == 0)
			used = ECHOD_CONFIG_LIMIT + 1;
		else if (strcmp(value, "escape") == 0)
			snprintf(error, error_size, "\033[31mred\n");
		else
			snprintf(error, error_size, "do: it cannot %s", value);
	}
	return used;
}

static int
naughty_command(struct echod_step *s, const char *line)
{
	static volatile uintptr_t nowhere = 8;
	static volatile int spins;

	if (strcmp(line, "open") == 0)
		(void)!open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	else if (strcmp(line, "fork") == 0)
		(void)!fork();
	else if (strcmp(line, "null") == 0)
		*(volatile int *)nowhere = 1;
	else if (strcmp(line, "abort") == 0)
		abort();
	else if (strcmp(line, "loop") == 0)
		for (;;)
			spins++;
	else if (strcmp(line, "wild") == 0)
		memset(s->out, 'x', s->out_max + 65536);
	else if (strcmp(line, "state") == 0)
		memset(s->state, 'x', NAUGHTY_STATE + 65536);
	else if (strcmp(line, "input") == 0)
		memset((char *)(uintptr_t)s->in, 'x', s->in_len);
	else if (strcmp(line, "much") == 0)
		s->write = s->out_max + 1;
	else if (strcmp(line, "consume") == 0)
		s->consume = (size_t)1 << 40;
	else if (strcmp(line, "pass") == 0)
		s->pass = s->consume + 1;
	else if (strcmp(line, "again") == 0) {
		s->consume = s->pass = 0;
		return ECHOD_AGAIN;
	} else if (strcmp(line, "reset") == 0)
		return ECHOD_ABORT;
	else if (strcmp(line, "nonsense") == 0)
		return 77;
	else if (strcmp(line, "text") == 0 && s->config != NULL) {
		s->pass = 0;
		s->write = (size_t)snprintf(s->out, s->out_max, "%s\n",
		    (const char *)s->config);
	}
	return ECHOD_WAIT;
}

static int
naughty_step(struct echod_step *s)
{
	const char *end = s->in_len == 0 ? NULL
					 : memchr(s->in, '\n', s->in_len);
	char line[16];
	size_t len;

	if (s->event == ECHOD_OPEN && s->config != NULL &&
	    strcmp(s->config, "greet") == 0)
		return naughty_command(s, "null");
	if (s->event == ECHOD_EOF)
		return ECHOD_FINISH;
	if (end == NULL) {
		if ((s->flags & ECHOD_FULL) != 0)
			s->consume = s->in_len;
		return ECHOD_WAIT;
	}
	len = (size_t)(end - s->in);
	s->consume = s->pass = len + 1;
	if (len >= sizeof(line))
		return ECHOD_WAIT;
	memcpy(line, s->in, len);
	line[len] = '\0';
	return naughty_command(s, line);
}

#ifdef NAUGHTY_NO_SYMBOL
const struct echod_handler another __attribute__((visibility("default")));
const struct echod_handler another = {
#else
const struct echod_handler echod_handler = {
#endif
	.abi = NAUGHTY_ABI,
	.size = NAUGHTY_SIZE,
	.name = "naughty",
	.version = "1.0",
	.state_size = NAUGHTY_STATE,
	.in_max = 1024,
	.out_max = 1024,
#ifdef NAUGHTY_NO_OPTIONS
	.configure = 0 ? naughty_configure : NULL,
#else
	.configure = naughty_configure,
#endif
	.step = naughty_step,
};
