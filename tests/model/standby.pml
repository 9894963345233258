/* SPDX-License-Identifier: ISC */
/*
 * The master, its standby, workers, a stop and a reload: who acts as the
 * master, and what a death between any two stores leaves behind.  For spin(1).
 * README.md names the properties, the rules and the lines of the program.
 *
 * Two seats, two slots, two descriptor tables: the one before the exec of a
 * reload, and the one after it.  Three bodies, because the former standby may
 * still be there if a new one is made.  Sockets are not modelled, except for
 * the one that gets the number of a descriptor that was just closed.
 *
 * A descriptor of a process is the process while it lives, and DEAD for ever
 * after that.  A pid is STALE once somebody has reaped it.
 */
#ifndef DEATHS
#define DEATHS 1		/* of master, standby and workers together */
#endif
#ifndef STOPS
#define STOPS 1
#endif
#ifndef RELOADS
#define RELOADS 1
#endif
#ifndef STUCK
#define STUCK 1			/* workers that only SIGKILL ends */
#endif
#ifndef HALTED
#define HALTED 0		/* standbys that get SIGSTOP */
#endif
#ifndef CLIENTS
#define CLIENTS 1		/* that get the next free number */
#endif

/* The master's order: the standby, then one slot after the other. */
#ifdef ANY_ORDER
#define AFTER(condition) true
#else
#define AFTER(condition) (condition)
#endif

/* The rule that is taken out, by its name. */
#ifndef REMOVED
#define REMOVED 0
#endif
#define NO_GENERATION 1
#define GENERATION_BEFORE_REDO 2
#define SCRATCH_NOT_REDONE 3
#define ORDINARY_NUMBERS 4
#define DEATH_IS_AN_EDGE 5
#define STANDBY_NOT_WAITED_FOR 6
#define STANDBY_ENDED_TOO_EARLY 7
#define STANDBY_SPARED 8
#define SCRATCH_NOT_CHECKED 9
#define PIDFDS_ARE_PRIVATE 10
#define STOP_IS_PRIVATE 11
#define STANDBY_OUTLIVES_STOP 12
#define REPLACED_AT_ONCE 13
#define WORKERS_NOT_WAITED_FOR 14
#define SEAT_TAKEN_LATE 15
#define INTENT_NOT_LOOKED_AT 16
#define PID_KEPT 17
#define INTENT_AFTER_CLONE 18
#define NO_TIME_LIMIT 19
#define STALE_LEAVE 20
#define STOP_NOT_REPEATED 21
#define OFF(rule) (removed == rule)
byte removed = REMOVED;

/* The content of a number in a descriptor table. */
#define CLOSED 0
#define DEAD 1
#define CLIENT 2
#define RELEASED 3		/* ORDINARY_NUMBERS: closed, and still noted */
#define BODY(b) (4 + (b))
#define WORKER(k) (8 + (k))
#define LIVES(content) ((content) >= 4)
#define IS_PIDFD(content) ((content) == DEAD || LIVES(content))

/* The kernel's. */
bool alive[3];			/* master or standby */
byte parent[3];
bool killed[3];
bool halted[3];
byte table[3];
bool worker[2];
byte worker_parent[2];
byte worker_table[2];
bool worker_killed[2];
bool stuck[2];
bool parent_died[2];		/* DEATH_IS_AN_EDGE: the signal */
byte seat_fd[4];		/* 2 * table + seat */
byte slot_fd[4];		/* 2 * table + slot */
byte scratch_fd[2];		/* the content of the number `scratch` */
#define SEAT_FD(t, s) seat_fd[2 * (t) + (s)]
#define SLOT_FD(t, k) slot_fd[2 * (t) + (k)]

/* The service state. */
byte gen;
#define NOBODY 0
#define STALE 15
byte seat_pid[2];		/* body + 1 */
byte slot_gen[2] = { 15, 15 };
bool scratch;			/* it is a number, not -1 */
#define SLOT_INTENT(k) (1 + (k))
#define SEAT_INTENT(s) (3 + (s))
#define IS_SEAT(intent) ((intent) >= 3)
byte intent;			/* workers read it in the arena */
bool stopping;

/* The arena. */
bool leave[2];
bool drain;
bool drained[2];

byte deaths, stops, reloads, stucks, halts, clients = CLIENTS;
bool begun;
bool stop_was_stored;		/* for S2 */
bool ended;			/* for S2: by the stop */
bool acts[3];			/* for S1: it has stored the generation */

#define REPLACE(variable, old, new) \
	variable = (variable == (old) -> (new) : variable)
