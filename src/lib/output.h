/* SPDX-License-Identifier: ISC */
/*
 * Standard output of a program that prints an answer and ends: output that
 * cannot be written is an error.
 */
#ifndef ECHOD_LIB_OUTPUT_H
#define ECHOD_LIB_OUTPUT_H

/*
 * From now on the program `name` ends with `status` and a message if standard
 * output could not be written.  There is no message if the reader of a pipe has
 * gone.  A standard stream that is closed at the start keeps its number: no
 * other file gets it.  Must be called first in main().
 */
void output_guard(const char *name, int status);

/* End the guard: this process serves.  The numbers of closed streams are free
 * again. */
void output_release(void);

#endif
