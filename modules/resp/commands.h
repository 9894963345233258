/* SPDX-License-Identifier: ISC */
/*
 * The commands: one table, which COMMAND shows, too.
 */
#ifndef ECHOD_MODULES_RESP_COMMANDS_H
#define ECHOD_MODULES_RESP_COMMANDS_H

#include "resp.h"

/* The command answers its second and last argument, as it is.  The parser does
 * this by itself, since messages are of any length. */
bool commands_is_message(const struct resp_state *state);
/* All arguments are there: execute the command.  Returns RESP_ON or an enum
 * echod_next. */
int commands_execute(struct resp *r);
/* After each command, also an empty one. */
void commands_end(struct resp *r);

#endif
