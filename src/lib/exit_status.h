/* SPDX-License-Identifier: ISC */
/*
 * Exit statuses of echod, as echod(8) lists them.
 */
#ifndef ECHOD_LIB_EXIT_STATUS_H
#define ECHOD_LIB_EXIT_STATUS_H

enum exit_status {
	EXIT_CLEAN = 0,
	EXIT_NOT_STARTED = 1,
	EXIT_USAGE = 2,
	EXIT_CUT = 3,	 /* clients were cut off or workers killed */
	EXIT_CONFIG = 78 /* EX_CONFIG of sysexits.h */
};

#endif
