/* SPDX-License-Identifier: ISC */
/*
 * Slots and connections: the owner of a record, and the owner of a descriptor.
 * For spin(1).  README.md names the lines of the program that this models.
 *
 * There are the sockets of two clients, NUMBERS descriptors that are used again
 * at once, and the slots of two workers.  Any worker may die or stand still
 * between any two steps.  The next worker of its slot recovers, and may die
 * while it recovers.  explore.c models bytes; this file does not.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef NUMBERS
#define NUMBERS 1
#endif
#define NONE 15

#define FREE 0
#define CLAIMED 1
#define OPEN 2
#define OFFERED 3
#define CLOSING 4
/* connection.h, owner_word() */
#define OWNER(state, slot) ((state) == FREE -> 0 : ((slot) * 8 + (state)))
#define STATE(h) ((h) % 8)
#define SLOT(h) ((h) / 8)

byte owner[NUMBERS];
byte claims[NUMBERS];		/* counted in the same word */
byte cookie[NUMBERS];		/* of the record */
byte offered_by[NUMBERS];
bool marked[NUMBERS];		/* counted for its address */
byte table[NUMBERS];		/* the kernel's: client + 1; 0: closed */

bool waits[CLIENTS];		/* in the accept queue */
bool done[CLIENTS];		/* has sent its FIN */
bool gone[CLIENTS];		/* its socket is closed */

bool accepting[WORKERS];	/* OP_ACCEPT */
bool handoff[WORKERS * NUMBERS];
byte deaths = DEATHS;
#ifndef HANDOFFS
#define HANDOFFS 1
#endif
byte handoffs = HANDOFFS;		/* of connections that are served */

/* P6, P4: worker k uses descriptor d on behalf of client c. */
inline use()
{
	assert(table[d] != 0);				/* P6 */
	assert(table[d] == cookie[d]);			/* P6 */
	assert(SLOT(owner[d]) == k && (STATE(owner[d]) == OPEN ||
	    STATE(owner[d]) == CLOSING))		/* P4 */
}

/* SIGKILL: the memory of the worker is gone. */
#define DIES	:: atomic { deaths > 0 -> deaths-- }; goto dead

/* close.c, close_descriptor() */
inline close_descriptor()
{
	if
	:: true -> marked[d] = false
	DIES
	fi;
#ifdef FREED_BEFORE_CLOSED
	owner[d] = 0;
#endif
	if
	:: true ->
		atomic {
			assert(table[d] != 0 && table[d] == s);	/* P6 */
			assert(done[table[d] - 1]);	/* P5: for a reason */
			gone[table[d] - 1] = true;
			table[d] = 0
		}
	DIES
	fi;
	if
	:: true ->
#ifdef FREED_BY_STORE
		owner[d] = 0
#else
		atomic {
			if
			:: owner[d] == OWNER(CLOSING, k) -> owner[d] = 0
			:: else
			fi
		}
#endif
	DIES
	fi
}

/* accept.c, accept_enter(), on a CLAIMED record; handoff_offer() */
inline enter()
{
	if
	:: true -> cookie[d] = table[d]; marked[d] = true
	DIES
	fi;
	if
	:: to == k ->
		if
		:: true -> owner[d] = OWNER(OPEN, k)
		DIES
		fi
	:: else -> offer()
	fi
}

/* handoff.c, handoff_offer() */
inline offer()
{
#ifdef NOTICE_BEFORE_OFFER
	if
	:: true -> handoff[to * NUMBERS + d] = true
	DIES
	fi;
#endif
	if
	:: true -> offered_by[d] = k
	DIES
	fi;
	if
	:: true -> owner[d] = OWNER(OFFERED, to)
	DIES
	fi;
#ifndef NOTICE_BEFORE_OFFER
	if
	:: true -> handoff[to * NUMBERS + d] = true
	DIES
	fi
#endif
}

/* accept.c, accept_claim(); lost_sockets.c, lost_sockets_claim():
 * connection_word(), tcp_info_cookie(), connection_vacant(),
 * connection_claim() */
inline claim()
{
	mine = false;
	do
	:: true ->
		atomic { h = owner[d]; g = claims[d] };
		y = table[d];
		if
#ifndef CLOSED_CLAIMED
		:: y == 0 -> break
		:: y != 0 && STATE(h) == FREE
#else
		:: STATE(h) == FREE
#endif
#ifdef CLOSING_CLAIMED
		:: STATE(h) == CLOSING
#else
		:: y != 0 && STATE(h) == CLOSING && y != cookie[d]
#endif
		:: else -> break
		fi;
		atomic {
			if
#ifdef CLAIMED_BY_STORE
			:: true ->
#elif defined CLAIMS_NOT_COUNTED
			:: owner[d] == h ->
#else
			:: owner[d] == h && claims[d] == g ->
#endif
				owner[d] = OWNER(CLAIMED, k); mine = true;
				claims[d]++
			:: else
			fi
		};
		if
		:: mine -> break
		:: else
		fi
	DIES
	od;
	g = 0; y = 0
}

