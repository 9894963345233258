/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing PROXY headers: what was decided of the first bytes is not decided
 * otherwise when more of them arrive.
 */
#include <string.h>

#include "fuzz.h"
#include "worker/connection/proxy.h"

/* With an end of its own, that nothing may be read behind. */
static enum proxy_result
parse(const uint8_t *data, size_t len, struct proxy_header *h)
{
	char *copy = malloc(len + (len == 0));
	enum proxy_result r;

	must(copy != NULL);
	memcpy(copy, data, len);
	r = proxy_parse(copy, len, h);
	free(copy);
	must(r != PROXY_BAD || h->fault != NULL);
	must(r != PROXY_OK ||
	    (h->bytes > 0 && h->bytes <= len && h->bytes <= PROXY_BYTES));
	must(r != PROXY_OK || !h->known || peer_name(&h->peer)[0] != 'u');
	return r;
}

int
fuzz_proxy(const uint8_t *data, size_t size)
{
	struct proxy_header whole, part;
	enum proxy_result all, r;
	size_t step;

	if (size > 2 * PROXY_BYTES)
		size = 2 * PROXY_BYTES;
	all = parse(data, size, &whole);
	must(all != PROXY_MORE || size < PROXY_BYTES);
	must(all != PROXY_MAYBE || size < 12);
	step = size > 256 ? size / 16 : size > 32 ? 7 : 1;
	for (size_t n = 0; n < size; n += step) {
		r = parse(data, n, &part);
		if (r == PROXY_MAYBE || r == PROXY_MORE)
			continue;
		/* Which has ended before it had begun. */
		must(r == all && part.known == whole.known);
		must(r != PROXY_OK ||
		    (part.bytes == whole.bytes &&
			memcmp(&part.peer, &whole.peer, sizeof(part.peer)) ==
			    0));
	}
	return 0;
}
