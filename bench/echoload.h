/* SPDX-License-Identifier: ISC */
/*
 * echoload: what its parts share, and what each of them does for the others.
 */
#ifndef ECHOLOAD_H
#define ECHOLOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "echoload_hist.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

/* Bytes of one burst at most, that is of -s times -P. */
#define BURST_MAX (64 << 20)

/* So many bytes of the first wrong answer are shown. */
#define STRANGE 40

enum exit_status {
	EXIT_GOOD = 0,
	EXIT_ERRORS = 1,
	EXIT_USAGE = 2
};

struct options {
	const char *host, *port;
	const char *label;  /* "" if none */
	const char *cgroup; /* or NULL */
	unsigned pid;	    /* or 0 */
	unsigned connections, idle, pipeline, threads;
	unsigned seconds, warmup;
	size_t size;	   /* bytes of a message with its '\n' */
	uint64_t messages; /* end after so many, or 0 */
	uint64_t rate;	   /* messages/s of the open loop, or 0 */
	bool churn, check, json, quiet;
};

enum failure {
	FAIL_REFUSED,
	FAIL_RESET,
	FAIL_EOF,
	FAIL_WRONG,
	FAIL_TIMEOUT,
	FAIL_OTHER,
	FAILURES
};

/* The names of the failures, as in the report. */
extern const char *const failure_names[FAILURES];

/*
 * One run, seen by all threads.  `begin` and `end` bound the measuring period,
 * in ns of CLOCK_MONOTONIC; they are set between the two barriers, and `end`
 * may come nearer afterwards: after -n messages, or by SIGINT.
 */
struct run {
	const struct options *o;
	struct sockaddr_storage server;
	socklen_t server_len;
	bool loopback;	/* the server is in 127.0.0.0/8 */
	uint64_t start; /* of the warm-up */
	_Atomic uint64_t begin, end;
	_Atomic uint64_t counted; /* messages of the period so far */
	_Atomic uint64_t failed;  /* failures so far */
	atomic_bool abandoned;	  /* no use in starting */
	atomic_uint interrupts;	  /* 1: end now; 2: and do not wait */
};

/* What a run has brought; one for each thread, then merged. */
struct result {
	struct hist latency;	  /* ns */
	uint64_t messages, bytes; /* within the measuring period */
	uint64_t failures[FAILURES];
	int other;		   /* errno of the last FAIL_OTHER */
	char strange[STRANGE + 1]; /* the first wrong bytes, printable */
	uint64_t due;		   /* open loop: scheduled in the period */
	uint64_t unanswered;	   /* at the very end, though waited for */
	unsigned held, idle_held;  /* connections open at the end */
	double busy;		   /* share of time, of the busiest */
	/* Messages of each connection: the least, the most, the sums. */
	uint64_t least, most;
	double sum, squares;
};

/* What was measured beside the threads. */
struct measures {
	double seconds;	   /* of the measuring period */
	double client_cpu; /* s */
	double server_cpu; /* s, or -1 if not known */
	double server_pss; /* KiB, or -1 if not known */
	double steal;	   /* share of all CPUs' time, or -1 */
};

static inline uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/*
 * Fill `o` from the command line.  What is wrong with it is said on standard
 * error, with the option's name and value, and ends the program.
 */
void parse_arguments(struct options *o, int argc, char **argv);

/*
 * CPU time the server has used since some fixed moment, in seconds, by
 * --cgroup or by --pid; -1 if neither is given or can be read.
 */
double server_cpu(const struct options *o);

/* The server's proportional set size in KiB, of all its processes; or -1. */
double server_pss(const struct options *o);

/*
 * Times of all CPUs since boot, in ticks: all of it, and what the hypervisor
 * gave to others meanwhile.  0 if they cannot be read.
 */
struct machine_time {
	double all, stolen;
};
struct machine_time machine_time(void);

/* The report on standard output, as text or as one line of JSON. */
void report(const struct options *o, const struct result *r,
    const struct measures *m);

#endif
