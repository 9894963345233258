/* SPDX-License-Identifier: ISC */
/*
 * The master's memory: made, and shared with the standby alone.
 */
#include "master/master.h"

#include <sys/mman.h>

struct master *
master_make(const struct config *c, worker_entry *entry)
{
	struct master *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return NULL;
	m->config = c;
	m->entry = entry;
	m->admin_sockets = (struct admin_sockets)ADMIN_SOCKETS_NONE;
	return m;
}

void
master_let_inherit(struct master *m, bool inherit)
{
	(void)madvise(m, sizeof(*m), inherit ? MADV_DOFORK : MADV_DONTFORK);
}
