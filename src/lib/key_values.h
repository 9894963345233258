/* SPDX-License-Identifier: ISC */
/*
 * A list of "key=value" strings in a memfd, each ended by a NUL: what one
 * program tells another, so that versions that know other keys can read it.
 */
#ifndef ECHOD_LIB_KEY_VALUES_H
#define ECHOD_LIB_KEY_VALUES_H

#include <stddef.h>

/* Add one item.  Returns 0, or -1 with errno set. */
int key_values_add(int fd, const char *key, const char *value);

/* The text of the list, to be freed, and its length; NULL with errno set:
 * EINVAL or EBADF if `fd` is no list. */
char *key_values_text(int fd, size_t *length);

/* A new list with that text.  Returns its descriptor, close-on-exec, or -1
 * with errno set. */
int key_values_again(const char *name, const char *text, size_t length);

/*
 * Call `take` for each item, until it returns -1.  `text` is taken apart.
 * Returns 0, or -1 with a reason in `why`.
 */
typedef int key_values_take(void *to, const char *key, const char *value);
int key_values_each(char *text, size_t length, key_values_take *take, void *to,
    char *why, size_t size);

#endif
