/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing the RESP module: whatever the input, and however it is cut, the
 * output is the same, each promise of the interface is kept, and the end of the
 * input is the end.
 *
 * Input: a number from which the cuts are made, then bytes.
 */
#include <string.h>

#include "../../modules/resp/resp.h"
#include "../unit/conversation.h"
#include "fuzz.h"

int
fuzz_resp(const uint8_t *data, size_t size)
{
	struct conversation whole, cut;
	const char *in = (const char *)data + 1;
	uint32_t seed;

	if (size < 1)
		return 0;
	seed = data[0];
	size--;
	conversation_begin(&whole, &echod_handler);
	conversation_feed(&whole, in, size);
	conversation_end(&whole);
	conversation_begin(&cut, &echod_handler);
	if (seed % 2 == 0)
		conversation_open(&cut);
	for (size_t at = 0, n; at < size; at += n) {
		/* Numerical Recipes' generator. */
		seed = seed * 1664525 + 1013904223;
		n = 1 + (seed >> 16) % (seed >> 31 ? 8 : 200);
		if (n > size - at)
			n = size - at;
		conversation_feed(&cut, in + at, n);
	}
	conversation_end(&cut);
	must(whole.broken == NULL && cut.broken == NULL);
	must(whole.finished && cut.finished);
	must(whole.out_len == cut.out_len);
	must(whole.out_len == 0 ||
	    memcmp(whole.out, cut.out, whole.out_len) == 0);
	conversation_free(&whole);
	conversation_free(&cut);
	return 0;
}
