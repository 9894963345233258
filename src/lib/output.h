/* SPDX-License-Identifier: ISC */
/*
 * Standard output of a program that prints an answer and ends: what could not
 * be written is an error of the program.
 */
#ifndef ECHOD_LIB_OUTPUT_H
#define ECHOD_LIB_OUTPUT_H

/*
 * From now on the program `name` ends with `status` when standard output could
 * not be written, and says so; to be called first in main().  It says nothing
 * if the reader of a pipe has gone.  A standard stream that was closed at the
 * start stays one: no other file gets its number.
 */
void output_guard(const char *name, int status);

/*
 * This process is no such program: it serves.  Streams that were closed at
 * the start have their numbers free again.
 */
void output_release(void);

#endif
