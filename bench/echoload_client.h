/* SPDX-License-Identifier: ISC */
/*
 * One thread of the load: an epoll instance and the connections on it.
 *
 * A connection counts its stream in bytes: `goal` is what is to be sent by
 * now, `sent` and `got` follow it.  The positions go on over a reconnect, from
 * the next whole message; what was on its way is lost and a failure.
 */
#ifndef ECHOLOAD_CLIENT_H
#define ECHOLOAD_CLIENT_H

#include <pthread.h>

#include "echoload.h"
#include "echoload_pattern.h"

enum state {
	CLOSED,
	CONNECTING,
	OPEN
};

struct connection {
	int fd;
	uint32_t watched; /* epoll events; 0: not added yet */
	enum state state;
	bool idle;
	bool marked;			/* in client.marked */
	unsigned id;			/* chooses the content */
	uint64_t goal, sent, got;	/* stream positions */
	size_t send_place, check_place; /* the same in the pattern */
	uint64_t began;			/* the burst or the cycle; ns */
	uint64_t moved;			/* last progress; ns */
	uint64_t messages;		/* echoed in the measuring period */
	struct connection *next_down;	/* in client.down */
};

struct client {
	struct run *run;
	const struct options *o;
	const struct pattern *pattern;
	unsigned number; /* of the thread, from 0 */
	pthread_t thread;
	int ep;
	char *buffer;
	struct connection *connections; /* first the active, then the idle */
	unsigned active, idle;

	bool running;		 /* the load is on */
	bool measuring, stopped; /* within, after the period */
	uint64_t begin, end;	 /* of the period; ns */
	unsigned connecting;	 /* connections in that state */
	unsigned sources;	 /* source addresses used */
	unsigned established;	 /* connections so far */
	uint64_t connected;	 /* when the last of them was; ns */
	struct connection *down, **down_tail; /* to be connected again */
	uint64_t retry;			      /* not before */

	double step;		    /* open loop: ns between messages */
	uint64_t next;		    /* open loop: next message's number */
	struct connection **marked; /* open loop: have new messages */

	uint64_t reported, failed; /* already added to the run's */
	uint64_t waited;	   /* ns in epoll_wait within the period */
	double cpu_before;	   /* s, when the period began */
	struct result result;
};

/* The bytes of client.buffer. */
#define BUFFER_SIZE (64 << 10)

/* --- echoload_connection.c --- */

/*
 * Begin to connect.  With --churn, once the load is on, the message is sent
 * right behind.  A failure is counted here, as in all functions below, and
 * leaves the connection CLOSED and in the line for another attempt.
 */
void connection_open(struct client *t, struct connection *c, uint64_t now);

/* Send what is to be sent by now, or as much as goes; watch for the rest. */
void connection_send(struct client *t, struct connection *c, uint64_t now);

/*
 * Take in and check what has come.  Returns whether it was something; then
 * `got` has moved.
 */
bool connection_receive(struct client *t, struct connection *c);

/* Close after a failure and count it. */
void connection_fail(struct client *t, struct connection *c, enum failure why);

/* Close without one. */
void connection_close(struct client *t, struct connection *c);

/* Set the events to wait for. */
void connection_watch(struct client *t, struct connection *c, uint32_t events);

/* --- echoload_mode.c --- */

/* Whether an echo is waited for. */
bool mode_is_outstanding(const struct connection *c);

/* Open loop: when the thread's message of that number is to be sent. */
uint64_t mode_due(const struct client *t, uint64_t number);

/* Open loop: send all that is due by now, each on the next connection. */
void mode_keep_schedule(struct client *t, uint64_t now);

/* The connection is there: the load, if it is on, begins on it. */
void mode_set_going(struct client *t, struct connection *c, uint64_t now);

/* Receive, count, and send what is next. */
void mode_receive(struct client *t, struct connection *c);

/* What never came back is measured by the time it has been waited for. */
void mode_count_unanswered(struct client *t, const struct connection *c,
    uint64_t now);

/* --- echoload_client.c --- */

/* A thread: `arg` is its struct client.  Waits at the two barriers of main. */
void *client_main(void *arg);

/* The two barriers: everybody is connected; the period is set. */
extern pthread_barrier_t all_connected, may_start;

#endif
