/* SPDX-License-Identifier: ISC */
/*
 * The layout of arena and service state.
 */
#ifndef ECHOD_SHARED_LAYOUT_H
#define ECHOD_SHARED_LAYOUT_H

/* What two programs must agree on to share an arena and a service state, in a
 * few words: version, sizes, and a word that differs when a field has moved;
 * static storage. */
const char *layout_words(void);

#endif
