/* SPDX-License-Identifier: ISC */
/*
 * Text inside JSON, metrics and HTML: the document is valid for all bytes, and
 * UTF-8 stays as it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "admin/quote.h"
#include "lib/utf8.h"
#include "tap.h"

/* The sequences of RFC 3629, section 4, spelt out. */
static size_t
length(const unsigned char *p)
{
#define IN(i, low, high) (p[i] >= (low) && p[i] <= (high))
	if (IN(0, 0x00, 0x7f))
		return 1;
	if (IN(0, 0xc2, 0xdf))
		return IN(1, 0x80, 0xbf) ? 2 : 0;
	if ((p[0] == 0xe0 && IN(1, 0xa0, 0xbf)) ||
	    ((IN(0, 0xe1, 0xec) || IN(0, 0xee, 0xef)) && IN(1, 0x80, 0xbf)) ||
	    (p[0] == 0xed && IN(1, 0x80, 0x9f)))
		return IN(2, 0x80, 0xbf) ? 3 : 0;
	if ((p[0] == 0xf0 && IN(1, 0x90, 0xbf)) ||
	    (IN(0, 0xf1, 0xf3) && IN(1, 0x80, 0xbf)) ||
	    (p[0] == 0xf4 && IN(1, 0x80, 0x8f)))
		return IN(2, 0x80, 0xbf) && IN(3, 0x80, 0xbf) ? 4 : 0;
	return 0;
#undef IN
}

static void
test_sequences(void)
{
	static const unsigned char tails[] = { 0x00, 0x41, 0x7f, 0x80, 0xbf,
		0xc0, 0xff };
	unsigned wrong = 0;
	uint32_t point;

	for (unsigned i = 0; i < 0x10000; i++)
		for (size_t k = 0; k < sizeof(tails) * sizeof(tails); k++) {
			const unsigned char p[] = { (unsigned char)(i >> 8),
				(unsigned char)i, tails[k / sizeof(tails)],
				tails[k % sizeof(tails)], 0 };

			wrong += utf8_character((const char *)p, &point) !=
			    length(p);
		}
	ok(wrong == 0, "UTF-8 is told from other bytes as in RFC 3629");
	ok(utf8_character("\303\251", &point) == 2 && point == 0xe9 &&
		utf8_character("\360\237\230\200", &point) == 4 &&
		point == 0x1f600,
	    "code points");
}

static void
is(void (*quote)(FILE *, const char *), const char *text, const char *want,
    const char *what)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	quote(out, text);
	fclose(out);
	ok(strcmp(got, want) == 0, "%s", what);
	if (strcmp(got, want) != 0)
		printf("# %s instead of %s\n", got, want);
	free(got);
}

int
main(void)
{
	test_sequences();
	is(quote_json, "a\303\251\360\237\230\200\342\202\254",
	    "\"a\303\251\360\237\230\200\342\202\254\"", "JSON: UTF-8 stays");
	is(quote_json, "\"\\\t\n\001\177\302\233",
	    "\"\\\"\\\\\\u0009\\u000a\\u0001\\u007f\\u009b\"",
	    "JSON: bytes that mean something to JSON or a terminal");
	is(quote_json, "\351\300\200\355\240\200\303",
	    "\"\\\\xe9\\\\xc0\\\\x80\\\\xed\\\\xa0\\\\x80\\\\xc3\"",
	    "JSON: bytes that are not UTF-8, cut or too long");
	is(quote_label, "a\303\251\"\\\n", "\"a\303\251\\\"\\\\\\n\"",
	    "a label");
	is(quote_label, "\t\351\302\233", "\"\\\\x09\\\\xe9\\\\xc2\\\\x9b\"",
	    "a label that is no text");
	is(quote_html, "\303\251<a b='\"'>&",
	    "\303\251&#60;a b=&#39;&#34;&#39;&#62;&#38;", "HTML");
	is(quote_html, "\351\033[", "\\xe9\\x1b[", "HTML that is no text");
	return tap_done();
}
