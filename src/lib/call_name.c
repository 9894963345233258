/* SPDX-License-Identifier: ISC */
/*
 * Names of system calls, from libseccomp.
 */
#include "lib/call_name.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

const char *
call_name(uint32_t arch, int number)
{
	static char name[48];
	char *known = NULL;

#ifdef HAVE_SECCOMP
	known = seccomp_syscall_resolve_num_arch(arch, number);
#else
	(void)arch;
#endif
	if (known != NULL)
		snprintf(name, sizeof(name), "%s", known);
	else
		snprintf(name, sizeof(name), "number %d", number);
	free(known);
	return name;
}
