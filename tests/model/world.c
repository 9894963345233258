/* SPDX-License-Identifier: ISC */
/*
 * The other functions that workers call: time, which stands still while a
 * worker runs, and functions that decide nothing.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>

#include "lib/log.h"
#include "lib/signals.h"
#include "lib/title.h"
#include "explore.h"
#include "worker/sandbox.h"
#include "worker/step_limit.h"
#include "worker/wakeups.h"

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	ts->tv_sec = (time_t)(model_now / 1000);
	ts->tv_nsec = (long)(model_now % 1000) * 1000000;
	return 0;
}

/* A worker that waits for another lets time pass. */
int
__wrap_nanosleep(const struct timespec *ts, struct timespec *left)
{
	(void)left;
	model_now += (uint64_t)ts->tv_nsec / 1000000;
	return 0;
}

int
__wrap_sched_yield(void)
{
	model_now++;
	return 0;
}

pid_t
__wrap_getppid(void)
{
	return 1;
}

int
__wrap_kill(pid_t pid, int signo)
{
	(void)pid;
	(void)signo;
	return 0;
}

int
__wrap_prctl(int what, ...)
{
	(void)what;
	return 0;
}

/* For the active set and for the wakeups.  A death does not free them. */
void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	static _Alignas(16) char memory[SLOTS][2][8192];
	bool of_wakeups = size == sizeof(struct wakeup);

	(void)p;
	return n * size <= sizeof(memory[0][0]) ? memory[running()][of_wakeups]
						: NULL;
}

/* The bits of slices.h. */
void *__real_calloc(size_t n, size_t size);
void __real_free(void *p);

void *
__wrap_calloc(size_t n, size_t size)
{
	static uint64_t bits[SLOTS];

	if (running() == NOBODY)
		return __real_calloc(n, size);
	bits[running()] = 0;
	return n * size <= sizeof(bits[0]) ? &bits[running()] : NULL;
}

void
__wrap_free(void *p)
{
	if (running() == NOBODY)
		__real_free(p);
}

void
log_line(enum log_level level, int error, const char *fmt, ...)
{
	(void)level;
	(void)error;
	trace("log: %s", fmt);
}

void
log_follow(const _Atomic uint32_t *level)
{
	(void)level;
}

bool
log_wants(enum log_level level)
{
	(void)level;
	return false;
}

bool
log_rate_limit(struct log_rate_limit *b, unsigned *missed)
{
	(void)b;
	(void)missed;
	return false;
}

void
log_set_role(const char *role)
{
	(void)role;
}

void
title_set(const char *fmt, ...)
{
	(void)fmt;
}

void
signals_choose(const int *recorded)
{
	(void)recorded;
}

const sigset_t *
signals_open_mask(void)
{
	return NULL;
}

unsigned
signals_take(int signo)
{
	(void)signo;
	return 0;
}

bool
signals_pending(int signo)
{
	(void)signo;
	return false;
}

const char *
signals_name(int signo)
{
	(void)signo;
	return "signal";
}

/* Steps take no time. */
void
step_limit_begin(const struct worker *w)
{
	(void)w;
}

/* The kernel that would deny calls is a model. */
void
sandbox_enter(const struct worker *w)
{
	(void)w;
}
