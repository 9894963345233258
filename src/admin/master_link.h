/* SPDX-License-Identifier: ISC */
/*
 * The way to the master: what it is asked, and what it says.
 */
#ifndef ECHOD_ADMIN_MASTER_LINK_H
#define ECHOD_ADMIN_MASTER_LINK_H

#include <stdbool.h>

#include "shared/request.h"

/* The master is process `master`, at the other end of `fd`. */
void master_link_begin(int fd, pid_t master);

/* Readable when there is something to take. */
int master_link_watch(void);

/*
 * Ask the master for something, on behalf of user `uid`.  Returns the request's
 * sequence number, which its answer has, too; 0 with errno set if the master
 * cannot be asked now.
 */
uint32_t master_link_ask(enum request_kind kind, uid_t uid, uint64_t argument,
    uint32_t place);

/* Take an answer.  False if there is none so far. */
bool master_link_take(struct message *answer);

/* True once the master wants this process to finish, or is gone. */
bool master_link_finishing(void);
bool master_link_gone(void);

#endif
