/* SPDX-License-Identifier: ISC */
/*
 * Recording signals for the loops; the only user of sigaction(2).
 */
#include "lib/signals.h"

#include <stdio.h>
#include <string.h>

#ifndef NSIG
#define NSIG 65
#endif

static const int never_blocked[] = {
	SIGSEGV,
	SIGBUS,
	SIGFPE,
	SIGILL,
	SIGABRT,
	SIGSYS,
	SIGTRAP,
	SIGTSTP,
};

/* Room for the values that came with signals.  Further signals stay in the
 * queue of the kernel until these values are taken. */
#define VALUES 64

static volatile sig_atomic_t counts[NSIG];
static sigset_t open_mask;

static struct {
	volatile sig_atomic_t count;
	volatile int signo[VALUES], value[VALUES];
} queue;

static void
signals_record(int signo, siginfo_t *info, void *context)
{
	int n = queue.count;

	(void)context;
	counts[signo]++;
	/* Only real-time signals have values here, although sigqueue(3) can
	 * send one with any signal. */
	if (signo < SIGRTMIN || info->si_code != SI_QUEUE || n == VALUES)
		return;
	queue.signo[n] = signo;
	queue.value[n] = info->si_value.sival_int;
	queue.count = n + 1;
	if (n + 1 == VALUES)
		sigaddset(&open_mask, signo);
}

static void
signals_block_mask(sigset_t *mask)
{
	sigfillset(mask);
	for (size_t i = 0; i < sizeof(never_blocked) / sizeof(int); i++)
		sigdelset(mask, never_blocked[i]);
}

void
signals_block(void)
{
	sigset_t mask;

	signals_block_mask(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

void
signals_choose(const int *recorded)
{
	struct sigaction sa, old;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = signals_record;
	sa.sa_flags = SA_SIGINFO;
	sigfillset(&sa.sa_mask);
	signals_block_mask(&open_mask);
	queue.count = 0;
	for (; *recorded != 0; recorded++) {
		counts[*recorded] = 0;
		if (*recorded == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaction(*recorded, &sa, NULL);
		sigdelset(&open_mask, *recorded);
	}
}

void
signals_ignore(int signo)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	sigaction(signo, &sa, NULL);
}

void
signals_trap(int signo, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = handler;
	sa.sa_flags = SA_SIGINFO | (int)SA_RESETHAND;
	sigfillset(&sa.sa_mask);
	sigaction(signo, &sa, NULL);
}

void
signals_let(int signo, void (*handler)(int))
{
	struct sigaction sa;
	sigset_t set;

	if (handler != NULL) {
		memset(&sa, 0, sizeof(sa));
		sa.sa_handler = handler;
		sa.sa_flags = SA_RESTART;
		sigaction(signo, &sa, NULL);
	}
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

const sigset_t *
signals_open_mask(void)
{
	return &open_mask;
}

unsigned
signals_take(int signo)
{
	/* Signals are blocked, so no delivery can come in between. */
	unsigned n = (unsigned)counts[signo];

	counts[signo] = 0;
	return n;
}

bool
signals_take_value(int signo, int *value)
{
	int n = queue.count;

	for (int i = 0; i < n; i++) {
		if (queue.signo[i] != signo)
			continue;
		*value = queue.value[i];
		for (; i + 1 < n; i++) {
			queue.signo[i] = queue.signo[i + 1];
			queue.value[i] = queue.value[i + 1];
		}
		queue.count = n - 1;
		sigdelset(&open_mask, signo);
		return true;
	}
	return false;
}

bool
signals_pending(int signo)
{
	sigset_t set;

	return sigpending(&set) == 0 && sigismember(&set, signo) == 1;
}

const char *
signals_name(int signo)
{
	static char name[32];
	const char *abbrev = NULL;

#ifdef HAVE_SIGABBREV_NP
	abbrev = sigabbrev_np(signo);
#endif
	if (abbrev != NULL)
		snprintf(name, sizeof(name), "SIG%s", abbrev);
	else
		snprintf(name, sizeof(name), "signal %d", signo);
	return name;
}
