/* SPDX-License-Identifier: ISC */
/*
 * Which control socket there is to ask.
 */
#ifndef ECHOD_CTL_FIND_SOCKET_H
#define ECHOD_CTL_FIND_SOCKET_H

/* The socket that the configuration `file` names, or, if that is NULL, one of
 * the files that echod and its packages use.  Ends the program with
 * CTL_FAILED and a message if none names one. */
const char *find_socket(const char *file);

#endif
