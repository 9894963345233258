/* SPDX-License-Identifier: ISC */
/*
 * Daytime (RFC 867): the date and the time as a line of text, then the end.
 *
 * It teaches: a handler that speaks first, and the end of a connection.
 */
#include <stdbool.h>
#include <stdio.h>

#include "echod/handler.h"

#define DAYTIME_SIZE 64

static bool
daytime_is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
daytime_step(struct echod_step *s)
{
	static const char *const weekdays[] = { "Thursday", "Friday",
		"Saturday", "Sunday", "Monday", "Tuesday", "Wednesday" };
	static const struct {
		const char *name;
		unsigned days;
	} months[] = { { "January", 31 }, { "February", 28 }, { "March", 31 },
		{ "April", 30 }, { "May", 31 }, { "June", 30 }, { "July", 31 },
		{ "August", 31 }, { "September", 30 }, { "October", 31 },
		{ "November", 30 }, { "December", 31 } };
	unsigned seconds = (unsigned)(s->unix_ms / 1000 % 86400);
	unsigned days = (unsigned)(s->unix_ms / 1000 / 86400);
	unsigned weekday = days % 7, year = 1970, month = 0, length;

	/* Not gmtime_r(3): it opens the file of the time zone when a process
	 * calls it first, and a step opens no file. */
	for (; days >= (length = daytime_is_leap(year) ? 366 : 365); year++)
		days -= length;
	for (;; month++) {
		length = months[month].days;
		if (month == 1 && daytime_is_leap(year))
			length++;
		if (days < length)
			break;
		days -= length;
	}
	s->write = (size_t)snprintf(s->out, s->out_max,
	    "%s, %s %u, %u %02u:%02u:%02u-UTC\r\n", weekdays[weekday],
	    months[month].name, days + 1, year, seconds / 3600,
	    seconds / 60 % 60, seconds % 60);
	/* echod sends the line, and then its FIN.  Input is forgotten. */
	return ECHOD_FINISH;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "daytime",
	.version = "1",
	.in_max = 1,
	.out_max = DAYTIME_SIZE,
	.step = daytime_step,
};
