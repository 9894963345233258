/* SPDX-License-Identifier: ISC */
/*
 * Paths that are names of descriptors: /dev/stdout and the like.
 */
#ifndef ECHOD_LIB_DESCRIPTOR_NAME_H
#define ECHOD_LIB_DESCRIPTOR_NAME_H

/*
 * The descriptor of this process that `path` names, directly (/dev/stderr,
 * /dev/fd/1, /proc/self/fd/1) or through symbolic links; -1 if `path` is any
 * other file.  Opening such a path differs from using the descriptor: the open
 * fails for a socket and for another user's file, and a file is opened at
 * offset 0.
 */
int descriptor_name(const char *path);

#endif
