/* SPDX-License-Identifier: ISC */
/*
 * The scenes that are explored.  A line of SPILL_LINE bytes has 8 bytes here.
 */
#include "scenes.h"

#define NOTHING \
	{ \
		{ \
			END, 0, "" \
		} \
	}

const struct scene scenes[] = {
	{ "a client comes, speaks and goes", 1, HANDLER_ECHO, NOTHING,
	    { { CONNECTS, 0, "" }, { SAYS, 0, "ab\ncd" }, { SAYS, 0, "e\n" },
		{ FINISHES, 0, "" } },
	    { 1, 0, 1, 0 }, { 2, 0, 2, 1 }, 0 },
	{ "lines and halves", 1, HANDLER_ECHO, { { CONNECTS, 0, "" } },
	    { { SAYS, 0, "ab\nc" }, { SAYS, 0, "d\nefg" }, { SAYS, 0, "h\n" } },
	    { 2, 0, 0, 0 }, { 2, 0, 2, 1 }, 0 },
	{ "more than a window holds", 1, HANDLER_ECHO, { { CONNECTS, 0, "" } },
	    { { SAYS, 0, "abcdef" }, { SAYS, 0, "ghijklm\n" },
		{ SAYS, 0, "nopq" }, { SAYS, 0, "rstuv" }, { SAYS, 0, "w\n" } },
	    { 1, 0, 1, 0 }, { 2, 0, 2, 1 }, 0 },
	{ "a window is gone through", 1, HANDLER_ECHO,
	    { { CONNECTS, 0, "" }, { SAYS, 0, "abc" }, { SAYS, 0, "d\nef" },
		{ SAYS, 0, "g\nhij" } },
	    { { SAYS, 0, "k\nlmn" }, { SAYS, 0, "o\np" }, { SAYS, 0, "q\n" } },
	    { 1, 0, 1, 0 }, { 2, 0, 2, 1 }, 0 },
	{ "the last words", 1, HANDLER_ECHO, { { CONNECTS, 0, "" } },
	    { { SAYS, 0, "ab\nc" }, { SAYS, 0, "de" }, { FINISHES, 0, "" } },
	    { 1, 0, 1, 1 }, { 2, 0, 2, 1 }, 0 },
	{ "raw bytes", 1, HANDLER_RAW, { { CONNECTS, 0, "" } },
	    { { SAYS, 0, "abc" }, { SAYS, 0, "defghijklmno" } }, { 1, 0, 2, 0 },
	    { 2, 0, 2, 1 }, 0 },
	{ "discarded bytes", 1, HANDLER_DISCARD, { { CONNECTS, 0, "" } },
	    { { SAYS, 0, "abc" }, { SAYS, 0, "def" }, { FINISHES, 0, "" } },
	    { 1, 0, 1, 0 }, { 2, 0, 2, 1 }, 0 },
	{ "a client that vanishes", 1, HANDLER_ECHO, { { CONNECTS, 0, "" } },
	    { { SAYS, 0, "ab\nc" }, { RESETS, 0, "" }, { CONNECTS, 1, "" },
		{ SAYS, 1, "x\n" } },
	    { 1, 0, 1, 1 }, { 2, 0, 1, 1 }, 0 },
	{ "a stop", 1, HANDLER_ECHO, { { CONNECTS, 0, "" } },
	    { { SAYS, 0, "ab\nc" }, { CONNECTS, 1, "" }, { SAYS, 1, "xy\nz" },
		{ STOPS, 0, "" } },
	    { 1, 0, 1, 1 }, { 2, 0, 1, 1 }, 0 },
	{ "a stop amid two workers", 2, HANDLER_ECHO,
	    { { CONNECTS, 0, "" }, { CONNECTS, 1, "" } },
	    { { SAYS, 0, "ab\nc" }, { SAYS, 1, "xy\nz" }, { STOPS, 0, "" } },
	    { 1, 0, 0, 1 }, { 1, 1, 0, 1 }, 0 },
	{ "two workers, two clients come", 2, HANDLER_ECHO, NOTHING,
	    { { CONNECTS, 0, "" }, { CONNECTS, 1, "" }, { SAYS, 0, "ab\n" },
		{ SAYS, 1, "xy\n" } },
	    { 1, 1, 0, 0 }, { 2, 1, 0, 0 }, 0 },
	{ "a client is handed off", 2, HANDLER_ECHO,
	    { { CONNECTS, 0, "" }, { SAYS, 0, "ab\n" }, { CONNECTS, 1, "" },
		{ CONNECTS, 2, "" }, { PASSES, 100, "" } },
	    { { FINISHES, 1, "" }, { SAYS, 0, "c" }, { SAYS, 2, "x\n" },
		{ SAYS, 0, "d\n" }, { PASSES, 100, "" }, { SAYS, 0, "e\n" },
		{ SAYS, 2, "y\n" } },
	    { 1, 1, 0, 0 }, { 2, 1, 0, 1 }, 0 },
	{ "a number used again", 2, HANDLER_ECHO,
	    { { CONNECTS, 0, "" }, { CONNECTS, 1, "" } },
	    { { SAYS, 0, "ab\n" }, { FINISHES, 0, "" }, { CONNECTS, 2, "" },
		{ SAYS, 2, "x\n" }, { SAYS, 1, "y\n" } },
	    { 1, 1, 0, 0 }, { 2, 1, 0, 1 }, 0 },
	{ "a worker leaves", 2, HANDLER_ECHO,
	    { { CONNECTS, 0, "" }, { CONNECTS, 1, "" } },
	    { { SAYS, 0, "ab\nc" }, { LEAVES, 0, "" }, { SAYS, 0, "d\n" } },
	    { 1, 1, 0, 0 }, { 2, 1, 0, 1 }, 0 },
	{ "a worker retires", 2, HANDLER_ECHO,
	    { { CONNECTS, 0, "" }, { CONNECTS, 1, "" }, { SAYS, 1, "ab\nc" },
		{ SAYS, 0, "xy\nz" } },
	    { { RETIRES, 1, "" }, { SAYS, 1, "d\n" }, { SAYS, 0, "a\n" } },
	    { 1, 1, 0, 0 }, { 2, 1, 0, 1 }, 0 },
	{ "three workers", 3, HANDLER_ECHO, { { CONNECTS, 0, "" } },
	    { { CONNECTS, 1, "" }, { FINISHES, 0, "" }, { CONNECTS, 2, "" },
		{ SAYS, 1, "a\n" }, { SAYS, 2, "x\n" } },
	    { 1, 0, 0, 0 }, { 1, 1, 0, 1 }, 0 },
	/* A worker stands still between accept4() and the record.  Meanwhile a
	 * successor has entered the client, the client has gone again, and the
	 * number is another client's. */
	{ "a late claim", 2, HANDLER_ECHO, NOTHING,
	    { { CONNECTS, 0, "" }, { CONNECTS, 1, "" }, { FINISHES, 0, "" },
		{ CONNECTS, 2, "" }, { SAYS, 2, "x\n" } },
	    { 1, 1, 0, 0 }, { 2, 1, 0, 1 }, 0 },
	{ "one client too many", 2, HANDLER_ECHO, { { CONNECTS, 0, "" } },
	    { { CONNECTS, 1, "" }, { FINISHES, 0, "" }, { CONNECTS, 2, "" } },
	    { 1, 0, 1, 0 }, { 2, 1, 1, 0 }, 1 },
	{ NULL, 0, 0, NOTHING, NOTHING, { 0, 0, 0, 0 }, { 0, 0, 0, 0 }, 0 }
};
