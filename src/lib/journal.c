/* SPDX-License-Identifier: ISC */
/*
 * Whether a descriptor leads to the journal.
 */
#include "lib/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

bool
journal_is(int fd)
{
	/* DEVICE:INODE; others may have inherited it and write elsewhere. */
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return false;
	errno = 0;
	device = strtoull(text, &end, 10);
	if (*end != ':' || end[1] < '0' || end[1] > '9')
		return false;
	inode = strtoull(end + 1, &end, 10);
	return *end == '\0' && errno == 0 && fstat(fd, &st) == 0 &&
	    st.st_dev == device && st.st_ino == inode;
}
