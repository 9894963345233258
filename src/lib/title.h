/* SPDX-License-Identifier: ISC */
/*
 * The process title: what ps(1) shows.
 */
#ifndef ECHOD_LIB_TITLE_H
#define ECHOD_LIB_TITLE_H

/* Before anything else in main(): make room where the arguments are. */
void title_init(int argc, char **argv, char **envp);

/* Show "echod: " and the formatted text.  Does nothing before title_init(). */
void title_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