#define RUNS(b) (alive[b] && !halted[b] && !killed[b])

inline descriptors_die(content)
{
	REPLACE(seat_fd[0], content, DEAD); REPLACE(seat_fd[1], content, DEAD);
	REPLACE(seat_fd[2], content, DEAD); REPLACE(seat_fd[3], content, DEAD);
	REPLACE(slot_fd[0], content, DEAD); REPLACE(slot_fd[1], content, DEAD);
	REPLACE(slot_fd[2], content, DEAD); REPLACE(slot_fd[3], content, DEAD);
	REPLACE(scratch_fd[0], content, DEAD);
	REPLACE(scratch_fd[1], content, DEAD)
}

#define IS_REAPED(b) (!alive[b] && (parent[b] == b || !alive[parent[b]]))
#define PID_OF(b) ((b) + 1)

/* Init reaps what has no parent. */
inline pids_expire()
{
	REPLACE(seat_pid[0], (IS_REAPED(0) -> PID_OF(0) : STALE), STALE);
	REPLACE(seat_pid[1], (IS_REAPED(0) -> PID_OF(0) : STALE), STALE);
	REPLACE(seat_pid[0], (IS_REAPED(1) -> PID_OF(1) : STALE), STALE);
	REPLACE(seat_pid[1], (IS_REAPED(1) -> PID_OF(1) : STALE), STALE);
	REPLACE(seat_pid[0], (IS_REAPED(2) -> PID_OF(2) : STALE), STALE);
	REPLACE(seat_pid[1], (IS_REAPED(2) -> PID_OF(2) : STALE), STALE)
}

inline body_dies()
{
	alive[b] = false; acts[b] = false; killed[b] = false;
	halted[b] = false; table[b] = 0;
	descriptors_die(BODY(b));
	pids_expire();
	parent_died[0] = parent_died[0] || (worker[0] && worker_parent[0] == b);
	parent_died[1] = parent_died[1] || (worker[1] && worker_parent[1] == b);
	i = 0; k = 0; n = 0; redo = false
}

inline worker_dies()
{
	worker[k] = false; worker_killed[k] = false; stuck[k] = false;
	parent_died[k] = false; worker_table[k] = 0; worker_parent[k] = 0;
	descriptors_die(WORKER(k))
}

/* SIGKILL, by a stranger or by the reload. */
#define DIES \
	:: atomic { deaths > 0 -> deaths--; body_dies() }; goto end_nobody \
	:: atomic { killed[b] -> body_dies() }; goto end_nobody
#define STORE(what) \
	if \
	:: true -> what \
	DIES \
	fi

#define T table[b]
#define OTHER ((gen + 1) % 2)
/* A body that no pid and no process has. */
#define IS_FREE(c) (!alive[c] && seat_pid[0] != PID_OF(c) && \
	seat_pid[1] != PID_OF(c))

/* kill(2), and wait for its end. */
inline kill_standby()
{
	STORE(atomic {
		if
		:: seat_pid[OTHER] != NOBODY ->
			/* S7: no stranger is signalled. */
			assert(seat_pid[OTHER] != STALE);
			n = seat_pid[OTHER] - 1;
			killed[n] = alive[n]
		:: else -> n = b
		fi
	});
	if
	:: n == b || !alive[n] || OFF(STANDBY_NOT_WAITED_FOR)
	DIES
	fi;
	n = 0;
	STORE(seat_pid[OTHER] = NOBODY)
}

/* waitpid(2) frees the pid. */
inline reap_standby()
{
	if
	:: OFF(PID_KEPT) ->
		STORE(REPLACE(seat_pid[OTHER], seat_pid[OTHER],
		    (seat_pid[OTHER] == NOBODY -> NOBODY : STALE)))
	:: else -> STORE(seat_pid[OTHER] = NOBODY)
	fi
}

