/* SPDX-License-Identifier: ISC */
/*
 * A path by which a library can open what we have as a descriptor.
 */
#ifndef ECHOD_CONFIG_SCRATCH_H
#define ECHOD_CONFIG_SCRATCH_H

struct scratch {
	char path[32];
	int fd; /* of a copy, or -1 */
};

/* Make it for the file `fd`, from whose beginning it will be read.  Returns 0,
 * or -1 with errno set. */
int scratch_make(struct scratch *s, int fd);

void scratch_remove(struct scratch *s);

#endif
