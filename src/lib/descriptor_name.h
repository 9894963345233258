/* SPDX-License-Identifier: ISC */
/*
 * Paths that are names of descriptors: /dev/stdout and the like.
 */
#ifndef ECHOD_LIB_DESCRIPTOR_NAME_H
#define ECHOD_LIB_DESCRIPTOR_NAME_H

/*
 * The descriptor of this process that `path` stands for, by itself
 * (/dev/stderr, /dev/fd/1, /proc/self/fd/1) or by links that lead there; -1 if
 * it is a file like others.  To open such a path is not to have the descriptor:
 * it fails for a socket, and for another user; of a file it begins at byte 0.
 */
int descriptor_name(const char *path);

#endif
