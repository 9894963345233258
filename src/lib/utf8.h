/* SPDX-License-Identifier: ISC */
/*
 * Text in UTF-8, and bytes that are none (RFC 3629).
 */
#ifndef ECHOD_LIB_UTF8_H
#define ECHOD_LIB_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The character at the beginning of `text`: returns how many bytes it has, 1 to
 * 4, and stores its code point.  Returns 0 for a byte that begins none: what is
 * too long a spelling, a surrogate, beyond U+10FFFF or cut is not UTF-8.
 */
size_t utf8_character(const char *text, uint32_t *point);

#endif
