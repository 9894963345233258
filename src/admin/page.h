/* SPDX-License-Identifier: ISC */
/*
 * The status page for people.
 */
#ifndef ECHOD_ADMIN_PAGE_H
#define ECHOD_ADMIN_PAGE_H

#include <stdio.h>

#include "master/master.h"

/* Write it, one HTML file that needs nothing else. */
void page_write(const struct master *m, FILE *out);

#endif
