/* SPDX-License-Identifier: ISC */
/*
 * The status page for people.
 */
#ifndef ECHOD_ADMIN_PAGE_H
#define ECHOD_ADMIN_PAGE_H

#include <stdio.h>

#include "admin/view.h"

/* Write it, one HTML file that needs nothing else. */
void page_write(const struct view *v, FILE *out);

#endif
