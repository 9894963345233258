/* SPDX-License-Identifier: ISC */
/*
 * Processes use the arena at the same time.  Here they are threads, so that
 * ThreadSanitizer sees them: it does not see memory that processes share.
 *
 * Three threads run worker_main() on the slots of one arena: they accept,
 * place, offer, withdraw, serve, close, count and leave.  The main thread is
 * the master: it reads the counters and changes words of the header; it makes
 * workers leave, and replaces them or has their slots adopted.  One more thread
 * is the clients.  No worker dies within an operation, since a thread cannot.
 *
 * "make tsan" runs it under ThreadSanitizer, with io_sync=0: the kernel's calls
 * must not order what only atomics may order.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "admin/connections.h"
#include "lib/clock.h"
#include "rig.h"
#include "tap.h"
#include "worker/loop.h"

#define CLIENTS 40
#define CHANGES 60 /* of a slot's worker */
#define LOOKS 20   /* of the master between two changes */

const char *__tsan_default_options(void);
const char *__tsan_default_suppressions(void);
const char *__lsan_default_suppressions(void);

static pthread_t thread[SLOTS];
static atomic_bool enough;
static unsigned long echoed, wrong;

const char *
__tsan_default_options(void)
{
	return "io_sync=0 halt_on_error=0 exitcode=66 history_size=4";
}

/*
 * The data of the first five is one for each process.  The next two read a
 * record while its owner may write to it: a client that is counted or a number
 * that is shown may be out of date.  close_descriptor() reads a record before
 * it closes the number, and the next owner writes to the record after it has
 * got the number: the kernel orders those two.
 */
const char *
__tsan_default_suppressions(void)
{
	return "race:signals_choose\nrace:signals_take\n"
	       "race:log_set_role\nrace:log_follow\n"
	       "race:log_rate_limit\nrace:signals_record\n"
	       "race:^admission_same$\nrace:connections_find\n"
	       "race:close_descriptor\n";
}

/* A worker's memory ends with its process. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:active_touch\n";
}

static void *
work(void *slot_number)
{
	unsigned k = *(unsigned *)slot_number;
	const struct worker_place place = place_of(k);
	int status = worker_main(&rig.config, &rig.arena, &place);

	if (status == WORKER_LEFT)
		return NULL;
	printf("# worker %u ended with status %d: %s\n", k, status,
	    strerror(errno));
	return slot_number;
}

static void
hire(unsigned k)
{
	static unsigned number[SLOTS] = { 0, 1, 2 };

	atomic_store(&slot(k)->leave, 0);
	if (pthread_create(&thread[k], NULL, work, &number[k]) != 0)
		die("pthread_create");
}

static void
wake(unsigned k)
{
	checked(eventfd_write(slot(k)->wake_fd, 1), "eventfd_write");
}

/* Returns false if the worker did not leave in order. */
static bool
dismiss(unsigned k)
{
	void *result;

	atomic_store(&slot(k)->leave, 1);
	wake(k);
	pthread_join(thread[k], &result);
	return result == NULL;
}

static bool
becomes(unsigned k, uint32_t state)
{
	uint64_t until = clock_ms() + 10 * PATIENCE;

	while (atomic_load(&slot(k)->state) != state)
		if (clock_ms() > until) {
			printf("# slot %u: state %#x, not %#x\n", k,
			    slot(k)->state, state);
			return false;
		} else
			usleep(1000);
	return true;
}

/* One line there and back; false if it comes back different. */
static bool
talk(int fd, unsigned n)
{
	char line[64], back[64];
	int len = snprintf(line, sizeof(line), "line %u of client %d\n", n, fd);

	if (send(fd, line, (size_t)len, MSG_NOSIGNAL) != len)
		return false;
	return recv(fd, back, (size_t)len, MSG_WAITALL) == len &&
	    memcmp(line, back, (size_t)len) == 0;
}

