/* SPDX-License-Identifier: ISC */
/*
 * For "make coverage" only, linked in by --wrap: processes that end by _exit(2)
 * or become another program write down what they ran before they do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <gcov.h>
#include <string.h>
#include <unistd.h>

void __wrap__exit(int status);
void __real__exit(int status) __attribute__((noreturn));
int __wrap_fexecve(int fd, char *const argv[], char *const envp[]);
int __real_fexecve(int fd, char *const argv[], char *const envp[]);

void
__wrap__exit(int status)
{
	/* It counts every instruction, and would count these. */
	if (strcmp(program_invocation_short_name, "recover_steps") != 0)
		__gcov_dump();
	__real__exit(status);
}

int
__wrap_fexecve(int fd, char *const argv[], char *const envp[])
{
	__gcov_dump();
	__gcov_reset(); /* what was written counts once */
	return __real_fexecve(fd, argv, envp);
}