/* recover.c, recover(); k is the worker's own slot */
inline recover()
{
	if
	:: accepting[k] ->
		d = 0;
		do
		:: d < NUMBERS ->
			/* recover_lost_sockets() */
			if
			:: table[d] != 0 -> claim();
				if
				:: mine -> to = k; enter()
				:: else
				fi;
			:: else
			fi;
			d++; h = 0; mine = false
		DIES
		:: else -> break
		od
	:: else
	fi;
	d = 0;
	do
	:: d < NUMBERS ->
		h = owner[d];
		/* recover_record() */
		if
#ifndef NO_NOTICE
		:: STATE(h) == OFFERED && SLOT(h) != k && offered_by[d] == k ->
			handoff[SLOT(h) * NUMBERS + d] = true
#endif
		:: STATE(h) == CLAIMED && SLOT(h) == k ->
			/* lost_sockets_enter() */
			assert(table[d] != 0);			/* P6 */
			to = k; enter()
		:: STATE(h) == OFFERED && SLOT(h) == k ->
			atomic {
				if
				:: owner[d] == h -> owner[d] =
					OWNER(OPEN, k)
				:: else
				fi
			}
		:: STATE(h) == CLOSING && SLOT(h) == k ->
			/* recover_finish_close() */
#ifdef NO_COOKIE_CHECK
			mine = true; s = table[d];
#else
			atomic { mine = (table[d] != 0 &&
			    table[d] == cookie[d]); s = table[d] };
#endif
			if
			:: mine && owner[d] == h -> close_descriptor(); s = 0
			:: mine && owner[d] != h
			:: else ->
				atomic {
					if
					:: owner[d] == h -> owner[d] = 0
					:: else
					fi
				}
			fi
		:: else
		fi;
		d++; h = 0; mine = false
	DIES
	:: else -> break
	od;
	atomic { accepting[k] = false; d = 0; h = 0; to = 0; mine = false }
}

proctype worker(byte k)
{
	byte d, h, g, y, c, to;
	byte s;			/* the socket that it closes */
	bool mine;

	goto end_idle;
alive:
	recover();
end_idle:
	do
	DIES
	/* accept.c, accept_some() */
	:: atomic { (waits[0] || waits[1]) && !accepting[k] ->
#ifndef ACCEPT_NOT_NAMED
		accepting[k] = true
#endif
		};
		d = NONE;
		if
		:: true ->
			atomic {
				if
				:: waits[0] -> c = 0
				:: waits[1] -> c = 1
				:: else -> c = NONE
				fi;
				if
				:: c == NONE
				:: c != NONE && table[0] == 0 -> d = 0
#if NUMBERS > 1
				:: c != NONE && table[0] != 0 &&
				    table[1] == 0 -> d = 1
#endif
				:: else			/* EMFILE */
				fi;
				if
				:: d != NONE -> table[d] = c + 1;
					waits[c] = false
				:: else
				fi;
				c = 0
			}
		DIES
		fi;
		if
		:: d == NONE
		:: d != NONE ->
			claim();
			if
			:: mine ->
				if
				:: to = k
				:: to = (k + 1) % WORKERS
				fi;
				enter()
			:: else
			fi
		fi;
		if
		:: true -> accepting[k] = false
		DIES
		fi;
		d = 0; h = 0; c = 0; to = 0; mine = false

	/* handoff.c, handoff_accept(), handoff_withdraw() */
	:: atomic { handoff[k * NUMBERS] -> d = 0; handoff[k * NUMBERS] = false };
		goto accept
#if NUMBERS > 1
	:: atomic { handoff[k * NUMBERS + 1] -> d = 1;
		handoff[k * NUMBERS + 1] = false };
		goto accept
#endif
	:: false ->
accept:
		if
		:: true ->
			atomic {
				if
#ifdef ACCEPTED_BY_STORE
				:: true -> owner[d] = OWNER(OPEN, k)
#else
				:: owner[d] == OWNER(OFFERED, k) -> owner[d] =
					OWNER(OPEN, k)
#endif
				:: else
				fi
			}
		DIES
		fi;
		d = 0
	:: atomic { handoff[(k + 1) % WORKERS * NUMBERS] && offered_by[0] == k &&
		owner[0] == OWNER(OFFERED, (k + 1) % WORKERS) ->
		owner[0] = OWNER(OPEN, k) };
		handoff[(k + 1) % WORKERS * NUMBERS] = false

	/* serve.c: any operation, by the owner; then close.c */
	:: atomic { STATE(owner[0]) == OPEN && SLOT(owner[0]) == k &&
		table[0] != 0 && done[table[0] - 1] -> d = 0 }; goto close
#if NUMBERS > 1
	:: atomic { STATE(owner[1]) == OPEN && SLOT(owner[1]) == k &&
		table[1] != 0 && done[table[1] - 1] -> d = 1 };
		goto close
#endif
	:: false ->
close:
		use();
		if
		:: true ->
#ifndef CLOSING_NOT_SAID
			owner[d] = OWNER(CLOSING, k);
#endif
			s = table[d]
		DIES
		fi;
		close_descriptor();
		d = 0; s = 0
	/* handoff.c, handoff_move(): not at its end */
	:: atomic { handoffs > 0 && STATE(owner[0]) == OPEN &&
		SLOT(owner[0]) == k && table[0] != 0 &&
		!done[table[0] - 1] -> d = 0; handoffs-- };
		to = (k + 1) % WORKERS;
		use();
		offer();
		d = 0; to = 0
	od;
dead:
	/* The private memory is gone; the next worker begins. */
	atomic { d = 0; h = 0; g = 0; y = 0; c = 0; to = 0; s = 0;
		mine = false };
	goto alive
}

proctype client(byte c)
{
	waits[c] = true;
	!waits[c];
	done[c] = true
}

init {
	atomic {
		byte i = 0;

		do
		:: i < WORKERS -> run worker(i); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < CLIENTS -> run client(i); i++
		:: else -> break
		od
	}
	/* P5: when no step is possible, every client is done. */
	timeout ->
	assert(gone[0] && gone[1]);
	assert(table[0] == 0 && (STATE(owner[0]) == FREE ||
	    STATE(owner[0]) == CLOSING));
	assert(!marked[0]);			/* P7 */
#if NUMBERS > 1
	assert(table[1] == 0 && (STATE(owner[1]) == FREE ||
	    STATE(owner[1]) == CLOSING));
	assert(!marked[1])
#endif
}