static int
come(void)
{
	const struct timeval patience = { .tv_sec = 20 };
	int fd = connect_to(&rig.address, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* Clients that connect, talk and close; some talk more than others. */
static void *
clients(void *unused)
{
	int fd[CLIENTS];

	(void)unused;
	for (unsigned i = 0; i < CLIENTS; i++)
		fd[i] = come();
	for (unsigned n = 0; !atomic_load(&enough); n++) {
		for (unsigned i = 0; i < CLIENTS; i++) {
			if (i % 4 != 0 && (n + i) % 16 != 0)
				continue;
			if (talk(fd[i], n))
				echoed++;
			else
				wrong++;
		}
		close(fd[n % CLIENTS]);
		fd[n % CLIENTS] = come();
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fd[i]);
	return NULL;
}

/* The master reads the counters, and sets words that all read. */
static void
look(unsigned n)
{
	struct arena_header *h = rig.arena.header;
	uint64_t sum = arena_held(&rig.arena);
	struct connection_name name;

	for (unsigned k = 0; k < SLOTS; k++)
		sum += atomic_load(&slot(k)->heartbeat) + slot(k)->count[0].rx +
		    slot(k)->count[0].echoes + slot(k)->active;
	for (int r = 0; r < CLOSE_REASONS; r++)
		sum += arena_closed(&rig.arena, (enum close_reason)r);
	atomic_store(&h->watching, n % 2);
	atomic_store(&h->loglevel, LOG_LEVEL_WARNING + 1);
	atomic_store(&h->copied, n % 3 == 0);
	(void)connections_find(&rig.arena, "192.0.2.1:1", &name);
	usleep(sum == 0 ? 2000 : 1000);
}

/* A sibling adopts a slot that has no worker. */
static bool
adopt(unsigned k)
{
	unsigned by = (k + 1) % SLOTS;

	atomic_store(&slot(k)->state, SLOT_UNATTENDED);
	atomic_store(&slot(by)->adopt, k + 1);
	wake(by);
	return becomes(k, SLOT_EMPTY);
}

static void
test_races(void)
{
	struct arena *a = &rig.arena;
	unsigned left = 0, adopted = 0, ready = 0;
	uint64_t until;
	pthread_t outside;

	rig_up();
	rig.config.defaults.maxclients = CLIENTS + 10;
	rig.config.service[0].maxclients_per_ip = CLIENTS + 10;
	a->header->master_wake_fd = checked(eventfd(0, EFD_NONBLOCK),
	    "eventfd");
	for (unsigned k = 0; k < SLOTS; k++)
		hire(k);
	if (pthread_create(&outside, NULL, clients, NULL) != 0)
		die("pthread_create");
	for (unsigned n = 0; n < CHANGES; n++) {
		unsigned k = n % SLOTS;

		for (unsigned i = 0; i < LOOKS; i++)
			look(n * LOOKS + i);
		left += dismiss(k);
		adopted += n % 2 == 0 || adopt(k);
		hire(k);
		ready += becomes(k, SLOT_READY);
	}
	atomic_store(&enough, true);
	pthread_join(outside, NULL);
	until = clock_ms() + 10 * PATIENCE;
	while (arena_held(a) != 0 && clock_ms() < until)
		usleep(10000);
	ok(arena_held(a) == 0, "every client's end was seen");
	for (unsigned k = 0; k < SLOTS; k++)
		ok(dismiss(k), "worker %u leaves", k);
	ok(left == CHANGES, "%u workers left when told to", left);
	ok(ready == CHANGES, "%u became ready", ready);
	ok(adopted == CHANGES, "siblings adopt slots");
	ok(wrong == 0 && echoed > CHANGES, "%lu lines came back, %lu wrong",
	    echoed, wrong);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (connection_owner(&a->connection[fd]) != 0)
			wrong++;
	ok(wrong == 0, "no record is left in use");
	ok(arena_closed(a, CLOSE_EOF) + arena_closed(a, CLOSE_RESET) ==
		slot(0)->count[0].accepted + slot(1)->count[0].accepted +
		    slot(2)->count[0].accepted,
	    "as many went as came");
	rig_down();
}

int
main(void)
{
	rig_begin();
	test_races();
	return tap_done();
}
