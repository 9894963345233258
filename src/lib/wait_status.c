/* SPDX-License-Identifier: ISC */
/*
 * A wait status in words.
 */
#include "lib/wait_status.h"

#include <stdio.h>
#include <sys/wait.h>

#include "lib/signals.h"

const char *
wait_status_words(int status)
{
	static char words[64];

	if (WIFSIGNALED(status))
		snprintf(words, sizeof(words), "killed by %s%s",
		    signals_name(WTERMSIG(status)),
		    WCOREDUMP(status) ? " (core dumped)" : "");
	else if (!WIFEXITED(status))
		snprintf(words, sizeof(words), "ended");
	else
		snprintf(words, sizeof(words), "exited with status %d",
		    WEXITSTATUS(status));
	return words;
}
