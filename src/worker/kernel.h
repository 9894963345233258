/*
 * What the kernel knows about a connection.
 */
#ifndef ECHOD_WORKER_KERNEL_H
#define ECHOD_WORKER_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* Bytes received and not read yet: SIOCINQ, tcp(7).  0 if it cannot tell. */
size_t kernel_unread(int fd);

/* Bytes sent and not acknowledged yet, of which a FIN is one: SIOCOUTQ,
 * tcp(7).  0 if it cannot tell. */
size_t kernel_unacknowledged(int fd);

/* Milliseconds since data last arrived, or since the connection was made:
 * tcpi_last_data_recv.  0 if it cannot tell. */
uint32_t kernel_silence(int fd);

#endif
