/* SPDX-License-Identifier: ISC */
/*
 * Bytes as a string of C, and back.
 */
#ifndef ECHOD_HANDLER_TEST_TEXT_H
#define ECHOD_HANDLER_TEST_TEXT_H

#include <stddef.h>

/* Room for a string of `n` bytes, with quotes. */
#define TEXT_ROOM(n) (4 * (n) + 16)

/* Store at most `most` of `n` bytes, and "..." if there are more.  Returns
 * `to`, which has TEXT_ROOM(most) bytes. */
const char *text_quote(char *to, const char *bytes, size_t n, size_t most);

/* Resolve the escapes of C in place: \r \n \t \0 \\ \" \xHH.  Returns the
 * number of bytes. */
size_t text_unquote(char *text);

#endif
