/* SPDX-License-Identifier: ISC */
/*
 * Text for an administrator's terminal.
 */
#ifndef ECHOD_CTL_MESSAGE_H
#define ECHOD_CTL_MESSAGE_H

/* Print an error to standard error: "echoctl: PATH: Connection refused". */
void message_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Replace each control character of `text` but newline and tab by "?".  The
 * sender may not be echod, see echod(8), SECURITY CONSIDERATIONS, and control
 * characters are commands to a terminal. */
void message_clean(char *text);

#endif
