/* SPDX-License-Identifier: ISC */
/*
 * Text inside JSON, metrics and HTML.
 */
#include "admin/quote.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/utf8.h"

/* C0, DEL and C1: what a terminal could obey. */
static bool
quote_is_control(uint32_t point)
{
	return point < ' ' || (point >= 0x7f && point <= 0x9f);
}

/* Write the character at `text` for which there is no other rule; `escape` is
 * how a backslash is spelt.  Returns its length. */
static size_t
quote_plain(FILE *out, const char *text, const char *escape)
{
	uint32_t point;
	size_t n = utf8_character(text, &point);

	if (n > 0 && !quote_is_control(point)) {
		(void)fwrite(text, 1, n, out);
		return n;
	}
	if (n == 0)
		n = 1;
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%sx%02x", escape, (unsigned char)text[i]);
	return n;
}

void
quote_json(FILE *out, const char *text)
{
	uint32_t point;

	fputc('"', out);
	while (*text != '\0') {
		size_t n = utf8_character(text, &point);

		if (n > 0 && quote_is_control(point)) {
			fprintf(out, "\\u%04x", point);
			text += n;
		} else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text++);
		else
			text += quote_plain(out, text, "\\\\");
	}
	fputc('"', out);
}

void
quote_label(FILE *out, const char *text)
{
	fputc('"', out);
	while (*text != '\0')
		if (*text == '\n') {
			fputs("\\n", out);
			text++;
		} else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text++);
		else
			text += quote_plain(out, text, "\\\\");
	fputc('"', out);
}

void
quote_html(FILE *out, const char *text)
{
	while (*text != '\0')
		if (strchr("<>&\"'", *text) != NULL)
			fprintf(out, "&#%d;", *text++);
		else
			text += quote_plain(out, text, "\\");
}
