/* SPDX-License-Identifier: ISC */
/*
 * The functions that code calls if it is compiled with -fsanitize=thread.  Here
 * they are not the sanitizer's but the model checker's.  Each store to the
 * arena and each atomic operation is a point at which the worker may die or
 * stand still, just before it takes effect.  A worker writes only what it
 * owns.
 */
#include <stdatomic.h>
#include <string.h>

#include "explore.h"

#define WHERE ((uintptr_t)__builtin_return_address(0))

/* True for data that no other worker reads, or that decides nothing. */
static bool
is_idle_talk(const char *p)
{
	const struct slot *s = arena.slot;

	if (p < (const char *)s || p >= (const char *)(s + SLOTS))
		return false;
	s += (size_t)(p - (const char *)s) / sizeof(*s);
	return p >= (const char *)&s->count || p == (const char *)&s->heartbeat;
}

static bool
is_shared(const void *p)
{
	const char *base = (const char *)arena.header;

	return running() != NOBODY && (const char *)p >= base &&
	    (const char *)p < base + arena.bytes && !is_idle_talk(p);
}

static void
stored(const void *p, uintptr_t where)
{
	if (!is_shared(p))
		return;
	point("store", where, true);
	kernel_written(p);
}

static void
atomically(const volatile void *p, uintptr_t where, const char *what)
{
	if (is_shared((const void *)p))
		point(what, where, true);
}

void __tsan_init(void);
void __tsan_func_entry(void *);
void __tsan_func_exit(void);
void __tsan_read_range(void *, unsigned long);
void __tsan_write_range(void *, unsigned long);
void __tsan_atomic_signal_fence(int);
void __tsan_atomic_thread_fence(int);

void
__tsan_init(void)
{
}
void
__tsan_func_entry(void *p)
{
	(void)p;
}
void
__tsan_func_exit(void)
{
}
void
__tsan_read_range(void *p, unsigned long n)
{
	(void)p;
	(void)n;
}
void
__tsan_write_range(void *p, unsigned long n)
{
	(void)n;
	stored(p, WHERE);
}
void
__tsan_atomic_signal_fence(int order)
{
	(void)order;
}
void
__tsan_atomic_thread_fence(int order)
{
	(void)order;
}

#define PLAIN(n) \
	void __tsan_read##n(void *); \
	void __tsan_write##n(void *); \
	void __tsan_unaligned_read##n(void *); \
	void __tsan_unaligned_write##n(void *); \
	void __tsan_read##n(void *p) \
	{ \
		(void)p; \
	} \
	void __tsan_write##n(void *p) \
	{ \
		stored(p, WHERE); \
	} \
	void __tsan_unaligned_read##n(void *p) \
	{ \
		(void)p; \
	} \
	void __tsan_unaligned_write##n(void *p) \
	{ \
		stored(p, WHERE); \
	}

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

#define READ_MODIFY_WRITE(bits, type, name) \
	type __tsan_atomic##bits##_##name(volatile type *, type, int); \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int order) \
	{ \
		(void)order; \
		atomically(p, WHERE, #name); \
		return __atomic_##name(p, v, __ATOMIC_SEQ_CST); \
	}

#define EXCHANGE(bits, type, name) \
	int __tsan_atomic##bits##_##name(volatile type *, type *, type, int, \
	    int); \
	int __tsan_atomic##bits##_##name(volatile type *p, type *was, type v, \
	    int order, int otherwise) \
	{ \
		(void)order; \
		(void)otherwise; \
		atomically(p, WHERE, "compare and swap"); \
		return __atomic_compare_exchange_n(p, was, v, 0, \
		    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	}

#define ATOMIC(bits, type) \
	type __tsan_atomic##bits##_load(const volatile type *, int); \
	void __tsan_atomic##bits##_store(volatile type *, type, int); \
	type __tsan_atomic##bits##_exchange(volatile type *, type, int); \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *, type, \
	    type, int, int); \
	type __tsan_atomic##bits##_load(const volatile type *p, int order) \
	{ \
		(void)order; \
		if (is_shared((const void *)p)) \
			point("load", WHERE, false); \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST); \
	} \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order) \
	{ \
		(void)order; \
		atomically(p, WHERE, "atomic store"); \
		__atomic_store_n(p, v, __ATOMIC_SEQ_CST); \
	} \
	type __tsan_atomic##bits##_exchange(volatile type *p, type v, \
	    int order) \
	{ \
		(void)order; \
		atomically(p, WHERE, "exchange"); \
		return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); \
	} \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, \
	    type was, type v, int order, int otherwise) \
	{ \
		(void)order; \
		(void)otherwise; \
		atomically(p, WHERE, "compare and swap"); \
		(void)__atomic_compare_exchange_n(p, &was, v, 0, \
		    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		return was; \
	} \
	READ_MODIFY_WRITE(bits, type, fetch_add) \
	READ_MODIFY_WRITE(bits, type, fetch_sub) \
	READ_MODIFY_WRITE(bits, type, fetch_and) \
	READ_MODIFY_WRITE(bits, type, fetch_or) \
	EXCHANGE(bits, type, compare_exchange_strong) \
	EXCHANGE(bits, type, compare_exchange_weak)

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

/* The compiler calls the C library for these.  A death may cut them in two. */
void *__real_memcpy(void *, const void *, size_t);
void *__real_memset(void *, int, size_t);
void *__wrap_memcpy(void *, const void *, size_t);
void *__wrap_memset(void *, int, size_t);

void *
__wrap_memcpy(void *to, const void *from, size_t n)
{
	size_t half = n / 2;

	if (!is_shared(to))
		return __real_memcpy(to, from, n);
	stored(to, WHERE);
	__real_memcpy(to, from, half);
	stored(to, WHERE);
	__real_memcpy((char *)to + half, (const char *)from + half, n - half);
	return to;
}

void *
__wrap_memset(void *to, int c, size_t n)
{
	size_t half = n / 2;

	if (!is_shared(to))
		return __real_memset(to, c, n);
	stored(to, WHERE);
	__real_memset(to, c, half);
	stored(to, WHERE);
	__real_memset((char *)to + half, c, n - half);
	return to;
}
