/* SPDX-License-Identifier: ISC */
/*
 * Text from outside: finding invisible characters, and showing it in messages.
 */
#include "config/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"

/*
 * Characters that are invisible or look like a blank: White_Space,
 * Default_Ignorable_Code_Point and the controls of Unicode, and the empty
 * Braille pattern.  text_fault() handles ASCII.
 */
static const struct unseen {
	uint32_t first, last;
	const char *name;
} unseen[] = {
	{ 0x80, 0x9f, "a control character" },
	{ 0xa0, 0xa0, "a no-break space" },
	{ 0xad, 0xad, "a soft hyphen" },
	{ 0x34f, 0x34f, NULL },
	{ 0x61c, 0x61c, NULL },
	{ 0x115f, 0x1160, NULL },
	{ 0x1680, 0x1680, "a blank that is not ASCII" },
	{ 0x17b4, 0x17b5, NULL },
	{ 0x180b, 0x180f, NULL },
	{ 0x2000, 0x200a, "a blank that is not ASCII" },
	{ 0x200b, 0x200b, "a zero-width space" },
	{ 0x200c, 0x200f, NULL },
	{ 0x2028, 0x2029, "a line end that is not ASCII" },
	{ 0x202a, 0x202e, NULL },
	{ 0x202f, 0x202f, "a no-break space" },
	{ 0x205f, 0x205f, "a blank that is not ASCII" },
	{ 0x2060, 0x206f, NULL },
	{ 0x2800, 0x2800, NULL },
	{ 0x3000, 0x3000, "a blank that is not ASCII" },
	{ 0x3164, 0x3164, NULL },
	{ 0xfe00, 0xfe0f, NULL },
	{ 0xfeff, 0xfeff, "a byte order mark" },
	{ 0xffa0, 0xffa0, NULL },
	{ 0xfff0, 0xfffb, NULL },
	{ 0x1bca0, 0x1bca3, NULL },
	{ 0x1d173, 0x1d17a, NULL },
	{ 0xe0000, 0xe0fff, NULL },
};

#define UNSEEN (sizeof(unseen) / sizeof(unseen[0]))

/* What is wrong with the character at `s`, or NULL; `len` gets its length in
 * bytes. */
static const char *
text_fault(const unsigned char *s, const unsigned char *end, unsigned flags,
    size_t *len)
{
	uint32_t code;

	*len = utf8_character((const char *)s, &code);
	if (*len == 0 || *len > (size_t)(end - s)) {
		*len = 1;
		return "not UTF-8";
	}
	if (code == '\t' && (flags & TEXT_TABS))
		return NULL;
	if (code < 0x20 || code == 0x7f)
		return "a control character";
	for (size_t i = 0; i < UNSEEN && unseen[i].first <= code; i++)
		if (code <= unseen[i].last)
			return unseen[i].name != NULL
			    ? unseen[i].name
			    : "an invisible character";
	return (flags & TEXT_ASCII) && code > 0x7f ? "not ASCII" : NULL;
}

/* Append `len` bytes at `s` to `out` as \xNN. */
static void
text_escape(char *out, size_t size, const unsigned char *s, size_t len)
{
	size_t n = strlen(out);

	for (size_t i = 0; i < len && n + 5 <= size; i++, n += 4)
		snprintf(out + n, size - n, "\\x%02x", s[i]);
}

int
text_check(const char *text, size_t len, unsigned flags, char *why, size_t size)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + len;
	const char *fault;
	size_t n;

	for (; s < end; s += n) {
		fault = text_fault(s, end, flags, &n);
		if (fault == NULL)
			continue;
		snprintf(why, size, "byte %zu is %s, ",
		    (size_t)(s - (const unsigned char *)text) + 1, fault);
		text_escape(why, size, s, n);
		return -1;
	}
	return 0;
}

int
text_mark(char **text, size_t *len, char *why, size_t size)
{
	const unsigned char *s = (const unsigned char *)*text;

	if (*len >= 2 &&
	    ((s[0] == 0xff && s[1] == 0xfe) ||
		(s[0] == 0xfe && s[1] == 0xff))) {
		snprintf(why, size,
		    "begins with \\x%02x\\x%02x, so it is "
		    "UTF-16; save it as UTF-8",
		    s[0], s[1]);
		return -1;
	}
	if (*len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*len -= 3;
	}
	return 0;
}

const char *
text_show(char *out, size_t size, const char *text, unsigned flags)
{
	const unsigned char *s = (const unsigned char *)text;
	const unsigned char *end = s + strlen(text);
	size_t n, used;

	out[0] = '\0';
	for (; s < end; s += n) {
		const char *fault = text_fault(s, end, flags, &n);

		used = strlen(out);
		/* An escaped character and "..." fit in 20 bytes. */
		if (used + 20 > size) {
			snprintf(out + used, size - used, "...");
			break;
		}
		if (fault != NULL)
			text_escape(out, size, s, n);
		else
			snprintf(out + used, size - used, "%.*s", (int)n, s);
	}
	return out;
}

const char *
text_quotes(const char *text)
{
	size_t len = strlen(text);

	if (len > 0 && strpbrk(text, "#;") == NULL &&
	    strchr(" \t\"'", text[0]) == NULL &&
	    strchr(" \t", text[len - 1]) == NULL)
		return "";
	if (strchr(text, '\\') != NULL)
		return NULL;
	if (strchr(text, '"') == NULL)
		return "\"";
	return strchr(text, '\'') == NULL ? "'" : NULL;
}
