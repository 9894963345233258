/*
 * Asking the master: one request, one answer.
 */
#ifndef ECHOD_CTL_ASK_H
#define ECHOD_CTL_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What is wrong, for people: "echoctl: PATH: Connection refused"; to standard
 * error. */
void ask_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Take out of an answer what would be orders to a terminal: who answers may not
 * be the master, see echod(8), SECURITY CONSIDERATIONS. */
void ask_clean(char *text);

/* Send `request` to the control socket `path`.  Returns a stream to read the
 * answer from, or NULL with the reason said. */
FILE *ask_open(const char *path, const char *request);

/* The whole answer, to be freed, or NULL with the reason said. */
char *ask(const char *path, const char *request);

/* The same with the reason in errno, ENODATA if the master closed. */
char *ask_quietly(const char *path, const char *request);

/* True if an answer that begins so is a refusal. */
bool ask_is_error(const char *answer);

/* The number behind "NAME": in a JSON text; 0 if there is none. */
double ask_number(const char *json, const char *name);

#endif
