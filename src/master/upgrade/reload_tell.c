/* SPDX-License-Identifier: ISC */
/*
 * Telling of a reload: the service manager, and those who asked for it.
 */
#include "master/upgrade/reload.h"

#include <stdio.h>
#include <time.h>

#include "master/listeners/listen.h"
#include "master/admin_link.h"
#include "master/notify.h"

void
reload_tell_begun(void)
{
	char state[128];
	struct timespec ts;

	/* sd_notify(3), RELOADING=1: the time must be CLOCK_MONOTONIC's. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(state, sizeof(state),
	    "RELOADING=1\nMONOTONIC_USEC=%llu\n"
	    "STATUS=Reloading",
	    (unsigned long long)ts.tv_sec * 1000000 +
		(unsigned long long)ts.tv_nsec / 1000);
	notify_tell(state);
}

void
reload_tell_outcome(const struct master *m, struct outcome *o, bool done,
    const char *text)
{
	char answer[MESSAGE_TEXT];

	snprintf(answer, sizeof(answer), "%s%.900s",
	    done		       ? "reloaded"
		: text[0] == 'r' ? "the reload was "
				 : "the reload ",
	    text);
	admin_link_tell_outcome(m, o, done, answer);
	outcome_tell(o, done, text);
}

void
reload_tell(struct master *m, const char *failed)
{
	const char *reason = m->service->totals.refusal;
	char text[sizeof(m->service->totals.refusal) + 64] = "";

	if (failed != NULL)
		snprintf(text, sizeof(text), "; the last reload %s%s: %s",
		    failed[0] == 'r' ? "was " : "", failed, reason);
	notify_ready(m->config, listen_names(m->service), text);
	if (failed != NULL)
		snprintf(text, sizeof(text), "%s: %s", failed, reason);
	reload_tell_outcome(m, &m->reload.asked, failed == NULL, text);
}
