/* SPDX-License-Identifier: ISC */
/*
 * What the administration process asks of the master, and what the master
 * tells it: fixed-size messages over one SOCK_SEQPACKET pair.
 *
 * A message counts only if the kernel says that the other process has sent it
 * (SCM_CREDENTIALS): workers share the master's descriptors.
 */
#ifndef ECHOD_SHARED_REQUEST_H
#define ECHOD_SHARED_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The descriptors that the administration process is executed with, beside the
 * standard ones.  Where there is none to give, /dev/null has the number. */
enum admin_descriptor {
	ADMIN_PROGRAM = 3, /* what is executed */
	ADMIN_MASTER,	   /* its end of the pair */
	ADMIN_RECORD,	   /* a memfd: the admin_key and the configuration */
	ADMIN_ARENA,
	ADMIN_SERVICE,
	ADMIN_LOG,     /* for lines to the master, lib/log.h */
	ADMIN_CONTROL, /* listeners */
	ADMIN_METRICS,
	ADMIN_DESCRIPTORS
};

/* Keys of the record, beside those of config_save(). */
#define ADMIN_KEY_MASTER "master" /* its pid */

/* Exit statuses of the administration process. */
enum admin_exit {
	ADMIN_FINISHED = 0, /* told to finish, or the master is gone */
	ADMIN_FAILED = 1,   /* it cannot work; it has said why */
	ADMIN_MISMATCH = 78 /* it is of another version than the master */
};

enum request_kind {
	REQUEST_PONG, /* the answer to a MESSAGE_PING; no reply */
	REQUEST_RELOAD,
	REQUEST_STOP,
	REQUEST_REOPEN,
	REQUEST_WORKERS,  /* argument: how many */
	REQUEST_LOGLEVEL, /* argument: enum log_level */
	REQUEST_DRAIN,	  /* argument: 1 on, 0 off */
	REQUEST_CLOSE,	  /* argument: a connection's cookie, and its place */
	REQUEST_RESTART,  /* the administration process itself */
	REQUEST_KINDS
};

struct request {
	uint32_t kind;	   /* enum request_kind */
	uint32_t sequence; /* of this process's requests, 1 and on */
	uint32_t uid;	   /* the user that asks */
	uint32_t place;	   /* the index of a record, or 0 */
	uint64_t argument;
};

/* Sequence numbers are positive ints, too. */
#define REQUEST_SEQUENCE_MAX 0x7fffffff

enum message_kind {
	MESSAGE_DONE,	 /* the request was carried out */
	MESSAGE_REFUSED, /* it was not */
	MESSAGE_PING,	 /* to be answered by REQUEST_PONG */
	MESSAGE_FINISH	 /* accept nobody, answer what was begun, exit */
};

#define MESSAGE_TEXT 1016

struct message {
	uint32_t kind;	   /* enum message_kind */
	uint32_t sequence; /* of the request; 0: none */
	char text[MESSAGE_TEXT];
};

/* Make the two ends, close-on-exec and non-blocking.  Returns 0, or -1 with
 * errno set. */
int request_pair(int end[2]);

/* True if `fd` is such an end. */
bool request_is_pair(int fd);

enum received {
	RECEIVED_NOTHING, /* so far */
	RECEIVED_IT,
	RECEIVED_FOREIGN, /* another process's, or of another size */
	RECEIVED_END	  /* the other end is closed, or this is none */
};

/* Take what process `pid` has sent, of exactly `size` bytes; `from` gets the
 * sender of a foreign one. */
enum received request_receive(int fd, pid_t pid, void *message, size_t size,
    pid_t *from);

/* Returns 0, or -1 with errno set: EAGAIN if the other side does not read. */
int request_send(int fd, const void *message, size_t size);

#endif
