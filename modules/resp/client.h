/* SPDX-License-Identifier: ISC */
/*
 * The commands that tell of the connection and change it.
 */
#ifndef ECHOD_MODULES_RESP_CLIENT_H
#define ECHOD_MODULES_RESP_CLIENT_H

#include "resp.h"

/* The connection opens. */
void client_open(struct resp *r);

/* Commands; as in the table. */
void client_auth(struct resp *r);
void client_hello(struct resp *r);
void client_reset(struct resp *r);
void client_select(struct resp *r);
void client_getname(struct resp *r);
void client_id(struct resp *r);
void client_info(struct resp *r);
void client_list(struct resp *r);
void client_on_off(struct resp *r); /* NO-EVICT, NO-TOUCH */
void client_reply(struct resp *r);
void client_setinfo(struct resp *r);
void client_setname(struct resp *r);

#endif
