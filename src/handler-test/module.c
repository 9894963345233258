/* SPDX-License-Identifier: ISC */
/*
 * The module under test: loaded, checked, configured.
 */
#include "handler-test/module.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handler-test/guard.h"
#include "handler-test/tester.h"
#include "handler/load.h"

#define MODULE_SEGMENTS 8
#define MODULE_STACK 65536 /* bytes of the stack on both sides */

/* The writable memory of the module, without the part that the linker makes
 * read-only after the relocation. */
static struct {
	char *memory, *saved;
	size_t size;
} segments[MODULE_SEGMENTS];
static size_t segments_used;

static const char *module_begin, *module_end; /* of all its memory */
static struct guard config_room;

static bool
module_refuse(const char *path, const char *why)
{
	snprintf(tester->error, sizeof(tester->error), "%s: %s", path, why);
	return false;
}

static void
module_note_segment(char *begin, char *end)
{
	char *saved;

	if (begin >= end || segments_used == MODULE_SEGMENTS)
		return;
	saved = malloc((size_t)(end - begin));
	if (saved == NULL)
		err(2, "malloc");
	segments[segments_used].memory = begin;
	segments[segments_used].saved = saved;
	segments[segments_used].size = (size_t)(end - begin);
	segments_used++;
}

/* Of the object that has `symbol`. */
static int
module_note_object(struct dl_phdr_info *info, size_t size, void *symbol)
{
	char *base = (char *)info->dlpi_addr, *relro = NULL;
	char *relro_end = NULL;
	bool ours = false;
	(void)size;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		char *begin = base + p->p_vaddr;

		if (p->p_type == PT_LOAD && (char *)symbol >= begin &&
		    (char *)symbol < begin + p->p_memsz)
			ours = true;
		if (p->p_type == PT_GNU_RELRO) {
			relro = begin;
			relro_end = begin + p->p_memsz;
		}
	}
	if (!ours)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		char *begin = base + p->p_vaddr, *behind = begin + p->p_memsz;

		if (p->p_type != PT_LOAD)
			continue;
		if (module_begin == NULL || begin < module_begin)
			module_begin = begin;
		if (behind > module_end)
			module_end = behind;
		if ((p->p_flags & PF_W) == 0)
			continue;
		if (relro != NULL && relro >= begin && relro < behind) {
			module_note_segment(begin, relro);
			begin = relro_end;
		}
		module_note_segment(begin, behind);
	}
	return 1;
}

/* Not memcpy(3): the sanitizers forbid it to read between variables. */
__attribute__((no_sanitize("address"))) static void
module_copy(volatile char *to, const volatile char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[i];
}

static void
module_save(void)
{
	for (size_t i = 0; i < segments_used; i++)
		module_copy(segments[i].saved, segments[i].memory,
		    segments[i].size);
}

void
module_renew(void)
{
	for (size_t i = 0; i < segments_used; i++)
		module_copy(segments[i].memory, segments[i].saved,
		    segments[i].size);
}

static bool
module_configure(struct module *m, const char *path,
    const struct echod_option *options, size_t count)
{
	char error[256] = "";
	size_t n;

	if (m->handler->configure == NULL) {
		if (count == 0)
			return true;
		return module_refuse(path, "it has no options");
	}
	guard_map(&config_room, "config", ECHOD_CONFIG_LIMIT, false);
	tester->inside = INSIDE_CONFIGURE;
	n = m->handler->configure(options, count, config_room.view, error,
	    sizeof(error));
	tester->inside = INSIDE_NOTHING;
	error[sizeof(error) - 1] = '\0';
	if (error[0] != '\0')
		return module_refuse(path, error);
	if (n > ECHOD_CONFIG_LIMIT)
		return module_refuse(path, "configure() filled in too much");
	m->config = config_room.alias;
	m->config_size = n;
	return true;
}

bool
module_load(struct module *m, const char *path,
    const struct echod_option *options, size_t count)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return module_refuse(path, strerror(errno));
	tester->inside = INSIDE_LOAD;
	m->handler = load_module(fd, path, tester->error,
	    sizeof(tester->error));
	tester->inside = INSIDE_NOTHING;
	if (m->handler == NULL)
		return false;
	dl_iterate_phdr(module_note_object, (void *)(uintptr_t)m->handler);
	if (!module_configure(m, path, options, count))
		return false;
	module_save();
	return true;
}

static bool
module_is_in(uintptr_t p, const void *begin, const void *behind)
{
	return p >= (uintptr_t)begin && p < (uintptr_t)behind;
}

/* The name of the memory at address `p`; NULL: there is none. */
static const char *
module_memory(uintptr_t p)
{
	extern const char end; /* of the program; the heap is behind it */
	uintptr_t here = (uintptr_t)&p;
	bool edge;

	if (module_is_in(p, module_begin, module_end))
		return "the module";
	if (module_is_in(p, &end, sbrk(0)))
		return "the heap";
	if (p >= here - MODULE_STACK && p < here + MODULE_STACK)
		return "the stack";
	return guard_name((const void *)p, &edge);
}

const char *
module_address_in(const void *bytes, size_t size)
{
	for (size_t i = 0; i + sizeof(uintptr_t) <= size; i += 4) {
		const char *name;
		uintptr_t p;

		memcpy(&p, (const char *)bytes + i, sizeof(p));
		name = module_memory(p);
		if (name != NULL)
			return name;
	}
	return NULL;
}
