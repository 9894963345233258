/*
 * The process title: setproctitle(3bsd), tidied up.
 */
#include "base/title.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bsd/unistd.h>

/* What was argv[0]; NULL before title_init(). */
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
	char text[1024];
	va_list ap;

	if (name == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	setproctitle("%s", text);
	/* libbsd leaves a dot there if the title is shorter than the path we
	 * were called by, and ps(1) shows it. */
	if (name + strlen(name) < name_end)
		*name_end = '\0';
}
