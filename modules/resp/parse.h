/* SPDX-License-Identifier: ISC */
/*
 * Requests: arrays of bulk strings, and inline commands.
 *
 * The limits and the errors are those of Redis 7, and so are its liberties: two
 * bytes follow a bulk string, whatever they are, and a line with a NUL has no
 * end.  An error of the protocol is a reply and the end.
 */
#ifndef ECHOD_MODULES_RESP_PARSE_H
#define ECHOD_MODULES_RESP_PARSE_H

#include "resp.h"

/*
 * Consume the next item of the input, which is not empty: a line or (a piece
 * of) a bulk string.  If it completes a command, execute the command.
 *
 *	       "*N"		   "$N"			 the last bulk
 *	count -------> length <-----------> bulk string -----------------> count
 *	  ^ |	      (bulk -1)  others	    (bulk >= 0)
 *	  +-+ inline
 *
 * Returns RESP_ON or an enum echod_next.
 */
int parse_item(struct resp *r);

#endif
