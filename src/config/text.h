/* SPDX-License-Identifier: ISC */
/*
 * Text from outside: what of it cannot be seen, and how messages show it.
 */
#ifndef ECHOD_CONFIG_TEXT_H
#define ECHOD_CONFIG_TEXT_H

#include <stddef.h>

/* Room for what text_show() makes of the text that a message quotes. */
#define TEXT_SHOWN 256

enum text_flags {
	TEXT_ASCII = 1, /* nothing but ASCII */
	TEXT_TABS = 2	/* a tab is a blank as any other */
};

/*
 * Look for what does not look like what it is in the first `len` bytes of the
 * string `text`: control characters, blanks that are not ASCII, characters
 * without a shape, bytes that are not UTF-8.  Returns 0, or -1 with a reason
 * that shows the first of them as \xNN in `why`.
 */
int text_check(const char *text, size_t len, unsigned flags, char *why,
    size_t size);

/* Skip the byte order mark that editors for Windows put before a file, which
 * begins with the `len` bytes of `text`.  Returns 0, or -1 with a reason in
 * `why` if it is that of UTF-16. */
int text_mark(char **text, size_t *len, char *why, size_t size);

/* `text` as a message quotes it, in `out`: cut to fit, and with what
 * text_check() objects to as \xNN.  Returns `out`. */
const char *text_show(char *out, size_t size, const char *text, unsigned flags);

/* The quotes that `text` needs for a file to say it: "", "\"" or "'"; NULL if
 * it needs some and has both kinds in it, or a backslash. */
const char *text_quotes(const char *text);

#endif
