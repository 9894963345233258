/*
 * What is explored.  A line of SPILL_LINE bytes is 8 bytes long here.
 */
#include "scenes.h"

const struct scene scenes[] = {
	{ "a client comes, speaks and goes", 1, HANDLER_ECHO, { { END, 0, "" } },
	    { { CONNECTS, 0, "" }, { SAYS, 0, "ab\ncd" }, { SAYS, 0, "e\n" },
	    { FINISHES, 0, "" } },
	    { 1, 0, 1, 0 }, { 2, 0, 2, 1 } },
	{ "lines and halves", 1, HANDLER_ECHO,
	    { { CONNECTS, 0, "" } },
	    { { SAYS, 0, "ab\nc" }, { SAYS, 0, "d\nefg" }, { SAYS, 0, "h\n" } },
	    { 1, 0, 1, 0 }, { 2, 0, 2, 1 } },
	{ NULL, 0, 0, { { END, 0, "" } }, { { END, 0, "" } },
	    { 0, 0, 0, 0 }, { 0, 0, 0, 0 } }
};
