/* SPDX-License-Identifier: ISC */
/*
 * Signals: handlers record, loops act.
 *
 * Signals are blocked except while a loop sleeps in ppoll(2) or epoll_pwait(2)
 * with the mask of signals_open_mask().  So a signal that arrives just before
 * the sleep ends it at once, and does not wait for the next event.
 */
#ifndef ECHOD_LIB_SIGNALS_H
#define ECHOD_LIB_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Block every signal except those that must keep their default action: faults,
 * also if kill(1) sends them, and SIGTSTP (Ctrl-Z).
 */
void signals_block(void);

/*
 * Choose the signals that this process counts for signals_take(): a list that
 * ends with 0.  The counts start at 0.  All other signals stay blocked and are
 * never delivered.  If SIGHUP was ignored when the program was started
 * (nohup(1)), it stays ignored.  Call signals_block() first.
 */
void signals_choose(const int *recorded);

/* Ignore `signo`.  With SIGXFSZ ignored, a file at RLIMIT_FSIZE is an error of
 * write(2) and does not end the process.  Executed programs inherit this. */
void signals_ignore(int signo);

/* Call `handler` for a fault, once.  While it runs, the signal is blocked and
 * has its default action again. */
void signals_trap(int signo, void (*handler)(int, siginfo_t *, void *));

/* Let `signo` in at any time, and call `handler` for it; NULL: with the action
 * that it has.  May be called in a signal handler, with NULL. */
void signals_let(int signo, void (*handler)(int));

/* The mask for the sleep, which allows the chosen signals. */
const sigset_t *signals_open_mask(void);

/* How often `signo` was delivered since the last call for it.  The kernel may
 * merge several pending signals into one delivery (signal(7)). */
unsigned signals_take(int signo);

/* Take the next value that sigqueue(3) sent with the real-time signal `signo`.
 * Returns false if there is none. */
bool signals_take_value(int signo, int *value);

/* True if `signo` was sent and is not delivered yet. */
bool signals_pending(int signo);

/* The name of a signal ("SIGSEGV"), or "signal 40" if it has none.  Static
 * storage: the next call overwrites it. */
const char *signals_name(int signo);

#endif
