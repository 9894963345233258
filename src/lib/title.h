/* SPDX-License-Identifier: ISC */
/*
 * The process title, which ps(1) shows.
 */
#ifndef ECHOD_LIB_TITLE_H
#define ECHOD_LIB_TITLE_H

/* Make the memory of the arguments available to the title.  Must be called at
 * the start of main(). */
void title_init(int argc, char **argv, char **envp);

/* Set the title to "echod: " and the formatted text, which is cut at 1023
 * bytes. Does nothing before title_init(). */
void title_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
