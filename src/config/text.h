/* SPDX-License-Identifier: ISC */
/*
 * Text from outside: finding invisible characters, and showing it in messages.
 */
#ifndef ECHOD_CONFIG_TEXT_H
#define ECHOD_CONFIG_TEXT_H

#include <stddef.h>

/* Room for a text that a message quotes, as text_show() writes it. */
#define TEXT_SHOWN 256

enum text_flags {
	TEXT_ASCII = 1, /* only ASCII is accepted */
	TEXT_TABS = 2	/* a tab is accepted like a blank */
};

/*
 * Check the first `len` bytes of the string `text` for control characters,
 * blanks that are not ASCII, invisible characters, and bytes that are not
 * UTF-8.  Returns 0, or -1 with a reason in `why` that shows the first of them
 * as \xNN.
 */
int text_check(const char *text, size_t len, unsigned flags, char *why,
    size_t size);

/* Skip a UTF-8 byte order mark, which editors for Windows write, at the start
 * of a file: `text` and `len` are its first bytes.  Returns 0, or -1 with a
 * reason in `why` if the mark is that of UTF-16. */
int text_mark(char **text, size_t *len, char *why, size_t size);

/* Write `text` to `out` for a message: cut to fit, with each character that
 * text_check() refuses as \xNN.  Returns `out`. */
const char *text_show(char *out, size_t size, const char *text, unsigned flags);

/* The quotes that `text` needs in a file: "", "\"" or "'".  NULL if it needs
 * quotes and contains both kinds, or a backslash. */
const char *text_quotes(const char *text);

#endif
