/* SPDX-License-Identifier: ISC */
/*
 * The outcome of a reload, for processes that asked for the reload by a signal.
 *
 * Such a process, the asker, has a datagram socket whose name the kernel chose:
 * a NUL and five hexadecimal digits (unix(7), "Autobind feature").  The signal
 * carries that number.  The answer is one datagram: '0' if the service was
 * reloaded, else '1', and then text.  It counts only if the kernel says that
 * the master has sent it (SCM_CREDENTIALS).
 */
#ifndef ECHOD_SHARED_OUTCOME_H
#define ECHOD_SHARED_OUTCOME_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Sent by sigqueue(3): several are queued, while SIGUSR2 would be merged. */
#define OUTCOME_SIGNAL (SIGRTMIN + 1)

#define OUTCOME_ASKERS 64
/* Room for the numbers as text. */
#define OUTCOME_TEXT (OUTCOME_ASKERS * 12)

struct outcome {
	unsigned askers;
	int asker[OUTCOME_ASKERS];
};

/* Remember an asker.  Returns false if too many wait already. */
bool outcome_add(struct outcome *o, int asker);

/* All askers as text, and back.  outcome_format() returns `text`.
 * outcome_parse() adds them to `o`; it returns 0, or -1 if the text is
 * wrong. */
const char *outcome_format(const struct outcome *o, char *text, size_t size);
int outcome_parse(struct outcome *o, const char *text);

/* A request of the administration process, as an asker. */
#define OUTCOME_OF_ADMIN(sequence) (-(int)(sequence))

/* Forget those of the administration process. */
void outcome_forget_admin(struct outcome *o);

/* Tell all askers, and forget them. */
void outcome_tell(struct outcome *o, bool done, const char *text);

/* For an asker: make its socket and store its number in `asker`.  Returns the
 * descriptor, or -1 with errno set. */
int outcome_open(int *asker);

/* Wait for the answer of process `pid`, whose pidfd is `pidfd`, or -1.  Returns
 * 0 if the service was reloaded, or -1 with the reason in `why`. */
int outcome_await(int fd, pid_t pid, int pidfd, char *why, size_t size);

#endif
