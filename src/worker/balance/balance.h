/* SPDX-License-Identifier: ISC */
/*
 * Keeping the slots even.
 */
#ifndef ECHOD_WORKER_BALANCE_BALANCE_H
#define ECHOD_WORKER_BALANCE_BALANCE_H

#include "worker/worker.h"

struct balance {
	unsigned rounds;	  /* of the loop */
	unsigned batches, events; /* since the last comparison */
	unsigned turn;		  /* the next active connection to offer */
	uint64_t compare_at;	  /* clock_ms() of the next comparison */
	uint64_t echoes[CONFIG_WORKERS_MAX]; /* of each slot at the last one */
};

/* A batch of `events` events was taken. */
void balance_note(struct balance *b, unsigned events);

/* Once a round: set TIMER_BALANCE if there may be something to do. */
void balance_round(struct balance *b, struct worker *w);

/* If this slot has two or more connections (active ones first) more than
 * another, offer it half the difference; if it has fewer, wake another slot,
 * which offers some.  If the slots are even but another slot serves its clients
 * more, offer some to that slot. */
void balance(struct balance *b, struct worker *w);

#endif