proctype body(byte b)
{
	byte i;			/* the intent */
	byte k, n;
	bool redo;

end_nobody:
	alive[b];
	if
	:: atomic { !begun -> begun = true; acts[b] = true }; goto take_seat
	:: begun && RUNS(b)
	DIES
	fi;

end_standby:
	do
	DIES
	:: atomic { halts > 0 && !halted[b] -> halts--; halted[b] = true };
end_halted:
		if
		DIES
		:: atomic { !worker[0] && !worker[1] && !(begun && acts[0]) &&
		    !acts[1] && !acts[2] -> halted[b] = false }
		fi
	/* A level, and one of two: the master's seat. */
	:: !LIVES(SEAT_FD(T, gen % 2)) -> break
	od;

promotion:
	if
	:: OFF(GENERATION_BEFORE_REDO) -> STORE(gen++)
	:: else
	fi;
	/* The spawn that the master's death has interrupted. */
	if
	:: scratch && intent != 0 && (IS_PIDFD(scratch_fd[T]) || OFF(SCRATCH_NOT_CHECKED)) &&
	    !OFF(SCRATCH_NOT_REDONE) ->
		atomic { redo = true; i = intent };
		goto settle
	:: else ->
		STORE(atomic { scratch = false; scratch_fd[T] = CLOSED })
	fi;
settled:
	redo = false;
	STORE(atomic {
		/* S1: at most one process acts as the master. */
		assert(!acts[0] && !acts[1] && !acts[2]);
		assert(!ended);					/* S2 */
		acts[b] = true;
		gen = (OFF(NO_GENERATION) || OFF(GENERATION_BEFORE_REDO) ->
		    gen : gen + 1)
	});
	STORE(seat_pid[OTHER] = NOBODY);
	if
	:: OFF(PIDFDS_ARE_PRIVATE) ->
		atomic { SLOT_FD(T, 0) = CLOSED; SLOT_FD(T, 1) = CLOSED }
	:: OFF(STOP_IS_PRIVATE) -> atomic { stopping = false; drain = false }
	:: else
	fi;

end_master:
	do
	DIES
	:: stopping -> goto stop
	:: atomic { stops > 0 && !stopping -> stops-- };
		STORE(atomic { stopping = true; stop_was_stored = true })
	:: atomic { reloads > 0 && !stopping && T == 0 -> reloads-- };
		goto reload
	/* The standby has died. */
	:: !stopping && !LIVES(SEAT_FD(T, OTHER)) ->
		reap_standby();
		i = SEAT_INTENT(OTHER);
		goto spawn
	/* Slots without a worker. */
	:: atomic { !stopping && !LIVES(SLOT_FD(T, 0)) &&
		AFTER(LIVES(SEAT_FD(T, OTHER))) -> i = SLOT_INTENT(0) };
		goto spawn
	:: atomic { !stopping && !LIVES(SLOT_FD(T, 1)) &&
		AFTER(LIVES(SEAT_FD(T, OTHER)) && LIVES(SLOT_FD(T, 0))) ->
		i = SLOT_INTENT(1) };
		goto spawn
	/* Workers of another parent. */
	:: atomic { !stopping && LIVES(SLOT_FD(T, 0)) && slot_gen[0] != gen &&
		!leave[0] && AFTER(LIVES(SEAT_FD(T, OTHER))) -> k = 0 };
		goto replace
	:: atomic { !stopping && LIVES(SLOT_FD(T, 1)) && slot_gen[1] != gen &&
		!leave[1] && AFTER(LIVES(SEAT_FD(T, OTHER)) &&
		slot_gen[0] == gen) -> k = 1 };
		goto replace
	:: atomic { stuck[0] && leave[0] && LIVES(SLOT_FD(T, 0)) &&
		!worker_killed[0] -> worker_killed[0] = true }
	:: atomic { stuck[1] && leave[1] && LIVES(SLOT_FD(T, 1)) &&
		!worker_killed[1] -> worker_killed[1] = true }
	od;

replace:
	STORE(leave[k] = true);
	if
	:: OFF(REPLACED_AT_ONCE) -> atomic { i = SLOT_INTENT(k); k = 0 };
		goto spawn
	:: else -> k = 0; goto end_master
	fi;

spawn:
	if
	:: OFF(ORDINARY_NUMBERS) && !IS_SEAT(i) &&
	    SLOT_FD(T, i - 1) != CLOSED ->
		/* close(2) of what the slot notes */
		STORE(atomic {
			assert(SLOT_FD(T, i - 1) != CLIENT);	/* S3 */
			SLOT_FD(T, i - 1) = RELEASED
		});
		STORE(SLOT_FD(T, i - 1) = CLOSED)
	:: else
	fi;
	if
	:: OFF(INTENT_AFTER_CLONE)
	:: else -> STORE(intent = i)
	fi;
	if
	:: !IS_SEAT(i) && !OFF(STALE_LEAVE) -> STORE(leave[i - 1] = false)
	:: else
	fi;
	/* clone3(2): the kernel stores the pid and the pidfd. */
	if
	:: atomic { !IS_SEAT(i) ->
		assert(!worker[i - 1]);				/* S5 */
		worker[i - 1] = true;
		worker_table[i - 1] = T;
		worker_parent[i - 1] = b;
		scratch_fd[T] = WORKER(i - 1);
		scratch = true }
	:: atomic { IS_SEAT(i) ->
		n = (IS_FREE(0) -> 0 : (IS_FREE(1) -> 1 : 2));
		assert(IS_FREE(n));
		alive[n] = true;
		table[n] = T;
		parent[n] = b;
		scratch_fd[T] = BODY(n);
		scratch = true }
	DIES
	/* The number is stored, and there is no child. */
	:: atomic { deaths > 0 -> deaths--; scratch = true;
		scratch_fd[T] = CLOSED; body_dies() };
		goto end_nobody
	fi;
	n = 0;
	if
	:: OFF(INTENT_AFTER_CLONE) -> STORE(intent = i)
	:: else
	fi;
settle:
	if
	:: IS_SEAT(i) ->
		STORE(seat_pid[i - 3] = (LIVES(scratch_fd[T]) ->
		    PID_OF(scratch_fd[T] - 4) : NOBODY))
	:: else
	fi;
	/* dup3(2) */
	if
	:: IS_SEAT(i) -> STORE(SEAT_FD(T, i - 3) = scratch_fd[T])
	:: else -> STORE(SLOT_FD(T, i - 1) = scratch_fd[T])
	fi;
	STORE(atomic {
		assert(scratch_fd[T] != CLIENT);		/* S3 */
		scratch_fd[T] = CLOSED
	});
	STORE(atomic { scratch = false; scratch_fd[T] = CLOSED });
	if
	:: !IS_SEAT(i) -> STORE(slot_gen[i - 1] = gen)
	:: else
	fi;
	STORE(intent = 0);
	i = 0;
	if
	:: redo -> goto settled
	:: else -> goto end_master
	fi;

reload:
	STORE(leave[0] = true);
	STORE(leave[1] = true);
	do
	DIES
	:: atomic { stuck[0] && LIVES(SLOT_FD(T, 0)) && !worker_killed[0] ->
		worker_killed[0] = true }
	:: atomic { stuck[1] && LIVES(SLOT_FD(T, 1)) && !worker_killed[1] ->
		worker_killed[1] = true }
	:: atomic { seat_pid[OTHER] != NOBODY && seat_pid[OTHER] != STALE &&
		!LIVES(SEAT_FD(T, OTHER)) -> skip };
		reap_standby()
	/* A stop: the reload is abandoned. */
	:: stops > 0 -> goto end_master
	:: (!LIVES(SLOT_FD(T, 0)) && !LIVES(SLOT_FD(T, 1))) ||
	    OFF(WORKERS_NOT_WAITED_FOR) -> break
	od;
	/* execveat(2): another table; pidfds are close-on-exec. */
	if
	:: true -> T = 1
	:: true -> goto end_master
	DIES
	fi;
	/* The new image only reads until the former standby is gone. */
	if
	:: OFF(STANDBY_SPARED)
	:: else ->
		kill_standby()
	fi;
	if
	:: OFF(SEAT_TAKEN_LATE) ->
		atomic { i = SLOT_INTENT(0) };
		goto spawn
	:: else
	fi;
take_seat:
	STORE(atomic { SEAT_FD(T, gen % 2) = BODY(b);
		seat_pid[gen % 2] = PID_OF(b) });
	goto end_master;

stop:
	if
	:: OFF(STOP_NOT_REPEATED) && gen > 0
	:: else -> STORE(drain = true)
	fi;
	do
	DIES
	/* The connections of a dead worker are drained, too. */
	:: atomic { !LIVES(SLOT_FD(T, 0)) && !drained[0] ->
		i = SLOT_INTENT(0) };
		goto spawn
	:: atomic { !LIVES(SLOT_FD(T, 1)) && !drained[1] ->
		i = SLOT_INTENT(1) };
		goto spawn
	/* The deadline. */
	:: atomic { stuck[0] && LIVES(SLOT_FD(T, 0)) && !worker_killed[0] ->
		worker_killed[0] = true }
	:: atomic { stuck[1] && LIVES(SLOT_FD(T, 1)) && !worker_killed[1] ->
		worker_killed[1] = true }
	:: (!LIVES(SLOT_FD(T, 0)) && !LIVES(SLOT_FD(T, 1))) ||
	    OFF(STANDBY_ENDED_TOO_EARLY) -> break
	od;
	if
	:: OFF(STANDBY_OUTLIVES_STOP)
	:: else ->
		/* S2: without a standby nobody sees to the deadline. */
		assert(!worker[0] && !worker[1]);
		kill_standby()
	fi;
	atomic { ended = true; body_dies() };
	goto end_nobody
}

