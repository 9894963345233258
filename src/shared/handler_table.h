/* SPDX-License-Identifier: ISC */
/*
 * The handlers that the service has, and that connections still have.
 *
 * Only the master writes the table.  Workers get a copy at their start, the
 * administration process reads the one in service state.  The record of a
 * connection names an entry by its index.
 */
#ifndef ECHOD_SHARED_HANDLER_TABLE_H
#define ECHOD_SHARED_HANDLER_TABLE_H

#include <stdint.h>
#include <string.h>

#define HANDLER_ENTRIES 64 /* a power of two */
/* Of the services that there are, and of those that a reload has removed and
 * that have clients.  A power of two. */
#define SERVICE_NUMBERS 32

/*
 *	          another handler   +--> FORMER ----+
 *	FREE --> CURRENT -----------+               | no connection
 *	  ^       | ^ the same one  +--> REPLACED --+ has it
 *	  |       | |  again                        |
 *	  |       v |                               |
 *	  |     REMOVED: its service is gone -------+
 *	  +-----------------------------------------+
 */
enum entry_state {
	ENTRY_FREE,
	ENTRY_CURRENT,	/* new connections of the service get it */
	ENTRY_FORMER,	/* connections that have it keep it */
	ENTRY_REPLACED, /* connections that have it move to `successor` */
	ENTRY_REMOVED	/* connections that have it drain until `deadline` */
};

/* A handler as it was loaded for one service at one start or reload. */
struct handler_entry {
	char service[32];
	char name[64], version[64];
	char path[256]; /* of the module; "": built in */
	uint8_t state;	/* enum entry_state */
	/* Of the service: below SERVICE_NUMBERS, the same as long as an entry
	 * of the service is in use. */
	uint8_t number;
	/* ENTRY_REPLACED: the entry that connections move to.  ENTRY_REMOVED:
	 * its own index, if the last clients in the queue get it. */
	uint8_t successor;
	uint8_t migrates; /* 1: it has migrate() */
	int32_t code_fd;  /* the module's file; -1: built in */
	int32_t data_fd;  /* sealed memfd: what configure() filled in, or -1 */
	uint32_t data_size;
	uint64_t data_mark; /* of its bytes */
	uint32_t state_version, state_size, in_max, out_max;
	uint64_t device, inode, mtime_ns, file_size; /* of the module's file */
	uint64_t deadline; /* clock_ms(), ENTRY_REMOVED */
};

struct handler_table {
	struct handler_entry entry[HANDLER_ENTRIES];
};

/* The entry that new connections of service `number` get; -1: there is none. */
static inline int
handler_table_current(const struct handler_table *t, unsigned number)
{
	int removed = -1;

	for (int i = 0; i < HANDLER_ENTRIES; i++) {
		const struct handler_entry *e = &t->entry[i];

		if (e->number != number)
			continue;
		if (e->state == ENTRY_CURRENT)
			return i;
		if (e->state == ENTRY_REMOVED && e->successor == i)
			removed = i;
	}
	return removed;
}

/* The number of `service`; 0 if it has none. */
static inline unsigned
handler_table_number(const struct handler_table *t, const char *service)
{
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if (t->entry[i].state != ENTRY_FREE &&
		    strcmp(t->entry[i].service, service) == 0)
			return t->entry[i].number;
	return 0;
}

/* The mark of `entry` in a set of entries. */
static inline uint64_t
handler_table_bit(unsigned entry)
{
	return UINT64_C(1) << entry;
}

#endif
