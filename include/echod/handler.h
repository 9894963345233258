/* SPDX-License-Identifier: ISC */
/*
 * The interface between echod and a protocol; see echod-handler(3).
 *
 * A handler is a step function: (state, unconsumed input, event) -> (state,
 * output).  It never sees a descriptor, a process or a signal, and it never
 * waits.  echod calls it for one connection at a time.
 *
 * A step is a transaction.  Nothing that a step writes exists, and no byte of
 * its output is sent, until the step has returned and echod has committed it.
 * A step that a SIGKILL cuts short never happened: it is made again, from the
 * last commit, perhaps later and with more input.  So each byte of input has
 * its effect on the state and on the output exactly once, whatever dies.
 *
 * This holds for what is in struct echod_step, and for nothing else.  A side
 * effect outside of it (a static variable, a file) happens twice, or is lost,
 * if a step is made again.  A static variable is also another one in each
 * worker.
 *
 * The input arrives in pieces of any size.  A handler must do the same however
 * the input is cut: echod-handler-test(1) tries it.
 *
 * A handler cannot harm another connection: each answer is checked, and if a
 * step crashes, hangs, makes a system call that workers never make, or answers
 * nonsense, its client is closed and the log names the handler.
 *
 * A module needs this header only.  It may call functions of the C library that
 * make no system call, getrandom(2), and the clocks; malloc(3) is permitted,
 * but what it returns is lost with the worker.
 */
#ifndef ECHOD_HANDLER_H
#define ECHOD_HANDLER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface.  A module of another version is refused. */
#define ECHOD_ABI 1
/* in_max and out_max are 1 to this, in bytes. */
#define ECHOD_IN_LIMIT 65536
#define ECHOD_OUT_LIMIT 65536
/* state_size is 0 to this, in bytes. */
#define ECHOD_STATE_LIMIT 4096
/* configure() may fill so many bytes. */
#define ECHOD_CONFIG_LIMIT 1048576

/* Why a step is made.  If several are due, the first one here comes first,
 * except that EOF is last and TIMER is before MORE and DATA. */
enum echod_event {
	/* The first step of a connection, once.  Input may be there already;
	 * if this step leaves it, DATA follows. */
	ECHOD_OPEN = 1,
	/* There is input; perhaps none that is new. */
	ECHOD_DATA,
	/* After ECHOD_AGAIN: all output has left. */
	ECHOD_MORE,
	/* wake_ms has passed, by however much. */
	ECHOD_TIMER,
	/* Once: no more input will come, and a DATA has seen all there is and
	 * consumed none of it. */
	ECHOD_EOF
};

enum echod_flags {
	/* No input will come after `in`. */
	ECHOD_LAST = 1,
	/* ... because the service ends, not the client. */
	ECHOD_DRAIN = 2,
	/* in_len is in_max: no more input fits.  A DATA that consumes nothing
	 * and waits for input is a fault then. */
	ECHOD_FULL = 4
};

/* What a step answers. */
enum echod_next {
	/* Wait for input or the timer.  If some input was consumed and some is
	 * left, DATA comes at once.  After EOF this is ECHOD_FINISH. */
	ECHOD_WAIT = 0,
	/* MORE when all output has left.  A fault if nothing was consumed and
	 * nothing was written. */
	ECHOD_AGAIN,
	/* Send the output, then FIN.  Further input is read and forgotten, so
	 * that the client can read the output to its end. */
	ECHOD_FINISH,
	/* Reset the connection now.  Output and state of this step are void. */
	ECHOD_ABORT
};

struct echod_peer {
	uint16_t family;     /* AF_INET, AF_INET6; AF_UNSPEC: unknown */
	uint16_t port;	     /* of the client, host order */
	uint16_t local_port; /* of the service, host order */
	uint16_t reserved;
	uint8_t address[16]; /* network order; 4 bytes for AF_INET */
};

struct echod_step {
	/* What the handler is told. */
	uint32_t event; /* enum echod_event */
	uint32_t flags; /* enum echod_flags */
	const struct echod_peer *peer;
	const void *config; /* what configure() filled in; NULL without */
	uint64_t now_ms;    /* a clock that never goes back */
	uint64_t unix_ms;   /* since 1970-01-01 00:00 UTC */

	/* All unconsumed input, in any event; at most in_max bytes. */
	const char *in;
	size_t in_len;
	/* So many bytes of it, from the start, an earlier DATA has looked at
	 * and left.  A hint for speed: 0 after a death. */
	size_t in_seen;

	/* state_size bytes, 64-aligned, at another address in each step.  Zeros
	 * at OPEN. */
	void *state;

	/* Room for output, 64-aligned; always empty, always all of out_max. */
	char *out;
	size_t out_max;

	/* What the handler answers, preset as said. */
	size_t consume;	  /* 0: bytes, from the start of `in` */
	size_t write;	  /* 0: bytes of `out` that are sent, ... */
	size_t pass;	  /* 0: ... and after them the last `pass` of the bytes
			  * consumed, unchanged and without a copy */
	uint64_t wake_ms; /* as answered last, 0 in TIMER: TIMER when now_ms
			   * is this or later, 1 ms from now at the soonest;
			   * 0: no timer */
	const char *note; /* NULL: a line for the log, once committed */
};

/* An option of the configuration: handler.NAME = VALUE. */
struct echod_option {
	const char *name, *value;
};

struct echod_handler {
	uint32_t abi;  /* ECHOD_ABI */
	uint32_t size; /* sizeof(struct echod_handler) */
	const char *name;
	const char *version;

	/* The layout and meaning of the state.  At a reload to a module with
	 * another state_version, migrate() converts the state of each
	 * connection; without migrate() the reload is refused. */
	uint32_t state_version;
	uint32_t state_size;
	uint32_t in_max, out_max;

	/*
	 * Read the options, once for each start and reload, and fill in
	 * `config`: ECHOD_CONFIG_LIMIT zero bytes, 64-aligned.  It is mapped at
	 * another address in each worker, so it holds no pointers.  Files may
	 * be read here, and only here.  Returns the number of bytes used.  If
	 * an option is wrong, stores a text in `error`, which begins with the
	 * option's name and a colon.  NULL: there are no options.
	 */
	size_t (*configure)(const struct echod_option *options, size_t count,
	    void *config, char *error, size_t error_size);

	/* Make one step.  Returns an enum echod_next. */
	int (*step)(struct echod_step *step);

	/* Convert a state of version `from` to `state`, state_size zero bytes.
	 * Returns 0, or -1 if that is impossible: the connection is closed. */
	int (*migrate)(uint32_t from, const void *old, size_t old_size,
	    void *state);

	/* echod --check sends `probe` and FIN, and expects an answer that
	 * begins with `answer`.  Without `probe` it only reads.  Without
	 * `answer`, any answer is right, and an end without a reset; if
	 * `answer` is empty, only the latter. */
	const char *probe;
	uint32_t probe_size, answer_size; /* in bytes, at most 1024 */
	const char *answer;
};

/* What a module exports. */
extern const struct echod_handler echod_handler
    __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif

#endif
