/* SPDX-License-Identifier: ISC */
/*
 * A service in one process, to make by hand what a death leaves behind and to
 * see what a successor makes of it.
 *
 * There are three slots.  The dead worker's is 0 unless said otherwise; slot 1
 * is a living sibling's.  Client and server are one process, so its sockets
 * are all in the one descriptor table, as in the service.
 */
#ifndef ECHOD_TESTS_RIG_H
#define ECHOD_TESTS_RIG_H

#include <netinet/in.h>

#include "shared/service.h"
#include "sockets.h"
#include "worker/recovery/recover.h"

#define SLOTS 3
#define DESCRIPTORS 256
#define PATIENCE 3000 /* ms until something must have happened */

/* One connection: both ends and the server's record of it. */
struct pair {
	int client, fd;
	struct connection *c;
};

/* Everything a case needs; made anew for each. */
extern struct rig {
	struct config config;
	struct arena arena;
	struct service_state *service;
	int service_fd;
	struct worker w;
	struct sockaddr_in address;
	int listener;
} rig;

/* What every test program begins with. */
void rig_begin(void);

void rig_up(void);
void rig_down(void);

/* What the master would tell the worker of slot `k`. */
struct worker_place place_of(unsigned k);

/* A worker process of slot `k`, before it has looked at anything. */
void worker_up(unsigned k);

/* Slot 0's next worker. */
struct recovered succeed(void);

/* One round of the worker's loop, without its timers. */
void turn(int ms);

struct slot *slot(unsigned k);

/* A client that was accepted and is in no record; it has `receive_buffer`
 * bytes of its own, 0: as is usual. */
struct pair accepted(int receive_buffer);

/* Enter an accepted socket as slot k's, at rest: read when there is something
 * to read. */
void enter(const struct pair *p, unsigned k);

/* The two: a connection of slot 0. */
struct pair opened(void);

/* The same, offered by slot `from` to slot `to`, which has no notice. */
struct pair offered(unsigned from, unsigned to);

/* One of slot 0 whose client does not read: of these `n` bytes some were sent,
 * until the socket took no more; the others are in the window. */
struct pair stuck(const char *bytes, size_t n);

/* `n` bytes to tell from others, of which the last ends the line. */
char *pattern(size_t n);

void set_holder(const struct pair *p, enum connection_state state, unsigned k);
bool is_held(const struct pair *p, enum connection_state state, unsigned k);

/* Searches through the records reach `fd`. */
void note_end(int fd);

/* Slot 0's worker has died in the middle of this. */
void name(enum operation_kind kind, int fd, uint64_t base);

/* What the client sends arrives. */
void say_bytes(const struct pair *p, const char *bytes, size_t n);
void say(const struct pair *p, const char *text);

/* Take `n` bytes as a worker would that then dies; the record is not told. */
void take(const struct pair *p, char *to, size_t n);

/* Give bytes back likewise; returns how many the socket took. */
size_t give_back(const struct pair *p, const char *from, size_t n);

/* The dead worker had echoed this before. */
void history(const struct pair *p, const char *text);

/* The same `n` bytes long. */
void long_history(const struct pair *p, size_t n);

/* The client's half line, held in the window at an offset. */
void hold(const struct pair *p, const char *text, uint64_t offset);

/* What the client has received; up to `n` bytes, the rest comes later. */
size_t hear(const struct pair *p, char *to, size_t n);

/* The client is sent nothing more. */
bool silent(const struct pair *p);

/* Exactly these bytes come, none twice. */
bool hears_bytes(const struct pair *p, const char *bytes, size_t n);
bool hears(const struct pair *p, const char *text);

/* The client sees the end of the stream (a reset is none). */
bool hears_end(const struct pair *p);

/* A line there and back: the connection lives. */
bool echoes(const struct pair *p);

bool is_open(int fd);

/* One of the current worker's hot connections. */
bool is_active(const struct pair *p);

/* What slot k's epoll instance has a connection for: EPOLLIN, EPOLLOUT or 0,
 * not at all. */
uint32_t registered(const struct pair *p, unsigned k);

/* Change that, and tell the record nothing. */
void set_registered(const struct pair *p, unsigned k, uint32_t events);

/* Descriptors in slot k's epoll instance. */
unsigned watched_by(unsigned k);

/* The current worker's slot, and no other, waits for what there is to do, and
 * the record says so. */
bool is_watched(const struct pair *p);

bool at_positions(const struct pair *p, uint64_t rx, uint64_t tx,
    uint64_t dropped, uint64_t ready);

/* The pending bytes are in the window, and these. */
bool window_holds(const struct pair *p, const char *text);

uint64_t closed(unsigned k, enum close_reason reason);

/* Recovery came to this, and nothing is in doubt any more. */
bool settled(unsigned kept, unsigned lost, struct recovered r);

/* What `verdict` says in a process of its own; false if that died. */
bool survives(bool (*action)(void));

#endif
