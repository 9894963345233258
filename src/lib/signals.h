/* SPDX-License-Identifier: ISC */
/*
 * Signals as facts to be asked for: handlers record, loops act.
 *
 * Signals are blocked except while a loop sleeps in ppoll(2) or epoll_pwait(2) with the mask
 * from signals_open_mask(), so one that arrives just before the sleep ends it
 * at once instead of being noticed at the next event.
 */
#ifndef ECHOD_LIB_SIGNALS_H
#define ECHOD_LIB_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Block every signal but those that must keep their default action: faults
 * (a crash is a crash, also when kill(1) makes it) and the terminal's Ctrl-Z.
 */
void signals_block(void);

/*
 * Choose the signals this process counts for signals_take(), a list ended by
 * 0.  Counts start at zero; all other signals stay blocked and so never
 * arrive.  A SIGHUP that was ignored when the program was started (nohup(1))
 * stays ignored.  Call signals_block() first.
 */
void signals_choose(const int *recorded);

/* Nothing comes of `signo`: a file that is to grow beyond RLIMIT_FSIZE is an
 * error of write(2), not the end.  Programs that are executed inherit it. */
void signals_ignore(int signo);

/* Have `handler` called for a fault, once: while it runs the signal is blocked
 * and has its default action again. */
void signals_trap(int signo, void (*handler)(int, siginfo_t *, void *));

/* The mask to sleep with: lets in the chosen signals. */
const sigset_t *signals_open_mask(void);

/* How often `signo` was delivered since the last call for it.  The kernel
 * merges deliveries that were pending together (signal(7)). */
unsigned signals_take(int signo);

/* The next value that came with the real-time signal `signo`, by sigqueue(3).
 * Returns false if there is none. */
bool signals_take_value(int signo, int *value);

/* True if `signo` has been sent and not been delivered yet. */
bool signals_pending(int signo);

/* The name of a signal ("SIGSEGV"), or "signal 40" where it has none; in
 * static storage, overwritten by the next call. */
const char *signals_name(int signo);

#endif
