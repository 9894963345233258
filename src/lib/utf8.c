/* SPDX-License-Identifier: ISC */
/*
 * Decoding UTF-8, character by character (RFC 3629).
 */
#include "lib/utf8.h"

/* Row i is for characters of i + 1 bytes: mask and bits of the first byte, and
 * the lowest code point that needs so many bytes. */
static const struct {
	unsigned char mask, bits;
	uint32_t least;
} utf8_lengths[] = {
	{ 0x80, 0x00, 0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

size_t
utf8_character(const char *text, uint32_t *point)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = 0;
	uint32_t c;

	while (n < 4 && (*p & utf8_lengths[n].mask) != utf8_lengths[n].bits)
		n++;
	if (n == 4)
		return 0;
	c = *p & (unsigned char)~utf8_lengths[n].mask;
	/* The NUL at the end of the string fails this test, too. */
	for (size_t i = 1; i <= n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < utf8_lengths[n].least || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*point = c;
	return n + 1;
}