#define SEAT_LIVES(s) LIVES(SEAT_FD(worker_table[k], s))
#define IS_OTHER_TABLE(b) (alive[b] && table[b] != worker_table[k])

proctype slot(byte k)
{
end_nobody:
	worker[k];
end_serving:
	do
	:: atomic { deaths > 0 -> deaths--; worker_dies() }; goto end_nobody
	:: atomic { worker_killed[k] -> worker_dies() }; goto end_nobody
	:: atomic { stucks > 0 -> stucks--; stuck[k] = true };
end_stuck:
		atomic { worker_killed[k] -> worker_dies() }; goto end_nobody
	:: atomic { leave[k] -> worker_dies() }; goto end_nobody
	:: atomic { drain -> drained[k] = true; worker_dies() };
		goto end_nobody
	/* Both seats are dead, and no standby is about to take one. */
	:: atomic { !drain && !SEAT_LIVES(0) && !SEAT_LIVES(1) &&
		(!IS_SEAT(intent) || OFF(INTENT_NOT_LOOKED_AT)) &&
		(!OFF(DEATH_IS_AN_EDGE) || parent_died[k]) ->
		/* S3: no client is closed by a takeover. */
		assert(!RUNS(0) && !RUNS(1) && !RUNS(2));
		worker_dies() };
		goto end_nobody
	:: atomic { OFF(DEATH_IS_AN_EDGE) && parent_died[k] &&
		(SEAT_LIVES(0) || SEAT_LIVES(1)) -> parent_died[k] = false }
	/* Nobody takes the master's place in shutdown-timeout. */
	:: atomic { timeout && !SEAT_LIVES(gen % 2) &&
		!OFF(DEATH_IS_AN_EDGE) && !OFF(NO_TIME_LIMIT) ->
		assert(!RUNS(0) && !RUNS(1) && !RUNS(2));	/* S3 */
		worker_dies() };
		goto end_nobody
	/* S4: it may close a client at any time. */
	:: atomic { IS_OTHER_TABLE(0) || IS_OTHER_TABLE(1) ||
		IS_OTHER_TABLE(2) -> assert(false) }		/* S4 */
	/* accept(2) gives the number that was just closed. */
	:: atomic { clients > 0 && scratch &&
		scratch_fd[worker_table[k]] == CLOSED -> clients--;
		scratch_fd[worker_table[k]] = CLIENT }
	:: atomic { clients > 0 && SLOT_FD(worker_table[k], 1 - k) == RELEASED
		-> clients--; SLOT_FD(worker_table[k], 1 - k) = CLIENT }
	od
}

