/* SPDX-License-Identifier: ISC */
/*
 * The commands of echoctl: which there are, and what they do.
 */
#ifndef ECHOD_CTL_COMMAND_H
#define ECHOD_CTL_COMMAND_H

#include <stdio.h>

#include "ctl/arguments.h"

/* Carry out the command `a->word[0]`.  The service may know one that is not in
 * the table: that is passed on as it is.  Returns the exit status. */
int command_run(const struct arguments *a);

/* Write the commands for --help; `options` writes the options of one. */
void command_list(FILE *out, void (*options)(FILE *out, const char *command));

#endif
