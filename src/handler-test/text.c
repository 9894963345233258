/* SPDX-License-Identifier: ISC */
/*
 * Bytes as a string of C, and back.
 */
#include "handler-test/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char escapes[] = "n\nr\rt\t\\\\\"\"";

/* Store one byte.  A digit after an octal escape would belong to it, so these
 * have three digits. */
static char *
text_byte(char *to, unsigned char c)
{
	for (const char *e = escapes; *e != '\0'; e += 2)
		if (c == (unsigned char)e[1])
			return to + sprintf(to, "\\%c", e[0]);
	if (c < ' ' || c > '~')
		return to + sprintf(to, "\\%03o", c);
	*to++ = (char)c;
	return to;
}

const char *
text_quote(char *to, const char *bytes, size_t n, size_t most)
{
	char *p = to;

	*p++ = '"';
	for (size_t i = 0; i < n && i < most; i++)
		p = text_byte(p, (unsigned char)bytes[i]);
	strcpy(p, n > most ? "\"..." : "\"");
	return to;
}

size_t
text_unquote(char *text)
{
	char *from = text, *to = text;

	while (*from != '\0') {
		const char *e;
		char digits[4] = "";
		int n = 0;

		if (*from != '\\' || from[1] == '\0') {
			*to++ = *from++;
			continue;
		}
		from++;
		if (*from == 'x' && isxdigit((unsigned char)from[1])) {
			for (from++; n < 2 && isxdigit((unsigned char)*from);)
				digits[n++] = *from++;
			*to++ = (char)strtoul(digits, NULL, 16);
			continue;
		}
		if (*from >= '0' && *from <= '7') {
			while (n < 3 && *from >= '0' && *from <= '7')
				digits[n++] = *from++;
			*to++ = (char)strtoul(digits, NULL, 8);
			continue;
		}
		for (e = escapes; *e != '\0' && *e != *from; e += 2)
			;
		*to++ = *e != '\0' ? e[1] : *from;
		from++;
	}
	return (size_t)(to - text);
}