#define WAITS(k) (worker[k] && !stuck[k] && !LIVES(SEAT_FD(worker_table[k], \
	gen % 2)) && !OFF(DEATH_IS_AN_EDGE) && !OFF(NO_TIME_LIMIT))
#define IS_SERVED(k) (worker[k] && slot_gen[k] == gen && \
	acts[worker_parent[k]] && alive[worker_parent[k]])
#define ACTING ((acts[0] -> 1 : 0) + (acts[1] -> 1 : 0) + (acts[2] -> 1 : 0))
#define LIVING ((alive[0] -> 1 : 0) + (alive[1] -> 1 : 0) + \
	(alive[2] -> 1 : 0))

init {
	atomic {
		c_code {
			if (getenv("REMOVED"))
				now.removed = atoi(getenv("REMOVED"));
		};
		/* At most so many: all is quiet with less, too. */
		select(deaths : 0 .. DEATHS);
		select(stops : 0 .. STOPS);
		select(reloads : 0 .. RELOADS);
		select(stucks : 0 .. STUCK);
		select(halts : 0 .. HALTED);
		parent[1] = 1; parent[2] = 2;
		alive[0] = true;
		run body(0); run body(1); run body(2);
		run slot(0); run slot(1)
	}
	/* All is quiet. */
	timeout && !WAITS(0) && !WAITS(1) ->
	if
	:: ACTING == 1 ->
		assert(!stop_was_stored);			/* S2 */
		assert(LIVING == 2);
		assert(LIVES(seat_fd[0]) || LIVES(seat_fd[2]));
		assert(IS_SERVED(0) || stuck[0]);		/* S5 */
		assert(IS_SERVED(1) || stuck[1]);		/* S5 */
		assert(!scratch)
	:: else ->
		assert(ACTING == 0);				/* S1 */
		assert(!ended || LIVING == 0);			/* S2 */
		assert(!ended || (!worker[0] && !worker[1]));	/* S2 */
		/* S6: if both are dead, workers drain. */
		assert(!worker[0] || stuck[0]);
		assert(!worker[1] || stuck[1])
	fi
}
