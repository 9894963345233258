/* SPDX-License-Identifier: ISC */
/*
 * Decoding UTF-8 (RFC 3629).
 */
#ifndef ECHOD_LIB_UTF8_H
#define ECHOD_LIB_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decode the first character of the string `text`: returns its length, 1 to 4
 * bytes, and stores its code point.  Returns 0 if it is not valid UTF-8: an
 * overlong form, a surrogate, a code point above U+10FFFF, or cut off.
 */
size_t utf8_character(const char *text, uint32_t *point);

#endif
