/* SPDX-License-Identifier: ISC */
/*
 * The screen of `echoctl top`: the one user of ncurses.
 */
#ifndef ECHOD_CTL_SCREEN_H
#define ECHOD_CTL_SCREEN_H

#include <stdbool.h>

#include "ctl/sample.h"

/* Take over the terminal of standard input and output, until screen_end() or
 * exit(3).  Returns false if there is none that a screen can be drawn on.
 * SIGWINCH must have a handler. */
bool screen_begin(void);

/* Restore the terminal as it was. */
void screen_end(void);

/* Draw the rates between two samples, in the terminal's size of now. */
void screen_draw(const struct sample *now, const struct sample *then);

/* Replace the last line until the next screen_draw(): administration does not
 * answer. */
void screen_say_waiting(void);

/* Take the keys that were pressed.  Returns false if one of them ends the
 * program, or if there will be no more of them. */
bool screen_take_keys(void);

#endif
