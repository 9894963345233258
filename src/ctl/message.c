/* SPDX-License-Identifier: ISC */
/*
 * Text for an administrator's terminal: errors, and answers made harmless.
 */
#include "ctl/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"

void
message_warnx(const char *fmt, ...)
{
	va_list ap;

	fputs("echoctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
message_clean(char *text)
{
	uint32_t point;

	for (char *p = text; *p != '\0';) {
		size_t n = utf8_character(p, &point);

		/* A terminal may take a byte that is no UTF-8 for anything.
		 * It takes C1, from 0x80 on, for commands. */
		if (n == 0 || (point < ' ' && *p != '\n' && *p != '\t') ||
		    (point >= 0x7f && point <= 0x9f))
			memset(p, '?', n == 0 ? 1 : n);
		p += n == 0 ? 1 : n;
	}
}
