/* SPDX-License-Identifier: ISC */
/*
 * What the master tells the administration process.
 */
#include "master/admin_link.h"

#include <bsd/string.h>

void
admin_link_tell(const struct master *m, enum message_kind kind,
    uint32_t sequence, const char *text)
{
	struct message message = { .kind = kind, .sequence = sequence };

	if (m->admin.pid == 0 || m->admin.socket == -1)
		return;
	strlcpy(message.text, text, sizeof(message.text));
	(void)request_send(m->admin.socket, &message, sizeof(message));
}

void
admin_link_tell_outcome(const struct master *m, const struct outcome *o,
    bool done, const char *text)
{
	for (unsigned i = 0; i < o->askers; i++)
		if (o->asker[i] < 0)
			admin_link_tell(m,
			    done ? MESSAGE_DONE : MESSAGE_REFUSED,
			    (uint32_t)-o->asker[i], text);
}
