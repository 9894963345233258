/* SPDX-License-Identifier: ISC */
/*
 * A service in one process.  A test makes the state that a death leaves behind,
 * and sees how a successor continues.
 *
 * There are three slots.  Slot 0 is the dead worker's unless a test says
 * otherwise; slot 1 is a living sibling's.  Client and server are one process,
 * so all sockets are in one descriptor table, as in the service.
 */
#ifndef ECHOD_TESTS_RIG_H
#define ECHOD_TESTS_RIG_H

#include <netinet/in.h>

#include "shared/service.h"
#include "sockets.h"
#include "whole.h"
#include "worker/balance/balance.h"

#define SLOTS 3
#define DESCRIPTORS 256
#define PATIENCE 3000 /* ms until something must have happened */

/* One connection: both ends and the server's record of it. */
struct pair {
	int client, fd;
	struct connection *c;
};

/* The built-in handlers, as a worker has them.  A test may put its own at
 * ENTRY_OWN and after it. */
enum {
	ENTRY_ECHO,
	ENTRY_RAW,
	ENTRY_DISCARD,
	ENTRY_OWN
};

/* Everything that a case needs; made anew for each case. */
extern struct rig {
	struct config config;
	struct arena arena;
	struct service_state *service;
	int service_fd;
	struct worker w;
	struct balance balance; /* of that worker */
	struct sockaddr_in address;
	int listener;
	unsigned entry; /* the handler of connections that are entered */
	/* Those of each worker from ENTRY_OWN on. */
	struct worker_handler own[4];
} rig;

/* Every test program begins with this. */
void rig_begin(void);

void rig_up(void);
void rig_down(void);

/* What the master would tell the worker of slot `k`. */
struct worker_place place_of(unsigned k);

/* A worker process of slot `k`, before it has looked at anything. */
void worker_up(unsigned k);

/* Slot 0's next worker. */
struct recovered succeed(void);

/* One round of the worker's loop, with no timers but those of connections. */
void turn(int ms);

struct slot *slot(unsigned k);

/* A client that was accepted and is in no record.  Its receive buffer has
 * `receive_buffer` bytes; 0: as usual. */
struct pair accepted(int receive_buffer);

/* Enter an accepted socket as a connection of slot k, with no operation in
 * progress and watched for input. */
void enter(const struct pair *p, unsigned k);

/* Both: a connection of slot 0. */
struct pair opened(void);

/* The same, offered by slot `from` to slot `to`, without the bit. */
struct pair offered(unsigned from, unsigned to);

/* A connection of slot 0 whose client does not read.  Some of these `n` bytes
 * were sent, until the socket took no more; the others are in the window. */
struct pair stuck(const char *bytes, size_t n);

/* `n` different bytes, of which the last ends the line. */
char *pattern(size_t n);

void set_owner(const struct pair *p, enum connection_state state, unsigned k);
bool is_owned(const struct pair *p, enum connection_state state, unsigned k);

/* Searches through the records reach `fd`. */
void note_end(int fd);

/* Slot 0's worker has died during this operation. */
void name(enum operation_kind kind, int fd, uint64_t base);

/* The client sends bytes, and they arrive. */
void say_bytes(const struct pair *p, const char *bytes, size_t n);
void say(const struct pair *p, const char *text);

/* Receive `n` bytes as a worker does, but leave the record as it is. */
void take(const struct pair *p, char *to, size_t n);

/* Send bytes likewise; returns how many the socket took. */
size_t send_back(const struct pair *p, const char *from, size_t n);

/* The dead worker had echoed this before. */
void history(const struct pair *p, const char *text);

/* The same `n` bytes long. */
void long_history(const struct pair *p, size_t n);

/* The client sends half a line; it is held in the window at an offset. */
void hold(const struct pair *p, const char *text, uint64_t offset);

/* Receive up to `n` bytes as the client; returns how many. */
size_t hear(const struct pair *p, char *to, size_t n);

/* True if the client receives nothing more. */
bool silent(const struct pair *p);

/* True if the client receives exactly these bytes, none twice. */
bool hears_bytes(const struct pair *p, const char *bytes, size_t n);
bool hears(const struct pair *p, const char *text);

/* True if the client receives a FIN (not a reset). */
bool hears_end(const struct pair *p);

/* True if a line is echoed: the connection lives. */
bool echoes(const struct pair *p);

bool is_open(int fd);

/* True if it is in the current worker's active set. */
bool is_active(const struct pair *p);

/* The events for which slot k's epoll instance watches a connection: EPOLLIN,
 * EPOLLOUT; or 0 if it does not. */
uint32_t registered(const struct pair *p, unsigned k);

/* Change that, but leave the record as it is. */
void set_registered(const struct pair *p, unsigned k, uint32_t events);

/* Descriptors in slot k's epoll instance. */
unsigned watched_by(unsigned k);

/* True if the current worker's slot, and no other, watches for the right event,
 * and the record agrees. */
bool is_watched(const struct pair *p);

bool at_positions(const struct pair *p, uint64_t rx, uint64_t tx,
    uint64_t consumed, uint64_t produced);

/* The handler has made steps: it has consumed and produced so many bytes in
 * all, the last of which are `written` and then `passed`. */
void stepped(const struct pair *p, uint64_t consumed, uint64_t produced,
    size_t written, size_t passed);

/* It has passed the first `n` bytes of the input. */
void passed(const struct pair *p, uint64_t n);

/* The half that counts, to be changed. */
struct half *half_of(const struct pair *p);

/* True if the input that is kept is this, and in the window. */
bool window_holds(const struct pair *p, const char *text);

uint64_t closed(unsigned k, enum close_reason reason);

/* True if recovery had this result, and nothing is in doubt any more. */
bool settled(unsigned kept, unsigned lost, struct recovered r);

/* The result of `action` in a process of its own; false if that died. */
bool survives(bool (*action)(void));

#endif
