/* SPDX-License-Identifier: ISC */
/*
 * Giving up root after all that needs it.
 */
#include "master/start/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

struct identity
privileges_identity(const struct config *c)
{
	struct identity id = { (uid_t)-1, (gid_t)-1 };
	const struct passwd *pw;
	const struct group *gr;

	if (c->user[0] == '\0' || geteuid() != 0)
		return id;
	pw = getpwnam(c->user);
	if (pw == NULL)
		return id;
	id.uid = pw->pw_uid;
	id.gid = pw->pw_gid;
	if (c->group[0] != '\0' && (gr = getgrnam(c->group)) != NULL)
		id.gid = gr->gr_gid;
	return id;
}

int
privileges_drop(const struct config *c, const struct identity *id)
{
	if (id->uid == (uid_t)-1)
		return 0;
	if (initgroups(c->user, id->gid) == -1 ||
	    setresgid(id->gid, id->gid, id->gid) == -1 ||
	    setresuid(id->uid, id->uid, id->uid) == -1)
		return -1;
	/* There must be no way back. */
	if (id->uid != 0 && setuid(0) != -1) {
		errno = EPERM;
		return -1;
	}
	/* The kernel has forbidden core files.  Allow them now: the exec of the
	 * first reload would allow them in any case. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}
