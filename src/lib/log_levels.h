/* SPDX-License-Identifier: ISC */
/*
 * The log levels, the most detailed one first.  This is the only place that
 * names them: the enum, the log lines, the configuration and echoctl use it.
 */
#ifndef ECHOD_LIB_LOG_LEVELS_H
#define ECHOD_LIB_LOG_LEVELS_H

/* A row is (identifier, name, priority of syslog(3)).  FIRST expands the first
 * row and NEXT each other row, so that a list can have separators. */
#define LOG_LEVEL_TABLE(FIRST, NEXT) \
	FIRST(DEBUG, "debug", LOG_DEBUG) \
	NEXT(VERBOSE, "verbose", LOG_INFO) \
	NEXT(NOTICE, "notice", LOG_NOTICE) \
	NEXT(WARNING, "warning", LOG_WARNING)

#define LOG_LEVELS(ROW) LOG_LEVEL_TABLE(ROW, ROW)

#define LOG_LEVEL_NAME(id, name, priority) name
#define LOG_LEVEL_AFTER_BAR(id, name, priority) "|" name
#define LOG_LEVEL_AFTER_COMMA(id, name, priority) ", " name

/* String literals: "debug|verbose|notice|warning", and the same names with
 * commas. */
#define LOG_LEVEL_CHOICE LOG_LEVEL_TABLE(LOG_LEVEL_NAME, LOG_LEVEL_AFTER_BAR)
#define LOG_LEVEL_LIST LOG_LEVEL_TABLE(LOG_LEVEL_NAME, LOG_LEVEL_AFTER_COMMA)

#endif
