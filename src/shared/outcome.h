/* SPDX-License-Identifier: ISC */
/*
 * What came of a reload, for those who asked by a signal and wait to be told.
 *
 * Who asks has a datagram socket under a name that the kernel chose for it,
 * unix(7), "Autobind feature": a NUL and five digits of base 16.  The signal
 * brings the number along.  The answer is one datagram: '0' if the service was
 * reloaded, or '1', and words.  Who asks goes by the kernel's word that the
 * master has sent it (SCM_CREDENTIALS).
 */
#ifndef ECHOD_SHARED_OUTCOME_H
#define ECHOD_SHARED_OUTCOME_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Sent by sigqueue(3): these are queued, not merged as SIGUSR2 is. */
#define OUTCOME_SIGNAL (SIGRTMIN + 1)

#define OUTCOME_ASKERS 64
/* Room for their numbers. */
#define OUTCOME_TEXT (OUTCOME_ASKERS * 12)

struct outcome {
	unsigned askers;
	int asker[OUTCOME_ASKERS];
};

/* Remember a process that wants to be told.  Returns false if too many wait
 * already. */
bool outcome_add(struct outcome *o, int asker);

/* All of them as text for outcome_parse(), which adds them to others'.  Returns
 * `text`; or 0, or -1 if they cannot be. */
const char *outcome_format(const struct outcome *o, char *text, size_t size);
int outcome_parse(struct outcome *o, const char *text);

/* A request of the administration process, as an asker. */
#define OUTCOME_OF_ADMIN(sequence) (-(int)(sequence))

/* Forget those of the administration process. */
void outcome_forget_admin(struct outcome *o);

/* Tell all of them, and forget them. */
void outcome_tell(struct outcome *o, bool done, const char *text);

/* The asking side: a socket, whose number is stored in `asker`; or -1 with
 * errno set. */
int outcome_open(int *asker);

/* Wait for what process `pid`, which is `pidfd` (or -1), sends.  Returns 0 if
 * the service was reloaded, or -1 with the reason in `why`. */
int outcome_await(int fd, pid_t pid, int pidfd, char *why, size_t size);

#endif
