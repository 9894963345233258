/* SPDX-License-Identifier: ISC */
/*
 * A small arena for fuzzing, and patches that an input makes to it.
 *
 * Its descriptor stands above those of its records, so that a successor that
 * is misled closes nothing that is not its own to close.  What is beyond the
 * end of a region is out of bounds to AddressSanitizer.
 */
#ifndef ECHOD_TESTS_FUZZ_GROUND_H
#define ECHOD_TESTS_FUZZ_GROUND_H

#include <stdbool.h>

#include "fuzz.h"
#include "shared/service.h"

#define GROUND_SLOTS 3
#define GROUND_DESCRIPTORS 40
#define GROUND_WORKERS 2
/* No record below is patched: they are this program's own descriptors. */
#define GROUND_FIRST 3

struct input {
	const uint8_t *data;
	size_t left;
};

/* The next byte; 0 when there is none. */
uint8_t input_byte(struct input *in);

/* Its service state. */
extern struct service_state *ground_service;
extern int ground_service_fd;

/* The arena, as it is just after it was made: the same one each time. */
struct arena *ground_arena(void);

/* Make what lies between an arena's regions out of bounds, or not any more. */
void ground_fence(const struct arena *a, bool on);

/*
 * Apply the patches of the input to the arena, up to its end or a patch whose
 * first byte is `stop`.  A patch is 12 bytes: what it is made to, an index, an
 * offset in units of 4 bytes, how, and 8 bytes of value, little-endian.
 * Descriptors of slots and of the header keep their values: who can write
 * them shares the table they are in, and needs no arena to do harm.
 */
void ground_patch(const struct arena *a, struct input *in, uint8_t stop);

#endif
