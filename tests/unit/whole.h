/* SPDX-License-Identifier: ISC */
/*
 * A recovery with all its slices, as if no client came meanwhile.
 */
#ifndef ECHOD_TESTS_WHOLE_H
#define ECHOD_TESTS_WHOLE_H

#include <stdlib.h>

#include "worker/recovery/recover.h"

static inline struct recovered
recover(struct worker *w, unsigned k)
{
	if (k != w->number)
		return recover_adopt(w, k);
	free(w->slices.visited);
	if (recover_begin(w) == -1)
		abort();
	while (recover_slice(w))
		;
	return w->slices.result;
}

#endif
