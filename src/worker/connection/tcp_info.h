/* SPDX-License-Identifier: ISC */
/*
 * What the kernel knows about a connection.
 */
#ifndef ECHOD_WORKER_CONNECTION_TCP_INFO_H
#define ECHOD_WORKER_CONNECTION_TCP_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes received and not read yet: SIOCINQ, tcp(7).  0 on error. */
size_t tcp_info_unread(int fd);

/* Bytes sent and not acknowledged yet, of which a FIN is one: SIOCOUTQ,
 * tcp(7).  0 on error. */
size_t tcp_info_unacknowledged(int fd);

/* Milliseconds since data last arrived, or since the connection was made:
 * tcpi_last_data_recv.  0 on error. */
uint32_t tcp_info_silence(int fd);

/* Milliseconds since the client last acknowledged anything, if it has not
 * answered the last three retransmissions or window probes, whichever the
 * kernel sends; else 0.  0 on error. */
uint32_t tcp_info_unanswered(int fd);

/* True if the client has reset the connection, or ended it with nothing left
 * to read. */
bool tcp_info_has_left(int fd);

/*
 * The stream positions according to the kernel: bytes ever read from the socket
 * in `rx`, bytes ever written to it in `tx` (valid while no FIN was sent).
 * Returns false if the socket is not a TCP connection, or is closed already;
 * errno is ECONNRESET then.
 */
bool tcp_info_positions(int fd, uint64_t *rx, uint64_t *tx);

/* The socket's cookie, which no other socket ever has: SO_COOKIE, socket(7).
 * 0 if `fd` is no socket. */
uint64_t tcp_info_cookie(int fd);

/* Accept packets that came over many hops again.  A socket inherits the
 * opposite from a listener that is going away (master/listeners/listener.c). */
void tcp_info_hear(int fd);

#endif
