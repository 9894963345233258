/* SPDX-License-Identifier: ISC */
/*
 * The process title, by setproctitle(3bsd).
 */
#include "lib/title.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bsd/unistd.h>

/* The begin and the original end of argv[0]; NULL before title_init(). */
static char *name, *name_end;

void
title_init(int argc, char **argv, char **envp)
{
	name = argv[0];
	name_end = name + strlen(name);
	setproctitle_init(argc, argv, envp);
}

void
title_set(const char *fmt, ...)
{
	char text[1024], *end;
	va_list ap;

	if (name == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	setproctitle("%s", text);
	/* If the title is shorter than argv[0], libbsd leaves a dot at the end
	 * of argv[0].  If it has the same length, libbsd leaves a blank behind
	 * it.  Remove them, since ps(1) shows them. */
	end = name + strlen(name);
	if (end < name_end)
		*name_end = '\0';
	if (end > name && end[-1] == ' ')
		end[-1] = '\0';
}
